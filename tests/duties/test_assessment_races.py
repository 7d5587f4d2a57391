"""Two at the same moment on one score sheet, with true commits: one does it, the other is told, and nothing is counted twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from examapp import clock
from examapp.db.session import transaction
from examapp.errors import ConflictError
from examapp.organisation.access.rules import AccessScope
from examapp.oversight.assessment_results import actions as assessment_result_actions
from examapp.oversight.assessment_results.actions import Given
from examapp.oversight.assessment_tables import actions as assessment_table_actions
from examapp.oversight.assessment_tables.actions import AssessmentSettings
from examapp.oversight.assessments import actions as assessment_actions
from examapp.oversight.assessments.actions import OwnScore
from examapp.oversight.assessments.models import (
    AssessmentReview,
    AssessmentReviewer,
    AssessmentRevision,
    AssessmentSheet,
    DutyReminder,
    VoteTally,
)
from examapp.oversight.assessments.rules import SHIPPED_BANDS, Indicator, Opinion, TableItem
from examapp.oversight.duty_items import actions as duty_item_actions
from examapp.oversight.duty_lists import actions as duty_list_actions
from examapp.oversight.duty_lists.actions import Answerable, Duty
from examapp.oversight.duty_lists.queries import DutyScope
from examapp.oversight.own_duties.actions import remind_due
from examapp.platform.audit.actions import SYSTEM, ActionContext, Actor
from examapp.platform.audit.models import AuditEvent
from tests.helpers.races import together

EVERYTHING = AccessScope(is_everything=True)
DUTY_SCOPE = DutyScope(write=EVERYTHING, approve=EVERYTHING)
ACTORS: dict[str, Any] = {"duty_scope": DUTY_SCOPE}


def rejected(results):
    return sum(isinstance(result, ConflictError) for result in results)


def make(race_world):
    """An open assessment of one judged item and the vote, with two reviewers of another unit; gives sheet, item and reviewers."""
    unit, home = race_world.unit(), race_world.unit()
    people = [race_world.person(home) for _ in range(2)]
    race_world.commit()
    now = clock.now()
    with transaction() as session:
        made = assessment_table_actions.create_assessment(
            ActionContext(session, SYSTEM, now), year=2026, is_copied=False, **ACTORS
        )
        made.items.clear()
        session.flush()
        for indicator in (Indicator.NONE, Indicator.VOTE):
            item = TableItem(section="甲", content="乙", points=Decimal(10), indicator=indicator)
            assessment_table_actions.put_table_item(
                ActionContext(session, SYSTEM, now),
                assessment_id=made.id,
                version=made.version,
                item_id=None,
                item=item,
                **ACTORS,
            )
        settings = AssessmentSettings(
            title="考核", exam_id=None, self_due_on=None, appeal_days=7, vote_until=clock.today(), bands=SHIPPED_BANDS
        )
        assessment_table_actions.change_settings(
            ActionContext(session, SYSTEM, now),
            assessment_id=made.id,
            version=made.version,
            settings=settings,
            **ACTORS,
        )
        assessment_table_actions.open_assessment(
            ActionContext(session, SYSTEM, now), assessment_id=made.id, version=made.version, **ACTORS
        )
        session.add_all(
            AssessmentReviewer(assessment_id=made.id, person_id=person.id, added_at=now) for person in people
        )
        sheet_id = session.scalars(select(AssessmentSheet.id).where(AssessmentSheet.unit_id == unit.id)).one()
        return unit.id, sheet_id, [item.id for item in made.items], [person.id for person in people]


def version(race_world, sheet_id):
    race_world.session.rollback()
    return race_world.session.scalars(select(AssessmentSheet.version).where(AssessmentSheet.id == sheet_id)).one()


def count(race_world, model):
    race_world.session.rollback()
    return race_world.session.scalar(select(func.count()).select_from(model))


def test_of_two_at_once_on_a_sheet_one_is_done(race_app, race_world):
    unit_id, sheet_id, item_ids, people = make(race_world)
    judged = item_ids[0]
    votes = {unit_id: Opinion.GOOD}
    voter = Actor(person_id=people[0])
    voted = together(
        race_app,
        4,
        lambda s: assessment_result_actions.cast_votes(ActionContext(s, voter, clock.now()), opinions=votes),
    )
    assert sorted(voted) == [0, 0, 0, 1]
    race_world.session.rollback()
    assert race_world.session.scalars(select(VoteTally.votes)).all() == [1]

    seen = version(race_world, sheet_id)
    scores = {judged: OwnScore(points=Decimal(9), reason="做了")}
    handed_in = together(
        race_app,
        2,
        lambda s: assessment_actions.save_self_scores(
            ActionContext(s, SYSTEM, clock.now()),
            sheet_id=sheet_id,
            version=seen,
            scores=scores,
            is_submitted=True,
            **ACTORS,
        ),
    )
    assert rejected(handed_in) == 1

    numbers = iter(people)
    given = {judged: Given(points=Decimal(8), remark="")}
    reviewed = together(
        race_app,
        2,
        lambda s: assessment_result_actions.review_sheet(
            ActionContext(s, Actor(person_id=next(numbers)), clock.now()), sheet_id=sheet_id, given=given
        ),
    )
    assert reviewed == [None, None]  # two reviewers do not disturb each other
    assert count(race_world, AssessmentReview) == 2

    seen = version(race_world, sheet_id)
    fed_back = together(
        race_app,
        2,
        lambda s: assessment_actions.feed_back_sheet(
            ActionContext(s, SYSTEM, clock.now()), sheet_id=sheet_id, version=seen, **ACTORS
        ),
    )
    assert rejected(fed_back) == 1
    seen = version(race_world, sheet_id)
    acts = iter(
        [
            lambda s: assessment_actions.seal_sheet(
                ActionContext(s, SYSTEM, clock.now()), sheet_id=sheet_id, version=seen, **ACTORS
            ),
            lambda s: assessment_actions.appeal(
                ActionContext(s, SYSTEM, clock.now()), sheet_id=sheet_id, version=seen, text="漏计", **ACTORS
            ),
        ]
    )

    def take_next(session):
        return next(acts)(session)

    assert rejected(together(race_app, 2, take_next)) == 1
    race_world.session.rollback()
    sheet = race_world.session.get_one(AssessmentSheet, sheet_id)
    assert (sheet.state == "sealed") == (sheet.appeal == "")
    assert sheet.total == Decimal("18.00")
    if sheet.state == "appealed":
        with transaction() as session:
            assessment_actions.answer_appeal(
                ActionContext(session, SYSTEM, clock.now()),
                sheet_id=sheet_id,
                version=sheet.version,
                points={},
                answer="维持",
                **ACTORS,
            )
    together(
        race_app,
        2,
        lambda s: assessment_actions.seal_all(
            ActionContext(s, SYSTEM, clock.now()), assessment_id=sheet.assessment_id, **ACTORS
        ),
    )
    assert count(race_world, AssessmentRevision) == 1

    seen = version(race_world, sheet_id)
    corrected = together(
        race_app,
        2,
        lambda s: assessment_actions.correct_sealed_sheet(
            ActionContext(s, SYSTEM, clock.now()),
            sheet_id=sheet_id,
            version=seen,
            points={judged: Decimal(5)},
            reason="更正",
            **ACTORS,
        ),
    )
    assert rejected(corrected) == 1
    race_world.session.rollback()
    numbers_made = race_world.session.scalars(select(AssessmentRevision.number).order_by(AssessmentRevision.id)).all()
    assert list(numbers_made) == [1, 2]
    acts_noted = race_world.session.scalars(select(AuditEvent.act).where(AuditEvent.act.like("duties.%sheet"))).all()
    assert sorted(acts_noted).count("duties.correct_sealed_sheet") == 1
    assert sorted(acts_noted).count("duties.seal_sheet") == 1


def test_two_sweeps_remind_once(race_app, race_world):
    unit = race_world.unit()
    race_world.person(unit, name="张三")
    race_world.commit()
    make_item(unit.id)
    assert sum(together(race_app, 3, lambda s: remind_due(s, now=clock.now()))) == 1
    assert count(race_world, DutyReminder) == 1


def make_item(unit_id):
    """A published list of this year with one item of 张三 that is due today."""
    now, year = clock.now(), clock.today().year
    with transaction() as session:
        own = duty_list_actions.open_list(ActionContext(session, SYSTEM, now), unit_id=unit_id, year=year, **ACTORS)
        duty, user = Duty(content="宪法", due_on=clock.today()), Answerable(person="张三")
        duty_item_actions.create_item(
            ActionContext(session, SYSTEM, now), list_id=own.id, duty=duty, answerable=user, **ACTORS
        )
        duty_list_actions.propose_list(
            ActionContext(session, SYSTEM, now), list_id=own.id, version=own.version, **ACTORS
        )
        duty_list_actions.publish_list(
            ActionContext(session, SYSTEM, now), list_id=own.id, version=own.version, **ACTORS
        )
