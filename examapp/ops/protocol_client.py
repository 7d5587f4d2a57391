"""Client of the delivery protocol over kept HTTP/1.1 connections, blocking or on an event loop, for rehearsals, benchmarks and drills."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import re
import socket
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_CSRF_TOKEN = re.compile(rb'name="csrf_token"[^>]*value="([^"]+)"')
_SET_COOKIE = re.compile(rb"(?i)\r\nset-cookie: ([^=;\r]+)=([^;\r]*)")
_CHUNK = 65536
Result = TypeVar("Result")


class LostReplyError(OSError):
    """No whole reply came: whether the server has acted is unknown."""


class UnexpectedReplyError(Exception):
    """A call was not answered as the protocol says."""

    def __init__(self, call: ProtocolCall, reply: Reply) -> None:
        super().__init__(f"{call.path}: {reply.status}")


@dataclass(frozen=True, slots=True)
class ProtocolCall:
    """One request."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = JSON

    @classmethod
    def with_json(cls, method: str, path: str, body: object = None) -> ProtocolCall:
        """Make a call with a JSON body; None sends no body."""
        return cls(method, path, b"" if body is None else json.dumps(body, ensure_ascii=False).encode())

    @classmethod
    def with_form(cls, path: str, fields: Mapping[str, str]) -> ProtocolCall:
        """Make a call that posts a form."""
        return cls("POST", path, urlencode(fields).encode(), _FORM)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply, and the seconds from the moment the request was to be sent."""

    status: int
    head: bytes
    body: bytes
    took_s: float

    @property
    def content(self) -> bytes:
        """Give the body, decompressed."""
        return gzip.decompress(self.body) if self.body[:2] == b"\x1f\x8b" else self.body

    def json(self) -> Any:
        """Read the body as JSON; None where it is empty."""
        return json.loads(self.content or b"null")

    def header(self, name: str) -> str:
        """Give a header, empty where it is not there."""
        match = re.search(rb"(?i)\r\n" + re.escape(name.encode()) + rb": *([^\r]+)", self.head)
        return match.group(1).decode("latin-1") if match else ""

    @property
    def retry_after_s(self) -> float:
        """Give the seconds after which the server wants to be asked again, 0 where it names none."""
        value = self.header("retry-after")
        return float(value) if value.isdigit() else 0.0


@dataclass(slots=True)
class Browser:
    """Cookies, CSRF token and further headers that one person's browser sends."""

    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Accept-Encoding": "gzip"})

    _lines: tuple[object, str] = ((), "")

    def encode(self, call: ProtocolCall, host: str) -> bytes:
        """Give the bytes of a request."""
        kind = f"Content-Type: {call.content_type}\r\n" if call.body else ""
        head = f"{call.method} {call.path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(call.body)}\r\n{kind}"
        return (head + self._header_lines()).encode("latin-1") + call.body

    def _header_lines(self) -> str:
        """Give the lines that are the same for every request, made once as long as nothing of them changes."""
        key = (self.csrf, tuple(self.cookies.items()), tuple(self.headers.items()))
        if self._lines[0] != key:
            sent = dict(self.headers)
            if self.cookies:
                sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            if self.csrf:
                sent["X-CSRFToken"] = self.csrf
            self._lines = (key, "".join(f"{name}: {value}\r\n" for name, value in sent.items()) + "\r\n")
        return self._lines[1]

    def store_cookies(self, head: bytes) -> None:
        """Keep the cookies that a reply sets."""
        for name, value in _SET_COOKIE.findall(head):
            self.cookies[name.decode()] = value.decode()


# The calls of the protocol


def start_attempt(exam_id: int) -> ProtocolCall:
    """Start the exam, or ask for the live attempt; answered 202 while admission is full."""
    return ProtocolCall("POST", f"/api/v1/exams/{exam_id}/attempts", b"{}")


def get_paper(attempt_id: int) -> ProtocolCall:
    """Fetch the paper."""
    return ProtocolCall("GET", f"/api/v1/attempts/{attempt_id}/paper")


def take_over(attempt_id: int) -> ProtocolCall:
    """Go on with the attempt on this device; the reply holds its epoch."""
    return ProtocolCall("POST", f"/api/v1/attempts/{attempt_id}/epoch")


def save_answers(attempt_id: int, epoch: int, changes: Sequence[Mapping[str, object]]) -> ProtocolCall:
    """Save answers: `{item, seq, response}` each."""
    return ProtocolCall.with_json("PUT", f"/api/v1/attempts/{attempt_id}/answers", {"epoch": epoch, "changes": changes})


def submit(attempt_id: int, epoch: int, answers: Sequence[Mapping[str, object]] = ()) -> ProtocolCall:
    """Hand in, with what may not have been saved."""
    return ProtocolCall.with_json(
        "POST", f"/api/v1/attempts/{attempt_id}/submission", {"epoch": epoch, "answers": answers}
    )


def next_choice(seq: int, items: int) -> dict[str, object]:
    """Give the change with this number of somebody who answers one item after the other."""
    return {"item": 1 + seq % items, "seq": seq, "response": ["AB"[seq % 2]]}


Steps = Generator[ProtocolCall, Reply, Result]
"""Calls that follow from one another, whoever sends them: each reply is sent back in."""


def sign_in(browser: Browser, login_name: str, password: str) -> Steps[None]:
    """Sign in with the form as a browser does, and learn the CSRF token. Raises UnexpectedReplyError."""
    call = ProtocolCall("GET", "/login")
    page = yield call
    token = _CSRF_TOKEN.search(page.content)
    if token is None:
        raise UnexpectedReplyError(call, page)
    fields = {"login_name": login_name, "password": password, "csrf_token": token.group(1).decode()}
    call = ProtocolCall.with_form("/login", fields)
    reply = yield call
    if reply.status != (200 if browser.headers.get("Accept") == JSON else 303):
        raise UnexpectedReplyError(call, reply)
    session = yield ProtocolCall("GET", "/api/v1/session")
    browser.csrf = session.json()["csrf_token"]


