"""Learn from exams once their keys are released: each wrong or unsure answer becomes a card, each unit's sums are added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.grading.queries.mistakes import GradedAnswers, list_graded_answers, list_released_exams
from examapp.questions.models import KnowledgePoint, Question, QuestionVersion, question_knowledge_points
from examapp.training.models import HarvestedAttempt, UnitWeakness
from examapp.training.operations.remembering import Place, write_cards

_BATCH = 200
LOCK = text("SELECT pg_advisory_xact_lock(hashtext('training.harvest'))")
SumPlace = tuple[int, int, str, str]
"""Where an answer counts in the sums: exam, unit, `law` or `point`, its name."""


@dataclass(slots=True)
class Subjects:
    """What the questions of a batch are about."""

    question_of: dict[int, int] = field(default_factory=dict)
    names_of: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def places_of(self, attempt: GradedAnswers) -> list[Place]:
        """List the places of an attempt's cards, in the paper's order."""
        return [(attempt.person_id, self.question_of[version_id], part) for version_id, part, *_ in attempt.items]

    def sums_of(self, attempt: GradedAnswers) -> Iterator[tuple[SumPlace, bool]]:
        """Give where each answer of an attempt counts in the sums of units, and whether it was right."""
        for version_id, _, is_right, _ in attempt.items:
            for kind, name in self.names_of[self.question_of[version_id]]:
                yield (attempt.exam_id, attempt.unit_id, kind, name), is_right


def harvest_exams(session: Session, *, now: datetime) -> int:
    """Take up a batch of graded attempts of exams whose keys are out; gives how many. Safe to run twice and side by side."""
    session.execute(LOCK)
    known = select(HarvestedAttempt.attempt_id)
    for exam_id in list_released_exams(session, known=known, now=now):
        if attempts := list_graded_answers(session, exam_id, known=known, most=_BATCH):
            _harvest(session, attempts, now=now)
            return len(attempts)
    return 0


def _harvest(session: Session, attempts: Sequence[GradedAnswers], *, now: datetime) -> None:
    subjects = subjects_of(session, attempts)
    again = _taken_up_before(session, attempts)
    session.execute(
        insert(HarvestedAttempt),
        [
            {
                "attempt_id": attempt.attempt_id,
                "exam_id": attempt.exam_id,
                "person_id": attempt.person_id,
                "grade_id": attempt.grade_id,
                "harvested_at": now,
            }
            for attempt in attempts
        ],
    )
    write_cards(session, {place for attempt in attempts for place in subjects.places_of(attempt)})
    _add_weaknesses(session, attempts, subjects, again=again)


def _taken_up_before(session: Session, attempts: Sequence[GradedAnswers]) -> set[tuple[int, int]]:
    """Give exam and person of each sitting of a batch whose person has had another one taken up."""
    rows = session.execute(
        select(HarvestedAttempt.exam_id, HarvestedAttempt.person_id).where(
            HarvestedAttempt.person_id.in_({attempt.person_id for attempt in attempts})
        )
    )
    return {(row[0], row[1]) for row in rows}


def subjects_of(session: Session, attempts: Iterable[GradedAnswers]) -> Subjects:
    """Read what the questions of attempts are about: their laws and knowledge points. Two statements."""
    version_ids = {version_id for attempt in attempts for version_id, *_ in attempt.items}
    found = Subjects()
    rows = session.execute(
        select(QuestionVersion.id, Question.id, Question.law_name)
        .join(Question, QuestionVersion.question_id == Question.id)
        .where(QuestionVersion.id.in_(version_ids))
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


def _add_weaknesses(
    session: Session, attempts: Sequence[GradedAnswers], subjects: Subjects, *, again: set[tuple[int, int]]
) -> None:
    """Add a batch to the units' sums; who sat before counts with each answer, but as a person only once."""
    met = set(again)
    asked: Counter[SumPlace] = Counter()
    right: Counter[SumPlace] = Counter()
    sitters: Counter[SumPlace] = Counter()
    for attempt in attempts:
        counted = list(subjects.sums_of(attempt))
        asked.update(place for place, _ in counted)
        right.update(place for place, is_right in counted if is_right)
        if (attempt.exam_id, attempt.person_id) not in met:
            sitters.update({place for place, _ in counted})
            met.add((attempt.exam_id, attempt.person_id))
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
            "exam_id": place[0],
            "unit_id": place[1],
            "kind": place[2],
            "name": place[3],
            "sitters": sitters[place],
            "asked": count,
            "right_count": right[place],
        }
        for place, count in sorted(asked.items())
    ]
    session.execute(statement, rows)
