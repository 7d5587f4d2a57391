"""An exam as one candidate meets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, literal_column, or_, select, true
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.selectable import LateralFromClause

from examapp.delivery.exams import rules as exam_rules
from examapp.delivery.exams.models import (
    Exam,
    ExamExtension,
    ExamKind,
    ExamPledge,
    ExamSession,
    ExamState,
    ExemptionKind,
    PreparedPaper,
    StudyClearance,
)
from examapp.delivery.exams.queries import ON_ROSTER, blueprint_of, excused, in_audience_of
from examapp.delivery.exams.rules import ExamPhase, StartRejection, Window
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit

_ExtensionUnit = aliased(Unit, name="extension_unit")
_NO_GATE: ColumnElement[object] = literal_column("'{}'::jsonb")


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateExam:
    """A published exam's settings, and how one person stands to it."""

    exam: Exam
    person_id: int
    unit_id: int
    """The person's unit now: what an attempt keeps as its snapshot."""
    blueprint_id: int | None
    """The blueprint that applies to this person."""
    sessions: tuple[Window, ...]
    own_windows: tuple[Window, ...]
    """Windows that this person alone was granted."""
    more_attempts: int
    is_on_roster: bool
    is_in_audience: bool
    """For a make-up also: found absent or failed in the main exam."""
    is_exempt: bool
    is_deferred: bool
    is_cleared: bool
    """Whether training has written the clearance of the study gate."""

    @property
    def is_eligible(self) -> bool:
        """Whether the person is an eligible candidate (应考人员) of the exam now."""
        return self.is_on_roster and self.is_in_audience and not self.is_exempt and not self.is_deferred

    @property
    def is_study_missing(self) -> bool:
        """Whether the exam has a study gate that this person has not met."""
        return bool(self.exam.study_gate) and not self.is_cleared

    def window(self, now: datetime) -> Window:
        """Give the window or session that applies now."""
        return exam_rules.window_at(self.exam, self.sessions, now, own=self.own_windows)

    @property
    def attempts_allowed(self) -> int | None:
        """How often this person may begin; None for any number."""
        allowed = self.exam.attempts_allowed
        return None if allowed is None else allowed + self.more_attempts

    def phase(self, now: datetime) -> ExamPhase:
        """Tell whether the exam is upcoming, open or closed for this person."""
        found = exam_rules.phase(self.exam, now)
        if found is ExamPhase.OPEN or not self.own_windows:
            return found
        window = self.window(now)
        if now < window.opens_at:
            return ExamPhase.UPCOMING
        return ExamPhase.OPEN if now < window.closes_at else ExamPhase.CLOSED

    def start_rejection(self, now: datetime) -> StartRejection | None:
        """Say why a start is rejected now, None where it is let in; attempts used up are not in it."""
        return exam_rules.start_rejection(
            self.exam,
            now,
            window=self.window(now),
            is_eligible=self.is_eligible,
            is_study_missing=self.is_study_missing,
        )


def _sessions_as_json() -> ColumnElement[object]:
    return (
        select(func.jsonb_agg(func.jsonb_build_array(ExamSession.opens_at, ExamSession.closes_at, ExamSession.name)))
        .where(ExamSession.exam_id == Exam.id)
        .correlate(Exam)
        .scalar_subquery()
    )


_CLEARED = (
    select(StudyClearance.exam_id)
    .where(StudyClearance.exam_id == Exam.id, StudyClearance.person_id == Person.id)
    .exists()
)


def _granted() -> LateralFromClause:
    """Give what was granted in the outer query's `Exam` to its `Person`: seconds by name and through every unit above, windows and attempts by name."""
    is_window = ExamExtension.opens_at.is_not(None)
    window = func.jsonb_build_array(ExamExtension.opens_at, ExamExtension.closes_at, "")
    return (
        select(
            func.coalesce(func.sum(ExamExtension.seconds), 0).label("extension_s"),
            func.coalesce(func.sum(ExamExtension.more_attempts), 0).label("more_attempts"),
            func.jsonb_agg(window).filter(is_window).label("own_windows"),
        )
        .select_from(ExamExtension)
        .outerjoin(_ExtensionUnit, ExamExtension.unit_id == _ExtensionUnit.id)
        .where(
            ExamExtension.exam_id == Exam.id,
            or_(ExamExtension.person_id == Person.id, Unit.region_path.like(_ExtensionUnit.region_path + "%")),
        )
        .correlate(Exam, Person, Unit)
        .lateral("granted")
    )


def _select_candidate_exams() -> Select[*tuple[Any, ...]]:
    granted = _granted()
    return (
        select(
            Exam,
            Person.unit_id.label("unit_id"),
            Person.id.label("person_id"),
            blueprint_of(Exam.id, Exam.blueprint_id).label("blueprint_id"),
            _sessions_as_json().label("sessions"),
            ON_ROSTER.label("is_on_roster"),
            in_audience_of(Exam.id, Exam.kind).label("is_in_audience"),
            excused(Exam.id, ExemptionKind.EXEMPTION).label("is_exempt"),
            excused(Exam.id, ExemptionKind.DEFERRAL).label("is_deferred"),
            _CLEARED.label("is_cleared"),
            granted.c.more_attempts,
            granted.c.own_windows,
        )
        .select_from(Exam)
        .join(Person, true())
        .join(Unit, Person.unit_id == Unit.id)
        .join(granted, true())
        .where(Exam.state == ExamState.PUBLISHED, Person.id == bindparam("person_id"))
    )


