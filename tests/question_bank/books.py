"""Workbooks for tests, made cell by cell."""

from __future__ import annotations

import io

import xlsxwriter


def book(*sheets, merges=(), hidden=()):
    """The bytes of a workbook; each sheet is (name, rows), a merge is (sheet, first row, column, last row, last column, text)."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as workbook:
        for name, rows in sheets:
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if value not in {None, ""}:
                        sheet.write(number, column, value)
            if name in hidden:
                sheet.hide()
        for name, top, left, bottom, right, text in merges:
            workbook.get_worksheet_by_name(name).merge_range(top, left, bottom, right, text)
    return target.getvalue()
