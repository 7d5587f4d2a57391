"""Count what a file seems to hold, by signs that need no reading: held against the result, it tells of questions that vanished.

Nothing here uses a reader's code, so that a mistake there is not made twice. A count is None where a file gives no sign to count.
"""

import csv
import html
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, takewhile

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from examapp.documents.pdf_pages import read_pdf_pages
from question_bank.formats.census_tables import bare, count_markup, count_rows, is_head_again, is_stem_name
from question_bank.model import ParseResult

MAX_GAP = 4
"""Numbers may skip fewer than so many."""
_SIGNS = re.compile(r"^[\s#>*•·-]+|\*\*")
"""What Markdown puts before and around a line's words."""
_NUMBERED = re.compile(
    r"(?:[(【\[<][^()【】\[\]<>]{0,8}[)】\]>]\s*)?(?:第\s*(?P<word>\d{1,4})\s*[道小]?题|[(【\[]\s*(?:第\s*)?(?P<boxed>\d{1,4})\s*题?\s*[)】\]]"
    r"|(?:Q|[\u4e00-\u9fff]{1,5})\s*(?P<named>\d{1,4})\s*[.:、。]|(?P<plain>\d{1,4})\s*(?:[.、:,。)]|(?=[(【\[<]))|(?P<bare>\d{1,4})\s+(?=\S))"
    r"(?=.*[\u4e00-\u9fff].*[\u4e00-\u9fff])"
)
"""A line with a number before words, in half width; a file writes its numbers in one of these ways."""
_KEY_LINE = re.compile(
    r"\d{1,4}\s*[.、:)]?\s*(?:答案\s*:?\s*)?(?:[A-H]{1,8}|正确|错误|[√×对错])(?![\u4e00-\u9fffA-Za-z])"
)
_FIRST_OPTION = re.compile(
    r"(?:[(\[【]A[)\]】]|A\s*[.、:),](?!\s*B\s*[、,])|A选项|选项A|A\s{1,4}(?=[\u4e00-\u9fff\d]))"
)
_LABEL = re.compile(
    r"(?:^|(?<=[\s)】\].。?]))[【\[(〖]?\s*(?:正确|参考|标准|本题)?(?:答\s*案|正确选项)(?!\s*(?:解析|详解|[及与和]))\s*[】\])〗]?\s*(?::|为|是|\s)*(?=[^\s:)\]】〗])(?!1\s*[.、)][^、.]*2\s*[.、)])"
)
"""The label of one question's answer, before that answer."""
_BEGINS_ANSWER = re.compile(r"[【\[(〖]\s*(?:正确|参考|标准|本题)?答\s*案")
_STEM_LABEL = re.compile(
    r"(?:【(?:题干|题目|试题|题目内容|试题内容)】|(?:题干|题目|试题|题目内容|试题内容|试题题干)\s*:)"
)
_REASON = re.compile(r"[【\[〖]?\s*(?:答案|试题)?(?:解\s*析|详解|分析|点评)\s*[】\]〗]?\s*:?")
_SECTION = re.compile(
    r"(?:[一二三四五六七八九十]{1,3}\s*[、.:]|[(][一二三四五六七八九十]{1,3}[)]|第\s*\S{1,3}\s*(?:部分|章|节|单元|卷)|《[^》]+》\s*$)"
)
_KIND = re.compile(
    r"[^\w]*(?:[一二三四五六七八九十]{1,3}[、.:\s]\s*|[(][一二三四五六七八九十]{1,3}[)]|第\s*\S{1,3}\s*部分\s*:?|《[^》]+》)?\s*[【]?(?:单项|多项|不定项)?(?:[单多]选|选择|判断|填空|简答|问答|论述|名词解释|案例|材料|排序)\S{0,4}题?[^。?!]{0,40}$"
)
"""A heading that names a kind of question: numbers begin again below it, or go on."""
_ANSWERS = re.compile(
    r"(?:[一二三四五六七八九十]{1,3}[、.]|第\s*\S{1,3}\s*部分[、.:]?\s*)?(?:附\s*:?\s*)?[【\[]?[^\s:]{0,8}答案(?:[及与和、]?(?:解析|详解|评分标准))?(?:区|部分|汇总|表|一览)?[】\]]?\s*$"
)
"""The head of a section of answers, or a label alone on its line; `答案：` is one question's own."""
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


_LINE = re.compile(r"<(?:p|div|br|li|h\d)(?=[\s/>])")
_OPTIONS_NAME = re.compile(r"option|choice|选项|备选|^answers?$", re.IGNORECASE)
"""Names of what holds a record's options, which are no records of questions."""
_STEM_NAME = re.compile(r"题干|题目|试题|question|stem|statement|content|instruction|^q$", re.IGNORECASE)
_WEAK_STEM_NAME = re.compile(r"title|text|topic|prompt|problem|问题", re.IGNORECASE)
"""Names of a stem where an answer or options stand beside: a bank has a title too."""
_KEY_NAME = re.compile(r"answer|correct|output|option|choice|答案|选项|^[a-d]$", re.IGNORECASE)


