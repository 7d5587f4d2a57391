"""Follow corrections: a key that was corrected, a sitting that was graded anew. Cards, exercises and sums then say what is true now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Integer, func, select, update
from sqlalchemy.orm import Session, aliased

from examapp.grading.queries.mistakes import GradedAnswers, list_answers_of_grades, list_newer_grades
from examapp.questions.models import AnswerKey, Question, QuestionState, QuestionVersion
from examapp.training.models import ExerciseRun, HarvestedAttempt, PracticeItem, UnitWeakness
from examapp.training.operations.answering import is_answer_right
from examapp.training.operations.harvesting import LOCK, Subjects, SumPlace, subjects_of
from examapp.training.operations.remembering import Place, write_cards
from examapp.training.operations.studying import pass_chapter

log = structlog.get_logger()
_BATCH = 200


def follow_grades(session: Session, *, now: datetime) -> int:
    """Take up a batch of harvested attempts that were graded anew: cards and units' sums as the new grade has them; gives how many."""
    session.execute(LOCK)
    known = select(HarvestedAttempt.grade_id).where(HarvestedAttempt.grade_id.is_not(None))
    replaced = dict(list_newer_grades(session, known=known, most=_BATCH))
    if not replaced:
        return 0
    by_grade = {row.grade_id: row for row in list_answers_of_grades(session, [*replaced, *replaced.values()])}
    pairs = [(by_grade[old], by_grade[new]) for old, new in replaced.items()]
    subjects = subjects_of(session, by_grade.values())
    for _, new in pairs:
        row = session.get_one(HarvestedAttempt, new.attempt_id)
        row.grade_id = new.grade_id
    session.flush()
    write_cards(session, _changed_places(pairs, subjects))
    _move_sums(session, pairs, subjects)
    log.info("regraded_attempts_followed", count=len(pairs), at=now.isoformat())
    return len(pairs)


def _changed_places(pairs: Sequence[tuple[GradedAnswers, GradedAnswers]], subjects: Subjects) -> set[Place]:
    return {
        place
        for old, new in pairs
        for place, before, after in zip(subjects.places_of(new), old.items, new.items, strict=True)
        if before != after or old.submitted_at != new.submitted_at
    }


def _move_sums(session: Session, pairs: Sequence[tuple[GradedAnswers, GradedAnswers]], subjects: Subjects) -> None:
    """Move the sums by what changed; a question that got another law since keeps them within what was asked there."""
    moved: Counter[SumPlace] = Counter()
    for old, new in pairs:
        moved.update(place for place, is_right in subjects.sums_of(new) if is_right)
        moved.subtract(place for place, is_right in subjects.sums_of(old) if is_right)
    for (exam_id, unit_id, kind, name), by in sorted(moved.items()):
        if by:
            session.execute(
                update(UnitWeakness)
                .where(
                    UnitWeakness.exam_id == exam_id,
                    UnitWeakness.unit_id == unit_id,
                    UnitWeakness.kind == kind,
                    UnitWeakness.name == name,
                )
                .values(right_count=func.least(UnitWeakness.asked, func.greatest(0, UnitWeakness.right_count + by)))
            )


def follow_keys(session: Session, *, now: datetime) -> int:
    """Grade anew a batch of practised answers whose key was corrected and reviewed; gives how many.

    An exercise that the right key passes is passed now; one that was passed stays so: what somebody has earned is not taken away.
    """
    rows = session.execute(_OUTDATED.limit(_BATCH)).all()
    if not rows:
        return 0
    changed: set[Place] = set()
    run_ids: set[int] = set()
    for item, number, asked, key in rows:
        item.key_number = number
        is_right = is_answer_right(asked, key, order=item.order, response=item.response)
        if is_right != item.is_right:
            item.is_right = is_right
            changed.add((item.person_id, item.question_id, item.part))
            run_ids |= {item.run_id} - {None}
    session.flush()
    write_cards(session, changed)
    _count_anew(session, run_ids, now=now)
    log.info("corrected_keys_followed", count=len(rows), changed=len(changed))
    return len(rows)


def _outdated() -> Any:
    newer = aliased(AnswerKey)
    part = PracticeItem.part.cast(Integer)
    return (
        select(PracticeItem, AnswerKey.number, QuestionVersion.content["parts"][part], AnswerKey.parts[part])
        .join(AnswerKey, AnswerKey.question_version_id == PracticeItem.question_version_id)
        .join(QuestionVersion, QuestionVersion.id == PracticeItem.question_version_id)
        .join(Question, Question.id == PracticeItem.question_id)
        .where(
            AnswerKey.number > 1,
            PracticeItem.key_number < AnswerKey.number,
            PracticeItem.answered_at.is_not(None),
            Question.state != QuestionState.DRAFT,
            ~select(newer.id)
            .where(newer.question_version_id == AnswerKey.question_version_id, newer.number > AnswerKey.number)
            .exists(),
        )
        .order_by(PracticeItem.id)
        .with_for_update(of=PracticeItem, skip_locked=True)
    )


_OUTDATED = _outdated()
"""Answered items with the newest key of their version, where they were graded by an older one; a draft's key still waits for its review."""


def _count_anew(session: Session, run_ids: Collection[int], *, now: datetime) -> None:
    runs = session.scalars(
        select(ExerciseRun)
        .where(ExerciseRun.id.in_(run_ids), ExerciseRun.finished_at.is_not(None))
        .order_by(ExerciseRun.id)
        .with_for_update()
    )
    for run in runs:
        run.right_count = session.scalar(
            select(func.count()).where(PracticeItem.run_id == run.id, PracticeItem.is_right.is_(True))
        )
        if not run.is_passed and (run.right_count or 0) >= run.pass_count:
            run.is_passed = True
            session.flush()
            if run.chapter_id is not None:
                pass_chapter(session, chapter_id=run.chapter_id, person_id=run.person_id, now=now)
