"""What a format of reports is: one renderer object; the registry is `actions.RENDERERS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from examapp.documents.spreadsheets import Cell, Sheet, as_words
from examapp.errors import DomainError

TABLE_CONTENTS = frozenset({"scores", "participation", "absent", "score_sheet"})


class TooLongForPaperError(DomainError):
    """More rows than a file of this format can have."""

    code = "too_long_for_paper"
    message = "人数太多，不宜做成一份可打印的文件。请选择 Excel 格式，或到下级单位分别导出。"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """A table to write: the sheet, the signature lines below it, and what each row says at its end where only rows are kept."""

    sheet: Sheet
    signatures: Sequence[str] = ()
    row_stamp: Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circular:
    """A circular (通报) to write: the filled Word template."""

    docx: bytes
    made_at: datetime
    watermark: str
    header: str
    """The line at the head of each page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """One format of reports."""

    code: str
    """Also the suffix of file names."""
    label: str
    content_type: str
    contents: frozenset[str]
    """Keys of `CONTENT_NAMES` that the format can hold."""
    write_table: Callable[[Path, ReportTable], None]
    write_circular: Callable[[Path, Circular], None] | None = None
    max_rows: int | None = None

    def ensure_fits(self, count: int) -> None:
        """Raise TooLongForPaperError when a table has more rows than the format can have."""
        if self.max_rows is not None and count > self.max_rows:
            raise TooLongForPaperError


def cell_text(cell: Cell) -> str:
    """Return a cell as printed: points and rates with two places, nothing for None."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:.2f}"
    return str(cell) if isinstance(cell, int) else as_words(cell)


def form_value(cell: Cell) -> str | int | Decimal | None:
    """Return a cell for a workbook: numbers as numbers, all else as text."""
    return cell if cell is None or isinstance(cell, int | Decimal) else as_words(cell)


def iter_texts(sheet: Sheet) -> Iterator[list[str]]:
    """Iterate over the rows as printed."""
    return ([cell_text(cell) for cell in cells] for cells in sheet.rows)
