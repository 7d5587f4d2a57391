"""The version of the data behind a report: equal versions make equal figures, so that the same report is made once."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ScalarSelect, Select, bindparam, func, select
from sqlalchemy.orm import Session

from examapp.attempts.models import Attempt, AttemptState
from examapp.exams.models import Exam, ExamAudience, Exemption, MakeupEligibility
from examapp.grading.models import Grade, OutsideResult
from examapp.org.models import Unit
from examapp.people.models import Person, RosterMove
from examapp.reports.queries.basis import Basis


def data_version(session: Session, basis: Basis) -> str:
    """Give the version of all that an exam's figures are made of, in one statement.

    It may change where the figures do not (another exam's grade), never the other way round.
    """
    exam_ids = [basis.exam.id, *(exam.id for exam in basis.makeups)]
    values = session.connection().execute(_select_marks(), {"exam_ids": exam_ids}).one()
    return hashlib.sha256(repr(tuple(map(str, values))).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _select_marks() -> Select[*tuple[Any, ...]]:
    """Select the marks; kept, for building it costs as much as running it."""
    return select(*(mark.label(f"m{n}") for n, mark in enumerate(_marks())))


def _marks() -> list[ScalarSelect[Any]]:
    exam_ids: BindParameter[Any] = bindparam("exam_ids", expanding=True)
    of_exams = Attempt.exam_id.in_(exam_ids)
    unit_words = func.hashtext(
        func.concat_ws("|", Unit.id, Unit.code, Unit.name, Unit.region_path, Unit.sector_path, Unit.closed_at)
    )
    return [
        select(func.max(Grade.id)).scalar_subquery(),
        select(func.max(Attempt.id)).scalar_subquery(),
        select(func.max(OutsideResult.id)).scalar_subquery(),
        select(func.count()).where(OutsideResult.undone_at.is_(None)).scalar_subquery(),
        select(func.count()).where(of_exams, Attempt.state == AttemptState.IN_PROGRESS).scalar_subquery(),
        select(func.count()).where(Attempt.state == AttemptState.SUBMITTED).scalar_subquery(),
        select(func.max(Attempt.submitted_at)).where(Attempt.state == AttemptState.SUBMITTED).scalar_subquery(),
        select(func.max(RosterMove.id)).scalar_subquery(),
        select(func.count()).select_from(RosterMove).scalar_subquery(),
        select(func.max(Person.updated_at)).scalar_subquery(),
        select(func.count()).select_from(Person).scalar_subquery(),
        select(func.max(Exam.updated_at)).where(Exam.id.in_(exam_ids)).scalar_subquery(),
        select(func.sum(Exam.pass_percent + Exam.excellent_percent)).where(Exam.id.in_(exam_ids)).scalar_subquery(),
        select(func.max(Exam.frozen_at)).where(Exam.id.in_(exam_ids)).scalar_subquery(),
        select(func.max(Exam.frozen_taken_at)).where(Exam.id.in_(exam_ids)).scalar_subquery(),
        select(func.sum(Exam.corrections)).where(Exam.id.in_(exam_ids)).scalar_subquery(),
        select(func.count()).where(ExamAudience.exam_id.in_(exam_ids)).scalar_subquery(),
        select(func.sum(func.hashtext(func.concat_ws("|", Exemption.id, Exemption.approved_at, Exemption.refused_at, Exemption.withdrawn_at)))).where(Exemption.exam_id.in_(exam_ids)).scalar_subquery(),
        select(func.sum(func.hashtext(func.concat_ws("|", MakeupEligibility.exam_id, MakeupEligibility.person_id)))).where(MakeupEligibility.exam_id.in_(exam_ids)).scalar_subquery(),
        select(func.sum(unit_words)).scalar_subquery(),
    ]  # fmt: skip
