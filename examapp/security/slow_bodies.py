"""End connections whose body does not come if they are so many that threads run out: for a deployment without nginx, which buffers bodies.

The web server reads a body in the thread that will answer, without a time limit. A waiting thread costs little, so a few are left alone. If
many wait, their connections are shut if nothing came on them for some seconds. An idle connection of the same address may be shut with them;
its browser opens it again.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
import structlog

log = structlog.get_logger()
_CHECK_EVERY_S = 1.0
_TIMEOUT_S = 10.0
_SHORT_TIMEOUT_S = 1.0
_LAST_DATA_AT = 8 + 11 * 4
"""Offset of `tcpi_last_data_recv` in `struct tcp_info` (linux/tcp.h), milliseconds."""


class Bodies:
    """The request bodies that this process waits for, with `threads` to do so."""

    def __init__(self, threads: int) -> None:
        self._many, self._almost_all = max(1, threads // 8), max(2, threads * 3 // 4)
        self._waits: dict[int, tuple[float, str]] = {}
        self._watcher_pid = 0
        self._lock = threading.Lock()

    @contextmanager
    def waiting(self, address: str) -> Iterator[None]:
        """Record that this thread waits for a body from an address."""
        with self._lock:
            if self._watcher_pid != os.getpid():  # once a process, whatever forked it
                self._watcher_pid = os.getpid()
                threading.Thread(target=self._check_forever, name="slow bodies", daemon=True).start()
        self._waits[threading.get_ident()] = (time.monotonic(), address)
        try:
            yield
        finally:
            del self._waits[threading.get_ident()]

    def _check_forever(self) -> None:
        while True:
            time.sleep(_CHECK_EVERY_S)
            self.check()

    def check(self) -> int:
        """Shut the slow connections if they are too many; return how many."""
        waits = list(self._waits.values())
        timeout_s = _SHORT_TIMEOUT_S if len(waits) >= self._almost_all else _TIMEOUT_S
        late = [address for since, address in waits if time.monotonic() - since > timeout_s]
        closed = _shut(set(late), timeout_s) if len(late) >= self._many else 0
        if closed:
            log.warning("slow_bodies_ended", connections=closed, addresses=len(set(late)))
        return closed


class Body:
    """A WSGI input whose reads are recorded while they wait."""

    def __init__(self, bodies: Bodies, body: Any, address: str) -> None:
        self._bodies, self._body, self._address = bodies, body, address

    def read(self, *size: int) -> bytes:
        """Read so many bytes; Werkzeug reads a body by nothing else."""
        with self._bodies.waiting(self._address):
            return self._body.read(*size)  # type: ignore[no-any-return]


def _shut(addresses: set[str], quiet_s: float) -> int:
    """Shut the connections of these addresses on which nothing came for so long; return how many."""
    closed = 0
    for one in psutil.Process().net_connections("tcp"):
        if one.raddr and one.raddr.ip.removeprefix("::ffff:") in addresses:  # an IPv4 address, or one written as IPv6
            with suppress(OSError), socket.socket(fileno=os.dup(one.fd)) as line:
                info = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_AT + 4)
                if struct.unpack_from("I", info, _LAST_DATA_AT)[0] >= quiet_s * 1000:
                    line.shutdown(socket.SHUT_RDWR)
                    closed += 1
    return closed
