import datetime as dt
import io
import os
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter

from examapp.documents.archives import UnreadableFileError
from question_bank.formats import excel
from question_bank.model import Difficulty, Kind
from tests.question_bank.books import book


def read(*sheets, **more):
    return excel.read(book(*sheets, **more), name="题库.xlsx")


def keys(reading):
    return [(one.question.kind, one.question.key or one.question.blanks) for one in reading.imported]


def fixture(path):
    root = os.environ.get("EXAMAPP_FIXTURES")
    if not root:
        pytest.skip("EXAMAPP_FIXTURES is not set: the real files are not at hand")
    return (Path(root) / path).read_bytes()


def test_titles_above_a_late_head_with_remarks_in_it_are_passed_over():
    head = [
        "题型 （必填）",
        "题干（必填）",
        "选项 A",
        "选项 B",
        "选项C\n(勿删)",
        "选项D\n(勿删)",
        "正确答案\n（必填）",
        "解析\n（勿删）",
        "难度",
    ]
    rows = [
        ["某县普法题库"],
        [],
        ["填写说明：红色必填"],
        [],
        [],
        [],
        [],
        [],
        head,
        ["单选题", "甲", "一", "二", "三", "四", "C", "因为", "易"],
        ["多选题", "乙", "一", "二", "三", "", "A、C", "", "难"],
    ]
    reading = read(("题库", rows))
    assert keys(reading) == [(Kind.SINGLE_CHOICE, ("C",)), (Kind.MULTIPLE_CHOICE, ("A", "C"))]
    assert [one.question.difficulty for one in reading.imported] == [Difficulty.EASY, Difficulty.HARD]
    assert reading.imported[0].where == "工作表“题库” 第 10 行"
    assert reading.found == 2


def test_a_head_below_the_twentieth_row_is_no_table():
    rows = [["x"]] * 20 + [["题型", "题干", "答案"], ["判断题", "甲", "对"]]
    with pytest.raises(UnreadableFileError, match="表头"):
        read(("题库", rows))


def test_small_option_heads_with_points_and_difficulty():
    rows = [
        ["序号", "题型", "题干", "选项a", "选项b", "选项c", "选项d", "选项e", "选项f", "答案", "解析", "分数", "难度"],
        [1, "单选", "甲", 10, 20, 30, 40, "", "", "B", "", 2.5, "中"],
        [2, "判断", "乙", "", "", "", "", "", "", "×", "", "1分", "易"],
    ]
    reading = read(("Sheet1", rows))
    assert keys(reading) == [(Kind.SINGLE_CHOICE, ("B",)), (Kind.TRUE_FALSE, ("B",))]
    assert reading.imported[0].question.options == ("10", "20", "30", "40")
    assert [one.question.points for one in reading.imported] == [Decimal("2.5"), Decimal(1)]


def test_codes_of_kinds_are_read_from_the_head():
    rows = [
        [
            "题目类型(1单选2多选3判断4简答)",
            "题目",
            "答案",
            "选项A",
            "选项B",
            "选项C",
            "选项D",
            "分数",
            "方向",
            "知识点",
            "解析",
        ],
        [1, "甲", "A", "一", "二", "三", "四", 2, "刑法", "总则", "因"],
        [2, "乙", "ABD", "一", "二", "三", "四", 2, "", "", ""],
        [3, "丙", "对", "", "", "", "", 2, "", "", ""],
        [4, "丁", "依法处理", "", "", "", "", 5, "", "", ""],
        [7, "戊", "A", "一", "二", "", "", 1, "", "", ""],
    ]
    reading = read(("Sheet1", rows))
    assert keys(reading) == [
        (Kind.SINGLE_CHOICE, ("A",)),
        (Kind.MULTIPLE_CHOICE, ("A", "B", "D")),
        (Kind.TRUE_FALSE, ("A",)),
        (Kind.SHORT_ANSWER, ("依法处理",)),
        (Kind.SINGLE_CHOICE, ("A",)),
    ]
    assert [note.code for note in reading.imported[4].dropped] == ["kind_unknown"]
    assert reading.imported[0].question.tags == ("刑法",)
    assert reading.imported[0].question.knowledge_points == ("总则",)


