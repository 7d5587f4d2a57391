"""Eligibility for a make-up from raw rows, every odd case: whose result so far, by the exam's own rule, is no pass."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp import clock
from examapp.delivery.exams.models import MakeupEligibility
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import ExternalResult, Grade
from tests.reports.county import ReportCounty


@pytest.fixture
def county(world):
    return ReportCounty(world)


@pytest.fixture
def makeup(county, world):
    return world.exam(title="补考", kind="makeup", main_exam_id=county.exam.id, opens_in=timedelta(days=10))


@pytest.fixture
def eligible(session, fixed_clock):
    """Sweeps at an instant after the main exam, and gives names with reasons of who may sit."""

    def eligible(exam, people, *, days=4):
        fixed_clock.at(fixed_clock.instant + timedelta(days=days))
        grading_tasks.sweep_once()
        names = {person.id: name for name, person in people.items()}
        rows = session.query(MakeupEligibility).filter_by(exam_id=exam.id)
        return {names[row.person_id]: row.reason for row in rows if row.person_id in names}

    return eligible


def outside(world, county, person, points):
    return world.save(
        ExternalResult(
            exam_id=county.exam.id,
            person_id=person.id,
            unit_id=person.unit_id,
            import_id=1,
            source="省平台",
            points=points,
            points_possible=100,
            percent=points,
            band="pass" if points >= 60 else "fail",
            is_passed=points >= 60,
            taken_at=clock.now(),
            recorded_at=clock.now(),
        )
    )


def test_every_odd_case_of_the_county(county, makeup, eligible):
    people = county.fill_with_every_odd_case()
    found = eligible(makeup, people)
    assert found == {
        "bare fail": "failed",
        "zero": "failed",
        "deferred who sat": "failed",
        # Closed and graded by the same sweep, on a sheet without items: nothing of nothing is no pass.
        "ungraded": "failed",
        "graded once, second waits": "failed",
        "in progress": "failed",
        "absent": "absent",
        "absent too": "absent",
        "deferred": "absent",
        "exemption not approved": "absent",
        "exemption refused": "absent",
        "exemption withdrawn": "absent",
        "sat another exam": "absent",
        "in the county itself": "absent",
    }


def test_the_attempt_that_counts_by_the_exams_rule_decides(county, world, makeup, eligible, session):
    people = {name: world.person(county.bureau, name=name) for name in ("up", "down")}
    for name, marks in (("up", (40, 80)), ("down", (80, 40))):
        for number, points in enumerate(marks, 1):
            county.attempt(people[name], number=number, points=points)
    expected = {"best": {}, "last": {"down": "failed"}, "first": {"up": "failed"}}
    for rule, found in expected.items():
        county.exam.counting_rule = rule
        session.flush()
        assert eligible(makeup, people, days=2) == found, rule


def test_a_result_from_elsewhere_is_the_earliest(county, world, makeup, eligible, session):
    people = {name: world.person(county.bureau, name=name) for name in ("passed there", "failed there", "only there")}
    outside(world, county, people["passed there"], 80)
    county.attempt(people["passed there"], points=40)
    outside(world, county, people["failed there"], 40)
    county.attempt(people["failed there"], points=80)
    outside(world, county, people["only there"], 80)
    expected = {"best": set(), "last": {"passed there"}, "first": {"failed there"}}
    for rule, names in expected.items():
        county.exam.counting_rule = rule
        session.flush()
        assert set(eligible(makeup, people, days=2)) == names, rule


def test_who_passed_the_first_make_up_does_not_sit_the_second(county, world, makeup, eligible, fixed_clock):
    people = {name: world.person(county.bureau, name=name) for name in ("passes", "fails", "stays away")}
    county.attempt(people["passes"], points=30)
    assert set(eligible(makeup, people)) == {"passes", "fails", "stays away"}
    fixed_clock.at(makeup.opens_at + timedelta(hours=3))
    second = world.exam(title="第二次补考", kind="makeup", main_exam_id=county.exam.id, opens_in=timedelta(days=5))
    county.attempt(people["passes"], exam=makeup, points=70, hours_ago=1)
    county.attempt(people["fails"], exam=makeup, points=20, hours_ago=1)
    assert eligible(second, people, days=0) == {"fails": "failed", "stays away": "absent"}
    found = eligible(makeup, people, days=0)
    assert set(found) == {"passes", "fails", "stays away"}, "who passed a make-up stays among those who sat it"


def test_who_moves_leaves_or_comes_is_taken_as_the_roster_stands(county, world, makeup, eligible, session):
    people = {name: world.person(county.bureau, name=name) for name in ("moved", "left", "stays")}
    assert set(eligible(makeup, people)) == set(people)
    county.move(people["moved"], to=county.town, came_from=county.bureau)
    county.move(people["left"], kind="retire", came_from=county.bureau)
    people["came"] = world.person(county.town, name="came")
    assert set(eligible(makeup, people, days=0)) == {"moved", "stays", "came"}


def test_who_waits_for_a_grade_comes_in_once_it_is_there_and_goes_where_it_is_corrected(
    county, world, makeup, eligible, session
):
    person = world.person(county.bureau, name="waits")
    attempt = county.attempt(person)
    attempt.quarantined_at = clock.now()
    session.flush()
    people = {"waits": person}
    assert eligible(makeup, people) == {}
    attempt.state, attempt.quarantined_at = "graded", None
    county.grade(attempt, 40)
    assert eligible(makeup, people, days=0) == {"waits": "failed"}
    session.query(Grade).filter_by(attempt_id=attempt.id).one().is_current = False
    session.flush()
    county.grade(attempt, 60, number=2)
    assert eligible(makeup, people, days=0) == {}
