"""Count what a file seems to hold, by signs that need no reading: held against the result, it tells of questions that vanished.

Nothing here uses a reader's code, so that a mistake there is not made twice. A count is None where a file gives no sign to count.
"""

import csv
import html
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from examapp.documents.pdf_pages import read_pdf_pages
from question_bank.model import ParseResult

MAX_HEAD = 10
"""Rows among which the head of a table is looked for."""
MAX_GAP = 4
"""Numbers may skip fewer than so many."""
_HEAD_STEM = re.compile(r"题干|题目|试题|问题|question|stem", re.IGNORECASE)
_HEAD_REST = re.compile(r"答案|选项|正确|题型|解析|分数|分值|难度|answer|option|key", re.IGNORECASE)
_NUMBERED = re.compile(
    r"\s*(?:第\s*)?(\d{1,4})\s*(?:题\s*[.．、:：)），]?|[.．、:：)），])(?=.*[\u4e00-\u9fff].*[\u4e00-\u9fff])"
)
_KEY_LINE = re.compile(
    r"\s*\d{1,4}\s*[.．、:：)）]?\s*(?:答案\s*[:：]?\s*)?(?:[A-H]{1,8}|正确|错误|[√×对错])(?![\u4e00-\u9fffA-Za-z])"
)
_FIRST_OPTION = re.compile(r"\s*(?:[(（]A[)）]|A\s*[.．、:：)）])")
_SECTION = re.compile(
    r"\s*(?:[一二三四五六七八九十]{1,3}\s*[、.．]|[(（][一二三四五六七八九十]{1,3}[)）]|第\s*\S{1,3}\s*(?:部分|章|节|单元|卷)|《[^》]+》\s*$)"
)
_ANSWERS = re.compile(
    r"\s*(?:[一二三四五六七八九十]{1,3}[、.．])?[【\[]?[^\s:：]{0,8}答案(?:[及与和、]?(?:解析|详解|评分标准))?(?:区|部分|汇总|表|一览)?[】\]]?\s*$"
)
"""The head of a section of answers; `答案：` is one question's own."""
_ITEM = re.compile(rb"<(?:\w+:)?(?:assessmentItem|qti-assessment-item)(?![\w-])")
_TEXT = re.compile(r"<w:t(?:\s[^>]*)?>([^<]*)</w:t>|<w:(?:br|tab)\b")


def take_census(result: ParseResult, content: bytes) -> ParseResult:
    """Return the result with what its file seems to hold beside what was found."""
    count = _COUNTS.get(result.format)
    if count is None:
        return result
    try:
        result.census = count(content)
    except (ValueError, KeyError, OSError, csv.Error, zipfile.BadZipFile, CalamineError):
        result.census = None
    return result


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "gb18030"):
        try:
            return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    return ""


def _count_pattern(pattern: str) -> Callable[[bytes], int | None]:
    """Return a count of a pattern in a text's lines."""
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda content: len(compiled.findall(_decoded(content))) or None


def _count_gift(content: bytes) -> int | None:
    """Count blocks between blank lines that hold braces, comments left out."""
    lines = (line for line in _decoded(content).split("\n") if not line.lstrip().startswith(("//", "$CATEGORY")))
    blocks = re.split(r"\n\s*\n", "\n".join(lines))
    return sum(re.search(r"(?<!\\)\{", block) is not None for block in blocks) or None


def _count_xml(pattern: bytes, *ends: str) -> Callable[[bytes], int | None]:
    """Return a count of a pattern in an XML file, or in all files of an archive whose names have such an end."""
    compiled = re.compile(pattern)

    def count(content: bytes) -> int | None:
        if not content.startswith(b"PK"):
            return len(compiled.findall(content)) or None
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(ends)]
            return sum(len(compiled.findall(archive.read(name))) for name in names) or None

    return count


def _count_rows(rows: Iterable[Sequence[object]]) -> int | None:
    """Count the rows with two filled cells below a head that names a question and something beside; None without such a head."""
    filled = [cells for row in rows if len(cells := [str(cell) for cell in row if str(cell).strip()]) > 1]
    for place, cells in enumerate(filled[:MAX_HEAD]):
        if any(map(_HEAD_STEM.search, cells)) and any(map(_HEAD_REST.search, cells)):
            return len(filled) - place - 1
    return None


_ROW = re.compile(r"<(?:\w+:)?(?:tr|table-row|Row)(?=[\s/>])")
_CELL = re.compile(r"<(?:\w+:)?(?:t[dh]|table-cell|Cell)(?=[\s/>])")
_LINE = re.compile(r"<(?:p|div|br|li|h\d)(?=[\s/>])")
_STEM_NAME = re.compile(r"题干|题目|试题|question|stem|title|content", re.IGNORECASE)


