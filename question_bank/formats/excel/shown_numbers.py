"""The numbers of a workbook's cells replaced by what their cells show, where the two differ."""

from __future__ import annotations

import re

from question_bank.formats.excel.number_formats import code_of, shown
from question_bank.formats.excel.pictures import sheet_parts
from question_bank.formats.safety import Archive
from question_bank.formats.xml_safety import parse_xml
from question_bank.parse_result import UnreadableFileError

_STYLES = "xl/styles.xml"
_STYLED = re.compile(
    rb"""<(?:\w+:)?c\b(?=[^>]*?\sr\s*=\s*["']([A-Z]{1,3})(\d{1,7})["'])(?=[^>]*?\ss\s*=\s*["'](\d{1,6})["'])[^>]*>"""
)


def show_numbers(archive: Archive, rows: dict[str, list[list[object]]]) -> None:
    """Put into the rows of each sheet, by its name, the numbers as their cells show them."""
    try:
        codes = _codes(archive)
        parts = sheet_parts(archive) if codes else {}
    except UnreadableFileError:
        return
    for name, part in parts.items():
        if name in rows and part in archive:
            _show(rows[name], archive.read(part), codes)


def _codes(archive: Archive) -> dict[int, str]:
    """The format's code of each style that shows numbers otherwise than as they are."""
    if _STYLES not in archive:
        return {}
    root = parse_xml(archive.read(_STYLES), what="工作簿")
    custom = {
        int(form.get("numFmtId", "")): form.get("formatCode", "")
        for form in root.iter("{*}numFmt")
        if form.get("numFmtId", "").isdigit()
    }
    styles = [style.get("numFmtId", "0") for styles in root.iter("{*}cellXfs") for style in styles]
    codes = {place: code_of(int(number), custom) for place, number in enumerate(styles) if number.isdigit()}
    return {place: code for place, code in codes.items() if code}


def _show(rows: list[list[object]], xml: bytes, codes: dict[int, str]) -> None:
    for match in _STYLED.finditer(xml):
        code = codes.get(int(match[3]))
        row, column = int(match[2]) - 1, _column(match[1])
        if code is None or row >= len(rows) or column >= len(rows[row]):
            continue
        value = rows[row][column]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            rows[row][column] = shown(value, code)


def _column(letters: bytes) -> int:
    number = 0
    for sign in letters:
        number = number * 26 + sign - 64
    return number - 1
