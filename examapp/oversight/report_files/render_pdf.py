"""Tables on paper: the same sheet that becomes a spreadsheet, as PDF and as Word, with its definitions, totals and signature lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from examapp.documents.docx import WordDocument
from examapp.documents.spreadsheets import Cell, Sheet, as_words
from examapp.errors import DomainError
from examapp.lazy_import import LazyModule

pdf = LazyModule("examapp.documents.pdf")
MAX_ROWS = {"pdf": 20_000, "docx": 3_000}
"""What paper can bear; more than that belongs into a spreadsheet."""


class TooLongForPaperError(DomainError):
    """More rows than a printed table can have."""

    code = "too_long_for_paper"
    message = "人数太多，不宜做成一份可打印的文件。请选择 Excel 格式，或到下级单位分别导出。"


def cell_words(cell: Cell) -> str:
    """Write a cell as it stands on paper: points and rates with two places, nothing for nothing."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:.2f}"
    return str(cell) if isinstance(cell, int) else as_words(cell)


def as_form_value(cell: Cell) -> str | int | Decimal | None:
    """Give a cell for a workbook: numbers as numbers, all else as words."""
    return cell if cell is None or isinstance(cell, int | Decimal) else as_words(cell)


def refuse_too_long(format_: str, count: int) -> None:
    """Refuse a table that is too long for paper; raises TooLongForPaperError."""
    if count > MAX_ROWS.get(format_, count):
        raise TooLongForPaperError


def _texts(sheet: Sheet) -> Iterator[list[str]]:
    return ([cell_words(cell) for cell in cells] for cells in sheet.rows)


def write_pdf(path: Path, sheet: Sheet, *, made_at: datetime, watermark: str, signatures: Sequence[str] = ()) -> None:
    """Write a sheet as PDF, A4, its head on every page."""
    layout = pdf.PLAIN if sheet.is_portrait else pdf.LANDSCAPE
    document = pdf.PdfDocument(title=sheet.title, made_at=made_at, layout=layout, watermark=watermark)
    document.title(sheet.title)
    for remark in sheet.remarks:
        document.paragraph(remark, size=9)
    heads = [
        pdf.Head(text=column.head, width=max(column.width, 2 * len(column.head) + 1), align="right" if column.is_number else "left")
        for column in sheet.columns
    ]  # fmt: skip
    document.table(heads, _texts(sheet), size=9)
    for line in sheet.closing:
        document.paragraph(line, size=9)
    if signatures:
        document.signatures([line for line in signatures if line])
    document.write(path)


def write_docx(path: Path, sheet: Sheet, *, watermark: str, signatures: Sequence[str] = ()) -> None:
    """Write a sheet as a Word document, its head on every page."""
    document = WordDocument(is_landscape=not sheet.is_portrait, watermark=watermark)
    document.title(sheet.title)
    for remark in sheet.remarks:
        document.paragraph(remark)
    document.table([(column.head, column.width, column.is_number) for column in sheet.columns], _texts(sheet))
    for line in (*sheet.closing, *signatures):
        document.paragraph(line)
    path.write_bytes(document.to_bytes())
