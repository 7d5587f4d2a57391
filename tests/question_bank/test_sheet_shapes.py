"""Workbooks that hold options in rows below their stem, or lines of text and no table."""

import random

import pytest

from question_bank.formats.registry import read_file
from tests.question_bank import shapes
from tests.question_bank.books import book
from tests.question_bank.judging import judge
from tests.question_bank.shapes import LETTERS, Written


def below(bank, *, beside):
    """Rows with the options of each question below it: `A. 甲`, or the letter and its text in two cells."""
    rows = [["题目内容", "", "答案"] if beside else ["题目内容", "答案"]]
    for number, one in enumerate(bank, 1):
        rows.append([str(number), one.stem, one.key] if beside else [f"{number}. {one.stem}", one.key])
        rows += [
            [letter, text] if beside else [f"{letter}. {text}"]
            for letter, text in zip(LETTERS, one.options, strict=False)
        ]
    return rows


def lines(bank, *, beside):
    """Rows of one cell, or of a number or letter and its text."""
    rows = []
    for number, one in enumerate(bank, 1):
        marked = [(str(number), one.stem), *zip(LETTERS, one.options, strict=False)]
        rows += [list(pair) if beside else [f"{pair[0]}. {pair[1]}"] for pair in marked]
        rows += [[f"答案：{one.key}"], []]
    return rows


@pytest.mark.parametrize("shape", [below, lines])
@pytest.mark.parametrize("beside", [False, True])
def test_question_whose_options_stand_in_rows_of_their_own_is_right(shape, beside):
    verdicts = []
    for seed in range(12):
        bank = shapes.draw(random.Random(seed), of=("single", "multiple"))
        verdicts.append(judge(bank, Written("题.xlsx", book(("题", shape(bank, beside=beside)))), f"{seed}"))
    assert [one for verdict in verdicts for one in verdict.wrong] == []
    assert all(verdict.is_whole for verdict in verdicts)


def test_cells_beside_options_that_are_no_ticks_are_not_dropped():
    rows = [
        ["题目", "答案"],
        ["1. 谁决定？", ""],
        ["A. 县政府", "√"],
        ["B. 乡政府", ""],
        ["2. 谁复核？", ""],
        ["A. 甲", ""],
        ["B. 乙", "√"],
    ]
    ticked = read_file(book(("题", rows)), "题.xlsx")
    assert [(one.question.stem, one.question.key) for one in ticked.imported] == [
        ("谁决定？", ("A",)),
        ("谁复核？", ("B",)),
    ]
    rows[2][1] = "见第八条"
    assert not read_file(book(("题", rows)), "题.xlsx").imported


def test_places_in_a_sheet_of_lines_are_its_rows():
    reading = read_file(book(("题", [["单选题"], [], ["1. 谁？"], ["A. 甲"], ["B. 乙"], ["答案：B"]])), "题.xlsx")
    assert [(one.where, one.question.key) for one in reading.imported] == [("工作表“题” 第 3 行", ("B",))]
    assert reading.census == 1
