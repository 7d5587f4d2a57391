"""Draw a question, and grade the one answer that it takes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from examapp.attempts.queries import is_sitting
from examapp.core.errors import DomainError, NotFoundError
from examapp.exams.models import ScoringRule
from examapp.grading.rules import score_item
from examapp.questions.models import QuestionVersion
from examapp.training.models import PracticeItem
from examapp.training.queries.mistakes import mistake_book
from examapp.training.queries.practice import ONE_POINT, item_key, pick_questions
from examapp.training.rules import NothingToPractiseError, Wanted, drawable_parts, option_order, read_response

_RNG = random.SystemRandom()


class SittingNowError(DomainError):
    """Practice shows keys, so it rests while the person sits an exam."""

    code = "sitting_now"
    message = "您正在考试，练习暂时不能使用。请交卷后再来。"


def draw_practice(session: Session, *, person_id: int, wanted: Wanted, now: datetime) -> PracticeItem:
    """Draw the next question of a practice; what was drawn before and not answered is dropped.

    Raises NothingToPractiseError, and SittingNowError while the person sits an exam.
    """
    refuse_while_sitting(session, person_id, now=now)
    session.execute(
        delete(PracticeItem).where(
            PracticeItem.person_id == person_id, PracticeItem.run_id.is_(None), PracticeItem.answered_at.is_(None)
        )
    )
    among = parts = None
    if wanted.is_mistakes:
        parts = {mistake.question_id: mistake.part for mistake in mistake_book(session, person_id, now=now)}
        among = parts.keys()
    rows = pick_questions(session, person_id, wanted, count=1, among=among)
    if not rows:
        raise NothingToPractiseError("错题本里没有可以再练的题目。" if wanted.is_mistakes else None)
    (item,) = add_items(session, rows, person_id=person_id, now=now, parts=parts)
    item.wanted = wanted.as_json()
    session.flush()
    return item


def refuse_while_sitting(session: Session, person_id: int, *, now: datetime) -> None:
    """Raise SittingNowError while the person has an exam under way."""
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


def answer_item(
    session: Session, *, item_id: int, person_id: int, raw: Sequence[str], now: datetime
) -> tuple[PracticeItem, bool]:
    """Grade the answer to a drawn question; gives the item, and whether this answer was the one that counts.

    Only the first answer counts: a second one, or the same again, changes nothing. Raises NotFoundError, AnswerRefusedError, SittingNowError.
    """
    item = session.scalars(
        select(PracticeItem)
        .where(PracticeItem.id == item_id, PracticeItem.person_id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if item is None:
        raise NotFoundError("这道题已经换过，请回到练习重新抽题。")
    if item.answered_at is not None:
        return item, False
    refuse_while_sitting(session, person_id, now=now)
    content = session.execute(
        select(QuestionVersion.content).where(QuestionVersion.id == item.question_version_id)
    ).scalar_one()
    part = content["parts"][item.part]
    response = read_response(part, raw)
    key = item_key(session, item, part)
    points = score_item(key, response, rule=ScoringRule.ALL_OR_NOTHING)
    item.response, item.is_right, item.answered_at = response, points == ONE_POINT, now
    session.flush()
    return item, True
