"""Known ways of cheating a training system: each is tried here and earns nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from examapp import clock
from examapp.db.session import transaction
from examapp.learning.courses.models import ChapterProgress, CourseCompletion, ExerciseRun, PracticeItem
from examapp.learning.practice.rules import RUNS_A_DAY
from examapp.learning.practice_answers.actions import answer
from tests.helpers.courses import bank, begin, course, read, take_exam
from tests.helpers.forms import post, token


@pytest.fixture
def learner(world):
    person = world.person()
    client = world.client(person)
    client.person = person
    return client


def earned(session):
    session.expire_all()
    passed = [row for row in session.query(ChapterProgress) if row.passed_at is not None]
    return len(passed) + session.query(CourseCompletion).count()


def test_finished_without_opening_earns_nothing(world, session, learner):
    bank(world)
    (chapter,) = course(world).chapters
    csrf = token(learner, "/practice/")
    claims = {
        "csrf_token": csrf,
        "finished": "1",
        "passed_at": "2026-11-24T00:00:00Z",
        "read_at": "2026-11-24",
        "progress": "100",
    }
    for path in (
        f"/study/chapters/{chapter.id}",
        f"/study/chapters/{chapter.id}/exercise",
        f"/study/chapters/{chapter.id}/finish",
        f"/study/courses/{chapter.course_id}",
        f"/study/courses/{chapter.course_id}/complete",
    ):
        assert learner.post(path, data=claims).status_code in {302, 303, 404}
    assert session.query(ExerciseRun).count() == 0
    assert earned(session) == 0


def test_a_clients_own_time_and_duration_earn_nothing(world, session, learner, fixed_clock):
    bank(world)
    (chapter,) = course(world).chapters
    headers = {"X-Client-Time": "2030-01-01T00:00:00+00:00", "Date": "Tue, 01 Jan 2030 00:00:00 GMT"}
    learner.get(f"/study/chapters/{chapter.id}?page=1&seconds=99999&read_at=2030-01-01", headers=headers)
    assert session.query(ChapterProgress).one().read_at is None
    learner.get(f"/study/chapters/{chapter.id}?page=2&now=2030-01-01", headers=headers)
    assert session.query(ChapterProgress).one().read_at == fixed_clock.instant
    for _ in range(RUNS_A_DAY):
        take_exam(learner, session, begin(learner, chapter).location, right=False)
    csrf = token(learner, "/practice/")
    tried = learner.post(
        f"/study/chapters/{chapter.id}/exercise",
        data={"csrf_token": csrf, "now": "2030-01-01", "started_on": "2030-01-01"},
        headers=headers,
    )
    assert "今天的次数已用完" in learner.get(tried.location).get_data(as_text=True)
    assert session.query(ExerciseRun).count() == RUNS_A_DAY
    assert earned(session) == 0


def test_walking_through_the_option_subsets_earns_nothing_and_shows_the_key_once(world, session, learner):
    bank(world)
    (chapter,) = course(world).chapters
    read(learner, chapter)
    for _ in range(RUNS_A_DAY):
        run = begin(learner, chapter).location
        while (step := learner.get(run)).status_code == 302:
            item = session.get(PracticeItem, int(step.location.rsplit("/", 1)[1]))
            right = "ABCD"[item.order.index("A")]
            for letter in [each for each in "ABCD" if each != right] + [right]:
                post(learner, step.location, {"response": letter})
    assert {run.right_count for run in session.query(ExerciseRun)} == {0}
    assert earned(session) == 0


def test_exercises_draw_again_so_that_a_noted_key_is_of_no_use(world, session, learner, fixed_clock):
    bank(world, count=6)
    (chapter,) = course(world).chapters
    read(learner, chapter)
    drawn = []
    for _ in range(RUNS_A_DAY):
        take_exam(learner, session, begin(learner, chapter).location, right=False)
        last = session.query(ExerciseRun).order_by(ExerciseRun.id.desc()).first()
        drawn.append({item.question_id for item in session.query(PracticeItem).filter_by(run_id=last.id)})
    assert drawn[0].isdisjoint(drawn[1])
    assert drawn[2].isdisjoint(drawn[0] | drawn[1])


def test_replaying_yesterdays_requests_earns_nothing(world, session, learner, fixed_clock):
    bank(world)
    (chapter,) = course(world, chapters=2).chapters[:1]
    read(learner, chapter)
    run = begin(learner, chapter).location
    path = learner.get(run).location
    item = session.get(PracticeItem, int(path.rsplit("/", 1)[1]))
    form = {"csrf_token": token(learner, "/practice/"), "response": "ABCD"[item.order.index("A")]}
    assert learner.post(path, data=form).status_code == 302
    fixed_clock.at(fixed_clock.instant + timedelta(days=1))
    for _ in range(5):
        learner.post(path, data=form)
    assert session.query(PracticeItem).filter(PracticeItem.answered_at.is_not(None)).count() == 1
    assert session.query(ExerciseRun).count() == 1
    assert earned(session) == 0
    outsider = world.client(world.person())
    assert outsider.post(path, data=form | {"csrf_token": token(outsider, "/practice/")}).status_code == 404


def test_answers_pressed_at_the_same_moment_count_once_and_end_the_exercise_once(race_world, race_app):
    world = race_world
    bank(world)
    person = world.person()
    (chapter,) = course(world).chapters
    client = world.client(person)
    read(client, chapter)
    begin(client, chapter)
    world.session.expire_all()
    items = world.session.query(PracticeItem).order_by(PracticeItem.id).all()
    presses = [(item.id, letter) for item in items for letter in ("ABCD"[item.order.index("A")],) * 4]
    person_id = person.id
    world.commit()
    barrier = threading.Barrier(len(presses))

    def press(one):
        with race_app.app_context():
            barrier.wait()
            with transaction() as session:
                return answer(
                    session, item_id=one[0], person_id=person_id, raw=[one[1]], now=clock.now(), max_a_day=300
                ).is_new

    with ThreadPoolExecutor(len(presses)) as pool:
        new = list(pool.map(press, presses))
    assert sum(new) == len(items)
    assert world.session.query(ExerciseRun).one().is_passed
    assert earned(world.session) == 2
