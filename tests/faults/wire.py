"""A small HTTP/1.1 client on one kept connection, so that hundreds of candidates cost little; it keeps cookies and knows no proxy."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any


class LostError(Exception):
    """No whole reply came: whether the server has acted is unknown."""


@dataclass(slots=True)
class Reply:
    """A whole reply."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body or b"null")

    @property
    def retry_after_s(self) -> float:
        value = self.headers.get("retry-after", "")
        return float(value) if value.isdigit() else 0.0


@dataclass(slots=True)
class Wire:
    """A browser's connection to one server."""

    host: str
    port: int
    timeout_s: float = 10.0
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One call at a time on the connection."""

    async def ask(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request and give the reply; raises LostError. A kept connection that has died between requests is replaced once."""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        async with self.turn:
            return await self._ask_alone(method, path, content)

    async def _ask_alone(self, method: str, path: str, content: bytes) -> Reply:
        was_kept = self.writer is not None
        try:
            async with asyncio.timeout(self.timeout_s):
                try:
                    return await self._exchange(method, path, content)
                except (OSError, asyncio.IncompleteReadError, EOFError):
                    self.close()
                    # As browsers do: a kept connection that was closed before one byte of a reply came is replaced.
                    if not was_kept:
                        raise
                    return await self._exchange(method, path, content)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.close()
            raise LostError(type(error).__name__) from None

    async def _exchange(self, method: str, path: str, content: bytes) -> Reply:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.reader, self.writer
        writer.write(self._head(method, path, len(content)) + content)
        await writer.drain()
        status, headers = await self._read_head(reader)
        if headers.get("transfer-encoding") == "chunked":
            received = await _read_chunks(reader)
        else:
            received = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.close()
        return Reply(status, headers, received)

    def _head(self, method: str, path: str, length: int) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", f"Content-Length: {length}"]
        if length:
            lines.append("Content-Type: application/json")
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def _read_head(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
        first = await reader.readline()
        if not first:
            raise EOFError
        status, headers = int(first.split()[1]), {}
        while (line := await reader.readline()) not in {b"\r\n", b""}:
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() == "set-cookie":
                cookie, _, content = value.strip().partition(";")[0].partition("=")
                self.cookies[cookie] = content
            else:
                headers[name.lower()] = value.strip()
        return status, headers

    def close(self) -> None:
        """Let the connection go."""
        if self.writer is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self.writer.close()
        self.reader = self.writer = None


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)
