"""Rehearsals: the verdict, the row, the page; and one held for real on a deployment, quick and slowed (slow)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examapp.errors import ConflictError
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.rehearsal_environment import actions as rehearsal_environment_actions
from examapp.platform.rehearsal_runs import actions as rehearsal_run_actions
from examapp.platform.rehearsals import actions as rehearsal_actions
from examapp.platform.rehearsals.rules import is_go, judge, verdict_text
from examapp.platform.rehearsals.tasks import hold_rehearsal
from examapp.platform.setup.models import Rehearsal
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.conftest import NOON

GOOD = {
    "sign_ins": 40.0, "starts": 310.0, "saves": 900.0, "hand_ins": 300.0, "gradings": 200.0, "save_p95_ms": 40.0, "start_p95_ms": 300.0,
    "failed": 0, "lost": 0,
}  # fmt: skip


def test_the_verdict_names_the_headroom():
    lines = judge(GOOD, roster=8000)
    assert is_go(lines)
    assert (
        verdict_text(lines, roster=8000) == "可以开考：按 8000 人计算，测得每秒开考 310 人，需要 133.3 人，各项都够。"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("starts", 100.0),
        ("saves", 399.0),
        ("save_p95_ms", 201.0),
        ("start_p95_ms", 1001.0),
        ("failed", 1),
        ("lost", 1),
        ("gradings", 0.0),
    ],
)
def test_one_figure_that_does_not_suffice_is_a_no_go(name, value):
    lines = judge(GOOD | {name: value}, roster=8000)
    assert not is_go(lines)
    assert [line.name for line in lines if not line.is_enough] == [name]
    assert "不能开考" in verdict_text(lines, roster=8000)


@given(st.sampled_from(sorted(GOOD)), st.integers(1, 100_000))
def test_a_figure_that_is_missing_is_never_a_go(name, roster):
    assert not is_go(judge({n: v for n, v in GOOD.items() if n != name}, roster=roster))


def test_the_office_asks_for_a_rehearsal_and_sees_its_verdict(world, monkeypatch):
    client = world.client(world.admin("publicity_office"))
    world.person()
    token = client.get("/api/v1/session").get_json()["csrf_token"]
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)
    assert client.post("/admin/examday/rehearsals", data={"csrf_token": token}).status_code == 303
    rehearsal = world.session.query(Rehearsal).one()
    assert f"/jobs/{rehearsal.id}" in client.get("/admin/examday/").text
    assert client.get(f"/jobs/{rehearsal.id}").get_json()["state"] == "waiting"
    again = client.post("/admin/examday/rehearsals", data={"csrf_token": token}, follow_redirects=True)
    assert "一次演练正在进行" in again.text
    monkeypatch.setattr(rehearsal_run_actions, "rehearse", lambda *_args, **_fields: GOOD)
    held = hold_rehearsal(rehearsal.id)
    assert (held.state, held.is_go, held.roster) == ("done", True, 1)
    assert hold_rehearsal(rehearsal.id) is None, "a second run does nothing"
    page = client.get("/admin/examday/").text
    assert "可以开考" in page
    assert "310" in page


def test_no_rehearsal_while_somebody_sits(world):
    make_exam_with_candidates(world)
    with pytest.raises(rehearsal_actions.InvalidRehearsalError, match="有人正在考试"):
        rehearsal_actions.request_rehearsal(ActionContext(world.session, SYSTEM, NOON))


def test_a_rehearsal_that_breaks_or_never_ends_is_no_go(world, monkeypatch, fixed_clock):
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)

    def broken(*_args, **_fields):
        raise rehearsal_environment_actions.RehearsalError("没有起来")

    monkeypatch.setattr(rehearsal_run_actions, "rehearse", broken)
    first = rehearsal_actions.request_rehearsal(ActionContext(world.session, SYSTEM, NOON))
    failed = hold_rehearsal(first.id)
    assert (failed.state, failed.is_go, failed.message) == ("failed", False, "没有起来")
    world.save(
        Rehearsal(roster=1, state="running", run_count=1, created_at=NOON, started_at=NOON, lease_expires_at=NOON)
    )
    world.app.extensions["celery"].tasks["jobs.sweep"]()
    world.session.expire_all()
    assert [(row.client_state, row.is_go) for row in world.session.query(Rehearsal)] == [("failed", False)] * 2


def test_the_synthetic_county_is_written_into_no_other_database(world):
    with pytest.raises(ConflictError, match="不是演练专用"):
        rehearsal_environment_actions.write_county(world.session, 5, password_hash="x", now=NOON)