def test_codes_in_another_order_are_not_mixed_up():
    rows = [
        ["问题", "题型（0单选，1判断，2多选）", "选项A", "选项B", "选项C", "答案"],
        ["甲", 0, "一", "二", "三", "A"],
        ["乙", 1, "", "", "", "错"],
        ["丙", 2, "一", "二", "三", "A,C"],
    ]
    assert keys(read(("s", rows))) == [
        (Kind.SINGLE_CHOICE, ("A",)),
        (Kind.TRUE_FALSE, ("B",)),
        (Kind.MULTIPLE_CHOICE, ("A", "C")),
    ]


@pytest.mark.parametrize(
    "options",
    [
        '["一","二","三"]',
        '[{"key":"A","text":"一"},{"key":"B","text":"二"},{"key":"C","text":"三"}]',
        '{"A":"一","B":"二","C":"三"}',
        "A.一\nB.二\nC.三",
        "A、一 B、二 C、三",
        "一|二|三",
        "一\n二\n三",
        "一；二；三",
        "A：一B：二C：三",
    ],
)
def test_options_in_one_cell(options):
    rows = [
        ["题型", "题干", "选项(JSON)", "参考答案", "分值", "解析", "排序"],
        ["多选题", "甲", options, '["A","C"]', 2, "", 1],
    ]
    reading = read(("s", rows))
    assert reading.imported[0].question.options == ("一", "二", "三")
    assert keys(reading) == [(Kind.MULTIPLE_CHOICE, ("A", "C"))]


@pytest.mark.parametrize(
    "answer", ["A|C", "A,C", "Ａ、Ｃ", "AC", "a c", "A；C", "1,3", "13", "一|三", '["A","C"]', "A/C", "C,A"]
)
def test_answers_of_a_multiple_choice_in_any_writing(answer):
    rows = [
        ["题型", "题干", "选项A", "选项B", "选项C", "选项D", "答案", "解析", "难度", "标签"],
        ["多选", "甲", "一", "二", "三", "四", answer, "", "", "新法 重点"],
    ]
    reading = read(("s", rows))
    assert keys(reading) == [(Kind.MULTIPLE_CHOICE, ("A", "C"))]
    assert reading.imported[0].question.tags == ("新法", "重点")


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ("对", "A"),
        ("错", "B"),
        ("正确", "A"),
        ("错误", "B"),
        ("是", "A"),
        ("否", "B"),
        ("√", "A"),
        ("×", "B"),
        ("✓", "A"),
        ("✗", "B"),
        ("T", "A"),
        ("F", "B"),
        ("V", "A"),
        ("X", "B"),
        (True, "A"),
        (False, "B"),
        ("A", "A"),
        ("B", "B"),
        ("ｔ", "A"),
        ("（√）", "A"),
    ],
)
def test_truth_in_any_writing(answer, key):
    rows = [["题型", "题干", "选项A", "选项B", "答案"], ["判断题", "甲", "", "", answer]]
    assert keys(read(("s", rows))) == [(Kind.TRUE_FALSE, (key,))]


def test_true_false_swapped_against_its_neighbours_needs_review():
    rows = [
        ["题型", "题干", "选项A", "选项B", "答案"],
        ["判断", "一", "正确", "错误", "A"],
        ["判断", "二", "正确", "错误", "B"],
        ["判断", "三", "错误", "正确", "B"],
        ["判断", "四", "错误", "正确", "正确"],
    ]
    reading = read(("s", rows))
    assert keys(reading) == [(Kind.TRUE_FALSE, ("A",)), (Kind.TRUE_FALSE, ("B",)), (Kind.TRUE_FALSE, ("A",))]
    assert [(one.note.code, one.note.where, one.question.key) for one in reading.needing_review] == [
        ("swapped_true_false", "工作表“s” 第 4 行“答案”列", ())
    ]


def test_a_sheet_that_always_says_wrong_first_is_read_by_its_words():
    rows = [["题型", "题干", "选项A", "选项B", "答案"]] + [["判断", f"题{n}", "错误", "正确", "A"] for n in range(6)]
    assert keys(read(("s", rows))) == [(Kind.TRUE_FALSE, ("B",))] * 6


