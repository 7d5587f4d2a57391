"""A person's own sittings with what may be shown of their results now: for the home page and the list of own exams."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.attempts.models import Attempt
from examapp.exams.models import Exam
from examapp.grading.models import Grade
from examapp.grading.queries.results import Release, release_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSitting:
    """An attempt of one's own; `grade` only once it is there and the exam shows results."""

    attempt: Attempt
    exam: Exam
    grade: Grade | None
    is_graded: bool
    release: Release


def list_own_sittings(session: Session, person_id: int, *, now: datetime, most: int) -> list[OwnSitting]:
    """List a person's attempts, the latest first, in one statement and one more for each exam among them."""
    rows = session.execute(
        select(Attempt, Exam, Grade)
        .join(Exam, Attempt.exam_id == Exam.id)
        .outerjoin(Grade, (Grade.attempt_id == Attempt.id) & Grade.is_current)
        .where(Attempt.person_id == person_id)
        .order_by(Attempt.started_at.desc(), Attempt.id.desc())
        .limit(most)
    )
    releases: dict[int, Release] = {}
    sittings = []
    for attempt, exam, grade in rows:
        release = releases.get(exam.id) or release_of(session, exam, now=now)
        releases[exam.id] = release
        sittings.append(
            OwnSitting(
                attempt=attempt,
                exam=exam,
                grade=grade if release.are_results_out else None,
                is_graded=grade is not None,
                release=release,
            )
        )
    return sittings
