"""The office asks units for questions; a unit writes or uploads them and hands them in; they are accepted or sent back with words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp import clock
from examapp.content.question_assignments.models import AssignmentState, QuestionAssignment
from examapp.content.questions.models import BankQuestion, QuestionImport

PAGE = "/admin/question-assignments/"
# As the page of a unit sends it: topic and version are not asked for.
WRITTEN = {
    "kind": "single_choice", "parts-0-kind": "single_choice", "parts-0-stem": "安全生产的责任主体是谁？",
    "parts-0-options-0": "政府", "parts-0-options-1": "生产经营单位", "parts-0-options-2": "协会", "parts-0-options-3": "保险人",
    "parts-0-key": "B", "parts-0-explanation": "生产经营单位是责任主体。", "parts-0-articles": "第三条", "law": "安全生产法",
    "difficulty": "easy", "knowledge_points": "责任",
}  # fmt: skip


@pytest.fixture
def scene(world, session):
    office = world.api(world.admin("publicity_office"))
    here, there = world.unit("甲局"), world.unit("乙局")
    unit_admin = world.api(world.admin("unit_admin", here))
    due = (clock.today() + timedelta(days=9)).isoformat()
    fields = {"subject": "安全生产法", "kind": "", "count": "2", "due_on": due, "text": "结合执法案例"}
    assert "至少勾选一个单位" in office.post(f"{PAGE}new", data=fields).text
    assert "今天以后" in office.post(f"{PAGE}new", data=fields | {"units": here.id, "due_on": "2020-01-01"}).text
    assert office.post(f"{PAGE}new", data=fields | {"units": [here.id, there.id]}).status_code == 303
    rows = {row.unit_id: row for row in session.query(QuestionAssignment)}
    return office, unit_admin, rows[here.id], rows[there.id]


def test_a_unit_writes_and_uploads_and_the_office_accepts_into_drafts_of_the_writer(scene, session):
    office, unit_admin, mine, other = scene
    here = f"{PAGE}{mine.id}"
    assert "出题任务待完成" in unit_admin.get("/").text
    assert unit_admin.get(f"{PAGE}{other.id}").status_code == 404
    assert "还没有可以用的题" in unit_admin.post(f"{here}/submit", follow_redirects=True).text
    bad = unit_admin.post(f"{here}/write/single_choice", data=WRITTEN | {"parts-0-key": ""})
    assert bad.status_code == 422 and "还不能保存" in bad.text
    assert unit_admin.post(f"{here}/write/single_choice", data=WRITTEN).status_code == 303
    session.expire_all()
    page = unit_admin.get(here).text
    assert "已写 1 题" in page and "安全生产的责任主体是谁" in page
    assert session.query(BankQuestion).count() == 0, "nothing enters the bank before it is accepted"
    unit_admin.post(f"{here}/submit")
    assert "单位出的题待采用" in office.get("/").text
    assert "写明要改什么" in office.post(f"{here}/return", data={"answer": " "}).text
    office.post(f"{here}/return", data={"answer": "再出一题"})
    assert "再出一题" in unit_admin.get(here).text and "被退回" in unit_admin.get("/").text
    unit_admin.post(f"{here}/submit")
    assert "不能再改" in unit_admin.post(f"{here}/submit", follow_redirects=True).text
    office.post(f"{here}/accept")
    session.expire_all()
    assert session.get(QuestionAssignment, mine.id).state == AssignmentState.ACCEPTED
    question = session.query(BankQuestion).one()
    assert (question.state, question.law_name) == ("draft", "安全生产法")
    review = office.get(f"/admin/questions/review/{question.id}").text
    assert "通过并启用" in review, "the office did not write it"
    assert "已经办结" in office.post(f"{here}/withdraw").text


def test_an_assignment_of_two_files_costs_as_few_statements_as_one_of_one(scene, session, statements):
    _, unit_admin, mine, _ = scene
    here = f"{PAGE}{mine.id}"

    def cost_after_writing(*stems):
        for stem in stems:
            unit_admin.post(f"{here}/write/single_choice", data=WRITTEN | {"parts-0-stem": stem})
        session.expire_all()
        with statements() as seen:
            page = unit_admin.get(here).text
        assert page.count("<section") >= len(stems)
        return len(seen)

    assert cost_after_writing("谁负责？") == cost_after_writing("谁监督？")


def test_a_withdrawn_assignment_takes_nothing_more(scene, session):
    office, unit_admin, mine, _ = scene
    office.post(f"{PAGE}{mine.id}/withdraw")
    answer = unit_admin.post(f"{PAGE}{mine.id}/write/true_false", data=WRITTEN | {"kind": "true_false"})
    assert answer.status_code in {409, 422} and session.query(QuestionImport).count() == 0
