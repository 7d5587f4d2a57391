"""Each guarantee can be taken away on the path that every request takes; which row of the drill notices it, `make sabotage` shows."""

from __future__ import annotations

import importlib
import runpy
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from examapp.delivery import grading
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.grading import actions as grading_actions
from examapp.delivery.grading import tasks as grading_tasks
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.conftest import NOON
from tests.faults.injection import Guarantee, disabled


@pytest.fixture(autouse=True)
def without_enqueueing(monkeypatch):
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)


@pytest.fixture
def candidate_client(world):
    return make_exam_with_candidates(world)


@pytest.mark.parametrize("guarantee", Guarantee)
def test_every_guarantee_can_be_taken_away(app, guarantee):
    with disabled(app, guarantee):
        pass


def test_an_older_answer_replaces_a_newer_one_where_that_is_taken_away(app, candidate_client):
    candidate_client.save((1, 5, ["A"]))
    candidate_client.save((1, 4, ["B"]))
    assert candidate_client.answers() == {1: ["A"]}
    with disabled(app, Guarantee.NEWER_ANSWER_WINS):
        candidate_client.save((1, 4, ["B"]))
    assert candidate_client.answers() == {1: ["B"]}


def test_a_second_hand_in_makes_another_receipt(app, candidate_client, fixed_clock):
    first = candidate_client.hand_in().get_json()["receipt"]
    fixed_clock.at(NOON + timedelta(minutes=1))
    assert candidate_client.hand_in().get_json()["receipt"] == first
    with disabled(app, Guarantee.ONE_SUBMISSION):
        assert candidate_client.hand_in().get_json()["receipt"]["submitted_at"] != first["submitted_at"]


@pytest.mark.parametrize("is_disabled", [False, True])
def test_a_forced_close_drops_the_answers(app, candidate_client, fixed_clock, is_disabled):
    candidate_client.save((1, 1, ["A"]))
    fixed_clock.at(NOON + timedelta(hours=2))
    if is_disabled:
        with disabled(app, Guarantee.FORCED_CLOSE_KEEPS_ANSWERS):
            assert candidate_client.look()["receipt"]["answered"] == 0
    else:
        assert candidate_client.look()["receipt"]["answered"] == 1


def test_the_clients_clock_closes_an_attempt(app, candidate_client):
    late = {"X-Client-Time": (NOON + timedelta(hours=8)).isoformat()}
    body = {"epoch": 1, "changes": [{"item": 1, "seq": 1, "response": ["A"]}]}
    assert candidate_client.api.put(candidate_client.url("/answers"), json=body, headers=late).status_code == 200
    with disabled(app, Guarantee.SERVER_TIME):
        assert candidate_client.api.put(candidate_client.url("/answers"), json=body, headers=late).status_code == 409


def test_a_session_that_redis_does_not_know_is_none(app, candidate_client):
    assert candidate_client.save((1, 1, ["A"])).status_code == 200
    with disabled(app, Guarantee.SESSIONS_IN_POSTGRESQL):
        assert candidate_client.save((1, 2, ["B"])).status_code == 401


def test_retries_of_grading_are_what_redis_says(app, candidate_client, world):
    candidate_client.hand_in()
    with disabled(app, Guarantee.RETRIES_COUNTED_IN_POSTGRESQL):
        (attempt_id,) = grading_actions.begin_batch(world.session, now=NOON)
    world.session.get(Attempt, attempt_id).grading_began_at = NOON - timedelta(minutes=2)
    world.session.flush()
    assert grading_actions.begin_again(world.session, now=NOON) == [attempt_id]
    world.session.expire_all()
    assert world.session.get(Attempt, attempt_id).grading_retry_count == 2


def test_the_sweeper_does_nothing(app, candidate_client, world, fixed_clock):
    fixed_clock.at(NOON + timedelta(hours=2))
    with disabled(app, Guarantee.SWEEPER):
        assert grading_tasks.sweep_once() == 0
    assert world.session.get(Attempt, candidate_client.attempt["id"]).state == "in_progress"


def test_the_exam_page_forgets_what_is_pending(app):
    url = app.jinja_env.globals["asset"]("js/exam/queue.js")
    kept = "state.pending[item] = entry;"
    with app.test_client().get(url) as answer:
        assert kept in answer.get_data(as_text=True)
    with disabled(app, Guarantee.SAVED_ONLY_WHEN_ACKNOWLEDGED):
        assert kept not in app.test_client().get(url, headers={"Accept-Encoding": "gzip"}).get_data(as_text=True)


def test_poison_reaches_the_graders(candidate_client, session, tmp_path, monkeypatch):
    """The drill F18 poisons the graders of a site of its own: what it wraps must be what they call."""
    candidate_client.hand_in()
    ids = grading_actions.begin_batch(session, now=NOON)
    (tmp_path / "poisoned").write_text(f"{ids[0]} harmless\n")
    monkeypatch.setenv("DRILL_POISON", str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(grading, "actions", grading_actions)
    monkeypatch.delitem(sys.modules, grading_actions.__name__)
    runpy.run_path(str(Path(__file__).with_name("poison") / "sitecustomize.py"))
    poisoned = importlib.import_module(grading_actions.__name__)
    assert poisoned.grade_batch(session, ids, now=NOON) == 1
    assert (tmp_path / "tries").read_text() == f"{ids[0]}\n"
