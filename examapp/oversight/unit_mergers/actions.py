"""Units merged, split and renamed: people, sub-units, audiences, roles and history go where they belong, in one act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.delivery.exams.models import Exam, ExamAudience, ExamState
from examapp.delivery.exams.queries import ON_ROSTER, audience_clause, blueprint_of, concerns
from examapp.errors import ConflictError, DomainError
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState, RoleGrant, RosterMove
from examapp.organisation.roster_moves.queries import OFF_ROSTER_MOVE
from examapp.organisation.units.actions import UnitFacts, create_unit, edit_unit
from examapp.organisation.units.models import AREA_KINDS, Unit, UnitKind
from examapp.organisation.units.rules import DEEPEST_LEVEL, level_of
from examapp.oversight.roster_snapshots.actions import create_snapshot
from examapp.oversight.unit_mergers.models import UnitChange, UnitChangeKind
from examapp.oversight.unit_mergers.queries import Consequences, get_consequences
from examapp.platform.audit.actions import SYSTEM, ActionContext, record

AUDIT_ACTS = {"unit_mergers.merge": "合并单位", "unit_mergers.rename": "单位更名", "unit_mergers.split": "分设单位"}


class InvalidMergerError(DomainError):
    """Units cannot be merged, split or renamed so; the message says what to do."""

    code = "merger_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUnit:
    """The unit that is split off: code, name, and the staff numbers of who goes there."""

    code: str
    name: str
    staff_numbers: tuple[str, ...]


def merge_units(context: ActionContext, source: Unit, target: Unit, *, reason: str, seen: str) -> Consequences:
    """Merge a unit into another: people and sub-units go over, the old one is closed below the new one, its name stays with old exams.

    `seen` is the mark of the consequences that the office was shown. Raises InvalidMergerError, ConflictError where they are others by
    now, InvalidUnitError where the tree would become too deep.
    """
    session, now = context.session, context.now
    _validate_pair(session, source, target)
    consequences = get_consequences(session, source, now=now)
    if consequences.mark != seen:
        raise ConflictError("预览之后情况又有变化，没有合并。请核对下面最新的结果，再办理。")
    _keep_closed_exams(session, source, now=now)
    audiences = _Audiences(session, source, now=now)
    _hang_children(context, source, target)
    people = session.scalars(
        select(Person).where(Person.unit_id == source.id, Person.state != PersonState.LEFT).with_for_update()
    ).all()
    _move(context, people, target, kind="merge", note=f"{source.name}并入{target.name}")
    ended = _end_grants(session, source, now=now)
    above = target.id if level_of(target.region_path) < DEEPEST_LEVEL else target.parent_id
    edit_unit(context, source, replace(facts_of(source), parent_id=above))
    source.closed_at, source.successor_id = now, target.id
    session.flush()
    audiences.keep(session, follow_to=target, replaces=True)
    _write_down(
        context,
        UnitChangeKind.MERGE,
        source,
        other=target,
        reason=reason,
        facts={"people": len(people), "ended_grants": ended},
    )
    return consequences


def split_unit(context: ActionContext, source: Unit, new: NewUnit, *, reason: str) -> Unit:
    """Split a new unit off, beside the old one in both trees, with the people that are named; audiences that name the old one name both.

    Raises InvalidMergerError with the staff numbers that are not of the old unit, InvalidUnitError.
    """
    session, now = context.session, context.now
    people = session.scalars(
        select(Person)
        .where(Person.unit_id == source.id, Person.staff_number.in_(new.staff_numbers), ON_ROSTER)
        .with_for_update()
    ).all()
    missing = sorted(set(new.staff_numbers) - {person.staff_number for person in people})
    if source.closed_at is not None:
        raise InvalidMergerError("单位已经撤销，不能分设。请刷新页面查看。")
    if missing:
        listed = "、".join(missing[:10]) + ("等" if len(missing) > 10 else "")
        raise InvalidMergerError(f"有 {len(missing)} 个工号不在“{source.name}”名册里：{listed}。请核对后重填。")
    _keep_closed_exams(session, source, now=now)
    audiences = _Audiences(session, source, now=now)
    facts = replace(facts_of(source), code=new.code, name=new.name, uscc=None)
    unit = create_unit(context, facts)
    _move(context, people, unit, kind="split", note=f"从{source.name}分设")
    audiences.keep(session, follow_to=unit, replaces=False)
    _write_down(context, UnitChangeKind.SPLIT, source, other=unit, reason=reason, facts={"people": len(people)})
    return unit


def rename_unit(context: ActionContext, unit: Unit, name: str, *, reason: str) -> None:
    """Give a unit a new name from now on; exams that have closed keep the old one. Raises InvalidMergerError."""
    if unit.closed_at is not None:
        raise InvalidMergerError("单位已经撤销，不能更名。")
    if name == unit.name:
        raise InvalidMergerError("新名称和现在的名称一样，请核对。")
    _keep_closed_exams(context.session, unit, now=context.now)
    old = unit.name
    edit_unit(context, unit, replace(facts_of(unit), name=name))
    facts: dict[str, object] = {"old_name": old, "new_name": name}
    _write_down(context, UnitChangeKind.RENAME, unit, other=None, reason=reason, facts=facts)


def facts_of(unit: Unit) -> UnitFacts:
    """Give what is written down about a unit."""
    return UnitFacts(**{name: getattr(unit, name) for name in UnitFacts.__dataclass_fields__})


def _validate_pair(session: Session, source: Unit, target: Unit) -> None:
    for unit in sorted((source, target), key=lambda unit: unit.id):
        session.refresh(unit, with_for_update=True)
    if source.id == target.id:
        raise InvalidMergerError("不能并入自己，请选择另一个单位。")
    if source.closed_at is not None:
        raise ConflictError(f"“{source.name}”已经撤销或合并过，请刷新页面查看。")
    if target.closed_at is not None:
        raise InvalidMergerError(f"“{target.name}”已撤销，请选择其他单位。")
    if target.region_path.startswith(source.region_path):
        raise InvalidMergerError("不能并入自己的下级单位。请先把那个单位划到别的上级。")
    if source.kind in {*AREA_KINDS, UnitKind.SECTOR} or target.kind == "sector":
        raise InvalidMergerError("只有实有单位之间可以合并，省、地市、县和系统不能合并。")


def _hang_children(context: ActionContext, source: Unit, target: Unit) -> None:
    """Hang what is below a unit below the other one in both trees; that one takes the old one's place in a sector where it has none."""
    for child in context.session.scalars(select(Unit).where(Unit.parent_id == source.id)).all():
        edit_unit(context, child, replace(facts_of(child), parent_id=target.id))
    of_sector = context.session.scalars(select(Unit).where(Unit.sector_parent_id == source.id)).all()
    if of_sector and target.sector_path is None:
        facts = replace(facts_of(target), sector_parent_id=source.sector_parent_id)
        edit_unit(context, target, facts)
    for child in of_sector:
        edit_unit(context, child, replace(facts_of(child), sector_parent_id=target.id))


