"""What a browser brings back signed, opened once: a signature that held holds the next time too, and a sitting sends the same two a hundred times.

Only what the signatures say is remembered, never who is signed in: whether a sign-in lives is asked of the database at each request.
"""

from __future__ import annotations

import hmac
import threading
import time
from typing import Any, Generic, TypeVar

from flask import Flask, Request, Response, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_wtf.csrf import CSRFProtect, validate_csrf
from itsdangerous import BadSignature
from wtforms import ValidationError

_MAX = 16_384
"""About 1 kB each; the county's candidates, spread over two processes, are a quarter of them."""
_MAX_LENGTH = 2000
"""Of all cookies that a browser sends; a longer line is read anew each time, lest somebody fill the memory with them."""
_CSRF_HEADER, _CSRF_FIELD = "X-CSRFToken", "csrf_token"
_FLAT = (str, int, bool, type(None))

Found = TypeVar("Found")


class _Remembered(Generic[Found]):
    """So many findings by the signed words they were read from; the oldest is forgotten first."""

    def __init__(self) -> None:
        self._found: dict[str, Found] = {}
        self._lock = threading.Lock()

    def get(self, signed: str) -> Found | None:
        return self._found.get(signed)

    def keep(self, signed: str, found: Found) -> None:
        with self._lock:
            while len(self._found) >= _MAX:
                del self._found[next(iter(self._found))]
            self._found[signed] = found


class CachedSessionInterface(SecureCookieSessionInterface):
    """Flask's own signed cookies; those of a browser whose signature held are read from memory until they are too old."""

    def __init__(self) -> None:
        self._known: _Remembered[tuple[dict[str, Any], float]] = _Remembered()

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Give the session that the cookie holds, an empty one where its signature does not hold or is too old."""
        sent = str(request.environ.get("HTTP_COOKIE", ""))
        data, signed_at = self._known.get(sent) or self._read(app, sent, request.cookies.get(self.get_cookie_name(app)))
        is_old = time.time() - signed_at > app.permanent_session_lifetime.total_seconds()
        return self.session_class() if is_old else self.session_class(data)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie where something in it changed; where it was only read, say just that the answer hangs on it."""
        if session.modified or not session or self.should_set_cookie(app, session) or "Vary" in response.headers:
            super().save_session(app, session, response)
        elif session.accessed:
            response.headers["Vary"] = "Cookie"

    def _read(self, app: Flask, sent: str, signed: str | None) -> tuple[dict[str, Any], float]:
        serializer = self.get_signing_serializer(app)
        if serializer is None or not signed:
            return {}, 0
        try:
            data, signed_at = serializer.loads(signed, return_timestamp=True)
        except BadSignature:
            return {}, 0
        found = (data, signed_at.timestamp())
        is_flat = all(isinstance(value, _FLAT) for value in data.values())  # a list would be shared by the requests
        if is_flat and len(sent) <= _MAX_LENGTH:
            self._known.keep(sent, found)
        return found


def init_csrf(app: Flask) -> None:
    """Protect requests by Flask-WTF; a script's token that was verified before is compared with the session's without verifying it again."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    csrf, verified = CSRFProtect(app), _Remembered[str]()

    def is_verified(token: str) -> bool:
        mine, known = session.get(_CSRF_FIELD), verified.get(token)
        if not isinstance(mine, str):
            return False
        if known and hmac.compare_digest(known, mine):
            return True
        try:
            validate_csrf(token)
        except ValidationError:
            return False
        verified.keep(token, mine)
        return True

    @app.before_request
    def protect() -> None:
        if request.method in app.config["WTF_CSRF_METHODS"] and app.config["WTF_CSRF_ENABLED"]:
            token = request.headers.get(_CSRF_HEADER)
            if not (token and request.is_json and is_verified(token)):
                csrf.protect(apply_exemptions=True)