def select_for_start() -> Select[*tuple[Any, ...]]:
    """Build the statement that reads what a start asks of a published exam (a TimedExam) and of a person; it binds `exam_id`, the caller joins who that is."""
    granted = _granted()
    return (
        select(
            Exam.id.label("exam_id"),
            Exam.opens_at, Exam.closes_at, Exam.duration_s, Exam.lateness_s, Exam.is_full_duration, Exam.grace_s,
            (Exam.attempts_allowed + granted.c.more_attempts).label("attempts_allowed"),
            Person.id.label("person_id"),
            Person.unit_id,
            _sessions_as_json().label("sessions"),
            and_(ON_ROSTER, in_audience_of(Exam.id, Exam.kind), ~excused(Exam.id)).label("is_eligible"),
            and_(Exam.study_gate != _NO_GATE, ~_CLEARED).label("is_study_missing"),
            granted.c.extension_s,
            granted.c.own_windows,
        )
        .select_from(Exam)
        .join(Person, true())
        .join(Unit, Person.unit_id == Unit.id)
        .join(granted, true())
        .where(Exam.state == ExamState.PUBLISHED, Exam.id == bindparam("exam_id"))
    )  # fmt: skip


def windows_of(sessions: Sequence[Sequence[str]] | None) -> tuple[Window, ...]:
    """Give the sessions that a statement has read as JSON, the first to open first."""
    return tuple(sorted((_window(raw) for raw in sessions or ()), key=lambda window: window.opens_at))


_ONE = _select_candidate_exams().where(Exam.id == bindparam("exam_id"))
_ELIGIBLE = (
    _select_candidate_exams()
    .where(ON_ROSTER, in_audience_of(Exam.id, Exam.kind), ~excused(Exam.id))
    .order_by(Exam.opens_at, Exam.id)
)
# Built once: putting such a statement together costs more than running it.


def find_candidate_exam(session: Session, exam_id: int, person_id: int) -> CandidateExam | None:
    """Find a published exam as this person meets it, in one statement; None where there is no such exam or person."""
    row = session.execute(_ONE, {"exam_id": exam_id, "person_id": person_id}).one_or_none()
    return None if row is None else _candidate_exam(row)


def list_exams_of(session: Session, person_id: int, now: datetime) -> list[CandidateExam]:
    """List the published exams that a person is eligible for: open ones first, then upcoming, then closed, the latest first. One statement."""
    found = [_candidate_exam(row) for row in session.execute(_ELIGIBLE, {"person_id": person_id})]
    order = {ExamPhase.OPEN: 0, ExamPhase.UPCOMING: 1, ExamPhase.CLOSED: 2}
    closed_last = sorted(found, key=lambda candidate: candidate.exam.closes_at, reverse=True)
    return sorted(closed_last, key=lambda candidate: order[candidate.phase(now)])


def has_exam_ahead(session: Session, person_id: int, *, now: datetime) -> bool:
    """Tell whether an exam that counts is open or to come for a person who is eligible for it."""
    return any(
        one.exam.kind != ExamKind.MOCK and one.phase(now) is not ExamPhase.CLOSED
        for one in list_exams_of(session, person_id, now)
    )


def _candidate_exam(row: Row[Any]) -> CandidateExam:
    return CandidateExam(
        exam=row.Exam,
        person_id=row.person_id,
        unit_id=row.unit_id,
        blueprint_id=row.blueprint_id,
        sessions=windows_of(row.sessions),
        own_windows=windows_of(row.own_windows),
        more_attempts=row.more_attempts,
        is_on_roster=row.is_on_roster,
        is_in_audience=row.is_in_audience,
        is_exempt=row.is_exempt,
        is_deferred=row.is_deferred,
        is_cleared=row.is_cleared,
    )


def _window(raw: Sequence[str]) -> Window:
    opens_at, closes_at, name = raw
    return Window(datetime.fromisoformat(opens_at), datetime.fromisoformat(closes_at), name)


def longest_extension_of(session: Session, exam_id: int) -> int:
    """Give the most seconds that anybody can have been granted in an exam: a bound, for releasing keys at close."""
    total = select(func.coalesce(func.sum(ExamExtension.seconds), 0)).where(ExamExtension.exam_id == exam_id)
    return int(session.execute(total).scalar_one())


def find_prepared_paper(session: Session, exam_id: int, person_id: int, number: int) -> int | None:
    """Find the paper made ahead for a person's n-th attempt."""
    return session.scalar(
        select(PreparedPaper.paper_id).where(
            PreparedPaper.exam_id == exam_id, PreparedPaper.person_id == person_id, PreparedPaper.number == number
        )
    )


def has_pledged(session: Session, exam_id: int, person_id: int) -> bool:
    """Tell whether a person has ticked an exam's pledge of honesty."""
    return session.get(ExamPledge, (exam_id, person_id)) is not None
