"""Requests to other hosts: limited in time and in bytes, with certificates checked, following no redirect and using no proxy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

STEP_TIMEOUT_S = 4.0
"""For each step of an exchange: connecting, or waiting for the next bytes."""
EXCHANGE_LIMIT_S = 8.0
"""For the whole exchange once connected: a connection that drips or has gone half-open is cut."""
_MAX_REPLY_BYTES = 64 * 1024
ExchangeError = (OSError, HTTPException, ValueError)
"""What an exchange raises that came to nothing; the other host may have acted all the same."""


def exchange(url: str, *, body: bytes = b"", headers: Mapping[str, str], method: str = "POST") -> tuple[int, bytes]:
    """Send a request and give status and body of the reply; raises what `ExchangeError` lists."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=STEP_TIMEOUT_S)
    try:
        connection.connect()
        with cut_after(lambda: connection.sock, EXCHANGE_LIMIT_S):
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request(method, target, body=body, headers=dict(headers))
            reply = connection.getresponse()
            return reply.status, reply.read(_MAX_REPLY_BYTES)
    finally:
        connection.close()


@contextmanager
def cut_after(find: Callable[[], socket.socket | None], limit_s: float) -> Iterator[None]:
    """Cut the connection that `find` gives if it is still used after so many seconds: what waits on it then fails."""
    timer = threading.Timer(limit_s, _cut, [find])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(find: Callable[[], socket.socket | None]) -> None:
    connection = find()
    if connection is not None:
        with suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)  # beneath TLS, which would wait for the other side
