"""Design the score table of a year, name the reviewers, and hand the table to the units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, distinct, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.delivery.exams.models import Exam, ExamState
from examapp.errors import ConflictError, NotFoundError
from examapp.organisation.access.queries import get_named_person
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import AREA_KINDS, Unit, UnitKind
from examapp.oversight.assessments.models import (
    Assessment,
    AssessmentItem,
    AssessmentReview,
    AssessmentReviewer,
    AssessmentSheet,
)
from examapp.oversight.assessments.queries import find_assessment, get_assessment
from examapp.oversight.assessments.rules import (
    SHIPPED_BANDS,
    SHIPPED_TABLE,
    AssessmentBand,
    AssessmentState,
    Indicator,
    TableItem,
)
from examapp.oversight.duty_lists.actions import InvalidDutyError
from examapp.oversight.duty_lists.queries import DutyScope
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "duties.add_reviewer": "指定考核评审人",
    "duties.change_assessment": "修改考核设置",
    "duties.change_score_table": "修改考核评分表",
    "duties.create_assessment": "新建考核",
    "duties.open_assessment": "开始考核",
    "duties.remove_reviewer": "取消考核评审人",
}
AUDIT_OBJECTS = {"duty_assessment": "普法考核"}

_ASSESSED = (UnitKind.DEPARTMENT, UnitKind.TOWNSHIP, UnitKind.INSTITUTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentSettings:
    """What the office sets of an assessment beside its items."""

    title: str
    exam_id: int | None
    self_due_on: date | None
    appeal_days: int
    vote_until: date | None
    bands: Sequence[AssessmentBand]


def create_assessment(context: ActionContext, *, year: int, is_copied: bool, duty_scope: DutyScope) -> Assessment:
    """Make the assessment of a year with the shipped score table, or with last year's; raises ConflictError where there is one."""
    session, now = context.session, context.now
    _check_office(duty_scope)
    before = find_assessment(session, year - 1) if is_copied else None
    if is_copied and before is None:
        raise InvalidDutyError(f"没有 {year - 1} 年的考核，不能复制。请用常用评分表新建。")
    bands = before.bands if before else stored_bands(SHIPPED_BANDS)
    row = insert(Assessment).values(
        year=year, title=f"{year} 年度普法责任制考核", state=AssessmentState.DRAFT, bands=bands,
        appeal_days=before.appeal_days if before else 7, version=1, created_by_id=context.actor.person_id, created_at=now, updated_at=now,
    )  # fmt: skip
    assessment_id = session.scalar(row.on_conflict_do_nothing().returning(Assessment.id))
    if assessment_id is None:
        raise ConflictError(f"{year} 年的考核已经建好。请返回后直接打开。")
    items = [item_of(item) for item in before.items] if before else SHIPPED_TABLE
    session.add_all(new_item(assessment_id, position, item) for position, item in enumerate(items, 1))
    session.flush()
    _note(context, "duties.create_assessment", assessment_id)
    return get_assessment(session, assessment_id)


def stored_bands(bands: Sequence[AssessmentBand]) -> list[list[str]]:
    """Give bands as they are stored."""
    return [[band.name, str(band.minimum)] for band in bands]


def item_of(item: AssessmentItem) -> TableItem:
    """Give what an item says, to be copied."""
    return TableItem(
        section=item.section,
        content=item.content,
        points=item.points,
        standard=item.standard,
        indicator=Indicator(item.indicator),
        full_from=item.full_from,
    )


def new_item(assessment_id: int, position: int, item: TableItem) -> AssessmentItem:
    """Make the row of an item."""
    row = AssessmentItem(assessment_id=assessment_id, position=position)
    _set_item(row, item)
    return row


def _set_item(row: AssessmentItem, item: TableItem) -> None:
    row.section, row.content, row.points, row.standard = item.section, item.content, item.points, item.standard
    row.indicator, row.full_from = item.indicator, item.full_from


