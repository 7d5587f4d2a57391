"""What concerns a person in the responsibility system: items answered for, reviews and decisions that wait."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ARRAY, CTE, BigInteger, ColumnElement, ScalarSelect, Select, cast, exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from examapp.clock import day_of, local
from examapp.delivery.exams.models import Exam, ExamKind, ExamState
from examapp.errors import ConflictError, NotFoundError
from examapp.learning.study_events.queries import EventFilter, list_figures
from examapp.learning.study_events.rules import EventFigures
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Tree, Unit
from examapp.organisation.units.queries import successor_of
from examapp.oversight.assessments.models import (
    Assessment,
    AssessmentItem,
    AssessmentReview,
    AssessmentReviewer,
    AssessmentSheet,
    DutyReminder,
)
from examapp.oversight.assessments.queries import UnitScoreSheet, find_sheet_row, whole_sheet
from examapp.oversight.assessments.rules import AssessmentState, Indicator, SheetState
from examapp.oversight.duty_lists.models import DutyItem, DutyList, DutyRecord
from examapp.oversight.duty_lists.queries import DutyScope, ItemRow, find_list, item_rows
from examapp.oversight.duty_lists.rules import SOON, DutyListState, Progress, is_named, names_in, progress_of
from examapp.oversight.event_statistics.queries import list_events_off_list
from examapp.oversight.statistics.queries import get_unit_table
from examapp.oversight.statistics_definitions.rules import Counts
from examapp.oversight.statistics_scope.queries import get_report_context


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnItem:
    """An item that somebody answers for, and how far it has come."""

    item: DutyItem
    unit: Unit
    progress: Progress
    reminded_on: date | None


def _open_items(*conditions: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    done = exists().where(DutyRecord.item_id == DutyItem.id, DutyRecord.withdrawn_at.is_(None))
    return [DutyItem.withdrawn_at.is_(None), DutyList.published_at.is_not(None), ~done, *conditions]


def list_own_items(session: Session, person_id: int, year: int, *, today: date) -> list[OwnItem]:
    """List the items of a year that a person answers for by due date: named in a list of a unit that he or she is in or below.

    Lists of units that were merged into one of these are among them.
    """
    person, path = session.execute(
        select(Person, Unit.region_path).join(Unit, Unit.id == Person.unit_id).where(Person.id == person_id)
    ).one()
    first = (
        select(func.min(DutyRecord.done_on))
        .where(DutyRecord.item_id == DutyItem.id, DutyRecord.withdrawn_at.is_(None))
        .correlate(DutyItem)
        .scalar_subquery()
    )
    reminded = (
        select(func.max(DutyReminder.created_at))
        .where(DutyReminder.item_id == DutyItem.id, DutyReminder.person_id == person_id)
        .correlate(DutyItem)
        .scalar_subquery()
    )
    rows = session.execute(
        select(DutyItem, Unit, first, reminded)
        .join(DutyList, DutyList.id == DutyItem.list_id)
        .join(Unit, Unit.id == DutyList.unit_id)
        .where(
            DutyList.year == year,
            DutyList.published_at.is_not(None),
            DutyItem.withdrawn_at.is_(None),
            DutyItem.person.contains(person.name, autoescape=True),
            Unit.id.in_(_with_merged(select(Unit.id).where(Unit.id.in_(_ids_of(path))))),
        )
        .order_by(DutyItem.due_on.asc().nulls_last(), DutyItem.id)
    )
    return [
        OwnItem(
            item=item,
            unit=unit,
            progress=progress_of(item.due_on, done_on, today=today),
            reminded_on=None if reminded_at is None else day_of(reminded_at),
        )
        for item, unit, done_on, reminded_at in rows
        if is_named(item.person, person.name, person.staff_number)
    ]


def get_own_item(session: Session, person_id: int, item_id: int, *, today: date) -> OwnItem:
    """Get an item of this year or the last that names a person; raises NotFoundError, and ConflictError where it may name a namesake."""
    for year in (today.year, today.year - 1):
        for own in list_own_items(session, person_id, year, today=today):
            if own.item.id == item_id:
                _ensure_not_namesake(session, own, person_id)
                return own
    raise NotFoundError


def _ensure_not_namesake(session: Session, own: OwnItem, person_id: int) -> None:
    if person_id not in {person.id for person in people_answering(session, [(own.item, own.unit)])[own.item.id]}:
        raise ConflictError("本单位有同名的人，分不清由谁负责。请本单位管理员在清单中写成“姓名（工号）”后再登记。")


def _with_merged(unit_ids: Select[int]) -> Select[int]:
    """Select units and all that were merged into them: their lists stay, and the people who answer are over there (decision 0019)."""
    units = unit_ids.cte("answering_units", recursive=True)
    successors = aliased(Unit, name="merged_away")
    units = units.union(select(successors.id).join(units, successors.successor_id == units.c[0]))
    return select(units.c[0])


def _ids_of(path: str) -> list[int]:
    return [int(part) for part in path.split("/") if part]


def list_due_items(
    session: Session, *, today: date, item_ids: Iterable[int] | None = None
) -> list[tuple[DutyItem, Unit]]:
    """List undone items of published lists that are overdue or due within 30 days; or named ones, whatever their day."""
    wanted = DutyItem.due_on <= today + SOON if item_ids is None else DutyItem.id.in_(list(item_ids))
    rows = session.execute(
        select(DutyItem, Unit)
        .join(DutyList, DutyList.id == DutyItem.list_id)
        .join(Unit, Unit.id == DutyList.unit_id)
        .where(*_open_items(wanted))
        .order_by(DutyItem.id)
    )
    return [(item, unit) for item, unit in rows]


def people_answering(session: Session, items: list[tuple[DutyItem, Unit]]) -> dict[int, list[Person]]:
    """Find for items who is named in them: on the roster of the unit's subtree; one of several with the same name only by staff number.

    The people of a unit that was merged away are looked for where they went.
    """
    names = {name for item, _ in items for name, _ in names_in(item.person)}
    rows = session.execute(
        select(Person, Unit.region_path)
        .join(Unit, Unit.id == Person.unit_id)
        .where(Person.name.in_(names), Person.state == PersonState.ON_ROSTER)
    )
    by_name: dict[str, list[tuple[Person, str]]] = defaultdict(list)
    for person, path in rows:
        by_name[person.name].append((person, path))
    paths = {unit.id: successor_of(session, unit).region_path for _, unit in items}
    return {item.id: _answering(item, paths[unit.id], by_name) for item, unit in items}


def _answering(item: DutyItem, region_path: str, by_name: dict[str, list[tuple[Person, str]]]) -> list[Person]:
    found = []
    for name, number in names_in(item.person):
        near = [person for person, path in by_name.get(name, []) if path.startswith(region_path)]
        exact = [person for person in near if not number or person.staff_number == number]
        if len(exact) == 1:
            found.append(exact[0])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much waits for a person in the responsibility system."""

    own_items: int
    """Items answered for that are overdue or due within 30 days."""
    reviews: int
    lists: int
    """Lists that wait for the office's approval."""
    sheets: int
    """Score sheets that a unit still has to fill in."""
    appeals: int
    is_vote_open: bool