def _keep_closed_exams(session: Session, unit: Unit, *, now: datetime) -> None:
    """Freeze the rosters of exams that have closed and concern a unit, so that the old names and figures stay with them."""
    here = AccessScope(is_everything=False, region_paths=(unit.region_path,))
    closed = session.scalars(
        select(Exam).where(
            Exam.state == ExamState.PUBLISHED, Exam.closes_at <= now, Exam.snapshot_created_at.is_(None), concerns(here)
        )
    ).all()
    for exam in closed:
        exam.snapshot_due_at = (
            exam.snapshot_due_at if exam.snapshot_due_at is not None and exam.snapshot_due_at <= now else now
        )
        session.flush()
        if not create_snapshot(ActionContext(session, SYSTEM, now), exam.id):
            raise ConflictError(f"《{exam.title}》正在由别人办理，没有改动。请稍后再试。")


class _Audiences:
    """The audiences of exams that have not closed, before a unit's people move; `keep` makes them hold the same people after it."""

    def __init__(self, session: Session, source: Unit, *, now: datetime) -> None:
        self._source_id, self._path, self._now = source.id, source.region_path, now
        self._exams = session.scalars(
            select(Exam).where(
                or_(Exam.state == ExamState.DRAFT, (Exam.state == ExamState.PUBLISHED) & (Exam.closes_at > now))
            )
        ).all()
        self._before = {exam.id: self._members(session, exam) for exam in self._exams if exam.opens_at <= now}

    def _members(self, session: Session, exam: Exam, ids: Sequence[int] | None = None) -> dict[int, int | None]:
        """Give the people of the unit's subtree, or those of `ids`, who belong to an exam, with the blueprint that is theirs."""
        whose = Unit.region_path.startswith(self._path) if ids is None else Person.id.in_(ids)
        rows = session.execute(
            select(Person.id, blueprint_of(exam.id, None).label("blueprint_id"))
            .join(Unit, Unit.id == Person.unit_id)
            .where(ON_ROSTER, whose, audience_clause(session, exam))
        )
        return {row.id: row.blueprint_id for row in rows}

    def keep(self, session: Session, *, follow_to: Unit, replaces: bool) -> None:
        """Name one by one who would fall out of an exam that has opened; in one that has not, the audience follows to the new unit."""
        for exam in self._exams:
            if exam.opens_at > self._now:
                self._follow(session, exam, follow_to, replaces=replaces)
                continue
            before = self._before[exam.id]
            after = self._members(session, exam, ids=list(before))
            for person_id in before.keys() - after.keys():
                session.add(
                    ExamAudience(exam_id=exam.id, person_id=person_id, ranks=[], blueprint_id=before[person_id])
                )
        session.flush()

    def _follow(self, session: Session, exam: Exam, to: Unit, *, replaces: bool) -> None:
        for name in ("unit_id", "sector_unit_id"):
            column = getattr(ExamAudience, name)
            parts = session.scalars(
                select(ExamAudience).where(ExamAudience.exam_id == exam.id, column == self._source_id)
            ).all()
            for part in parts:
                if replaces:
                    setattr(part, name, to.id)
                    continue
                values = {key: getattr(part, key) for key in ("unit_id", "sector_unit_id", "ranks", "blueprint_id")}
                session.add(ExamAudience(exam_id=exam.id, **(values | {name: to.id})))


