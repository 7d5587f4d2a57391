"""Learn from exams once their keys are released: each wrong or unsure answer becomes a card, each unit's sums are added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.grading.queries.mistakes import GradedAnswers, list_graded_answers, list_released_exams
from examapp.questions.models import KnowledgePoint, Question, QuestionVersion, question_knowledge_points
from examapp.training.models import HarvestedAttempt, ReviewCard, UnitWeakness
from examapp.training.rules import Memory, rating_of, review

_BATCH = 200
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('training.harvest'))")


@dataclass(slots=True)
class _Subjects:
    """What the questions of a batch are about."""

    question_of: dict[int, int] = field(default_factory=dict)
    names_of: dict[int, list[tuple[str, str]]] = field(default_factory=dict)


def harvest_exams(session: Session, *, now: datetime) -> int:
    """Take up a batch of graded attempts of exams whose keys are out; gives how many. Safe to run twice and side by side."""
    session.execute(_LOCK)
    known = select(HarvestedAttempt.attempt_id)
    for exam_id in list_released_exams(session, known=known, now=now):
        if attempts := list_graded_answers(session, exam_id, known=known, most=_BATCH):
            _harvest(session, exam_id, attempts, now=now)
            return len(attempts)
    return 0


def _harvest(session: Session, exam_id: int, attempts: Sequence[GradedAnswers], *, now: datetime) -> None:
    subjects = _subjects(session, {version for attempt in attempts for version, *_ in attempt.items})
    _add_cards(session, exam_id, attempts, subjects)
    _add_weaknesses(session, exam_id, attempts, subjects)
    session.execute(
        insert(HarvestedAttempt), [{"attempt_id": attempt.attempt_id, "harvested_at": now} for attempt in attempts]
    )


def _subjects(session: Session, version_ids: Iterable[int]) -> _Subjects:
    found = _Subjects()
    rows = session.execute(
        select(QuestionVersion.id, Question.id, Question.law_name)
        .join(Question, QuestionVersion.question_id == Question.id)
        .where(QuestionVersion.id.in_(set(version_ids)))
    )
    for version_id, question_id, law in rows:
        found.question_of[version_id] = question_id
        found.names_of[question_id] = [("law", law)] if law else []
    table = question_knowledge_points
    points = session.execute(
        select(table.c.question_id, KnowledgePoint.name)
        .join(KnowledgePoint, table.c.knowledge_point_id == KnowledgePoint.id)
        .where(table.c.question_id.in_(found.names_of))
    )
    for question_id, name in points:
        found.names_of[question_id].append(("point", name))
    return found


def _add_cards(session: Session, exam_id: int, attempts: Sequence[GradedAnswers], subjects: _Subjects) -> None:
    people = {attempt.person_id for attempt in attempts}
    questions = set(subjects.question_of.values())
    cards = {
        (card.person_id, card.question_id, card.part): card
        for card in session.scalars(
            select(ReviewCard).where(
                ReviewCard.person_id.in_(people), ReviewCard.question_id.in_(questions), ReviewCard.due_at.is_not(None)
            )
        )
    }
    rows: dict[tuple[int, int, int], dict[str, Any]] = {}
    for attempt in attempts:
        for version_id, part, is_right, is_unsure in attempt.items:
            place = (attempt.person_id, subjects.question_of[version_id], part)
            before = _memory(rows.get(place), cards.get(place), attempt.submitted_at)
            rows[place] = _row(place, exam_id, attempt, before, is_right=is_right, is_unsure=is_unsure)
    if not rows:
        return
    statement = insert(ReviewCard)
    fresh = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["person_id", "question_id", "part"],
        set_={name: fresh[name] for name in ("is_right", "answered_at", "due_at", "stability", "difficulty", "item_id", "exam_id")}
        | {"lapses": ReviewCard.lapses + fresh.lapses},
        where=ReviewCard.answered_at <= fresh.answered_at,
    )  # fmt: skip
    session.execute(statement, list(rows.values()))


def _memory(row: dict[str, Any] | None, card: ReviewCard | None, at: datetime) -> Memory | None:
    """Give what was remembered before an answer: from this batch, else from the card where that is older."""
    if row is not None and row["due_at"] is not None:
        return Memory(**{name: row[name] for name in ("stability", "difficulty", "answered_at", "due_at")})
    if card is None or card.answered_at > at or card.due_at is None:
        return None
    if card.stability is None or card.difficulty is None:
        return None
    return Memory(
        stability=card.stability, difficulty=card.difficulty, answered_at=card.answered_at, due_at=card.due_at
    )


def _row(
    place: tuple[int, int, int],
    exam_id: int,
    attempt: GradedAnswers,
    before: Memory | None,
    *,
    is_right: bool,
    is_unsure: bool,
) -> dict[str, Any]:
    after = None
    if before is not None or not is_right or is_unsure:
        after = review(before, rating_of(is_right=is_right, is_unsure=is_unsure), at=attempt.submitted_at)
    return {
        "person_id": place[0],
        "question_id": place[1],
        "part": place[2],
        "is_right": is_right,
        "lapses": int(not is_right),
        "answered_at": attempt.submitted_at,
        "due_at": after.due_at if after else None,
        "stability": after.stability if after else None,
        "difficulty": after.difficulty if after else None,
        "item_id": None,
        "exam_id": exam_id,
    }


def _add_weaknesses(session: Session, exam_id: int, attempts: Sequence[GradedAnswers], subjects: _Subjects) -> None:
    asked: Counter[tuple[int, str, str]] = Counter()
    right: Counter[tuple[int, str, str]] = Counter()
    sitters: Counter[tuple[int, str, str]] = Counter()
    for attempt in attempts:
        met = set()
        for version_id, _, is_right, _ in attempt.items:
            for kind, name in subjects.names_of[subjects.question_of[version_id]]:
                place = (attempt.unit_id, kind, name)
                asked[place] += 1
                right[place] += is_right
                met.add(place)
        sitters.update(met)
    if not asked:
        return
    statement = insert(UnitWeakness)
    fresh = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["exam_id", "unit_id", "kind", "name"],
        set_={
            "sitters": UnitWeakness.sitters + fresh.sitters,
            "asked": UnitWeakness.asked + fresh.asked,
            "right_count": UnitWeakness.right_count + fresh.right_count,
        },
    )
    rows = [
        {
            "exam_id": exam_id,
            "unit_id": place[0],
            "kind": place[1],
            "name": place[2],
            "sitters": sitters[place],
            "asked": count,
            "right_count": right[place],
        }
        for place, count in sorted(asked.items())
    ]
    session.execute(statement, rows)


def count_due_reviews(session: Session, *, now: datetime) -> int:
    """Count what is due for everybody, in one statement, for the sums that units see; gives for how many people. Safe to run twice."""
    session.execute(text("SET LOCAL statement_timeout = '10min'"))
    result = session.execute(_COUNT_DUE, {"now": now})
    return int(getattr(result, "rowcount", 0))


_COUNT_DUE = text("""
INSERT INTO due_counts (person_id, due, counted_at)
SELECT person_id, count(*) FILTER (WHERE due_at <= :now), :now FROM review_cards WHERE due_at IS NOT NULL GROUP BY person_id
ON CONFLICT (person_id) DO UPDATE SET due = excluded.due, counted_at = excluded.counted_at
""")
