"""Host names: a request with an unreadable or foreign Host header is rejected before the application; absolute addresses use SITE_URL if it is set."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import current_app, request, url_for
from werkzeug.wrappers import Response

from examapp.errors import BadRequestError
from examapp.security.concurrency_limiter import WSGIApp

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Monitoring may ask for these under any name of the machine."""


class TrustedHosts:
    """A WSGI middleware that answers 400 to a Host header that is no host name or, if SITE_URL is set, names another site.

    A request without the header (HTTP/1.0) passes. Flask's TRUSTED_HOSTS does not do this: decision 0037.
    """

    def __init__(self, app: WSGIApp, *, site_url: str = "") -> None:
        self._app = app
        self._names = {find_name(urlsplit(site_url).netloc), *_LOCAL_NAMES} if site_url else None
        self._site_url = site_url

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass the request on, or reject it."""
        host, path = environ.get("HTTP_HOST"), str(environ.get("PATH_INFO", ""))
        if host is None:
            return self._app(environ, start_response)
        name = find_name(host)
        if name is None:
            return _reject(BadRequestError.message, path)(environ, start_response)
        if self._names is not None and name not in self._names and path not in _PROBES:
            return _reject(f"请从本站的地址进入：{self._site_url}", path)(environ, start_response)
        return self._app(environ, start_response)


def site_url() -> str:
    """Return the address of the site without a `/` at its end: the setting SITE_URL, else the address of this request."""
    return (str(current_app.config["SETTINGS"].site_url) or request.host_url).rstrip("/")


def address_of(endpoint: str, **values: Any) -> str:
    """Return the absolute address of a page, for print and for the identity provider."""
    return site_url() + url_for(endpoint, **values)


@lru_cache(maxsize=256)
def find_name(host: str) -> str | None:
    """Find the name in a Host header, in lower case and without its port; None if it is no host name (RFC 3490, RFC 3986 3.2.2)."""
    if not _HOST.fullmatch(host):
        return None
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
        return name.encode("idna").decode("idna").rstrip(".") or None
    except ValueError:  # UnicodeError is one
        return None


def own_path(address: str) -> str:
    """Remove the host from an address: the browser knows it, and the request may have claimed another."""
    parts = urlsplit(address)
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, ""))


def _reject(message: str, path: str) -> Response:
    headers = {"Cache-Control": "no-store"}
    if path.startswith("/api/"):
        body = json.dumps({"error": BadRequestError.code, "message": message}, ensure_ascii=False)
        return Response(body, 400, headers, content_type="application/json")
    return Response(message, 400, headers, content_type="text/plain; charset=utf-8")
