"""Reports on paper: the same table that becomes a spreadsheet, as PDF and as Word, with its definitions, totals and signature lines."""

from __future__ import annotations

from pathlib import Path

from examapp.oversight.report_files.rules import TABLE_CONTENTS, Circular, ReportRenderer, ReportTable, iter_texts
from examapp.oversight.report_templates.render_docx import as_pdf

_CONTENTS = TABLE_CONTENTS - {"scores"} | {"circular"}


def _write_pdf(path: Path, table: ReportTable) -> None:
    """Write a table as PDF, A4, its header on every page."""
    from examapp.documents import pdf

    sheet = table.sheet
    assert sheet.made_at is not None
    layout = pdf.PLAIN if sheet.is_portrait else pdf.LANDSCAPE
    document = pdf.PdfDocument(title=sheet.title, made_at=sheet.made_at, layout=layout, footnote=sheet.watermark)
    document.title(sheet.title)
    for remark in sheet.remarks:
        document.paragraph(remark, size=9)
    heads = [
        pdf.PdfColumn(text=column.head, width=max(column.width, 2 * len(column.head) + 1), align="right" if column.is_number else "left")
        for column in sheet.columns
    ]  # fmt: skip
    document.table(heads, iter_texts(sheet), size=9)
    for line in sheet.closing:
        document.paragraph(line, size=9)
    if table.signatures:
        document.signatures([line for line in table.signatures if line])
    document.write(path)


def _write_docx(path: Path, table: ReportTable) -> None:
    """Write a table as a Word document, its header on every page."""
    from examapp.documents.docx import WordDocument

    sheet = table.sheet
    document = WordDocument(is_landscape=not sheet.is_portrait, watermark=sheet.watermark)
    document.title(sheet.title)
    for remark in sheet.remarks:
        document.paragraph(remark)
    document.table([(column.head, column.width, column.is_number) for column in sheet.columns], iter_texts(sheet))
    for line in (*sheet.closing, *table.signatures):
        document.paragraph(line)
    path.write_bytes(document.to_bytes())


def _write_circular_pdf(path: Path, circular: Circular) -> None:
    path.write_bytes(as_pdf(circular.docx, made_at=circular.made_at))


def _write_circular_docx(path: Path, circular: Circular) -> None:
    from examapp.documents.docx import marked

    path.write_bytes(marked(circular.docx, circular.header))


PDF = ReportRenderer(
    code="pdf",
    label="PDF（打印、盖章）",
    content_type="application/pdf",
    contents=_CONTENTS,
    write_table=_write_pdf,
    write_circular=_write_circular_pdf,
    max_rows=20_000,
)
DOCX = ReportRenderer(
    code="docx",
    label="Word 文档（docx）",
    content_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    contents=_CONTENTS,
    write_table=_write_docx,
    write_circular=_write_circular_docx,
    max_rows=3_000,
)
