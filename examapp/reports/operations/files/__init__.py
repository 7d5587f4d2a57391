"""The files of figures: tables with title, definitions and as-of time, as xlsx and csv; no ID number, no mobile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from examapp.core import word_documents
from examapp.core.spreadsheets import Cell, Column, Sheet, write_csv, write_xlsx
from examapp.reports.operations import circular, printing, sheet_form
from examapp.reports.operations.files.orders import Order, file_name, mark_of, remarks, roster_words, stamp_of
from examapp.reports.operations.files.tables import (
    TABLES,
    band_words,
    sheet_remark,
    status_words,
    totals_words,
    whole_of,
)
from examapp.reports.queries.figures import counts_by_unit
from examapp.reports.rules import CONTENT_NAMES, Counts, UnitRow, rollup

__all__ = [
    "Order",
    "band_words",
    "file_name",
    "remarks",
    "roster_words",
    "sheet_remark",
    "status_words",
    "totals_words",
    "write",
]

Progress = Callable[[int, int], None]
_STEP = 1000
"""Rows between two notes of progress."""


def write(session: Session, path: Path, order: Order, *, note_progress: Progress) -> int:
    """Write the file, people streamed in one query; gives the number of rows. Raises TooLongForPaperError."""
    counts = counts_by_unit(session, order.basis, order.wanted)
    if order.content == "circular":
        return write_circular(path, order, counts)
    table = TABLES[order.content](session, order, counts)
    printing.refuse_too_long(order.format, table.total)
    rows = _tracked(table.rows, table.total, note_progress)
    sheet = Sheet(
        name=CONTENT_NAMES[order.content],
        columns=table.columns,
        rows=rows,
        title=f"{order.basis.exam.title}{CONTENT_NAMES[order.content]}",
        remarks=remarks(order.basis, order.nodes[0].name, order.narrowing.words),
        closing=table.closing,
        is_portrait=table.is_portrait,
        watermark=order.watermark,
        made_at=order.basis.as_of,
    )
    if order.format == "csv":
        stamp = stamp_of(order)
        columns = [*table.columns, *(Column(head=head) for head in stamp)]
        write_csv(path, columns, ([*cells, *stamp.values()] for cells in rows))
    elif order.format == "pdf":
        made_at = order.basis.as_of
        printing.write_pdf(path, sheet, made_at=made_at, watermark=order.watermark, signatures=table.signatures)
    elif order.format == "docx":
        printing.write_docx(path, sheet, watermark=order.watermark, signatures=table.signatures)
    elif order.content == "score_sheet" and order.template is not None:
        path.write_bytes(_by_own_form(order, counts, rows))
    else:
        write_xlsx(path, [replace(sheet, closing=[*table.closing, *table.signatures])])
    return table.total


def _by_own_form(order: Order, counts: dict[int, Counts], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Fill the office's own workbook with the score sheet's rows; it is held in memory, so it has the limit of Word."""
    assert order.template is not None
    printing.refuse_too_long("docx", whole_of(counts).roster)
    units = rollup(order.nodes, counts, depth=0)
    words = _words_of(order, units)
    people = [[printing.as_form_value(cell) for cell in cells] for cells in rows]
    return sheet_form.fill_form(order.template, words, people, mark=mark_of(order))


def _words_of(order: Order, rows: Sequence[UnitRow]) -> dict[str, Any]:
    roster, narrowed = roster_words(order.basis), order.narrowing.words
    return circular.words_of(order.basis, rows, issuer=order.issuer, roster_words=roster, narrowed=narrowed)


def write_circular(path: Path, order: Order, counts: dict[int, Counts]) -> int:
    """Write the circular (通报) on a unit as Word or PDF: the template with its figures; gives how many units it names."""
    rows = rollup(order.nodes, counts, depth=1)
    words = _words_of(order, rows)
    docx = circular.fill(order.template, words)
    if order.format == "pdf":
        path.write_bytes(circular.as_pdf(docx, made_at=order.basis.as_of, watermark=order.watermark))
    else:
        path.write_bytes(word_documents.marked(docx, mark_of(order)))
    return len(rows)


def _tracked(rows: Iterable[Sequence[Cell]], total: int, note_progress: Progress) -> Iterator[Sequence[Cell]]:
    note_progress(0, total)
    for done, row in enumerate(rows, 1):
        if done % _STEP == 0:
            note_progress(done, total)
        yield row
