"""Forms that would grow without bound when they are opened or filled are rejected at upload, whatever they are called inside."""

import io
import re
import zipfile

import pytest
from docx import Document
from openpyxl import Workbook

from examapp.oversight.report_templates.models import ReportTemplate
from examapp.oversight.report_templates.render_xlsx import shipped_form
from tests.helpers.report_templates import PAGE, docx, token, upload

SHEET = "xl/worksheets/sheet1.xml"
WORD = "word/document.xml"


def with_part(file, name, change):
    """Give an office file with one part changed."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(file)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.namelist():
            content = source.read(part)
            target.writestr(part, change(content) if part == name else content)
    return buffer.getvalue()


def xlsx(change=None, *, fill=lambda book: None):
    book = Workbook()
    book.active.append(["{{ 行.姓名 }}"])
    fill(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return with_part(buffer.getvalue(), SHEET, change) if change else buffer.getvalue()


def in_rows(xml):
    return lambda sheet: sheet.replace(b"</sheetData>", xml + b"</sheetData>")


def after_rows(xml):
    return lambda sheet: sheet.replace(b"</sheetData>", b"</sheetData>" + xml)


def formatted_to_the_last_row():
    rows = b"".join(
        b'<row r="%d">' % n + b"".join(b'<c r="%c%d" s="1"/>' % (c, n) for c in b"ABCDEFGHIJ") + b"</row>"
        for n in range(2, 6001)
    )
    return xlsx(in_rows(rows))


HOSTILE = {
    "a cell far out": xlsx(fill=lambda book: book.active.__setitem__("CV20000", "x")),
    "the last cell there is": xlsx(fill=lambda book: book.active.__setitem__("XFD1048576", "x")),
    "an empty cell far out": xlsx(in_rows(b'<row r="1048576"><c r="XFD1048576" s="0"/></row>')),
    "a place in references": xlsx(in_rows(b'<row r="9"><c r="&#88;FD1048576" s="0"/></row>')),
    "a place behind another attribute": xlsx(in_rows(b"<row r='9'><c t=' r=\"A9\"' r='XFD1048576'/></row>")),
    "a row far out": xlsx(in_rows(b'<row r="1048576" ht="20" customHeight="1"/>')),
    "formatted to the last row": formatted_to_the_last_row(),
    "rows without a number": xlsx(in_rows(b"<row><c/></row>" * 30_000)),
    "a merged area": xlsx(after_rows(b'<mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells>')),
    "many merged areas": xlsx(after_rows(b"<mergeCells>" + b'<mergeCell ref="A2:GR2000"/>' * 9 + b"</mergeCells>")),
    "a linked area": xlsx(after_rows(b'<hyperlinks><hyperlink ref="A2:XFD1048576" location="A1"/></hyperlinks>')),
    "a part of another encoding": xlsx(lambda sheet: sheet.replace(b"<worksheet", b'<?xml version="1.0" encoding="UTF-7"?><worksheet', 1)),
    "much text": with_part(xlsx(), "xl/styles.xml", lambda xml: xml + b"<!--" + b"x y z" * 2_000_000 + b"-->"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_workbook_whose_cells_would_fill_the_memory_is_rejected_in_words(county, world, session, name):
    client = world.client(world.admin())
    token(client)
    answer = upload(client, "score_sheet", HOSTILE[name], "表.xlsx")
    (text,) = re.findall(r'class="alert error"[^>]*>(.*?)</div>', answer.text, re.DOTALL) or [answer.text]
    assert answer.status_code == 400 and "请" in text and not text.isascii(), text
    assert session.query(ReportTemplate).count() == 0


def test_the_shipped_workbook_and_one_with_pictures_of_everyday_use_are_taken(county, world):
    def everyday(book):
        sheet = book.active
        sheet.merge_cells("A2:J2")
        sheet["A3"].hyperlink = "https://example.org"
        sheet.column_dimensions["A"].width = 30
        book.create_sheet("说明").append(["说明"])

    client = world.client(world.admin())
    assert upload(client, "score_sheet", shipped_form(), "表.xlsx").status_code == 303
    assert upload(client, "score_sheet", xlsx(fill=everyday), "表.xlsx").status_code == 303


def nested(times):
    return docx("{% for 行 in 各单位 %}" * times + "{{ 行.单位 }}" + "{% endfor %}" * times)


def with_property(text):
    document = Document(io.BytesIO(docx("{{ 应考 }}")))
    document.core_properties.comments = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (nested(21), "循环套了循环"),
        (nested(2), "循环套了循环"),
        (docx("{% for 行 in 各单位 %}" + "长" * 110_000 + "{% endfor %}"), "循环的内容太多"),
        (docx("{{ 应考 }}" * 21_000), "循环的内容太多"),
        (with_property("{{ 9 ** 9 ** 9 }}"), "不支持的写法"),
        (with_property("{% for 行 in 各单位 %}" * 6 + "{% endfor %}" * 6), "循环套了循环"),
        (docx("{% if 应考 < 5 %}少{% endif %}"), "填入数字时出错"),
        (docx("{% if " * 3000 + "{{ 应考 }}"), "大括号"),
        (docx("{% if " + "not " * 20_000 + "应考 %}{% endif %}"), "请"),
        (
            with_part(
                docx("{{ 应考 }}", table=[["a"]]),
                WORD,
                lambda xml: xml.replace(b"<w:tcPr>", b'<w:tcPr><w:gridSpan w:val="999999999"/>'),
            ),
            "跨度过大",
        ),
        (
            with_part(docx("{{ 应考 }}"), WORD, lambda xml: xml.replace(b"</w:body>", b"<!--" + b"x" * 9_000_000 + b"--></w:body>")),
            "太大",
        ),
    ],
)  # fmt: skip
def test_a_circular_that_would_grow_without_bound_is_rejected_in_words(county, world, session, file, text):
    answer = upload(world.client(world.admin()), "circular", file)
    assert answer.status_code == 400 and text in answer.text
    assert session.query(ReportTemplate).count() == 0


def test_a_form_kept_from_before_the_check_is_not_filled_either(county, world, session):
    client = world.client(world.admin())
    assert upload(client, "score_sheet", shipped_form(), "表.xlsx").status_code == 303
    row = session.query(ReportTemplate).one()
    row.file = HOSTILE["a cell far out"]
    session.flush()
    answer = client.get(f"{PAGE}/{row.id}/preview")
    assert answer.status_code == 400 and "2,000 行" in answer.text
