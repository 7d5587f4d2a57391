"""What stands out on a home page: the exam that concerns a candidate now, an organiser's exam, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from examapp import clock
from examapp.content.blueprints.models import Blueprint
from examapp.content.laws.models import LawVersion
from examapp.content.questions.models import BankQuestion, QuestionState
from examapp.delivery.attempts.queries import attempts_used
from examapp.delivery.exam_candidates.queries import CandidateExam, list_exams_of
from examapp.delivery.exams.models import Exam, ExamKind, ExamState, Exemption
from examapp.delivery.exams.queries import list_organiser_exams
from examapp.delivery.exams.rules import ExamPhase, Window
from examapp.jobs.models import ACTIVE, Job
from examapp.learning.certificates.queries import list_own_certificates
from examapp.learning.courses.queries import Credits, MyCourse, credits_of, list_my_courses
from examapp.learning.spaced_repetition.queries import count_due
from examapp.learning.study_events.models import StudyEvent
from examapp.learning.study_events.queries import list_my_events
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope, Role
from examapp.organisation.people.models import Person, PersonState, RoleGrant
from examapp.organisation.units.models import AREA_KINDS, Tree, Unit
from examapp.organisation.units.queries import IS_ROOT
from examapp.oversight.statistics.queries import HomeFigures, home_figures

_EVENT_SHOWN = timedelta(hours=12)
_RECENT = timedelta(days=60)
"""So long an exam that is over is named beside the one that stands out."""
_MAX_TABS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamNow:
    """The one exam that concerns a candidate who has no attempt under way."""

    exam: Exam
    phase: ExamPhase
    window: Window
    used: int
    left: int | None
    """Tries left, None for any number."""
    is_study_missing: bool
    others: int
    """How many other exams the candidate could look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyNow:
    """What a learner should study now."""

    course: MyCourse | None
    """The one to go on with, else the next to begin; None where all are done."""
    required: int
    required_done: int
    due: int
    """Mistakes to be gone over today."""
    credits: Credits
    """Of this year's completed courses."""
    certificates: int
    events: Sequence[StudyEvent]
    """Events of the next hours that the learner is meant for and not yet put down as present at."""


def find_study_now(session: Session, person_id: int, *, now: datetime) -> StudyNow | None:
    """Find what a learner should study now and has of the year; None for whom no course is, nothing comes back and no event is near. Five statements."""
    courses = list_my_courses(session, person_id)
    due = count_due(session, person_id, now=now)
    near = list_my_events(session, person_id, now=now)
    events = [
        one for one, _, was_there in near if one.starts_at < now + _EVENT_SHOWN and one.ends_at > now and not was_there
    ]
    if not courses and not due and not events:
        return None
    left = [mine for mine in courses if mine.completed_at is None]
    required = [mine for mine in courses if mine.course.is_required]
    return StudyNow(
        course=next((mine for mine in left if mine.passed), left[0] if left else None),
        required=len(required),
        required_done=sum(mine.completed_at is not None for mine in required),
        due=due,
        credits=credits_of(session, person_id, year=clock.day_of(now).year),
        certificates=len(list_own_certificates(session, person_id)),
        events=events,
    )


def find_exam_now(session: Session, person_id: int, *, now: datetime) -> ExamNow | None:
    """Find the exam that concerns a candidate who sits none now: one that counts before a mock exam, open before upcoming before closed."""
    found = list_exams_of(session, person_id, now)
    if not found:
        return None
    used = attempts_used(session, person_id, [candidate.exam.id for candidate in found])
    chosen = min(found, key=lambda candidate: _urgency(candidate, used.get(candidate.exam.id, 0), now))
    return ExamNow(
        exam=chosen.exam,
        phase=chosen.phase(now),
        window=chosen.window(now),
        used=used.get(chosen.exam.id, 0),
        left=_left(chosen, used.get(chosen.exam.id, 0)),
        is_study_missing=chosen.is_study_missing,
        others=len(found) - 1,
    )


def _left(candidate: CandidateExam, used: int) -> int | None:
    return None if candidate.attempts_allowed is None else max(0, candidate.attempts_allowed - used)


def _urgency(candidate: CandidateExam, used: int, now: datetime) -> tuple[int, float]:
    exam, phase = candidate.exam, candidate.phase(now)
    is_mock, is_done = exam.kind == ExamKind.MOCK, _left(candidate, used) == 0
    if phase is ExamPhase.OPEN and not is_done:
        return (2 if is_mock else 0), exam.closes_at.timestamp()
    if phase is ExamPhase.UPCOMING:
        return (3 if is_mock else 1), exam.opens_at.timestamp()
    return (5 if is_mock else 4), -exam.closes_at.timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganiserHome:
    """An organiser's exam with its figures; `exams` are those to choose among, the one shown included."""

    figures: HomeFigures
    tree: Tree
    exams: Sequence[Exam]


