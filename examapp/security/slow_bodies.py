"""End connections whose body does not come if they are so many that threads run out: for a deployment without nginx, which buffers bodies.

The web server reads a body in the thread that will answer, without a time limit. A waiting thread costs little, so a few are left alone. If
many wait, the connections of the addresses with the most of them are shut if nothing came on them for some seconds. An idle connection of
the same address may be shut with them; its browser opens it again.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any

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
        if self._watcher_pid != os.getpid():
            self._watch()
        self._waits[threading.get_ident()] = (time.monotonic(), address)
        try:
            yield
        finally:
            self._waits.pop(threading.get_ident(), None)

    def reader(self, body: Any, address: str) -> Body:
        """Wrap a body so that each of its reads is recorded."""
        return Body(self, body, address)

    def _watch(self) -> None:
        with self._lock:
            if self._watcher_pid != os.getpid():
                self._watcher_pid = os.getpid()
                threading.Thread(target=self._check_forever, name="slow bodies", daemon=True).start()

    def _check_forever(self) -> None:
        while True:
            time.sleep(_CHECK_EVERY_S)
            self.check()

    def check(self) -> int:
        """Shut the slow connections if they are too many; return how many."""
        waits = list(self._waits.values())
        timeout_s = _SHORT_TIMEOUT_S if len(waits) >= self._almost_all else _TIMEOUT_S
        late = Counter(address for since, address in waits if time.monotonic() - since > timeout_s)
        left, addresses = late.total(), set()
        for address, count in late.most_common():
            if left < self._many:
                break
            addresses.add(address)
            left -= count
        closed = _shut(addresses, timeout_s) if addresses else 0
        if closed:
            log.warning("slow_bodies_ended", connections=closed, addresses=len(addresses))
        return closed


class Body:
    """A WSGI input whose reads are recorded while they wait."""

    def __init__(self, bodies: Bodies, body: Any, address: str) -> None:
        self._bodies, self._body, self._address = bodies, body, address

    def read(self, *size: int) -> bytes:
        """Read so many bytes."""
        with self._bodies.waiting(self._address):
            return self._body.read(*size)  # type: ignore[no-any-return]

    def readline(self, *size: int) -> bytes:
        """Read a line."""
        with self._bodies.waiting(self._address):
            return self._body.readline(*size)  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[bytes]:
        """Read line after line."""
        return iter(self.readline, b"")


def _shut(addresses: set[str], quiet_s: float) -> int:
    """Shut the connections of these addresses on which nothing came for so long; return how many."""
    closed = 0
    for number in _descriptors():
        with suppress(OSError), socket.socket(fileno=os.dup(number)) as line:
            peer = line.getpeername()
            if not isinstance(peer, tuple) or _plain(peer[0]) not in addresses:
                continue
            info = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_AT + 4)
            if struct.unpack_from("I", info, _LAST_DATA_AT)[0] >= quiet_s * 1000:
                line.shutdown(socket.SHUT_RDWR)
                closed += 1
    return closed


def _descriptors() -> list[int]:
    found = []
    for entry in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):
            if str(entry.readlink()).startswith("socket:"):
                found.append(int(entry.name))
    return found


def _plain(address: str) -> str:
    """Return an IPv4-mapped IPv6 address as IPv4."""
    found = ip_address(address.partition("%")[0])
    return str(found.ipv4_mapped) if isinstance(found, IPv6Address) and found.ipv4_mapped else str(found)