def count_waiting(session: Session, person_id: int, duty_scope: DutyScope | None, *, today: date) -> Waiting:
    """Count what waits for a person, in one statement; `duty_scope` None for who keeps no list."""
    of_office = duty_scope.approve if duty_scope else None
    of_unit = duty_scope.write if duty_scope and of_office is None else None
    person = select(Person.name, Person.staff_number, Unit.region_path).join(Unit, Unit.id == Person.unit_id)
    user = person.where(Person.id == person_id).cte("who")
    named, name, number, reviews, lists, sheets, appeals, votes = session.execute(
        select(
            _named_in(user, today=today),
            user.c.name,
            user.c.staff_number,
            _reviews_waiting(person_id, user),
            _waiting(DutyList, DutyList.state == DutyListState.PROPOSED, of_office),
            _waiting(AssessmentSheet, AssessmentSheet.state == SheetState.SELF, of_unit),
            _waiting(AssessmentSheet, AssessmentSheet.state == SheetState.APPEALED, of_office),
            exists().where(
                Assessment.state == AssessmentState.OPEN,
                Assessment.vote_until >= today,
                AssessmentItem.assessment_id == Assessment.id,
                AssessmentItem.indicator == Indicator.VOTE,
            ),
        )
    ).one()
    return Waiting(
        own_items=sum(is_named(text, name, number) for text in named or []),
        reviews=reviews,
        lists=lists,
        sheets=sheets,
        appeals=appeals,
        is_vote_open=votes,
    )


def _named_in(user: CTE, *, today: date) -> ScalarSelect[list[str]]:
    """Select who answers, in words, of the open items in the lists of a person's units that may name that person."""
    above = cast(func.string_to_array(func.btrim(user.c.region_path, "/"), "/"), ARRAY(BigInteger))
    return (
        select(func.array_agg(DutyItem.person))
        .join(DutyList, DutyList.id == DutyItem.list_id)
        .where(
            DutyList.unit_id.in_(_with_merged(select(func.unnest(above).label("id")).select_from(user))),
            DutyList.year == today.year,
            *_open_items(DutyItem.due_on <= today + SOON, func.strpos(DutyItem.person, user.c.name) > 0),
        )
        .scalar_subquery()
    )


