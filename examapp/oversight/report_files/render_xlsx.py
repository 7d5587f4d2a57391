"""Reports as spreadsheets: xlsx, one xlsx a unit in a zip, and csv, whose rows carry what stands above and below the table elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

from examapp.documents.spreadsheets import Cell, SheetColumn, write_csv, write_xlsx
from examapp.oversight.report_files.rules import TABLE_CONTENTS, ReportRenderer, ReportTable, file_name_of


def _write_xlsx(path: Path, table: ReportTable) -> None:
    write_xlsx(path, [replace(table.sheet, closing=[*table.sheet.closing, *table.signatures])])


def _write_csv(path: Path, table: ReportTable) -> None:
    columns = [*table.sheet.columns, *(SheetColumn(head=head) for head in table.row_stamp)]
    write_csv(path, columns, ([*cells, *table.row_stamp.values()] for cells in table.sheet.rows))


def _write_by_unit(path: Path, table: ReportTable) -> None:
    """Write a workbook for each unit below the table's own, with the people of its whole subtree; rows keep their order."""
    at = [column.head for column in table.sheet.columns].index("单位编码")
    rows_of: dict[str, list[Sequence[Cell]]] = defaultdict(list)
    for cells in table.sheet.rows:
        rows_of[table.part_of[str(cells[at])]].append(cells)
    with ZipFile(path, "w", ZIP_DEFLATED) as archive, TemporaryDirectory() as folder:
        for name, rows in rows_of.items():
            sheet = replace(
                table.sheet, rows=rows, title=f"{name}　{table.sheet.title}", closing=[f"共 {len(rows)} 人。"]
            )
            write_xlsx(file := Path(folder) / "part.xlsx", [sheet])
            archive.write(file, f"{file_name_of(name)}.xlsx")


XLSX = ReportRenderer(
    code="xlsx",
    label="Excel 表格（xlsx）",
    content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    contents=TABLE_CONTENTS,
    write_table=_write_xlsx,
)
ZIP = ReportRenderer(
    code="zip",
    label="每个单位一个 Excel（zip 压缩包）",
    content_type="application/zip",
    contents=frozenset({"scores", "absent"}),
    write_table=_write_by_unit,
    max_rows=50_000,
)
CSV = ReportRenderer(
    code="csv",
    label="文本表格（csv）",
    content_type="text/csv; charset=utf-8",
    contents=TABLE_CONTENTS - {"score_sheet"},
    write_table=_write_csv,
)