def _move(context: ActionContext, people: Sequence[Person], to: Unit, *, kind: str, note: str) -> None:
    session, now = context.session, context.now
    if not people:
        return
    moves = [
        {
            "person_id": person.id,
            "kind": kind if person.state == PersonState.ON_ROSTER else OFF_ROSTER_MOVE,
            "from_unit_id": person.unit_id,
            "to_unit_id": to.id,
            "effective_on": day_of(now),
            "recorded_at": now,
            "recorded_by_id": context.actor.person_id,
            "note": note,
        }
        for person in people
    ]
    session.execute(insert(RosterMove), moves)
    session.execute(
        update(Person).where(Person.id.in_([person.id for person in people])).values(unit_id=to.id, updated_at=now)
    )
    session.flush()


def _end_grants(session: Session, source: Unit, *, now: datetime) -> list[int]:
    """End the roles over a unit that is merged away: who takes it over reaches its people and its history already."""
    live = or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now)
    ended = session.scalars(
        update(RoleGrant).where(RoleGrant.unit_id == source.id, live).values(ends_at=now).returning(RoleGrant.id)
    )
    return sorted(ended)


def _write_down(
    context: ActionContext,
    kind: UnitChangeKind,
    unit: Unit,
    *,
    other: Unit | None,
    reason: str,
    facts: dict[str, object],
) -> None:
    if not reason.strip():
        raise InvalidMergerError("请写明依据或原因，例如：县委编办〔2026〕12 号文。")
    row = UnitChange(
        kind=kind,
        unit_id=unit.id,
        other_unit_id=other.id if other else None,
        unit_name=str(facts.get("old_name", unit.name)),
        other_name=str(facts.get("new_name", other.name if other else "")),
        people=int(str(facts.get("people", 0))),
        effective_on=day_of(context.now),
        reason=reason.strip(),
        changed_by_id=context.actor.person_id,
        changed_at=context.now,
    )
    context.session.add(row)
    context.session.flush()
    details = {**facts, "other_unit_id": row.other_unit_id, "reason": row.reason}
    record(context, f"unit_mergers.{kind}", object_type="unit", object_id=unit.id, details=details)
