"""What the office does with exams: settings, publication, time, papers, exemptions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

from examapp.content.blueprints.queries import list_pool_ids
from examapp.delivery.exams.models import Exam, ExamAudience, ExamKind, ExamSession, ExamState
from examapp.delivery.exams.queries import ensure_exam_in_scope, get_exam, list_blueprint_ids
from examapp.delivery.exams.rules import Window, list_window_issues, shows_keys_early
from examapp.errors import ConflictError, DomainError, NotFoundError
from examapp.organisation.access.queries import PersonUnclearError, get_named_person, within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit, UnitKind
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"exams.create_exam": "新建考试", "exams.update_exam": "修改考试"}
AUDIT_OBJECTS = {"exam": "考试", "session": "场次"}


_MAX_UNKNOWN = 10
"""How many persons that are not found a rejection names."""


class InvalidExamError(DomainError):
    """The settings of an exam cannot stand; the message says which, and what to do."""

    code = "exam_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudiencePart:
    """One part of an audience as it is set: a unit's subtree, a sector's subtree, ranks; each empty for any."""

    unit_id: int | None = None
    sector_unit_id: int | None = None
    ranks: tuple[str, ...] = ()
    blueprint_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamSettings:
    """Everything that the office sets of an exam."""

    title: str
    kind: ExamKind
    main_exam_id: int | None
    blueprint_id: int | None
    instructions: str
    opens_at: datetime
    closes_at: datetime
    duration_s: int
    lateness_s: int | None
    is_full_duration: bool
    grace_s: int
    attempts_allowed: int | None
    counting_rule: str
    scoring_rule: str
    pass_percent: Decimal
    good_percent: Decimal
    excellent_percent: Decimal
    results_policy: str
    results_at: datetime | None
    keys_policy: str
    keys_at: datetime | None
    focus_loss_limit: int | None
    study_gate: dict[str, Any]
    snapshot_due_at: datetime | None
    has_pledge: bool = False
    has_snapshot_at_close: bool = True
    sessions: tuple[Window, ...] = ()
    audience: tuple[AudiencePart, ...] = ()
    staff_numbers: tuple[str, ...] = ()
    """People named one by one."""


_COLUMNS = tuple(
    name for name in ExamSettings.__dataclass_fields__ if name not in {"sessions", "audience", "staff_numbers"}
)


def create_exam(context: ActionContext, *, settings: ExamSettings, access: AccessScope) -> Exam:
    """Create an exam as a draft; raises InvalidExamError."""
    session, now = context.session, context.now
    exam = Exam(state=ExamState.DRAFT, created_by_id=context.actor.person_id, created_at=now, updated_at=now)
    _set(session, exam, settings, access)
    session.add(exam)
    session.flush()
    record(context, "exams.create_exam", object_type="exam", object_id=exam.id)
    return exam


def update_exam(context: ActionContext, *, exam_id: int, settings: ExamSettings, access: AccessScope) -> Exam:
    """Change a draft's settings; raises NotFoundError outside the access scope, ConflictError for an exam that is no draft."""
    exam = get_draft(context.session, exam_id, access)
    _set(context.session, exam, settings, access)
    exam.updated_at = context.now
    record(context, "exams.update_exam", object_type="exam", object_id=exam.id)
    return exam


def get_draft(session: Session, exam_id: int, access: AccessScope) -> Exam:
    """Get a draft under its row lock; raises NotFoundError, ConflictError."""
    exam = lock_exam(session, exam_id, access)
    if exam.state != ExamState.DRAFT:
        raise ConflictError("考试已经发布或取消，不能再改设置。开考前可先撤回，改好后再发布。")
    return exam


def lock_exam(session: Session, exam_id: int, access: AccessScope) -> Exam:
    """Get an exam for a change, its row locked, its whole audience within the access scope; raises NotFoundError."""
    ensure_exam_in_scope(session, exam_id, access)
    if session.scalar(select(Exam.id).where(Exam.id == exam_id).with_for_update(key_share=True)) is None:
        raise NotFoundError
    exam = get_exam(session, exam_id)
    session.refresh(exam)
    if not may_hold(session, exam.audiences, access):
        raise NotFoundError
    return exam


def may_hold(session: Session, audiences: Iterable[ExamAudience], access: AccessScope) -> bool:
    """Tell whether every part of an audience lies within an access scope; an exam for the whole roster needs an access scope over every unit."""
    if access.is_everything or _holds_every_unit(session, access):
        return True
    parts = list(audiences)
    named = [part.person_id for part in parts if part.person_id is not None]
    units = [part.unit_id or part.sector_unit_id for part in parts if part.person_id is None]
    if not parts or None in units:
        return False
    home = select(Person.unit_id).where(Person.id.in_(named))
    rows = session.scalars(select(Unit).where(Unit.id.in_([unit for unit in units if unit]) | Unit.id.in_(home)))
    return all(access.covers(region_path=unit.region_path, sector_path=unit.sector_path) for unit in rows)


def _holds_every_unit(session: Session, access: AccessScope) -> bool:
    outside = select(Unit.id).where(Unit.kind != UnitKind.SECTOR, ~func.coalesce(within(access), false()))
    return session.scalar(outside.limit(1)) is None


