"""Tables in further layouts of offices and platforms: each was once refused, left without its key, or read without its material or kind."""

import io

import pytest
import xlsxwriter

from question_bank.formats.registry import read_file
from question_bank.model import Kind, UnknownColumnsError

STEMS = (
    "行政法规由哪个机关制定？",
    "地方性法规由哪个机关制定？",
    "部门规章由哪个机关制定？",
    "哪个机关监督法律的实施？",
)
OPTIONS = (
    ("国务院", "县政府", "法院"), ("国务院", "省人大", "法院"), ("国务院部门", "乡政府", "检察院"), ("村委会", "学校", "人大常委会"),
)  # fmt: skip
KEYS = ("A", "B", "A", "C")
ROWS = [(stem, *options, key) for stem, options, key in zip(STEMS, OPTIONS, KEYS, strict=True)]
EXPECTED = [(stem, options, (key,)) for stem, options, key in zip(STEMS, OPTIONS, KEYS, strict=True)]
PLACES = {"A": (1, 0, 0), "B": (0, 1, 0), "C": (0, 0, 1)}


def book(*sheets):
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as written:
        for name, rows in sheets:
            sheet = written.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return target.getvalue()


def read(rows, *more):
    reading = read_file(book(("题", rows), *more), "题.xlsx")
    assert not reading.needing_review and not reading.rejected, (reading.needing_review, reading.rejected)
    assert not reading.differs_from_census, (reading.census, reading.found)
    return reading


def questions(reading):
    return [(one.question.stem, one.question.options, one.question.key) for one in reading.imported]


@pytest.mark.parametrize("empty", [[], [[" "]], [[], [], [""]]])
def test_empty_sheet_beside_the_questions_changes_nothing(empty):
    head = ("题目", "A", "B", "C", "答案")
    assert questions(read([head, *ROWS], ("Sheet2", empty), ("Sheet3", []))) == EXPECTED


@pytest.mark.parametrize(
    "head",
    [
        ("大题题干", "A", "B", "C", "正确答案"),
        ("试题主干", "选项1", "选项2", "选项3", "正确选项序号"),
        ("判断内容", "A", "B", "C", "修改后答案"),
        ("题干 Question", "选项A Option A", "选项B Option B", "选项C Option C", "答案 Answer"),
        ("content", "option_a", "option_b", "option_c", "right_answer"),
        ("题目", "①", "②", "③", "标准答案编号"),
        ("题目", "甲", "乙", "丙", "答案"),
    ],
)
def test_heads_are_known_by_how_they_are_built(head):
    keys = {"A": 1, "B": 2, "C": 3} if "号" in head[-1] else {}
    rows = [(*row[:-1], keys.get(row[-1], row[-1])) for row in ROWS]
    assert questions(read([head, *rows])) == EXPECTED


@pytest.mark.parametrize("head", ["答案数量", "选项序号", "评分依据", "选项数"])
def test_heads_that_only_resemble_an_answer_are_none(head):
    with pytest.raises(UnknownColumnsError):
        read_file(book(("题", [("内容", head), ("甲", "一"), ("乙", "二")])), "题.xlsx")


@pytest.mark.parametrize("names", ["答案{}", "{}正确", "正确{}", "{}是否正确"])
@pytest.mark.parametrize("signs", [(0, 1), ("", "√"), ("否", "是")])
def test_marks_in_columns_of_their_own_are_the_key(names, signs):
    head = ("题目", "A", "B", "C", *(names.format(letter) for letter in "ABC"))
    rows = [(*row[:-1], *(signs[place] for place in PLACES[row[-1]])) for row in ROWS]
    assert questions(read([head, *rows])) == EXPECTED


