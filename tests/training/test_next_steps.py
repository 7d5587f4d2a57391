"""No page of study is a dead end: each says what comes next."""

from __future__ import annotations

import pytest

from examapp.learning.courses.models import ExerciseRun
from tests.helpers.courses import bank, begin, course, read, take_exam


@pytest.fixture
def learner(world):
    return world.client(world.person())


def test_after_an_exercise_the_page_says_what_comes_next(world, session, learner):
    bank(world, count=12)
    row = course(world, chapters=2)
    first, second = row.chapters
    read(learner, first)
    failed = take_exam(learner, session, begin(learner, first).location, right=False)
    assert "再看本章" in failed
    assert "今天还可以做 2 次" in failed
    passed = take_exam(learner, session, begin(learner, first).location)
    assert f'href="/study/chapters/{second.id}">接着学：第2章' in passed
    assert f'href="/study/chapters/{second.id}">接着学：第2章' in learner.get(f"/study/chapters/{first.id}?page=2").text
    read(learner, second)
    done = take_exam(learner, session, begin(learner, second).location)
    assert "学下一门课程" in done
    assert "20 学分已记入" in done
    assert "学下一门课程" in learner.get(f"/study/courses/{row.id}").text
    row.state = "withdrawn"
    session.flush()
    run = session.query(ExerciseRun).order_by(ExerciseRun.id.desc()).first()
    assert "回到学习" in learner.get(f"/study/exercises/{run.id}").text


def test_the_home_page_says_what_to_study_now(world, session, learner):
    assert "study-head" not in learner.get("/").text
    bank(world)
    course(world)
    begun = course(world, chapters=2)
    begun.title = "监察法学习"
    read(learner, begun.chapters[0])
    take_exam(learner, session, begin(learner, begun.chapters[0]).location)
    page = learner.get("/").text
    assert f'href="/study/courses/{begun.id}">接着学：监察法学习' in page
    assert "已学 1 / 2 章" in page
    assert "必修 2 门，已学完 0 门" in page