def perform(steps: Steps[Result], ask: Callable[[ProtocolCall], Reply]) -> Result:
    """Send the calls of some steps one after the other."""
    try:
        call = next(steps)
        while True:
            call = steps.send(ask(call))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return] # what a generator returns has no type here


# The wire


def _receive() -> Generator[None, bytes, tuple[bytes, bytes]]:
    """Take a reply's bytes as they come; returns head and body when both are whole."""
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += yield
    head, received = received[: end + 2], received[end + 4 :]
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at < 0 and b"transfer-encoding: chunked" in lower:
        return head, (yield from _receive_chunks(received))
    length = int(lower[at + 15 : lower.index(b"\r", at)]) if at >= 0 else 0
    while len(received) < length:
        received += yield
    return head, received


def _receive_chunks(received: bytes) -> Generator[None, bytes, bytes]:
    body = b""
    while True:
        while (end := received.find(b"\r\n")) < 0:
            received += yield
        size = int(received[:end].split(b";")[0], 16)
        while len(received) < end + 4 + size:
            received += yield
        if not size:
            return body
        body += received[end + 2 : end + 2 + size]
        received = received[end + 4 + size :]


def _reply_of(browser: Browser, received: tuple[bytes, bytes], began: float) -> Reply:
    head, body = received
    if b"ookie:" in head:
        browser.store_cookies(head)
    return Reply(int(head[9:12]), head, body, time.perf_counter() - began)


@dataclass(slots=True)
class Client:
    """One kept connection of a thread, with as little work for the caller as can be: a load generator must not be the limit."""

    port: int
    timeout_s: float = 30.0
    _socket: socket.socket | None = None

    def ask(self, call: ProtocolCall, browser: Browser) -> Reply:
        """Send a request and read the reply. Raises LostReplyError.

        A kept connection that the server has closed meanwhile is replaced once, as browsers do.
        """
        began, request = time.perf_counter(), browser.encode(call, f"127.0.0.1:{self.port}")
        if self._socket is not None:
            with contextlib.suppress(_ClosedMeanwhileError):
                return _reply_of(browser, self._exchange(self._socket, request), began)
        line = self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout_s)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _reply_of(browser, self._exchange(line, request), began)

    def _exchange(self, line: socket.socket, request: bytes) -> tuple[bytes, bytes]:
        reading, is_begun = _receive(), False
        next(reading)
        try:
            line.sendall(request)
            while received := line.recv(_CHUNK):
                is_begun = True
                reading.send(received)
        except StopIteration as end:
            if b"\r\nconnection: close" in end.value[0].lower():
                self.close()
            return end.value  # type: ignore[no-any-return] # as in perform
        except (OSError, ValueError) as error:
            self.close()
            raise _lost(error, is_begun=is_begun) from error
        self.close()
        raise _lost(EOFError(), is_begun=is_begun)

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None


class _ClosedMeanwhileError(LostReplyError):
    """The server closed the connection before one byte of a reply came."""


def _lost(error: Exception, *, is_begun: bool) -> LostReplyError:
    """Say what became of a call that has no whole reply; a server that is silent for too long may have acted on it."""
    is_closed = not is_begun and not isinstance(error, TimeoutError)
    return (_ClosedMeanwhileError if is_closed else LostReplyError)(type(error).__name__)


_Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class AsyncClient:
    """Kept connections of an event loop to one server; as many requests at a time as there are connections, as behind a proxy."""

    def __init__(self, port: int, *, connections: int = 1, timeout_s: float | None = None) -> None:
        self.port, self._timeout_s = port, timeout_s
        self._free: asyncio.LifoQueue[_Line | None] = asyncio.LifoQueue()
        self._open: set[asyncio.StreamWriter] = set()
        for _ in range(connections):
            self._free.put_nowait(None)

    async def ask(self, call: ProtocolCall, browser: Browser) -> Reply:
        """Send a request over a free connection and read the reply. Raises LostReplyError."""
        began, line = time.perf_counter(), await self._free.get()
        try:
            async with asyncio.timeout(self._timeout_s):
                request = browser.encode(call, f"127.0.0.1:{self.port}")
                if line is not None and line[1] in self._open:
                    with contextlib.suppress(_ClosedMeanwhileError):
                        return _reply_of(browser, await self._exchange(line, request), began)
                line = None
                line = await asyncio.open_connection("127.0.0.1", self.port)
                self._open.add(line[1])
                return _reply_of(browser, await self._exchange(line, request), began)
        except (OSError, TimeoutError) as error:
            raise error if isinstance(error, LostReplyError) else LostReplyError(type(error).__name__) from error
        finally:
            self._free.put_nowait(line)

    async def _exchange(self, line: _Line, request: bytes) -> tuple[bytes, bytes]:
        reading, is_begun, may_be_kept = _receive(), False, False
        next(reading)
        try:
            line[1].write(request)
            while received := await line[0].read(_CHUNK):
                is_begun = True
                reading.send(received)
        except StopIteration as end:
            may_be_kept = b"\r\nconnection: close" not in end.value[0].lower()
            return end.value  # type: ignore[no-any-return] # as in perform
        except (OSError, ValueError) as error:
            raise _lost(error, is_begun=is_begun) from error
        finally:
            if not may_be_kept:
                self._drop(line[1])
        raise _lost(EOFError(), is_begun=is_begun)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._open.discard(writer)
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()

    def close(self) -> None:
        """Close all connections; calls under way raise LostReplyError."""
        for writer in list(self._open):
            self._drop(writer)
