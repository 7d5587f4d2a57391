"""Heads, answers and cells as further platforms write them: each was once read wrongly or not at all."""

import csv
import io

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.registry import read_file
from question_bank.model import Kind

FOUR = ["甲机关", "乙机关", "丙机关", "丁机关"]
HEAD = ["题型", "题干", "选项A", "选项B", "选项C", "选项D", "答案"]


def table(*rows):
    target = io.StringIO()
    csv.writer(target).writerows(rows)
    return read_file(target.getvalue().encode("utf-8-sig"), "题.csv")


def only(reading):
    (item,) = reading.imported
    assert reading.found == 1
    return item.question


@pytest.mark.parametrize(
    "names",
    ["答案{}", "{}.", "选择{}", "选项{}内容", "选项({})", "选项【{}】", "试题选项{}", "候选答案{}"],
)
def test_option_columns_are_known_by_many_names(names):
    question = only(
        table(["题型", "题干", *(names.format(one) for one in "ABCD"), "正确答案"], ["单选题", "谁？", *FOUR, "C"])
    )
    assert (list(question.options), question.key) == (FOUR, ("C",))


def test_ordinal_option_columns_are_known():
    question = only(table(["题型", "题干", "第一选项", "第二选项", "答案"], ["单选题", "谁？", "甲", "乙", "B"]))
    assert question.options == ("甲", "乙")


@pytest.mark.parametrize("name", ["试题题目", "考题内容", "题干/问题", "题目文本", "试题正文"])
def test_stem_columns_are_known_by_many_names(name):
    assert only(table(["题型", name, *HEAD[2:]], ["单选题", "谁？", *FOUR, "C"])).stem == "谁？"


@pytest.mark.parametrize("name", ["答案选项", "答案\n多个答案用|分隔", "标准答案/参考答案"])
def test_answer_columns_are_known_by_many_names(name):
    assert only(table([*HEAD[:-1], name], ["单选题", "谁？", *FOUR, "C"])).key == ("C",)


def test_list_of_members_is_no_question_table():
    with pytest.raises(UnreadableFileError):
        read_file("名称,类型,描述\n甲,乙,丙\n".encode(), "名单.csv", "csv")


@pytest.mark.parametrize("answer", ["C.丙机关", "C、丙机关", "C 丙机关", "C选项", "optionC", "3.0", "丙机关"])
def test_single_answer_in_another_dress_is_the_same_key(answer):
    assert only(table(HEAD, ["单选题", "谁？", *FOUR, answer])).key == ("C",)


@pytest.mark.parametrize(
    "answer",
    ["A。C", "A：C", "A@C", "A$$C", "A.甲机关;C.丙机关", "选项A、选项C", "<A><C>", "A以及C", "A*C", '["A","C"]'],
)
def test_several_answers_in_another_dress_are_the_same_key(answer):
    assert only(table(HEAD, ["多选题", "谁？", *FOUR, answer])).key == ("A", "C")


@pytest.mark.parametrize("answer", ["C.乙机关", "1-4"])
def test_answer_with_two_readings_goes_to_the_review_list(answer):
    (item,) = table(HEAD, ["多选题", "谁？", *FOUR, answer]).needing_review
    assert item.question.key == () and item.note.code == "key_unreadable"


@pytest.mark.parametrize(("answer", "key"), [("A.正确", "A"), ("B、错误", "B"), ("说法正确", "A"), ("叉", "B")])
def test_truth_with_its_letter_or_in_other_words_is_read(answer, key):
    assert only(table(HEAD, ["判断题", "是？", "", "", "", "", answer])).key == (key,)


def test_truth_whose_letter_and_word_disagree_goes_to_the_review_list():
    assert len(table(HEAD, ["判断题", "是？", "正确", "错误", "", "", "A.错误"]).needing_review) == 1


@pytest.mark.parametrize("divider", ["|", "$;$", "#", "###", "&&", "<br>", "||", "、", "，"])
def test_options_of_one_cell_lose_their_divider(divider):
    cell = divider.join(f"{letter}.{text}" for letter, text in zip("ABCD", FOUR, strict=True))
    assert list(only(table(["题型", "题干", "选项", "答案"], ["单选题", "谁？", cell, "C"])).options) == FOUR


@pytest.mark.parametrize("divider", ["$;$", "#", "&&", "<br>"])
def test_options_of_one_cell_without_letters_are_divided(divider):
    assert (
        list(only(table(["题型", "题干", "选项", "答案"], ["单选题", "谁？", divider.join(FOUR), "C"])).options) == FOUR
    )


def test_options_and_key_may_stand_in_the_stems_cell():
    reading = table(["题干", "答案"], ["谁作出？\nA.甲\nB.乙\nC.丙", "B"], ["哪些？A.甲 B.乙 C.丙", "AB"])
    assert [(item.question.stem, item.question.key) for item in reading.imported] == [
        ("谁作出？", ("B",)),
        ("哪些？", ("A", "B")),
    ]
    question = only(table(["题型", "题干", "A", "B"], ["单选题", "由（B）作出。", "甲", "乙"]))
    assert (question.stem, question.key) == ("由（ ）作出。", ("B",))


def test_rows_that_hold_one_more_option_belong_to_the_row_above():
    reading = table(
        ["序号", "题干", "选项", "答案"],
        ["1", "谁？", "A.甲", "B"],
        ["", "", "B.乙", ""],
        ["2", "谁2？", "A.丙", "A"],
        ["", "", "B.丁", ""],
    )
    assert [item.question.options for item in reading.imported] == [("甲", "乙"), ("丙", "丁")]


@pytest.mark.parametrize(
    "answer",
    [
        '["甲","乙"]',
        "(1)甲(2)乙",
        "①甲②乙",
        "1.甲 2.乙",
        "甲&&乙",
        "甲$乙",
        "【甲】【乙】",
        "{甲}{乙}",
        "第一空：甲；第二空：乙",
        "空1：甲；空2：乙",
    ],
)
def test_answers_of_blanks_are_told_apart(answer):
    assert only(table(HEAD, ["填空题", "由____和____组成", "", "", "", "", answer])).blanks == (("甲",), ("乙",))


def test_blanks_answered_in_the_option_columns_are_kept():
    assert only(table(HEAD, ["填空题", "由____和____组成", "甲", "乙", "", "", ""])).blanks == (("甲",), ("乙",))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("一、单选题", Kind.SINGLE_CHOICE),
        ("1.单选题", Kind.SINGLE_CHOICE),
        ("单选题(A1)", Kind.SINGLE_CHOICE),
        ("Single Choice", Kind.SINGLE_CHOICE),
        ("多选题-法律", Kind.MULTIPLE_CHOICE),
    ],
)
def test_names_of_kinds_with_numbers_and_remarks_are_known(name, kind):
    item = table(HEAD, [name, "谁？", *FOUR, "A"]).imported[0]
    assert (item.question.kind, item.dropped) == (kind, ())


def test_row_of_totals_is_no_question():
    reading = table(HEAD, ["单选题", "谁？", *FOUR, "A"], ["合计", "3", "", "", "", "", ""])
    assert reading.found == 1 and [note.code for note in reading.remarks] == ["not_a_question"]
