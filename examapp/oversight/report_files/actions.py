"""Write the files of reports: tables with title, definitions and as-of time, and circulars, in the formats of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from examapp.documents.spreadsheets import Cell, SheetLayout
from examapp.oversight.report_files import render_ods, render_pdf, render_xlsx
from examapp.oversight.report_files.queries import (
    TABLES,
    ReportSpec,
    evidence_notes,
    issuer_lines,
    mark_of,
    parts_of,
    remarks,
    roster_label,
    stamp_of,
    whole_of,
)
from examapp.oversight.report_files.rules import Circular, ReportTable, form_value
from examapp.oversight.report_templates import render_docx as report_template_render_docx
from examapp.oversight.report_templates import render_xlsx as report_template_render_xlsx
from examapp.oversight.statistics.queries import counts_by_unit
from examapp.oversight.statistics_definitions.rules import CONTENT_NAMES, TEMPLATE_FORMATS, Counts, UnitStatsRow, rollup

Progress = Callable[[int, int], None]
_STEP = 1000
"""Rows between two notes of progress."""
RENDERERS = {
    renderer.code: renderer
    for renderer in (
        render_xlsx.XLSX,
        render_xlsx.ZIP,
        render_xlsx.CSV,
        render_ods.ODS,
        render_pdf.PDF,
        render_pdf.DOCX,
    )
}
"""All formats of reports, in the order in which forms offer them. A new format is one module and its name here."""
FORMAT_LABELS = {renderer.code: renderer.label for renderer in RENDERERS.values()}


def formats_of(content: str) -> list[str]:
    """List the formats of a content, the one of the office's own template first; none for an unknown content."""
    codes = [renderer.code for renderer in RENDERERS.values() if content in renderer.contents]
    template_formats = TEMPLATE_FORMATS.get(content, ())[:1]
    return sorted(codes, key=lambda code: code not in template_formats)


def write(session: Session, path: Path, order: ReportSpec, *, note_progress: Progress) -> int:
    """Write the file, people streamed in one query; return the number of rows. Raises TooLongForPaperError."""
    counts = counts_by_unit(session, order.report_context, order.wanted)
    if order.request.content == "circular":
        return write_circular(path, order, counts)
    renderer = RENDERERS[order.request.format]
    table = TABLES[order.request.content](session, order, counts)
    renderer.ensure_fits(table.total)
    rows = _tracked(table.rows, table.total, note_progress)
    if order.template is not None:
        evidence = "；".join(evidence_notes(session, order.report_context))
        path.write_bytes(_fill_template(order, counts, rows, evidence=evidence))
        return table.total
    sheet = SheetLayout(
        name=CONTENT_NAMES[order.request.content],
        columns=table.columns,
        rows=rows,
        title=f"{order.report_context.exam.title}{CONTENT_NAMES[order.request.content]}",
        remarks=remarks(order.report_context, order.nodes[0], order.request.filters.text),
        closing=[*table.closing, *([] if table.signatures else issuer_lines(order))],
        is_portrait=table.is_portrait,
        watermark=order.watermark,
        made_at=order.report_context.as_of,
    )
    parts = parts_of(order.nodes)
    whole = ReportTable(sheet=sheet, signatures=table.signatures, row_stamp=stamp_of(order), part_of=parts)
    renderer.write_table(path, whole)
    return table.total


def _fill_template(
    order: ReportSpec, counts: dict[int, Counts], rows: Iterable[Sequence[Cell]], *, evidence: str
) -> bytes:
    """Fill the office's own workbook with the score sheet's rows; it is held in memory, so it has the limit of Word."""
    assert order.template is not None
    render_pdf.DOCX.ensure_fits(whole_of(counts).roster)
    units = rollup(order.nodes, counts, depth=0)
    text = _template_values(order, units) | {report_template_render_xlsx.EVIDENCE_PLACE: evidence}
    people = [[form_value(cell) for cell in cells] for cells in rows]
    return report_template_render_xlsx.fill_form(order.template, text, people, mark=mark_of(order))


def _template_values(order: ReportSpec, rows: Sequence[UnitStatsRow]) -> dict[str, Any]:
    roster, filter_label = roster_label(order.report_context, order.nodes[0]), order.request.filters.text
    return report_template_render_docx.text_of(
        order.report_context,
        rows,
        issuer=order.issuer,
        is_of_unit=order.is_of_unit,
        roster_label=roster,
        filter_label=filter_label,
    )


def write_circular(path: Path, order: ReportSpec, counts: dict[int, Counts]) -> int:
    """Write the circular (通报) on a unit as Word or PDF: the template with its figures; gives how many units it names."""
    rows = rollup(order.nodes, counts, depth=1)
    text = _template_values(order, rows)
    renderer = RENDERERS[order.request.format]
    assert renderer.write_circular is not None
    docx = report_template_render_docx.fill(order.template, text)
    circular = Circular(docx=docx, made_at=order.report_context.as_of, header=order.request.filters.text)
    renderer.write_circular(path, circular)
    return len(rows)


def _tracked(rows: Iterable[Sequence[Cell]], total: int, note_progress: Progress) -> Iterator[Sequence[Cell]]:
    note_progress(0, total)
    for done, row in enumerate(rows, 1):
        if done % _STEP == 0:
            note_progress(done, total)
        yield row
