"""Cards made of the log of answers: after an exam's release, and again where a key or a grade was corrected."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.content.questions.models import BankQuestion, KnowledgePoint, QuestionVersion, question_knowledge_points
from examapp.delivery.results.queries import (
    GradedAnswers,
    list_answers_of_grades,
    list_graded_answers,
    list_released_exams,
)
from examapp.learning.courses.models import PracticeItem
from examapp.learning.spaced_repetition.models import DueCount, HarvestedAttempt, ReviewCard, UnitWeakness
from examapp.learning.spaced_repetition.rules import PartAnswer, Remembered, remember

Place = tuple[int, int, int]
"""A card's place: person, question, part."""
_WRITTEN = ("is_right", "lapses", "answered_at", "due_at", "stability", "difficulty", "item_id", "exam_id")


def write_cards(session: Session, places: Collection[Place]) -> None:
    """Write cards as all answers known by now make them. Safe to run twice and beside practice.

    An answer that is being given at the same moment waits for the card's lock, or is newer than what is written here and stays.
    """
    if not places:
        return
    people, questions = {place[0] for place in places}, {place[1] for place in places}
    of_places = (ReviewCard.person_id.in_(people), ReviewCard.question_id.in_(questions))
    session.execute(select(ReviewCard.person_id).where(*of_places).with_for_update())
    answers = _answers_of(session, people, questions)
    made = {place: remember(answers[place]) for place in sorted(places) if place in answers}
    rows = [_row(place, card) for place, card in made.items() if card is not None]
    if not rows:
        return
    statement = insert(ReviewCard)
    fresh = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["person_id", "question_id", "part"],
        set_={name: fresh[name] for name in _WRITTEN},
        where=ReviewCard.answered_at <= fresh.answered_at,
    )
    # Nulls are written as such: left out, each card that was never wrong would begin another statement.
    session.execute(statement, rows, execution_options={"render_nulls": True})


def _answers_of(
    session: Session, people: Collection[int], questions: Collection[int]
) -> Mapping[Place, list[PartAnswer]]:
    found: dict[Place, list[PartAnswer]] = defaultdict(list)
    practised = session.execute(
        select(
            PracticeItem.id,
            PracticeItem.person_id,
            PracticeItem.question_id,
            PracticeItem.part,
            PracticeItem.answered_at,
            PracticeItem.is_right,
            PracticeItem.is_unsure,
        ).where(
            PracticeItem.person_id.in_(people),
            PracticeItem.question_id.in_(questions),
            PracticeItem.answered_at.is_not(None),
        )
    )
    for row in practised:
        found[row.person_id, row.question_id, row.part].append(
            PartAnswer(
                at=row.answered_at,
                known_at=row.answered_at,
                is_right=row.is_right,
                is_unsure=row.is_unsure,
                item_id=row.id,
            )
        )
    _add_exams(session, found, people, questions)
    return found


def _add_exams(
    session: Session, found: dict[Place, list[PartAnswer]], people: Collection[int], questions: Collection[int]
) -> None:
    harvested = {
        row.grade_id: row.harvested_at
        for row in session.execute(
            select(HarvestedAttempt.grade_id, HarvestedAttempt.harvested_at).where(
                HarvestedAttempt.person_id.in_(people), HarvestedAttempt.grade_id.is_not(None)
            )
        )
    }
    question_of = {
        row.id: row.question_id
        for row in session.execute(
            select(QuestionVersion.id, QuestionVersion.question_id).where(QuestionVersion.question_id.in_(questions))
        )
    }
    for attempt in list_answers_of_grades(session, harvested.keys()):
        for version_id, part, is_right, is_unsure in attempt.items:
            if version_id in question_of:
                found[attempt.person_id, question_of[version_id], part].append(
                    PartAnswer(
                        at=attempt.submitted_at,
                        known_at=harvested[attempt.grade_id],
                        is_right=is_right,
                        is_unsure=is_unsure,
                        exam_id=attempt.exam_id,
                    )
                )


