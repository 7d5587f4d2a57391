"""Two admins at the same moment, with true commits: one does it, the other is told."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select

from examapp.audit.models import AuditEvent
from examapp.audit.operations import SYSTEM
from examapp.core import clock
from examapp.core.db import transaction
from examapp.core.errors import ConflictError
from examapp.duties.models import DutyList, DutyRecord
from examapp.duties.operations import items, lists, records
from examapp.duties.operations.changing import Answerable, Duty
from examapp.duties.operations.records import Deed
from examapp.duties.queries import Hands
from examapp.people.rules import Reach
from tests.race.test_exam_office import together

EVERYTHING = Reach(is_everything=True)
WHO = {"hands": Hands(write=EVERYTHING, approve=EVERYTHING), "actor": SYSTEM}


def refused(results):
    return sum(isinstance(result, ConflictError) for result in results)


def test_of_acts_at_the_same_moment_one_is_done(race_app, race_world):
    unit_id = race_world.unit().id
    race_world.commit()

    opened = together(race_app, 2, lambda s: lists.open_list(s, unit_id=unit_id, year=2026, now=clock.now(), **WHO).id)
    assert refused(opened) == 1
    list_id = next(result for result in opened if isinstance(result, int))
    with transaction() as session:
        duty, answerable = Duty(content="宪法", due_on=date(2026, 12, 4)), Answerable(person="张三")
        item_id = items.create_item(
            session, list_id=list_id, duty=duty, answerable=answerable, now=clock.now(), **WHO
        ).id

    proposed = together(
        race_app, 2, lambda s: lists.propose_list(s, list_id=list_id, version=2, now=clock.now(), **WHO)
    )
    assert refused(proposed) == 1
    published = together(
        race_app, 2, lambda s: lists.publish_list(s, list_id=list_id, version=3, now=clock.now(), **WHO)
    )
    assert refused(published) == 1
    deed = Deed(done_on=date(2026, 1, 5), form="集中学习")
    told = together(
        race_app, 2, lambda s: records.record_deed(s, item_id=item_id, deed=deed, now=clock.now(), **WHO).id
    )
    assert refused(told) == 1

    session = race_world.session
    session.rollback()
    assert session.scalar(select(func.count()).select_from(DutyRecord)) == 1
    assert session.get_one(DutyList, list_id).state == "published"
    acts = session.scalars(select(AuditEvent.act).where(AuditEvent.act.startswith("duties."))).all()
    assert sorted(acts) == [
        "duties.create_item",
        "duties.open_list",
        "duties.propose_list",
        "duties.publish_list",
        "duties.record_deed",
    ]
