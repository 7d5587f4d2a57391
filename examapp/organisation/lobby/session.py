"""When a browser may send its password: its appointment, kept in its signed cookie, and its place in the lobby until then (decision 0074)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import current_app, request, session

from examapp import clock
from examapp.organisation.accounts.guards import hasher
from examapp.organisation.captcha.rules import office_of
from examapp.security.password_hashing import Priority

_COME_AT = "come_at"
"""Where the cookie says when this browser was told to come again (a Unix time): it goes before newcomers then."""
_PROMISED_AT = "promised_at"
"""Where it says by when its turn was promised."""
_EARLY_S, _APPOINTMENT_LIFE_S = 1, 120
_SOON_S = 2
_MAX_LOOK_S = 30
_LONGEST_LOBBY_S = 600.0
_LONGEST_RETRY_S = 60
"""What a client that does not know the lobby is told to wait at most."""


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
        return min(self.wait_s, _MAX_LOOK_S)

    @property
    def text(self) -> str:
        """Say it in words."""
        wait = f"{self.wait_s} 秒" if self.wait_s <= 90 else f"{-(-self.wait_s // 60)} 分钟"
        return f"您排在第 {self.place} 位左右，大约 {wait}后轮到您，最迟 {clock.local(self.promised_at):%H:%M:%S}。"


def promised_wait_s(wait_s: float) -> float:
    """Give within how many seconds a turn is promised: a quarter more than expected, since saves go before, and twenty seconds."""
    return 1.25 * wait_s + 20


def office() -> str:
    """Give the address, as sign-ins are counted by it."""
    return office_of(request.remote_addr)


def priority(*, is_known_device: bool) -> Priority:
    """Give how much of the queue this browser may use now."""
    if is_known_device:
        return Priority.KNOWN_DEVICE
    return Priority.RETURNING if _has_come(_left_s()) else Priority.NEWCOMER


def make_appointment(*, is_known_device: bool) -> int:
    """Give the seconds after which this browser, whose password found no place, is to come again, and keep the time in its cookie.

    Who comes too early is told the same time again; whose time has come, or whose device is known, does not go to the end of the line.
    """
    left = _left_s()
    if left > _EARLY_S:
        return min(math.ceil(left), _LONGEST_RETRY_S)
    has_waited = priority(is_known_device=is_known_device) is not Priority.NEWCOMER
    wait_s = _SOON_S if has_waited else hasher().retries.next_retry_s(office())
    session[_COME_AT] = _now() + wait_s
    return wait_s


def find_turn(*, is_known_device: bool) -> Turn | None:
    """Give this browser's place in the lobby, None where its password may be sent now; a first look takes a place, and costs no statement.

    A thread that has no hash to compute takes anybody, so what others reserve and do not use is not lost. Known devices have a line of their own,
    which no newcomer lengthens.
    """
    left, line = _left_s(), f"{office()} {'known' if is_known_device else 'lobby'}"
    is_waiting, has_come = left > _EARLY_S, _has_come(left)
    has_room = hasher().queue.has_room(office(), priority(is_known_device=is_known_device))
    is_next = has_come or not (is_waiting or hasher().retries.has_line(line))
    has_free_thread = hasher().queue.taken < hasher().max_concurrent
    if has_free_thread or (has_room and is_next):
        return None
    if not is_waiting:
        left = _SOON_S if has_come else hasher().retries.next_retry_s(line, max_wait_s=_LONGEST_LOBBY_S)
        session[_COME_AT] = _now() + left
        if not has_come:
            session[_PROMISED_AT] = _now() + promised_wait_s(left)
    promised_at = max(session.get(_PROMISED_AT, 0.0), _now() + left)
    ahead = hasher().queue.taken + max(0.0, left - _SOON_S) * hasher().retries.rate()
    return Turn(
        place=round(ahead * current_app.config["SETTINGS"].web_workers) + 1,
        wait_s=math.ceil(left),
        promised_at=datetime.fromtimestamp(promised_at, UTC),
    )


def _now() -> float:
    return clock.now().timestamp()


def _left_s() -> float:
    return float(session.get(_COME_AT, -math.inf)) - _now()


def _has_come(left_s: float) -> bool:
    return -_APPOINTMENT_LIFE_S <= left_s <= _EARLY_S
