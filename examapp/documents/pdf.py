"""PDF documents that an office prints: title, paragraphs, tables with repeated heads, signature lines, watermark, QR code.

One open-licensed Chinese face is embedded, only with the glyphs that occur. The same content makes the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from fpdf import FPDF
from fpdf.enums import TextMode

from examapp.clock import local
from examapp.documents.pdf_font import SANS, SONG, Face, break_lines, break_title, printable, share_font, width_of

Align = Literal["left", "center", "right"]
_MM = 72 / 25.4
"""Points in a millimetre."""
_PAD = 1.2
"""Room on either side of a table's cell, in millimetres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A page: its margins in millimetres, the size of the text in points, and a line's height as a multiple of it."""

    top: float = 18
    right: float = 15
    bottom: float = 18
    left: float = 15
    is_landscape: bool = False
    text_pt: float = 10.5
    title_pt: float = 16
    line: float = 1.5
    has_dashes: bool = False
    """Page numbers as “— 1 —” at the outer edge, as official documents have them."""
    face: Face = SANS


PLAIN = Layout()
LANDSCAPE = Layout(is_landscape=True)
OFFICIAL = Layout(top=37, right=26, bottom=35, left=28, text_pt=16, title_pt=22, line=1.8, has_dashes=True, face=SONG)
"""An official document: A4, margins and sizes of GB/T 9704-2012, 5.2 and 7 (head 37 mm, binding edge 28 mm, 156 × 225 mm of text)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfColumn:
    """A column of a table: its head, its share of the width, and where its cells' text stands."""

    text: str
    width: float
    align: Align = "left"


