"""What the supervisor looks at before it starts anything: whether the data folder and the port are free, and what an earlier run left behind."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from examapp.ops.embedded_servers import living_postmaster

_LOCK = "site.lock"
_PROC = Path("/proc")
_END_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.05
_LISTENING = "0A"


class NotFreeError(Exception):
    """The site cannot start here now; the message says what is in the way and what to do."""


def take_data_folder(folder: Path, address: str) -> TextIO:
    """Take a data folder for as long as the file that is given back stays open; raises NotFreeError where another site has it."""
    file = (folder / _LOCK).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise NotFreeError(
            f"数据目录「{folder}」的网站已经在运行（{holder}），这次没有启动，也没有改动任何文件。"
            "要重新启动，请先在原来的窗口按 Ctrl-C；要另开一个网站，请换数据目录和端口，"
            "如 DATA_DIR=.data2 PORT=8001 make run。"
        ) from None
    except OSError:
        pass  # a file system without locks: the port is looked at all the same
    file.truncate(0)
    file.write(f"进程号 {os.getpid()}，地址 {address}")
    file.flush()
    return file


def end_leftovers(folder: Path) -> int:
    """End what still runs of a site on this folder whose supervisor was killed; gives how many processes. Only for who has taken the folder."""
    found = _leftovers(folder)
    for pid in found:
        _send(pid, signal.SIGTERM)
        _send(pid, signal.SIGCONT)  # one that stands still hears nothing
    if (postmaster := living_postmaster(folder)) is not None:
        _send(postmaster, signal.SIGINT)
    deadline = time.monotonic() + _END_WITHIN_S
    while time.monotonic() < deadline and (_leftovers(folder) or living_postmaster(folder) is not None):
        time.sleep(_LOOK_EVERY_S)
    for pid in _leftovers(folder) - {postmaster}:
        _send(pid, signal.SIGKILL)
    if postmaster is not None and living_postmaster(folder) == postmaster:
        _send(postmaster, signal.SIGQUIT)  # at once, without a last checkpoint: it recovers at its next start
        while time.monotonic() < deadline + _END_WITHIN_S and living_postmaster(folder) is not None:
            time.sleep(_LOOK_EVERY_S)
    return len(found | ({postmaster} if postmaster is not None else set()))


def _leftovers(folder: Path) -> set[int]:
    """Find the processes whose words go into the logs of a data folder: all that the supervisor starts, and nothing else."""
    logs = {_identity(path) for path in [*folder.glob("logs/*.log"), *folder.glob("*.log")]} - {None}
    return {
        pid for pid in _processes() if pid != os.getpid() and logs & {_identity(_PROC / f"{pid}/fd/{number}") for number in (1, 2)} - {None}
    }  # fmt: skip


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _processes() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit() and _runs(int(entry.name)))


def _runs(pid: int) -> bool:
    with suppress(OSError, IndexError):
        return (_PROC / f"{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    return False


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(OSError):
        os.kill(pid, number)


def check_port(host: str, port: str) -> None:
    """See whether the site can listen on a port of this machine; raises NotFreeError, which names who holds it."""
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise NotFreeError(f"端口 PORT={port} 不对。请写 1 到 65535 之间的数字，如 PORT=8001 make run。")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise NotFreeError(_why_not(host, int(port), error)) from None


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        holder = _holder_of(port) or "另一个程序（用 root 执行 ss -ltnp 可以看到）"
        return f"端口 {port} 已被占用：{holder}。请先结束它，或换一个端口，如 PORT={port % 60000 + 1} make run。这次没有启动。"
    if error.errno == errno.EACCES:
        return f"没有权限使用端口 {port}：1024 以下的端口只有 root 能用。请换一个，如 PORT=8001 make run。"
    return f"不能在 {host} 上监听（{error.strerror}）：这台机器没有这个地址。请检查 HOST，一般用 127.0.0.1 或 0.0.0.0。"


def _holder_of(port: int) -> str:
    """Name the process that listens on a port, as far as this user may look."""
    sockets = {f"socket:[{inode}]" for inode in listening(port)}
    for pid in _processes():
        with suppress(OSError):
            for descriptor in (_PROC / f"{pid}/fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink()) in sockets:
                        words = (_PROC / f"{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                        return f"进程号 {pid}，{words.strip()[:120]}"
    return ""


def listening(port: int) -> list[str]:
    """Give the numbers of the sockets that listen on a port of this machine."""
    found = []
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            rows = [line.split() for line in (_PROC / f"net/{table}").read_text().splitlines()[1:]]
            found += [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]
    return found
