"""Tables and records in the shapes that offices and programs give them."""

import io
import json
import zipfile

import pytest
import xlsxwriter

from question_bank.formats.registry import detect, read_file

STEMS = ("由谁决定（ ）。", "向谁申请（ ）。", "何时施行（ ）。")
OPTIONS = (("甲", "乙"), ("丙", "丁"), ("今日", "明日"))
KEYS = ("A", "B", "A")
KEYED = [(stem, options, (key,)) for stem, options, key in zip(STEMS, OPTIONS, KEYS, strict=True)]


def workbook(rows, joined=()):
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Sheet1")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        for area in joined:
            sheet.merge_range(area, rows[int(area.split(":")[0][1:]) - 1][ord(area[0]) - ord("A")])
    return target.getvalue()


def keyed(result):
    assert (result.needing_review, result.rejected) == ([], [])
    return [(one.question.stem, one.question.options, one.question.key) for one in result.imported]


def truths(result):
    assert (result.needing_review, result.rejected) == ([], [])
    return [one.question.key for one in result.imported]


def test_letter_and_text_of_an_option_in_columns_of_their_own_a_row_an_option():
    rows = [["题号", "题干", "选项", "选项内容", "答案"]]
    for number, (stem, options, key) in enumerate(zip(STEMS, OPTIONS, KEYS, strict=True), 1):
        rows += [[str(number), stem, "A", options[0], key], ["", "", "B", options[1], ""]]
    found = read_file(workbook(rows, ["A2:A3", "B2:B3", "E2:E3"]), "题.xlsx")
    assert keyed(found) == KEYED
    assert (found.census, found.differs_from_census) == (3, False)


def test_ticks_below_columns_that_are_headed_by_a_tick_are_the_answer():
    rows = [["题目", "选项A", "√", "选项B", "√"]]
    rows += [
        [stem, one, "√" * (key == "A"), two, "√" * (key == "B")]
        for stem, (one, two), key in zip(STEMS, OPTIONS, KEYS, strict=True)
    ]
    assert keyed(read_file(workbook(rows), "题.xlsx")) == KEYED


def test_ticks_in_columns_of_right_and_wrong_answer_true_false_questions():
    rows = [["题目", "正确", "错误"], ["人人平等。", "√", ""], ["可以委托个人。", "", "√"], ["法律有例外。", "√", ""]]
    assert truths(read_file(workbook(rows), "题.xlsx")) == [("A",), ("B",), ("A",)]
    rows[1][2] = "√"
    found = read_file(workbook(rows), "题.xlsx")
    assert (len(found.imported), len(found.needing_review)) == (2, 1)


def test_stems_below_the_name_of_a_kind_beside_answers_are_read():
    rows = [["序号", "判断题", "答案"], [1, "人人平等。", "√"], [2, "可以委托个人。", "×"]]
    assert truths(read_file(workbook(rows), "题.xlsx")) == [("A",), ("B",)]


def test_further_head_with_its_answers_where_options_stood_above_has_columns_of_its_own():
    rows = [["一、单选题"], ["序号", "题目", "A", "B", "答案"]]
    rows += [[str(n), stem, *options, key] for n, (stem, options, (key,)) in enumerate(KEYED, 1)]
    rows += [["二、判断题"], ["序号", "题目", "答案"], ["1", "人人平等。", "对"], ["2", "可以委托个人。", "错"]]
    found = read_file(workbook(rows), "题.xlsx")
    assert keyed(found)[:3] == KEYED
    assert truths(found)[3:] == [("A",), ("B",)]
    assert (found.census, found.differs_from_census) == (5, False)


def test_source_and_explanation_in_one_column_are_the_explanation():
    rows = [["题干", "A", "B", "答案", "出处/解析"], [STEMS[0], *OPTIONS[0], "A", "见第三条"]]
    assert [one.question.explanation for one in read_file(workbook(rows), "题.xlsx").imported] == ["见第三条"]


def test_head_of_two_rows_in_an_opendocument_table_keeps_the_columns_behind_the_letters():
    def row(cells):
        return f"<table:table-row>{''.join(cells)}</table:table-row>"

    def cell(text, spans=""):
        return f"<table:table-cell{spans}><text:p>{text}</text:p></table:table-cell>"

    down, covered = ' table:number-rows-spanned="2"', "<table:covered-table-cell/>"
    wide = ' table:number-columns-spanned="2"'
    rows = [row([cell("题目", down), cell("选项", wide), covered, cell("答案", down)])]
    rows += [row([covered, cell("A"), cell("B"), covered])]
    rows += [row([*map(cell, (stem, *options, key))]) for stem, options, (key,) in KEYED]
    names = " ".join(
        f'xmlns:{one}="urn:oasis:names:tc:opendocument:xmlns:{one}:1.0"' for one in ("office", "table", "text")
    )
    content = f'<office:document-content {names}><office:body><office:spreadsheet><table:table table:name="题">{"".join(rows)}</table:table></office:spreadsheet></office:body></office:document-content>'
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    assert keyed(read_file(target.getvalue(), "题.ods")) == KEYED


