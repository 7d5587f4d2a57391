"""What the supervisor checks before it starts anything: that the data folder and the port are free."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import psutil

_LOCK = "site.lock"
_LISTENING = "0A"


class NotFreeError(Exception):
    """The site cannot start here now; the message says what is in the way and what to do."""


def lock_data_folder(folder: Path, address: str) -> TextIO:
    """Lock a data folder for as long as the returned file stays open; raises NotFreeError if another site has it."""
    file = (folder / _LOCK).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise NotFreeError(
            f"数据目录“{folder}”的网站已经在运行（{holder}），这次没有启动，也没有改动任何文件。"
            "要重新启动，请先在原来的窗口按 Ctrl-C；要另开一个网站，请换数据目录和端口，"
            "如 DATA_DIR=.data2 PORT=8001 make run。"
        ) from None
    except OSError:
        pass  # a file system without locks: the port is checked all the same
    file.truncate(0)
    file.write(f"进程号 {os.getpid()}，地址 {address}")
    file.flush()
    return file


def check_port(host: str, port: int) -> None:
    """Check that the site can listen on a port of this machine; raises NotFreeError, which names who holds it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = f"端口 {port} 已被占用：{_holder_of(port)}。请先结束它，或换一个端口，如 PORT={port % 60000 + 1} make run。这次没有启动。"
        elif error.errno == errno.EACCES:
            why = f"没有权限使用端口 {port}：1024 以下的端口只有 root 能用。请换一个，如 PORT=8001 make run。"
        else:
            why = f"不能在 {host} 上监听（{error.strerror}）：这台机器没有这个地址。请检查 HOST，一般用 127.0.0.1 或 0.0.0.0。"
        raise NotFreeError(why) from None


def _holder_of(port: int) -> str:
    """Name the process that listens on a port, as far as this user may look."""
    for found in psutil.net_connections("tcp"):
        if found.pid and found.status == psutil.CONN_LISTEN and found.laddr.port == port:
            with suppress(psutil.Error):
                return f"进程号 {found.pid}，{' '.join(psutil.Process(found.pid).cmdline()).strip()[:120]}"
    return "另一个程序（用 root 执行 ss -ltnp 可以看到）"


def listening(port: int) -> list[str]:
    """List the inodes of the sockets that listen on a port of this machine; psutil would look through all processes for it."""
    found = []
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
            found += [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]
    return found
