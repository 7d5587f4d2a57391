"""When a question comes back: the FSRS model of forgetting (the `fsrs` package), in whole days of the county."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from fsrs import Card, Rating, Scheduler, State

from examapp.clock import day_of, from_local

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


def after_answer(before: Memory | None, *, is_right: bool, is_unsure: bool, at: datetime) -> Memory | None:
    """Give what a card becomes by an answer; None for one that was never wrong nor unsure: it does not come back."""
    if before is None and is_right and not is_unsure:
        return None
    return review(before, rating_of(is_right=is_right, is_unsure=is_unsure), at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAnswer:
    """An answer to a part of a question, in practice or in an exam."""

    at: datetime
    known_at: datetime
    """When the card learned of it: at once in practice, after the release of the keys for an exam."""
    is_right: bool
    is_unsure: bool
    item_id: int | None = None
    exam_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A card as its answers make it."""

    last: PartAnswer
    lapses: int
    memory: Memory | None


def remember(answers: Iterable[PartAnswer]) -> Remembered | None:
    """Make a card of all its answers in the order in which they became known; one given before a later known one changes nothing."""
    card: Remembered | None = None
    for answer in sorted(answers, key=lambda answer: (answer.known_at, answer.at, answer.item_id or 0)):
        if card is not None and answer.at < card.last.at:
            continue
        memory = after_answer(
            card.memory if card else None, is_right=answer.is_right, is_unsure=answer.is_unsure, at=answer.at
        )
        lapses = (card.lapses if card else 0) + (not answer.is_right)
        card = Remembered(last=answer, lapses=lapses, memory=memory)
    return card
