"""Word documents (docx) in the layout of official ones: margins, letters and page numbers of GB/T 9704-2012, and plain tables.

The fonts are named as an office's computers have them; where one is missing, Word, WPS and LibreOffice take the one nearest to it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from examapp.documents.office_templates import same_bytes

TITLE_FONT, TEXT_FONT, HEADING_FONT, TABLE_FONT = "方正小标宋简体", "仿宋", "黑体", "宋体"
_LATIN = "Times New Roman"
_LINK = RGBColor(0x0B, 0x4A, 0x8F)
_FALLBACKS = {TITLE_FONT: "华文中宋", TEXT_FONT: "仿宋_GB2312", HEADING_FONT: "微软雅黑", TABLE_FONT: "微软雅黑"}


@dataclass(frozen=True, slots=True)
class LinkedText:
    """A text of a table's cell that leads to an address."""

    text: str
    href: str


class WordDocument:
    """A docx that grows from top to bottom; `to_bytes` ends it, the same content giving the same bytes."""

    def __init__(self, *, is_official: bool = False, is_landscape: bool = False, watermark: str = "") -> None:
        self._docx: Any = Document()
        self._is_official = is_official
        self._text_pt = 16 if is_official else 10.5
        section = self._docx.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        if is_landscape:
            section.orientation = WD_ORIENT.LANDSCAPE
            section.page_width, section.page_height = Mm(297), Mm(210)
        top, right, bottom, left = (37, 26, 35, 28) if is_official else (18, 15, 18, 15)
        section.top_margin, section.right_margin = Mm(top), Mm(right)
        section.bottom_margin, section.left_margin = Mm(bottom), Mm(left)
        self._room_mm = (297 if is_landscape else 210) - left - right
        self._set_footer(section)
        if watermark:
            _write_mark(section.header, watermark)

    def title(self, text: str) -> None:
        """Write the title: 2号小标宋, centred; in a plain document smaller."""
        paragraph = self._paragraph(text, TITLE_FONT, 22 if self._is_official else 16, align="center", line_pt=33)
        paragraph.paragraph_format.space_after = Pt(14 if self._is_official else 6)

    def heading(self, text: str) -> None:
        """Write a heading of the first level: 3号黑体."""
        paragraph = self._paragraph(text, HEADING_FONT, self._text_pt, is_indented=self._is_official)
        paragraph.paragraph_format.keep_with_next = True

    def paragraph(
        self, text: str, *, align: str = "left", is_indented: bool = False, has_next_beside: bool = False
    ) -> None:
        """Write a paragraph: 3号仿宋 in an official document. With `has_next_beside` no page ends between it and the next one."""
        font = TEXT_FONT if self._is_official else TABLE_FONT
        paragraph = self._paragraph(text, font, self._text_pt, align=align, is_indented=is_indented)
        paragraph.paragraph_format.keep_with_next = has_next_beside or None

    def page_break(self) -> None:
        """Begin a new page."""
        self._docx.add_page_break()

    def table(self, heads: Sequence[tuple[str, float, bool]], rows: Iterable[Sequence[str | LinkedText]]) -> None:
        """Write a table: per column its head, its share of the width and whether it holds numbers; the head repeats on every page."""
        table = self._docx.add_table(rows=1, cols=len(heads), style="Table Grid")
        table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
        _set_cell_margins(table)
        shares = sum(width for _, width, _ in heads)
        widths = [Mm(self._room_mm * width / shares) for _, width, _ in heads]
        for column, width in zip(table.columns, widths, strict=True):
            column.width = width  # the grid, by which LibreOffice and WPS set a table
        head_row = table.rows[0]
        for cell, (text, _, _), width in zip(head_row.cells, heads, widths, strict=True):
            _fill(cell, text, HEADING_FONT, "center", width)
        properties = head_row._tr.get_or_add_trPr()  # noqa: SLF001 – python-docx has no other way to repeat a head
        properties.append(OxmlElement("w:tblHeader"))
        for texts in rows:
            row = table.add_row()
            row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # noqa: SLF001 – as above
            for cell, content, (_, _, is_number), width in zip(row.cells, texts, heads, widths, strict=True):
                _fill(cell, content, TABLE_FONT, "right" if is_number else "left", width)

    def to_bytes(self) -> bytes:
        """Return the document as a file."""
        buffer = io.BytesIO()
        self._docx.save(buffer)
        return same_bytes(buffer.getvalue(), fallback_fonts=_FALLBACKS)

    def _paragraph(
        self, text: str, font: str, size: float, *, align: str = "left", is_indented: bool = False, line_pt: float = 29
    ) -> Any:
        paragraph = self._docx.add_paragraph()
        paragraph.alignment = _align(align)
        form = paragraph.paragraph_format
        form.space_before = form.space_after = Pt(0)
        form.line_spacing = Pt(line_pt) if self._is_official else 1.4
        if is_indented:
            form.first_line_indent = Pt(2 * size)
        _set_font(paragraph.add_run(text), font, size)
        return paragraph

    def _set_footer(self, section: Any) -> None:
        """Number the pages, in an official document as “— 1 —” in 4号宋体."""
        footer = section.footer.paragraphs[0]
        footer.alignment = _align("right" if self._is_official else "center")
        before, after = ("— ", " —") if self._is_official else ("第 ", " 页")
        for text, field in ((before, ""), ("", "begin"), ("", "PAGE"), ("", "end"), (after, "")):
            run = footer.add_run(text)
            _set_font(run, TABLE_FONT, 14 if self._is_official else 9)
            if field == "PAGE":
                code = OxmlElement("w:instrText")
                code.text = field
                run._r.append(code)  # noqa: SLF001 – python-docx knows no fields
            elif field:
                mark = OxmlElement("w:fldChar")
                mark.set(qn("w:fldCharType"), field)
                run._r.append(mark)  # noqa: SLF001 – as above