class PdfDocument:
    """A document that grows from top to bottom; `to_bytes` ends it.

    `made_at` stands in the file's properties, so that the same content gives the same bytes; `watermark` stands pale behind every page,
    `footnote` as a small line above every page's number: what is to be signed and sealed has no watermark.
    """

    def __init__(
        self, *, title: str, made_at: datetime, layout: Layout = PLAIN, watermark: str = "", footnote: str = ""
    ) -> None:
        self.layout = layout
        self._pdf = _Pages(layout, watermark, footnote)
        self._pdf.set_title(printable(title, layout.face))
        self._pdf.set_lang("zh-CN")
        self._pdf.set_creation_date(local(made_at))
        self._pdf.add_page()

    def title(self, text: str) -> None:
        """Write the title, centred, in lines of about the same length that end where a word does."""
        size = self.layout.title_pt
        lines = break_title(text, width=self._pdf.epw * _MM, size_pt=size, face=self.layout.face)
        self._write("\n".join(lines), size=size, align="center", is_strong=True)
        self.space(self.layout.text_pt / 4)

    def heading(self, text: str) -> None:
        """Write a heading within the document; it never stands alone at a page's end."""
        self._keep_together(3 * self._line_of(self.layout.text_pt))
        self._write(text, size=self.layout.text_pt + 1, align="left", is_strong=True)

    def paragraph(
        self, text: str, *, align: Align = "left", is_indented: bool = False, size: float | None = None
    ) -> None:
        """Write a paragraph, with its first line led by two characters' room where it is running text."""
        self._write(text, size=size or self.layout.text_pt, align=align, is_indented=is_indented)

    def space(self, height: float) -> None:
        """Leave so many millimetres free."""
        self._pdf.set_y(self._pdf.get_y() + height)

    def table(self, heads: Sequence[PdfColumn], rows: Iterable[Sequence[str]], *, size: float | None = None) -> int:
        """Write a table, its head again on every page; a row is never cut in two. Gives how many rows there were."""
        size = size or self.layout.text_pt
        shares = sum(head.width for head in heads)
        widths = [head.width / shares * self._pdf.epw for head in heads]
        face = self.layout.face
        head_row = _Row.of([head.text for head in heads], widths, size, face)
        self._keep_together(head_row.height + 2 * self._line_of(size))
        self._draw_row(head_row, widths, ["center"] * len(heads), is_head=True)
        count = 0
        for cells in rows:
            count += 1
            row = _Row.of(cells, widths, size, face)
            if self._pdf.get_y() + row.height > self._pdf.page_break_trigger:
                self._pdf.add_page()
                self._draw_row(head_row, widths, ["center"] * len(heads), is_head=True)
            self._draw_row(row, widths, [head.align for head in heads])
        self.space(2)
        return count

    def signatures(self, lines: Sequence[str]) -> None:
        """Write the lines that are signed and sealed by hand, together on one page."""
        height = self._line_of(self.layout.text_pt) * 1.6
        self._keep_together(height * len(lines))
        self.space(3)
        for line in lines:
            self._write(line, size=self.layout.text_pt, align="left")
            self.space(height - self._line_of(self.layout.text_pt))

    def to_bytes(self) -> bytes:
        """End the document and give it."""
        buffer = io.BytesIO()
        self._pdf.output(buffer)
        return buffer.getvalue()

    def write(self, path: Path) -> None:
        """End the document and write it to a file."""
        path.write_bytes(self.to_bytes())

    def _line_of(self, size: float) -> float:
        return size * self.layout.line / _MM

    def _keep_together(self, height: float) -> None:
        if self._pdf.get_y() + height > self._pdf.page_break_trigger:
            self._pdf.add_page()

    def _write(
        self, text: str, *, size: float, align: Align, is_indented: bool = False, is_strong: bool = False
    ) -> None:
        pdf, height = self._pdf, self._line_of(size)
        indent = 2 * size if is_indented else 0
        for number, line in enumerate(
            break_lines(text, width=pdf.epw * _MM, size_pt=size, indent=indent, face=self.layout.face)
        ):
            self._keep_together(height)
            lead = indent / _MM if number == 0 else 0
            self._put(line, x=pdf.l_margin + lead, width=pdf.epw - lead, y=pdf.get_y(), height=height, size=size, align=align, is_strong=is_strong)  # fmt: skip
            pdf.set_y(pdf.get_y() + height)

    def _put(
        self,
        line: str,
        *,
        x: float,
        width: float,
        y: float,
        height: float,
        size: float,
        align: Align,
        is_strong: bool = False,
    ) -> None:
        """Write one line within a box; strong letters are the same ones with an outline, so that one font is enough."""
        if not line:
            return
        free = width - width_of(line, size, self.layout.face) / _MM
        x += {"left": 0.0, "center": free / 2, "right": free}[align]
        self._pdf.set_font(self.layout.face.family, size=size)
        with self._pdf.local_context(
            text_mode=TextMode.FILL_STROKE if is_strong else TextMode.FILL, line_width=size / 140
        ):
            self._pdf.text(x, y + height / 2 + 0.36 * size / _MM, line)

    def _draw_row(self, row: _Row, widths: Sequence[float], aligns: Sequence[Align], *, is_head: bool = False) -> None:
        pdf, x, y = self._pdf, self._pdf.l_margin, self._pdf.get_y()
        pdf.set_line_width(0.2)
        if is_head:
            pdf.set_fill_color(232, 238, 247)
            pdf.rect(x, y, pdf.epw, row.height, style="F")
        for lines, width, align in zip(row.cells, widths, aligns, strict=True):
            pdf.rect(x, y, width, row.height)
            top = y + (row.height - row.line * len(lines)) / 2
            for number, line in enumerate(lines):
                self._put(line, x=x + _PAD, width=width - 2 * _PAD, y=top + number * row.line, height=row.line, size=row.size, align=align, is_strong=is_head)  # fmt: skip
            x += width
        pdf.set_y(y + row.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A table's row, broken into lines."""

    cells: list[list[str]]
    height: float
    line: float
    size: float

    @classmethod
    def of(cls, texts: Sequence[str], widths: Sequence[float], size: float, face: Face) -> _Row:
        cells = [
            break_lines(text, width=(width - 2 * _PAD) * _MM, size_pt=size, face=face)
            for text, width in zip(texts, widths, strict=True)
        ]
        line = size * 1.35 / _MM
        return cls(cells=cells, height=line * max(map(len, cells)) + 1.6, line=line, size=size)


_FOOTNOTE_PT = 8


class _Pages(FPDF):
    """Pages with the watermark behind the text and the page's number below it."""

    def __init__(self, layout: Layout, watermark: str, footnote: str) -> None:
        super().__init__(orientation="landscape" if layout.is_landscape else "portrait", format="A4")
        share_font(self, layout.face)
        self._layout = layout
        self._watermark, self._footnote = printable(watermark, layout.face), printable(footnote, layout.face)
        self.set_margins(layout.left, layout.top, layout.right)
        self.set_auto_page_break(auto=False, margin=layout.bottom)
        self.page_break_trigger = self.h - layout.bottom
        self.set_compression(True)

    def header(self) -> None:
        """Write the watermark, pale and aslant, over the whole page."""
        if not self._watermark:
            return
        size = 13
        self.set_font(self._layout.face.family, size=size)
        width = width_of(self._watermark, size, self._layout.face) / _MM
        with self.local_context(text_color=(222, 222, 222)):
            for row, y in enumerate(range(30, int(self.h), 62)):
                x = 12.0 - (row % 2) * width / 2
                while x < self.w:
                    with self.rotation(24, x, y):
                        self.text(x, y, self._watermark)
                    x += width + 26

    def footer(self) -> None:
        """Write the footnote and the page's number; an official document has that at the outer edge."""
        if self._footnote:
            self.set_font(self._layout.face.family, size=_FOOTNOTE_PT)
            with self.local_context(text_color=(96, 96, 96)):
                self.text(self.l_margin, self.h - self._layout.bottom + 5, self._footnote)
        number, size = self.page_no(), 14 if self._layout.has_dashes else 9
        text = f"— {number} —" if self._layout.has_dashes else f"第 {number} 页"
        self.set_font(self._layout.face.family, size=size)
        width, x = width_of(text, size, self._layout.face) / _MM, self.l_margin
        if not self._layout.has_dashes:
            x = (self.w - width) / 2
        elif number % 2:
            x = self.w - self.r_margin - width - size / _MM
        else:
            x += size / _MM
        self.text(x, self.h - self._layout.bottom + (12 if self._layout.has_dashes else 10), text)