def test_markdown_table_is_read_without_its_ruler():
    lines = ["| 序号 | 题目 | A | B | 答案 |", "|---|:--|---|---|---|"]
    lines += [f"| {n} | {stem} | {one} | {two} | {key} |" for n, (stem, (one, two), (key,)) in enumerate(KEYED, 1)]
    assert keyed(read_file("\n".join(lines).encode(), "题.md")) == KEYED


@pytest.mark.parametrize("text", [("正确", "错误"), ("√", "×")])
@pytest.mark.parametrize("numbers", [("1\t", "2\t", "3\t"), ("", "", "")])
def test_table_of_true_false_questions_without_a_head_is_read(text, numbers):
    stems = ("公民在法律面前人人平等。", "行政机关可以委托个人。", "法律有例外，但是不多。")
    marks = (text[0], text[1], text[0])
    rows = [f"{n}{stem}\t{mark}" for n, stem, mark in zip(numbers, stems, marks, strict=True)]
    assert truths(read_file("\n".join(rows).encode(), "题.txt")) == [("A",), ("B",), ("A",)]


def records(**fields):
    return [
        {name: of(stem, options, key) for name, of in fields.items()}
        for stem, options, key in zip(STEMS, OPTIONS, KEYS, strict=True)
    ]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (records(question=lambda s, o, k: s, options=lambda s, o, k: o, correctIndex=lambda s, o, k: "AB".index(k)), "a.json"),
        (records(q=lambda s, o, k: s, a=lambda s, o, k: o[0], b=lambda s, o, k: o[1], ans=lambda s, o, k: k.lower()), "a.json"),
        ({"data": {"rows": records(
            questionContent=lambda s, o, k: s, rightAnswer=lambda s, o, k: k,
            optionList=lambda s, o, k: [{"optionCode": c, "optionContent": t} for c, t in zip("AB", o, strict=True)])}}, "a.json"),
        (records(instruction=lambda s, o, k: s, input=lambda s, o, k: f"A. {o[0]}\nB. {o[1]}", output=lambda s, o, k: k), "a.json"),
    ],
)  # fmt: skip
def test_records_under_the_names_that_programs_give_are_read(value, name):
    text = json.dumps(value, ensure_ascii=False)
    found = read_file(text.encode(), name)
    assert keyed(found) == KEYED
    assert (found.census, found.differs_from_census) == (3, False)
    assert keyed(read_file(f"var questions = {text};\n".encode(), "a.js")) == KEYED


def test_place_of_the_right_option_requires_review_where_the_count_may_begin_at_0_or_at_1():
    questions = [
        {"question": stem, "options": [*options, "戊"], "answerIndex": 1}
        for stem, options in zip(STEMS, OPTIONS, strict=True)
    ]
    found = read_file(json.dumps(questions).encode(), "a.json")
    assert {one.note.code for one in found.needing_review} == {"two_readings"}
    questions[0]["answerIndex"] = 3
    assert [one.question.key for one in read_file(json.dumps(questions).encode(), "a.json").imported] == [
        ("C",),
        ("A",),
        ("A",),
    ]


def test_gift_that_names_its_format_first_is_no_json():
    text = "[html]宪法日是每年{=12月4日}。\n\n[html]国家的根本制度是{=社会主义}制度。\n"
    assert detect(text.encode(), "题.txt") == "gift"
    assert [one.question.blanks for one in read_file(text.encode(), "题.txt").imported] == [
        (("12月4日",),),
        (("社会主义",),),
    ]


def test_text_with_a_question_a_line_that_blackboard_takes_in_is_read():
    lines = [
        f"MC\t{STEMS[0]}\t甲\tcorrect\t乙\tincorrect", f"MA\t{STEMS[1]}\t丙\tCorrect\t丁\tCorrect",
        "TF\t人人平等。\tfalse", "FIB\t宪法日是每年____。\t12月4日\t十二月四日", "ESS\t简述听证。\t告知权利。",
        "ORD\t按先后排列\t立案\t调查\t决定", "MAT\t连线\t甲\t乙",
    ]  # fmt: skip
    found = read_file("\r\n".join(lines).encode(), "题.txt")
    assert (found.format, len(found.rejected)) == ("blackboard-text", 1)
    assert [(one.question.kind, one.question.key or one.question.blanks) for one in found.imported] == [
        ("single_choice", ("A",)), ("multiple_choice", ("A", "B")), ("true_false", ("B",)),
        ("fill_blank", (("12月4日", "十二月四日"),)), ("short_answer", ("告知权利。",)), ("ordering", ("A", "B", "C")),
    ]  # fmt: skip
    broken = read_file(f"MC\t{STEMS[0]}\t甲\tcorrect\t乙\n".encode(), "题.txt")
    assert [one.note.code for one in broken.needing_review] == ["malformed"]
