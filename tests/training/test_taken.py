"""A chapter taken along: whole on one page without keys, its answers sent later one by one; decided on the server as ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.learning.courses.models import ChapterProgress, ExerciseRun, PracticeItem
from tests.helpers.courses import bank, course
from tests.helpers.forms import post


@pytest.fixture
def learner(world):
    person = world.person()
    client = world.client(person)
    client.person = person
    return client


def taken(learner, chapter):
    return post(learner, f"/study/chapters/{chapter.id}/take-along", page=f"/study/chapters/{chapter.id}").location


def test_a_chapter_and_its_exercise_are_finished_offline_and_sent_afterwards(world, session, learner, fixed_clock):
    bank(world)
    (chapter,) = course(world).chapters
    path = taken(learner, chapter)
    page = learner.get(path).get_data(as_text=True)
    assert "甲" in page
    assert "乙" in page
    assert "理由" not in page
    assert "正确答案" not in page
    items = session.query(PracticeItem).order_by(PracticeItem.id).all()
    assert page.count("data-item=") == len(items) == 2
    fixed_clock.at(fixed_clock.instant + timedelta(hours=5))
    api = world.api(learner.person)
    for item in items:
        answer = {"response": ["ABCD"[item.order.index("A")]]}
        sent = api.put(f"/api/v1/practice/items/{item.id}/answer", json=answer)
        assert (sent.status_code, sent.get_json()["is_new"]) == (200, True)
        again = api.put(f"/api/v1/practice/items/{item.id}/answer", json={"response": ["D"]})
        assert (again.status_code, again.get_json()["is_new"]) == (200, False)
    assert session.query(ChapterProgress).one().passed_at == fixed_clock.instant
    assert "通过了" in world.client(learner.person).get(path, follow_redirects=True).get_data(as_text=True)


def test_what_is_sent_badly_or_by_another_is_rejected(world, session, learner):
    bank(world)
    (chapter,) = course(world).chapters
    path = taken(learner, chapter)
    item = session.query(PracticeItem).first()
    url = f"/api/v1/practice/items/{item.id}/answer"
    api, outsider = world.api(learner.person), world.api(world.person())
    assert outsider.put(url, json={"response": ["A"]}).status_code == 404
    assert world.client(world.person()).get(path).status_code == 404
    assert api.put(url, json={"response": []}).status_code == 422
    assert api.put(url, json={"response": ["Z"]}).status_code == 422
    assert api.put(url, json={"response": "A"}).status_code == 400
    assert api.put(url, data=b"{", content_type="application/json").status_code == 400
    session.expire_all()
    assert session.query(PracticeItem).filter(PracticeItem.answered_at.is_not(None)).count() == 0


def test_taking_along_again_goes_on_with_the_same_exercise(world, session, learner):
    bank(world)
    (chapter,) = course(world).chapters
    assert taken(learner, chapter) == taken(learner, chapter)
    assert session.query(ExerciseRun).count() == 1
