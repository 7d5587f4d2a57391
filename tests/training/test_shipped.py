"""The courses that ship are loaded once a year, published where the bank holds their questions, and never overwrite the office's own."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from examapp.learning.courses.models import Chapter, Course
from question_bank.coursetext import read_courses

LAWS = [course.law for course in read_courses()]


def run(app, *arguments):
    return app.test_cli_runner().invoke(args=["training", "load-courses", *arguments])


@pytest.mark.slow
def test_shipped_courses_are_loaded_published_and_read_by_a_learner_and_twice_is_once(app, world, session):
    for law in LAWS:
        for _ in range(8):
            world.question(law=law)
    done = run(app)
    assert done.exit_code == 0, done.output
    courses = list(session.scalars(select(Course)))
    assert len(courses) == len(LAWS)
    assert {(course.state, course.year) for course in courses} == {("published", 2026)}
    course = next(course for course in courses if course.chapters[0].law == "行政处罚法")
    course.chapters[0].title = "普法办改过的标题"
    session.flush()
    again = run(app)
    assert "没有改动" in again.output
    session.expire_all()
    assert len(list(session.scalars(select(Course)))) == len(LAWS)
    learner = world.client(world.person())
    page = learner.get(f"/study/courses/{course.id}").get_data(as_text=True)
    assert "普法办改过的标题" in page
    text = learner.get(f"/study/chapters/{course.chapters[0].id}").get_data(as_text=True)
    assert "<summary>依据：《行政处罚法》" in text
    assert "**" not in text, "Markdown is rendered"


def test_the_office_takes_the_shipped_courses_in_with_one_press(app, world, session):
    office = world.api(world.admin("publicity_office"))
    assert f"装入随附课程（{len(LAWS)} 门）" in office.get("/admin/training/").get_data(as_text=True)
    page = office.post("/admin/training/shipped", follow_redirects=True).get_data(as_text=True)
    assert f"已装入 {len(LAWS)} 门随附课程" in page
    assert "装入随附课程（" not in page
    assert {course.state for course in session.scalars(select(Course))} == {"draft"}
    again = office.post("/admin/training/shipped", follow_redirects=True).get_data(as_text=True)
    assert "没有改动" in again
    bureau = world.admin("publicity_office", world.unit("教育局"))
    part = world.api(bureau)
    assert part.post("/admin/training/shipped").status_code == 404
    assert "装入随附课程" not in part.get("/admin/training/").get_data(as_text=True)


@pytest.mark.slow
def test_without_questions_a_shipped_course_stays_a_draft_and_says_why(app, world, session):
    done = run(app, "--year", "2027")
    assert done.exit_code == 0, done.output
    assert "题库中只有 0 题可用" in done.output
    assert {course.state for course in session.scalars(select(Course))} == {"draft"}
    assert session.scalars(select(Chapter)).first() is not None