def find_organiser_home(
    session: Session, access: AccessScope, *, exam_id: int | None, now: datetime
) -> OrganiserHome | None:
    """Find the figures of the chosen exam within an organiser's access scope, else of the running one that closes first, else of the last."""
    exams = list_organiser_exams(session, access)
    top = _top_unit(session, access)
    if not exams or top is None:
        return None
    ordered = sorted(exams, key=lambda exam: _weight(exam, now))
    unit_id, tree = top
    shown = next((exam for exam in ordered if exam.id == exam_id), ordered[0])
    figures = home_figures(session, shown.id, unit_id, tree=tree, now=now)
    recent = [exam for exam in ordered if exam.closes_at > now - _RECENT][:_MAX_TABS]
    return OrganiserHome(figures=figures, tree=tree, exams=recent if shown in recent else [*recent, shown])


def _weight(exam: Exam, now: datetime) -> tuple[bool, int, float]:
    if exam.opens_at <= now < exam.closes_at:
        return exam.kind == ExamKind.MOCK, 0, exam.closes_at.timestamp()
    if exam.closes_at <= now:
        return exam.kind == ExamKind.MOCK, 1, -exam.closes_at.timestamp()
    return exam.kind == ExamKind.MOCK, 2, exam.opens_at.timestamp()


def _top_unit(session: Session, access: AccessScope) -> tuple[int, Tree] | None:
    """Give the unit whose whole an organiser oversees: of the first grant, or the county where everything is within the access scope."""
    if access.is_everything:
        county = select(Unit.id).where(IS_ROOT, Unit.kind.in_(AREA_KINDS)).order_by(Unit.code)
        unit_id = session.scalars(county.limit(1)).first()
        return None if unit_id is None else (unit_id, Tree.REGION)
    if access.region_paths:
        return _last_id(access.region_paths[0]), Tree.REGION
    return (_last_id(access.sector_paths[0]), Tree.SECTOR) if access.sector_paths else None


def _last_id(path: str) -> int:
    return int(path.strip("/").rsplit("/", 1)[-1])


def count_exemptions_waiting(session: Session, access: AccessScope) -> int:
    """Count the exemptions and deferrals from within the access scope that nobody has decided."""
    statement = (
        select(func.count())
        .select_from(Exemption)
        .join(Person, Exemption.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(
            within(access),
            Exemption.approved_at.is_(None),
            Exemption.rejected_at.is_(None),
            Exemption.withdrawn_at.is_(None),
        )
    )
    return session.execute(statement).scalar_one()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpCounts:
    """What a new installation has so far of what an exam needs."""

    units: int
    people: int
    offices: int
    """Persons who may review questions; a second one is needed, since nobody reviews their own."""
    unit_admins: int
    laws: int
    questions: int
    """Active ones."""
    blueprints: int
    exams: int
    """Published ones."""


def count_set_up(session: Session, *, now: datetime) -> SetUpCounts:
    """Count what a first exam needs, in one statement; for the checklist of an office that has published none."""
    holds = or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now)
    people_with = select(func.count(RoleGrant.person_id.distinct())).where(holds)
    counted = {
        "units": select(func.count()).select_from(Unit).where(Unit.closed_at.is_(None), Unit.kind.not_in(AREA_KINDS)),
        "people": select(func.count()).select_from(Person).where(Person.state == PersonState.ON_ROSTER),
        "offices": people_with.where(RoleGrant.role == Role.PUBLICITY_OFFICE),
        "unit_admins": people_with.where(RoleGrant.role == Role.UNIT_ADMIN),
        "laws": select(func.count()).select_from(LawVersion),
        "questions": select(func.count()).select_from(BankQuestion).where(BankQuestion.state == QuestionState.ACTIVE),
        "blueprints": select(func.count()).select_from(Blueprint).where(Blueprint.archived_at.is_(None)),
        "exams": select(func.count()).select_from(Exam).where(Exam.state == ExamState.PUBLISHED),
    }
    row = session.execute(select(*(statement.scalar_subquery().label(name) for name, statement in counted.items())))
    return SetUpCounts(**row.one()._mapping)  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


_SHOWN_FOR = timedelta(hours=24)
_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """A background job as the home page shows it."""

    kind: str
    id: int
    file_name: str
    client_state: str
    done: int
    total: int
    created_at: datetime


def list_jobs_of(session: Session, person_id: int, *, kinds: Iterable[str], now: datetime) -> list[JobLine]:
    """List a person's jobs of these kinds that wait or run, and those that ended within a day, newest first, in one statement."""
    is_shown = or_(Job.state.in_(ACTIVE), Job.finished_at > now - _SHOWN_FOR)
    rows = session.execute(
        select(
            Job.kind, Job.id, Job.file_name, Job.client_state.label("client_state"), Job.done, Job.total, Job.created_at
        )
        .where(Job.created_by_id == person_id, Job.kind.in_(kinds), is_shown)
        .order_by(Job.created_at.desc())
        .limit(_MAX)
    )
    return [JobLine(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def find_job(session: Session, job_id: int, *, person_id: int, kinds: Iterable[str]) -> Job | None:
    """Find a job that this person created or that is of one of these kinds."""
    is_visible = or_(Job.created_by_id == person_id, Job.kind.in_(kinds))
    return session.execute(select(Job).where(Job.id == job_id, is_visible)).scalar_one_or_none()
