"""Run a command as an ordinary user from root, keeping only the right to reach files: `python -I unprivileged.py UID GID CMD…`.

PostgreSQL refuses to run as root. A data folder below a folder that only root may enter (`/root`, a private temporary folder) would
be out of an ordinary user's reach, and opening the parents to everybody would be wrong. So the new process keeps the single
capability CAP_DAC_OVERRIDE (capabilities(7), "ambient"), and nothing else of root. Used as a script, hence no project imports.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}


def become(uid: int, gid: int) -> None:
    """Give up root for this user but keep CAP_DAC_OVERRIDE over exec; raises OSError where the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    mask = 1 << _CAP_DAC_OVERRIDE
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    data = struct.pack("IIIIII", mask, mask, mask, 0, 0, 0)
    _checked(libc.syscall(_SYS_CAPSET[os.uname().machine], header, data))
    _checked(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]))
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 – the command is given by core.embedded, no shell