def _count_markup(content: bytes) -> int | None:
    """Count the rows of tables that are written in tags, one head for all; else the lines between paragraphs' tags."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("content.xml")
    text = re.sub(r"<(script|style)\b.*?</\1>", "", _decoded(content), flags=re.DOTALL | re.IGNORECASE)
    found = count_markup(text)
    return found if found is not None else _count_lines(html.unescape(bare(f"<{line}")) for line in _LINE.split(text))


def _count_json(content: bytes) -> int | None:
    """Count the records that hold a text under a name like that of a stem, and something beside it."""
    text = re.sub(r"^[^\[{=]{0,60}=\s*(?=[\[{])|;\s*$", "", _decoded(content))
    try:
        values = [json.loads(text)]
    except ValueError:
        values = [json.loads(line) for line in text.split("\n") if line.strip()]
    count = 0
    while values:
        value = values.pop()
        if isinstance(value, dict):
            values.extend(one for name, one in value.items() if not _OPTIONS_NAME.search(name))
        values.extend(value if isinstance(value, list) else ())
        if isinstance(value, dict) and len(value) > 1:
            texts = [name for name, one in value.items() if isinstance(one, str) and len(one) > 1]
            texts = [name for name in texts if not name.lower().startswith("option")]
            is_keyed = any(map(_KEY_NAME.search, value))
            count += any(_STEM_NAME.search(name) or (is_keyed and _WEAK_STEM_NAME.search(name)) for name in texts)
    return count or None


def _count_csv(content: bytes) -> int | None:
    text = _decoded(content)
    lines = (csv.reader(io.StringIO(text, newline=""), delimiter=divider) for divider in ",\t;|")
    return max((found for one in lines if (found := count_rows(one))), default=None)


def _count_workbook(content: bytes) -> int | None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    visible = [sheet.name for sheet in book.sheets_metadata if sheet.visible is SheetVisibleEnum.Visible]
    sheets = [book.get_sheet_by_name(name).to_python() for name in visible]
    counts = [count_rows(rows) for rows in sheets]
    if not any(counts) and all(sum(cell != "" for cell in row) < 2 for rows in sheets for row in rows):
        return _count_lines(str(cell) for rows in sheets for row in rows for cell in row if cell != "")
    return sum(count for count in counts if count) or None


def _count_text(content: bytes) -> int | None:
    return _count_lines(_decoded(content).split("\n"))


def _count_docx(content: bytes) -> int | None:
    """Count the rows of tables that have a head, and the lines of all else; None where tables stand within tables."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("word/document.xml").decode("utf-8", "replace")
    rows, lines = 0, list[str]()
    for place, part in enumerate(re.split(r"<w:tbl(?=[\s>])|</w:tbl>", xml)):
        cells = [
            [_paragraphs(cell) for cell in row.split("<w:tc>")[1:]] for row in re.split(r"<w:tr(?=[\s>])", part)[1:]
        ]
        if cells and place % 2 == 0:
            return None
        found = count_rows([["".join(cell) for cell in row] for row in cells])
        upright = sum(bool(row) and is_stem_name("".join(row[0])) for row in cells)
        rows += found or upright
        lines += [] if found or upright else _paragraphs(part)
    if "<w:numPr>" in xml and not any(map(_number_of, lines)):
        return rows or None  # Word counts the paragraphs: their numbers are not in the text
    return (rows + (_count_lines(lines) or 0)) or None


def _paragraphs(xml: str) -> list[str]:
    """Return the lines of paragraphs of Word."""
    texts = ("".join(match[1] or "\n" for match in _TEXT.finditer(part)) for part in xml.split("</w:p>"))
    return [line for text in texts for line in text.split("\n") if line.strip()]


def _count_pdf(content: bytes) -> int | None:
    """Count the rows of tables that rules divide, and in the lines of all pages as they come, headers and page numbers among them."""
    pages = read_pdf_pages(content)
    pieces = [table.rows if table.rows[0][0] else table.rows[1:] for page in pages for table in page.tables]
    rows = count_rows(row for piece in pieces for row in piece)
    cells = (
        [line for piece in pieces for row in piece for cell in row for line in cell.split("\n")] if rows is None else []
    )
    lines = [line for page in pages for line in page.lines if not is_head_again(re.split(r"\s{2,}", line))]
    return ((rows or 0) + (_count_lines([*lines, *cells]) or 0)) or None