def test_stems_of_sub_questions_share_the_one_above():
    head = ("大题题干", "小题题型", "小题题干", "A", "B", "C", "答案")
    material = "张某与李某相邻而居，张某建房时占用了李某门前的通道。"
    rows = [
        (STEMS[0], "", "", *OPTIONS[0], "A"), (material, "单选题", STEMS[1], *OPTIONS[1], "B"), ("", "单选题", STEMS[2], *OPTIONS[2], "A"),
        (STEMS[3], "", "", *OPTIONS[3], "C"),
    ]  # fmt: skip
    first, case, last = (one.question for one in read_file(book(("题", [head, *rows])), "题.xlsx").imported)
    assert (first.stem, last.stem, case.stem) == (STEMS[0], STEMS[3], material)
    assert [(part.stem, part.options, part.key) for part in case.parts] == EXPECTED[1:3]


def test_case_in_a_row_of_its_own_is_the_material_of_the_questions_below_and_says_so():
    head = ("序号", "题目", "A", "B", "C", "答案")
    material = "2024年3月，某县市场监督管理局接到举报，称王某经营的小吃店使用过期食品原料。"
    rows = [
        (f"案例一：{material}",),
        *((number, *row) for number, row in enumerate(ROWS[:2], 1)),
        ("二、单选题",),
        (1, *ROWS[2]),
    ]
    case, single = read_file(book(("题", [head, *rows])), "题.xlsx").imported
    assert (case.question.kind, case.question.stem) == (Kind.CASE, material)
    assert [(part.stem, part.options, part.key) for part in case.question.parts] == EXPECTED[:2]
    assert [note.code for note in case.dropped] == ["material_shared"] * 2
    assert single.question.stem == STEMS[2] and not single.dropped


@pytest.mark.parametrize("label", ["【单选题】{}", "1、[单选题]{}", "{}（单选题）"])
def test_kind_that_stands_beside_a_stem_is_taken_out_of_it(label):
    reading = read([("题目", "A", "B", "C", "答案"), (label.format(STEMS[0]), *OPTIONS[0], "A")])
    assert questions(reading) == EXPECTED[:1] and reading.imported[0].question.kind is Kind.SINGLE_CHOICE


def test_kind_in_the_stem_that_its_column_contradicts_stays():
    reading = read([("题型", "题目", "A", "B", "C", "答案"), ("多选题", f"【单选题】{STEMS[0]}", *OPTIONS[0], "AB")])
    assert reading.imported[0].question.stem == f"【单选题】{STEMS[0]}"


@pytest.mark.parametrize("before", [[], [("某县学法题库",)]])
@pytest.mark.parametrize("number", [True, False])
def test_table_without_a_head_is_read_where_its_cells_are_unambiguous(before, number):
    rows = [(place, *row) if number else row for place, row in enumerate(ROWS, 1)]
    reading = read([*before, *rows])
    assert questions(reading) == EXPECTED and [note.code for note in reading.remarks] == ["columns_guessed"]
    fields = [code for code in reading.tables[0].fields if code]
    assert fields == [*(["code:0"] if number else []), "stem:0", "option:0", "option:1", "option:2", "answer:0"]


@pytest.mark.parametrize(
    "rows",
    [
        ROWS[:3],
        [*ROWS[:3], (*ROWS[3][:-1], "D")],
        [*ROWS[:3], (*ROWS[3][:-1], "不详")],
        [(*row, row[-1]) for row in ROWS],
    ],
    ids=["too few", "key beyond the options", "no key", "two columns of keys"],
)
def test_table_without_a_head_is_asked_about_where_its_cells_are_ambiguous(rows):
    with pytest.raises(UnknownColumnsError):
        read_file(book(("题", rows)), "题.xlsx")


def test_questions_side_by_side_are_read_all():
    head = ("题目", "A", "B", "C", "答案")
    assert questions(read([head * 2, ROWS[0] + ROWS[2], ROWS[1] + ROWS[3]])) == EXPECTED
    assert questions(read([head * 2, ROWS[0] + ROWS[2], ROWS[1]])) == EXPECTED[:3]


