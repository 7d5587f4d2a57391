"""While somebody sits an exam that counts, practice, mistake book, exercises, notes and search show no key; and practice has a pace."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from examapp.learning.courses.models import PracticeItem
from examapp.organisation.people.models import Person
from examapp.platform.audit.models import AuditEvent
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON
from tests.helpers.practice import draw, post


@pytest.fixture
def learner(world):
    person = world.person()
    client = world.client(person)
    client.person = person
    return client


@pytest.fixture
def answered(world, session, learner):
    """A question that was practised before, wrong, with a note."""
    make_bank(world)
    for _ in range(3):
        world.question(explanation="这里是解析", stem="罕见的题干")
    _, path = draw(learner, session, kind="single_choice")
    assert post(learner, path, {"response": "D"}).status_code == 302
    post(learner, f"{path}/note", {"favourite": "1", "note": "我的笔记"})
    return path


def take_exam(world, person, **fields):
    candidate_client = CandidateClient(world, world.exam(world.blueprint(KINDS), **fields), person)
    assert candidate_client.start().status_code == 201
    return candidate_client


SHUT = ("/practice/mistakes", "/practice/notes", "/my/data/practice_items", "/my/data/copy.json")


def test_every_door_of_study_rests_while_its_person_sits_and_opens_after_the_hand_in(world, learner, answered):
    entry_points = (answered, *SHUT)
    assert all(learner.get(entry_point).status_code == 200 for entry_point in entry_points)
    assert "练这道题" in learner.get("/practice/search?q=罕见的题干").text
    candidate_client = take_exam(world, learner.person)
    for entry_point in entry_points:
        answer = learner.get(entry_point)
        assert answer.status_code == 409, entry_point
        assert "请交卷后再来" in answer.text
        assert "这里是解析" not in answer.text
    found = learner.get("/practice/search?q=罕见的题干").text
    assert "练这道题" not in found
    assert "法条照常" in found
    for press in ("/practice/", "/practice/daily", f"{answered}/next", "/practice/mistakes"):
        post(learner, press)
    assert world.session.query(PracticeItem).filter(PracticeItem.answered_at.is_(None)).count() == 0
    candidate_client.hand_in()
    assert all(learner.get(entry_point).status_code == 200 for entry_point in entry_points)


def test_a_second_account_of_the_same_human_sees_nothing_either_and_others_see_all(world, session, learner, answered):
    twin = world.person(name="王五", mobile_index=b"one number")
    take_exam(world, twin)
    assert learner.get(answered).status_code == 200
    own = session.query(Person).filter_by(id=learner.person.id)
    own.update({"name": "王五", "mobile_index": b"one number"})
    session.commit()
    assert learner.get(answered).status_code == 409
    own.update({"name": "王六"})
    session.commit()
    assert learner.get(answered).status_code == 200


def test_a_mock_in_progress_does_not_stop_study(world, learner, answered):
    take_exam(world, learner.person, kind="mock")
    assert learner.get(answered).status_code == 200


def test_an_item_drawn_before_the_exam_takes_no_answer_during_it(world, session, learner):
    make_bank(world)
    item, path = draw(learner, session)
    take_exam(world, learner.person)
    for answer in (
        post(learner, path, {"response": "A"}),
        world.api(learner.person).put(f"/api/v1/practice/items/{item.id}/answer", json={"response": ["A"]}),
    ):
        assert answer.status_code == 409
    session.expire_all()
    assert item.answered_at is None


def test_practice_has_a_daily_limit_with_a_line_in_the_log_and_goes_on_tomorrow(
    app, world, session, learner, fixed_clock, monkeypatch
):
    monkeypatch.setitem(app.config, "SETTINGS", dataclasses.replace(app.config["SETTINGS"], practice_answers_a_day=3))
    for _ in range(5):
        world.question()
    for _ in range(3):
        _, path = draw(learner, session)
        assert post(learner, path, {"response": "A"}).status_code == 302
    line = session.query(AuditEvent).filter_by(act="training.reach_limit").one()
    assert (line.person_id, line.details) == (learner.person.id, {"answers": 3})
    item, path = draw(learner, session)
    rejected = post(learner, path, {"response": "A"})
    assert rejected.status_code == 409
    assert "今天已经练了 3 题，到了每天 3 题的上限。请明天再练" in rejected.text
    by_api = world.api(learner.person).put(f"/api/v1/practice/items/{item.id}/answer", json={"response": ["A"]})
    assert (by_api.status_code, by_api.get_json()["error"]) == (409, "practice_pace")
    fixed_clock.at(NOON + timedelta(days=1))
    assert post(learner, path, {"response": "A"}).status_code == 302
    assert session.query(AuditEvent).filter_by(act="training.reach_limit").count() == 1
