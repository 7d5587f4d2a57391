"""A browser's appointment, kept in its signed cookie, and its place in the lobby until then (decision 0074)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import current_app, request, session

from examapp import clock
from examapp.organisation.accounts.guards import hasher
from examapp.organisation.captcha.rules import office_of
from examapp.organisation.lobby import rules
from examapp.security.password_hashing import Priority

_COME_AT = "come_at"
"""Where the cookie says when this browser was told to come again (a Unix time): it goes before newcomers then."""
_PROMISED_AT = "promised_at"
"""Where it says by when its turn was promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A browser's place in the lobby."""

    place: int
    """Which of those who wait on this machine, about: every process has as many; 1 is the next."""
    wait_s: int
    """Seconds until the turn, by what the machine checks now."""
    promised_at: datetime
    """By when the turn has come, as it was said at the first look."""

    @property
    def look_s(self) -> int:
        """After how many seconds the page should look again: the turn comes earlier where others do not come."""
        return min(self.wait_s, rules.MAX_LOOK_S)

    @property
    def text(self) -> str:
        """Say it in words."""
        wait = f"{self.wait_s} 秒" if self.wait_s <= 90 else f"{-(-self.wait_s // 60)} 分钟"
        return f"您排在第 {self.place} 位左右，大约 {wait}后轮到您，最迟 {clock.local(self.promised_at):%H:%M:%S}。"


def office() -> str:
    """Give the address, as sign-ins are counted by it."""
    return office_of(request.remote_addr)


def priority(*, is_known_device: bool) -> Priority:
    """Give how much of the queue this browser may use now."""
    return _visitor(is_known_device=is_known_device).priority


def make_appointment(*, is_known_device: bool) -> int:
    """Give the seconds after which this browser, whose password found no place, is to come again, and keep the time in its cookie."""
    visitor = _visitor(is_known_device=is_known_device)
    wait_s = rules.retry_wait_s(visitor, hasher())
    if not visitor.is_waiting:
        session[_COME_AT] = _now() + wait_s
    return min(math.ceil(wait_s), rules.LONGEST_RETRY_S)


def find_turn(*, is_known_device: bool) -> Turn | None:
    """Give this browser's place in the lobby, None where its password may be sent now; a first look takes a place, and costs no statement."""
    visitor = _visitor(is_known_device=is_known_device)
    wait_s = rules.lobby_wait_s(visitor, hasher())
    if wait_s is None:
        return None
    if not visitor.is_waiting:
        session[_COME_AT] = _now() + wait_s
        if not visitor.has_come:
            session[_PROMISED_AT] = _now() + rules.promised_wait_s(wait_s)
    promised_at = max(session.get(_PROMISED_AT, 0.0), _now() + wait_s)
    ahead = hasher().queue.taken + max(0.0, wait_s - rules.SOON_S) * hasher().retries.rate()
    return Turn(
        place=round(ahead * current_app.config["SETTINGS"].web_workers) + 1,
        wait_s=math.ceil(wait_s),
        promised_at=datetime.fromtimestamp(promised_at, UTC),
    )


def _visitor(*, is_known_device: bool) -> rules.LobbyVisitor:
    left_s = float(session.get(_COME_AT, -math.inf)) - _now()
    return rules.LobbyVisitor(address=office(), left_s=left_s, is_known_device=is_known_device)


def _now() -> float:
    return clock.now().timestamp()
