"""Finds tests by their ids, for tables and papers that name them as proofs."""

from __future__ import annotations

import ast
from functools import cache

from tests.architecture.source import ROOT, nodes_of


@cache
def named_tests(path: str) -> frozenset[str]:
    """Give the names of a file's tests; nothing where there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    return frozenset(
        node.name for node in nodes_of(file) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def is_test(node_id: str) -> bool:
    """Tell whether `<file>::test_y` names a test that is there."""
    path, _, name = node_id.partition("::")
    return name in named_tests(path)
