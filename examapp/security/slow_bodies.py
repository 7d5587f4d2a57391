"""End connections whose body does not come, where they are so many that threads run out: a deployment without nginx, which buffers bodies.

The web server reads a body in the thread that will answer, and knows no time limit for it. A waiting thread costs little, so a few are left
alone. Where many wait, the connections of the addresses with the most of them are shut, if nothing came on them for some seconds. An idle
connection of the same address may be shut with them, which its browser opens again.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()
_LOOK_EVERY_S = 1.0
_PATIENCE_S = 10.0
_IMPATIENCE_S = 1.0
_LAST_DATA_AT = 8 + 11 * 4
"""Where `tcpi_last_data_recv` stands in `struct tcp_info` (linux/tcp.h), in milliseconds."""


class Bodies:
    """The bodies that this process waits for, and from when on they are too many."""

    def __init__(self, threads: int) -> None:
        self._many, self._almost_all = max(1, threads // 8), max(2, threads * 3 // 4)
        self._waits: dict[int, tuple[float, str]] = {}
        self._watcher_pid = 0
        self._lock = threading.Lock()

    def begin(self, address: str) -> None:
        """Note that this thread waits for a body from an address."""
        if self._watcher_pid != os.getpid():
            self._watch()
        self._waits[threading.get_ident()] = (time.monotonic(), address)

    def end(self) -> None:
        """Note that it waits no longer."""
        self._waits.pop(threading.get_ident(), None)

    def reader(self, body: Any, address: str) -> Body:
        """Give a body each of whose reads is noted."""
        return Body(self, body, address)

    def _watch(self) -> None:
        with self._lock:
            if self._watcher_pid != os.getpid():
                self._watcher_pid = os.getpid()
                threading.Thread(target=self._look_for_ever, name="slow bodies", daemon=True).start()

    def _look_for_ever(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_S)
            self.look()

    def look(self) -> int:
        """Shut what has to be; gives how many connections."""
        waits = list(self._waits.values())
        patience = _IMPATIENCE_S if len(waits) >= self._almost_all else _PATIENCE_S
        late = Counter(address for since, address in waits if time.monotonic() - since > patience)
        left, addresses = late.total(), set()
        for address, count in late.most_common():
            if left < self._many:
                break
            addresses.add(address)
            left -= count
        closed = _shut(addresses, patience) if addresses else 0
        if closed:
            log.warning("slow_bodies_ended", connections=closed, addresses=len(addresses))
        return closed


class Body:
    """A WSGI input whose reads are noted while they wait."""

    def __init__(self, bodies: Bodies, body: Any, address: str) -> None:
        self._bodies, self._body, self._address = bodies, body, address

    def read(self, *size: int) -> bytes:
        """Read so many bytes."""
        self._bodies.begin(self._address)
        try:
            return self._body.read(*size)  # type: ignore[no-any-return]
        finally:
            self._bodies.end()

    def readline(self, *size: int) -> bytes:
        """Read a line."""
        self._bodies.begin(self._address)
        try:
            return self._body.readline(*size)  # type: ignore[no-any-return]
        finally:
            self._bodies.end()

    def __iter__(self) -> Iterator[bytes]:
        """Read line after line."""
        while line := self.readline():
            yield line


def _shut(addresses: set[str], quiet_s: float) -> int:
    """Shut the connections of these addresses on which nothing came for so long."""
    closed = 0
    for number in _descriptors():
        with suppress(OSError), socket.socket(fileno=os.dup(number)) as line:
            peer = line.getpeername()
            if not isinstance(peer, tuple) or _plain(peer[0]) not in addresses:
                continue
            told = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_AT + 4)
            if struct.unpack_from("I", told, _LAST_DATA_AT)[0] >= quiet_s * 1000:
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
    """Write an IPv4 address that came by way of IPv6 as itself."""
    found = ip_address(address.partition("%")[0])
    return str(found.ipv4_mapped) if isinstance(found, IPv6Address) and found.ipv4_mapped else str(found)
