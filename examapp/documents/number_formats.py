"""Show a number of a workbook's cell as its number format does."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

from examapp.documents.archives import Archive, UnreadableFileError
from examapp.documents.decoding import read_count
from examapp.documents.embedded_pictures import sheet_parts
from examapp.documents.safe_xml import parse_xml

_BUILT_IN = {1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?"} | {
    13: "# ??/??", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00", 48: "##0.0E+0",
}  # fmt: skip
"""The formats that a file names by number alone (ECMA-376 part 1, 18.8.30), dates and texts left out."""
_SECTIONS = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[])*(?:;|$)')
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<space>.)|\*.|\[\$(?P<currency>[^\]\-]*)[^\]]*\]'
    r"|\[(?P<condition>[^\]]*)\]|(?P<general>General|G/通用格式)|(?P<digits>[0#?][0#?,.]*|\.[0#?]+)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_COLOURS = re.compile(r"(?:black|blue|cyan|green|magenta|red|white|yellow|颜色|color)\s?\d*", re.IGNORECASE)
MAX_CODE = 255
"""Characters of a number format, as Excel limits them."""
_PLAIN = frozenset(" %+-()¥￥$€:,，。、")
_DATES = re.compile(r"[ymdhs]", re.IGNORECASE)


def code_of(number: int, custom: dict[int, str]) -> str:
    """Return the format's code where it shows a number otherwise than as it is; empty for texts, dates and plain numbers."""
    code = custom.get(number) or _BUILT_IN.get(number, "")
    bare = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]|_.|General', "", code, flags=re.IGNORECASE)
    return "" if code.lower() in {"", "general", "@"} or _DATES.search(bare) else code


def shown(value: float, code: str) -> ShownNumber:
    """Return a number as its format shows it, no digit rounded away; for an unsupported format the number itself, marked unsure."""
    sections = [part.rstrip(";") for part in _SECTIONS.findall(code) if part]
    place = 2 if value == 0 and len(sections) > 2 else 1 if value < 0 and len(sections) > 1 else 0
    text = _filled(abs(value) if place == 1 else value, sections[place] if sections else code)
    return ShownNumber(cell_text(value) if text is None else text.strip(), is_sure=text is not None)


def _filled(value: float, section: str) -> str | None:
    """Return the section with the number in its place; None where it says more than digits, signs and words."""
    tokens = list(_TOKEN.finditer(section)) if len(section) <= MAX_CODE else []
    if sum(1 for token in tokens if token["digits"] or token["general"]) != 1:
        return None
    number = Decimal(format(value, ".15g")) * 100 ** sum(1 for token in tokens if token["other"] == "%")
    pieces: list[str] = []
    for token in tokens:
        if token["condition"] is not None and not _COLOURS.fullmatch(token["condition"]):
            return None
        if token["other"] and not (token["other"] in _PLAIN or "\u4e00" <= token["other"] <= "\u9fff"):
            return None
        if token["general"]:
            pieces.append(format(number.normalize(), "f"))
        elif token["digits"]:
            digits = _digits(number, token["digits"])
            if digits is None:
                return None
            pieces.append(digits)
        else:
            pieces.append(token["quoted"] or token["escaped"] or token["currency"] or token["other"] or "")
    return "".join(pieces)


def _digits(number: Decimal, pattern: str) -> str | None:
    """Return the number by a pattern such as `#,##0.00`; None where its commas scale it by thousands."""
    whole, _, decimals = pattern.partition(".")
    if whole.endswith(",") or "," in decimals:
        return None
    number = number.normalize()
    exponent = number.as_tuple().exponent
    own = max(0, -exponent) if isinstance(exponent, int) else 0
    text = f"{number:,.{max(own, decimals.count('0'))}f}"
    text = text if "," in whole else text.replace(",", "")
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    before, dot, after = text.partition(".")
    return sign + before.rjust(whole.replace(",", "").count("0"), "0") + dot + after


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
    """Return the format's code of each style that shows numbers otherwise than as they are."""
    if _STYLES not in archive:
        return {}
    root = parse_xml(archive.read(_STYLES), what="工作簿")
    custom = {read_count(form.get("numFmtId"), -1): form.get("formatCode", "") for form in root.iter("{*}numFmt")}
    styles = [style.get("numFmtId", "0") for styles in root.iter("{*}cellXfs") for style in styles]
    codes = {place: code_of(read_count(number, -2), custom) for place, number in enumerate(styles)}
    return {place: code for place, code in codes.items() if code}


def _show(rows: list[list[object]], xml: bytes, codes: dict[int, str]) -> None:
    for match in _STYLED.finditer(xml):
        code = codes.get(int(match[3]))
        row, column = int(match[2]) - 1, column_number(match[1]) - 1
        if code is None or row >= len(rows) or column >= len(rows[row]):
            continue
        value = rows[row][column]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            rows[row][column] = shown(value, code)


def column_number(letters: bytes) -> int:
    """Return the number of a column, from 1, by its letters in a cell reference; 0 for none."""
    number = 0
    for sign in letters.upper():
        number = number * 26 + sign - 64
    return number


@dataclass(frozen=True, slots=True)
class ShownNumber:
    """A number as its cell shows it (`10%`); unsure where the cell's format is not supported."""

    text: str
    is_sure: bool


def cell_text(value: object) -> str:
    """Return the cell as a person sees it: `2` for 2.0, an ISO date for a date."""
    if value is None or value == "":
        return ""
    if isinstance(value, (str, ShownNumber)):
        return value.strip() if isinstance(value, str) else value.text
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return str(value)


def is_date(value: object) -> bool:
    """Return whether a spreadsheet program has made a date or a time of the cell."""
    return isinstance(value, (dt.date, dt.time, dt.timedelta))


def is_unsure_number(value: object) -> bool:
    """Return whether the cell has a number format that is not supported."""
    return isinstance(value, ShownNumber) and not value.is_sure
