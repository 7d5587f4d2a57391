"""Rules of the tests themselves: none imports another, none sleeps, none asserts a duration, each asserts something that can be false."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.architecture.source import ROOT, nodes_of, tree_of

TESTS = sorted(ROOT.glob("tests/**/test_*.py"))
CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "process_time_ns", "time_ns"}
ON_REAL_TIME = {"slow", "long", "drill", "browser"}
"""Marks of tests that drive a deployment or a browser: these may wait, and hold limits that a user was promised."""
REASON = re.compile(r"#.*\bwaits: \w+")
"""What a line says that has to wait all the same, and why."""


def _marks(node: ast.AST) -> set[str]:
    found = re.findall(r"pytest\.mark\.(\w+)", ast.unparse(node))
    return ON_REAL_TIME & set(found)


def _is_on_real_time(tree: ast.Module) -> bool:
    named = [
        node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    ]
    return any(_marks(node.value) for node in named)


def _sleeps(call: ast.Call) -> bool:
    """Tell whether a call only lets time pass: a sleep, or a wait for an event that nobody else knows."""
    called = ast.unparse(call.func)
    return called.rpartition(".")[2] in {"sleep", "pg_sleep"} or called.endswith("Event().wait")


def _reads_clock(node: ast.AST, names: set[str]) -> bool:
    return any(
        (isinstance(one, ast.Attribute) and one.attr in CLOCKS) or (isinstance(one, ast.Name) and one.id in names)
        for one in ast.walk(node)
    )


def _timed_assertions(function: ast.AST) -> list[int]:
    """Give the lines of assertions over what a clock of the process said."""
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _reads_clock(node.value, names):
            names |= {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    asserts = [node for node in ast.walk(function) if isinstance(node, ast.Assert)]
    return [node.lineno for node in asserts if _reads_clock(node.test, names)]


def find_waits(path: Path) -> list[str]:
    """Give the sleeps and timed assertions of the tests in a file that are not marked to run on real time."""
    tree, lines = tree_of(path), path.read_text("utf-8").splitlines()
    if _is_on_real_time(tree):
        return []
    found: set[int] = set()
    for node in tree.body:
        if any(_marks(decorator) for decorator in getattr(node, "decorator_list", [])):
            continue
        found |= {one.lineno for one in ast.walk(node) if isinstance(one, ast.Call) and _sleeps(one)}
        found |= set(_timed_assertions(node))
    return [f"{path.relative_to(ROOT)}:{line}" for line in sorted(found) if not REASON.search(lines[line - 1])]


def test_tests_neither_sleep_nor_assert_a_duration():
    found = [place for path in TESTS for place in find_waits(path)]
    assert not found, "wait for an event or count calls; timing belongs in benchmarks/, as a ratio:\n" + "\n".join(
        found
    )


def test_a_sleep_a_wait_and_a_timed_assertion_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.architecture.test_tests.ROOT", tmp_path)
    path = tmp_path / "test_it.py"
    path.write_text(
        "def test_one():\n    began = time.monotonic()\n    time.sleep(1)\n    threading.Event().wait(1)\n"
        "    took = time.monotonic() - began\n    assert took < 2\n    sleep(1)  # waits: for the other thread\n"
        "@pytest.mark.slow\ndef test_two():\n    time.sleep(1)\n",
        "utf-8",
    )
    assert find_waits(path) == ["test_it.py:3", "test_it.py:4", "test_it.py:6"]


def test_no_test_asserts_nothing():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in TESTS
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"\bassert (?:True|1)\b|mark\.xfail", line) and path != Path(__file__)
    ]
    assert not found, found


def test_no_file_of_tests_is_imported_by_another():
    found = [
        f"{path.relative_to(ROOT)} {module}"
        for path in sorted([*ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/*.py")])
        for node in nodes_of(path)
        for module in _imported(node)
        if module.startswith("tests.") and any(part.startswith("test_") for part in module.split("."))
    ]
    assert not found, "what two tests need belongs into tests/helpers, a fixture into a conftest:\n" + "\n".join(found)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
