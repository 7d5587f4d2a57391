"""When a question comes back: the FSRS model of forgetting (the `fsrs` package), in whole days of the county."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from fsrs import Card, Rating, Scheduler, State

from examapp.core.clock import day_of, from_local

__all__ = ["Memory", "Rating", "rating_of", "review"]

_SCHEDULER = Scheduler(learning_steps=(), relearning_steps=(), maximum_interval=365, enable_fuzzing=False)
"""Nine chances in ten that it is still known when it comes back; steps of whole days, so that nobody is called back the same day."""
_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is known of a card: stability in days, difficulty from 1 to 10, when it was last answered and when it comes back."""

    stability: Decimal
    difficulty: Decimal
    answered_at: datetime
    due_at: datetime


def rating_of(*, is_right: bool, is_unsure: bool) -> Rating:
    """Rate an answer: wrong, right but unsure, right."""
    if not is_right:
        return Rating.Again
    return Rating.Hard if is_unsure else Rating.Good


def review(memory: Memory | None, rating: Rating, *, at: datetime) -> Memory:
    """Give what a card becomes by an answer at an instant; `None` for a card that has not been scheduled before."""
    at = at.astimezone(UTC)
    card = Card(card_id=0)
    if memory is not None:
        card = Card(
            card_id=0,
            state=State.Review,
            stability=float(memory.stability),
            difficulty=float(memory.difficulty),
            due=memory.due_at.astimezone(UTC),
            last_review=min(memory.answered_at, at).astimezone(UTC),
        )
    after, _ = _SCHEDULER.review_card(card, rating, at)
    return Memory(
        stability=Decimal(str(after.stability)).quantize(_PLACES),
        difficulty=Decimal(str(after.difficulty)).quantize(_PLACES),
        answered_at=at,
        due_at=_morning(at, after.due - at),
    )


def _morning(at: datetime, wait: timedelta) -> datetime:
    """Give the beginning of the county's day on which a card comes back."""
    return from_local(datetime.combine(day_of(at) + timedelta(days=max(wait.days, 1)), time()))
