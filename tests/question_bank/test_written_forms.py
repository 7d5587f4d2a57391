"""What is written as csv, text or Word reads back as the same questions; what cannot be said is named."""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from question_bank.formats.export import plain_question
from question_bank.formats.registry import read_file, writable, write_file
from question_bank.model import Citation, Difficulty, Image, Kind, Question
from question_bank.quality import read_content

CONTENT = Path(__file__).parents[2] / "question_bank" / "content"
bank = cache(lambda: read_content(CONTENT))
SINGLE = Question(
    kind=Kind.SINGLE_CHOICE,
    stem="谁作出决定？",
    options=("县政府", "县公安局", "乡政府", "村委会"),
    key=("B",),
    explanation="见条文。",
    difficulty=Difficulty.EASY,
    points=Decimal(2),
    knowledge_points=("期限",),
)
QUESTIONS = (
    SINGLE,
    replace(SINGLE, kind=Kind.MULTIPLE_CHOICE, stem="下列哪些行为应当处罚？", key=("A", "C", "D")),
    Question(
        kind=Kind.TRUE_FALSE,
        stem="行政机关可以委托个人实施行政处罚。",
        options=("正确", "错误"),
        key=("B",),
        explanation="只能委托组织。",
    ),
    Question(kind=Kind.FILL_BLANK, stem="应当在____内作出决定，最长不超过____。", blanks=(("三十日",), ("六十日",))),
    Question(kind=Kind.SHORT_ANSWER, stem="简述行政处罚的种类。", key=("警告、罚款、没收违法所得等。",)),
)
CASE = Question(
    kind=Kind.CASE, stem="某局对一家餐馆罚款三万元。", parts=(SINGLE, QUESTIONS[2]), difficulty=Difficulty.HARD
)


def said(question):
    question = plain_question(question)
    in_order = (
        [question.options["ABCDEFGH".index(letter)] for letter in question.key]
        if question.kind is Kind.ORDERING
        else ()
    )
    stem, *texts = (
        "".join(text.split()) for text in (question.stem, question.explanation, *(in_order or question.options))
    )
    return (
        stem,
        question.kind,
        *texts,
        () if in_order else question.key,
        question.blanks,
        tuple(said(part) for part in question.parts),
    )


@pytest.mark.parametrize(
    ("form", "suffix", "questions"),
    [("text", ".txt", QUESTIONS), ("docx", ".docx", (*QUESTIONS, CASE)), ("csv", ".csv", (*QUESTIONS, CASE))],
)
def test_written_questions_read_back_the_same(form, suffix, questions):
    written = write_file(questions, form)
    found = read_file(written.content, f"题库{suffix}", "auto")
    assert sorted(map(said, (item.question for item in found.imported))) == sorted(map(said, questions))
    assert found.format == form and not found.needing_review and not found.rejected
    assert [
        (q.question.difficulty, q.question.points, q.question.knowledge_points)
        for q in found.imported
        if q.question.stem == SINGLE.stem
    ] == [(Difficulty.EASY, Decimal(2), ("期限",))]


def facts(question):
    found = (
        question.citation,
        question.knowledge_points,
        question.difficulty,
        question.points,
        question.tags,
        question.code,
    )
    return (*found, tuple(facts(part) for part in question.parts))


LONG = {"docx", "text", "qti-2.1", "qti-2.2"}
"""Formats whose whole bank takes too long for the slow tests, or is written as that of another version."""
SHARES = [
    pytest.param(form, step, id=f"{form.name}-{step}", marks=marks)
    for form in writable()
    for step, marks in (
        (43, ()),
        (7, pytest.mark.slow if form.name in LONG else pytest.mark.long),
        (1, pytest.mark.long if form.name in LONG else pytest.mark.slow),
    )
]


