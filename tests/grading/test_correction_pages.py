"""The office corrects results on its pages: a dry run to look at, three persons, and what each of them may see and press."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook

from examapp.content.questions.models import AnswerKey
from examapp.delivery.exams.models import ExamAudience
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import Correction, Grade, ItemRuling
from examapp.delivery.grading.rules import VersionKey
from examapp.platform.notices.models import OutgoingMessage
from question_bank.model import Kind
from tests.attempts.candidate_clients import CandidateClient
from tests.helpers.grading import ask_correction as ask
from tests.helpers.grading import correct, fingerprint_in, key_of, take_exam, wrong_question


@pytest.fixture
def offices(world):
    """Three of the office, each signed in."""
    return [world.api(world.admin("publicity_office", name=name)) for name in ("甲某", "乙某", "丙某")]


@pytest.fixture
def questions(world):
    return [world.question(Kind.SINGLE_CHOICE, key=(key,)) for key in "AB"]


@pytest.fixture
def exam(world, questions):
    return world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), results_policy="at_once", keys_policy="never")


def form_of(treatment, *exams, **more):
    return {"treatment": treatment, "exam_ids": [exam.id for exam in exams], "reason": "法律修改", **more}


def test_a_new_key_is_tried_out_and_applied_by_three_persons(world, session, exam, questions, offices):
    by_first, by_none = take_exam(world, exam, right="A"), take_exam(world, exam, right="-")
    address = f"/admin/corrections/questions/{questions[0].id}"
    form = form_of("best_of", exam, **{"key-key": ["C"], "public_reason": "有一道题两个答案都算对"})
    tried, page = ask(offices[0], address, form)
    assert "1" in tried and session.query(ItemRuling).count() == session.query(Correction).count() - 1 == 0
    assert "自己申请或审核过的" in offices[0].get(page).text
    security = world.api(world.admin("security_admin"))
    assert "先由普法办的另一人审核，再由第三人批准" in security.get(page).text
    assert "审核通过" in offices[1].get(page).text and "等您办理" in offices[1].get("/admin/corrections/").text
    assert "要先由一人审核" in offices[1].post(f"{page}/approve", follow_redirects=True).text
    assert "等第三人批准" in offices[1].post(f"{page}/check", follow_redirects=True).text
    assert "不能审批" in offices[1].post(f"{page}/approve", follow_redirects=True).text
    assert "已全部更正" in offices[2].post(f"{page}/approve", follow_redirects=True).text
    keys = session.query(AnswerKey).filter_by(question_version_id=questions[0].current_version_id).order_by("number")
    assert [key.parts[0]["key"] for key in keys] == [["A"], ["C"]]
    ruling = session.query(ItemRuling).one()
    assert (ruling.treatment, ruling.key_ids) == ("best_of", [key.id for key in keys])
    grades = {grade.attempt_id: grade for grade in session.query(Grade).filter_by(is_current=True)}
    assert [grades[each.attempt["id"]].points for each in (by_first, by_none)] == [2, 0]
    world.app.extensions["celery"].tasks["reminders.send_correction_messages"]()
    assert session.query(OutgoingMessage).count() == 0, "nobody's result changed, so nobody is told"


def test_points_for_all_move_results_tell_people_and_make_a_second_version(world, session, exam, questions, offices):
    candidate_client = take_exam(world, exam, right="A")
    tried, page = ask(offices[0], f"/admin/corrections/questions/{questions[1].id}", form_of("full", exam))
    assert "过线、掉线的人" in tried and candidate_client.person.name in tried and "2，50%" in tried
    offices[1].post(f"{page}/check")
    offices[2].post(f"{page}/approve")
    assert candidate_client.person.name in offices[0].get(page).text
    sheet = load_workbook(io.BytesIO(offices[0].get(f"{page}/file").data)).active
    cells = {str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value}
    assert {candidate_client.person.name, "2", "4", "优秀"} <= cells
    for _ in range(2):
        world.app.extensions["celery"].tasks["reminders.send_correction_messages"]()
    assert [message.person_id for message in session.query(OutgoingMessage)] == [candidate_client.person.id]
    result = candidate_client.api.get(f"/attempts/{candidate_client.attempt['id']}/result").text
    assert "历次评分（2 次）" in result and "原 2 分，现 4 分" in result
    record = offices[0].post(f"/admin/attempts/{candidate_client.attempt['id']}/record", data={"reason": "复核"}).text
    assert "更正后：全体给分" in record
    assert "第 2 版" in offices[0].get(f"/admin/exams/{exam.id}").text
    unit = f"/admin/reports/exams/{exam.id}/units/{candidate_client.person.unit_id}"
    assert "改变了本单位（含下级）1 人的成绩" in offices[0].get(unit).text
    figures = offices[0].get(f"/api/v1/exams/{exam.id}/participation").get_json()
    assert "成绩第 2 版，更正 1 次" in figures["definitions"]["roster_as_of"]


def test_a_dry_run_that_is_outdated_and_a_form_that_is_not_whole_are_said(world, session, exam, questions, offices):
    other = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), results_policy="never", keys_policy="never")
    for each in (exam, other):
        take_exam(world, each, right="A")
    address = f"/admin/corrections/questions/{questions[0].id}"
    assert "请写明这些考试为什么不更正" in offices[0].post(address, data=form_of("full", exam)).text
    form = form_of("full", exam, exams_reason="旧法仍有效")
    tried = offices[0].post(address, data=form).text
    take_exam(world, exam, right="-")
    late = offices[0].post(address, data={**form, "ask": "1", "fingerprint": fingerprint_in(tried)})
    assert "又有变化" in late.text and session.query(Correction).count() == 0
    assert fingerprint_in(late.text) != fingerprint_in(tried)
    rules = f"/admin/corrections/exams/{exam.id}"
    marks = {"scoring_rule": "per_option", "pass_percent": "90", "good_percent": "80", "excellent_percent": "95"}
    assert "不能高于良好线" in offices[0].post(rules, data={**marks, "reason": "理由"}).text
    _, page = ask(offices[0], rules, {**marks, "pass_percent": "50", "reason": "合格线印错"})
    assert "合格线 50.00%" in offices[1].get(page).text
    assert "已退回" in offices[1].post(f"{page}/reject", follow_redirects=True).text


def test_an_attempt_is_annulled_from_the_paper_on_record(world, session, exam, offices):
    candidate_client = take_exam(world, exam, right="A")
    address = f"/admin/corrections/attempts/{candidate_client.attempt['id']}"
    _, page = ask(offices[0], address, {"is_annulled": "y", "reason": "替考认定"})
    offices[1].post(f"{page}/check")
    offices[2].post(f"{page}/approve")
    assert session.query(Grade).filter_by(is_current=True).one().points == 0
    record = offices[0].post(f"/admin/attempts/{candidate_client.attempt['id']}/record", data={"reason": "复核"}).text
    assert "已认定无效" in record


def test_a_program_tries_a_correction_out_asks_for_it_and_others_decide(world, session, exam, questions, offices):
    take_exam(world, exam, right="A")
    key = session.query(AnswerKey).filter_by(question_version_id=questions[0].current_version_id).one()
    change = {"kind": "item", "version": questions[1].current_version_id, "treatment": "full"}
    address, body = "/api/v1/corrections", {"change": change, "exams": [exam.id], "reason": "题目有误"}
    tried = offices[0].post(address, json=body)
    assert (tried.status_code, tried.get_json()["newly_passed"]) == (200, 1)
    assert session.query(Correction).count() == 0
    wrong = {**change, "treatment": "key", "keys": [key.id]}
    assert offices[0].post(address, json={**body, "change": wrong}).status_code == 400, "a key of another question"
    outdated = offices[0].post(address, json={**body, "fingerprint": "0" * 64})
    assert (outdated.status_code, outdated.get_json()["error"]) == (409, "outdated")
    asked = {**body, "fingerprint": tried.get_json()["fingerprint"]}
    made = offices[0].post(address, json=asked)
    assert made.status_code == 201 and made.get_json()["is_published"] is True
    assert offices[0].post(address, json=asked).get_json()["error"] == "already_asked"
    one = f"{address}/{made.get_json()['id']}"
    assert offices[0].post(f"{one}/check").get_json()["error"] == "same_person"
    assert offices[1].post(f"{one}/check").get_json()["state"] == "checked"
    assert offices[2].post(f"{one}/approve").get_json()["state"] == "applied"
    assert offices[1].get(one).get_json()["decided_at"] is not None
    assert session.query(Grade).filter_by(is_current=True).one().points == 4


def test_a_used_key_that_no_graded_paper_holds_is_corrected_in_the_bank_alone(world, session, exam, questions, offices):
    """Its exam is under way: what is graded afterwards goes by the new key; two persons are enough."""
    candidate_client = CandidateClient(world, exam, world.person())
    candidate_client.start()
    candidate_client.hand_in()
    question = wrong_question(world)
    key_page = f"/admin/questions/{question.id}/key"
    assert offices[0].get(key_page).location == f"/admin/corrections/questions/{question.id}"
    address = f"/admin/corrections/questions/{question.id}"
    assert "还没有已评分的答卷" in offices[0].get(address).text
    assert "请至少选一场考试" in offices[0].post(address, data=form_of("key", **{"key-key": "A"})).text
    tried, page = ask(offices[0], address, form_of("key", **{"key-key": "B"}))
    assert "只改题库的答案" in tried and key_of(world, question) == ["A"]
    assert "已全部更正" in offices[1].post(f"{page}/approve", follow_redirects=True).text
    session.refresh(question)
    assert (key_of(world, question), question.state) == (["B"], "active") and question.reviewed_by_id
    grading_tasks.sweep_once()
    grade = session.query(Grade).one()
    newest = session.query(AnswerKey).filter_by(question_version_id=question.current_version_id, number=2).one()
    assert grade.key_ids[str(question.current_version_id)] == newest.id and grade.number == 1
    assert session.query(ItemRuling).count() == 0


def test_an_exam_left_out_of_a_new_key_goes_on_by_the_key_of_before(world, session, exam, questions, offices):
    """The old law made the old key right there: its later papers count as its earlier ones do."""
    kept = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), results_policy="at_once", keys_policy="never")
    earlier, moved = take_exam(world, kept, right="A"), take_exam(world, exam, right="A")
    question = wrong_question(world)
    address = f"/admin/corrections/questions/{question.id}"
    form = form_of("key", exam, exams_reason="旧法仍有效", **{"key-key": "B"})
    _, page = ask(offices[0], address, form)
    third = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), results_policy="at_once", keys_policy="never")
    take_exam(world, third, right="A")
    offices[1].post(f"{page}/check")
    assert "又有别的考试按原答案评了分" in offices[2].post(f"{page}/approve", follow_redirects=True).text
    assert key_of(world, question) == ["A"]
    offices[2].post(f"{page}/reject")
    _, page = ask(offices[0], address, form)
    offices[1].post(f"{page}/check")
    offices[2].post(f"{page}/approve")
    old = session.query(AnswerKey).filter_by(question_version_id=question.current_version_id, number=1).one()
    later = take_exam(world, kept, right="A", by={question.current_version_id: VersionKey(old.id, old.parts)})
    points = {grade.attempt_id: grade.points for grade in session.query(Grade).filter_by(is_current=True)}
    assert [points[client.attempt["id"]] for client in (earlier, later, moved)] == [2, 2, 0]
    ruled = {row.exam_id: len(row.key_ids) for row in session.query(ItemRuling)}
    assert ruled == {exam.id: 1, kept.id: 1, third.id: 1}
    assert (exam.result_version, kept.result_version) == (2, 1)
    correct(offices, question, exam, kept, third, letter="A")
    assert key_of(world, question) == ["A"], "a key goes back as a new row of the bank"


def test_an_office_of_a_subtree_corrects_its_own_exams_alone(world, session, exam, questions, offices):
    here = world.unit("甲局")
    own = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), results_policy="never", keys_policy="never")
    world.save(ExamAudience(exam_id=own.id, unit_id=here.id, ranks=[]))
    session.refresh(own)
    for each in (own, exam):
        take_exam(world, each, right="A", unit=here)
    subtree = [world.api(world.admin("publicity_office", here)) for _ in range(2)]
    address = f"/admin/corrections/questions/{questions[1].id}"
    shown = subtree[0].get(address).text
    assert f'value="{own.id}"' in shown and f'id="exam-{exam.id}"' not in shown
    _, page = ask(subtree[0], address, form_of("full", own))
    _, counties = ask(offices[0], address, form_of("full", exam, exams_reason="另办"))
    assert [client.get(counties).status_code for client in (subtree[1], offices[1])] == [404, 200]
    assert subtree[1].post(f"{counties}/check").status_code == 404
    assert subtree[1].get(f"/admin/corrections/exams/{exam.id}").status_code == 404
    assert "已全部更正" in subtree[1].post(f"{page}/approve", follow_redirects=True).text
    body = {
        "change": {"kind": "item", "version": questions[1].current_version_id, "treatment": "full"},
        "exams": [exam.id],
    }
    assert subtree[0].post("/api/v1/corrections", json=body).status_code == 404
    assert {row.exam_id for row in session.query(ItemRuling)} == {own.id}