def test_questions_down_the_sheet_are_read_with_their_places():
    rows = []
    for stem, *options, key in ROWS:
        names = ("题干", "选项A", "选项B", "选项C", "答案")
        rows += [*zip(names, (stem, *options, key), strict=True), ()]
    reading = read(rows)
    assert questions(reading) == EXPECTED
    assert [one.where for one in reading.imported] == [f"工作表“题” 第 {row} 行" for row in (1, 7, 13, 19)]


def test_multiple_choice_in_english_is_open_unless_a_single_choice_stands_beside():
    head = ("Type", "Question", "A", "B", "C", "Answer")
    rows = [("Multiple Choice", *ROWS[0]), ("Multiple Choice", STEMS[1], *OPTIONS[1], "AB")]
    assert [one.question.kind for one in read([head, *rows]).imported] == [Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE]
    stated = read([head, ("Single Choice", *ROWS[2]), ("Multiple Choice", *ROWS[0])])
    assert [one.question.kind for one in stated.imported] == [Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE]


@pytest.mark.parametrize("number", ["第{}题：", "（{}）", "({}) ", "{} ", "{}、", "[{}] "])
def test_numbers_before_the_stems_of_all_rows_are_dropped(number):
    rows = [(number.format(place) + row[0], *row[1:]) for place, row in enumerate(ROWS, 1)]
    assert questions(read([("题目", "A", "B", "C", "答案"), *rows])) == EXPECTED


def test_number_before_a_stem_stays_where_the_rows_do_not_count():
    rows = [(f"{number}个工作日内由哪个机关答复？", *ROWS[0][1:]) for number in (7, 15, 30)]
    assert [stem[:1] for stem, _, _ in questions(read([("题目", "A", "B", "C", "答案"), *rows]))] == ["7", "1", "3"]


def test_right_answer_beside_wrong_ones_alone_is_the_first_option():
    rows = [
        (stem, options[place], *(one for one in options if one != options[place]))
        for (stem, options, key), place in zip(EXPECTED, (0, 1, 0, 2), strict=True)
    ]
    found = questions(read([("题干", "正确答案", "干扰项1", "干扰项2"), *rows]))
    assert found == [(stem, texts, ("A",)) for stem, *texts_ in rows for texts in [tuple(texts_)]]


def test_head_below_long_instructions_is_found():
    instructions = [(f"{number}. 请按要求填写，不要改动表头。",) for number in range(1, 15)]
    assert questions(read([*instructions, ("题目", "A", "B", "C", "答案"), *ROWS])) == EXPECTED


@pytest.mark.parametrize(
    ("head", "cells"),
    [("状态", ("启用", "停用")), ("del_flag", (0, 1)), ("是否启用", ("是", "否")), ("是否删除", ("否", "是"))],
)
def test_question_that_its_system_no_longer_uses_says_so(head, cells):
    rows = [(*row, cells[place]) for place, row in enumerate(ROWS[:2])]
    reading = read([("题目", "A", "B", "C", "答案", head), *rows])
    assert [[note.code for note in one.dropped] for one in reading.imported] == [[], ["withdrawn"]]


def test_stem_that_goes_on_in_the_next_row_is_one_question_on_review():
    head = ("序号", "题目", "A", "B", "C", "答案")
    rows = [(1, "行政法规由哪个", *OPTIONS[0], "A"), ("", "机关制定？"), (2, *ROWS[1])]
    reading = read_file(book(("题", [head, *rows])), "题.xlsx")
    assert [(one.note.code, one.question.stem) for one in reading.needing_review] == [("stem_in_rows", STEMS[0])]
    assert questions(reading) == EXPECTED[1:2] and reading.found == 2


@pytest.mark.parametrize("heading", ["第二章 行政许可", "二、行政处罚法", "（一）总则", "《行政复议法》"])
def test_heading_in_the_column_of_stems_is_no_question_and_goes_on_with_none(heading):
    head = ("序号", "题目", "A", "B", "C", "答案")
    rows = [(1, STEMS[0].rstrip("？"), *OPTIONS[0], "A"), ("", heading), (2, *ROWS[1])]
    reading = read_file(book(("题", [head, *rows])), "题.xlsx")
    assert len(reading.imported) == reading.found == 2
    assert [note.code for note in reading.remarks] == ["not_a_question"]