def change_settings(
    context: ActionContext, *, assessment_id: int, version: int, settings: AssessmentSettings, duty_scope: DutyScope
) -> None:
    """Set title, exam, dates and bands; once it is open the exam and the bands stay, since sheets stand on them."""
    assessment = _lock(context.session, assessment_id, duty_scope)
    _check_version(assessment, version)
    bands = stored_bands(settings.bands)
    if assessment.state == AssessmentState.OPEN and (settings.exam_id, bands) != (assessment.exam_id, assessment.bands):
        raise ConflictError("考核已经开始，取用的考试和等次不能再改；名称、截止日期和申诉天数可以改。")
    if settings.exam_id is not None:
        exam = context.session.get(Exam, settings.exam_id)
        if exam is None or exam.state != ExamState.PUBLISHED:
            raise InvalidDutyError("没有找到这场考试。请重新选择。")
    assessment.title, assessment.exam_id, assessment.bands = settings.title, settings.exam_id, bands
    assessment.self_due_on, assessment.appeal_days = settings.self_due_on, settings.appeal_days
    assessment.vote_until = settings.vote_until
    _touch(assessment, now=context.now)
    _note(context, "duties.change_assessment", assessment_id)


def put_table_item(
    context: ActionContext,
    *,
    assessment_id: int,
    version: int,
    item_id: int | None,
    item: TableItem,
    duty_scope: DutyScope,
) -> None:
    """Add an item to a score table, or change one, while the table is being made."""
    assessment = _lock_draft(context.session, assessment_id, version, duty_scope)
    if item_id is None:
        position = max((other.position for other in assessment.items), default=0) + 1
        assessment.items.append(new_item(assessment_id, position, item))
    else:
        _set_item(_own_item(assessment, item_id), item)
    _touch(assessment, now=context.now)
    _note(context, "duties.change_score_table", assessment_id)


def remove_table_item(
    context: ActionContext, *, assessment_id: int, version: int, item_id: int, duty_scope: DutyScope
) -> None:
    """Take an item off a score table that is being made."""
    assessment = _lock_draft(context.session, assessment_id, version, duty_scope)
    assessment.items.remove(_own_item(assessment, item_id))
    _touch(assessment, now=context.now)
    _note(context, "duties.change_score_table", assessment_id)


def move_table_item(
    context: ActionContext, *, assessment_id: int, version: int, item_id: int, duty_scope: DutyScope
) -> None:
    """Move an item one place up."""
    assessment = _lock_draft(context.session, assessment_id, version, duty_scope)
    order = list(assessment.items)
    place = order.index(_own_item(assessment, item_id))
    if place:
        order[place - 1 : place + 1] = [order[place], order[place - 1]]
    for position, item in enumerate(order, 1):
        item.position = position
    _touch(assessment, now=context.now)
    _note(context, "duties.change_score_table", assessment_id)


def _own_item(assessment: Assessment, item_id: int) -> AssessmentItem:
    item = next((item for item in assessment.items if item.id == item_id), None)
    if item is None:
        raise NotFoundError
    return item


def open_assessment(context: ActionContext, *, assessment_id: int, version: int, duty_scope: DutyScope) -> int:
    """Fix the score table and give every unit its sheet; once open, units that came later get theirs. Gives how many sheets were made."""
    session, now = context.session, context.now
    assessment = _lock(session, assessment_id, duty_scope)
    _check_version(assessment, version)
    if not assessment.items:
        raise InvalidDutyError("评分表还没有项目，请先添加。")
    wants_exam = any(item.indicator in {Indicator.PARTICIPATION, Indicator.PASS} for item in assessment.items)
    if wants_exam and assessment.exam_id is None:
        raise InvalidDutyError("评分表要取参考率或合格率。请先在“考核设置”中选择取用哪一场考试。")
    if any(item.indicator == Indicator.VOTE for item in assessment.items) and assessment.vote_until is None:
        raise InvalidDutyError("评分表有社会评议。请先在“考核设置”中填写评议截止日期。")
    if assessment.state == AssessmentState.DRAFT:
        assessment.state, assessment.opened_at = AssessmentState.OPEN, now
    made = add_sheets(session, assessment_id, now=now)
    _touch(assessment, now=now)
    _note(context, "duties.open_assessment", assessment_id, sheets=made)
    return made


