"""The exam-day board, and what the office decides there: reopen, accept or reject late answers, grade again."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from examapp.delivery.attempt_changes.actions import note_contacts
from examapp.delivery.attempts import queries
from examapp.delivery.attempts.models import Attempt, AttemptContact, AttemptReopening, QuarantinedSave
from examapp.delivery.attempts.queries import exam_notices
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import Grade
from examapp.organisation.people.models import Approval
from examapp.platform.audit.models import AuditEvent
from examapp.platform.health.views import report
from examapp.web import metrics
from examapp.web.metrics import WorkerHeartbeat
from tests.attempts.candidate_clients import CandidateClient, make_exam_with_candidates, sheet_digest
from tests.conftest import NOON


@pytest.fixture(autouse=True)
def without_enqueueing(monkeypatch):
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)


@pytest.fixture
def office(world):
    return world.client(world.admin("publicity_office"))


@pytest.fixture
def candidate_client(world):
    return make_exam_with_candidates(world)


def post(client, path, **fields):
    client.get("/admin/examday/")
    token = client.get("/api/v1/session").get_json()["csrf_token"]
    return client.post(path, data=fields | {"csrf_token": token})


def late_save(world, fixed_clock, candidate_client, *changes):
    """A save that comes after the forced close."""
    fixed_clock.at(NOON + timedelta(hours=1, minutes=5))
    assert candidate_client.save(*changes).get_json()["error"] == "deadline_passed"
    return world.session.query(QuarantinedSave).one().id


def test_the_board_counts_who_sits_who_handed_in_and_what_waits(world, office, candidate_client, fixed_clock):
    other = make_exam_with_candidates(world)
    other.hand_in((1, 1, ["A"]))
    page = office.get(f"/admin/examday/{candidate_client.exam_id}").text
    for text in ("考试日看板", "正在作答", "等待评分", "巡检没有按时工作", "延长某单位的作答时间"):
        assert text in page
    assert "疑似断线的考生" not in page
    fixed_clock.at(NOON + timedelta(minutes=6))
    fragment = office.get(f"/admin/examday/{candidate_client.exam_id}?part=board").text
    assert "疑似断线的考生" in fragment
    assert candidate_client.person.staff_number in fragment
    assert "<html" not in fragment
    note_contacts(world.session, {candidate_client.attempt["id"]: NOON + timedelta(minutes=5)})
    assert "疑似断线的考生" not in office.get(f"/admin/examday/{candidate_client.exam_id}?part=board").text


def test_the_board_is_for_the_office_and_its_people_only(world, candidate_client):
    assert world.client(candidate_client.person).get(f"/admin/examday/{candidate_client.exam_id}").status_code == 404
    unit_admin = world.client(world.admin("unit_admin", world.unit()))
    assert unit_admin.get(f"/admin/examday/{candidate_client.exam_id}").status_code == 404
    elsewhere = world.client(world.admin("publicity_office", world.unit("别的局")))
    assert elsewhere.get(f"/admin/examday/attempts/{candidate_client.attempt['id']}/reopen").status_code == 404
    assert elsewhere.get("/admin/examday/attempts/999999/reopen").status_code == 404


def test_the_board_costs_few_statements(world, office, candidate_client, statements):
    with statements() as seen:
        assert office.get(f"/admin/examday/{candidate_client.exam_id}?part=board").status_code == 200
    assert len(seen) <= 16


def test_a_process_reports_what_it_did_in_the_last_minute(world, office, candidate_client):
    metrics._recent.clear()
    candidate_client.save((1, 1, ["A"]))
    report("here:1", has_contacts=True)
    report("here:1", has_contacts=False)
    row = world.session.query(WorkerHeartbeat).one()
    assert (row.saves, row.starts, row.hand_ins, row.rejected) == (1, 0, 0, 0)
    assert row.save_p95_ms > 0
    assert row.starts_per_second == 40
    assert world.session.get(AttemptContact, candidate_client.attempt["id"]).seen_at == NOON
    assert "每秒最多放行 40" in office.get(f"/admin/examday/{candidate_client.exam_id}?part=board").text


def test_the_last_minute_counts_what_was_done_and_how_long_saves_took(monkeypatch):
    moment = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    metrics._recent.clear()
    for milliseconds in range(1, 101):
        metrics.count_request("attempts_api.save_answers", 200, milliseconds / 1000)
    metrics.count_request("attempts_api.save_answers", 503, 9.0)
    metrics.count_request("attempts_api.start", 202, 0.001)
    metrics.count_request("people.sign_in", 200, 0.001)
    moment[0] = 59.0
    assert metrics.read_last_minute() == metrics.Minute(saves=100, rejected=1, save_p50_ms=51, save_p95_ms=96)
    moment[0] = 60.0
    assert metrics.read_last_minute() == metrics.Minute()


def test_an_attempt_is_reopened_by_two_persons_with_its_answers_and_graded_again(
    world, office, candidate_client, fixed_clock
):
    candidate_client.hand_in((1, 1, ["A"]))
    grading_tasks.sweep_once()
    fixed_clock.at(NOON + timedelta(minutes=30))
    fields = {"minutes": "10", "reason": "误点交卷"}
    path = f"/admin/examday/attempts/{candidate_client.attempt['id']}/reopen"
    assert "提交申请" in office.get(path).text
    assert post(office, path, **fields).status_code == 303
    assert "不需要重复提交" in post(office, path, **fields).text
    assert candidate_client.look()["state"] == "graded"
    request = world.session.query(Approval).one()
    second = world.api(world.admin("publicity_office"))
    rejected = post(office, f"/admin/approvals/{request.id}/approve")
    assert "不能审批" in office.get(rejected.location).text
    for text in ("已同意", "已经处理过"):
        assert text in second.post(f"/admin/approvals/{request.id}/approve", follow_redirects=True).text
    state = candidate_client.look()
    assert (state["state"], state["receipt"], state["deadline_at"]) == (
        "in_progress",
        None,
        "2026-11-24T12:40:00.000+08:00",
    )
    assert candidate_client.answers() == {1: ["A"]}
    assert world.session.query(Grade).filter_by(is_current=True).count() == 0
    assert world.session.query(AttemptReopening).count() == 1
    assert candidate_client.save((2, 2, ["B"])).status_code == 200
    assert candidate_client.hand_in().get_json()["receipt"]["answered"] == 2
    grading_tasks.sweep_once()
    grades = world.session.query(Grade).order_by(Grade.number).all()
    assert [(grade.number, grade.is_current) for grade in grades] == [(1, False), (2, True)]
    event = world.session.query(AuditEvent).filter_by(act="grading.reopen_attempt").one()
    assert event.details["reason"] == "误点交卷"
    assert event.person_id == candidate_client.person.id


def test_what_can_no_longer_be_reopened_stays_closed_and_undecided(world, office):
    candidate_client = make_exam_with_candidates(world, attempts_allowed=2)
    candidate_client.hand_in()
    path = f"/admin/examday/attempts/{candidate_client.attempt['id']}/reopen"
    post(office, path, minutes="10", reason="误点交卷")
    candidate_client.api.post(f"/api/v1/exams/{candidate_client.exam_id}/attempts")
    request = world.session.query(Approval).one()
    second = world.api(world.admin("publicity_office"))
    page = second.post(f"/admin/approvals/{request.id}/approve", follow_redirects=True).text
    assert "已经开始了下一次作答" in page
    assert (request.state, world.session.query(AttemptReopening).count()) == ("waiting", 0)


def test_a_running_attempt_or_one_without_a_reason_is_not_reopened(world, office, candidate_client):
    path = f"/admin/examday/attempts/{candidate_client.attempt['id']}/reopen"
    running = post(office, path, minutes="10", reason="误点")
    assert running.status_code == 422
    assert "还没有交卷" in running.text
    candidate_client.hand_in()
    assert post(office, path, minutes="10", reason="").status_code == 422
    assert candidate_client.look()["state"] == "submitted"


def test_accepted_late_answers_become_a_further_change_and_are_graded(world, candidate_client, fixed_clock):
    candidate_client.save((1, 5, ["A"]), (2, 6, ["B"]))
    save_id = late_save(
        world, fixed_clock, candidate_client, (1, 4, ["C"]), (2, 7, ["C"]), (3, 8, ["A", "C"]), (4, 9, ["Z"])
    )
    grading_tasks.sweep_once()
    office = world.client(world.admin("publicity_office"))
    receipt = candidate_client.look()["receipt"]
    page = office.get(f"/admin/examday/{candidate_client.exam_id}").text
    assert "到时收卷后才送达" in page
    assert "A、C" in office.get(f"/admin/examday/late/{save_id}").text
    answer = post(office, f"/admin/examday/late/{save_id}", decision="accept", reason="停电 12 分钟")
    assert answer.status_code == 303
    assert candidate_client.answers() == {1: ["A"], 2: ["C"], 3: ["A", "C"]}, (
        "an older content of the same device does not come back"
    )
    after = candidate_client.look()["receipt"]
    assert (after["number"], after["submitted_at"], after["forced"]) == (
        receipt["number"],
        receipt["submitted_at"],
        True,
    )
    assert after["answered"] == 3
    assert after["sha256"] == sheet_digest(candidate_client.attempt["id"], [[1, ["A"]], [2, ["C"]], [3, ["A", "C"]]])
    grading_tasks.sweep_once()
    grades = world.session.query(Grade).order_by(Grade.number).all()
    assert [grade.is_current for grade in grades] == [False, True]
    event = world.session.query(AuditEvent).filter_by(act="grading.accept_late_answers").one()
    assert event.details["items"] == [2, 3]
    assert post(office, f"/admin/examday/late/{save_id}", decision="reject", reason="又点了一次").status_code == 303
    kept = world.session.get(QuarantinedSave, save_id)
    assert (kept.is_accepted, kept.judged_reason) == (True, "停电 12 分钟")
    assert world.session.query(AuditEvent).filter_by(act="grading.reject_late_answers").count() == 0


def test_late_answers_that_came_when_the_keys_were_out_are_accepted_only_with_a_tick(
    world, candidate_client, fixed_clock
):
    exam = world.session.get(Exam, candidate_client.exam_id)
    exam.closes_at, exam.results_policy, exam.keys_policy = NOON + timedelta(hours=1), "at_once", "at_once"
    world.session.flush()
    save_id = late_save(world, fixed_clock, candidate_client, (1, 2, ["B"]))
    grading_tasks.sweep_once()
    office = world.client(world.admin("publicity_office"))
    path = f"/admin/examday/late/{save_id}"
    assert "答案已经公布" in office.get(path).text
    rejected = post(office, path, decision="accept", reason="停电")
    assert rejected.status_code == 422 and "请勾选" in rejected.text and candidate_client.answers() == {}
    assert post(office, path, decision="accept", reason="停电", is_known="y").status_code == 303
    assert candidate_client.answers() == {1: ["B"]}
    event = world.session.query(AuditEvent).filter_by(act="grading.accept_late_answers").one()
    assert event.details["is_after_keys"] is True


def test_rejected_late_answers_change_nothing(world, candidate_client, fixed_clock):
    candidate_client.save((1, 1, ["A"]))
    save_id = late_save(world, fixed_clock, candidate_client, (1, 2, ["B"]))
    grading_tasks.sweep_once()
    office = world.client(world.admin("publicity_office"))
    before = candidate_client.look()
    assert post(office, f"/admin/examday/late/{save_id}", decision="reject", reason="没有停电").status_code == 303
    assert candidate_client.look()["answers"] == before["answers"]
    assert candidate_client.look()["receipt"] == before["receipt"]
    assert world.session.query(Grade).filter_by(is_current=True).count() == 1
    assert world.session.query(AuditEvent).filter_by(act="grading.reject_late_answers").count() == 1


def test_an_older_devices_answers_wait_until_the_hand_in_and_then_replace(world, office, candidate_client):
    candidate_client.save((1, 1, ["A"]))
    candidate_client.api.post(candidate_client.url("/epoch"))
    assert candidate_client.save((1, 2, ["B"])).status_code == 409
    save_id = world.session.query(QuarantinedSave).one().id
    early = post(office, f"/admin/examday/late/{save_id}", decision="accept", reason="以原设备为准")
    assert early.status_code == 422
    assert "还在作答" in early.text
    candidate_client.hand_in((1, 1, ["C"]), epoch=2)
    assert post(office, f"/admin/examday/late/{save_id}", decision="accept", reason="以原设备为准").status_code == 303
    assert candidate_client.answers() == {1: ["B"]}


def test_an_attempt_whose_grading_failed_is_graded_again(world, office, candidate_client):
    candidate_client.hand_in((1, 1, ["A"]))
    attempt = world.session.get(Attempt, candidate_client.attempt["id"])
    attempt.grading_retry_count, attempt.quarantined_at = 3, NOON
    world.session.flush()
    assert "评分失败的试卷" in office.get(f"/admin/examday/{candidate_client.exam_id}").text
    assert post(office, f"/admin/examday/attempts/{attempt.id}/grade").status_code == 303
    grading_tasks.sweep_once()
    assert candidate_client.look()["state"] == "graded"


def test_a_notice_reaches_who_sits_with_the_next_exchange_and_is_taken_back(world, office, candidate_client):
    other = make_exam_with_candidates(world)
    exam_notices.cache_clear()
    assert candidate_client.save().get_json()["notice"] is None
    path = f"/admin/examday/{candidate_client.exam_id}"
    rejected = post(office, f"{path}/notice", text="长" * 121)
    assert "最多 120 字" in office.get(rejected.location).text
    reply = post(office, f"{path}/notice", text=" 因停电，本场延长 10 分钟 <b> ")
    assert "通知已发出" in office.get(reply.location).text
    assert candidate_client.save().get_json()["notice"] is None, "not asked again at every save"
    exam_notices.cache_clear()
    assert candidate_client.save().get_json()["notice"] == "因停电，本场延长 10 分钟 <b>"
    assert other.save().get_json()["notice"] is None
    assert "因停电，本场延长 10 分钟 &lt;b&gt;" in office.get(path).text
    post(office, f"{path}/notice", text="")
    exam_notices.cache_clear()
    assert candidate_client.save().get_json()["notice"] is None
    assert world.session.query(AuditEvent).filter_by(act="exams.set_exam_notice").count() == 2
    assert post(world.client(candidate_client.person), f"{path}/notice", text="x").status_code == 404


def test_a_save_does_not_fail_because_a_notice_cannot_be_read(monkeypatch):
    def away(*_arguments):
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(queries, "_last_notices", {1: "甲"})
    monkeypatch.setattr(queries, "execute_autocommit", away)
    exam_notices.cache_clear()
    assert exam_notices() == {1: "甲"}


def test_the_board_lists_late_answers_by_attempt_so_that_one_hides_no_other(world, office, candidate_client):
    for _ in range(51):
        candidate_client.api.post(candidate_client.url("/epoch"))
    for epoch in range(1, 51):
        assert candidate_client.save((1, epoch, ["B"]), epoch=epoch).status_code == 409
    other = CandidateClient(world, world.session.get(Exam, candidate_client.exam_id), world.person(name="钱多多"))
    other.start()
    other.api.post(other.url("/epoch"))
    other.save((1, 1, ["B"]), (2, 1, ["A"]))
    candidate_client.hand_in(epoch=52)
    other.hand_in(epoch=2)
    page = office.get(f"/admin/examday/{candidate_client.exam_id}").text
    assert "共 50 题，分 50 份，逐份决定" in page
    assert "钱多多" in page and "共 2 题</td>" in page
    assert page.count("查看并决定") == 2


def test_what_its_person_entered_again_waits_for_no_decision(world, office, candidate_client):
    candidate_client.api.post(candidate_client.url("/epoch"))
    candidate_client.save((1, 1, ["B"]), (2, 2, ["A"]), epoch=1)
    candidate_client.api.post(candidate_client.url("/epoch"))
    candidate_client.save((1, 1, ["B"]), epoch=3)
    candidate_client.save((2, 2, ["A"]), epoch=3)
    candidate_client.save((2, 3, ["C"]), epoch=3)
    candidate_client.hand_in(epoch=3)
    assert "查看并决定" not in office.get(f"/admin/examday/{candidate_client.exam_id}").text
