"""Draw questions for a person."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from examapp.attempts.queries import is_sitting
from examapp.core.errors import SittingNowError
from examapp.questions.models import QuestionVersion
from examapp.training.models import PracticeItem
from examapp.training.queries.mistakes import count_due, pick_cards
from examapp.training.queries.practice import pick_questions
from examapp.training.rules import NothingToPractiseError, Wanted, drawable_parts, option_order

_RNG = random.SystemRandom()


def draw_practice(session: Session, *, person_id: int, wanted: Wanted, now: datetime) -> PracticeItem:
    """Draw the next question of a practice; what was drawn before and not answered is dropped.

    Raises NothingToPractiseError, and SittingNowError while the person sits an exam that counts.
    """
    refuse_while_sitting(session, person_id, now=now)
    drop_open_items(session, person_id)
    parts = None
    if wanted.is_mistakes:
        rows = pick_cards(session, person_id, now=now, is_ahead=wanted.is_ahead)
        parts = {row.id: row.part for row in rows}
    else:
        rows = pick_questions(session, person_id, wanted, count=1)
    if not rows:
        raise NothingToPractiseError(_why_no_card(session, person_id, now) if wanted.is_mistakes else None)
    (item,) = add_items(session, rows, person_id=person_id, now=now, parts=parts)
    item.wanted = wanted.as_json()
    session.flush()
    return item


def _why_no_card(session: Session, person_id: int, now: datetime) -> str:
    left = count_due(session, person_id, now=now)
    if left:
        return f"还有 {left} 题现在不能练（已停用，或和即将举行的考试重合），考试结束后自动恢复。"
    return "今天该复习的错题都练完了。"


def drop_open_items(session: Session, person_id: int) -> None:
    """Drop what was drawn for practice before and not answered."""
    session.execute(
        delete(PracticeItem).where(
            PracticeItem.person_id == person_id, PracticeItem.run_id.is_(None), PracticeItem.answered_at.is_(None)
        )
    )


def refuse_while_sitting(session: Session, person_id: int, *, now: datetime) -> None:
    """Raise SittingNowError while the person sits an exam that counts."""
    if is_sitting(session, person_id, now=now):
        raise SittingNowError


def add_items(
    session: Session,
    rows: Sequence[Any],
    *,
    person_id: int,
    now: datetime,
    run_id: int | None = None,
    parts: dict[int, int] | None = None,
) -> list[PracticeItem]:
    """Keep drawn questions for a person, one part of each with its options shuffled; their versions no longer change."""
    version_ids = [row.version_id for row in rows]
    session.execute(
        update(QuestionVersion)
        .where(QuestionVersion.id.in_(version_ids), QuestionVersion.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    items = []
    for row in rows:
        possible = drawable_parts(row.content)
        wished = (parts or {}).get(row.id)
        part = wished if wished in possible else _RNG.choice(possible)
        order = option_order(row.content["parts"][part], _RNG)
        items.append(
            PracticeItem(
                person_id=person_id,
                question_id=row.id,
                question_version_id=row.version_id,
                part=part,
                order=order,
                run_id=run_id,
                wanted={},
                drawn_at=now,
                response=[],
            )
        )
    session.add_all(items)
    session.flush()
    return items
