"""Read PDF files that hold text: lines in reading order; scanned pages are named, and pages in columns are doubted."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from examapp.documents.archives import UnreadableFileError
from examapp.documents.pdf_pages import PageText, read_pdf_pages
from question_bank.formats.text import read_text
from question_bank.model import Note, ParseResult, QuestionForReview, ReadQuestion

_FULL_LINE = 0.8
"""Share of the page's longest line from which on a line may go on in the next one."""
_PASTE = "请用识别文字的工具转成文字，再粘贴到导入页的文字框里；或向来文单位要 Word 原文件。"
_PAGE_NUMBER = re.compile(r"[-—–\s]*(?:第\s*)?\d{1,4}(?:\s*页)?(?:\s*[/／,，共]+\s*\d{1,4}\s*页?)?[-—–\s]*")
_BEGINS = re.compile(
    r"\s*(?:[(（【\[〔]|\d{1,4}\s*[.、．:：)）]|[A-Za-z]\s*[.、．:：)）]|[一二三四五六七八九十]+\s*[、.．]|第[一二三四五六七八九十\d]+[章节编部]|(?:正确|参考|标准)?答案|解析|答[:：]|[①-⑳])"
)
"""How a line begins that does not go on the one above."""
_LINE = re.compile(r"第 (\d+) 行")


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the bytes are a PDF file."""
    return b"%PDF-" in content[:1024]


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a PDF file; UnreadableFileError where it is locked, damaged, or only scanned."""
    return read_pages(read_pdf_pages(content), name=name)


def read_pages(pages: Sequence[PageText], *, name: str) -> ParseResult:
    """Return the questions of pages; raises UnreadableFileError where all are scanned, or no question is recognised."""
    scanned = [number for number, page in enumerate(pages, 1) if page.is_scanned]
    lines = _lines_of(pages)
    if not lines:
        raise UnreadableFileError(f"PDF 里没有文字（{len(scanned)} 页是扫描的图片）。{_PASTE}")
    whole = read_text("\n".join(text for _, _, text in lines), name=name, format_name="pdf")
    places = [(page, f"第 {page} 页第 {number} 行") for page, number, _ in lines]
    _place(whole, places, pages)
    reason = f"这一页是扫描的图片，里面的题没有读入。{_PASTE}"
    whole.remarks[:0] = [Note(f"第 {number} 页", reason, "scanned_page") for number in scanned]
    return whole


def _lines_of(pages: Sequence[PageText]) -> list[tuple[int, int, str]]:
    """Return page, line and text of all lines, without headers and page numbers; wrapped lines are joined."""
    edges = Counter(_without_digits(line) for page in pages for line in {*_edges(page)})
    found: list[tuple[int, int, str]] = []
    for number, page in enumerate(pages, 1):
        longest = max(map(_width, page.lines), default=0)
        dropped = {line for line in _edges(page) if _PAGE_NUMBER.fullmatch(line) or edges[_without_digits(line)] >= max(3, len(pages) // 2)}  # fmt: skip
        goes_on = False
        for place, line in enumerate(page.lines, 1):
            if line in dropped or not line.strip():
                goes_on = goes_on and bool(line.strip())
                continue
            if goes_on and not _BEGINS.match(line):
                before = found[-1]
                found[-1] = (before[0], before[1], before[2] + line.strip())
            else:
                found.append((number, place, line))
            goes_on = _width(line) >= longest * _FULL_LINE
    return found


def _edges(page: PageText) -> list[str]:
    filled = [line for line in page.lines if line.strip()]
    return [filled[0], filled[-1]] if len(filled) > 1 else []


def _without_digits(line: str) -> str:
    return re.sub(r"[\d\s]+", "", line)


def _width(line: str) -> int:
    return sum(2 if sign > "\u2e80" else 1 for sign in line)


def _place(whole: ParseResult, places: list[tuple[int, str]], pages: Sequence[PageText]) -> None:
    """Say places by page and line; doubt the questions of pages whose text does not run from top to bottom."""

    def moved(note: Note) -> Note:
        return replace(note, where=_LINE.sub(lambda match: places[min(int(match[1]), len(places)) - 1][1], note.where))

    sure: list[ReadQuestion] = []
    for item in whole.imported:
        where = moved(Note(item.where, "", "")).where
        match = _LINE.search(item.where)
        page = places[min(int(match[1]), len(places)) - 1][0] if match else 0
        disordered = next(
            (one for one in (page, page + 1) if 0 < one <= len(pages) and not pages[one - 1].is_ordered), 0
        )
        if disordered:
            reason = f"PDF 第 {disordered} 页的文字不是从上到下排的（可能分栏），题目可能错位。请对照原文核对。"
            whole.needing_review.append(QuestionForReview(item.question, Note(item.where, reason, "text_order")))
        else:
            sure.append(replace(item, where=where, dropped=tuple(map(moved, item.dropped))))
    whole.imported = sure
    whole.needing_review = [replace(one, note=moved(one.note)) for one in whole.needing_review]
    whole.rejected, whole.remarks = [*map(moved, whole.rejected)], [*map(moved, whole.remarks)]
