"""The demo county's study: the same every time, in the past, and such as the program's own rules would have it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from examapp import clock
from examapp.learning.certificates.models import Certificate, CertificateJob
from examapp.learning.courses.models import (
    Chapter,
    ChapterProgress,
    Course,
    CourseCompletion,
    ExerciseRun,
    PracticeItem,
)
from examapp.learning.practice.rules import RUNS_A_DAY
from examapp.learning.study_events.models import Attendance, StudyEvent
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import UnitKind
from examapp.platform.demo_county.actions import DemoExams
from examapp.platform.demo_county.rules import CountyPlan, DemoAccount, DemoCounty, PersonPlan, UnitPlan
from examapp.platform.demo_learning.actions import add_certificates, add_gatherings, add_learner, add_study

LAWS = ("宪法", "行政处罚法", "行政强制法", "民法典", "监察法", "公务员法")


@pytest.fixture
def county(world):
    """Two units of forty people, six published courses of three chapters with their questions, and the shown candidate at the end."""
    units = [world.unit("云溪县", kind="county")]
    units += [world.unit(name, parent=units[0]) for name in ("县水利局", "长岭镇")]
    plans = [UnitPlan(name=unit.name, code=unit.code, kind=UnitKind(unit.kind), parent=0) for unit in units]
    people = [world.person(units[1 + number % 2], login=number == 79) for number in range(80)]
    plan = CountyPlan(
        units=plans,
        people=[
            PersonPlan(
                staff_number=person.staff_number, name=person.name, unit=1 + number % 2, rank=person.rank, position="", ability=1, zeal=1,
            )
            for number, person in enumerate(people)
        ],
    )  # fmt: skip
    for law in LAWS:
        for _ in range(8):
            world.question(law=law)
    _courses(world)
    shown = DemoAccount(role="candidate", login_name="x", name="x", unit="县水利局", person_id=people[-1].id)
    return DemoCounty(
        plan=plan,
        unit_ids=[unit.id for unit in units],
        person_ids=[person.id for person in people],
        accounts=[shown],
        office_id=world.admin("publicity_office").id,
    )


def _courses(world):
    now = clock.now()
    for law in LAWS:
        course = Course(
            title=f"{law}学习", year=2026, credits=4, state="published", created_at=now, updated_at=now,
            published_at=now - timedelta(days=60),
        )  # fmt: skip
        for number in range(1, 4):
            course.chapters.append(
                Chapter(
                    position=number,
                    title=f"第{number}章",
                    body="<p>甲</p><hr><p>乙</p>",
                    law=law,
                    exercise_count=4,
                    pass_count=3,
                )
            )
        world.save(course)


def ways(session):
    """All progress and runs, without what a new load numbers again."""
    progress = session.execute(select(ChapterProgress.person_id, ChapterProgress.chapter_id, ChapterProgress.passed_at))
    runs = session.execute(
        select(ExerciseRun.person_id, ExerciseRun.chapter_id, ExerciseRun.number, ExerciseRun.right_count)
    )
    return sorted(map(tuple, progress), key=str), sorted(map(tuple, runs))


def test_study_is_such_as_the_rules_would_have_it_and_the_same_every_time(world, session, county, fixed_clock):
    exam = world.exam(study_gate={"required": 4}, opens_in=timedelta(days=12))
    with session.begin_nested() as nested:
        add_study(session, county, now=fixed_clock.instant)
        first = ways(session)
        nested.rollback()
    session.expire_all()
    courses = add_study(session, county, now=fixed_clock.instant)
    session.expire_all()
    assert ways(session) == first
    assert [course.is_required for course in courses] == [True] * 3 + [False] * 3

    progress = session.query(ChapterProgress).all()
    passed = {(row.person_id, row.chapter_id): row for row in progress if row.passed_at is not None}
    runs = session.query(ExerciseRun).all()
    won = {(run.person_id, run.chapter_id) for run in runs if run.is_passed}
    assert won == set(passed)
    assert all(run.is_passed == (run.right_count >= run.pass_count) for run in runs)
    assert all(row.read_at < row.passed_at < fixed_clock.instant for row in passed.values())
    days = session.execute(
        select(func.count())
        .select_from(ExerciseRun)
        .group_by(ExerciseRun.person_id, ExerciseRun.chapter_id, ExerciseRun.started_on)
    )
    assert max(row[0] for row in days) <= RUNS_A_DAY
    chapters = {course.id: {chapter.id for chapter in course.chapters} for course in courses}
    done = {(row.person_id, row.course_id) for row in session.query(CourseCompletion)}
    people = {row.person_id for row in progress}
    whole = {(p, c) for p in people for c, ids in chapters.items() if all((p, chapter) in passed for chapter in ids)}
    assert done == whole
    assert 20 < len(people) < 75
    assert county.person_ids[-1] not in people, "the shown candidate studies by himself"
    cleared = world.client(world.admin("publicity_office")).get(f"/admin/training/gates?exam={exam.id}").text
    assert "已学满" in cleared


def test_the_shown_candidate_has_something_on_every_page(world, session, county, fixed_clock):
    courses = add_study(session, county, now=fixed_clock.instant)
    add_learner(session, county, courses, now=fixed_clock.instant)
    session.expire_all()
    person_id = county.person_ids[-1]
    assert session.query(CourseCompletion).filter_by(person_id=person_id).count() == 2
    items = session.query(PracticeItem).filter_by(person_id=person_id).all()
    assert all(item.answered_at <= fixed_clock.instant for item in items)
    assert {item.is_right for item in items} == {True, False}
    client = world.client(session.get(Person, person_id))
    assert "接着学" in client.get("/study/").text or "学习中" in client.get("/study/").text
    assert "今天该复习 <b>0</b>" not in client.get("/practice/mistakes").text
    assert "已收藏" in client.get("/practice/notes").text
    assert courses[0].title in client.get("/study/record").text


def test_events_are_settled_in_the_past_and_certificates_wait_for_the_workers(world, session, county, fixed_clock):
    courses = add_study(session, county, now=fixed_clock.instant)
    add_gatherings(session, county, now=fixed_clock.instant)
    exam = world.exam(title="去年的考试", opens_in=timedelta(days=-30))
    add_certificates(
        session,
        county,
        DemoExams(last_year=exam, this_year=exam, mock=exam, upcoming=exam),
        courses,
        now=fixed_clock.instant,
    )
    session.expire_all()
    events = session.query(StudyEvent).all()
    assert all(event.ends_at < fixed_clock.instant for event in events if event.state == "held")
    assert {event.state for event in events if event.unit_id == county.unit_ids[1]} == {"held", "planned"}
    assert {row.unit_id for row in session.query(Attendance)} == set(county.unit_ids[1:])
    assert session.query(Certificate).count() == 0
    assert [job.state for job in session.query(CertificateJob)] == ["queued"] * 2
    world.app.extensions["celery"].tasks["jobs.sweep"].apply()
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=1))
    world.app.extensions["celery"].tasks["jobs.sweep"].apply()
    both = [
        person_id
        for person_id in county.person_ids
        if {row.course_id for row in session.query(CourseCompletion).filter_by(person_id=person_id)}
        >= {c.id for c in courses[:2]}
    ]
    assert both
    assert {row.person_id for row in session.query(Certificate)} == set(both)
    assert {row.heading for row in session.query(Certificate)} == {"结业证书"}, "nobody of these has passed the exam"
