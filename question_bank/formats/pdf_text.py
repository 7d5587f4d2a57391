"""Read PDF files that hold text: lines in reading order and tables; scanned pages are named, and pages in columns are doubted."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from examapp.documents.archives import UnreadableFileError
from examapp.documents.pdf_pages import PageText, read_pdf_pages
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.resolving import resolve_questions
from question_bank.formats.heuristics.table_questions import QuestionTable, join_cases
from question_bank.formats.heuristics.table_rows import read_table
from question_bank.formats.pdf_columns import PlacedTable, TableFinder
from question_bank.formats.text import read_text
from question_bank.model import Note, ParseResult, QuestionForReview, ReadQuestion

_FULL_LINE = 0.8
"""Share of the page's longest line from which on a line may go on in the next one."""
_PASTE = "请用识别文字的工具转成文字，再粘贴到导入页的文字框里；或向来文单位要 Word 原文件。"
_PAGE_NUMBER = re.compile(r"[-—–\s]*(?:第\s*)?\d{1,4}(?:\s*页)?(?:\s*[/／,，共]+\s*\d{1,4}\s*页?)?[-—–\s]*")
_BEGINS = re.compile(
    r"\s*(?:[(（]\s*(?:[A-Za-z\d]{1,4}|[一二三四五六七八九十]+)\s*[)）]|[【\[〔]|\d{1,4}\s*[.、．:：)）]|[A-Za-z]\s*[.、．:：)）]|[一二三四五六七八九十]+\s*[、.．]|第[一二三四五六七八九十\d]+[章节编部]|(?:正确|参考|标准)?答案|解析|答[:：]|[①-⑳])"
)
"""How a line begins that does not go on the one above."""
_LINE = re.compile(r"第 (\d+) 行")
_EDGE_LINES = 3
"""Lines at the top and at the bottom of a page that may be its header or footer."""
_OFTEN = 0.4
"""Share of the pages that have the same line at their edge, from which on it is a header or footer."""


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the bytes are a PDF file."""
    return b"%PDF-" in content[:1024]


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a PDF file; UnreadableFileError where it is locked, damaged, or only scanned."""
    return read_pages(read_pdf_pages(content), name=name)


def read_pages(pages: Sequence[PageText], *, name: str) -> ParseResult:
    """Return the questions of pages; raises UnreadableFileError where all are scanned, or no question is recognised."""
    scanned = [number for number, page in enumerate(pages, 1) if page.is_scanned]
    lines, tables = _body_of(pages)
    whole = ParseResult("pdf")
    for table in tables:
        _add_table(whole, table, name)
    if not lines and not tables:
        raise UnreadableFileError(f"PDF 里没有文字（{len(scanned)} 页是扫描的图片）。{_PASTE}")
    try:
        if lines:
            wording = read_text("\n".join(line.text for line in lines), name=name, format_name="pdf")
            _place(wording, lines, pages)
            _extend(whole, wording)
    except UnreadableFileError:
        if not whole.found:
            raise
    reason = f"这一页是扫描的图片，里面的题没有读入。{_PASTE}"
    whole.remarks[:0] = [Note(f"第 {number} 页", reason, "scanned_page") for number in scanned]
    return whole


def _add_table(whole: ParseResult, table: PlacedTable, name: str) -> None:
    """Add the questions of a table; say places by its page and row."""
    rows = QuestionTable(
        f"第 {table.page} 页的表格", table.rows, range(1, len(table.rows) + 1),
        kind_hint=kind_names.kind_in(PurePath(name).stem), joined=table.joined,
    )  # fmt: skip
    result = read_table(rows)
    reading = resolve_questions(join_cases(result.rows), format_name="pdf")
    reading.remarks.extend(result.remarks)
    _extend(whole, reading)


def _extend(whole: ParseResult, part: ParseResult) -> None:
    whole.imported.extend(part.imported)
    whole.needing_review.extend(part.needing_review)
    whole.rejected.extend(part.rejected)
    whole.remarks.extend(part.remarks)


@dataclass(slots=True)
class _PdfLine:
    page: int
    number: int
    text: str
    needs_review: bool = False
    """Whether it stands at a page's top, goes on no full line, and begins like nothing: perhaps a header."""


