"""The office writes, reviews, corrects and finds questions."""

import io
import re
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select

from examapp import clock
from examapp.content.law_texts.rules import read_law_text
from examapp.content.laws.actions import import_law_text
from examapp.content.laws.models import Law, LawVersion
from examapp.content.question_editing.actions import add_question, add_questions
from examapp.content.questions.models import (
    AnswerKey,
    BankQuestion,
    Media,
    QuestionCitation,
    QuestionState,
    QuestionVersion,
)
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.audit.models import AuditEvent
from question_bank import model
from question_bank.formats.registry import read_file
from question_bank.model import Kind
from tests.helpers.question_forms import SINGLE, make, newest, stamp, version_of
from tests.helpers.questions import picture, single


@pytest.fixture
def office(world):
    return world.api(world.admin("publicity_office", name="王五"))


def keys_of(session, question):
    return session.scalars(
        select(AnswerKey).where(AnswerKey.question_version_id == question.current_version_id).order_by(AnswerKey.number)
    ).all()


def test_office_writes_a_question_and_sees_it_as_a_candidate_does(office, session):
    question = make(office, session)
    assert (question.state, question.law_name, question.topic, question.difficulty) == (
        "draft",
        "行政处罚法",
        "行政法",
        "easy",
    )
    assert version_of(session, question).content["parts"][0]["options"] == ["甲", "乙"]
    page = office.get(f"/admin/questions/{question.id}").get_data(as_text=True)
    assert "谁作出决定？" in page and "<b>答案：</b>B" in re.sub(r"\s+", "", page)
    assert (
        session.scalars(select(AuditEvent).where(AuditEvent.act == "questions.add_question")).one().object_id
        == question.id
    )


@pytest.mark.parametrize(
    ("kind", "fields", "key", "blanks"),
    [
        ("multiple_choice", {"parts-0-key": ["A", "B"]}, ["A", "B"], []),
        ("true_false", {"parts-0-truth": "B"}, ["B"], []),
        (
            "fill_blank",
            {"parts-0-stem": "在____内由____决定。", "parts-0-blanks": "三十日|30日\n县政府"},
            [],
            [["三十日", "30日"], ["县政府"]],
        ),
        ("short_answer", {"parts-0-answer": "因为 <b>。"}, ["因为 <b>。"], []),
        ("ordering", {"parts-0-answer": " b、Ａ "}, ["B", "A"], []),
    ],
)
def test_every_kind_can_be_written_and_opened_again(office, session, kind, fields, key, blanks):
    question = make(office, session, **{"kind": kind, "parts-0-kind": kind} | fields)
    (part,) = keys_of(session, question)[0].parts
    assert (question.kind, part["key"], part["blanks"]) == (kind, key, blanks)
    assert office.get(f"/admin/questions/{question.id}/edit").status_code == 200
    assert office.get(f"/admin/questions/{question.id}/key").status_code == 200


def test_case_is_written_part_by_part(office, session):
    grown = office.post(
        "/admin/questions/new/case",
        data={
            "kind": "case",
            "material": "某县",
            "parts-0-kind": "single_choice",
            "act": "add_part",
            "new_kind": "true_false",
        },
    )
    page = grown.get_data(as_text=True)
    assert grown.status_code == 200 and 'name="parts-1-truth"' in page and "第 2 小题：判断题" in page
    data = SINGLE | {
        "kind": "case",
        "material": "某县<script>",
        "parts-1-kind": "true_false",
        "parts-1-stem": "对吗？",
        "parts-1-truth": "A",
    }
    assert office.post("/admin/questions/new/case", data=data).status_code == 302
    content = version_of(session, newest(session)).content
    assert content["material"] == "某县&lt;script&gt;" and [p["kind"] for p in content["parts"]] == [
        "single_choice",
        "true_false",
    ]


