"""Extra time granted to a unit or a person (F31)."""

from datetime import timedelta

from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exam_publication.actions import ExtensionGrant, extend
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import Grade
from examapp.delivery.results.queries import are_keys_out
from examapp.organisation.access.rules import AccessScope
from examapp.platform.audit.actions import ActionContext, Actor
from examapp.platform.audit.models import AuditEvent
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.conftest import NOON


def grant(world, candidate_client, *, minutes=15, key="k", at=NOON + timedelta(minutes=10), unit_id=None):
    unit_id = unit_id or candidate_client.person.unit_id
    extend(
        ActionContext(world.session, Actor(person_id=None), at),
        ExtensionGrant(unit_id=unit_id, person_id=None, seconds=60 * minutes, reason="停电", request_key=key),
        exam_id=candidate_client.exam_id,
        keys_out=are_keys_out,
        is_known=False,
        access=AccessScope(True),
    )


def test_running_attempt_gets_its_new_deadline_with_the_next_exchange_and_only_once(world, fixed_clock):
    candidate_client, other = make_exam_with_candidates(world), make_exam_with_candidates(world)
    grant(world, candidate_client)
    grant(world, candidate_client)
    grading_tasks.sweep_once()
    grading_tasks.sweep_once()
    assert candidate_client.save().get_json()["deadline_at"] == "2026-11-24T13:15:00.000+08:00"
    assert other.save().get_json()["deadline_at"] == "2026-11-24T13:00:00.000+08:00"
    fixed_clock.at(NOON + timedelta(hours=1, minutes=14))
    assert candidate_client.save((1, 1, ["A"])).status_code == 200


def test_attempt_closed_by_the_clock_is_reopened_with_its_answers_and_graded_again(world, fixed_clock, session):
    candidate_client = make_exam_with_candidates(world)
    candidate_client.save((1, 1, ["A"]))
    fixed_clock.at(NOON + timedelta(hours=1, minutes=3))
    grading_tasks.sweep_once()
    assert candidate_client.look()["receipt"]["forced"] is True
    grant(world, candidate_client, at=NOON + timedelta(hours=1, minutes=3))
    grading_tasks.sweep_once()
    state = candidate_client.look()
    assert (state["state"], state["receipt"], state["deadline_at"]) == (
        "in_progress",
        None,
        "2026-11-24T13:15:00.000+08:00",
    )
    assert candidate_client.answers() == {1: ["A"]}
    assert session.query(Grade).filter_by(is_current=True).count() == 0
    assert candidate_client.save((2, 2, ["B"])).status_code == 200
    candidate_client.hand_in()
    grading_tasks.sweep_once()
    grades = session.query(Grade).order_by(Grade.number).all()
    assert [(grade.number, grade.is_current) for grade in grades] == [(1, False), (2, True)]
    assert session.query(AuditEvent).filter_by(act="attempts.apply_extension").count() == 1


def test_handed_in_attempt_stays_handed_in(world, fixed_clock, session):
    candidate_client = make_exam_with_candidates(world)
    receipt = candidate_client.hand_in((1, 1, ["A"])).get_json()["receipt"]
    grant(world, candidate_client)
    grading_tasks.sweep_once()
    assert candidate_client.look()["receipt"] == receipt


def test_who_starts_after_the_grant_has_it_once(world, fixed_clock, session):
    candidate_client = make_exam_with_candidates(world, attempts_allowed=2)
    candidate_client.hand_in()
    grant(world, candidate_client)
    fixed_clock.at(NOON + timedelta(minutes=20))
    candidate_client.start()
    grading_tasks.sweep_once()
    assert session.get(Attempt, candidate_client.attempt["id"]).deadline_at == NOON + timedelta(minutes=20 + 60 + 15)
