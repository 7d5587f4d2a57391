"""Two admins at the same moment, with true commits: one does it, the other is told."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select

from examapp import clock
from examapp.db.session import transaction
from examapp.errors import ConflictError
from examapp.organisation.access.rules import AccessScope
from examapp.oversight.duty_items import actions as duty_item_actions
from examapp.oversight.duty_lists import actions as duty_list_actions
from examapp.oversight.duty_lists.actions import Answerable, Duty
from examapp.oversight.duty_lists.models import DutyList, DutyRecord
from examapp.oversight.duty_lists.queries import DutyScope
from examapp.oversight.duty_records import actions as duty_record_actions
from examapp.oversight.duty_records.actions import Deed
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.audit.models import AuditEvent
from tests.helpers.races import together

EVERYTHING = AccessScope(is_everything=True)
ACTORS: dict[str, Any] = {"duty_scope": DutyScope(write=EVERYTHING, approve=EVERYTHING)}


def rejected(results):
    return sum(isinstance(result, ConflictError) for result in results)


def test_of_acts_at_the_same_moment_one_is_done(race_app, race_world):
    unit_id = race_world.unit().id
    race_world.commit()

    opened = together(
        race_app,
        2,
        lambda s: (
            duty_list_actions.open_list(ActionContext(s, SYSTEM, clock.now()), unit_id=unit_id, year=2026, **ACTORS).id
        ),
    )
    assert rejected(opened) == 1
    list_id = next(result for result in opened if isinstance(result, int))
    with transaction() as session:
        duty, answerable = Duty(content="宪法", due_on=date(2026, 12, 4)), Answerable(person="张三")
        item_id = duty_item_actions.create_item(
            ActionContext(session, SYSTEM, clock.now()), list_id=list_id, duty=duty, answerable=answerable, **ACTORS
        ).id

    proposed = together(
        race_app,
        2,
        lambda s: duty_list_actions.propose_list(
            ActionContext(s, SYSTEM, clock.now()), list_id=list_id, version=2, **ACTORS
        ),
    )
    assert rejected(proposed) == 1
    published = together(
        race_app,
        2,
        lambda s: duty_list_actions.publish_list(
            ActionContext(s, SYSTEM, clock.now()), list_id=list_id, version=3, **ACTORS
        ),
    )
    assert rejected(published) == 1
    deed = Deed(done_on=date(2026, 1, 5), form="集中学习")
    reply = together(
        race_app,
        2,
        lambda s: (
            duty_record_actions.record_deed(
                ActionContext(s, SYSTEM, clock.now()), item_id=item_id, deed=deed, **ACTORS
            ).id
        ),
    )
    assert rejected(reply) == 1

    session = race_world.session
    session.rollback()
    assert session.scalar(select(func.count()).select_from(DutyRecord)) == 1
    assert session.get_one(DutyList, list_id).state == "published"
    acts = session.scalars(select(AuditEvent.act).where(AuditEvent.act.startswith("duties."))).all()
    assert sorted(acts) == [
        "duties.add_record",
        "duties.create_item",
        "duties.open_list",
        "duties.propose_list",
        "duties.publish_list",
    ]