def _set(session: Session, exam: Exam, settings: ExamSettings, access: AccessScope) -> None:
    _ensure_no_issues(session, settings)
    courses = (exam.study_gate or {}).get("courses")
    for name in _COLUMNS:
        setattr(exam, name, getattr(settings, name))
    if courses:  # chosen on training's own page, which knows the courses
        exam.study_gate = settings.study_gate | {"courses": courses}
    exam.sessions = [
        ExamSession(name=window.name, opens_at=window.opens_at, closes_at=window.closes_at)
        for window in settings.sessions
    ]
    parts = [
        ExamAudience(
            unit_id=part.unit_id,
            sector_unit_id=part.sector_unit_id,
            ranks=list(part.ranks),
            blueprint_id=part.blueprint_id,
        )
        for part in settings.audience
    ]
    named = [
        ExamAudience(person_id=person_id, ranks=[]) for person_id in _people(session, settings.staff_numbers, access)
    ]
    if not may_hold(session, [*parts, *named], access):
        raise InvalidExamError("应考范围超出您管理的单位。请只选本单位及下级单位。")
    exam.audiences = [*parts, *named]


def _ensure_no_issues(session: Session, settings: ExamSettings) -> None:
    issues = list_window_issues(settings, settings.sessions)
    if settings.closes_at <= settings.opens_at:
        issues.append("结束时间必须晚于开始时间。")
    if not settings.pass_percent <= settings.good_percent <= settings.excellent_percent:
        issues.append("合格、良好、优秀三条分数线应依次升高。")
    if settings.results_policy == "at_time" and settings.results_at is None:
        issues.append("成绩定在指定时间公布，请填写公布时间。")
    if settings.keys_policy == "at_time" and settings.keys_at is None:
        issues.append("答案定在指定时间公布，请填写公布时间。")
    issues += _list_make_up_issues(session, settings)
    if issues:
        raise InvalidExamError(" ".join(issues))


def _list_make_up_issues(session: Session, settings: ExamSettings) -> list[str]:
    if settings.kind != ExamKind.MAKEUP:
        return ["只有补考才绑定主考试，请把主考试一栏留空。"] if settings.main_exam_id is not None else []
    main = None if settings.main_exam_id is None else session.get(Exam, settings.main_exam_id)
    if main is None or main.kind == ExamKind.MAKEUP:
        return ["补考必须绑定一场主考试，请选择。"]
    if settings.opens_at < main.closes_at:
        return ["补考要在主考试结束之后开始，请调整时间。"]
    return []


def _people(session: Session, entries: tuple[str, ...], access: AccessScope) -> list[int]:
    """Give the persons of a list, an entry each: a staff number, several with spaces between, or words that name one within the access scope."""
    numbers = {part for entry in entries for part in entry.split()}
    people = session.execute(select(Person.staff_number, Person.id).where(Person.staff_number.in_(numbers)))
    known = {row.staff_number: row.id for row in people}
    found: list[int] = []
    unknown: list[str] = []
    for entry in entries:
        if all(word in known for word in entry.split()):
            found += [known[word] for word in entry.split()]
        elif len(unknown) < _MAX_UNKNOWN:
            try:
                found.append(get_named_person(session, entry, access).id)
            except PersonUnclearError as rejection:
                unknown.append(rejection.text)
    if unknown:
        raise InvalidExamError(" ".join(unknown))
    return list(dict.fromkeys(found))


KEYS_OUT_TEXT = "这场考试的答案已经公布，看过答案的人可能因此得益。确需办理的，请勾选“答案已公布”一项，会记入审计日志。"


class KeysOut(Protocol):
    """Tells whether an exam's keys are out: a function of `results`, which the caller passes in."""

    def __call__(self, session: Session, exam: Exam, *, now: datetime) -> bool:
        """Tell whether an exam's keys have been shown."""


def look_at_keys(session: Session, exam: Exam, keys_out: KeysOut, *, is_known: bool, now: datetime) -> bool:
    """Tell whether an exam's keys are out or were, and remember it; raises InvalidExamError where that was not ticked."""
    if not keys_out(session, exam, now=now):
        return False
    if not is_known:
        raise InvalidExamError(KEYS_OUT_TEXT)
    exam.were_keys_out = True
    return True


def list_shared_pool_issues(session: Session, exam: Exam, *, now: datetime) -> list[str]:
    """Say in Chinese with which published exams that are not over an exam shares questions though one of the two shows keys early."""
    is_mock = exam.kind == ExamKind.MOCK
    if is_mock and not shows_keys_early(exam):
        return []
    own: set[int] | None = None
    issues = []
    for other in _others(session, exam, now=now):
        if not is_mock and not shows_keys_early(other):
            continue
        if own is None:
            own = list_pool_ids(session, list_blueprint_ids(session, exam))
        count = len(own & list_pool_ids(session, list_blueprint_ids(session, other)))
        if count:
            issues.append(_conflict_text(other, count, is_mock=is_mock))
    return issues


def _others(session: Session, exam: Exam, *, now: datetime) -> list[Exam]:
    """List the published exams of the other sort, mocks or those that count, that are not over."""
    sort = Exam.kind != ExamKind.MOCK if exam.kind == ExamKind.MOCK else Exam.kind == ExamKind.MOCK
    statement = select(Exam).where(Exam.id != exam.id, Exam.state == ExamState.PUBLISHED, Exam.closes_at > now, sort)
    return list(session.scalars(statement.order_by(Exam.opens_at, Exam.id)))


def _conflict_text(other: Exam, count: int, *, is_mock: bool) -> str:
    if is_mock:
        return (
            f"本场在考试期间就公布答案，题库范围与正式考试“{other.title}”有 {count} 道题相同，会泄露那场的答案。"
            "请另建组卷规则，选不同的法律或知识点；或把本场的答案改为“考试结束后公布”。"
        )
    return (
        f"模拟考试“{other.title}”在考试期间就公布答案，题库范围与本场有 {count} 道题相同，会泄露本场的答案。"
        "请给两场选不同的法律或知识点；或把那场模拟考试的答案改为“考试结束后公布”。"
    )
