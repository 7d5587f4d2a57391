"""What a person says about the columns of a table is how they are read, for this file and for the next with the same heads."""

import io

import pytest
import xlsxwriter

from question_bank.formats.registry import read_file
from question_bank.model import ColumnNames, UnknownColumnsError

ROWS = [
    ["单位考试用表"],
    ["测试语", "甲项", "乙项", "标答是", "说理"],
    ["谁批准？", "县政府", "县公安局", "B", "因为"],
    ["谁复议？", "丙", "丁", "A", "所以"],
]
CODES = ["stem:0", "option:0", "option:1", "answer:0", "explanation:0"]
BY_HEAD = dict(zip(ROWS[1], CODES, strict=True))
BY_PLACE = {f"#{index}": code for index, code in enumerate(CODES)}
EXPECTED = [("谁批准？", ("县政府", "县公安局"), ("B",), "因为"), ("谁复议？", ("丙", "丁"), ("A",), "所以")]


def book(rows):
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as written:
        sheet = written.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return target.getvalue(), "表.xlsx"


def text(rows):
    return "\n".join("\t".join(row) for row in rows).encode(), "表.txt"


def read(file, said=None, remembered=None):
    reading = read_file(*file, columns=ColumnNames(said or {}, remembered or {}))
    assert not reading.needing_review and not reading.rejected
    questions = [item.question for item in reading.imported]
    assert [(one.stem, one.options, one.key, one.explanation) for one in questions] == EXPECTED
    return reading


@pytest.mark.parametrize("make", [book, text])
def test_table_with_unknown_heads_asks_what_its_columns_hold(make):
    with pytest.raises(UnknownColumnsError) as raised:
        read_file(*make(ROWS))
    table = raised.value.tables[0]
    assert (table.heads, table.is_known, table.samples[0][0]) == (tuple(ROWS[1]), False, "谁批准？")
    reading = read(make(ROWS), BY_HEAD)
    assert reading.tables[0].fields == tuple(CODES) and not reading.remarks
    assert read(make(ROWS[2:]), BY_PLACE).imported[0].where.endswith("第 1 行")


@pytest.mark.parametrize("make", [book, text])
def test_remembered_heads_are_said_and_never_override_known_ones(make):
    reading = read(make(ROWS), remembered=BY_HEAD)
    assert [note.code for note in reading.remarks] == ["column_remembered"] * 5
    known = [["题干", "选项A", "选项B", "答案", "解析"], *ROWS[2:]]
    wrong = {"答案": "explanation:0", "解析": "answer:0"}
    assert not read(make(known), remembered=wrong).remarks


def test_what_is_said_about_this_file_overrides_known_heads():
    known = [["题干", "答案", "备注", "解析", "标签"], *ROWS[2:]]
    said = dict(zip(known[0], CODES, strict=True))
    read(book(known), said)


def test_what_the_preview_shows_reads_the_same_when_it_is_sent_back():
    heads = (["题干", "选项", "", "答案", "解析"], ["题目", "选项A", "选项B", "正确答案", "解析"])
    for head in heads:
        table = read(book([head, *ROWS[2:]])).tables[0]
        read(book([head, *ROWS[2:]]), dict(zip(table.keys, table.fields, strict=True)))


def test_prose_with_commas_is_no_table():
    with pytest.raises(Exception, match="没有认出题目"):
        read_file("今天，天气，很好。\n我们，去，公园。\n".encode(), "话.txt")


TICKED = [
    [["题目", "选项1", "是否正确", "选项2", "是否正确", "选项3", "是否正确"], ["谁？", "甲", "", "乙", "√", "丙", ""], ["哪些？", "甲", "是", "乙", "否", "丙", "是"]],
    [["题目", "选项", "是否正确"], ["谁？", "甲", ""], ["", "乙", "√"], ["", "丙", ""], ["哪些？", "甲", "√"], ["", "乙", ""], ["", "丙", "√"]],
    [["题目", "选项", "是否正确"], ["谁？", "甲", "错误"], ["", "乙", "正确"], ["", "丙", "错误"], ["哪些？", "甲", "1"], ["", "乙", "0"], ["", "丙", "1"]],
]  # fmt: skip


@pytest.mark.parametrize("rows", TICKED)
def test_options_ticked_in_a_column_or_a_row_of_their_own_are_the_key(rows):
    reading = read_file(*book(rows))
    assert not reading.needing_review and not reading.rejected, (reading.needing_review, reading.rejected)
    questions = [(one.question.stem, one.question.options, one.question.key) for one in reading.imported]
    assert questions == [("谁？", ("甲", "乙", "丙"), ("B",)), ("哪些？", ("甲", "乙", "丙"), ("A", "C"))]


def test_tick_that_is_none_or_belongs_nowhere_needs_a_review_and_is_never_a_key():
    strange = [["题目", "选项", "是否正确"], ["谁？", "甲", "也许"], ["", "乙", "√"]]
    same = [["题目", "选项", "是否正确"], ["谁？", "甲", ""], ["", "甲", "√"], ["", "乙", ""]]
    none = [["题目", "选项1", "是否正确", "选项2", "是否正确"], ["谁？", "甲", "", "乙", ""]]
    for rows in (strange, same, none):
        reading = read_file(*book(rows))
        assert not reading.imported and len(reading.needing_review) == 1, rows


@pytest.mark.parametrize("make", [book, text])
def test_columns_that_are_asked_about_come_with_proposals(make):
    body = [
        (f"第{number}件事由哪个机关批准？", "县政府", "县公安局", key, "因为") for number, key in enumerate("ABAB", 1)
    ]
    with pytest.raises(UnknownColumnsError) as raised:
        read_file(*make([*ROWS[:2], *map(list, body)]))
    assert raised.value.tables[0].fields == ("stem:0", "option:0", "option:1", "answer:0", "")
    with pytest.raises(UnknownColumnsError) as raised:
        read_file(*make([["测试语", "甲项", "乙项", "答案", "解析"], *ROWS[2:]]))
    assert raised.value.tables[0].fields == ("", "", "", "answer:0", "explanation:0")
