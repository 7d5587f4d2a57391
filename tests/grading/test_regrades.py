"""A wrong key found after grading: two persons correct it, what was graded is graded again, before and after are kept (H22)."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from examapp.content.questions.models import AnswerKey, QuestionVersion
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import Grade, Regrade
from examapp.organisation.people.models import Approval
from examapp.platform.audit.models import AuditEvent
from question_bank.model import Kind
from tests.attempts.candidate_clients import CandidateClient
from tests.conftest import NOON
from tests.helpers.grading import correct, key_of, let_rows_change, press, take_exam, wrong_question


@pytest.fixture
def office(world):
    return world.api(world.admin("publicity_office", name="甲"))


@pytest.fixture
def second(world):
    return world.api(world.admin("publicity_office", name="乙"))


@pytest.fixture
def exam(world):
    """An exam of two questions, two points each, of which both papers hold the same two."""
    world.question(Kind.SINGLE_CHOICE, key=("A",))
    world.question(Kind.SINGLE_CHOICE, key=("B",))
    return world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), results_policy="at_once", keys_policy="at_once")


def grades_of(world, candidate_client):
    rows = world.session.query(Grade).filter_by(attempt_id=candidate_client.attempt["id"]).order_by(Grade.number)
    return [(row.points, row.is_current, row.reason) for row in rows]


def test_a_used_key_is_corrected_by_two_and_what_was_graded_is_graded_again(world, exam, office, second):
    by_old, by_none = take_exam(world, exam, right="A"), take_exam(world, exam, right="-")
    question = wrong_question(world)
    assert "申请已提交" in correct(office, question)
    assert "不需要重复提交" in correct(office, question)
    assert "没有等您审批的申请" in office.get("/admin/approvals/").text
    request = world.session.query(Approval).one()
    assert key_of(world, question) == ["A"] and question.state == "active"
    page = second.get(f"/admin/approvals/{request.id}").text
    assert "2 份已评分的答卷用到这道题" in page and "条文为准" in page
    assert "不能审批" in press(office, request)
    assert key_of(world, question) == ["A"]
    assert "已同意" in press(second, request)
    assert "已经处理过" in press(second, request)
    assert (key_of(world, question), question.state) == (["B"], "active")
    grading_tasks.sweep_once()
    assert grades_of(world, by_old) == [
        (Decimal("2.00"), False, "first"),
        (Decimal("0.00"), True, "key_corrected"),
    ]
    assert grades_of(world, by_none)[-1] == (Decimal("0.00"), True, "key_corrected")
    job = world.session.query(Regrade).one()
    assert (job.state, job.done, job.total) == ("done", 2, 2)
    grading_tasks.sweep_once()
    assert world.session.query(Grade).count() == 4
    assert "原 2 分，现 0 分" in by_old.api.get(f"/attempts/{by_old.attempt['id']}/result").text
    assert "重新评分" not in by_none.api.get(f"/attempts/{by_none.attempt['id']}/result").text
    acts = [act for (act,) in world.session.query(AuditEvent.act).order_by(AuditEvent.id)]
    wanted = ["people.request_approval", "people.approve", "questions.correct_key", "grading.regrade"]
    assert [act for act in acts if act in wanted] == wanted


def test_before_and_after_are_shown_and_exported_within_the_reach(world, exam, office, second):
    here, there = world.unit("甲局"), world.unit("乙局")
    take_exam(world, exam, right="A", unit=here)
    take_exam(world, exam, right="A", unit=there)
    question = wrong_question(world)
    correct(office, question)
    press(second, world.session.query(Approval).one())
    grading_tasks.sweep_once()
    job = world.session.query(Regrade).one()
    of_here = world.api(world.admin("publicity_office", here))
    page = of_here.get(f"/admin/regrades/{job.id}").text
    assert "甲局" in page and "乙局" not in page and "分数有变化的作答：1 份" in page
    assert "分数有变化的作答：2 份" in office.get(f"/admin/regrades/{job.id}").text
    sheet = load_workbook(io.BytesIO(of_here.get(f"/admin/regrades/{job.id}/file").data)).active
    cells = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value]
    assert {"甲局", "2.00", "0.00"} <= set(cells) and "乙局" not in cells
    assert question.code in office.get("/admin/regrades/").text


def test_what_waits_to_be_graded_takes_the_new_key_and_is_not_graded_twice(world, exam, office, second):
    candidate_client = CandidateClient(world, exam, world.person())
    candidate_client.start()
    candidate_client.hand_in()
    question = wrong_question(world)
    correct(office, question)
    press(second, world.session.query(Approval).one())
    grading_tasks.sweep_once()
    assert [reason for _, _, reason in grades_of(world, candidate_client)] == ["first"]
    assert world.session.query(Regrade).one().total == 0


def test_a_grade_by_the_old_key_that_turns_up_late_is_graded_again_too(world, exam, office, second, fixed_clock):
    candidate_client = take_exam(world, exam, right="A")
    question = wrong_question(world)
    correct(office, question)
    press(second, world.session.query(Approval).one())
    grading_tasks.sweep_once()
    late = take_exam(world, exam, right="-")
    grade = world.session.query(Grade).filter_by(attempt_id=late.attempt["id"]).one()
    old_key = world.session.query(Regrade).one().old_key_id
    let_rows_change(world.session, "grades")
    grade.key_ids = {**grade.key_ids, str(question.current_version_id): old_key}
    world.session.flush()
    fixed_clock.at(NOON + timedelta(minutes=1))
    grading_tasks.sweep_once()
    assert len(grades_of(world, late)) == 2 and len(grades_of(world, candidate_client)) == 2
    assert world.session.query(Regrade).one().done == 2


def test_a_key_that_changed_since_the_request_is_not_put_in_force(world, exam, office, second):
    question = wrong_question(world)
    correct(office, question)
    request = world.session.query(Approval).one()
    version_id = question.current_version_id
    before = world.session.query(AnswerKey).filter_by(question_version_id=version_id).one()
    world.save(AnswerKey(question_version_id=version_id, number=2, parts=before.parts, created_at=NOON))
    assert "又改过" in press(second, request)
    world.session.refresh(request)
    assert request.state == "waiting" and world.session.query(Regrade).count() == 0


def test_the_key_of_a_replaced_version_is_corrected_without_touching_the_new_one(world, exam, office, second):
    candidate_client = take_exam(world, exam, right="A")
    question = wrong_question(world)
    old_id = question.current_version_id
    old = world.session.get(QuestionVersion, old_id)
    key = world.session.query(AnswerKey).filter_by(question_version_id=old_id).one()
    new = world.save(
        QuestionVersion(question_id=question.id, number=2, content=old.content, search_text="新", created_at=NOON)
    )
    world.save(AnswerKey(question_version_id=new.id, number=1, parts=key.parts, created_at=NOON))
    question.current_version_id = new.id
    world.session.flush()
    data = {"parts-0-n": "1", "parts-0-key": "B", "reason": "条文为准"}
    page = office.post(f"/admin/questions/{question.id}/key?version=1", data=data, follow_redirects=True).text
    assert "申请已提交" in page
    press(second, world.session.query(Approval).one())
    grading_tasks.sweep_once()
    assert key_of(world, question) == ["A"]
    assert grades_of(world, candidate_client)[-1] == (Decimal("0.00"), True, "key_corrected")


def test_a_regrade_that_fails_three_times_is_shown_and_harms_no_grade(
    world, exam, office, second, fixed_clock, monkeypatch
):
    candidate_client = take_exam(world, exam, right="A")
    question = wrong_question(world)
    correct(office, question)
    press(second, world.session.query(Approval).one())
    monkeypatch.setattr("examapp.delivery.grading.rules.score_paper", lambda *_args, **_fields: 1 / 0)
    for minute in range(4):
        fixed_clock.at(NOON + timedelta(minutes=minute))
        grading_tasks.sweep_once()
    job = world.session.query(Regrade).one()
    world.session.refresh(job)
    assert job.state == "quarantined" and "系统管理员" in job.message
    assert grades_of(world, candidate_client) == [(Decimal("2.00"), True, "first")]
