"""Questions enter the bank whole, clean and once."""

import pytest
from sqlalchemy import func, select

from examapp import clock
from examapp.content.laws.models import LawVersion
from examapp.content.question_editing.actions import add_question, add_questions
from examapp.content.question_intake.actions import load_seed_bank
from examapp.content.questions.models import AnswerKey, BankQuestion, Media, QuestionCitation, QuestionState
from examapp.content.questions.rules import UnfitQuestionError
from examapp.platform.audit.actions import ActionContext, Actor
from question_bank import model
from question_bank.model import Kind
from tests.helpers.questions import picture, single, version_of

ACTOR = Actor(person_id=None)


def add(session, question, state="draft"):
    return add_question(ActionContext(session, ACTOR, clock.now()), question=question, state=state)


def test_question_is_stored_with_key_apart_law_and_knowledge_points(session):
    added = add(
        session,
        single(
            stem="三十日内<作出>\n决定？",
            explanation="见第三十二条",
            knowledge_points=("期限", "期限"),
            tags=("行政法",),
            citation=model.Citation(
                law="《中华人民共和国行政处罚法》", article="第32条、第三十三条之一", version="2021-01-22"
            ),
        ),
    )
    version = version_of(session, added)
    assert version.content == {
        "material": None,
        "parts": [
            {
                "kind": "single_choice",
                "stem": "三十日内&lt;作出&gt;<br>决定？",
                "options": ["甲", "乙", "丙", "丁"],
                "blanks": None,
            }
        ],
    }
    assert version.search_text == "三十日内<作出>\n决定？\n甲\n乙\n丙\n丁"
    key = session.scalars(select(AnswerKey).where(AnswerKey.question_version_id == version.id)).one()
    assert key.parts == [{"key": ["B"], "blanks": [], "explanation": "见第三十二条"}]
    citation = session.scalars(select(QuestionCitation).where(QuestionCitation.question_version_id == version.id)).one()
    assert citation.articles == ["第三十二条", "第三十三条之一"]
    law_version = session.get_one(LawVersion, citation.law_version_id)
    assert (law_version.law.name, str(law_version.version_on), law_version.law.topic) == (
        "行政处罚法",
        "2021-01-22",
        "行政法",
    )
    assert (added.law_name, added.topic, [p.name for p in added.knowledge_points]) == ("行政处罚法", "行政法", ["期限"])


def test_a_unit_behind_a_blank_is_stored_beside_the_key(session):
    stem = "应当在____个工作日内报告，记录保存____年，由____负责。"
    blanks = (("三", "3"), ("二",), ("县政府",))
    added = add(session, model.Question(kind=Kind.FILL_BLANK, stem=stem, blanks=blanks))
    version = version_of(session, added)
    (part,) = session.scalars(select(AnswerKey.parts).where(AnswerKey.question_version_id == version.id)).one()
    assert part["units"] == ["个工作日", "年", ""]


def test_case_keeps_material_parts_and_their_own_articles(session):
    part = single(stem="第一问？", citation=model.Citation(law="行政处罚法", article="第五条", version="2021-01-22"))
    truth = model.Question(kind=Kind.TRUE_FALSE, stem="对吗？", options=("正确", "错误"), key=("B",))
    case = model.Question(
        kind=Kind.CASE,
        stem="某县……",
        parts=(part, truth),
        citation=model.Citation(law="行政处罚法", article="第六条", version="2021-01-22"),
    )
    version = version_of(session, add(session, case))
    assert version.content["material"] == "某县……"
    assert [p["kind"] for p in version.content["parts"]] == ["single_choice", "true_false"]
    cited = session.execute(
        select(QuestionCitation.part, QuestionCitation.articles)
        .where(QuestionCitation.question_version_id == version.id)
        .order_by(QuestionCitation.part)
    )
    assert [tuple(row) for row in cited] == [(1, ["第五条"]), (2, ["第六条"])]


def test_blanks_stay_visible_and_keep_all_variants(session):
    question = model.Question(kind=Kind.FILL_BLANK, stem="应当在____内作出。", blanks=(("三十日", "30日"),))
    version = version_of(session, add(session, question))
    assert version.content["parts"][0] | {} == {
        "kind": "fill_blank",
        "stem": "应当在____内作出。",
        "options": [],
        "blanks": 1,
    }
    assert session.scalars(select(AnswerKey.parts)).one()[0]["blanks"] == [["三十日", "30日"]]


def test_pictures_are_redrawn_and_addressed_by_digest(session):
    image = model.Image(name="a b.png", media_type="image/png", content=picture())
    added = add(session, single(stem='<p>看图</p><img src="bank:a b.png" onerror="x">', is_html=True, images=(image,)))
    media = session.scalars(select(Media)).one()
    assert version_of(session, added).content["parts"][0]["stem"] == f'<p>看图</p><img src="/media/{media.sha256}">'
    assert (media.width, media.height, media.media_type) == (3, 2, "image/png")


def test_picture_that_no_text_names_stands_below_the_stem(session):
    image = model.Image(name="x.png", media_type="image/png", content=picture())
    stem = version_of(session, add(session, single(images=(image,)))).content["parts"][0]["stem"]
    assert stem.startswith("谁决定？<p><img") and "/media/" in stem


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"stem": " \u200b　"}, "题干"),
        ({"options": ("甲",)}, "选项"),
        ({"key": ()}, "答案"),
        ({"key": ("E",)}, "答案"),
        ({"key": ("A", "B")}, "一个"),
        ({"options": ("甲", " ", "丙", "丁")}, "选项"),
        ({"stem": "长" * 30_000}, "精简"),
    ],
)
def test_question_that_is_not_whole_is_rejected_with_the_reason(session, fields, word):
    with pytest.raises(UnfitQuestionError, match=word):
        add(session, single(**fields))


def test_a_thousand_questions_cost_few_statements(session, statements):
    questions = [
        single(
            stem=f"第{n}题？",
            knowledge_points=("期限",),
            citation=model.Citation(law="立法法", article="第一条", version="2023-03-13"),
        )
        for n in range(1000)
    ]
    with statements() as seen:
        ids = add_questions(ActionContext(session, ACTOR, clock.now()), questions=questions, state=QuestionState.ACTIVE)
        session.flush()
    assert len(ids) == 1000 and session.scalar(select(func.count()).select_from(BankQuestion)) == 1000
    assert len(seen) <= 30


def test_files_own_number_is_kept_only_where_it_tells_questions_apart(session):
    codes = [
        add(session, single(stem=f"{n}？", code=code)).code
        for n, code in enumerate(["xzcf-001", "xzcf-001", "12", None])
    ]
    assert codes[0] == "xzcf-001" and all(code.startswith("q-") for code in codes[1:]) and len(set(codes)) == 4


def test_seed_bank_loads_once(session, tmp_path):
    (tmp_path / "立法法.txt").write_text(
        "@law 立法法\n@version 2023-03-13\n@effective 2023-03-15\n@topic 宪法与国家机构\n\n## lf-001 判断题 易\n条文：第一条\n知识点：目的\n题干：对吗？\n答案：正确\n解析：是。\n",
        "utf-8",
    )
    first = load_seed_bank(session, tmp_path, now=clock.now())
    assert load_seed_bank(session, tmp_path, now=clock.now()) == []
    question = session.get_one(BankQuestion, first[0])
    assert (question.code, question.state, question.law_name, question.topic) == (
        "lf-001",
        "active",
        "立法法",
        "宪法与国家机构",
    )
    assert str(session.scalars(select(LawVersion)).one().effective_on) == "2023-03-15"
