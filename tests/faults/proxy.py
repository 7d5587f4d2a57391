"""The fault proxy: stands between a client and a server on 127.0.0.1 and delays, cuts, resets, or silently drops what passes."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Self

_SAVE = re.compile(rb"PUT /api/v1/attempts/\d+/answers ")
_HAND_IN = re.compile(rb"POST /api/v1/attempts/(\d+)/submission ")
_LINGER_NOTHING = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Faults:
    """What the proxy does; changed while it runs."""

    lost_replies: float = 0.0
    """Share of saves whose request is forwarded and whose reply is cut."""
    lose_first_receipts: bool = False
    """Whether the reply to each attempt's first hand-in is cut."""
    delay_s: tuple[float, float] = (0.0, 0.0)
    resets: float = 0.0
    """Share of requests whose connection is reset before they are forwarded."""
    stalls: float = 0.0
    """Share of replies that stall for five seconds."""
    bytes_per_second: int = 0
    is_silent: bool = False
    """Drop all bytes of both directions without closing anything: half-open."""


@dataclass(slots=True)
class Proxy:
    """A proxy in a thread of its own; `port` is where it listens, the target is a port or a Unix socket."""

    target: int | str
    seed: int = 1
    faults: Faults = field(default_factory=Faults)
    port: int = 0
    cut: int = 0
    """Replies cut so far."""
    _handed_in: set[bytes] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _rng: random.Random = field(default_factory=random.Random)

    def __enter__(self) -> Self:
        self._rng = random.Random(self.seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(5)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._thread is not None
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._tasks.add(asyncio.create_task(_keep(server)))

    async def _shut(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = _Connection(self, reader, writer)
        try:
            await connection.run()
        except asyncio.CancelledError:
            pass
        finally:
            connection.reset()
            self._tasks.discard(task)

    def dooms(self, chunk: bytes) -> bool:
        """Tell whether the reply to what begins in this chunk is to be cut."""
        if found := _HAND_IN.match(chunk):
            is_first = found[1] not in self._handed_in
            self._handed_in.add(found[1])
            return is_first and self.faults.lose_first_receipts
        return bool(_SAVE.match(chunk)) and self._rng.random() < self.faults.lost_replies

    def chance(self, share: float) -> bool:
        return share > 0 and self._rng.random() < share

    async def pause(self, size: int) -> None:
        """Wait as long as the network would."""
        low, high = self.faults.delay_s
        wait = self._rng.uniform(low, high) if high else 0.0
        if self.faults.bytes_per_second:
            wait += size / self.faults.bytes_per_second
        if self.chance(self.faults.stalls):
            wait += 5.0
        if wait:
            await asyncio.sleep(wait)


class _Connection:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.proxy, self.reader, self.writer = proxy, reader, writer
        self.upstream: asyncio.StreamWriter | None = None
        self.is_doomed = False

    async def run(self) -> None:
        target = self.proxy.target
        try:
            opening = (
                asyncio.open_unix_connection(target)
                if isinstance(target, str)
                else asyncio.open_connection("127.0.0.1", target)
            )
            answers, self.upstream = await opening
        except OSError:
            return
        ways = [asyncio.create_task(self._forth()), asyncio.create_task(self._back(answers))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _forth(self) -> None:
        assert self.upstream is not None
        while chunk := await self.reader.read(65536):
            if self.proxy.faults.is_silent:
                continue
            if self.proxy.chance(self.proxy.faults.resets):
                return
            self.is_doomed = self.is_doomed or self.proxy.dooms(chunk)
            await self.proxy.pause(len(chunk))
            self.upstream.write(chunk)
            await self.upstream.drain()

    async def _back(self, answers: asyncio.StreamReader) -> None:
        while chunk := await answers.read(65536):
            if self.proxy.faults.is_silent:
                continue
            if self.is_doomed:
                self.proxy.cut += 1
                return
            await self.proxy.pause(len(chunk))
            self.writer.write(chunk)
            await self.writer.drain()

    def reset(self) -> None:
        """Close the client's side with a reset, the server's side in order."""
        client = self.writer.get_extra_info("socket")
        if client is not None:
            with contextlib.suppress(OSError):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
        self.writer.close()
        if self.upstream is not None:
            self.upstream.close()


async def _keep(server: asyncio.Server) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        server.close()
