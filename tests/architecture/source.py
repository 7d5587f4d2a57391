"""The project's source files and their syntax trees."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


CODE = sorted([*ROOT.glob("examapp/**/*.py"), *ROOT.glob("question_bank/**/*.py"), ROOT / "wsgi.py"])


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse a file, once for all tests."""
    return ast.parse(path.read_text("utf-8"))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Give all nodes of a file's syntax tree."""
    return tuple(ast.walk(tree_of(path)))


_COMMENT = re.compile(r"(?:^|  )# (.+)")


@cache
def prose_of(path: Path) -> tuple[tuple[int, str], ...]:
    """Give the docstrings and comments of a file, each with its first line's number."""
    found = [
        (node.lineno, node.value.value)
        for node in _statements_of(tree_of(path))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    lines = enumerate(path.read_text("utf-8").split("\n"), 1)
    return (*found, *((number, comment[1]) for number, line in lines if (comment := _COMMENT.search(line))))


def _statements_of(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> Iterator[ast.stmt]:
    """Yield the statements of a module, its classes and functions; none within a compound statement, where no docstring stands."""
    for statement in node.body:
        yield statement
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            yield from _statements_of(statement)


_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code_lines(path: Path, names: tuple[str, ...] = ()) -> int:
    """Count the lines of code of a file, or of these functions and classes of it: no blank ones, comments, imports, docstrings."""
    text, tree = path.read_text("utf-8"), tree_of(path)
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in _NO_CODE]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(tree):
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_docstring or isinstance(node, ast.Import | ast.ImportFrom):
            lines -= _lines_of(node)
    if names:
        lines &= set().union(*(_lines_of(node) for node in tree.body if getattr(node, "name", "") in names))
    return len(lines)


def _lines_of(node: Any) -> set[int]:
    decorators = [one.lineno for one in getattr(node, "decorator_list", [])]
    return set(range(min([node.lineno, *decorators]), node.end_lineno + 1))


def reads_of_requests():
    """Give the files in which what was sent is read: views, forms and API."""
    parts = {"views", "admin_views", "forms", "api"}
    return [path for path in CODE if parts & {path.stem, *path.relative_to(ROOT).parts}]
