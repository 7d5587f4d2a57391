"""Files that offices send under the names of Word and Excel: web pages, XML tables, OpenDocument."""

import io
import zipfile

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.registry import read_file
from question_bank.model import UnknownColumnsError

ROWS = [
    ["题型", "题干", "选项A", "选项B", "答案"],
    ["单选题", "谁批准？", "县政府", "县公安局", "B"],
    ["判断题", "可以<b>当场</b>收缴。", "", "", "错误"],
]
EXPECTED = [("谁批准？", ("B",)), ("可以当场收缴。", ("B",))]
TEXT = [("1. 谁批准？", "A. 县政府", "B. 县公安局", "答案：B"), ("2. 可以当场收缴。（×）",)]


def found(reading):
    assert not reading.needing_review and not reading.rejected, (reading.needing_review, reading.rejected)
    return [(item.question.stem.removesuffix("（ ）"), item.question.key) for item in reading.imported]


def page_of_table(rows=ROWS, before=""):
    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    head = '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="gbk"><style>td{}</style></head>'
    return f"{head}<body>{before}<table border=1>{cells}</table><script>alert(1)</script></body></html>".encode("gbk")


def page_of_text():
    paragraphs = "".join(f"<p class=MsoNormal><span>{line}</span></p>\r\n" for lines in TEXT for line in lines)
    return f"<html><head><title>题库</title></head><body><div>{paragraphs}</div></body></html>".encode()


def archive_of(page):
    head = 'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="x"\n\n'
    part = "--x\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    return (head + part + __import__("base64").encodebytes(page).decode() + "--x--\n").encode()


def plain(rows):
    return [[cell.replace("<b>", "").replace("</b>", "") for cell in row] for row in rows]


def opendocument(
    rows,
    *,
    style="",
    spread='<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>',
):
    cells = "".join(
        "<table:table-row>" + "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row)
        + '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>' for row in rows
    )  # fmt: skip
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text", "style")
    )
    body = f'<office:body><office:spreadsheet><table:table table:name="题"{style}>{cells}{spread}</table:table></office:spreadsheet></office:body>'
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml", f"<?xml version='1.0'?><office:document-content {names}>{body}</office:document-content>"
        )
    return target.getvalue()


def spreadsheet_xml(rows):
    cells = "".join(
        "<Row>" + "".join(f'<Cell ss:Index="{place}"><Data ss:Type="String">{cell}</Data></Cell>' for place, cell in enumerate(row, 1) if cell) + "</Row>"
        for row in rows
    )  # fmt: skip
    names = (
        'xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"'
    )
    return f'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook {names}><Worksheet ss:Name="题"><Table>{cells}</Table></Worksheet></Workbook>'.encode()


@pytest.mark.parametrize(
    ("content", "name", "format_name"),
    [
        (page_of_table(), "题库.xls", "web-page"),
        (page_of_table(before="<p>2026年普法考试</p>"), "题库.xls", "web-page"),
        (page_of_table(before="<p>2026年普法考试</p>"), "题库.doc", "web-page"),
        (page_of_text(), "题库.doc", "web-page"),
        (archive_of(page_of_text()), "题库.doc", "web-page"),
        (archive_of(page_of_table()), "题库.mht", "web-page"),
        (opendocument(plain(ROWS)), "题库.ods", "ods"),
        (spreadsheet_xml(plain(ROWS)), "题库.xls", "spreadsheet-xml"),
    ],
)
def test_file_is_read_by_what_it_is_and_not_by_its_name(content, name, format_name):
    reading = read_file(content, name)
    assert (reading.format, found(reading)) == (format_name, EXPECTED)


@pytest.mark.parametrize("make", [page_of_table, opendocument, spreadsheet_xml])
def test_unknown_heads_are_asked_for_in_each_family(make):
    with pytest.raises(UnknownColumnsError) as raised:
        read_file(make([["测试语", "甲项", "乙项"], ["谁？", "一", "二"]]), "题库.xls")
    assert raised.value.tables[0].heads == ("测试语", "甲项", "乙项")


def test_numbered_lists_and_merged_cells_of_a_page_keep_their_meaning():
    items = "<ol><li>谁批准？<ol type=A><li>县政府</li><li>县公安局</li></ol><p>答案：B</p></li></ol>"
    assert found(read_file(f"<html><body>{items}</body></html>".encode(), "a.html")) == [("谁批准？", ("B",))]
    table = (
        "<table><tr><th>题型</th><th>题干</th><th>选项A</th><th>选项B</th><th>答案</th></tr>"
        "<tr><td rowspan=2>单选题</td><td>一？</td><td>甲</td><td>乙</td><td>A</td></tr><tr><td>二？</td><td>丙</td><td>丁</td><td>B</td></tr></table>"
    )
    assert found(read_file(f"<html>{table}</html>".encode(), "a.xls")) == [("一？", ("A",)), ("二？", ("B",))]


def test_what_a_page_cannot_keep_is_said():
    lines = "<p>1. 面积10m<sup>2</sup>是多少？</p><p>A. 甲<img src=http://example.invalid/a.png></p><p>B. 乙</p><p>答案：A</p>"
    reading = read_file(f"<html><body>{lines}</body></html>".encode(), "a.html")
    assert any(note.code == "formatting" for note in reading.remarks)
    dropped = [note for item in reading.imported for note in item.dropped] + [
        one.note for one in reading.needing_review
    ]
    assert dropped and "图片" in dropped[0].reason


def test_hostile_tables_are_rejected_with_a_reason():
    far = '<table:table-row table:number-rows-repeated="1000000"/><table:table-row><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>'
    wide = '<table:table-row><table:table-cell table:number-columns-repeated="9000000"><text:p>x</text:p></table:table-cell></table:table-row>'
    tall = '<table:table-row table:number-rows-repeated="9000000"><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>'
    for spread in (far, wide, tall):
        with pytest.raises(UnreadableFileError, match="请"):
            read_file(opendocument(plain(ROWS), spread=spread), "a.ods")
    for content in (
        b"<html></html>",
        b"<html><body><img src=a></body></html>",
        b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x--",
    ):
        with pytest.raises(UnreadableFileError, match="请"):
            read_file(content, "a.doc")
