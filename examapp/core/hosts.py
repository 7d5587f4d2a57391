"""The name that a request asks for: one that cannot be read is refused before the program is asked, for no page could be written under it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from examapp.core.errors import BadRequestError

WSGIApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")


class Hosts:
    """A WSGI application that answers a plain 400 to a Host header that names no host. Without one (HTTP/1.0) the server's own name stands."""

    def __init__(self, app: WSGIApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Ask the program only under a name that can be read."""
        if (host := environ.get("HTTP_HOST")) is not None and find_name(host) is None:
            return _refuse(str(environ.get("PATH_INFO", "")), start_response)
        return self._app(environ, start_response)


@lru_cache(maxsize=256)
def find_name(host: str) -> str | None:
    """Find the name in a Host header, without its port and in small letters; None where it cannot be read (RFC 3490, RFC 3986 3.2.2)."""
    if not _HOST.fullmatch(host):
        return None
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
        return name.encode("idna").decode("idna").rstrip(".") or None
    except ValueError:  # UnicodeError is one
        return None


def _refuse(path: str, start_response: Any) -> list[bytes]:
    is_api = path.startswith("/api/")
    told = {"error": BadRequestError.code, "message": BadRequestError.message}
    body = (json.dumps(told, ensure_ascii=False) if is_api else BadRequestError.message).encode()
    kind = "application/json" if is_api else "text/plain; charset=utf-8"
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start_response("400 Bad Request", headers)
    return [body]
