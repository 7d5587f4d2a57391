"""Workbooks as people leave them: formatted numbers, parts with heads of their own, columns twice."""

import io
import json
from typing import Any

import openpyxl
import pytest

from examapp.documents.number_formats import shown
from question_bank.formats.registry import read_file
from question_bank.model import Kind

FOUR = ["甲", "乙", "丙", "丁"]
HEAD = ["题型", "题干", "选项A", "选项B", "选项C", "选项D", "答案"]


def read_book(rows, *, title="题", formats=(), joined=()):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for cell, code in formats:
        sheet[cell].number_format = code
    for area in joined:
        sheet.merge_cells(area)
    target = io.BytesIO()
    book.save(target)
    return read_file(target.getvalue(), "题库.xlsx")


def test_numbers_are_read_as_their_cells_show_them():
    formats = [("C2", "0%"), ("D2", '0"日"'), ("E2", "#,##0"), ("F2", "0.00")]
    reading = read_book([HEAD, ["单选题", "多少？", 0.1, 5, 50000, 2.5, "A"]], formats=formats)
    assert reading.imported[0].question.options == ("10%", "5日", "50,000", "2.50")
    assert reading.imported[0].dropped == ()


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.125, "0%", "12.5%"),
        (3, "00000", "00003"),
        (-5, "0;[Red](0)", "(5)"),
        (5, "[$¥-804]#,##0.00", "¥5.00"),
        (3, "第0条", "第3条"),
        (2.5, "0_ ", "2.5"),
    ],
)
def test_no_digit_of_a_number_is_rounded_away(value, code, text):
    assert (shown(value, code).text, shown(value, code).is_sure) == (text, True)


def test_number_in_a_format_beyond_us_is_named_with_its_cell():
    reading = read_book([HEAD, ["单选题", "多少？", 0.5, 5, 6, 7, "A"]], formats=[("C2", "# ?/?")])
    (note,) = reading.imported[0].dropped
    assert (note.code, note.where) == ("number_cell", "工作表“题” 第 2 行“选项A”列")


def test_part_of_a_sheet_may_have_a_head_of_its_own():
    reading = read_book(
        [
            ["一、单选题"],
            ["序号", "题干", "选项", None, None, "答案"],
            [None, None, "A", "B", "C", None],
            [1, "选哪个？", "甲", "乙", "丙", "B"],
            ["二、判断题"],
            ["序号", "题干", "答案", "解析"],
            [1, "应当公开。", "错", "见条文"],
        ],
        joined=["C2:E2"],
    )
    one, two = (item.question for item in reading.imported)
    assert (one.options, one.key) == (("甲", "乙", "丙"), ("B",))
    assert (two.kind, two.key, two.explanation) == (Kind.TRUE_FALSE, ("B",), "见条文")
    assert reading.found == 2


def test_two_answer_columns_that_disagree_are_doubted():
    head = [*HEAD, "参考答案"]
    reading = read_book([head, ["单选题", "谁？", *FOUR, "A", "B"], ["单选题", "何时？", *FOUR, "A", "甲"]])
    assert [item.question.stem for item in reading.imported] == ["何时？"]
    assert reading.needing_review[0].note.code == "two_keys"


def test_option_column_that_comes_twice_with_other_words_is_doubted():
    reading = read_book(
        [["题型", "题干", "选项A", "选项A", "选项B", "答案"], ["单选题", "谁？", "甲", "乙", "丙", "A"]]
    )
    assert reading.needing_review[0].note.code == "repeated_option"


@pytest.mark.parametrize("cell", ["A甲 B乙 C丙 D丁", "a.甲 b.乙 c.丙 d.丁", "1.甲 2.乙 3.丙 4.丁", "①甲②乙③丙④丁"])
def test_options_in_one_cell_are_counted_in_many_ways(cell):
    reading = read_book([["题型", "题干", "选项", "答案"], ["单选题", "谁？", cell, "B"]])
    assert list(reading.imported[0].question.options) == FOUR


def test_decimals_in_one_cell_are_not_counted_options():
    reading = read_book([["题型", "题干", "选项", "答案"], ["单选题", "几倍？", "1.5|2.5|3.5", "B"]])
    assert reading.imported[0].question.options == ("1.5", "2.5", "3.5")


def test_sheet_named_after_a_kind_needs_no_more_than_stems():
    reading = read_book([["题目"], ["应当公开。（√）"], ["可以拒绝。（×）"], ["没有答案"]], title="判断题")
    assert [item.question.key for item in reading.imported] == [("A",), ("B",)]
    assert [item.note.code for item in reading.needing_review] == ["no_key"]


