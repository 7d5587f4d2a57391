"""A lean HTTP client for waves: many candidates over a pool of kept connections, in one event loop."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Reply:
    """A reply, and how long it took from the moment the request was to be sent, in seconds."""

    status: int
    head: bytes
    body: bytes
    took_s: float

    def json(self) -> Any:
        return json.loads(self.body or b"null")


@dataclass(slots=True)
class Pool:
    """Kept connections to one server; as many requests at a time as there are connections, as behind a reverse proxy."""

    port: int
    size: int
    _free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None] = field(
        default_factory=asyncio.LifoQueue
    )

    def __post_init__(self) -> None:
        for _ in range(self.size):
            self._free.put_nowait(None)

    async def ask(self, method: str, path: str, headers: str, body: bytes = b"") -> Reply:
        """Send one request; a connection that the server has closed meanwhile is dialled anew."""
        began = time.perf_counter()
        line = await self._free.get()
        is_kept = line is not None
        try:
            try:
                line, status, head, content = await self._exchange(line, method, path, headers, body)
            except (OSError, EOFError):
                if not is_kept:
                    raise
                line = None
                line, status, head, content = await self._exchange(None, method, path, headers, body)
        except BaseException:
            line = None
            raise
        finally:
            self._free.put_nowait(line)
        return Reply(status, head, content, time.perf_counter() - began)

    async def _exchange(self, line, method: str, path: str, headers: str, body: bytes):
        if line is None:
            line = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        reader, writer = line
        request = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        )
        writer.write(request.encode("latin-1") + body)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            content = b""
            while size := int((await reader.readline()).split(b";")[0], 16):
                content += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        else:
            at = lower.find(b"content-length:")
            length = int(lower[at + 15 : lower.index(b"\r", at)]) if at >= 0 else 0
            content = await reader.readexactly(length) if length else b""
        return line, status, head, content
