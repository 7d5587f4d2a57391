"""What every page has in common: security headers, compression, times and marks as people read them, asset addresses."""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Flask, Response, g, request
from markupsafe import Markup
from werkzeug.routing import IntegerConverter, Map

from examapp import clock, points
from examapp.documents.html import clean_html
from examapp.security.concurrency_limiter import ARRIVED_AT, WSGIApp
from examapp.web.query_encryption import encrypt_query_param
from question_bank.kinds.registry import find_kind

_COMPRESS_FROM_BYTES = 600
_COMPRESSIBLE = ("text/", "application/json", "image/svg+xml")
_HSTS = "max-age=31536000"
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), bluetooth=(), display-capture=()",
}
_CSP = (
    "default-src 'none'; script-src 'self'NONCE; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'; worker-src 'self'"
)
_NONCE = "examapp.csp_nonce"
"""In a request's environment: the nonce that its page has asked for."""


class SecurityHeaders:
    """A WSGI application whose every answer says how a browser is to treat it, where it does not say so itself.

    Here and not in a hook of Flask's, which checks and copies each header again: a tenth of a save's time.
    """

    def __init__(self, app: WSGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = [*_HEADERS.items(), *([("Strict-Transport-Security", _HSTS)] if is_https else ())]
        self._usual = [*self._headers, ("Content-Security-Policy", _CSP.replace("NONCE", ""))]
        self._names = frozenset(name.lower() for name, _ in self._usual)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Add the headers to what the program answers."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            said = self._names.intersection([name.lower() for name, _ in headers])
            nonce = environ.get(_NONCE)
            added = self._usual if nonce is None else [*self._headers, ("Content-Security-Policy", _with_nonce(nonce))]
            headers += [header for header in added if header[0].lower() not in said] if said else added
            return start_response(status, headers, *rest)

        return self._app(environ, start)


class HeadAsGet:
    """A WSGI application that answers HEAD as GET without the body: many views take what is no GET for the submission of their form."""

    def __init__(self, app: WSGIApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Run the request; drop the body of the answer if the method was HEAD."""
        is_head = environ.get("REQUEST_METHOD") == "HEAD"
        if is_head:
            environ["REQUEST_METHOD"] = "GET"
        body = self._app(environ, start_response)
        if not is_head:
            return body
        if close := getattr(body, "close", None):
            close()
        return []


def _with_nonce(nonce: str) -> str:
    return _CSP.replace("NONCE", f" 'nonce-{nonce}'", 1)


class _Id(IntegerConverter):
    """A row's number in an address: what the database cannot hold is not found."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


@dataclass(frozen=True, slots=True)
class SiteTexts:
    """How the site and its office are called on pages and papers, and which telephone helps."""

    site_name: str
    organisation: str
    help_line: str


def show_site_texts(app: Flask, texts: SiteTexts) -> None:
    """Let pages and papers of this process say these texts from now on."""
    app.extensions["site_texts"] = texts
    app.jinja_env.globals.update(asdict(texts))


def init_pages(app: Flask, *, asset_version: str) -> None:
    """Hang filters, context and response hooks into the application."""
    app.jinja_env.filters.update(
        instant=instant,
        day=day,
        iso_date=iso_date,
        minutes=minutes,
        points=points.for_people,
        percent=percent,
        rich=rich,
    )
    app.jinja_env.globals.update(
        asset=lambda name: f"/static/{asset_version}/{name}",
        csp_nonce=csp_nonce,
        now=clock.now,
        encrypt_query_param=encrypt_query_param,
        question_kind=find_kind,
        remaining=remaining_time_label,
        site_texts=lambda: app.extensions[
            "site_texts"
        ],  # for macros, which keep a global as it was when they were read
    )
    settings = app.config["SETTINGS"]
    show_site_texts(app, SiteTexts(settings.site_name, settings.organisation, settings.help_line))
    app.url_map.converters["int"] = _Id
    app.before_request(_note_arrival)
    app.after_request(_compressed)


def csp_nonce() -> str:
    """Give this response's nonce for its own script elements."""
    return str(request.environ.setdefault(_NONCE, secrets.token_urlsafe(16)))


def instant(value: datetime | None) -> str:
    """Write an instant as `2026年11月24日 13:05`."""
    return "–" if value is None else f"{clock.local(value):%Y年%-m月%-d日 %H:%M}"


def day(value: datetime | None) -> str:
    """Write the day of an instant as `11月24日`."""
    return "–" if value is None else f"{clock.local(value):%-m月%-d日}"


def iso_date(value: datetime | None) -> str:
    """Write the day of an instant as `2026-11-24`, for the columns of tables."""
    return "–" if value is None else f"{clock.local(value):%Y-%m-%d}"


def remaining_time_label(until: datetime, *, now: datetime) -> str:
    """Say how long something still lasts: `还有 12 天`, `还有 11 小时`, `还有 1 小时 57 分钟`, `还有 20 分钟`."""
    seconds = int((until - now).total_seconds())
    days = (clock.day_of(until) - clock.day_of(now)).days
    if seconds <= 0:
        return "已截止"
    if days >= 2:
        return f"还有 {days} 天"
    hours, minutes = divmod(max(1, seconds // 60), 60)
    if hours >= 10 or (hours and not minutes):
        return f"还有 {hours} 小时"
    return f"还有 {hours} 小时 {minutes} 分钟" if hours else f"还有 {minutes} 分钟"


def minutes(seconds: int | None) -> str:
    """Write a duration in minutes."""
    return "–" if seconds is None else f"{seconds // 60} 分钟"


def percent(value: Decimal | None) -> str:
    """Write a rate with its two places, as the files and the API have it, so that a column lines up."""
    return "–" if value is None else f"{points.round_points(value)}%"


def rich(fragment: str | None) -> Markup:
    """Show an HTML fragment that people wrote: cleaned once more on output, whatever the database holds."""
    return Markup(clean_html(fragment or "", may_fold=True))  # noqa: S704 – this is the one place, and it cleans


def _note_arrival() -> None:
    g.arrived_at = request.environ.get(ARRIVED_AT) or clock.now()


def _compressed(response: Response) -> Response:
    if (
        response.direct_passthrough
        or response.is_streamed
        or (response.content_length or _COMPRESS_FROM_BYTES) < _COMPRESS_FROM_BYTES
        or "Content-Encoding" in response.headers
        or "gzip" not in request.headers.get("Accept-Encoding", "")
        or not response.content_type.startswith(_COMPRESSIBLE)
        or len(response.get_data()) < _COMPRESS_FROM_BYTES
    ):
        return response
    response.set_data(gzip.compress(response.get_data(), compresslevel=5))
    response.headers["Content-Encoding"] = "gzip"
    response.headers.add("Vary", "Accept-Encoding")
    return response
