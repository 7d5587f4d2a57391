"""Files that would take minutes are rejected before they do."""

import io
import zipfile

import pytest

from examapp.documents.archives import UnreadableFileError
from examapp.documents.workbooks import MAX_SHEETS
from question_bank.formats.registry import read_file
from question_bank.formats.text import MAX_LINES

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"

TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)


def book_of_one_part(sheets, rows):
    """A workbook whose sheets are all made of one part."""
    cells = '<c t="inlineStr"><is><t>x</t></is></c>' * 20
    listed = "".join(f'<sheet name="s{i}" sheetId="{i}" r:id="r{i}"/>' for i in range(1, sheets + 1))
    related = "".join(
        f'<Relationship Id="r{i}" Type="{OFFICE}/worksheet" Target="worksheets/s.xml"/>' for i in range(1, sheets + 1)
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>'
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}">{related}</Relationships>')
        archive.writestr(
            "xl/worksheets/s.xml",
            f'<worksheet xmlns="{MAIN}"><sheetData>{f"<row>{cells}</row>" * rows}</sheetData></worksheet>',
        )
    return target.getvalue()


def test_workbook_of_very_many_sheets_is_rejected():
    with pytest.raises(UnreadableFileError, match="张工作表"):
        read_file(book_of_one_part(MAX_SHEETS + 1, 1), "a.xlsx")


@pytest.mark.slow
def test_sheets_made_of_one_part_count_each():
    with pytest.raises(UnreadableFileError, match="内容过多"):
        read_file(book_of_one_part(MAX_SHEETS, 1000), "a.xlsx")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "题干,答案\n" + "谁,甲\n" * 20 + "x," * 5000 + "x\n", "列"),
        ("a.txt", "1. 问？\n" * (MAX_LINES + 1), "行"),
    ],
)
def test_text_that_is_no_table_or_too_long_is_rejected(name, content, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        read_file(content.encode(), name)


def test_empty_columns_at_the_end_of_a_csv_do_no_harm():
    assert (
        read_file(
            ("题干,选项A,选项B,答案" + "," * 16000 + "\n谁？,甲,乙,A" + "," * 16000 + "\n").encode(), "a.csv"
        ).found
        == 1
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('<quiz a="' + "x" * 1_000_000 + '"/>', "过长"),
        ('<!DOCTYPE q [<!ENTITY a "' + "x" * 9000 + '">]><quiz>&a;</quiz>', "不支持的 XML"),
        ("<notes/>", "最外层是 notes"),
    ],
)
def test_xml_of_no_known_format_is_told_what_is_wrong(content, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        read_file(content.encode(), "a.xml")