@pytest.mark.parametrize("head", ["是否正确", "判断结果", "对错"])
def test_lone_column_of_truths_is_the_answer_unless_it_judges_what_somebody_answered(head):
    rows = [(STEMS[0], "是"), (STEMS[1], "否")]
    reading = read([("题目", head), *rows])
    assert [(one.question.kind, one.question.key) for one in reading.imported] == [
        (Kind.TRUE_FALSE, ("A",)),
        (Kind.TRUE_FALSE, ("B",)),
    ]
    given = read_file(
        book(("题", [("题目", "考生答案", head), *((stem, "对", mark) for stem, mark in rows)])), "题.xlsx"
    )
    assert not given.imported and not [one for one in given.needing_review if one.question.key]


def test_column_of_results_beside_the_answers_is_no_second_answer():
    rows = [(*row, "A", "错") for row in ROWS]
    assert questions(read([("题目", "A", "B", "C", "正确答案", "我的答案", "对错"), *rows])) == EXPECTED


def test_longer_of_two_columns_of_stems_is_read():
    rows = [(f"题{place}", *row) for place, row in enumerate(ROWS)]
    reading = read([("title", "content", "A", "B", "C", "answer"), *rows])
    assert questions(reading) == EXPECTED and [note.code for note in reading.remarks] == ["column_not_kept"]


def csv_of(rows):
    return "\n".join(",".join(map(str, row)) for row in rows).encode()


def test_csv_without_a_head_or_with_two_rows_of_heads_is_read():
    assert questions(read_file(csv_of(ROWS), "题.csv")) == EXPECTED
    two = read_file(
        csv_of(
            [
                ("题号", "题目", "选项", "", "", "答案"),
                ("", "", "1", "2", "3", ""),
                *((at, *row) for at, row in enumerate(ROWS, 1)),
            ]
        ),
        "题.csv",
    )
    assert questions(two) == EXPECTED and two.found == two.census == len(ROWS)
    ticks = read_file(csv_of([("题目", "正确", "错误"), (STEMS[0], "√", ""), (STEMS[1], "", "√")]), "题.csv")
    assert [one.question.key for one in ticks.imported] == [("A",), ("B",)]


def test_error_of_a_spreadsheet_in_place_of_a_text_needs_a_review():
    rows = [("题目", "A", "B", "C", "答案"), (STEMS[0], "国务院", "#N/A", "法院", "A"), *ROWS[1:]]
    reading = read_file(csv_of(rows), "题.csv")
    assert [one.note.code for one in reading.needing_review] == ["error_cell"] and questions(reading) == EXPECTED[1:]


@pytest.mark.parametrize("span", ["rowspan=4", "rowspan='4' colspan='1'"])
def test_census_counts_rows_of_merged_cells_in_their_columns(span):
    cells = [f"<td>{'</td><td>'.join(row)}</td>" for row in ROWS]
    rows = [f"<td {span}>单选题</td>{cells[0]}", *cells[1:]]
    heads = "".join(f"<th>{name}</th>" for name in ("题型", "题目", "A", "B", "C", "答案"))
    page = f"<html><body><table><tr>{heads}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table></body></html>"
    reading = read_file(page.encode(), "题.xls")
    assert questions(reading) == EXPECTED and reading.census == len(ROWS)


def test_rows_that_repeat_a_question_for_each_lettered_option_are_one_question():
    rows = [
        (at, stem, f"{letter}. {text}", key[0])
        for at, (stem, options, key) in enumerate(EXPECTED, 1)
        for letter, text in zip("ABC", options, strict=True)
    ]
    assert questions(read([("题号", "题干", "选项", "答案"), *rows])) == EXPECTED
