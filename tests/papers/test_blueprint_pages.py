"""The office sets blueprints, sees what the bank lacks, and looks at a sample paper."""

from __future__ import annotations

import io
import zipfile

import pytest
from docx import Document

from examapp import clock
from examapp.content.blueprints.actions import make_paper
from examapp.content.blueprints.models import Blueprint, Paper
from examapp.platform.audit.models import AuditEvent
from question_bank.model import Kind
from tests.helpers.forms import post


@pytest.fixture
def office(world):
    return world.client(world.admin("publicity_office"))


def section(number=0, **fields):
    values = {"title": "一、单选题", "kind": "single_choice", "count": "2", "points_each": "2.5"} | fields
    return {f"sections-{number}-{name}": value for name, value in values.items()}


def test_hand_picked_questions_stand_on_every_paper(world, session, office):
    picked = [world.question() for _ in range(2)]
    for _ in range(20):
        world.question()
    codes = "\n".join(question.code for question in picked)
    few = post(office, "/admin/papers/new", {"name": "少", **section(count="3", codes=codes)})
    assert "指定了 2 道题，少于该部分的 3 题" in few.get_data(as_text=True)
    unknown = post(office, "/admin/papers/new", {"name": "无", **section(codes=f"{codes}\nnone-1")})
    assert "题目编号：none-1" in unknown.get_data(as_text=True)
    assert post(office, "/admin/papers/new", {"name": "定卷", **section(codes=codes)}).status_code == 302
    blueprint = session.query(Blueprint).one()
    for seed in range(5):
        paper = make_paper(session, blueprint=blueprint, seed=seed, now=clock.now())
        versions = {item[0] for item in paper.sections[0]["items"]}
        assert versions == {question.current_version_id for question in picked}


def test_a_blueprint_is_made_changed_and_shown_with_its_dry_run(world, session, office):
    for _ in range(3):
        world.question(law="民法典", knowledge_points=("合同",))
    answer = post(
        office,
        "/admin/papers/new",
        {
            "name": "年度卷",
            "is_shuffled": "y",
            **section(laws="民法典", knowledge_points="合同", easy="1"),
            **section(7, title="二、判断题", kind="true_false", count="4", points_each="1"),
        },
    )
    assert answer.status_code == 302, answer.get_data(as_text=True)
    blueprint = session.query(Blueprint).one()
    assert [(s.position, s.kind, s.count, str(s.points_each), s.laws, s.difficulties) for s in blueprint.sections] == [
        (1, "single_choice", 2, "2.50", ["民法典"], {"easy": 1}),
        (2, "true_false", 4, "1.00", [], {}),
    ]
    page = office.get(answer.location).get_data(as_text=True)
    assert "缺 4 题" in page
    assert "易 1 / 3" in page
    assert "题库不够" in page
    for _ in range(4):
        world.question(Kind.TRUE_FALSE)
    page = office.get(answer.location).get_data(as_text=True)
    assert "题库够用" in page
    assert "超几何分布" in page
    edit = f"{answer.location}/edit"
    assert "民法典" in office.get(edit).get_data(as_text=True)
    assert post(office, edit, {"name": "年度卷二", **section(count="3")}).status_code == 302
    session.expire_all()
    assert (blueprint.name, blueprint.is_shuffled, len(blueprint.sections)) == ("年度卷二", False, 1)
    assert [event.act for event in session.query(AuditEvent).order_by(AuditEvent.id)] == [
        "papers.create_blueprint",
        "papers.update_blueprint",
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (section(count="0"), "题数应为 1 至 200"),
        (section(count="很多"), "第 1 部分 题数"),
        (section(points_each="-1"), "分值应大于 0"),
        (section(points_each="NaN"), "第 1 部分 每题分值"),
        (section(title=""), "请填写名称"),
        (section(kind="short_answer"), "第 1 部分 题型"),
        (section(laws="没有这部法"), "没有这部法"),
        (section(easy="2", hard="1"), "各难度题数之和超过"),
        (
            {**section(), "sections-²-title": "x", "sections-99999999999999-title": "y", "state": "1", "name": ""},
            "请填写规则名称",
        ),
    ],
)
def test_a_blueprint_that_cannot_stand_is_rejected_in_words(world, session, office, fields, text):
    answer = post(office, "/admin/papers/new", {"name": "年度卷", **fields})
    assert answer.status_code == 422
    assert text in answer.get_data(as_text=True)
    assert session.query(Blueprint).count() == 0


def test_a_blueprint_with_papers_no_longer_changes_but_can_be_copied(world, session, office):
    for _ in range(3):
        world.question()
    blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),))
    make_paper(session, blueprint=blueprint, seed=1, now=clock.now())
    answer = post(office, f"/admin/papers/{blueprint.id}/edit", {"name": "改名", **section()})
    assert answer.status_code == 422
    assert "请复制一份" in answer.get_data(as_text=True)
    session.expire_all()
    assert blueprint.name == "测试组卷"
    copied = post(office, f"/admin/papers/{blueprint.id}/copy", {}, page=f"/admin/papers/{blueprint.id}")
    assert copied.status_code == 302
    assert session.query(Blueprint).filter(Blueprint.name.contains("副本")).one().sections[0].count == 2


