"""Operators of messages as servers of the test: they answer what they are told, keep what they were sent, and misbehave as told."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Exchange:
    """A request as the operator received it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)


@dataclass
class Operator:
    """A running operator: `answers` are taken one a request, the last one stays; each is (status, JSON) or a function of the exchange."""

    url: str = ""
    answers: list[Any] = field(default_factory=list)
    seen: list[Exchange] = field(default_factory=list)

    def answer(self, exchange: Exchange) -> tuple[int, bytes]:
        """Give status and body of the reply."""
        self.seen.append(exchange)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        status, content = found(exchange) if callable(found) else found
        return status, content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()


@contextmanager
def run_operator(*answers):
    """Run an operator over HTTP that answers so."""
    operator = Operator(answers=list(answers))

    class OperatorHandler(BaseHTTPRequestHandler):
        def do_POST(self):
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            exchange = Exchange(self.command, parts.path, query, dict(self.headers), body)
            status, content = operator.answer(exchange)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self):
            self.do_POST()

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), OperatorHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    operator.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield operator
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def half_open():
    """An address that takes connections and never answers: what a firewall that drops, or a hung operator, looks like."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def dripping(pause_s=0.02):
    """An operator that sends its reply a byte at a time and never ends."""
    has_ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
                while not has_ended.wait(pause_s):
                    try:
                        connection.sendall(b"{")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            has_ended.set()
            thread.join()
