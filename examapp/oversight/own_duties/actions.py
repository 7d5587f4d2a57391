"""Remind who answers for an item: once before it is due, once when it is overdue, and whenever somebody asks, once a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.organisation.people.models import Person
from examapp.oversight.assessments.models import DutyReminder
from examapp.oversight.duty_lists.actions import InvalidDutyError
from examapp.oversight.duty_lists.models import DutyItem
from examapp.oversight.duty_lists.queries import DutyScope, get_item
from examapp.oversight.own_duties.queries import list_due_items, people_answering
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from examapp.platform.outgoing_messages.actions import send_out

AUDIT_ACTS = {"duties.remind_due": "自动提醒到期普法事项", "duties.remind_of": "提醒普法事项"}

BEFORE = timedelta(days=7)
"""How long before the due date the first reminder goes out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderStage:
    """What a reminder is about: a stage and the day it belongs to, so that it goes out once."""

    name: str
    for_day: date


def remind_due(session: Session, *, now: datetime) -> int:
    """Remind of every item that is due within 7 days or overdue, each stage once; safe to run twice. Gives how many reminders are new."""
    today = day_of(now)
    due = [(item, unit) for item, unit in list_due_items(session, today=today) if _stage(item, today) is not None]
    answering = people_answering(session, due)
    new: Counter[int] = Counter()
    for item, _ in due:
        stage = _stage(item, today)
        assert stage is not None
        new.update(person.id for person in _send(ActionContext(session, SYSTEM, now), item, answering[item.id], stage))
    for person_id, count in new.items():
        text = f"您负责的普法责任清单事项有 {count} 项即将到期或已逾期，请登录学法考试平台，在首页“待办事项”中查看。"
        once_key = f"duties.due:{today}:{person_id}"
        send_out(session, person_id=person_id, kind="duties.remind", text=text, once_key=once_key, now=now)
    sent = new.total()
    if sent:
        record(
            ActionContext(session, SYSTEM, now), "duties.remind_due", object_type="duty_item", details={"sent": sent}
        )
    return sent


def _stage(item: DutyItem, today: date) -> ReminderStage | None:
    if item.due_on is None or item.due_on - today > BEFORE:
        return None
    return ReminderStage(name="overdue" if item.due_on < today else "soon", for_day=item.due_on)


def remind_of(context: ActionContext, *, item_id: int, duty_scope: DutyScope) -> list[str]:
    """Remind of one item that is not done, once a day; gives the names of who was reminded."""
    session, now = context.session, context.now
    item = get_item(session, item_id, duty_scope)
    open_items = list_due_items(session, today=day_of(now), item_ids=[item_id])
    if not open_items:
        raise InvalidDutyError("这一项已经完成，或清单还没有公布，不用提醒。")
    people = people_answering(session, open_items)[item_id]
    if not people:
        raise InvalidDutyError(
            f"责任人“{item.person or '未填'}”在本单位名册中找不到，或有同名的人。请在清单中写成“姓名（工号）”后再提醒。"
        )
    reminded = _send(context, item, people, ReminderStage(name="asked", for_day=day_of(now)))
    if not reminded:
        raise InvalidDutyError("今天已经提醒过了，责任人登录后会在首页看到。")
    for person in reminded:
        text = f"请尽快落实您负责的普法事项“{item.content[:40]}”，完成后告知本单位管理员登记。"
        once_key = f"duties.asked:{item_id}:{person.id}:{day_of(now)}"
        send_out(session, person_id=person.id, kind="duties.remind", text=text, once_key=once_key, now=now)
    record(context, "duties.remind_of", object_type="duty_item", object_id=item_id)
    return [person.name for person in reminded]


def _send(context: ActionContext, item: DutyItem, people: Sequence[Person], stage: ReminderStage) -> list[Person]:
    """Put reminders down; gives whom this stage had not reached yet."""
    reached = []
    for person in people:
        row = insert(DutyReminder).values(
            item_id=item.id,
            person_id=person.id,
            stage=stage.name,
            for_day=stage.for_day,
            requested_by_id=context.actor.person_id,
            created_at=context.now,
        )
        if context.session.scalar(row.on_conflict_do_nothing().returning(DutyReminder.id)) is not None:
            reached.append(person)
    return reached
