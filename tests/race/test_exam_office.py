"""Two workers, two officers, two tabs at the same moment: papers, extra time and exemptions come out once."""

from __future__ import annotations

import pytest

from examapp import clock
from examapp.content.blueprints.models import Paper
from examapp.delivery.exam_candidates import actions as candidate_actions
from examapp.delivery.exam_candidates.queries import find_candidate_exam
from examapp.delivery.exam_publication import actions as exam_publication_actions
from examapp.delivery.exams.models import ExamExtension, Exemption, ExemptionKind, PreparedPaper
from examapp.delivery.exemptions import actions as exemption_actions
from examapp.delivery.results.queries import are_keys_out
from examapp.errors import ConflictError
from examapp.organisation.access.rules import AccessScope
from examapp.platform.audit.actions import ActionContext, Actor
from question_bank.model import Kind
from tests.helpers.extensions import extensions_of
from tests.helpers.races import together

EVERYTHING = AccessScope(is_everything=True)


@pytest.fixture
def scenario(race_world):
    for _ in range(5):
        race_world.question()
    unit = race_world.unit()
    people = [race_world.person(unit) for _ in range(4)]
    exam = race_world.exam(race_world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)))
    race_world.commit()
    return {
        "exam_id": exam.id,
        "unit_id": unit.id,
        "person_ids": [person.id for person in people],
        "session": race_world.session,
    }


def test_workers_side_by_side_make_one_paper_a_person(scenario, race_app):
    made = together(
        race_app, 6, lambda session: candidate_actions.prepare_papers(session, scenario["exam_id"], now=clock.now())
    )
    assert sum(made) == 4
    assert (scenario["session"].query(PreparedPaper).count(), scenario["session"].query(Paper).count()) == (4, 4)


def test_two_starts_at_once_get_the_same_paper(scenario, race_app):
    def start(session):
        candidate = find_candidate_exam(session, scenario["exam_id"], scenario["person_ids"][0])
        return candidate_actions.prepare_paper(session, candidate, 1, now=clock.now())

    assert len(set(together(race_app, 8, start))) == 1
    assert scenario["session"].query(PreparedPaper).count() == 1


def test_extra_time_pressed_many_times_at_once_counts_once(scenario, race_app):
    def press(session):
        return exam_publication_actions.extend(
            ActionContext(session, Actor(person_id=None), clock.now()),
            exam_publication_actions.ExtensionGrant(
                unit_id=scenario["unit_id"], person_id=None, seconds=900, reason="停电", request_key="one-press"
            ),
            exam_id=scenario["exam_id"],
            keys_out=are_keys_out,
            is_known=False,
            access=EVERYTHING,
        )

    assert sorted(together(race_app, 8, press)) == [False] * 7 + [True]
    assert scenario["session"].query(ExamExtension).count() == 1
    assert extensions_of(scenario["session"], scenario["exam_id"], scenario["person_ids"][0]) == 900


def test_an_exemption_asked_for_and_decided_many_times_at_once_is_one(scenario, race_app):
    def ask(session):
        return exemption_actions.request_exemption(
            ActionContext(session, Actor(person_id=None), clock.now()),
            exam_id=scenario["exam_id"],
            person_id=scenario["person_ids"][0],
            kind=ExemptionKind.EXEMPTION,
            reason="长期病假",
            access=EVERYTHING,
        ).id

    asked = together(race_app, 6, ask)
    (exemption_id,) = [answer for answer in asked if isinstance(answer, int)]
    assert all(
        isinstance(answer, exemption_actions.InvalidExemptionError) for answer in asked if not isinstance(answer, int)
    )

    def decide(session):
        return exemption_actions.approve_exemption(
            ActionContext(session, Actor(person_id=None), clock.now()), exemption_id=exemption_id, access=EVERYTHING
        ).id

    decided = together(race_app, 6, decide)
    assert decided.count(exemption_id) == 1
    assert sum(isinstance(answer, ConflictError) for answer in decided) == 5
    assert scenario["session"].query(Exemption).count() == 1
