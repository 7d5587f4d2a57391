"""What a sheet shows beside its values is said: comments, text boxes, text struck through, hidden rows and columns, keys in a sheet of their own."""

import io
import zipfile

import pytest
import xlsxwriter

from question_bank.formats.registry import read_file

HEAD = ("题目", "A", "B", "答案")
ROWS = [("行政法规由哪个机关制定？", "国务院", "县政府", "A"), ("地方性法规由哪个机关制定？", "县政府", "省人大", "B")]
ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table table:name="题">{}</table:table>'
    "</office:spreadsheet></office:body></office:document-content>"
)


def book(dress):
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as written:
        sheet = written.add_worksheet("题")
        for number, row in enumerate((HEAD, *ROWS)):
            sheet.write_row(number, 0, row)
        dress(written, sheet)
    return target.getvalue()


def read(content, name="题.xlsx"):
    reading = read_file(content, name)
    assert reading.found == len(ROWS)
    return (
        [[note.code for note in one.dropped] for one in reading.imported],
        [one.note.code for one in reading.needing_review],
        [note.code for note in reading.remarks],
    )


@pytest.mark.parametrize(
    ("dress", "expected"),
    [
        (lambda _, sheet: sheet.write_comment("D2", "答案有误，应为B"), ([["comment"], []], [], [])),
        (lambda _, sheet: sheet.insert_textbox(2, 0, "本题作废"), ([[], ["comment"]], [], [])),
        (lambda _, sheet: sheet.insert_textbox(9, 0, "第3题见另页"), ([[], []], [], ["comment"])),
        (lambda made, sheet: sheet.write("A2", ROWS[0][0], made.add_format({"font_strikeout": True})), ([[]], ["struck_out"], [])),
        (
            lambda made, sheet: sheet.write_rich_string("D3", made.add_format({"font_strikeout": True}), "A", made.add_format(), "B"),
            ([[]], ["struck_out"], []),
        ),
        (
            lambda made, sheet: sheet.write_rich_string("B3", "100m", made.add_format({"font_script": 1}), "2", made.add_format(), "以下"),
            ([[], ["raised_lost"]], [], []),
        ),
        (lambda _, sheet: sheet.set_row(2, None, None, {"hidden": True}), ([[], ["hidden_row"]], [], [])),
        (lambda _, sheet: sheet.set_column(3, 3, None, None, {"hidden": True}), ([[], []], [], ["hidden_column"])),
    ],
    ids=["comment", "text box at a question", "text box elsewhere", "cell struck", "words struck", "raised", "hidden row", "hidden column"],
)  # fmt: skip
def test_what_a_sheet_shows_beside_its_values_is_said(dress, expected):
    assert read(book(dress)) == expected


def test_visible_column_is_read_before_a_hidden_one_of_its_field():
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as written:
        sheet = written.add_worksheet("题")
        for number, row in enumerate((("题目", "A", "B", "答案", "修改后答案"), (*ROWS[0], "B"), (*ROWS[1], "B"))):
            sheet.write_row(number, 0, row)
        sheet.set_column(3, 3, None, None, {"hidden": True})
    reading = read_file(target.getvalue(), "题.xlsx")
    assert [one.question.key for one in reading.imported] == [("B",)]
    assert [(one.note.code, one.note.where) for one in reading.needing_review] == [
        ("two_keys", "工作表“题” 第 2 行“修改后答案”列")
    ]


def test_comments_and_hidden_rows_of_opendocument_sheets_are_said():
    def row(cells, attributes="", note=""):
        return f"<table:table-row{attributes}>{''.join(f'<table:table-cell>{note}<text:p>{cell}</text:p></table:table-cell>' for cell in cells)}</table:table-row>"

    annotation = "<office:annotation><text:p>应为B</text:p></office:annotation>"
    rows = row(HEAD) + row(ROWS[0], ' table:visibility="filter"') + row(ROWS[1], note=annotation)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", ODS.format(rows))
    assert read(target.getvalue(), "题.ods") == ([["hidden_row"], ["comment"]], [], [])


@pytest.mark.parametrize(
    ("answers", "keys", "codes"),
    [
        ([("题号", "答案"), (1, "A"), (2, "B")], [("A",), ("B",)], ["answers"]),
        ([("题号", "答案", "题号", "答案"), (1, "A", 2, "B")], [("A",), ("B",)], ["answers"]),
        ([("题号", "答案"), (1, "A"), (3, "B")], [], ["sheet_not_kept"]),
        ([("题号", "答案"), (1, "A"), (1, "B")], [], ["sheet_not_kept"]),
    ],
    ids=["in rows", "side by side", "another number", "a number twice"],
)
def test_keys_in_a_sheet_of_their_own_go_by_number_where_all_numbers_agree(answers, keys, codes):
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as written:
        for name, rows in (
            ("题", [("序号", *HEAD[:-1]), *((at, *row[:-1]) for at, row in enumerate(ROWS, 1))]),
            ("答案", answers),
        ):
            sheet = written.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    reading = read_file(target.getvalue(), "题.xlsx")
    assert [one.question.key for one in reading.imported] == keys
    assert len(reading.needing_review) == len(ROWS) - len(keys) and [note.code for note in reading.remarks] == codes


def test_rows_that_a_database_joined_are_one_question():
    rows = [
        (stem, text, int(letter == key)) for stem, one, two, key in ROWS for letter, text in (("A", one), ("B", two))
    ]
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as written:
        sheet = written.add_worksheet("题")
        for number, row in enumerate([("题目", "选项", "是否正确"), *rows]):
            sheet.write_row(number, 0, row)
    reading = read_file(target.getvalue(), "题.xlsx")
    assert [(one.question.stem, *one.question.options, *one.question.key) for one in reading.imported] == ROWS
    assert not reading.differs_from_census
