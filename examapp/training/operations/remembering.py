"""Cards made of the log of answers: after an exam's release, and anew where a key or a grade was corrected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.grading.queries.mistakes import list_answers_of_grades
from examapp.questions.models import QuestionVersion
from examapp.training.models import HarvestedAttempt, PracticeItem, ReviewCard
from examapp.training.rules import Answer, Remembered, remember

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


def _answers_of(session: Session, people: Collection[int], questions: Collection[int]) -> Mapping[Place, list[Answer]]:
    found: dict[Place, list[Answer]] = defaultdict(list)
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
            Answer(
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
    session: Session, found: dict[Place, list[Answer]], people: Collection[int], questions: Collection[int]
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
                    Answer(
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
