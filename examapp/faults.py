"""Guarantees broken on purpose, one at a time, to prove that the fault drills can go red (`make sabotage`); a production start refuses.

Every switch is one `is_broken(…)` beside the line that gives the guarantee.
"""

from __future__ import annotations

from enum import StrEnum

from redis import Redis

from examapp.config import Settings


class Invariant(StrEnum):
    """What the setting SABOTAGE can take away."""

    SYNCHRONOUS_COMMIT = "S1"
    FSYNC = "S2"
    COMMIT_BEFORE_REPLY = "S3"
    NEWER_ANSWER_WINS = "S4"
    ONE_SUBMISSION = "S5"
    WORK_IN_THE_SAME_COMMIT = "S6"
    SWEEPER = "S7"
    SAVED_ONLY_WHEN_ACKNOWLEDGED = "S8"
    FORCED_CLOSE_KEEPS_ANSWERS = "S9"
    TRIES_IN_POSTGRESQL = "S10"
    SESSIONS_IN_POSTGRESQL = "S11"
    TIME_OF_THE_SERVER = "S12"
    SPEED = "slow"
    """Every request waits a second, so that a rehearsal must end in no-go."""


_broken: set[Invariant] = set()
_redis: list[Redis] = []


def arm(settings: Settings) -> None:
    """Break the guarantee that the settings name, if any; raises ValueError for an unknown name."""
    _broken.clear()
    if settings.sabotage:
        _broken.add(Invariant(settings.sabotage))
        _redis[:] = [Redis.from_url(settings.redis_url, socket_timeout=1)]


def is_any_disabled() -> bool:
    """Tell whether any guarantee is broken on purpose."""
    return bool(_broken)


def is_disabled(guarantee: Invariant) -> bool:
    """Tell whether a guarantee is broken on purpose; never so in production."""
    return guarantee in _broken


def count_in_redis(name: str) -> int:
    """Count one more of something where nothing is durable (S10)."""
    return int(_redis[0].incr(f"sabotage:{name}"))


def remember_in_redis(name: str) -> None:
    """Remember something where nothing is durable (S11)."""
    _redis[0].set(f"sabotage:{name}", 1)


def is_in_redis(name: str) -> bool:
    """Tell whether it is still remembered."""
    return bool(_redis[0].exists(f"sabotage:{name}"))
