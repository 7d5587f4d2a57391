"""Exemptions and deferrals: asked for by a unit, decided by the office."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import ConflictError, DomainError, NotFoundError
from examapp.exams.models import Exam, ExamState, Exemption, ExemptionKind
from examapp.org.models import Unit
from examapp.people.models import Person
from examapp.people.queries import within
from examapp.people.rules import Reach


class ExemptionRefusedError(DomainError):
    """An exemption cannot be asked for or decided so."""

    code = "exemption_refused"


def request_exemption(
    session: Session,
    *,
    exam_id: int,
    person_id: int,
    kind: ExemptionKind,
    reason: str,
    reach: Reach,
    actor: Actor,
    now: datetime,
) -> Exemption:
    """Ask for a person's exemption or deferral; raises NotFoundError outside the reach, ExemptionRefusedError where one is pending or stands."""
    _get_person(session, person_id, reach)
    exam = session.get(Exam, exam_id)
    if exam is None or exam.state != ExamState.PUBLISHED:
        raise NotFoundError
    if not reason.strip():
        raise ExemptionRefusedError("请填写申请原因。")
    exemption_id = session.scalar(
        insert(Exemption)
        .values(
            exam_id=exam_id,
            person_id=person_id,
            kind=kind,
            reason=reason.strip(),
            requested_by_id=actor.person_id,
            requested_at=now,
            answer="",
        )
        .on_conflict_do_nothing(
            index_elements=["exam_id", "person_id"],
            index_where=text("withdrawn_at IS NULL AND refused_at IS NULL"),
        )
        .returning(Exemption.id)
    )
    if exemption_id is None:
        raise ExemptionRefusedError("此人在这场考试中已有申请，请在列表中查看；需要改动时先撤回原申请。")
    row = session.get_one(Exemption, exemption_id)
    _record(session, "exams.request_exemption", row, actor=actor, now=now)
    return row


def approve_exemption(
    session: Session, *, exemption_id: int, answer: str = "", reach: Reach, actor: Actor, now: datetime
) -> Exemption:
    """Approve a pending request: from now on the person is not counted as eligible. Nobody decides on their own."""
    row = _lock_pending(session, exemption_id, reach, actor)
    row.approved_at, row.approved_by_id, row.answer = now, actor.person_id, answer
    _record(session, "exams.approve_exemption", row, actor=actor, now=now)
    return row


def refuse_exemption(
    session: Session, *, exemption_id: int, answer: str, reach: Reach, actor: Actor, now: datetime
) -> Exemption:
    """Refuse a pending request, with a reason for the unit."""
    row = _lock_pending(session, exemption_id, reach, actor)
    if not answer.strip():
        raise ExemptionRefusedError("不同意时请写明理由，便于单位告知本人。")
    row.refused_at, row.answer = now, answer.strip()
    _record(session, "exams.refuse_exemption", row, actor=actor, now=now)
    return row


def withdraw_exemption(
    session: Session, *, exemption_id: int, is_decider: bool, reach: Reach, actor: Actor, now: datetime
) -> Exemption:
    """Take a request back; one that is approved already only by those who may decide."""
    row = _lock(session, exemption_id, reach)
    if row.withdrawn_at is not None or row.refused_at is not None:
        raise ConflictError
    if row.approved_at is not None and not is_decider:
        raise ExemptionRefusedError("申请已经批准，如需撤销请联系普法办。")
    row.withdrawn_at = now
    _record(session, "exams.withdraw_exemption", row, actor=actor, now=now)
    return row


def _lock_pending(session: Session, exemption_id: int, reach: Reach, actor: Actor) -> Exemption:
    row = _lock(session, exemption_id, reach)
    if row.approved_at is not None or row.refused_at is not None or row.withdrawn_at is not None:
        raise ConflictError("这份申请已经处理过，请刷新页面查看。")
    if row.person_id == actor.person_id:
        raise ExemptionRefusedError("不能审批自己的申请，请由其他同事办理。")
    return row


def _lock(session: Session, exemption_id: int, reach: Reach) -> Exemption:
    row = session.scalar(
        select(Exemption)
        .join(Person, Exemption.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Exemption.id == exemption_id, within(reach))
        .with_for_update(of=Exemption)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFoundError
    return row


def _get_person(session: Session, person_id: int, reach: Reach) -> Person:
    person = session.scalar(
        select(Person).join(Unit, Person.unit_id == Unit.id).where(Person.id == person_id, within(reach))
    )
    if person is None:
        raise NotFoundError
    return person


def _record(session: Session, act: str, row: Exemption, *, actor: Actor, now: datetime) -> None:
    record(
        session,
        act,
        actor=actor,
        now=now,
        object_type="exemption",
        object_id=row.id,
        person_id=row.person_id,
        details={"exam_id": row.exam_id, "kind": row.kind},
    )
