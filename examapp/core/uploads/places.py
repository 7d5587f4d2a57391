"""Where stored files and pieces lie: `DATA_DIR/uploads/kept/<xx>/<token>` and `DATA_DIR/uploads/parts/<token>`."""

from __future__ import annotations

import secrets
from pathlib import Path

from flask import current_app


def root() -> Path:
    """Give the folder of all uploads of this application."""
    path: Path = current_app.config["SETTINGS"].data_path / "uploads"
    return path


def new_token() -> str:
    """Make an unguessable name."""
    return secrets.token_hex(16)


def kept_path(token: str) -> Path:
    """Give where a stored file lies; its folder is made."""
    return _in_folder(root() / "kept" / token[:2], token)


def part_path(token: str) -> Path:
    """Give where the pieces of an upload under way lie; its folder is made."""
    return _in_folder(root() / "parts", token)


def _in_folder(folder: Path, name: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / name