def add_sheets(session: Session, assessment_id: int, *, now: datetime) -> int:
    """Give each unit its sheet that has none yet: departments, townships and institutions that are open, by themselves or in the county."""
    county = select(Unit.id).where(Unit.kind.in_(AREA_KINDS))
    units = session.scalars(
        select(Unit.id)
        .where(
            Unit.kind.in_(_ASSESSED), Unit.closed_at.is_(None), Unit.parent_id.is_(None) | Unit.parent_id.in_(county)
        )
        .order_by(Unit.id)
    ).all()
    if not units:
        return 0
    rows = [
        {
            "assessment_id": assessment_id,
            "unit_id": unit_id,
            "state": "self",
            "version": 1,
            "remark": "",
            "band": "",
            "appeal": "",
            "appeal_answer": "",
            "updated_at": now,
        }
        for unit_id in units
    ]
    statement = insert(AssessmentSheet).values(rows).on_conflict_do_nothing().returning(AssessmentSheet.id)
    return len(session.scalars(statement).all())


def add_reviewer(context: ActionContext, *, assessment_id: int, named: str, duty_scope: DutyScope) -> Person:
    """Make a person a reviewer of a year's sheets, named by words or staff number; twice changes nothing. Raises PersonUnclearError."""
    session = context.session
    _lock(session, assessment_id, duty_scope)
    person = get_named_person(session, named, duty_scope.write)
    if person.state == PersonState.LEFT:
        raise InvalidDutyError(f"“{person.name}”已经离开名册，不能评审。请另选评审人。")
    row = insert(AssessmentReviewer).values(assessment_id=assessment_id, person_id=person.id, added_at=context.now)
    session.execute(row.on_conflict_do_nothing())
    _note(context, "duties.add_reviewer", assessment_id, person_id=person.id)
    return person


def remove_reviewer(context: ActionContext, *, assessment_id: int, person_id: int, duty_scope: DutyScope) -> None:
    """Wait for a reviewer no longer: what was given stays and counts, and so does who gave it."""
    session = context.session
    _lock(session, assessment_id, duty_scope)
    reviewed = session.scalar(
        select(func.count(distinct(AssessmentReview.sheet_id)))
        .join(AssessmentSheet, AssessmentSheet.id == AssessmentReview.sheet_id)
        .where(AssessmentSheet.assessment_id == assessment_id, AssessmentReview.reviewer_id == person_id)
    )
    session.execute(
        delete(AssessmentReviewer).where(
            AssessmentReviewer.assessment_id == assessment_id, AssessmentReviewer.person_id == person_id
        )
    )
    _note(context, "duties.remove_reviewer", assessment_id, person_id=person_id, sheets=reviewed)


def _lock(session: Session, assessment_id: int, duty_scope: DutyScope) -> Assessment:
    _check_office(duty_scope)
    return get_assessment(session, assessment_id, has_lock=True)


def _lock_draft(session: Session, assessment_id: int, version: int, duty_scope: DutyScope) -> Assessment:
    assessment = _lock(session, assessment_id, duty_scope)
    if assessment.state != AssessmentState.DRAFT:
        raise ConflictError("考核已经开始，评分表不能再改，以免各单位标准不一。")
    _check_version(assessment, version)
    return assessment


def _check_office(duty_scope: DutyScope) -> None:
    if not duty_scope.is_office:
        raise NotFoundError


def _check_version(assessment: Assessment, version: int) -> None:
    if assessment.version != version:
        raise ConflictError("考核方案刚才已被他人修改。请刷新页面，看过新的内容后再办。")


def _touch(assessment: Assessment, *, now: datetime) -> None:
    assessment.version += 1
    assessment.updated_at = now


def _note(
    context: ActionContext, act: str, assessment_id: int, *, person_id: int | None = None, sheets: int | None = None
) -> None:
    details = {} if sheets is None else {"sheets": sheets}
    record(context, act, object_type="duty_assessment", object_id=assessment_id, person_id=person_id, details=details)