def test_a_sample_paper_is_shown_without_keys_and_not_kept(world, session, office):
    for _ in range(3):
        world.question(stem="什么是<b>处罚</b>？", explanation="解析在此")
    blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),))
    answer = office.get(f"/admin/papers/{blueprint.id}/preview", follow_redirects=True)
    page = answer.get_data(as_text=True)
    assert "什么是<b>处罚</b>" in page
    assert "解析在此" not in page
    assert office.get(answer.request.full_path).get_data(as_text=True).count("选项") == page.count("选项")
    assert session.query(Paper).count() == 0


def test_a_sample_paper_is_taken_along_as_word_with_answers_in_the_order_of_its_options(world, session, office):
    for _ in range(4):
        world.question(key=("C",))
    world.question(Kind.FILL_BLANK)
    blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 3, "2"), (Kind.FILL_BLANK, 1, "4")), is_shuffled=True)
    page, path = f"/admin/papers/{blueprint.id}/preview?seed=7", f"/admin/papers/{blueprint.id}/word"
    answer = post(office, path, {"seed": "7"}, page=page)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        paper, sheet, key = (Document(archive.open(f"{name}.docx")) for name in ("试卷", "答题纸", "参考答案"))
    lines = [one.text for one in paper.paragraphs]
    kept = {one.text.strip("　")[:2]: one.paragraph_format.keep_with_next for one in paper.paragraphs}
    assert (kept["A."], kept["C."], kept["D."]) == (True, True, None), "a question is not cut at a page's end"
    right = [line.split(".")[0].strip() for line in lines if line.endswith("-0-C")]
    answers = [row.cells[1].text for table in key.tables for row in table.rows[1:]]
    assert len(right) == 3 and answers == [*right, "三十日 / 30日"]
    assert "第1部分（共 3 题，每题 2 分）" in lines and [cell.text for cell in sheet.tables[0].rows[1].cells][:4:2] == [
        "1",
        "2",
    ]
    assert [event.details for event in session.query(AuditEvent).filter_by(act="papers.export_paper")] == [
        {"number": 7}
    ]
    assert post(office, path, {"seed": "x"}, page=page).status_code == 400


def test_an_archived_blueprint_leaves_the_list(world, session, office):
    blueprint = world.blueprint()
    assert "测试组卷" in office.get("/admin/papers/").get_data(as_text=True)
    post(office, f"/admin/papers/{blueprint.id}/archive", {}, page=f"/admin/papers/{blueprint.id}")
    assert "还没有组卷规则" in office.get("/admin/papers/").get_data(as_text=True)


def test_others_find_no_blueprints(world):
    blueprint = world.blueprint()
    for role in ("unit_admin", "leader", "audit_admin"):
        client = world.client(world.admin(role, world.unit()))
        for path in (
            "/admin/papers/",
            "/admin/papers/new",
            f"/admin/papers/{blueprint.id}",
            f"/admin/papers/{blueprint.id}/preview",
        ):
            assert client.get(path).status_code == 404
    assert world.client().get("/admin/papers/").status_code == 302
    office = world.client(world.admin("publicity_office"))
    assert office.get("/admin/papers/999999").status_code == 404


def test_cases_that_would_give_people_different_full_marks_are_rejected_until_one_number_is_chosen(
    world, session, office
):
    """And a case of another number that joins the bank later is never drawn."""
    for count in (2, 3):
        world.question(Kind.CASE, parts=[(Kind.TRUE_FALSE, ("A",), 2)] * count)
    case = section(kind="case", count="1", points_each="5")
    answer = post(office, "/admin/papers/new", {"name": "案例卷", **case})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "小题数不同（2、3 道）" in page and "（10、15 分）" in page and "请填写每道案例题的小题数" in page
    assert (
        post(office, "/admin/papers/new", {"name": "案例卷", **case, "sections-0-part_count": "3"}).status_code == 302
    )
    blueprint = session.query(Blueprint).one()
    assert blueprint.sections[0].part_count == 3
    assert make_paper(session, blueprint=blueprint, seed=1, now=clock.now()).total_points == 15


def test_the_number_of_sub_questions_is_taken_from_the_bank_where_all_cases_agree(world, session, office):
    world.question(Kind.CASE, parts=[(Kind.TRUE_FALSE, ("A",), 2)] * 2)
    page = {"name": "案例卷", **section(kind="case", count="1", points_each="5")}
    assert post(office, "/admin/papers/new", page).status_code == 302
    assert session.query(Blueprint).one().sections[0].part_count == 2