@pytest.mark.parametrize(("form", "step"), SHARES)
def test_bank_of_our_own_comes_back_from_every_format_but_for_what_is_named(form, step):
    questions = bank()[::step]
    written = write_file(questions, form.name)
    named = {note.reason.split("题干：")[-1].rstrip("）。")[:15] for note in written.dropped}
    reading = read_file(written.content, f"题库{form.suffix}", form.name)
    named |= {item.question.stem[:15] for item in reading.needing_review}
    found = {said(item.question): item.question for item in reading.imported}
    lost = [question.stem for question in questions if said(question) not in found]
    assert [stem for stem in lost if not any(stem.startswith(each) for each in named)] == []
    unnamed = [one for one in questions if said(one) in found and not any(one.stem.startswith(each) for each in named)]
    assert [(facts(found[said(one)]), facts(one)) for one in unnamed if facts(found[said(one)]) != facts(one)] == []
    assert len(reading.imported) <= len(questions) and not reading.differs_from_census


def test_what_a_free_form_has_no_place_for_is_named_by_question():
    full = replace(
        SINGLE,
        citation=Citation(law="行政处罚法", article="第一条", version="2021-01-22"),
        code="x-0001",
        tags=("行政法",),
        images=(Image(name="a.png", media_type="image/png", content=b"x"),),
    )
    reasons = [note.reason for note in write_file([full, CASE], "text").dropped]
    assert any("依据条文" in reason and "图片" in reason and "题号" in reason for reason in reasons)
    assert any("案例题" in reason and "没有导出" in reason for reason in reasons)


def test_question_that_would_read_differently_is_named():
    awkward = replace(
        SINGLE, stem="下列说法正确的是？\n答案：A\n解析：这是题干的一部分", options=("B. 甲", "乙\n丙", "丁", "戊")
    )
    assert any(note.code == "ambiguous" for note in write_file([awkward], "text").dropped)


def test_cells_that_look_like_formulas_do_not_live_in_csv():
    written = write_file([replace(SINGLE, stem="=1+1，对吗？")], "csv")
    assert "'=1+1" in written.content.decode("utf-8-sig") and [note.code for note in written.dropped] == ["formula"]


def test_lines_of_a_text_that_look_like_fields_do_not_become_the_key():
    question = Question(
        kind=Kind.SINGLE_CHOICE,
        stem="谁决定？\n答案：D\n## x-1 单选题",
        options=("甲\nB：假", "乙", "丙", "丁"),
        key=("B",),
        explanation="见条文。\n答案：A",
        code="a-0001",
    )
    (found,) = read_file(write_file([question], "examtext").content, "x.txt").imported
    assert (found.question.stem, found.question.options, found.question.key) == (
        question.stem,
        question.options,
        ("B",),
    )
    assert found.question.explanation == question.explanation


def test_field_that_stands_twice_is_rejected_and_never_chosen_from():
    text = "## x-0001 单选题 易\n题干：谁？\nA：甲\nB：乙\n答案：A\n解析：因。\n答案：B\n"
    found = read_file(text.encode(), "x.txt")
    assert found.imported == [] and [note.code for note in found.rejected] == ["field_twice"]


def test_own_text_names_markup_and_pictures_that_it_leaves_out():
    image = Image(name="a.png", media_type="image/png", content=b"\x89PNG")
    question = Question(
        kind=Kind.SINGLE_CHOICE,
        stem='<p>图<img src="bank:a.png"></p>',
        options=("甲", "乙"),
        key=("B",),
        is_html=True,
        images=(image,),
    )
    written = write_file([question], "examtext")
    assert (
        "图片" in written.dropped[0].reason and "排版" in written.dropped[0].reason and b"<img" not in written.content
    )


def test_text_that_begins_like_a_formula_comes_back_from_csv_as_it_was():
    question = Question(kind=Kind.SINGLE_CHOICE, stem="=1+1 等于几？", options=("=2", "-3"), key=("A",))
    (found,) = read_file(write_file([question], "csv").content, "x.csv").imported
    assert (found.question.stem, found.question.options) == (question.stem, question.options)


def test_variants_of_a_blank_come_back_from_plain_text():
    question = Question(kind=Kind.FILL_BLANK, stem="在____内由____决定。", blanks=(("三十日", "30日"), ("县政府",)))
    (found,) = read_file(write_file([question], "text").content, "x.txt").imported
    assert found.question.blanks == question.blanks


def test_stem_that_looks_like_an_option_is_not_written_as_aiken():
    question = Question(kind=Kind.SINGLE_CHOICE, stem="A. 开头的题干？", options=("甲", "乙"), key=("B",))
    assert [note.code for note in write_file([question], "aiken").dropped] == ["not_written"]
