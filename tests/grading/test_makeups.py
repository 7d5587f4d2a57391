"""Who may sit a make-up: absent or failed in the main exam, minus exempt."""

from datetime import timedelta

import pytest

from examapp import clock
from examapp.delivery.exams.models import Exemption, MakeupEligibility
from examapp.delivery.grading import tasks as grading_tasks
from examapp.oversight.reminders.models import ExamReminder
from examapp.web.pages import instant
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON
from tests.helpers.grading import right_answers


@pytest.fixture
def scenario(world, fixed_clock):
    make_bank(world)
    blueprint = world.blueprint(KINDS)
    main = world.exam(blueprint, lasts=timedelta(hours=3))
    makeup = world.exam(blueprint, kind="makeup", main_exam_id=main.id, opens_in=timedelta(days=10))
    people = {name: world.person(name=name) for name in ("passed", "failed", "absent", "exempt", "deferred")}
    for name, kind in (("exempt", "exemption"), ("deferred", "deferral")):
        world.save(
            Exemption(
                exam_id=main.id,
                person_id=people[name].id,
                kind=kind,
                reason="长期病假",
                requested_at=NOON,
                approved_at=NOON,
            )
        )
    passed, failed = CandidateClient(world, main, people["passed"]), CandidateClient(world, main, people["failed"])
    for candidate_client in (passed, failed):
        candidate_client.start()
    passed.hand_in(*right_answers(world, passed))
    failed.hand_in()
    return main, makeup, people


def reasons(session, makeup, people):
    names = {person.id: name for name, person in people.items()}
    rows = session.query(MakeupEligibility).filter_by(exam_id=makeup.id).all()
    return {names[row.person_id]: row.reason for row in rows if row.person_id in names}


def test_nobody_is_eligible_before_the_main_exam_has_ended(scenario, session):
    _, makeup, people = scenario
    grading_tasks.sweep_once()
    assert reasons(session, makeup, people) == {}


def test_absent_failed_and_deferred_are_eligible_and_the_others_not(scenario, session, fixed_clock, world):
    _, makeup, people = scenario
    fixed_clock.at(NOON + timedelta(days=10, hours=1))
    grading_tasks.sweep_once()
    grading_tasks.sweep_once()
    assert reasons(session, makeup, people) == {"failed": "failed", "absent": "absent", "deferred": "absent"}
    assert CandidateClient(world, makeup, people["failed"]).start().status_code == 201
    assert CandidateClient(world, makeup, people["passed"]).start().get_json()["error"] == "not_eligible"


def test_who_is_exempted_afterwards_goes(scenario, session, fixed_clock, world):
    main, makeup, people = scenario
    fixed_clock.at(NOON + timedelta(days=1))
    grading_tasks.sweep_once()
    assert "absent" in reasons(session, makeup, people)
    world.save(
        Exemption(
            exam_id=main.id,
            person_id=people["absent"].id,
            kind="exemption",
            reason="长期病假",
            requested_at=clock.now(),
            approved_at=clock.now(),
        )
    )
    grading_tasks.sweep_once()
    assert "absent" not in reasons(session, makeup, people)


def test_who_is_graded_is_eligible_as_soon_as_the_main_exam_is_closed_early(scenario, world, session, fixed_clock):
    main, makeup, people = scenario
    slow = world.person(name="slow")
    candidate_client = CandidateClient(world, main, slow)
    candidate_client.start()
    main.closes_at = NOON + timedelta(minutes=10)
    session.flush()
    fixed_clock.at(NOON + timedelta(minutes=10, seconds=5))
    grading_tasks.sweep_once()
    found = reasons(session, makeup, people | {"slow": slow})
    assert found == {"failed": "failed", "absent": "absent", "deferred": "absent"}, "who still writes holds up nobody"
    page = world.client(world.admin()).get(f"/admin/exams/{makeup.id}").get_data(as_text=True)
    assert "不合格 1 人" in page
    candidate_client.hand_in()
    grading_tasks.sweep_once()
    assert reasons(session, makeup, people | {"slow": slow}) == found | {"slow": "failed"}


def test_the_page_of_a_make_up_says_when_its_people_are_known(scenario, world):
    main, makeup, _ = scenario
    page = world.client(world.admin()).get(f"/admin/exams/{makeup.id}").get_data(as_text=True)
    assert f"主考试 {instant(main.closes_at)} 结束，届时自动确定补考人员" in page
    makeup.opens_at, makeup.state = main.closes_at - timedelta(minutes=1), "draft"
    world.session.flush()
    page = world.client(world.admin()).get(f"/admin/exams/{makeup.id}").get_data(as_text=True)
    assert "补考在主考试结束之前开考" in page


def test_a_reminder_of_the_main_exam_is_not_one_of_its_make_up(scenario, world, fixed_clock):
    main, makeup, people = scenario
    reminder = ExamReminder(
        exam_id=main.id, person_id=people["absent"].id, reminded_on=NOON.date(), group="not_started", reminded_at=NOON
    )
    world.save(reminder)
    home = world.client(people["absent"])
    assert "提醒您" in home.get("/").get_data(as_text=True)
    fixed_clock.at(makeup.opens_at + timedelta(hours=1))
    grading_tasks.sweep_once()
    home = world.client(people["absent"])
    page = home.get("/").get_data(as_text=True)
    assert "开始考试" in page and "提醒您" not in page
    reminder.reminded_at = makeup.opens_at + timedelta(minutes=1)
    world.session.flush()
    assert "提醒您" in home.get("/").get_data(as_text=True)