def _count_lines(lines: Iterable[str]) -> int | None:
    """Count questions by their numbers, in that way of writing numbers which has most; without numbers, by options, answers and named stems.

    From one number to the next stands at least one question, and as many as there are first options or labelled answers: so one without a
    number is counted too.
    """
    kept = [_SIGNS.sub("", unicodedata.normalize("NFKC", line)).strip() for line in lines]
    kept = kept[: _body_end(kept)]
    ways = {way for line in kept if (match := _number_of(line)) for way in match.groupdict() if match[way]}
    stems = sum(_STEM_LABEL.match(line) is not None for line in kept)
    starts = [_starts(kept, way) for way in ways or {""}]
    max_count = max(map(len, starts))
    return max(_count_spans(kept, one) for one in starts if len(one) == max_count) or stems or None


def _body_end(lines: Sequence[str]) -> int:
    """Return where a section of answers begins: its head stands behind the last options, and at most twice, as a question's label would not."""
    options = max((place for place, line in enumerate(lines) if _FIRST_OPTION.match(line)), default=0)
    heads = [place for place, line in enumerate(lines) if place > options and _ANSWERS.match(line)]
    labels = [place for place, line in enumerate(lines) if place > options and _ANSWERS.match(line.removesuffix(":"))]
    below = next(filter(None, lines[labels[0] + 1 :]), "") if len(labels) == 1 else ""
    if labels and re.match(r"\D{0,3}1\s*[.、:)]|(?:题\s*号|序\s*号)\s+1\s", below):
        return labels[0]
    return heads[0] if 0 < len(heads) <= 2 else len(lines)


def _number_of(line: str) -> re.Match[str] | None:
    return None if _KEY_LINE.match(line) or _BEGINS_ANSWER.match(line) else _NUMBERED.match(line)


def _count_spans(lines: Sequence[str], starts: Sequence[int]) -> int:
    """Count the questions between the starts: those before the first, and one or more from each to the next."""
    count = 0
    for place, (start, end) in enumerate(pairwise([0, *starts, len(lines)])):
        span = lines[start:end]
        reason = next((at for at, line in enumerate(span) if _REASON.match(line)), len(span))
        options = sum(_FIRST_OPTION.match(line) is not None for line in span[:reason])
        labels = sum(len(_LABEL.findall(line)) or _is_label_alone(line) for line in span)
        count += max(min(place, 1), options, labels)
    return count


def _is_label_alone(line: str) -> bool:
    """Return whether a line is `参考答案:` and nothing else: the answer in words stands below it."""
    return line.endswith(":") and _ANSWERS.match(line[:-1]) is not None


def _marks(lines: Sequence[str], way: str) -> list[tuple[int, int]]:
    """Return the places of numbers and headings: with the number, -1 at a kind's name and 0 at another heading."""
    marks: list[tuple[int, int]] = []
    for place, line in enumerate(lines):
        if _KIND.match(line) or _SECTION.match(line):
            marks.append((place, -1 if _KIND.match(line) else 0))
        elif way and (match := _number_of(line)) and match[way]:
            marks.append((place, int(match[way])))
    return marks


def _starts(lines: Sequence[str], way: str) -> list[int]:
    """Return the lines whose numbers, in this way of writing them, follow each other; a list within an answer has neither options nor answers."""
    marks = _marks(lines, way)
    is_labelled = any(map(_LABEL.search, lines)) or sum(map(_is_label_alone, lines)) > 1
    starts: list[int] = []
    last = inner = 0
    is_new = True
    for at, (place, number) in enumerate(marks):
        end = marks[at + 1][0] if at + 1 < len(marks) else len(lines)
        is_asked = any(
            _LABEL.search(line) or _is_label_alone(line) or _FIRST_OPTION.match(line) for line in lines[place:end]
        )
        ahead = [one for _, one in takewhile(lambda mark: mark[1] > 1, marks[at + 1 :])]
        above = next(filter(None, reversed(lines[max(place - 2, 0) : place])), "")
        if number < 1:
            is_new = number < 0 or not is_labelled
        elif number == 1 and _is_label_alone(above):
            inner = 2
        elif number == inner and not is_asked:
            inner += 1
        elif number == last + 1 or (
            number == 1 and (is_new or is_asked or (not is_labelled and last + 1 not in ahead))
        ):
            starts.append(place)
            last, inner, is_new = number, 0, False
        elif last < number < last + MAX_GAP and last + 1 not in ahead:
            starts.append(place)
            last = number
        elif number == 1:
            inner = 2
    return starts


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
    "blackboard-text": _count_pattern(r"^[A-Z_]{2,20}\t\S"),
    "blackboard": _count_xml(rb"<QUESTION_[A-Z_]+\s+id\s*=", ".dat"),
}
"""By format: what is counted, without reading it."""