def test_cases_are_put_together_by_the_number_of_their_parent():
    rows = [
        ["题目标识", "父题标识", "题型", "题干", "选项A", "选项B", "答案", "子题分值", "子题顺序"],
        ["c1", "", "案例题", "某县材料", "", "", "", "", ""],
        ["q9", "", "单选题", "独立", "一", "二", "A", "", ""],
        ["s2", "c1", "判断题", "小题二", "", "", "对", 1, 2],
        ["s1", "c1", "单选题", "小题一", "一", "二", "B", 2, 1],
        ["s3", "c7", "单选题", "无主", "一", "二", "B", 2, 1],
    ]
    reading = read(("s", rows))
    case = reading.imported[0].question
    assert (case.kind, case.stem, [part.stem for part in case.parts], [part.key for part in case.parts]) == (
        Kind.CASE,
        "某县材料",
        ["小题一", "小题二"],
        [("B",), ("A",)],
    )
    assert [note.code for note in reading.rejected] == ["case_missing"]
    assert reading.found == 3


def test_levels_of_knowledge_points_and_guids():
    rows = [
        ["试题GUID", "题型(必填）", "题干", "选项A", "选项B", "答案", *[f"知识点{n}级" for n in "一二三四五六"]],
        ["ab-1", "单选题", "甲", "一", "二", "A", "法律", "宪法", "", "", "", "总纲"],
    ]
    question = read(("s", rows)).imported[0].question
    assert (question.code, question.knowledge_points) == ("ab-1", ("法律", "宪法", "总纲"))


def test_numbered_answer_columns_are_options_keys_or_blanks():
    options = [["题干", "答案1", "答案2", "答案3", "正确答案", "错误原因"], ["甲", "一", "二", "三", "2", "因为"]]
    reading = read(("s", options))
    assert keys(reading) == [(Kind.SINGLE_CHOICE, ("B",))]
    assert (reading.imported[0].question.options, reading.imported[0].question.explanation) == (
        ("一", "二", "三"),
        "因为",
    )
    blanks = [
        ["题型", "题干", "选项A", "选项B", "答案1", "答案2"],
        ["填空题", "甲____乙____", "", "", "一", "二"],
        ["多选题", "丙", "一", "二", "A", "B"],
    ]
    assert keys(read(("s", blanks))) == [(Kind.FILL_BLANK, (("一",), ("二",))), (Kind.MULTIPLE_CHOICE, ("A", "B"))]


def test_one_sheet_a_kind_gives_its_name_to_the_questions():
    head = ["题干", "选项A", "选项B", "答案"]
    reading = read(
        ("单选题", [head, ["甲", "一", "二", "A"]]),
        ("多选题", [head, ["乙", "一", "二", "A"]]),
        ("判断题", [["题干", "答案"], ["丙", "错"]]),
        ("填空题", [["题干", "空1", "空2"], ["丁____戊____", "x", "y"]]),
        ("连线题", [head, ["己", "一", "二", "A"]]),
    )
    assert [one.question.kind for one in reading.imported] == [
        Kind.SINGLE_CHOICE,
        Kind.MULTIPLE_CHOICE,
        Kind.TRUE_FALSE,
        Kind.FILL_BLANK,
    ]
    assert [(note.code, note.where) for note in reading.rejected] == [("kind_not_sat", "工作表“连线题” 第 2 行")]


def test_merged_kinds_go_down_and_a_merged_stem_gathers_its_options():
    rows = [
        ["题型", "题干", "选项", "答案"],
        ["", "甲", "A.一\nB.二", "A"],
        ["", "乙", "A.一\nB.二", "B"],
        ["判断题", "丙", "", "对"],
        ["单选题", "", "A.一", ""],
        ["", "", "B.二", ""],
    ]
    merges = [("s", 1, 0, 2, 0, "单选题"), ("s", 4, 1, 5, 1, "丁"), ("s", 4, 3, 5, 3, "B")]
    reading = read(("s", rows), merges=merges)
    assert keys(reading) == [
        (Kind.SINGLE_CHOICE, ("A",)),
        (Kind.SINGLE_CHOICE, ("B",)),
        (Kind.TRUE_FALSE, ("A",)),
        (Kind.SINGLE_CHOICE, ("B",)),
    ]
    assert reading.imported[3].question.options == ("一", "二")


def test_a_head_of_two_rows_gives_the_option_letters():
    rows = [["序号", "题干", "选项", "", "", "答案"], ["", "", "A", "B", "C", ""], [1, "甲", "一", "二", "三", "C"]]
    assert keys(read(("s", rows))) == [(Kind.SINGLE_CHOICE, ("C",))]


