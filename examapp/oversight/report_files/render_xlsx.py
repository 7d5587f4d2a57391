"""Reports as spreadsheets: xlsx, and csv, whose rows carry what stands above and below the table elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from examapp.documents.spreadsheets import SheetColumn, write_csv, write_xlsx
from examapp.oversight.report_files.rules import TABLE_CONTENTS, ReportRenderer, ReportTable


def _write_xlsx(path: Path, table: ReportTable) -> None:
    write_xlsx(path, [replace(table.sheet, closing=[*table.sheet.closing, *table.signatures])])


def _write_csv(path: Path, table: ReportTable) -> None:
    columns = [*table.sheet.columns, *(SheetColumn(head=head) for head in table.row_stamp)]
    write_csv(path, columns, ([*cells, *table.row_stamp.values()] for cells in table.sheet.rows))


XLSX = ReportRenderer(
    code="xlsx",
    label="Excel 表格（xlsx）",
    content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    contents=TABLE_CONTENTS,
    write_table=_write_xlsx,
)
CSV = ReportRenderer(
    code="csv",
    label="文本表格（csv）",
    content_type="text/csv; charset=utf-8",
    contents=TABLE_CONTENTS - {"score_sheet"},
    write_table=_write_csv,
)
