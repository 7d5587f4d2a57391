"""Freezing an exam's roster: a moment is declared, the roster of that moment written down, corrected only in the open, or given up."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import case, delete, func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_new
from sqlalchemy.orm import Session

from examapp.delivery.exams.actions import lock_exam
from examapp.delivery.exams.models import (
    Exam,
    ExamKind,
    ExamState,
    RosterCorrection,
    RosterSnapshotPerson,
    RosterSnapshotUnit,
)
from examapp.errors import ConflictError, DomainError
from examapp.jobs.publisher import enqueue_after_commit
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.oversight.roster_snapshots.queries import Difference, list_differences, select_roster
from examapp.oversight.roster_snapshots.rules import StatedPlace, find_moment_issue
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "roster_snapshots.accept_correction": "采纳名册更正",
    "roster_snapshots.schedule": "定下名册冻结时间",
    "roster_snapshots.remove": "解除名册冻结",
    "roster_snapshots.create": "冻结名册",
}

TASK = "roster_snapshots.create"
_UNIT_COLUMNS = ("code", "name", "kind", "parent_id", "sector_parent_id", "region_path", "sector_path", "closed_at")


class InvalidSnapshotError(DomainError):
    """A roster cannot be frozen, corrected or given up so; the message says what to do."""

    code = "freeze_refused"


def schedule_snapshot(context: ActionContext, *, exam_id: int, moment: datetime | None, access: AccessScope) -> Exam:
    """Declare the moment whose roster an exam's figures will stand on; one that has come is taken at once by a worker.

    Raises NotFoundError outside the access scope, ConflictError where a roster is frozen already, InvalidSnapshotError.
    """
    exam = lock_exam(context.session, exam_id, access)
    if exam.state != ExamState.PUBLISHED:
        raise InvalidSnapshotError("考试还没有发布，不能冻结名册。请先发布考试。")
    if exam.snapshot_created_at is not None:
        raise ConflictError("名册已经冻结。要换时间的，请先解除冻结，再重新冻结。")
    if moment is None:
        raise InvalidSnapshotError("请填写冻结时间。")
    if issue := find_moment_issue(moment, now=context.now):
        raise InvalidSnapshotError(issue)
    exam.snapshot_due_at = moment
    _note(context, "roster_snapshots.schedule", exam, details={"moment": moment.isoformat()})
    if moment <= context.now:
        enqueue_after_commit(context.session, TASK, exam.id)
    return exam


def create_snapshot(context: ActionContext, exam_id: int) -> bool:
    """Write an exam's roster of its declared moment down, once; False where there is nothing to do.

    The units are kept with their names and places, each person with unit, rank, position, exemption or deferral.
    """
    session, now = context.session, context.now
    locked = select(Exam).where(Exam.id == exam_id).with_for_update(skip_locked=True, key_share=True)
    exam = session.scalar(locked.execution_options(populate_existing=True))
    if exam is None or exam.state != ExamState.PUBLISHED or exam.snapshot_created_at is not None:
        return False
    due_at = exam.snapshot_due_at
    if due_at is None and exam.has_snapshot_at_close and exam.kind != ExamKind.MOCK:
        due_at = exam.closes_at
    if due_at is None or due_at > now:
        return False
    exam.snapshot_due_at = due_at
    columns = [getattr(Unit, name) for name in _UNIT_COLUMNS]
    session.execute(
        insert(RosterSnapshotUnit).from_select(
            ["exam_id", "unit_id", *_UNIT_COLUMNS], select(literal(exam.id), Unit.id, *columns)
        )
    )
    roster = select_roster(session, exam, at=exam.snapshot_due_at, is_present=False).subquery("roster")
    session.execute(
        insert(RosterSnapshotPerson).from_select(
            ["exam_id", "person_id", "unit_id", "rank", "position", "excuse"], select(literal(exam.id), roster)
        )
    )
    count = session.scalar(select(func.count()).where(RosterSnapshotPerson.exam_id == exam.id))
    exam.snapshot_created_at, exam.corrections, exam.updated_at = now, 0, now
    kept: dict[str, object] = {"moment": exam.snapshot_due_at.isoformat(), "people": count}
    _note(context, "roster_snapshots.create", exam, details=kept)
    return True


def list_due_snapshots(session: Session, *, now: datetime) -> list[int]:
    """List the exams whose declared moment has come, or which have closed, and whose roster is not written down yet."""
    at_close = case((Exam.has_snapshot_at_close & (Exam.kind != ExamKind.MOCK), Exam.closes_at))
    due = select(Exam.id).where(
        func.coalesce(Exam.snapshot_due_at, at_close) <= now,
        Exam.snapshot_created_at.is_(None),
        Exam.state == ExamState.PUBLISHED,
    )
    return list(session.scalars(due.order_by(Exam.id)))


def remove_snapshot(context: ActionContext, *, exam_id: int, reason: str, access: AccessScope) -> None:
    """Give a frozen roster, or a moment that is still to come, up: figures stand on the present roster again.

    Accepted corrections stay in their log. Raises NotFoundError, ConflictError, InvalidSnapshotError without a reason.
    """
    session = context.session
    exam = lock_exam(session, exam_id, access)
    if exam.snapshot_due_at is None:
        raise ConflictError("名册没有冻结，不用解除。请刷新页面查看。")
    if not reason.strip():
        raise InvalidSnapshotError("请写明解除冻结的原因，会记入操作记录。")
    lost: dict[str, object] = {"moment": exam.snapshot_due_at.isoformat(), "reason": reason.strip()}
    lost["corrections"] = exam.corrections
    session.execute(delete(RosterSnapshotPerson).where(RosterSnapshotPerson.exam_id == exam.id))
    session.execute(delete(RosterSnapshotUnit).where(RosterSnapshotUnit.exam_id == exam.id))
    exam.snapshot_due_at, exam.snapshot_created_at, exam.corrections, exam.updated_at = None, None, 0, context.now
    exam.has_snapshot_at_close = False
    _note(context, "roster_snapshots.remove", exam, details=lost)


def accept_correction(
    context: ActionContext,
    *,
    exam_id: int,
    person_id: int,
    stated: StatedPlace | None,
    reason: str,
    access: AccessScope,
) -> None:
    """Take one open correction into the frozen roster, as it was shown; the figures follow at once.

    Raises NotFoundError, and ConflictError where a colleague was quicker or the person has moved on since the page was shown.
    """
    session, now = context.session, context.now
    exam = lock_exam(session, exam_id, access)
    if exam.snapshot_created_at is None:
        raise ConflictError("名册没有冻结，变动直接计入各表，不用采纳。请刷新页面查看。")
    found = list_differences(session, exam, now=now, person_id=person_id)
    if not found:
        raise ConflictError("这条更正已经办理过，或变动已经撤销。请刷新页面查看。")
    change = found[0]
    if stated != StatedPlace(unit_id=change.new_unit_id, excuse=change.new_excuse):
        raise ConflictError(f"{change.name}的情况在您打开页面之后又有变化。请刷新页面，核对后再采纳。")
    _write(session, exam, change)
    session.add(
        RosterCorrection(
            exam_id=exam.id,
            person_id=person_id,
            old_unit_id=change.old_unit_id,
            old_excuse=change.old_excuse,
            new_unit_id=change.new_unit_id,
            new_excuse=change.new_excuse,
            reason=reason.strip(),
            accepted_by_id=context.actor.person_id,
            accepted_at=now,
        )
    )
    exam.corrections, exam.updated_at = exam.corrections + 1, now
    places = {key: value for key, value in asdict(change).items() if key.endswith(("unit_id", "excuse"))}
    _note(
        context,
        "roster_snapshots.accept_correction",
        exam,
        details={**places, "reason": reason.strip()},
        person_id=person_id,
    )


def _write(session: Session, exam: Exam, change: Difference) -> None:
    if change.new_unit_id is None:
        session.execute(
            delete(RosterSnapshotPerson).where(
                RosterSnapshotPerson.exam_id == exam.id, RosterSnapshotPerson.person_id == change.person_id
            )
        )
        return
    _keep_place(session, exam, change.new_unit_id)
    person = session.get_one(Person, change.person_id)
    facts = {
        "unit_id": change.new_unit_id,
        "excuse": change.new_excuse,
        "rank": person.rank,
        "position": person.position,
    }
    session.execute(
        insert_new(RosterSnapshotPerson)
        .values(exam_id=exam.id, person_id=change.person_id, **facts)
        .on_conflict_do_update(index_elements=["exam_id", "person_id"], set_=facts)
    )


def _keep_place(session: Session, exam: Exam, unit_id: int) -> None:
    """Write a unit that was founded after the freeze, and those above it, into the frozen trees; what stands there stays."""
    unit = session.get_one(Unit, unit_id)
    paths = f"{unit.region_path}{unit.sector_path or ''}"
    above = [int(part) for part in paths.split("/") if part]
    columns = [getattr(Unit, name) for name in _UNIT_COLUMNS]
    session.execute(
        insert_new(RosterSnapshotUnit)
        .from_select(
            ["exam_id", "unit_id", *_UNIT_COLUMNS],
            select(literal(exam.id), Unit.id, *columns).where(Unit.id.in_(above)),
        )
        .on_conflict_do_nothing()
    )


def _note(
    context: ActionContext, act: str, exam: Exam, *, details: dict[str, object], person_id: int | None = None
) -> None:
    record(context, act, object_type="exam", object_id=exam.id, person_id=person_id, details=details)