def test_answer_may_be_a_json_list_of_options_words():
    reading = read_book([HEAD, ["多选题", "谁？", *FOUR, '["甲", "丙"]']])
    assert reading.imported[0].question.key == ("A", "C")


def test_points_of_nothing_are_named_and_not_kept():
    reading = read_book([[*HEAD, "得分"], ["单选题", "谁？", *FOUR, "A", 0]])
    assert reading.imported[0].question.points is None
    assert reading.imported[0].dropped[0].code == "points_unknown"


def read_json(*questions):
    return read_file(json.dumps({"questions": questions}, ensure_ascii=False).encode(), "题.json")


def test_options_of_json_may_have_names_of_their_own():
    reading = read_json({"question": "谁？", "optionA": "甲", "optionB": "乙", "optionC": "", "answer": "B"})
    assert (reading.imported[0].question.options, reading.imported[0].question.key) == (("甲", "乙"), ("B",))


def test_words_of_a_json_answer_are_held_against_its_letters():
    choice = {"type": "single", "question": "谁？", "options": ["甲", "乙"], "answerKeys": ["A"]}
    reading = read_json(choice | {"answerText": ["乙"]}, choice | {"answerText": ["甲"]})
    assert ([item.note.code for item in reading.needing_review], len(reading.imported)) == (["two_keys"], 1)
    assert read_json({"type": "blank", "question": "是____", "answerText": ["甲"]}).imported[0].question.blanks == (
        ("甲",),
    )


def test_letter_without_options_is_never_a_model_answer():
    reading = read_json({"question": "谁？", "answer": "A"}, {"question": "什么缩写？", "answer": "AI"})
    assert [item.note.code for item in reading.needing_review] == ["options_missing"]
    assert reading.imported[0].question.key == ("AI",)


def test_row_that_a_stray_comma_made_longer_is_doubted():
    rows = "题型,题干,选项A,选项B,答案\n单选,甲，请选,a,b,A\n单选,一,二,三,四,A\n单选,丙,a,b,B\n"
    reading = read_file(rows.encode(), "题.csv")
    assert [item.note.code for item in reading.needing_review] == ["row_too_long"]
    every = "题型,题干,选项A,选项B,答案\n单选,甲,a,b,A,注\n单选,乙,a,b,A,注\n"
    assert len(read_file(every.encode(), "题.csv").imported) == 2


def test_truth_by_number_is_doubted_where_it_may_count_the_listed_options_from_zero():
    rows = [["判断题", "甲", "正确", "错误", None, None, 0], ["判断题", "乙", "正确", "错误", None, None, 1]]
    assert [item.note.code for item in read_book([HEAD, *rows]).needing_review] == ["two_readings"] * 2
    bare = [["判断题", "甲", None, None, None, None, 0], ["判断题", "乙", None, None, None, None, 1]]
    assert [item.question.key for item in read_book([HEAD, *bare]).imported] == [("B",), ("A",)]
    ordinal = [["判断题", "甲", "正确", "错误", None, None, 2], ["判断题", "乙", "正确", "错误", None, None, 1]]
    assert [item.question.key for item in read_book([HEAD, *ordinal]).imported] == [("B",), ("A",)]


def test_kinds_may_be_named_by_one_sign():
    reading = read_book(
        [HEAD, ["单", "甲？", *FOUR, "B"], ["多", "乙？", *FOUR, "BC"], ["判", "丙", *[None] * 4, "错"]]
    )
    kinds = [item.question.kind for item in reading.imported]
    assert kinds == [Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.TRUE_FALSE]


def test_a_twenty_seventh_option_counted_from_zero_has_no_letter_and_is_named():
    heads = ",".join(f"选项{number}" for number in range(27))
    rows = f"题型,题干,{heads},答案\n单选,甲？,一,二{',' * 24},多余,1\n单选,乙？,一,二{',' * 25},0\n"
    reading = read_file(rows.encode(), "题.csv")
    everything: list[Any] = [*reading.imported, *reading.needing_review]
    assert [len(item.question.options) for item in everything] == [2, 2]
    assert any("选项26" in note.reason for note in reading.remarks)


def everything_of(reading):
    return [*reading.imported, *reading.needing_review, *reading.rejected]


def test_letters_behind_the_last_option_break_no_reading():
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    lines = "".join(f"{letter}. 第{number}项\n" for number, letter in enumerate(letters))
    aiken = f"甲？\n{lines}A.再一项\nANSWER: B\n"
    assert len(everything_of(read_file(aiken.encode(), "题.txt"))) == 1
    cell = "、".join(f"{letter}、第{number}项" for number, letter in enumerate(letters)) + "、A、再一项"
    rows = f"题型,题干,选项,答案\n单选,甲？,{cell},B\n"
    assert len(everything_of(read_file(rows.encode(), "题.csv"))) == 1
