"""What practice may draw: nothing that a coming exam would give away, unless the office has opened it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.learning.courses.models import PracticeItem
from examapp.learning.practice.models import PracticeHold
from examapp.learning.spaced_repetition.tasks import look_at_exams
from examapp.organisation.people.models import Person
from question_bank.model import Kind
from tests.helpers.courses import begin, course, read
from tests.helpers.practice import post


@pytest.fixture
def learner(world):
    return world.client(world.person())


def drawn(learner, session, times=12):
    """Which questions practice gives."""
    found = set()
    for _ in range(times):
        answer = post(learner, "/practice/")
        if answer.location == "/practice/":
            return found
        item = session.get(PracticeItem, int(answer.location.rsplit("/", 1)[1]))
        found.add(item.question_id)
        post(learner, answer.location, {"response": "A"})
    return found


def test_a_narrow_exams_questions_are_held_back_until_it_is_over(world, session, learner, fixed_clock):
    secret = {world.question(law="监察法").id for _ in range(4)}
    free = {world.question(law="宪法").id for _ in range(3)}
    blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),))
    blueprint.sections[0].laws = ["监察法"]
    world.exam(blueprint, opens_in=timedelta(days=3))
    session.flush()
    look_at_exams()
    assert {hold.question_id for hold in session.query(PracticeHold)} == secret
    assert drawn(learner, session) == free
    fixed_clock.at(fixed_clock.instant + timedelta(days=30))
    look_at_exams()
    assert session.query(PracticeHold).count() == 0
    learner = world.client(world.person())
    assert drawn(learner, session) == free | secret


def test_a_broad_exam_and_a_mock_exam_and_a_cancelled_one_hold_nothing_back(world, session, learner):
    everything = {world.question().id for _ in range(7)}
    world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), opens_in=timedelta(days=3))
    world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 5, "2"),)), kind="mock", opens_in=timedelta(days=3))
    world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 5, "2"),)), state="cancelled", opens_in=timedelta(days=3))
    look_at_exams()
    assert drawn(learner, session) == everything


def test_a_difficulty_that_is_drawn_out_is_held_back_by_itself(world, session):
    hard = {world.question(difficulty="hard").id for _ in range(2)}
    for _ in range(20):
        world.question(difficulty="easy")
    blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 4, "2"),))
    blueprint.sections[0].difficulties = {"hard": 1, "easy": 3}
    world.exam(blueprint, opens_in=timedelta(days=3))
    session.flush()
    look_at_exams()
    assert {hold.question_id for hold in session.query(PracticeHold)} == hard


def test_the_office_opens_and_closes_laws_for_practice(world, session, learner):
    secret = {world.question(law="监察法").id for _ in range(2)}
    free = {world.question(law="宪法").id for _ in range(2)}
    blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),))
    blueprint.sections[0].laws = ["监察法"]
    exam = world.exam(blueprint, opens_in=timedelta(days=3))
    look_at_exams()
    office = world.client(world.admin("publicity_office"))
    page = office.get("/admin/training/pool").get_data(as_text=True)
    assert exam.title in page

    def mark(law, choice):
        return post(office, "/admin/training/pool", {"law": law, "choice": choice}, page="/admin/training/pool")

    assert mark("监察法", "open").status_code == 302
    assert mark("宪法", "closed").status_code == 302
    assert drawn(learner, session) == secret
    assert mark("监察法", "auto").status_code == 302
    assert drawn(learner, session) == set()
    assert mark("宪法", "nonsense").status_code == 400
    assert drawn(world.client(world.person()), session) == set()
    assert mark("宪法", "auto").status_code == 302
    assert drawn(learner, session) == free
    assert world.client(world.person()).get("/admin/training/pool").status_code == 404
    bureau = world.client(world.admin("publicity_office", world.unit()))
    assert bureau.get("/admin/training/pool").status_code == 404


def test_a_held_set_says_so_in_exercises_and_in_the_mistake_book(world, session, learner, fixed_clock):
    question = world.question(law="监察法", key=("A",))
    answer = post(learner, "/practice/")
    item = session.get(PracticeItem, int(answer.location.rsplit("/", 1)[1]))
    wrong = next(letter for letter in "ABCD" if letter != "ABCD"[item.order.index("A")])
    post(learner, answer.location, {"response": wrong})
    exam = world.exam(world.blueprint(), opens_in=timedelta(days=3))
    world.save(PracticeHold(question_id=question.id, exam_id=exam.id))
    (chapter,) = course(world).chapters
    read(learner, chapter)
    rejected = begin(learner, chapter)
    assert "考试结束前暂停练习" in learner.get(rejected.location).get_data(as_text=True)
    fixed_clock.at(fixed_clock.instant + timedelta(days=2))
    learner = world.client(session.get(Person, item.person_id))
    rejected = post(learner, "/practice/mistakes")
    assert "还有 1 题现在不能练" in learner.get(rejected.location).get_data(as_text=True)
