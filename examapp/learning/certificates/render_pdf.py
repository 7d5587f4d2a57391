"""Certificates drawn on A4 across: one document for one person or a whole unit, with one font subset for all pages."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import segno
from fpdf import FPDF
from fpdf.enums import TextMode

from examapp.clock import local
from examapp.documents.pdf_font import SANS, break_lines, printable, share_font, width_of
from examapp.learning.certificates.rules import Printed, check_code, day_label, verify_url

_MM = 72 / 25.4
_RED = (158, 27, 30)
_INK = (30, 36, 44)
_WIDTH, _HEIGHT = 297.0, 210.0
_SIDE, _BODY_WIDTH = 42.0, 213.0
_BODY_PT, _BODY_LINE = 20.0, 13.5
_QR_SIDE = 27.0
_SEAL_SIDE = 40.0
_MAX_LINES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A certificate as it is drawn."""

    printed: Printed
    digest: str


def draw_certificates(
    pages: Iterable[Page], *, site_url: str, seal: bytes | None, made_at: datetime, title: str
) -> bytes:
    """Draw certificates, a page each, into one PDF; the same content makes the same bytes."""
    book = _Book(site_url=site_url, seal=seal, made_at=made_at, title=title)
    for page in pages:
        book.draw(page)
    buffer = io.BytesIO()
    book.pdf.output(buffer)
    return buffer.getvalue()


class _Book:
    """A PDF that certificates are drawn into."""

    def __init__(self, *, site_url: str, seal: bytes | None, made_at: datetime, title: str) -> None:
        self.pdf = FPDF(orientation="landscape", format="A4")
        share_font(self.pdf)
        self.pdf.set_margin(0)
        self.pdf.set_auto_page_break(auto=False)
        self.pdf.set_title(printable(title))
        self.pdf.set_lang("zh-CN")
        self.pdf.set_creation_date(local(made_at))
        self.site_url, self.seal = site_url, io.BytesIO(seal) if seal else None

    def draw(self, page: Page) -> None:
        printed = page.printed
        self.pdf.add_page()
        self._frame()
        self._line(printed.heading, y=40, size=40, color=_RED, is_strong=True)
        self._line(f"编号：{printed.number}", y=57, size=11)
        self._body(printed.text)
        self._signature(printed)
        self._check(page)

    def _frame(self) -> None:
        self.pdf.set_draw_color(*_RED)
        for inset, width in ((10.0, 1.2), (12.5, 0.3)):
            self.pdf.set_line_width(width)
            self.pdf.rect(inset, inset, _WIDTH - 2 * inset, _HEIGHT - 2 * inset)

    def _body(self, text: str) -> None:
        y = 78.0
        size = _BODY_PT
        lines = _lines(text, size)
        while len(lines) > _MAX_LINES and size > 12:
            size -= 1
            lines = _lines(text, size)
        step = _BODY_LINE * size / _BODY_PT
        for is_first, line in lines:
            indent = 2 * size / _MM if is_first else 0
            self._text(line, x=_SIDE + indent, y=y, size=size)
            y += step

    def _signature(self, printed: Printed) -> None:
        right = _WIDTH - _SIDE
        for text, y in ((printed.signer, 158.0), (day_label(printed.issued_on), 169.0)):
            self._text(text, x=right - width_of(printable(text), 16) / _MM, y=y, size=16)
        if self.seal is not None:
            middle = right - width_of(printable(printed.signer), 16) / _MM / 2
            left = min(max(middle, _SIDE), right - _SEAL_SIDE / 2) - _SEAL_SIDE / 2
            self.pdf.image(
                self.seal, x=left, y=158 - _SEAL_SIDE / 2, w=_SEAL_SIDE, h=_SEAL_SIDE, keep_aspect_ratio=True
            )

    def _check(self, page: Page) -> None:
        url = verify_url(self.site_url, number=page.printed.number, digest=page.digest)
        self._qr(url, x=_SIDE - 10, y=150)
        x = _SIDE - 10 + _QR_SIDE + 4
        for text, y in (("扫码或登录网站核验", 163.0), (f"校验码：{check_code(page.digest)}", 169.0)):
            self._text(text, x=x, y=y, size=9.5)

    def _qr(self, text: str, *, x: float, y: float) -> None:
        matrix = segno.make(text, error="m").matrix
        dot = _QR_SIDE / len(matrix)
        self.pdf.set_fill_color(0)
        for row, bits in enumerate(matrix):
            start = None
            for column, bit in enumerate([*bits, 0]):
                if bit and start is None:
                    start = column
                elif not bit and start is not None:
                    self.pdf.rect(x + start * dot, y + row * dot, (column - start) * dot, dot, style="F")
                    start = None

    def _line(
        self, text: str, *, y: float, size: float, color: tuple[int, int, int] = _INK, is_strong: bool = False
    ) -> None:
        """Write a centred line."""
        width = width_of(printable(text), size) / _MM
        self._text(text, x=(_WIDTH - width) / 2, y=y, size=size, color=color, is_strong=is_strong)

    def _text(
        self,
        text: str,
        *,
        x: float,
        y: float,
        size: float,
        color: tuple[int, int, int] = _INK,
        is_strong: bool = False,
    ) -> None:
        self.pdf.set_font(SANS.family, size=size)
        self.pdf.set_text_color(*color)
        self.pdf.set_draw_color(*color)
        mode = TextMode.FILL_STROKE if is_strong else TextMode.FILL
        with self.pdf.local_context(text_mode=mode, line_width=size / 140):
            self.pdf.text(x, y, printable(text))


def _lines(text: str, size: float) -> list[tuple[bool, str]]:
    """Break the words; the first line of each paragraph but the first is indented."""
    lines: list[tuple[bool, str]] = []
    for number, paragraph in enumerate(text.split("\n")):
        is_indented = number > 0
        indent = 2 * size if is_indented else 0
        broken = break_lines(paragraph, width=_BODY_WIDTH * _MM, size_pt=size, indent=indent)
        lines += [(is_indented and place == 0, line) for place, line in enumerate(broken)]
    return lines
