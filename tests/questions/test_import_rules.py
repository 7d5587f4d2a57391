"""The preview's words: equal problems in one line, the source beside a question, corrections that hold."""

from dataclasses import replace

import pytest

from examapp.content.question_imports.rules import (
    CorrectedQuestion,
    correct_question,
    group_problems,
    places_text,
    source_lines,
)
from examapp.errors import BadRequestError
from question_bank.model import Kind, Note, Question, QuestionForReview


def problem(number, reason="没有答案。请补上答案。", code="no_key"):
    return {"where": f"第 {number} 行", "reason": reason, "code": code}


def test_equal_problems_are_one_line_with_ranges_of_places():
    notes = [problem(number) for number in range(2, 139)]
    notes += [problem(150), problem(7, "答案“E”超出选项。"), problem(9, "答案“F”超出选项。")]
    first, second = group_problems(notes)
    assert (first.reason, len(first.notes), first.places) == ("没有答案。请补上答案。", 138, "第 2–138、150 行")
    assert (second.reason, second.places) == ("答案“E”、“F”超出选项。", "第 7、9 行")


def test_places_keep_their_sheet_and_column_and_many_are_counted():
    sheet = [f"工作表“单选” 第 {number} 行“答案”列" for number in (3, 4, 5)]
    assert places_text(sheet) == "工作表“单选” 第 3–5 行“答案”列"
    assert places_text(["/quiz/question[3]", "/quiz/question[3]"]) == "/quiz/question[3]"
    assert places_text([f"第 {2 * number} 行" for number in range(1, 9)]) == "第 2–16 行之间 8 处"
    spread = [f"工作表“单选” 第 {number} 行“答案”列" for number in (3, 4, 9, 12)]
    assert places_text(spread) == "工作表“单选” 第 3–4、9、12 行“答案”列"
    assert places_text(["工作表“单选” 第 3 行", "工作表“多选” 第 5 行"]) == "工作表“单选” 第 3 行、工作表“多选” 第 5 行"


def test_source_is_shown_around_the_line_and_for_lines_alone():
    text = "\n".join(f"行{number}" for number in range(1, 40))
    assert source_lines(text, "第 1 行")[0] == (1, "行1")
    assert [number for number, _ in source_lines(text, "第 20 行")] == list(range(18, 30))
    assert source_lines(text, "工作表“单选” 第 20 行") == source_lines(text, "/quiz") == []


def needing_review(**fields):
    options = ("县<br>政府", "县公安局")
    base = Question(kind=Kind.SINGLE_CHOICE, stem="谁（　）决定？", options=options, is_html=True)
    return QuestionForReview(replace(base, **fields), Note("第 3 行", "没有答案。", "no_key"))


@pytest.mark.parametrize(
    ("kind", "options", "answer", "expected"),
    [
        ("single_choice", "县 政府\n县公安局", "b", (("县<br>政府", "县公安局"), ("B",), ())),
        ("multiple_choice", "县 政府\n县公安局", "AB", (("县<br>政府", "县公安局"), ("A", "B"), ())),
        ("single_choice", "一<二\n乙\n丙", "C", (("一&lt;二", "乙", "丙"), ("C",), ())),
        ("true_false", "", "错误", (("正确", "错误"), ("B",), ())),
        ("short_answer", "", "依法办。", ((), ("依法办。",), ())),
    ],
)
def test_correction_sets_kind_options_and_key_and_keeps_the_rest(kind, options, answer, expected):
    found = correct_question(
        needing_review(), CorrectedQuestion(where="第 3 行", kind=kind, options=options, answer=answer)
    )
    question = found.question
    assert (question.options, question.key, question.blanks) == expected
    assert (question.kind, question.stem, question.is_html, found.where) == (kind, "谁（　）决定？", True, "第 3 行")
    assert [note.code for note in found.dropped] == ["corrected"]


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("single_choice", "C"), ("single_choice", "AB"), ("true_false", "也许"), ("case", "A"), ("", "A")],
)
def test_correction_that_does_not_fit_is_rejected_with_its_place(kind, answer):
    with pytest.raises(BadRequestError) as raised:
        correct_question(
            needing_review(), CorrectedQuestion(where="第 3 行", kind=kind, options="甲\n乙", answer=answer)
        )
    assert "第 3 行" in raised.value.text


def test_problems_that_differ_in_one_quoted_text_name_it_where_these_are_few():
    def reason(*names):
        return group_problems(
            [{"where": "第 1 行", "reason": f"“{name}”列不认识，没有导入。", "code": "x"} for name in names]
        )[0].reason

    assert reason("出题单位", "审核人", "审核人") == "“出题单位”、“审核人”列不认识，没有导入。"
    assert reason("甲", "乙", "丙", "丁") == "…列不认识，没有导入。"
    two = [
        {"where": "", "reason": f"一列写“{one}”，“{other}”列写“A”。", "code": "x"} for one, other in ("甲乙", "丙丁")
    ]
    assert group_problems(two)[0].reason == "一列写…，…列写…。"