def _row(place: Place, card: Remembered) -> dict[str, Any]:
    memory = card.memory
    return {
        "person_id": place[0],
        "question_id": place[1],
        "part": place[2],
        "is_right": card.last.is_right,
        "lapses": card.lapses,
        "answered_at": card.last.at,
        "due_at": memory.due_at if memory else None,
        "stability": memory.stability if memory else None,
        "difficulty": memory.difficulty if memory else None,
        "item_id": card.last.item_id,
        "exam_id": card.last.exam_id,
    }


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
        if attempts := list_graded_answers(session, exam_id, known=known, limit=_BATCH):
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
    """Give exam and person of each attempt of a batch whose person has had another one taken up."""
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
        select(QuestionVersion.id, BankQuestion.id, BankQuestion.law_name)
        .join(BankQuestion, QuestionVersion.question_id == BankQuestion.id)
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
    candidate_count: Counter[SumPlace] = Counter()
    for attempt in attempts:
        counted = list(subjects.sums_of(attempt))
        asked.update(place for place, _ in counted)
        right.update(place for place, is_right in counted if is_right)
        if (attempt.exam_id, attempt.person_id) not in met:
            candidate_count.update({place for place, _ in counted})
            met.add((attempt.exam_id, attempt.person_id))
    if not asked:
        return
    statement = insert(UnitWeakness)
    fresh = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["exam_id", "unit_id", "kind", "name"],
        set_={
            "candidate_count": UnitWeakness.candidate_count + fresh.candidate_count,
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
            "candidate_count": candidate_count[place],
            "asked": count,
            "right_count": right[place],
        }
        for place, count in sorted(asked.items())
    ]
    session.execute(statement, rows)


_OLD = timedelta(minutes=15)
_MAX_LENGTH = text("SET LOCAL statement_timeout = '10min'")


def is_count_old(session: Session, *, now: datetime) -> bool:
    """Tell whether exams have been learned from since units were last counted, and that is a while ago."""
    counted_at: datetime | None = session.scalar(select(func.max(DueCount.counted_at)))
    learned_at: datetime | None = session.scalar(select(func.max(HarvestedAttempt.harvested_at)))
    if learned_at is None or counted_at is None:
        return learned_at is not None
    return learned_at > counted_at and counted_at <= now - _OLD


def count_due_reviews(session: Session, *, now: datetime) -> int:
    """Count what is due for everybody, in one statement, for the sums that units see; gives for how many people. Safe to run twice."""
    session.execute(_MAX_LENGTH)
    result = session.execute(_COUNT_DUE, {"now": now})
    return int(getattr(result, "rowcount", 0))


_COUNT_DUE = text("""
INSERT INTO due_counts (person_id, due, counted_at)
SELECT person_id, count(*) FILTER (WHERE due_at <= :now), :now FROM review_cards WHERE due_at IS NOT NULL GROUP BY person_id
ON CONFLICT (person_id) DO UPDATE SET due = excluded.due, counted_at = excluded.counted_at
""")

_BY_LAW = """
SELECT c.person_id, q.law_name AS name, count(*) AS answered, count(*) FILTER (WHERE c.is_right) AS right_count
FROM review_cards AS c JOIN questions AS q ON q.id = c.question_id WHERE q.law_name <> '' GROUP BY c.person_id, q.law_name
"""
_BY_POINT = """
SELECT c.person_id, k.name, count(*) AS answered, count(*) FILTER (WHERE c.is_right) AS right_count
FROM review_cards AS c JOIN question_knowledge_points AS l ON l.question_id = c.question_id
JOIN knowledge_points AS k ON k.id = l.knowledge_point_id GROUP BY c.person_id, k.name
"""


def _sum_of(by_person: str) -> TextClause:
    return text(f"""
INSERT INTO unit_mastery (unit_id, kind, name, people, answered, right_count, counted_at)
SELECT p.unit_id, :kind, s.name, count(*), sum(s.answered), sum(s.right_count), :now
FROM ({by_person}) AS s JOIN persons AS p ON p.id = s.person_id AND p.state = 'on_roster'
GROUP BY p.unit_id, s.name
""")  # noqa: S608 – the parts are constants of this file


_SUMS = (("law", _sum_of(_BY_LAW)), ("point", _sum_of(_BY_POINT)))


def sum_mastery(session: Session, *, now: datetime) -> None:
    """Add up again how every unit's own people stand by law and knowledge point. Safe to run twice and side by side."""
    session.execute(_MAX_LENGTH)
    session.execute(text("LOCK TABLE unit_mastery IN SHARE ROW EXCLUSIVE MODE"))
    session.execute(text("DELETE FROM unit_mastery"))
    for kind, statement in _SUMS:
        session.execute(statement, {"kind": kind, "now": now})
