"""What a password must be, when a sign-in must wait, and where it may lead."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

COOKIE_LIFE = timedelta(days=7)
"""How long a browser keeps a sign-in."""
SIGN_IN_LIFE = COOKIE_LIFE
"""How long the server takes a sign-in for alive, however often its cookie was written anew; only a running exam goes on."""
FIRST_PASSWORD_LENGTH = 10
FIRST_PASSWORD_CHARACTERS = "23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ".replace("o", "")
"""None of 0 o O 1 l I: people type first passwords from paper."""

MOST_FAILURES = 10
"""Wrong passwords within the window, after which unknown devices are kept out for a while."""
MOST_FAILURES_OF_A_KNOWN_DEVICE = 30
FAILURE_WINDOW = timedelta(minutes=15)
_DELAYS_S = {5: 5, 6: 10, 7: 20, 8: 40, 9: 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """The wrong passwords of one login name that still count."""

    count: int = 0
    first_at: datetime | None = None
    locked_until: datetime | None = None

    def after_another(self, *, now: datetime) -> Failures:
        """Count one more: from the fifth on a growing delay, at the tenth a lock as long as the window."""
        is_fresh = self.first_at is None or now - self.first_at >= FAILURE_WINDOW
        count = 1 if is_fresh else self.count + 1
        delay = FAILURE_WINDOW if count >= MOST_FAILURES else timedelta(seconds=_DELAYS_S.get(count, 0))
        return Failures(count=count, first_at=now if is_fresh else self.first_at, locked_until=now + delay)

    def wait_s(self, *, now: datetime, is_known_device: bool) -> int:
        """Give the seconds to wait before the next try, 0 where it may be made at once.

        A device that has signed in to this account before waits only after far more failures, so that a colleague's typing
        keeps nobody out of an exam.
        """
        if self.locked_until is None or self.locked_until <= now:
            return 0
        if is_known_device and self.count < MOST_FAILURES_OF_A_KNOWN_DEVICE:
            return 0
        return ceil((self.locked_until - now).total_seconds())


def digest(token: str) -> bytes:
    """Give the digest under which a sign-in's token is stored."""
    return hashlib.sha256(token.encode()).digest()


_LOGIN_NAME = re.compile(r"[^\x00-\x20\x7f-\xa0\ud800-\udfff]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def clean_login_name(typed: str) -> str | None:
    """Give a typed login name in its canonical width, None where no account can have it."""
    name = unicodedata.normalize("NFKC", typed[:200]).strip()
    return name if _LOGIN_NAME.fullmatch(name) else None


def safe_next(path: str | None) -> str:
    """Give where to go after signing in: an own page's path, else the home page."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path or _CONTROL.search(path):
        return "/"
    return "/" if path.split("?")[0] in {"/login", "/logout", "/password"} or path.startswith("/api/") else path
