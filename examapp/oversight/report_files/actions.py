"""The files of figures: tables with title, definitions and as-of time, as xlsx and csv; no ID number, no mobile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from examapp.documents import docx as documents_docx
from examapp.documents.spreadsheets import Cell, Column, Sheet, write_csv, write_xlsx
from examapp.oversight.report_files import render_pdf
from examapp.oversight.report_files.queries import (
    TABLES,
    ReportSpec,
    mark_of,
    remarks,
    roster_words,
    stamp_of,
    whole_of,
)
from examapp.oversight.report_templates import render_docx as report_template_render_docx
from examapp.oversight.report_templates import render_xlsx as report_template_render_xlsx
from examapp.oversight.statistics.queries import counts_by_unit
from examapp.oversight.statistics_definitions.rules import CONTENT_NAMES, Counts, UnitRow, rollup

Progress = Callable[[int, int], None]
_STEP = 1000
"""Rows between two notes of progress."""


def write(session: Session, path: Path, order: ReportSpec, *, note_progress: Progress) -> int:
    """Write the file, people streamed in one query; gives the number of rows. Raises TooLongForPaperError."""
    counts = counts_by_unit(session, order.basis, order.wanted)
    if order.content == "circular":
        return write_circular(path, order, counts)
    table = TABLES[order.content](session, order, counts)
    render_pdf.refuse_too_long(order.format, table.total)
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
        render_pdf.write_pdf(path, sheet, made_at=made_at, watermark=order.watermark, signatures=table.signatures)
    elif order.format == "docx":
        render_pdf.write_docx(path, sheet, watermark=order.watermark, signatures=table.signatures)
    elif order.content == "score_sheet" and order.template is not None:
        path.write_bytes(_by_own_form(order, counts, rows))
    else:
        write_xlsx(path, [replace(sheet, closing=[*table.closing, *table.signatures])])
    return table.total


def _by_own_form(order: ReportSpec, counts: dict[int, Counts], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Fill the office's own workbook with the score sheet's rows; it is held in memory, so it has the limit of Word."""
    assert order.template is not None
    render_pdf.refuse_too_long("docx", whole_of(counts).roster)
    units = rollup(order.nodes, counts, depth=0)
    words = _words_of(order, units)
    people = [[render_pdf.as_form_value(cell) for cell in cells] for cells in rows]
    return report_template_render_xlsx.fill_form(order.template, words, people, mark=mark_of(order))


def _words_of(order: ReportSpec, rows: Sequence[UnitRow]) -> dict[str, Any]:
    roster, narrowed = roster_words(order.basis), order.narrowing.words
    return report_template_render_docx.words_of(
        order.basis, rows, issuer=order.issuer, roster_words=roster, narrowed=narrowed
    )


def write_circular(path: Path, order: ReportSpec, counts: dict[int, Counts]) -> int:
    """Write the circular (通报) on a unit as Word or PDF: the template with its figures; gives how many units it names."""
    rows = rollup(order.nodes, counts, depth=1)
    words = _words_of(order, rows)
    docx = report_template_render_docx.fill(order.template, words)
    if order.format == "pdf":
        path.write_bytes(report_template_render_docx.as_pdf(docx, made_at=order.basis.as_of, watermark=order.watermark))
    else:
        path.write_bytes(documents_docx.marked(docx, mark_of(order)))
    return len(rows)


def _tracked(rows: Iterable[Sequence[Cell]], total: int, note_progress: Progress) -> Iterator[Sequence[Cell]]:
    note_progress(0, total)
    for done, row in enumerate(rows, 1):
        if done % _STEP == 0:
            note_progress(done, total)
        yield row