def _align(name: str) -> Any:
    return getattr(WD_ALIGN_PARAGRAPH, name.upper())


def _set_font(run: Any, name: str, size: float, *, colour: Any = None) -> None:
    run.font.name, run.font.size = _LATIN, Pt(size)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), name)  # noqa: SLF001 – python-docx knows Latin fonts only
    if colour is not None:
        run.font.color.rgb = colour


def _set_cell_margins(table: Any) -> None:
    """Leave 0.8 mm beside a cell's text instead of 1.9, so that `100.00%` stays on its line, and a little above and below."""
    margins = OxmlElement("w:tblCellMar")
    for side, width in (("top", 28), ("left", 45), ("bottom", 28), ("right", 45)):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(width))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.find(qn("w:tblLook")).addprevious(margins)  # noqa: SLF001 – python-docx has no other way


def _fill(cell: Any, content: str | LinkedText, font: str, align: str, width: Any) -> None:
    cell.width = width
    paragraph = cell.paragraphs[0]
    paragraph.alignment = _align(align)
    paragraph.paragraph_format.space_after = Pt(0)
    if isinstance(content, str):
        _set_font(paragraph.add_run(content), font, 10.5)
        return
    run = paragraph.add_run(content.text)
    _set_font(run, font, 10.5, colour=_LINK)
    run.underline = True
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(content.href, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    link.append(run._r)  # noqa: SLF001 – python-docx reads links and writes none
    paragraph._p.append(link)  # noqa: SLF001 – as above


def marked(office_file: bytes, mark: str) -> bytes:
    """Give a Word document with a pale line at the head of every page, below what its own heads say."""
    if not mark:
        return office_file
    document: Any = Document(io.BytesIO(office_file))
    kinds = {
        "header": True,
        "first_page_header": any(section.different_first_page_header_footer for section in document.sections),
        "even_page_header": document.settings.odd_and_even_pages_header_footer,
    }
    for kind in (kind for kind, is_used in kinds.items() if is_used):
        for number, section in enumerate(document.sections):
            head = getattr(section, kind)
            if number == 0 or not head.is_linked_to_previous:
                _write_mark(head, mark)
    buffer = io.BytesIO()
    document.save(buffer)
    return same_bytes(buffer.getvalue())


def _write_mark(head: Any, mark: str) -> None:
    paragraph = head.paragraphs[0]
    if paragraph.text.strip() or len(head.paragraphs) > 1 or head.tables:
        paragraph = head.add_paragraph()
    paragraph.alignment = _align("center")
    _set_font(paragraph.add_run(mark), TABLE_FONT, 9, colour=RGBColor(0xA0, 0xA0, 0xA0))