def _body_of(pages: Sequence[PageText]) -> tuple[list[_PdfLine], list[PlacedTable]]:
    """Return the lines of all pages without headers and page numbers, wrapped ones joined, and the question tables."""
    edges = Counter(text for page in pages for text in {_without_digits(page.lines[at]) for at in _edges(page)})
    tables = TableFinder()
    body: list[_PdfLine] = []
    goes_on = False
    for number, page in enumerate(pages, 1):
        dropped = _dropped(page, edges, len(pages))
        longest = max(map(_width, page.lines), default=0)
        is_first = True
        for place, line in tables.take(page, number, dropped):
            if goes_on and body and not _BEGINS.match(line):
                body[-1].text += line.strip()
            else:
                needs_review = is_first and bool(body) and not _BEGINS.match(line)
                body.append(_PdfLine(number, place, line, needs_review))
            goes_on, is_first = _width(line) >= longest * _FULL_LINE, False
    return body, tables.found


def _dropped(page: PageText, edges: Counter[str], count: int) -> set[int]:
    """Return which lines of a page are its header and footer: page numbers, and what stands at the edge of other pages too."""
    filled = [at for at, line in enumerate(page.lines) if line.strip()]
    dropped: set[int] = set()
    for side in (filled, filled[::-1]):
        for at in side[:_EDGE_LINES]:
            line = page.lines[at]
            is_repeated = edges[_without_digits(line)] >= max(2, count * _OFTEN) and not _BEGINS.match(line)
            if not is_repeated and not _PAGE_NUMBER.fullmatch(line):
                break
            dropped.add(at)
    return dropped if len(dropped) < len(filled) else set()


def _edges(page: PageText) -> list[int]:
    filled = [at for at, line in enumerate(page.lines) if line.strip()]
    return sorted({*filled[:_EDGE_LINES], *filled[-_EDGE_LINES:]}) if len(filled) > 1 else []


def _without_digits(line: str) -> str:
    return re.sub(r"[\d\s]+", "", line)


def _width(line: str) -> int:
    return sum(2 if sign > "\u2e80" else 1 for sign in line)


def _place(whole: ParseResult, lines: Sequence[_PdfLine], pages: Sequence[PageText]) -> None:
    """Say places by page and line; doubt the questions of pages whose text does not run from top to bottom, and those that a header may have got into."""

    def line_of(where: str) -> int:
        match = _LINE.search(where)
        return min(int(match[1]), len(lines)) - 1 if match else -1

    def moved(note: Note) -> Note:
        at = line_of(note.where)
        said = f"第 {lines[at].page} 页第 {lines[at].number} 行" if at >= 0 else ""
        return replace(note, where=_LINE.sub(said, note.where) if said else note.where)

    notes = [*whole.rejected, *(item.note for item in whole.needing_review)]
    starts = sorted(
        {line_of(where) for where in [*(one.where for one in whole.imported), *(one.where for one in notes)]}
    )
    needing_review = {
        starts[bisect_right(starts, at) - 1]: at for at, line in enumerate(lines) if line.needs_review and starts
    }
    sure: list[ReadQuestion] = []
    for item in whole.imported:
        at = line_of(item.where)
        page = lines[at].page if at >= 0 else 0
        disordered = next(
            (one for one in (page, page + 1) if 0 < one <= len(pages) and not pages[one - 1].is_ordered), 0
        )
        reason = (
            f"PDF 第 {disordered} 页的文字不是从上到下排的（可能分栏），题目可能错位。请对照原文核对。"
            if disordered
            else ""
        )
        if at in needing_review:
            reason = f"PDF 换页处有一行“{lines[needing_review[at]].text[:20]}”，可能是页眉，也可能是题目的文字。请对照原文核对。"
        if reason:
            whole.needing_review.append(QuestionForReview(item.question, Note(item.where, reason, "text_order")))
        else:
            sure.append(
                replace(item, where=moved(Note(item.where, "", "")).where, dropped=tuple(map(moved, item.dropped)))
            )
    whole.imported = sure
    whole.needing_review = [replace(one, note=moved(one.note)) for one in whole.needing_review]
    whole.rejected, whole.remarks = [*map(moved, whole.rejected)], [*map(moved, whole.remarks)]
