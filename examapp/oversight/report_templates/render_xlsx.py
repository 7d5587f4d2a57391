"""The score sheet (成绩汇总表) by the office's own workbook: named places in its cells, one row repeated for everybody."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from examapp.documents.office_templates import open_workbook, rejecting_what_cannot_be_filled, same_bytes

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet


PLACE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_MAX_HEAD = 230
"""Excel takes 255 characters for all three parts of a head, with their letters."""
_MAX_MARK = 120
ROW_NAME = "行"
EVIDENCE_PLACE = "证据包"
"""Where the digest of the evidence pack stands; empty where none was made."""
ROW_PLACES = ("序号", "姓名", "单位", "职务", "成绩", "等次", "备注")


def shipped_form() -> bytes:
    """Give the score sheet's form that comes with the product, for changing."""
    from openpyxl import Workbook, styles

    book = Workbook()
    page: Any = book.active
    page.title = "成绩汇总表"
    line = styles.Side(style="thin")
    page.append(["{{ 考试名称 }}成绩汇总表"])
    page.append(["单位：{{ 单位 }}　统计范围：{{ 口径 }}　统计时间：{{ 统计时间 }}　名册：{{ 名册 }}"])
    page.append(list(ROW_PLACES))
    page.append([f"{{{{ {ROW_NAME}.{name} }}}}" for name in ROW_PLACES])
    page.append(
        [
            "应考 {{ 应考 }} 人，参考 {{ 参考 }} 人，参考率 {{ 参考率 }}，合格率 {{ 合格率 }}，优秀率 {{ 优秀率 }}，平均分 {{ 平均分 }}。"
        ]
    )
    page.append([f"{{{{ {EVIDENCE_PLACE} }}}}"])
    page.append(["填表人：　　　　　　　　　　单位负责人（签字）："])
    page.append(["单位（盖章）：　　　　　　　　　　　　年　　月　　日"])
    for row in (1, 2, 5, 6, 7, 8):
        page.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(ROW_PLACES))
        page.cell(row, 1).alignment = styles.Alignment(horizontal="center" if row == 1 else "left", wrap_text=True)
        page.row_dimensions[row].height = 34
    page.cell(1, 1).font = styles.Font(size=16, bold=True)
    for row in (3, 4):
        for column, width in enumerate((6, 12, 26, 14, 9, 9, 18), 1):
            page.cell(row, column).border = styles.Border(left=line, right=line, top=line, bottom=line)
            page.cell(row, column).font = styles.Font(bold=row == 3)
            page.column_dimensions[page.cell(row, column).column_letter].width = width
    page.page_setup.paperSize, page.page_setup.fitToHeight = 9, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = "3:3"
    return _saved(book)


def fill_form(form: bytes, text: Mapping[str, Any], people: Sequence[Sequence[Any]], *, mark: str = "") -> bytes:
    """Fill a form: words into its places, one row for everybody; a text never becomes a formula. `mark` stands at the head of each printed page."""
    book = open_workbook(form)
    with rejecting_what_cannot_be_filled():
        for page in book.worksheets:
            row = _people_row(page)
            if row is not None:
                _spread(page, row, max(len(people), 1))
                _fill_people(page, row, people)
            for cells in page.iter_rows():
                for cell in cells:
                    if isinstance(cell.value, str) and PLACE.search(cell.value):
                        _write(cell, PLACE.sub(lambda found: str(text.get(found[1], "")), cell.value))
            if mark:
                _mark_pages(page, mark)
        return _saved(book)


def _mark_pages(page: Worksheet, mark: str) -> None:
    """Write a mark into every head of a page, below the form's own words, which give way where both have no room."""
    heads: Any = (page.oddHeader, page.evenHeader, page.firstHeader)
    for head in heads:
        line, sides = mark.replace("&", "&&")[:_MAX_MARK], (head.left, head.right)
        room = _MAX_HEAD - len(line) - sum(len(side.text or "") for side in sides)
        own = (head.center.text or "").strip()
        head.center.text = f"{own}\n{line}" if own and len(own) < room else line


def _saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return same_bytes(buffer.getvalue())


def _people_row(page: Worksheet) -> int | None:
    for row in page.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and any(
                name.startswith(f"{ROW_NAME}.") for name in PLACE.findall(cell.value)
            ):
                return int(cell.row)
    return None


def _spread(page: Worksheet, row: int, count: int) -> None:
    """Make room for so many rows: what is below moves down, with its merged cells and heights."""
    added = count - 1
    if not added:
        return
    merged = [area for area in page.merged_cells.ranges if area.min_row > row]
    heights = {at: page.row_dimensions[at].height for at in range(row + 1, page.max_row + 1)}
    for area in merged:
        page.unmerge_cells(area.coord)
    page.insert_rows(row + 1, added)
    for area in merged:
        area.shift(row_shift=added)
        page.merge_cells(area.coord)
    for at in sorted(heights, reverse=True):
        page.row_dimensions[at + added].height = heights[at]
    for at in range(row + 1, row + added + 1):
        page.row_dimensions[at].height = page.row_dimensions[row].height
        for cell in page[row]:
            _copy_form(cell, page.cell(at, cell.column or 1))


def _copy_form(source: Any, target: Any) -> None:
    from openpyxl.cell.cell import MergedCell

    if isinstance(target, MergedCell):
        return
    target.value = source.value
    if source.has_style:
        target._style = copy.copy(source._style)  # noqa: SLF001 – openpyxl's own way to copy a cell's whole form


def _fill_people(page: Worksheet, row: int, people: Sequence[Sequence[Any]]) -> None:
    if not people:
        for cell in page[row]:
            if isinstance(cell.value, str) and PLACE.search(cell.value):
                _write(cell, PLACE.sub("", cell.value))
    for offset, values in enumerate(people):
        known = dict(zip(ROW_PLACES, values, strict=True))
        for cell in page[row + offset]:
            if isinstance(cell.value, str) and PLACE.search(cell.value):
                _fill_cell(cell, cell.value, known)


def _fill_cell(cell: Any, text: str, known: Mapping[str, Any]) -> None:
    """A cell that is one place alone takes a number as a number; else everything is text."""
    whole = PLACE.fullmatch(text.strip())
    value = known.get(whole[1].partition(".")[2]) if whole else None
    if whole and value is not None and not isinstance(value, str):
        cell.value = value
        return
    _write(cell, PLACE.sub(lambda found: _text(known.get(found[1].partition(".")[2])), text))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _write(cell: Any, text: str) -> None:
    cell.value = text or None
    if text:
        cell.data_type = "s"