def _reviews_waiting(person_id: int, user: CTE) -> ScalarSelect[int]:
    given = exists().where(AssessmentReview.sheet_id == AssessmentSheet.id, AssessmentReview.reviewer_id == person_id)
    return (
        select(func.count(AssessmentSheet.id))
        .join(AssessmentReviewer, AssessmentReviewer.assessment_id == AssessmentSheet.assessment_id)
        .join(Unit, Unit.id == AssessmentSheet.unit_id)
        .where(
            AssessmentReviewer.person_id == person_id,
            AssessmentSheet.state == SheetState.SUBMITTED,
            ~user.c.region_path.startswith(Unit.region_path),
            ~given,
        )
        .scalar_subquery()
    )


def _waiting(
    kind: type[DutyList | AssessmentSheet], condition: ColumnElement[bool], access: AccessScope | None
) -> ColumnElement[int]:
    """Count lists or sheets in a state within an access scope; nothing without one, at no cost."""
    if access is None:
        return literal(0)
    query = select(func.count(kind.id)).join(Unit, Unit.id == kind.unit_id).where(condition, within(access))
    return query.scalar_subquery()


_SHOWN = {SheetState.FED_BACK, SheetState.APPEALED, SheetState.SEALED}
_COUNTED_KINDS = (ExamKind.ANNUAL, ExamKind.PRE_APPOINTMENT, ExamKind.ENFORCEMENT_QUALIFICATION)
_MAX_EXAMS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamLine:
    """An exam of the year with the unit's counts."""

    exam: Exam
    scope: str
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPage:
    """Everything on a unit's yearly page."""

    unit: Unit
    year: int
    duty_list: DutyList | None
    items: list[ItemRow]
    progress: Counter[Progress]
    records: int
    reached: int
    events: list[EventFigures]
    """The settled events of the unit and of those below it."""
    exams: list[ExamLine]
    sheet: UnitScoreSheet | None
    """The score sheet once it was fed back; None before."""


def unit_page(session: Session, unit: Unit, year: int, *, now: datetime) -> UnitPage:
    """Give the yearly page of a unit that was found within the access scope."""
    duty_list = find_list(session, unit.id, year)
    items = item_rows(session, duty_list.id, today=day_of(now)) if duty_list else []
    records, reached = _done(session, duty_list.id) if duty_list else (0, 0)
    off_list = list_events_off_list(session, unit.id, year)
    row = find_sheet_row(session, year, unit.id)
    return UnitPage(
        unit=unit,
        year=year,
        duty_list=duty_list,
        items=items,
        progress=Counter(item.progress for item in items),
        records=records + len(off_list),
        reached=reached + sum(event.present + event.outside for event in off_list),
        events=list_figures(session, AccessScope(is_everything=True), EventFilter(year=year, unit=unit)),
        exams=exam_lines(session, unit, year, now=now),
        sheet=_shown(session, row, now=now),
    )


def _done(session: Session, list_id: int) -> tuple[int, int]:
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(DutyRecord.reached), 0))
        .join(DutyItem, DutyItem.id == DutyRecord.item_id)
        .where(DutyItem.list_id == list_id, DutyRecord.withdrawn_at.is_(None))
    ).one()
    return row[0], int(row[1])


def _shown(session: Session, row: AssessmentSheet | None, *, now: datetime) -> UnitScoreSheet | None:
    return whole_sheet(session, row, now=now) if row is not None and row.state in _SHOWN else None


def exam_lines(session: Session, unit: Unit, year: int, *, now: datetime, tree: Tree = Tree.REGION) -> list[ExamLine]:
    """Give the counted exams of a year with the counts of a unit and all below it in a tree."""
    found = session.scalars(
        select(Exam)
        .where(
            Exam.state == ExamState.PUBLISHED,
            Exam.main_exam_id.is_(None),
            Exam.kind.in_(_COUNTED_KINDS),
            Exam.opens_at <= now,
        )
        .order_by(Exam.opens_at, Exam.id)
    )
    of_year = [exam for exam in found if local(exam.opens_at).year == year][:_MAX_EXAMS]
    lines = []
    for exam in of_year:
        report_context = get_report_context(session, exam.id, scope=None, now=now)
        table = get_unit_table(
            session, report_context, unit.id, tree=tree, depth=0, access=AccessScope(is_everything=True)
        )
        if table.total.roster:
            lines.append(ExamLine(exam=exam, scope=report_context.scope, counts=table.total))
    return lines
