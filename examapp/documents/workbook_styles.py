"""Find the cells of an Excel workbook that colour, fill, bold type or underlining sets apart."""

import re

from examapp.documents.archives import UnreadableFileError, open_archive
from examapp.documents.embedded_pictures import sheet_parts
from examapp.documents.number_formats import column_number
from examapp.documents.safe_xml import Element, parse_xml

_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*)>")
_REFERENCE, _STYLE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"'), re.compile(rb'\bs="(\d{1,5})"')
_BLACK = frozenset({"FF000000", "00000000", "000000"})
_WHITE = frozenset({"FFFFFFFF", "00FFFFFF", "FFFFFF"})

StyledCells = dict[str, dict[str, set[tuple[int, int]]]]
"""By style and by sheet the cells that have it, row and column from 0."""


def styled_cells(content: bytes) -> StyledCells:
    """Return the cells of an .xlsx workbook by how they are set apart: `color`, `highlight` (filled), `bold`, `underline`."""
    archive = open_archive(content)
    if "xl/styles.xml" not in archive:
        return {}
    by_format = _formats(parse_xml(archive.read("xl/styles.xml"), what="Excel 文件"))
    if not any(by_format):
        return {}
    found: StyledCells = {}
    try:
        parts = sheet_parts(archive)
    except UnreadableFileError:
        return {}
    for sheet, part in parts.items():
        for cell in _CELL.finditer(archive.read(part)) if part in archive else ():
            place, style = _REFERENCE.search(cell[1]), _STYLE.search(cell[1])
            if place is None or style is None or int(style[1]) >= len(by_format):
                continue
            at = int(place[2]) - 1, column_number(place[1]) - 1
            for name in by_format[int(style[1])]:
                found.setdefault(name, {}).setdefault(sheet, set()).add(at)
    return found


def _formats(styles: Element) -> list[frozenset[str]]:
    """Return for each format of cells how it sets them apart."""
    fonts = [_font(font) for font in styles.iterfind("{*}fonts/{*}font")]
    fills = [_fill(fill) for fill in styles.iterfind("{*}fills/{*}fill")]
    found: list[frozenset[str]] = []
    for cells in styles.iterfind("{*}cellXfs/{*}xf"):
        font, fill = (
            int(number) if (number := cells.get(name, "")).isdecimal() else 0 for name in ("fontId", "fillId")
        )
        found.append(
            (fonts[font] if font < len(fonts) else frozenset()) | (fills[fill] if fill < len(fills) else frozenset())
        )
    return found


def _font(font: Element) -> frozenset[str]:
    found: set[str] = set()
    color = font.find("{*}color")
    if color is not None and (color.get("rgb", "FF000000") not in _BLACK or color.get("theme", "1") not in {"0", "1"}):
        found.add("color")
    for name, style in (("b", "bold"), ("u", "underline")):
        mark = font.find(f"{{*}}{name}")
        if mark is not None and mark.get("val", "1") not in {"0", "false", "none"}:
            found.add(style)
    return frozenset(found)


def _fill(fill: Element) -> frozenset[str]:
    pattern = fill.find("{*}patternFill")
    color = pattern.find("{*}fgColor") if pattern is not None else None
    is_filled = pattern is not None and pattern.get("patternType") == "solid" and color is not None
    return (
        frozenset({"highlight"})
        if is_filled and color is not None and color.get("rgb", "") not in _WHITE
        else frozenset()
    )
