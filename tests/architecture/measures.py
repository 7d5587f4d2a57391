"""Measures of the code base, as decision 0047 tables them: `python -m tests.architecture.measures`."""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from pathlib import Path

from tests.architecture.source import CODE, ROOT, code_lines, nodes_of


def main() -> None:
    """Print the table's rows."""
    files = [path for path in CODE if path.name != "wsgi.py"]
    markers = [path for path in files if path.name == "__init__.py"]
    modules = [path for path in files if path.name != "__init__.py"]
    code = {path: code_lines(path) for path in files}
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in files)
    imports = sum(_import_lines(path) for path in files)
    functions = sorted(_function_lengths(files))
    importers = _importers(files)
    calls = Counter(
        node.id if isinstance(node, ast.Name) else node.attr
        for path in files
        for node in nodes_of(path)
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)
    )
    private = [
        node.name
        for path in files
        for node in nodes_of(path)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("_") and not node.name.startswith("__")
    ]
    print(f"files: {len(files)}, of them package markers: {len(markers)}")
    print(f"lines: {lines}")
    print(
        f"code lines a file, all: {sum(code.values()) / len(files):.0f}, without markers: {sum(code.values()) / len(modules):.0f}"
    )
    print(
        f"import lines: {100 * imports / lines:.1f} % of all lines, {100 * imports / (imports + sum(code.values())):.1f} % of code"
    )
    print(
        f"files with exactly one importer: {100 * sum(importers[path] == 1 for path in modules) / len(modules):.0f} %"
    )
    print(
        f"functions: median {statistics.median(functions):g}, p90 {functions[len(functions) * 9 // 10]}, "
        f"over 50: {sum(length > 50 for length in functions)}, of {len(functions)}"
    )
    print(f"private functions named once: {sum(calls[name] == 1 for name in private)} of {len(private)}")
    small = sorted(
        (code[path], str(path.relative_to(ROOT))) for path in modules if importers[path] == 1 and code[path] < 40
    )
    print(
        f"modules of under 40 code lines with one importer: {len(small)}",
        *(f"  {count} {path}" for count, path in small),
        sep="\n",
    )


def _import_lines(path: Path) -> int:
    found = (node for node in nodes_of(path) if isinstance(node, ast.Import | ast.ImportFrom))
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in found)


def _function_lengths(files: list[Path]) -> list[int]:
    """Give the lines of each function's body, without its docstring."""
    lengths = []
    for path in files:
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1:] if ast.get_docstring(node) is not None else node.body
                lengths.append((node.end_lineno or 0) - first[0].lineno + 1 if first else 0)
    return lengths


def _importers(files: list[Path]) -> Counter[Path]:
    """Count the files that import each."""
    by_name = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}
    found: Counter[Path] = Counter()
    for path in files:
        named = set()
        for node in nodes_of(path):
            if isinstance(node, ast.ImportFrom) and node.module:
                named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
        found.update({by_name[name] for name in named if name in by_name} - {path})
    return found


if __name__ == "__main__":
    main()
