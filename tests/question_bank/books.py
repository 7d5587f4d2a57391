"""Workbooks and Word documents for tests, made cell by cell and line by line."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

import xlsxwriter


def book(*sheets, merges=(), hidden=()):
    """The bytes of a workbook; each sheet is (name, rows), a merge is (sheet, first row, column, last row, last column, text)."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as workbook:
        for name, rows in sheets:
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if value not in {None, ""}:
                        sheet.write(number, column, value)
            if name in hidden:
                sheet.hide()
        for name, top, left, bottom, right, text in merges:
            workbook.get_worksheet_by_name(name).merge_range(top, left, bottom, right, text)
    return target.getvalue()


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_NUMBERING = (
    f'<w:numbering xmlns:w="{_W}"><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/>'
    '<w:lvlText w:val="%1."/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="upperLetter"/><w:lvlText w:val="%2."/></w:lvl>'
    '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
)
_PARTS = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_PARTS}.document.main+xml"/>'
    f'<Override PartName="/word/numbering.xml" ContentType="{_PARTS}.numbering+xml"/></Types>'
)
_RELATION = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" Target="{}"/></Relationships>'
)


def word(body: Sequence[str | list[list[str]]], *, listed: bool = False) -> bytes:
    """Return a Word document of paragraphs and tables; `listed`: numbers and letters are Word's own."""
    xml = "".join(_paragraph(one, listed=listed) if isinstance(one, str) else _table(one) for one in body)
    document = f'<w:document xmlns:w="{_W}"><w:body>{xml}</w:body></w:document>'
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _RELATION.format("officeDocument", "word/document.xml")),
            ("word/_rels/document.xml.rels", _RELATION.format("numbering", "numbering.xml")),
            ("word/document.xml", document),
            ("word/numbering.xml", _NUMBERING),
        ):
            archive.writestr(name, text)
    return target.getvalue()


def _paragraph(text: str, *, listed: bool = False) -> str:
    match = re.match(r"(?:(\d+)\. |([A-H])\. )", text) if listed else None
    level = (
        f'<w:pPr><w:numPr><w:ilvl w:val="{int(bool(match[2]))}"/><w:numId w:val="1"/></w:numPr></w:pPr>'
        if match
        else ""
    )
    lines = text[match.end() :].split("\n") if match else text.split("\n")
    runs = "<w:r><w:br/></w:r>".join(f'<w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r>' for line in lines)
    return f"<w:p>{level}{runs}</w:p>"


def _table(rows: list[list[str]]) -> str:
    return f"<w:tbl>{''.join('<w:tr>' + ''.join(f'<w:tc>{_paragraph(cell)}</w:tc>' for cell in row) + '</w:tr>' for row in rows)}</w:tbl><w:p/>"  # without a paragraph behind it, the next table would be one with it