def _count_markup(content: bytes) -> int | None:
    """Count the rows of tables that are written in tags, one head for all; else the lines between paragraphs' tags."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("content.xml")
    text = re.sub(r"<(script|style)\b.*?</\1>", "", _decoded(content), flags=re.DOTALL | re.IGNORECASE)
    rows = ([_bare(f"<{cell}") for cell in _CELL.split(row)[1:]] for row in _ROW.split(text)[1:])
    found = _count_rows(rows)
    return found if found is not None else _count_lines(html.unescape(_bare(f"<{line}")) for line in _LINE.split(text))


def _bare(tagged: str) -> str:
    return re.sub(r"<[^<>]*>", "", tagged).strip()


def _count_json(content: bytes) -> int | None:
    """Count the records that hold a text under a name like that of a stem, and something beside it."""
    text = _decoded(content)
    try:
        values = [json.loads(text)]
    except ValueError:
        values = [json.loads(line) for line in text.split("\n") if line.strip()]
    count = 0
    while values:
        value = values.pop()
        values.extend(value if isinstance(value, list) else value.values() if isinstance(value, dict) else ())
        if isinstance(value, dict) and len(value) > 1:
            count += any(
                _STEM_NAME.search(name) and isinstance(one, str) and len(one) > 1 for name, one in value.items()
            )
    return count or None


def _count_csv(content: bytes) -> int | None:
    text = _decoded(content)
    lines = (csv.reader(io.StringIO(text, newline=""), delimiter=divider) for divider in ",\t;|")
    return max((found for one in lines if (found := _count_rows(one))), default=None)


def _count_workbook(content: bytes) -> int | None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    visible = [sheet.name for sheet in book.sheets_metadata if sheet.visible is SheetVisibleEnum.Visible]
    counts = [_count_rows(book.get_sheet_by_name(name).to_python()) for name in visible]
    return sum(count for count in counts if count) or None


def _count_text(content: bytes) -> int | None:
    return _count_lines(_decoded(content).split("\n"))


def _count_docx(content: bytes) -> int | None:
    """Count in a document's paragraphs; None where it holds a table, whose rows say nothing without a reader."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("word/document.xml").decode("utf-8", "replace")
    if "<w:tbl>" in xml or "<w:tbl " in xml:
        return None
    paragraphs = ("".join(match[1] or "\n" for match in _TEXT.finditer(part)) for part in xml.split("</w:p>"))
    return _count_lines(line for paragraph in paragraphs for line in paragraph.split("\n"))


def _count_pdf(content: bytes) -> int | None:
    """Count in the lines of all pages as they come, headers and page numbers among them."""
    return _count_lines(line for page in read_pdf_pages(content) for line in page.lines)


def _count_lines(lines: Iterable[str]) -> int | None:
    """Count first options, and lines with a number by the sequence of these; the larger is what a text seems to hold."""
    kept: list[str] = []
    options_at = 0
    for line in lines:
        kept.append(line)
        options_at = len(kept) if _FIRST_OPTION.match(line) else options_at
    answers = (place for place, line in enumerate(kept) if place >= options_at and _ANSWERS.match(line))
    body = kept[: next((place for place in answers if place), len(kept))]
    numbers = [0 if _SECTION.match(line) else int(match[1]) for line in body if (match := _mark_of(line))]
    options = sum(_FIRST_OPTION.match(line) is not None for line in kept)
    return max(options, _count_sequence(numbers)) or None


def _mark_of(line: str) -> re.Match[str] | None:
    """Return the match of a heading, or of a number that is not one of a list of keys."""
    return _SECTION.match(line) or (None if _KEY_LINE.match(line) else _NUMBERED.match(line))


def _count_sequence(numbers: Sequence[int]) -> int:
    """Count the numbers that follow each other; 0 is a heading, behind which they may begin again, and 1 may begin a list within a question."""
    ones = [place for place, number in enumerate(numbers) if number in {0, 1}]
    ends = dict(pairwise([*ones, len(numbers)]))
    count = last = 0
    for place, number in enumerate(numbers):
        if number == 0:
            is_restart = place + 1 < len(numbers) and numbers[place + 1] == 1
            last = 0 if is_restart else last
        elif number == last + 1 or (
            (number == 1 or last < number < last + MAX_GAP)
            and last + 1 not in numbers[place : ends.get(place, len(numbers))]
        ):
            count, last = count + 1, number
    return count


_COUNTS: dict[str, Callable[[bytes], int | None]] = {
    "examtext": _count_pattern(r"^##[ \t]+\S"),
    "aiken": _count_pattern(r"^[ \t]*(?i:ANSWER)[ \t]*[:：]"),
    "gift": _count_gift,
    "csv": _count_csv,
    "excel": _count_workbook,
    "text": _count_text,
    "docx": _count_docx,
    "pdf": _count_pdf,
    "moodle-xml": _count_xml(rb"<question\b[^>]*\btype\s*=\s*[\"'](?!category|description)", ".xml"),
    "qti-1.2": _count_xml(rb"<(?:\w+:)?item\s[^>]*\bident\s*=", ".xml", ".qti", ".dat"),
    "qti": _count_xml(_ITEM.pattern, ".xml"),
    **dict.fromkeys(("qti-2.1", "qti-2.2", "qti-3.0"), _count_xml(_ITEM.pattern, ".xml")),
    "blackboard-6": _count_xml(rb"<item\b", ".dat"),
    **dict.fromkeys(("ods", "spreadsheet-xml", "web-page"), _count_markup),
    "json": _count_json,
    "blackboard": _count_xml(rb"<QUESTION_[A-Z_]+\s+id\s*=", ".dat"),
}
"""By format: what is counted, without reading it."""
