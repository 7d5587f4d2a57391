"""Run a command as an ordinary user from root, with the right to reach files: `python -I unprivileged.py WAY UID GID FOLDER CMD…`.

PostgreSQL refuses to run as root. A data folder below a folder that only root may enter (`/root`, a private temporary folder) would
be out of an ordinary user's reach, and opening the parents to everybody would be wrong. Three ways, from the best to the last:

- `capability`: another user, who keeps the single capability CAP_DAC_OVERRIDE (capabilities(7), "ambient"). The secure bit
  NO_SETUID_FIXUP makes access(2), by which PostgreSQL looks at its own programs, count the capability too.
- `namespace`: root itself, which is called by another number in a user namespace of its own (user_namespaces(7)).
- `plain`: another user without any right of root, for folders that everybody may enter.

Where the command or the folder is not within reach, it exits with 126. Used as a script, hence no project imports.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
from pathlib import Path

WAYS = ("capability", "namespace", "plain")
OUT_OF_REACH = 126
_PR_SET_PDEATHSIG = 1
_PR_GET_PDEATHSIG = 2
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_NO_SETUID_FIXUP = 1 << 2
_CLONE_NEWUSER = 0x10000000
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
_libc = ctypes.CDLL(None, use_errno=True)


def become(way: str, uid: int, gid: int) -> None:
    """Stop being root in this way; raises OSError where the system refuses, KeyError on a processor whose numbers are not known."""
    {"capability": _keep_capability, "namespace": _enter_namespace, "plain": _give_up_root}[way](uid, gid)


def _keep_capability(uid: int, gid: int) -> None:
    capset = _SYS_CAPSET[os.uname().machine]
    _libc.prctl(
        _PR_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0
    )  # refused in some containers: then the caller's probe decides
    _checked(_libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    _give_up_root(uid, gid)
    mask = 1 << _CAP_DAC_OVERRIDE
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    data = struct.pack("IIIIII", mask, mask, mask, 0, 0, 0)
    _checked(_libc.syscall(capset, header, data))
    _checked(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0))


def _enter_namespace(uid: int, gid: int) -> None:
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _checked(_libc.unshare(_CLONE_NEWUSER))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")


def _give_up_root(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run(way: str, uid: int, gid: int, folder: str, command: list[str]) -> None:
    """Become the user and be replaced by the command; returns only where something is out of reach."""
    parent, told_at_its_end = os.getppid(), ctypes.c_int(0)
    if sys.platform == "linux":
        _libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(told_at_its_end), 0, 0, 0)
    become(way, uid, gid)
    if told_at_its_end.value:  # the kernel forgets it when the user changes
        _libc.prctl(_PR_SET_PDEATHSIG, told_at_its_end.value, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
    if os.access(command[0], os.X_OK) and (not folder or os.access(folder, os.R_OK | os.W_OK | os.X_OK)):
        os.execv(command[0], command)  # noqa: S606 – the command is given by ops.embedded_servers, no shell


if __name__ == "__main__":
    _run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
    sys.exit(OUT_OF_REACH)
