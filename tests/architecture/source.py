"""The project's source files and their syntax trees."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


CODE = sorted([*ROOT.glob("examapp/**/*.py"), *ROOT.glob("question_bank/**/*.py"), ROOT / "wsgi.py"])


def tree_of(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text("utf-8"))


def reads_of_requests():
    """Give the files in which what was sent is read: views, forms and API."""
    parts = {"views", "admin_views", "forms", "api"}
    return [path for path in CODE if parts & {path.stem, *path.relative_to(ROOT).parts}]
