"""Word documents in the manner of offices: a title, paragraphs, tables with repeated heads, lines for signatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from examapp.core.points import for_people
from examapp.core.spreadsheets import Cell, as_words

_TITLE_FONT, _BODY_FONT, _HEAD_FONT = "方正小标宋简体", "仿宋_GB2312", "黑体"
_LONG_SIDE, _SHORT_SIDE = Cm(29.7), Cm(21.0)
_MARGIN = Cm(2.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """The document's title, in the middle."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading above a part."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph: led in by two characters, or at the right for signature and date."""

    text: str
    is_right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its heads repeated on every page; `widths` in shares of the whole."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[int]


Block = Title | Heading | Paragraph | Table


def word_bytes(blocks: Sequence[Block], *, is_landscape: bool = False) -> bytes:
    """Write blocks as a docx on A4."""
    document = docx.Document()
    section = document.sections[0]
    if is_landscape:
        section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = (_LONG_SIDE, _SHORT_SIDE) if is_landscape else (_SHORT_SIDE, _LONG_SIDE)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = _MARGIN
    width = section.page_width - 2 * _MARGIN
    for block in blocks:
        _add(document, block, width=width)
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _add(document: Any, block: Block, *, width: int) -> None:
    if isinstance(block, Title):
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.space_after = Pt(12)
        _run(paragraph, block.text, font=_TITLE_FONT, size=20)
    elif isinstance(block, Heading):
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.keep_with_next = True
        _run(paragraph, block.text, font=_HEAD_FONT, size=14)
    elif isinstance(block, Paragraph):
        _add_paragraph(document, block)
    else:
        _add_table(document, block, width=width)


def _add_paragraph(document: Any, block: Paragraph) -> None:
    paragraph = document.add_paragraph()
    if block.is_right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    else:
        paragraph.paragraph_format.first_line_indent = Pt(28)
    paragraph.paragraph_format.line_spacing = 1.5
    _run(paragraph, block.text, font=_BODY_FONT, size=14)


def _add_table(document: Any, block: Table, *, width: int) -> None:
    table = document.add_table(rows=1 + len(block.rows), cols=len(block.heads))
    table.style, table.autofit = "Table Grid", False
    whole = sum(block.widths)
    widths = [width * share // whole for share in block.widths]
    for column, column_width in zip(table.columns, widths, strict=True):
        column.width = column_width
    _repeat(table.rows[0])
    # python-docx finds a cell by walking the whole table; a row's own cells are walked once.
    for row, cells in zip(table.rows, [block.heads, *block.rows], strict=True):
        is_head = cells is block.heads
        for place, cell, cell_width in zip(row.cells, cells, widths, strict=True):
            place.width = cell_width
            _fill(place.paragraphs[0], cell, is_head=is_head)
    document.add_paragraph()


def _fill(paragraph: Any, cell: Cell, *, is_head: bool) -> None:
    if isinstance(cell, int | Decimal):
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    elif is_head:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(paragraph, _cell_words(cell), font=_HEAD_FONT if is_head else _BODY_FONT, size=10.5)


def _cell_words(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str | date | datetime):
        return as_words(cell)
    return for_people(cell) if isinstance(cell, Decimal) else str(cell)


def _repeat(row: Any) -> None:
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)  # noqa: SLF001 – python-docx has no public name for it


def _run(paragraph: Any, text: str, *, font: str, size: float) -> None:
    run = paragraph.add_run(text)
    run.font.name, run.font.size = "Times New Roman", Pt(size)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)  # noqa: SLF001 – likewise
