"""Receipt, result and mistakes as their candidate sees them, by the exam's policy."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from lxml import html
from sqlalchemy import select

from examapp.content.laws.actions import ensure_law_version
from examapp.content.laws.models import LawArticle
from examapp.content.questions.models import QuestionCitation, QuestionVersion
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import MakeupEligibility
from examapp.delivery.grading.tasks import grade_waiting
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank


def attempts(world, *, is_graded=True, **fields):
    """Somebody who has handed in a wrong answer to the true/false item, and nothing else."""
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS), **fields)
    candidate_client = CandidateClient(world, exam, world.person(name="李四"))
    candidate_client.start()
    candidate_client.hand_in((4, 1, ["A"]))
    if is_graded:
        grade_waiting(max_batches=1)
    return candidate_client


def text_of(candidate_client, rest, client=None):
    return (
        (client or candidate_client.api)
        .get(f"/attempts/{candidate_client.attempt['id']}/{rest}")
        .get_data(as_text=True)
    )


def test_the_receipt_shows_number_and_digest(world):
    candidate_client = attempts(world)
    text = text_of(candidate_client, "receipt")
    receipt = candidate_client.look()["receipt"]
    assert receipt["number"] in text
    assert receipt["sha256"] in text
    assert "1 题，共 5 题" in text


def test_a_result_waits_for_its_grade_and_then_shows_points_and_rule(world):
    candidate_client = attempts(world, is_graded=False)
    assert "评分中" in text_of(candidate_client, "result")
    grade_waiting(max_batches=1)
    text = text_of(candidate_client, "result")
    assert "不合格" in text
    assert "满分 12 分" in text
    assert "多选、少选、错选均不得分" in text


def test_a_failed_result_says_how_many_points_were_missing_and_what_went_how(world):
    candidate_client = attempts(world, kind="mock", keys_policy="at_once", attempts_allowed=3)
    text = text_of(candidate_client, "result")
    assert "还差 7.2 分合格" in text
    assert "得分率 0%" in text
    row = text[text.index("各题型得分") :].split("单选题")[1].split("</tr>")[0]
    assert "0 / 2" in row and "0 / 4" in row
    assert "再考一次" in text


def test_a_question_is_questioned_with_its_number(world):
    candidate_client = attempts(world, kind="mock", keys_policy="at_once")
    page = html.document_fromstring(text_of(candidate_client, "result"))
    link = str(page.xpath("string(//a[text()='这道题有疑问']/@href)"))
    form = candidate_client.api.get(link).get_data(as_text=True)
    assert "第 1 题有疑问：" in form
    assert f'value="/attempts/{candidate_client.attempt["id"]}/result"' in form


def test_own_results_stand_as_a_curve_from_two_on(world):
    candidate_client = attempts(world, attempts_allowed=3)
    assert "历次成绩" not in candidate_client.api.get("/exams").get_data(as_text=True)
    candidate_client.start()
    candidate_client.hand_in((1, 1, ["A"]))
    grade_waiting(max_batches=1)
    assert "历次得分率" in candidate_client.api.get("/exams").get_data(as_text=True)


def test_an_attempt_set_aside_says_whom_to_ask(world, fixed_clock):
    candidate_client = attempts(world, is_graded=False)
    world.session.get(Attempt, candidate_client.attempt["id"]).quarantined_at = fixed_clock.instant
    world.session.flush()
    assert "请联系本单位管理员" in text_of(candidate_client, "result")


def test_keys_and_explanations_stay_hidden_until_their_release(world, fixed_clock):
    candidate_client = attempts(world, keys_policy="at_close")
    text = text_of(candidate_client, "result")
    assert "答案和解析将于" in text
    assert "理由" not in text
    assert "按考试查看" not in candidate_client.api.get("/practice/mistakes").get_data(as_text=True)
    fixed_clock.at(fixed_clock.instant + timedelta(days=2))
    assert "理由" in text_of(candidate_client, "result")
    book = candidate_client.api.get("/practice/mistakes").get_data(as_text=True)
    assert f"/attempts/{candidate_client.attempt['id']}/result#mistakes" in book


@pytest.mark.parametrize(("policy", "wording"), [("at_close", "成绩将于"), ("never", "不在平台上公布")])
def test_a_hidden_result_shows_no_points(world, policy, wording):
    text = text_of(attempts(world, results_policy=policy, keys_policy="at_once"), "result")
    assert wording in text
    assert "满分" not in text
    assert "理由" not in text


def test_mistakes_show_what_was_chosen_what_is_right_and_why(world):
    candidate_client = attempts(world, kind="mock", keys_policy="at_once")
    text = text_of(candidate_client, "result")
    assert "错题（5 题）" in text
    assert "您选的" in text
    assert "正确答案" in text
    assert "参考答案：三十日 / 30日" in text
    assert "您没有作答" in text


def test_a_mistake_leads_to_its_articles_in_the_law_library(world, fixed_clock):
    candidate_client = attempts(world, kind="mock", keys_policy="at_once")
    law = ensure_law_version(world.session, law="行政处罚法", version_on=date(2021, 1, 22), now=fixed_clock.instant)
    world.save(LawArticle(law_version_id=law.id, position=1, label="第三十三条", text="初次违法的规定"))
    for version in world.session.scalars(select(QuestionVersion)).all():
        cited = ["第三十二条", "第三十三条"]
        world.save(QuestionCitation(question_version_id=version.id, law_version_id=law.id, articles=cited))
    page = html.document_fromstring(text_of(candidate_client, "result"))
    found: Any = page.xpath("//details[@class='cited-articles']")
    folded = found[0]
    assert folded.find("summary").text == "依据：《行政处罚法》（2021年版）第三十二条、第三十三条"
    assert "第三十二条　法律法规中还没有这一条，请查阅国家法律法规数据库。" in folded.text_content()
    (link,) = folded.xpath(".//a")
    address, _, anchor = unquote(link.get("href")).partition("#")
    library = html.document_fromstring(candidate_client.api.get(address).get_data(as_text=True))
    assert "初次违法的规定" in str(library.xpath("string(//*[@id=$anchor])", anchor=anchor))


def test_what_comes_next_names_the_makeup(world):
    candidate_client = attempts(world, attempts_allowed=1)
    assert "作答次数已用完" in text_of(candidate_client, "result")
    makeup = world.exam(
        None, title="冬季补考", kind="makeup", main_exam_id=candidate_client.exam.id, opens_in=timedelta(days=3)
    )
    world.save(MakeupEligibility(exam_id=makeup.id, person_id=candidate_client.person.id, reason="failed"))
    assert "冬季补考" in text_of(candidate_client, "result")


def test_another_candidates_pages_are_not_there(world):
    candidate_client = attempts(world)
    other = world.client(world.person())
    for rest in ("receipt", "result"):
        assert other.get(f"/attempts/{candidate_client.attempt['id']}/{rest}").status_code == 404


def test_an_attempt_in_progress_leads_back_to_its_exam(world):
    make_bank(world)
    candidate_client = CandidateClient(world, world.exam(world.blueprint(KINDS)), world.person())
    candidate_client.start()
    for rest in ("receipt", "result"):
        answer = candidate_client.api.get(f"/attempts/{candidate_client.attempt['id']}/{rest}")
        assert answer.headers["Location"] == f"/exams/{candidate_client.exam_id}"


def test_a_result_costs_few_statements(world, statements):
    candidate_client = attempts(world, kind="mock", keys_policy="at_once")
    with statements() as seen:
        text_of(candidate_client, "result")
    assert len(seen) <= 14