def test_hidden_sheets_are_named_and_left_out():
    head = ["题型", "题干", "答案"]
    reading = read(("题库", [head, ["判断题", "甲", "对"]]), ("旧题", [head, ["判断题", "乙", "对"]]), hidden={"旧题"})
    assert reading.found == 1
    assert [note.code for note in reading.remarks] == ["hidden_sheet"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (["单选题", "甲", "一", "二", "三", ""], "no_key"),
        (["单选题", "甲", "一", "二", "三", "E"], "key_outside_options"),
        (["单选题", "甲", "一", "", "三", "A"], "blank_option"),
        (["单选题", "甲", "一", "二", "三", "AB"], "kind_key_conflict"),
        (["单选题", "甲", "一", "二", "三", "不知道"], "key_unreadable"),
        (["单选题", "甲", "2", "1", "3", "2"], "two_readings"),
        (["单选题", "甲", "一", "一", "三", "A"], "same_options"),
        (["判断题", "甲", "一", "二", "三", "A"], "not_true_false"),
        (["判断题", "甲", "", "", "", "也许"], "key_unreadable"),
        (["填空题", "甲____乙____", "", "", "", "只有一个"], "blanks_mismatch"),
        (["简答题", "甲", "", "", "", ""], "no_key"),
        (["多选题", "甲", "一", "二", "三", "AA"], "key_unreadable"),
    ],
)
def test_a_key_that_needs_review_is_never_guessed(row, code):
    reading = read(("s", [["题型", "题干", "选项A", "选项B", "选项C", "答案"], row]))
    assert [one.note.code for one in reading.needing_review] == [code]
    assert not reading.needing_review[0].question.key
    assert not reading.needing_review[0].question.blanks


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        (["连线题", "甲", "一", "二", "三", "A"], "kind_not_sat", "“题型”列"),
        (["匹配题", "甲", "一", "二", "三", "ABC"], "kind_not_sat", "“题型”列"),
        (["单选题", "", "一", "二", "三", "A"], "no_stem", "“题干”列"),
        (["单选题", "甲", "一", "", "", "A"], "too_few_options", "“选项A”至“选项C”列"),
    ],
)
def test_what_cannot_be_a_question_is_rejected_with_its_row_and_column(row, code, column):
    reading = read(("s", [["题型", "题干", "选项A", "选项B", "选项C", "答案"], row]))
    assert [(note.code, note.where) for note in reading.rejected] == [(code, f"工作表“s” 第 2 行{column}")]


def test_a_date_that_excel_made_is_a_named_loss():
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as workbook:
        sheet = workbook.add_worksheet("s")
        for column, text in enumerate(["题型", "题干", "选项A", "选项B", "答案"]):
            sheet.write(0, column, text)
        for column, text in enumerate(["单选题", "几日内", None, "七日", "B"]):
            sheet.write(1, column, text)
        sheet.write_datetime(1, 2, dt.date(2026, 3, 5), workbook.add_format({"num_format": "m-d"}))
    reading = excel.read(target.getvalue(), name="a.xlsx")
    assert [(note.code, note.where) for note in reading.imported[0].dropped] == [
        ("date_cell", "工作表“s” 第 2 行“选项A”列")
    ]


def test_the_surveyking_template_gives_its_five_samples():
    reading = excel.read(fixture("banks/templates/surveyking/卷王题库导入模板.xlsx"), name="卷王题库导入模板.xlsx")
    assert keys(reading) == [
        (Kind.SINGLE_CHOICE, ("B",)),
        (Kind.MULTIPLE_CHOICE, ("A", "B", "C", "D")),
        (Kind.TRUE_FALSE, ("A",)),
        (Kind.FILL_BLANK, (("西游记",), ("水浒传",), ("三国演义",), ("红楼梦",))),
        (Kind.SHORT_ANSWER, ("红楼梦",)),
    ]
    assert (reading.found, [note.where for note in reading.remarks]) == (5, ["工作表“单选题” 第 4 行"])


@pytest.mark.parametrize(
    "path",
    [
        "playedu/学员批量导入模板.xlsx",
        "surveyking/卷王用户导入模板.xlsx",
        "surveyking/字典导入模板.xlsx",
        "surveyking/白名单导入模板.xlsx",
    ],
)
def test_templates_for_other_things_are_rejected_with_the_reason(path):
    with pytest.raises(UnreadableFileError, match="题干"):
        excel.read(fixture(f"banks/templates/{path}"), name=path)
