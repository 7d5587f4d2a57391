"""The empty workbook that a person fills in, with a sheet that explains every column."""

from __future__ import annotations

import io

import xlsxwriter

from question_bank.formats.excel.workbook import MAX_ROWS
from question_bank.formats.excel.writing import PART_NAMES, SAFE, SHEET, columns
from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import DIFFICULTY_NAMES, Kind

_HELP = (
    ("编号", "可不填。案例题要填，小题靠它找到自己的案例。", "A-001"),
    ("题型", "必填。单选题、多选题、判断题、填空题、简答题、案例题；案例的小题写“案例-单选”等。", "单选题"),
    (
        "题干",
        "必填。填空题用两个以上的下划线 ____ 表示一个空。案例题在这里写案例材料。",
        "行政处罚由____的行政机关管辖。",
    ),
    ("选项A 至 选项H", "单选题、多选题必填，从 A 起连续填写，中间不要空。判断题可不填。", "三日"),
    (
        "答案",
        "必填。选择题写字母，如 A 或 ACD；判断题写“正确”或“错误”；填空题每个空一行，同一个空有几种写法用 | 隔开；简答题写参考答案。",
        "ACD",
    ),
    ("解析", "可不填。为什么对，为什么错。", ""),
    ("难度", "可不填。易、中、难。", "中"),
    ("知识点", "可不填。几个知识点用；隔开。", "行政处罚程序"),
    ("法律", "可不填。法律全称，不加书名号。", "中华人民共和国行政处罚法"),
    ("条文", "可不填。", "第六十条"),
    ("法律版本", "可不填。所依据版本的日期。", "2021-01-22"),
    ("分值", "可不填。数字，最多两位小数。", "2"),
    ("标签", "可不填。几个标签用；隔开。", "新法；重点"),
    ("所属案例", "只有案例的小题填：它所属案例题的编号。", "A-001"),
)
_NOTES = (
    "一行一道题，表头一行请不要改动，不需要的列可以留空。",
    "案例题先写一行“案例题”（题干写材料），下面各行写它的小题。",
    f"一个文件最多 {MAX_ROWS} 行；更多请分成几个文件。",
    "单元格里只写文字，不写公式；图片不能用 Excel 导入。",
)


def template() -> bytes:
    """The bytes of the template: the empty question sheet with choices for kind and difficulty, and the help sheet."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, **SAFE}) as book:
        bold = book.add_format({"bold": True, "num_format": "@"})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(SHEET)
        for index, head in enumerate(columns()):
            sheet.write_string(0, index, head, bold)
            sheet.set_column(index, index, 40 if head in {"题干", "解析"} else 14, text)
        sheet.freeze_panes(1, 0)
        names = [*KIND_NAMES.values(), *(name for kind, name in PART_NAMES.items() if kind is not Kind.CASE)]
        _offer(sheet, columns().index("题型"), names)
        _offer(sheet, columns().index("难度"), list(DIFFICULTY_NAMES.values()))
        _write_help(book.add_worksheet("填写说明"), bold, text)
    return target.getvalue()


def _offer(sheet: xlsxwriter.worksheet.Worksheet, column: int, names: list[str]) -> None:
    rule = {"validate": "list", "source": names, "error_type": "warning", "error_message": "请从下拉框里选择。"}
    sheet.data_validation(1, column, MAX_ROWS - 1, column, rule)


def _write_help(
    sheet: xlsxwriter.worksheet.Worksheet, bold: xlsxwriter.format.Format, text: xlsxwriter.format.Format
) -> None:
    for index, (head, width) in enumerate((("列名", 16), ("怎么填", 70), ("例子", 30))):
        sheet.write_string(0, index, head, bold)
        sheet.set_column(index, index, width, text)
    for row, cells in enumerate(_HELP, 1):
        for index, cell in enumerate(cells):
            sheet.write_string(row, index, cell, text)
    for row, note in enumerate(_NOTES, len(_HELP) + 2):
        sheet.write_string(row, 0, note)
