"""Pages of the exam office for which the demo county has nothing to show: each looked at as the long walk looks at the others."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from examapp import clock as examapp_clock
from examapp.clock import clock
from examapp.content.laws.models import LawVersion
from examapp.delivery.attempts.models import QuarantinedSave
from examapp.delivery.grading import tasks as grading_tasks
from examapp.organisation.people.models import Approval
from question_bank.model import Kind
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.helpers.grading import correct, take_exam, wrong_question
from tests.helpers.law_changes import NEW, OLD, add, bring_in, on
from tests.helpers.question_forms import SINGLE, make, stamp, version_of
from tests.helpers.report_templates import PAGE, docx, token, upload

pytestmark = pytest.mark.long
_UNIT = "青禾县自然资源和规划局综合行政执法大队"


@pytest.fixture
def office(live):
    """Two of the exam office, each with a client: who asks and who allows."""
    asks, allows = (live.world.admin("publicity_office", name=name) for name in ("普法办小林", "普法办老周"))
    live.world.commit()
    return SimpleNamespace(asks=asks, allows=allows, asking=live.world.api(asks), allowing=live.world.api(allows))


@pytest.fixture
def candidate_client(live):
    """Somebody whose time ended an hour ago, with one answer saved."""
    with clock.set_to(examapp_clock.now() - timedelta(hours=2)):
        candidate_client = make_exam_with_candidates(live.world, title="2026年度国家工作人员学法用法考试")
        assert candidate_client.save((1, 1, ["A"])).status_code == 200
    return candidate_client


def test_a_key_corrected_by_three_and_what_that_moved(live, look, office):
    world = live.world
    stem = "行政机关作出责令停产停业的处罚决定之前，应当告知当事人有要求听证的权利。下列说法正确的是："
    for key in ("A", "B"):
        world.question(key=(key,), stem=stem)
    blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),))
    exam = world.exam(
        blueprint, title="2026年度国家工作人员学法用法考试", results_policy="at_once", keys_policy="at_once"
    )
    unit = world.unit(_UNIT)
    world.commit()
    candidate_clients = [take_exam(world, exam, right="A", unit=unit) for _ in range(2)]
    question = wrong_question(world)
    third = world.admin("publicity_office", name="普法办老吴")
    world.commit()
    path = correct([office.asking, office.allowing, world.api(third)], question, exam)
    attempt_id = candidate_clients[0].attempt["id"]
    assert look(office.asks, path, "/admin/corrections/", f"/admin/corrections/attempts/{attempt_id}") == []
    assert look(candidate_clients[0].person, f"/attempts/{attempt_id}/result") == []


def test_answers_that_came_late(live, look, office, candidate_client):
    late = candidate_client.save(
        (1, 2, ["B"]), (2, 3, ["C"]), (3, 4, ["A", "C"]), (5, 5, ["三十日内作出书面决定并送达当事人"])
    )
    assert late.get_json()["error"] == "deadline_passed"
    grading_tasks.sweep_once()
    (kept,) = live.read(QuarantinedSave)
    path = f"/admin/examday/late/{kept.id}"
    assert look(office.asks, f"/admin/examday/{candidate_client.exam_id}", path) == []
    page = look.page(office.asks)
    page.goto(path)
    page.get_by_role("button", name="提交处理意见").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look.at(page)
    page.get_by_label("采纳：并入答卷").check()
    page.get_by_label("理由").fill("本单位 10:02 至 10:14 停电，监考人证实。")
    page.get_by_role("button", name="提交处理意见").click()
    expect(page.get_by_role("status").filter(has_text="已采纳")).to_be_visible()
    look.at(page)
    assert look(office.asks, path) == []


def test_an_attempt_to_be_opened_again(live, look, office, candidate_client):
    grading_tasks.sweep_once()
    path = f"/admin/examday/attempts/{candidate_client.attempt['id']}/reopen"
    assert (
        look(
            office.asks,
            f"/admin/examday/{candidate_client.exam_id}?staff_number={candidate_client.person.staff_number}",
            path,
        )
        == []
    )
    page = look.page(office.asks)
    page.goto(path)
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look.at(page)
    page.get_by_label("原因").fill("误点交卷，监考人证实")
    page.get_by_role("button", name="提交申请").click()
    page.wait_for_url("**/admin/examday/*")
    (request,) = live.read(Approval)
    assert look(office.allows, f"/admin/approvals/{request.id}") == []


def test_a_law_that_moved_under_its_questions(live, look, office):
    session = live.world.session
    bring_in(session, OLD, "2012-10-26")
    questions = add(session, *(on(label) for label in OLD))
    bring_in(session, NEW, "2025-06-27")
    live.world.commit()
    old, new = (row.id for row in sorted(live.read(LawVersion), key=lambda row: row.version_on))
    paths = [f"/admin/questions/{question.id}/law-change" for question in questions]
    assert look(office.asks, "/admin/questions/law-changes/", *paths, f"/admin/laws/compare/{old}/{new}") == []
    page = look.page(office.asks)
    page.goto(paths[1])
    page.get_by_label("依据的新条文").fill("第八十条")
    page.get_by_role("button", name="按新条文保留").click()
    expect(page.get_by_role("alert")).to_contain_text("新版本里没有第八十条")
    look.at(page)
    page.goto(paths[1])
    page.get_by_role("button", name="按新条文保留").click()
    page.goto(paths[1])
    expect(page.get_by_text("没有待处理的法律变化")).to_be_visible()
    assert look.at(page) == []


def test_drafts_that_are_read_in_full(live, look, office):
    for kind, key in ((Kind.SINGLE_CHOICE, ("A",)), (Kind.MULTIPLE_CHOICE, ("A", "C")), (Kind.TRUE_FALSE, ("B",))):
        live.world.question(kind, key=key, state="draft", stem="行政机关实施行政处罚，应当遵循的原则是：")
    live.world.commit()
    assert look(office.asks, "/admin/questions/review", "/admin/questions/review/read") == []


def test_a_question_in_two_versions(live, look, office):
    session = live.world.session
    question = make(office.asking, session)
    version_of(session, question).used_at = examapp_clock.now()
    live.world.commit()
    changed = {"parts-0-stem": "责令停产停业的处罚，由谁作出决定？", "parts-0-options-2": "县级以上人民政府"}
    data = SINGLE | changed | {"read_version": stamp(session, question)}
    assert office.asking.post(f"/admin/questions/{question.id}/edit", data=data).status_code == 302
    path = f"/admin/questions/{question.id}"
    assert look(office.asks, f"{path}/compare", path, f"{path}?version=1") == []


def test_forms_of_the_offices_own_and_an_older_one(live, look, office):
    client = live.world.client(office.asks)
    for text in ("本县 {{ 考试名称 }} 情况", "关于 {{ 考试名称 }} 情况的通报"):
        assert upload(client, "circular", docx(text), "通报模板（青禾县2026年修订）.docx").status_code == 303
    assert client.post(f"{PAGE}/1/use", data={"csrf_token": token(client)}).status_code == 303
    assert look(office.asks, PAGE) == []
    page = look.page(office.asks)
    page.goto(PAGE)
    page.get_by_label("模板文件").set_input_files(
        {"name": "通报.docx", "mimeType": "application/octet-stream", "buffer": docx("应考 {{ 应考人 }} 人")}
    )
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_role("alert")).to_contain_text("不是可用的占位名")
    assert look.at(page) == []
