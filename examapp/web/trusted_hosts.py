"""The name that a request asks for: one that cannot be read, or is not the site's, is refused before the program; no link is made of it where the site's is known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import current_app, request, url_for

from examapp.errors import BadRequestError
from examapp.security.concurrency_limiter import WSGIApp

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")


_OF_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""What watches the site asks under whatever name it has for the machine."""


class Hosts:
    """A WSGI application that answers a plain 400 to a Host header that names no host or, where SITE_URL is set, another one.

    Without a header (HTTP/1.0) the server's own name stands. The machine asks itself as it likes, and so do probes.
    """

    def __init__(self, app: WSGIApp, *, site_url: str = "") -> None:
        self._app = app
        self._names = {find_name(urlsplit(site_url).netloc), *_OF_THIS_MACHINE} if site_url else None
        self._site_url = site_url

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Ask the program only under a name that is the site's."""
        host, path = environ.get("HTTP_HOST"), str(environ.get("PATH_INFO", ""))
        if host is None:
            return self._app(environ, start_response)
        name = find_name(host)
        if name is None:
            return _refuse(BadRequestError.message, path, start_response)
        if self._names is not None and name not in self._names and path not in _PROBES:
            return _refuse(f"请从本站的地址进入：{self._site_url}", path, start_response)
        return self._app(environ, start_response)


def site_url() -> str:
    """Give the address of the site without a `/` at its end: the setting SITE_URL, else where this page was asked for."""
    return (str(current_app.config["SETTINGS"].site_url) or request.host_url).rstrip("/")


def address_of(endpoint: str) -> str:
    """Give the whole address of a page, for what leaves the browser: paper, and another house's way back."""
    return site_url() + url_for(endpoint)


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


def own_path(address: str) -> str:
    """Leave out the host that a request claimed: the browser knows where it is."""
    parts = urlsplit(address)
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, ""))


def _refuse(message: str, path: str, start_response: Any) -> list[bytes]:
    is_api = path.startswith("/api/")
    told = {"error": BadRequestError.code, "message": message}
    body = (json.dumps(told, ensure_ascii=False) if is_api else message).encode()
    kind = "application/json" if is_api else "text/plain; charset=utf-8"
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start_response("400 Bad Request", headers)
    return [body]
