"""Keys come out when the last attempt that may still be written has ended, and to nobody who sits; what is granted later needs a tick."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from examapp.clock import local
from examapp.delivery.attempts.models import Attempt, AttemptReopening
from examapp.delivery.exams.models import Exam, ExamExtension
from examapp.delivery.grading import tasks as grading_tasks
from examapp.organisation.people.models import Approval
from examapp.platform.audit.models import AuditEvent
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON

HOUR = timedelta(hours=1)


@pytest.fixture
def bank(world):
    make_bank(world)
    return world.blueprint(KINDS)


@pytest.fixture
def office(world):
    return world.api(world.admin("publicity_office"))


def handed_in(world, exam, person=None):
    candidate_client = CandidateClient(world, exam, person or world.person())
    candidate_client.start()
    candidate_client.hand_in()
    grading_tasks.sweep_once()
    return candidate_client


def shows_keys(candidate_client):
    """Whether API, page and list of mistakes show keys; all three say the same."""
    items = candidate_client.result().get_json()["items"]
    page = "各法律答题情况" in candidate_client.api.get(f"/attempts/{candidate_client.attempt['id']}/result").text
    mistakes = "result#mistakes" in candidate_client.api.get("/practice/mistakes").text
    assert (items is not None) is page is mistakes, (items is not None, page, mistakes)
    return page


def press(office, path, **fields):
    answer = office.post(path, data=fields)
    return answer, re.sub(r"<[^>]+>", " ", answer.text)


def test_after_an_early_close_keys_wait_for_who_still_sits(world, bank, office, fixed_clock):
    exam = world.exam(bank, duration_s=5400)
    early = handed_in(world, exam)
    late = CandidateClient(world, exam, world.person())
    fixed_clock.at(NOON + timedelta(minutes=10))
    late.start()
    assert office.post(f"/admin/exams/{exam.id}/close").status_code == 302
    for minutes in (12, 60, 100):
        fixed_clock.at(NOON + timedelta(minutes=minutes))
        assert not shows_keys(early), minutes
    fixed_clock.at(NOON + timedelta(minutes=101, seconds=1))
    assert shows_keys(early)


def test_a_planned_make_up_holds_the_keys_back_until_it_is_over(world, bank, fixed_clock):
    exam = world.exam(bank, lasts=3 * HOUR)
    candidate_client = handed_in(world, exam)
    makeup = world.exam(bank, kind="makeup", main_exam_id=exam.id, opens_in=timedelta(days=1), lasts=HOUR)
    fixed_clock.at(NOON + 4 * HOUR)
    assert not shows_keys(candidate_client)
    fixed_clock.at(makeup.closes_at + timedelta(seconds=61))
    assert shows_keys(candidate_client)
    makeup.state = "cancelled"
    fixed_clock.at(NOON + 4 * HOUR)
    world.session.commit()
    assert shows_keys(candidate_client)


def test_keys_of_an_exam_that_counts_are_not_shown_at_once_whatever_was_set(world, bank, fixed_clock):
    exam = world.exam(bank, keys_policy="at_once", lasts=3 * HOUR)
    candidate_client = handed_in(world, exam)
    assert not shows_keys(candidate_client)
    fixed_clock.at(exam.closes_at + timedelta(seconds=61))
    assert shows_keys(candidate_client)


def test_extra_time_that_is_not_applied_yet_holds_the_keys_back(world, bank, fixed_clock):
    exam = world.exam(bank, duration_s=3600)
    early = handed_in(world, exam)
    late = CandidateClient(world, exam, world.person())
    late.start()
    exam.closes_at = NOON + timedelta(minutes=5)
    fixed_clock.at(NOON + timedelta(minutes=62))
    late.look()
    assert shows_keys(early)
    extension = {"request_key": "k", "seconds": 900, "reason": "停电", "granted_at": fixed_clock.instant}
    world.save(ExamExtension(exam_id=exam.id, person_id=late.person.id, **extension))
    world.session.commit()
    assert not shows_keys(early)
    grading_tasks.sweep_once()
    assert late.look()["state"] == "in_progress"
    assert not shows_keys(early)


def test_who_sits_sees_no_key_of_any_exam_and_sees_them_again_after_the_hand_in(world, bank):
    person = world.person()
    mock = handed_in(world, world.exam(bank, kind="mock", keys_policy="at_once"), person)
    assert shows_keys(mock)
    running = CandidateClient(world, world.exam(bank), person)
    running.start()
    assert mock.result().get_json()["items"] is None
    assert mock.result().get_json()["points"] is not None
    page = mock.api.get(f"/attempts/{mock.attempt['id']}/result").text
    assert "答案和解析暂时不能查看" in page
    assert "各法律答题情况" not in page
    shut = mock.api.get("/practice/mistakes")
    assert shut.status_code == 409
    assert "请交卷后再来" in shut.text
    running.hand_in()
    assert shows_keys(mock)


def closed_with_keys_out(world, bank, fixed_clock):
    """An exam that is over with its keys shown, and one who earlier it."""
    exam = world.exam(bank, lasts=3 * HOUR)
    candidate_client = handed_in(world, exam)
    fixed_clock.at(exam.closes_at + timedelta(hours=1))
    assert shows_keys(candidate_client)
    return exam, candidate_client


def test_prolonging_after_the_keys_are_out_needs_the_tick_which_the_log_keeps(world, bank, fixed_clock):
    exam, candidate_client = closed_with_keys_out(world, bank, fixed_clock)
    office = world.api(world.admin("publicity_office"))
    path = f"/admin/exams/{exam.id}/prolong"
    assert '<input class="form-check-input" id="is_known"' in office.get(path).text, "a box for text is no tick"
    to = {"closes_at": "2026-11-25T12:00"}
    answer, text = press(office, path, **to)
    assert (answer.status_code, "答案已经公布" in text, "请勾选" in text) == (200, True, True)
    assert press(office, path, **to, is_known="y")[0].status_code == 302
    assert world.session.query(AuditEvent).filter_by(act="exams.prolong_window").one().details["is_after_keys"] is True
    assert not shows_keys(candidate_client)
    # The keys rest again, but they were seen: what is granted next needs the tick as well.
    assert press(office, path, closes_at="2026-11-26T12:00")[0].status_code == 200
    assert press(office, path, closes_at="2026-11-26T12:00", is_known="y")[0].status_code == 302


def test_extra_time_after_the_keys_are_out_needs_the_tick_which_its_row_keeps(world, bank, fixed_clock):
    exam, candidate_client = closed_with_keys_out(world, bank, fixed_clock)
    office = world.api(world.admin("publicity_office"))
    path, number = f"/admin/exams/{exam.id}/extensions", candidate_client.person.staff_number
    fields = {"staff_number": number, "minutes": "15", "reason": "停电", "request_key": "12345678"}
    answer, text = press(office, path, **fields)
    assert (answer.status_code, "答案已经公布" in text) == (200, True)
    assert world.session.query(ExamExtension).count() == 0
    assert press(office, path, **fields, is_known="y")[0].status_code == 302
    assert world.session.query(ExamExtension).one().is_after_keys is True
    assert world.session.query(AuditEvent).filter_by(act="exams.extend").one().details["is_after_keys"] is True


def test_one_person_is_given_a_window_and_another_attempt_after_the_exam_has_closed(world, bank, fixed_clock):
    """By one act with its reason, audited; nobody else may start, and the keys rest until that window has ended."""
    exam, earlier = closed_with_keys_out(world, bank, fixed_clock)
    exam.attempts_allowed = 1
    late, third = CandidateClient(world, exam, world.person()), CandidateClient(world, exam, world.person())
    assert late.start().get_json()["error"] == "window_closed"
    office, now = world.api(world.admin("publicity_office")), fixed_clock.instant
    path = f"/admin/exams/{exam.id}/extensions"
    opens_at, closes_at = (f"{local(now + timedelta(hours=hours)):%Y-%m-%dT%H:%M}" for hours in (1, 4))
    fields = {"minutes": "0", "reason": "因公出差", "is_known": "y", "opens_at": opens_at}
    fields |= {"staff_number": late.person.staff_number, "request_key": "12345678"}
    assert "同时填写开始和结束" in press(office, path, **fields)[1]
    assert (
        "不够答题"
        in press(office, path, **fields, closes_at=f"{local(now + timedelta(hours=1, minutes=5)):%Y-%m-%dT%H:%M}")[1]
    )
    assert press(office, path, **fields, closes_at=closes_at)[0].status_code == 302
    more = fields | {"staff_number": earlier.person.staff_number, "more_attempts": "1", "request_key": "87654321"}
    assert press(office, path, **more, closes_at=closes_at)[0].status_code == 302
    assert late.start().get_json()["error"] == "not_open_yet" and not shows_keys(earlier)
    fixed_clock.at(now + timedelta(hours=3))
    (state,) = [one["state"] for one in late.api.get("/api/v1/exams").get_json() if one["id"] == exam.id]
    assert state == "open"
    again = CandidateClient(world, exam, earlier.person)
    assert [client.start().get_json().get("error") for client in (late, again, third)] == [None, None, "window_closed"]
    attempt = world.session.get(Attempt, late.attempt["id"])
    assert attempt.deadline_at == min(now + timedelta(hours=4), now + timedelta(hours=3, seconds=exam.duration_s))
    late.hand_in()
    assert late.start().get_json()["error"] == "no_attempts_left"
    details = [event.details for event in world.session.query(AuditEvent).filter_by(act="exams.extend")]
    assert [event.get("more_attempts") for event in details] == [None, 1] and all(
        "own_window" in each for each in details
    )
    later = world.client(world.admin("publicity_office"))
    assert "另定时间" in later.get(f"/admin/exams/{exam.id}").text
    fixed_clock.at(now + timedelta(hours=6))
    grading_tasks.sweep_once()
    assert shows_keys(earlier)


def test_before_the_keys_are_out_nobody_is_asked_for_a_tick(world, bank, office):
    exam = world.exam(bank)
    handed_in(world, exam)
    path = f"/admin/exams/{exam.id}/prolong"
    assert "答案已公布" not in office.get(path).text
    assert press(office, path, closes_at="2026-11-29T12:00")[0].status_code == 302
    assert "is_after_keys" not in world.session.query(AuditEvent).filter_by(act="exams.prolong_window").one().details


def test_reopening_after_the_keys_are_out_needs_the_tick_and_the_second_person_reads_it(world, bank, fixed_clock):
    _, candidate_client = closed_with_keys_out(world, bank, fixed_clock)
    office, second = (world.api(world.admin(role)) for role in ("publicity_office", "security_admin"))
    path = f"/admin/examday/attempts/{candidate_client.attempt['id']}/reopen"
    assert "答案已公布，仍要申请" in office.get(path).text
    fields = {"minutes": "10", "reason": "误点交卷"}
    answer, text = press(office, path, **fields)
    assert (answer.status_code, "答案已经公布" in text) == (422, True)
    assert press(office, path, **fields, is_known="y")[0].status_code == 303
    request = world.session.query(Approval).one()
    assert request.details["is_after_keys"] is True
    assert "答案已公布" in second.get("/admin/approvals/").text
    assert second.post(f"/admin/approvals/{request.id}/approve").status_code in {302, 303}
    assert world.session.query(AttemptReopening).one().is_after_keys is True
    assert (
        world.session.query(AuditEvent).filter_by(act="grading.reopen_attempt").one().details["is_after_keys"] is True
    )


def test_a_request_from_before_the_keys_were_out_is_not_put_into_force_after_it(world, bank, fixed_clock):
    exam = world.exam(bank, lasts=3 * HOUR)
    candidate_client = handed_in(world, exam)
    office = world.api(world.admin("publicity_office"))
    path = f"/admin/examday/attempts/{candidate_client.attempt['id']}/reopen"
    assert press(office, path, minutes="10", reason="误点交卷")[0].status_code == 303
    fixed_clock.at(exam.closes_at + timedelta(minutes=5))
    second = world.api(world.admin("security_admin"))
    request = world.session.query(Approval).one()
    second.post(f"/admin/approvals/{request.id}/approve")
    assert candidate_client.look()["state"] == "graded"
    assert world.session.get(Exam, exam.id).were_keys_out is False
