"""Where stored files and pieces lie: `DATA_DIR/uploads/kept/<xx>/<token>` and `DATA_DIR/uploads/parts/<token>`."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from flask import current_app

from examapp.core.errors import NotFoundError

_TOKEN = re.compile(r"[0-9a-f]{32}")


def root() -> Path:
    """Give the folder of all uploads of this application."""
    path: Path = current_app.config["SETTINGS"].data_path / "uploads"
    return path


def new_token() -> str:
    """Make an unguessable name."""
    return secrets.token_hex(16)


def kept_path(token: str) -> Path:
    """Give where a stored file lies; its folder is made. Raises NotFoundError for what is no token of ours."""
    return _in_folder(root() / "kept" / token[:2], token)


def part_path(token: str) -> Path:
    """Give where the pieces of an upload under way lie; its folder is made. Raises NotFoundError for what is no token of ours."""
    return _in_folder(root() / "parts", token)


def _in_folder(folder: Path, name: str) -> Path:
    """Refuse a name that leads elsewhere: whoever can write the database could read or replace any file of the program by it."""
    if not _TOKEN.fullmatch(name):
        raise NotFoundError("这个文件的登记已被改动，不能使用。请联系管理员。")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / name