def test_what_is_missing_is_said_and_what_was_typed_is_kept(office, session):
    answer = office.post(
        "/admin/questions/new/single_choice", data={k: v for k, v in SINGLE.items() if k != "parts-0-key"}
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and "没有写明正确答案" in page and "谁作出决定？" in page
    assert newest(session) is None
    assert office.get("/admin/questions/new/nonsense").status_code == 404


def test_fields_that_the_form_does_not_have_change_nothing(office, session):
    question = make(
        office, session, state="active", id="1", code="mine", created_by_id="7", used_at="2020-01-01", review_note="x"
    )
    assert (
        (question.state, question.review_note) == ("draft", "")
        and question.code != "mine"
        and version_of(session, question).used_at is None
    )


def test_unused_draft_is_changed_in_place(office, session):
    question = make(office, session)
    version_id = question.current_version_id
    assert (
        office.post(
            f"/admin/questions/{question.id}/edit",
            data=SINGLE | {"read_version": stamp(session, question), "parts-0-stem": "改过？", "parts-0-key": "A"},
        ).status_code
        == 302
    )
    session.expire_all()
    assert (
        question.current_version_id == version_id
        and version_of(session, question).content["parts"][0]["stem"] == "改过？"
    )
    assert [key.parts[0]["key"] for key in keys_of(session, question)] == [["A"]]


def test_used_version_never_changes_and_the_next_must_be_reviewed(world, office, session):
    question = make(office, session)
    question.state = "active"
    old = version_of(session, question)
    old.used_at = clock.now()
    before = dict(old.content)
    office.post(
        f"/admin/questions/{question.id}/edit",
        data=SINGLE | {"read_version": stamp(session, question), "parts-0-stem": "改过？"},
    )
    session.expire_all()
    new = version_of(session, question)
    assert (new.number, new.content["parts"][0]["stem"], question.state) == (2, "改过？", "draft")
    assert session.get_one(QuestionVersion, old.id).content == before
    page = office.get(f"/admin/questions/{question.id}?version=1").get_data(as_text=True)
    assert "谁作出决定？" in page and "不是现在的版本" in page


@pytest.mark.parametrize("is_used", [True, False])
def test_edit_over_somebody_elses_edit_is_rejected(office, session, fixed_clock, is_used):
    question = make(office, session)
    if is_used:
        version_of(session, question).used_at = clock.now()
    edit = SINGLE | {"read_version": stamp(session, question), "parts-0-stem": "甲改？"}
    fixed_clock.at(clock.now() + timedelta(minutes=1))
    assert office.post(f"/admin/questions/{question.id}/edit", data=edit).status_code == 302
    late = office.post(f"/admin/questions/{question.id}/edit", data=edit | {"parts-0-stem": "乙改？"})
    assert late.status_code == 409 and "他人修改" in late.get_data(as_text=True)
    session.expire_all()
    assert version_of(session, question).content["parts"][0]["stem"] == "甲改？"


def test_a_case_is_found_by_every_law_that_its_parts_cite(office, session):
    cited = [
        model.Citation(law=law, article="第五条", version=day)
        for law, day in (("行政处罚法", "2021-01-22"), ("立法法", "2023-03-13"))
    ]
    parts = tuple(single(stem=f"{c.law}？", citation=c) for c in cited)
    case = model.Question(kind=Kind.CASE, stem="某县", citation=cited[0], parts=parts)
    question = add_question(ActionContext(session, SYSTEM, clock.now()), question=case, state=QuestionState.DRAFT)
    page = office.get("/admin/questions/").get_data(as_text=True)
    assert all(f">{c.law}</option>" in page for c in cited)
    for law, is_found in (("行政处罚法", True), ("立法法", True), ("宪法", False)):
        found = office.get("/admin/questions/", query_string={"law": law}).get_data(as_text=True)
        assert (f"/admin/questions/{question.id}" in found) is is_found, law


def test_parts_of_a_case_keep_their_own_laws_through_the_editor(office, session):
    cited = [
        model.Citation(law=law, article="第五条", version=day)
        for law, day in (("行政处罚法", "2021-01-22"), ("立法法", "2023-03-13"))
    ]
    case = model.Question(
        kind=Kind.CASE,
        stem="某县",
        citation=cited[0],
        parts=tuple(single(stem=f"{c.law}？", citation=c) for c in cited),
    )
    question = add_question(ActionContext(session, SYSTEM, clock.now()), question=case, state=QuestionState.DRAFT)
    page = office.get(f"/admin/questions/{question.id}/edit").get_data(as_text=True)
    from lxml import html

    form: Any = cast("Any", html.document_fromstring(page)).xpath("//form[@data-preview]")[0]
    data = {name: value for name, value in form.form_values() if name != "act"} | {
        "act": "save",
        "material": "某县改过",
    }
    assert office.post(f"/admin/questions/{question.id}/edit", data=data).status_code == 302
    rows = session.execute(
        select(QuestionCitation.part, Law.name, QuestionCitation.articles)
        .join(LawVersion, QuestionCitation.law_version_id == LawVersion.id)
        .join(Law)
        .where(QuestionCitation.question_version_id == question.current_version_id)
        .order_by(QuestionCitation.part)
    )
    assert [tuple(row) for row in rows] == [(1, "行政处罚法", ["第五条"]), (2, "立法法", ["第五条"])]
    assert version_of(session, question).content["material"] == "某县改过"


def test_writer_and_reviewer_are_two_people_where_there_are_two(world, session):
    writer, other = (world.api(world.admin("publicity_office", name=name)) for name in ("甲", "乙"))
    question = make(writer, session)
    path = f"/admin/questions/{question.id}/state"
    assert "另一位" in writer.post(path, data={"state": "reviewed"}, follow_redirects=True).get_data(as_text=True)
    other.post(path, data={"state": "reviewed"})
    session.expire_all()
    assert question.state == "reviewed" and question.reviewed_by_id
    writer.post(path, data={"state": "active"})
    session.expire_all()
    assert question.state == "active"


def test_of_300_ticked_questions_299_are_passed_and_the_one_is_named(world, session):
    writer = ActionContext(session, SYSTEM, clock.now())
    add_questions(writer, questions=[single(stem=f"第{n}题？") for n in range(300)], state=QuestionState.DRAFT)
    rows = session.scalars(select(BankQuestion).order_by(BankQuestion.id)).all()
    rows[150].review_note = "答案有两个。"
    session.flush()
    page = world.api(world.admin("publicity_office")).post(
        "/admin/questions/states", data={"ids": [row.id for row in rows], "state": "reviewed"}, follow_redirects=True
    )
    assert (
        "299 道题已改为“已审核”" in page.text and f"1 道题没有改动（{rows[150].code}）：这道题的答案待核对" in page.text
    )
    session.expire_all()
    assert [row.state for row in rows] == ["reviewed"] * 150 + ["draft"] + ["reviewed"] * 149


def test_who_set_the_key_does_not_review_it_and_a_corrected_key_is_reviewed_again(world, session):
    writer, other, third = (world.api(world.admin("publicity_office", name=name)) for name in ("甲", "乙", "丙"))
    question = make(writer, session)
    correction = {"parts-0-n": "1", "parts-0-key": "A", "reason": "对照条文"}
    other.post(f"/admin/questions/{question.id}/key", data=correction)
    path = f"/admin/questions/{question.id}/state"
    assert "另一位" in other.post(path, data={"state": "reviewed"}, follow_redirects=True).get_data(as_text=True)
    queue = "/admin/questions/review"
    assert f"{queue}/{question.id}" not in other.get(queue).get_data(as_text=True)
    assert f"{queue}/{question.id}" in third.get(queue).get_data(as_text=True)
    third.post(path, data={"state": "reviewed"})
    third.post(path, data={"state": "active"})
    session.expire_all()
    assert question.state == "active"
    writer.post(f"/admin/questions/{question.id}/key", data=correction | {"parts-0-key": "B"})
    session.expire_all()
    assert (question.state, question.reviewed_by_id) == ("draft", None)


def test_lone_reviewer_reviews_nothing_of_their_own_without_the_setting(office, session):
    question = make(office, session)
    page = office.post(f"/admin/questions/{question.id}/state", data={"state": "reviewed"}, follow_redirects=True)
    session.expire_all()
    assert question.state == "draft" and "另一位" in page.get_data(as_text=True)


def test_lone_reviewer_may_review_under_the_setting_and_the_log_says_so(office, session, alone):
    question = make(office, session)
    assert "只有您一人" in office.get(f"/admin/questions/{question.id}").get_data(as_text=True)
    office.post(f"/admin/questions/{question.id}/state", data={"state": "reviewed"})
    session.expire_all()
    event = session.scalars(select(AuditEvent).where(AuditEvent.act == "questions.set_state")).one()
    assert question.state == "reviewed" and event.details["is_own_review"] is True


def test_state_never_skips_the_review(office, session):
    question = make(office, session)
    office.post(f"/admin/questions/{question.id}/state", data={"state": "active"})
    office.post(f"/admin/questions/{question.id}/state", data={"state": "retired"})
    office.post(f"/admin/questions/{question.id}/state", data={"state": "active"})
    session.expire_all()
    assert question.state == "retired"
    assert office.post(f"/admin/questions/{question.id}/state", data={"state": "published"}).status_code == 404


def test_key_is_corrected_by_a_new_row_with_a_reason(office, session):
    question = make(office, session)
    path = f"/admin/questions/{question.id}/key"
    assert "请写明更正的理由" in office.post(path, data={"parts-0-n": "1", "parts-0-key": "A"}).get_data(as_text=True)
    assert "没有变化" in office.post(path, data={"parts-0-n": "1", "parts-0-key": "B", "reason": "x"}).get_data(
        as_text=True
    )
    assert "不存在的选项" in office.post(path, data={"parts-0-n": "1", "parts-0-key": "D", "reason": "x"}).get_data(
        as_text=True
    )
    assert office.post(path, data={"parts-0-n": "1", "parts-0-key": "A", "reason": "录入有误"}).status_code == 302
    first, second = keys_of(session, question)
    assert (first.parts[0]["key"], second.parts[0]["key"], second.reason, second.number) == (
        ["B"],
        ["A"],
        "录入有误",
        2,
    )
    assert "录入有误" in office.get(f"/admin/questions/{question.id}").get_data(as_text=True)


def test_used_question_cannot_be_deleted_but_retired(office, session):
    used, unused = make(office, session), make(office, session, **{"parts-0-stem": "另一题？"})
    version_of(session, used).used_at = clock.now()
    answer = office.post(f"/admin/questions/{used.id}/delete", follow_redirects=True)
    assert "不能删除" in answer.get_data(as_text=True)
    office.post(f"/admin/questions/{unused.id}/delete")
    assert session.scalars(select(BankQuestion.id)).all() == [used.id]


def test_article_stands_beside_the_question(office, session):
    question = make(office, session)
    text = "中华人民共和国行政处罚法\n版本日期：2021-01-22\n第一章 总则\n第三十二条　应当从轻。\n"
    import_law_text(ActionContext(session, SYSTEM, clock.now()), text=read_law_text(text.encode(), "x.txt"))
    for path in (f"/admin/questions/{question.id}", f"/admin/questions/{question.id}/edit"):
        assert "应当从轻。" in office.get(path).get_data(as_text=True)


def test_list_finds_by_substring_and_every_filter(office, session):
    questions = [
        single(
            stem=f"第{n}题行政拘留？", difficulty=model.Difficulty.HARD, knowledge_points=("时限",), tags=("国家安全",)
        )
        for n in range(60)
    ]
    add_questions(ActionContext(session, SYSTEM, clock.now()), questions=questions, state=QuestionState.ACTIVE)
    make(office, session)

    def found(query):
        return int(re.search(r"共 (\d+) 题", office.get(f"/admin/questions/?{query}").get_data(as_text=True))[1])

    assert [
        found(q)
        for q in (
            "",
            "q=政拘",
            "q=政拘 第5题",
            "q=100%25",
            "law=行政处罚法",
            "topic=国家安全",
            "kind=true_false",
            "difficulty=hard",
            "state=draft",
            "point=期限",
            "flag=doubt",
        )
    ] == [61, 60, 1, 0, 1, 60, 0, 60, 1, 1, 0]
    assert [found(q) for q in ("kind=nonsense", "page=999", "page=x", "import_id=99999999999999999999999")] == [61] * 4
    page = office.get("/admin/questions/?state=active&page=2").get_data(as_text=True)
    assert page.count('name="ids"') == 10 and "第 2 页，共 2 页" in page


def test_list_costs_few_statements(office, session, statements):
    add_questions(
        ActionContext(session, SYSTEM, clock.now()),
        questions=[single(stem=f"第{n}题？") for n in range(60)],
        state=QuestionState.ACTIVE,
    )
    with statements() as seen:
        office.get("/admin/questions/?q=题")
    assert len(seen) <= 16


def test_many_questions_change_state_at_once_and_the_rest_is_explained(world, session):
    other = world.api(world.admin("publicity_office"))
    ids = add_questions(
        ActionContext(session, SYSTEM, clock.now()),
        questions=[single(stem=f"第{n}题？") for n in range(3)],
        state=QuestionState.DRAFT,
    )
    ids += [
        add_question(
            ActionContext(session, SYSTEM, clock.now()), question=single(stem="旧题？"), state=QuestionState.RETIRED
        ).id
    ]
    page = other.post(
        "/admin/questions/states", data={"ids": ids, "state": "reviewed"}, follow_redirects=True
    ).get_data(as_text=True)
    assert "3 道题已改为“已审核”" in page and "1 道题没有改动" in page
    assert "请先勾选" in other.post(
        "/admin/questions/states", data={"state": "reviewed"}, follow_redirects=True
    ).get_data(as_text=True)


def test_export_of_a_filter_reads_back_and_is_logged(office, session):
    add_question(
        ActionContext(session, SYSTEM, clock.now()), question=single(stem="=1+1是多少？"), state=QuestionState.ACTIVE
    )
    add_question(ActionContext(session, SYSTEM, clock.now()), question=single(stem="草稿？"), state=QuestionState.DRAFT)
    answer = office.get("/admin/questions/export?state=active")
    reading = read_file(answer.data, "题库.xlsx")
    assert [item.question.stem for item in reading.imported] == ["=1+1是多少？"]
    assert session.scalars(select(AuditEvent).where(AuditEvent.act == "questions.export")).one().details["count"] == 1
    assert read_file(office.get("/admin/questions/template").data, "模板.xlsx").format == "excel"


def test_picture_is_uploaded_shown_to_signed_in_people_and_cached_privately(world, office, session):
    answer = office.post("/admin/questions/pictures", data={"picture": (io.BytesIO(picture()), "a.png")})
    mark = answer.get_json()["mark"]
    question = make(office, session, **{"parts-0-stem": f"看图：{mark}"})
    sha256 = session.scalars(select(Media.sha256)).one()
    assert f'<img src="/media/{sha256}"' in version_of(session, question).content["parts"][0]["stem"]
    candidate = world.client(world.person())
    shown = candidate.get(f"/media/{sha256}")
    assert (
        shown.status_code == 200
        and shown.content_type == "image/png"
        and shown.headers["Cache-Control"].startswith("private")
    )
    assert candidate.get(f"/media/{sha256}", headers={"If-None-Match": f'"{sha256}"'}).status_code == 304
    assert [candidate.get(f"/media/{bad}").status_code for bad in ("0" * 64, "x", "../etc")] == [404] * 3
    assert world.client().get(f"/media/{sha256}").status_code == 302
    assert mark in office.get(f"/admin/questions/{question.id}/edit").get_data(as_text=True)


def test_picture_is_uploaded_without_script_too(office):
    data = SINGLE | {"act": "picture", "picture": (io.BytesIO(picture()), "a.png")}
    page = office.post("/admin/questions/new/single_choice", data=data).get_data(as_text=True)
    assert "[图片:" in page and "图片已上传" in page


def test_preview_shows_the_cleaned_question(office):
    data = SINGLE | {"is_html": "y", "parts-0-stem": "<p>看<script>alert(1)</script></p>", "parts-0-key": ""}
    page = office.post("/admin/questions/preview", data=data).get_data(as_text=True)
    assert 'paper-stem rich"><p>看</p>' in page and "script" not in page
    assert "题干是空的" in office.post("/admin/questions/preview", data=SINGLE | {"parts-0-stem": " "}).get_data(
        as_text=True
    )


def test_nobody_else_sees_the_bank(world, session):
    question = add_question(ActionContext(session, SYSTEM, clock.now()), question=single(), state=QuestionState.ACTIVE)
    for role in (None, "unit_admin", "leader", "system_admin"):
        person = world.admin(role, world.unit()) if role else world.person()
        client = world.api(person)
        for path in (
            "/admin/questions/",
            f"/admin/questions/{question.id}",
            f"/admin/questions/{question.id}/edit",
            "/admin/questions/export",
            "/admin/questions/imports/",
        ):
            assert client.get(path).status_code == 404
        assert (
            client.post(f"/admin/questions/{question.id}/key", data={"parts-0-key": "A", "reason": "x"}).status_code
            == 404
        )
    office = world.api(world.admin("publicity_office"))
    assert [office.get(f"/admin/questions/999999{rest}").status_code for rest in ("", "/edit", "/key")] == [404] * 3


def test_short_words_survive_unusual_keys(office, session):
    question = add_question(
        ActionContext(session, SYSTEM, clock.now()),
        question=model.Question(kind=Kind.SHORT_ANSWER, stem="为什么？", key=()),
        state=QuestionState.DRAFT,
    )
    assert office.get(f"/admin/questions/{question.id}").status_code == 200


def test_list_finds_by_article_author_and_flag_whatever_the_width_of_a_letter(office, session, world):
    other = world.api(world.admin("publicity_office", name="赵六"))
    first, second = (
        make(office, session),
        make(other, session, **{"parts-0-stem": "依据ＷＴＯ规则，由谁作出决定？", "parts-0-articles": "第四十条之一"}),
    )

    def found(query):
        return int(re.search(r"共 (\d+) 题", office.get(f"/admin/questions/?{query}").get_data(as_text=True))[1])

    author = session.get_one(BankQuestion, second.id).created_by_id
    assert [
        found(q)
        for q in (
            "article=第32条",
            "article=第四十条之一",
            "article=第一条",
            f"author={author}",
            "q=wto规则",
            "q=决",
            "q=作决",
            "flag=law",
            f"q={first.code}",
        )
    ] == [1, 1, 0, 1, 1, 2, 0, 0, 1]


def test_bulk_change_is_previewed_then_made_on_the_very_questions_that_were_shown(office, session):
    ids = add_questions(
        ActionContext(session, SYSTEM, clock.now()),
        questions=[single(stem=f"第{n}题？", knowledge_points=("旧点",)) for n in range(3)],
        state=QuestionState.ACTIVE,
    )
    answer = office.post("/admin/questions/ticked?q=题", data={"scope": "all"})
    assert answer.status_code == 307
    asked = office.post(answer.location, data={"scope": "all"}).get_data(as_text=True)
    assert "成批修改 3 题" in asked
    fields = {
        "asked": "1",
        "ids": ",".join(map(str, ids[:2])),
        "difficulty": "hard",
        "topic": "keep",
        "added_point": "新点",
        "removed_point": "旧点",
    }
    shown = office.post("/admin/questions/bulk/preview", data=fields).get_data(as_text=True)
    assert "会改动 2 题，其余 0 题不变" in shown and "难度：难" in shown and "知识点：新点" in shown
    assert {session.get_one(BankQuestion, each).difficulty for each in ids} == {None}
    office.post("/admin/questions/bulk/apply", data=fields)
    changed = [session.get_one(BankQuestion, each) for each in ids]
    assert [(q.difficulty, [p.name for p in q.knowledge_points], q.state) for q in changed] == [
        ("hard", ["新点"], "active")
    ] * 2 + [(None, ["旧点"], "active")]
    assert "会改动 0 题" in office.post("/admin/questions/bulk/preview", data=fields).get_data(as_text=True)
    assert "请选择要修改什么" in office.post(
        "/admin/questions/bulk/preview", data={"asked": "1", "ids": str(ids[0]), "difficulty": "keep", "topic": "keep"}
    ).get_data(as_text=True)


def test_reviewer_of_a_case_reads_the_material_once_and_each_part_beside_its_own_articles(office, session):
    cited = [
        model.Citation(law=law, article=article, version=day)
        for law, article, day in (("行政处罚法", "第五条", "2021-01-22"), ("立法法", "第六条", "2023-03-13"))
    ]
    parts = tuple(single(stem=f"{one.law}？", citation=one) for one in cited)
    case = model.Question(kind=Kind.CASE, stem="某县某乡的材料", citation=cited[0], parts=parts)
    question = add_question(ActionContext(session, SYSTEM, clock.now()), question=case, state=QuestionState.DRAFT)
    page = office.get(f"/admin/questions/review/{question.id}").get_data(as_text=True)
    _, first, second = page.split("data-unfold-beside")
    assert page.count("某县某乡的材料") == 1 and "某县某乡的材料" in first
    assert [re.findall("<summary>(.*?)</summary>", part) for part in (first, second)] == [
        ["依据：《行政处罚法》（2021年版）第五条"],
        ["依据：《立法法》（2023年版）第六条"],
    ]


def test_review_queue_leads_from_draft_to_draft_and_leaves_out_ones_own(office, session, world):
    other = world.api(world.admin("publicity_office", name="赵六"))
    mine, theirs, also = (
        make(office, session),
        make(other, session, **{"parts-0-stem": "他写的第一题？"}),
        make(other, session, **{"parts-0-stem": "他写的第二题？"}),
    )
    page = office.get("/admin/questions/review").get_data(as_text=True)
    assert "他写的第一题" in page and "他写的第二题" in page and f"review/{mine.id}" not in page
    review = "/admin/questions/review"
    page = office.get(f"{review}/{theirs.id}").get_data(as_text=True)
    assert all(text in page for text in ("机器核对", "没有近似题", "相近的题", "他写的第二题", "还没有用过"))
    assert office.get(f"{review}/{theirs.id}?skip=1").location.endswith(f"/{also.id}")
    assert office.get(f"{review}/{also.id}?skip=1").location.endswith(f"/{theirs.id}"), "after the last the first again"
    fields = {"shown": shown_token(page)}
    rejected = office.post(f"{review}/{theirs.id}", data=fields, follow_redirects=True).get_data(as_text=True)
    assert "都要看过并勾选" in rejected and theirs.state == "draft"
    assert office.post(f"{review}/{also.id}", data=fields | seen(page)).location.endswith(f"/{also.id}"), "not shown"
    answer = office.post(f"{review}/{theirs.id}", data=fields | seen(page))
    assert answer.location.endswith(f"{review}/{also.id}") and theirs.state == "active"
    page = office.get(answer.location).get_data(as_text=True)
    answer = office.post(answer.location, data={"shown": shown_token(page)} | seen(page))
    assert answer.location.endswith("/review")
    own = office.get(f"{review}/{mine.id}").get_data(as_text=True)
    assert "请由另一位同事审核" in own and "通过并启用（" not in own
    answer = office.post(f"{review}/{mine.id}", data={"shown": shown_token(own)} | seen(own), follow_redirects=True)
    assert "您本人撰写" in answer.get_data(as_text=True) and mine.state == "draft"


def seen(page):
    return {"seen": ["1"] * page.count('name="seen"')}


def shown_token(page):
    return re.search(r'name="shown" value="([^"]+)"', page).group(1)


def read_drafts(client, skip=0):
    return client.get("/admin/questions/review/read", query_string={"skip": skip}).get_data(as_text=True)


def test_a_page_of_drafts_read_in_full_is_passed_and_activated_in_one_go(world, session, statements):
    reviewer = world.api(world.admin("publicity_office"))
    ids = add_questions(
        ActionContext(session, SYSTEM, clock.now()),
        questions=[single(stem=f"第{n}题问什么？") for n in range(45)],
        state=QuestionState.DRAFT,
    )
    clicks, held = 1, ids[0]
    with statements() as seen:
        page = read_drafts(reviewer)
    assert len(seen) <= 16
    while 'name="shown"' in page:
        fields = {"shown": shown_token(page), "skip": re.search(r'name="skip" value="(\d+)"', page).group(1)}
        answer = reviewer.post("/admin/questions/review/read", data=fields | ({"held": held} if clicks == 1 else {}))
        clicks += 1
        if clicks > 4:
            break
        page = reviewer.get(answer.location).get_data(as_text=True)
    session.expire_all()
    states = {row.id: row.state for row in session.scalars(select(BankQuestion).where(BankQuestion.id.in_(ids)))}
    assert states.pop(held) == "draft"
    assert set(states.values()) == {"active"}
    assert clicks <= 4


def test_only_what_the_reviewer_was_shown_and_is_unchanged_is_passed(world, session, office):
    writer = world.api(world.admin("publicity_office", name="赵六"))
    changed, good = make(writer, session), make(writer, session, **{"parts-0-stem": "第二题由谁决定？"})
    token = shown_token(read_drafts(office))
    changed.updated_at += timedelta(seconds=1)
    session.flush()
    stolen = writer.post("/admin/questions/review/read", data={"shown": token})
    assert stolen.status_code == 400 and "页面已经失效" in stolen.get_data(as_text=True)
    page = office.post("/admin/questions/review/read", data={"shown": token}, follow_redirects=True)
    text = page.get_data(as_text=True)
    session.expire_all()
    assert (changed.state, good.state) == ("draft", "active")
    assert "1 道题已审核通过并启用" in text and f"没有通过：{changed.code}" in text
    assert office.post("/admin/questions/review/read", data={"shown": "forged"}).status_code == 400


def test_two_versions_stand_side_by_side(office, session):
    question = make(office, session)
    version_of(session, question).used_at = clock.now()
    session.flush()
    office.post(
        f"/admin/questions/{question.id}/edit",
        data=SINGLE | {"parts-0-stem": "由谁作出处罚决定？", "read_version": stamp(session, question)},
    )
    page = office.get(f"/admin/questions/{question.id}/compare").get_data(as_text=True)
    assert "题干</h2>" in page and ">增</span>" in page and "没有变化：" in page and "选项 A" in page
    assert office.get(f"/admin/questions/{question.id}/compare?old=9").status_code == 404


def test_coverage_names_what_is_thin_and_what_is_missing(office, session):
    add_questions(
        ActionContext(session, SYSTEM, clock.now()),
        questions=[
            single(
                stem=f"第{n}题？",
                citation=model.Citation(law="行政处罚法", article="第一条", version="2021-01-22"),
                difficulty=model.Difficulty.EASY,
                tags=("行政法",),
            )
            for n in range(4)
        ],
        state=QuestionState.ACTIVE,
    )
    import_law_text(
        ActionContext(session, SYSTEM, clock.now()),
        text=read_law_text(
            "中华人民共和国空白法\n版本日期：2025-01-01\n第一条　为了测试，制定本法。\n".encode(), "空白法.txt"
        ),
    )
    page = office.get("/admin/questions/coverage").get_data(as_text=True)
    assert "空白法" in page and "4／0／0" in page and page.count("thin-word") >= 4 and ">缺<" in page
    assert "少" in office.get("/admin/questions/coverage?least=5&thin=1").get_data(as_text=True)


def test_like_questions_are_found_and_settled(office, session):
    stem = "行政机关在作出行政处罚决定之前，应当告知当事人拟作出的处罚内容及事实、理由、依据，对吗{}？"
    ids = add_questions(
        ActionContext(session, SYSTEM, clock.now()),
        questions=[single(stem=stem.format(n)) for n in "甲乙丙"]
        + [single(stem="完全不同的一道题，说的是行政许可的期限，该怎么算？")],
        state=QuestionState.ACTIVE,
    )
    page = office.post("/admin/questions/duplicates/", follow_redirects=True).get_data(as_text=True)
    assert "找到 3 对相近的题" in page and page.count('<section class="sheet">') == 3
    office.post("/admin/questions/duplicates/settle", data={"one": ids[0], "other": ids[1], "act": "both"})
    office.post("/admin/questions/duplicates/settle", data={"one": ids[1], "other": ids[2], "act": "other"})
    assert [session.get_one(BankQuestion, each).state for each in ids] == ["active", "active", "retired", "active"]
    assert "没有待判断的重复题" in office.get("/admin/questions/duplicates/").get_data(as_text=True)
    assert "找到 0 对" in office.post("/admin/questions/duplicates/", follow_redirects=True).get_data(as_text=True)


def test_every_writable_format_is_offered_and_comes_out(office, session):
    from question_bank.formats import registry

    make(office, session)
    page = office.get("/admin/questions/export/choose?q=决定").get_data(as_text=True)
    for each in registry.writable():
        assert f'value="{each.name}"' in page
        answer = office.get(f"/admin/questions/export?q=决定&format={each.name}&bare=1")
        assert answer.status_code == 200 and read_file(answer.data, f"x{each.suffix}", each.name).found == 1, each.name
    packed = office.get("/admin/questions/export?format=aiken")
    assert "aiken.zip" in packed.headers["Content-Disposition"]


@pytest.mark.parametrize("act", ["save", "preview", "picture", "add_part", "add_option-0"])
@pytest.mark.parametrize("kind", ["essay", "", "case"])
def test_kind_that_is_none_breaks_no_form(office, kind, act):
    fields = SINGLE | {"kind": kind, "parts-0-kind": "essay", "new_kind": "essay", "act": act}
    assert office.post("/admin/questions/new/single_choice", data=fields).status_code == 200
    assert office.post("/admin/questions/preview", data=fields).status_code == 200


@pytest.mark.parametrize("kind", [Kind.SHORT_ANSWER, Kind.FILL_BLANK])
def test_the_field_of_a_key_in_words_says_what_it_is(office, world, kind):
    page = office.get(f"/admin/questions/{world.question(kind).id}/key").get_data(as_text=True)
    fields = [tag for tag in re.findall(r"<textarea[^>]*>", page) if 'name="parts-0-' in tag]
    assert fields and all('aria-label="正确答案"' in tag for tag in fields)
