"""Take the text of PDF files page by page: lines in the order in which the file writes them, and tables that rules divide."""

import ctypes
import itertools
from dataclasses import dataclass, field
from functools import lru_cache

from pypdfium2 import PdfDocument, PdfiumError, PdfPage, raw

from examapp.documents.archives import UnreadableFileError
from examapp.documents.pdf_tables import PageTable, PdfGlyph, Rule, TextSpan, lines_of, spans_of, take_tables

MAX_PAGES = 600
MIN_TEXT = 15
"""Characters below which a page with a picture is a scanned one."""
_MARGIN = 0.08
"""Share of a page's height at its top and bottom where headers and page numbers stand, in any order."""
_THIN = 2.5
"""Points up to which a path is a rule and no area."""
_SIGNS = {0xF0FC: "√", 0xF0FE: "√", 0xF050: "√", 0xF0D6: "√", 0xF052: "√", 0xF0FB: "×", 0xF0FD: "×", 0xF04F: "×", 0xF0B4: "×", 0xF054: "×"}  # fmt: skip
"""Ticks and crosses of the fonts Wingdings and Symbol."""


@dataclass(slots=True)
class PageText:
    """A page: its lines as they come, the tables between them, whether it shows pictures, and whether its text runs from top to bottom."""

    lines: list[str] = field(default_factory=list)
    has_picture: bool = False
    is_ordered: bool = True
    tables: list[PageTable] = field(default_factory=list)
    spans: list[list[TextSpan]] = field(default_factory=list)
    """For each line its pieces with their places, where they are known."""

    @property
    def is_scanned(self) -> bool:
        """Whether there is a picture in the place of text."""
        texts = [*self.lines, *(cell for table in self.tables for row in table.rows for cell in row)]
        return self.has_picture and sum(len(text.strip()) for text in texts) < MIN_TEXT


@lru_cache(maxsize=1)
def read_pdf_pages(content: bytes) -> list[PageText]:
    """Return the pages of a PDF file, those of the last file at once; UnreadableFileError where it is locked, too long or damaged."""
    try:
        document = PdfDocument(content)
    except PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise UnreadableFileError("PDF 加了密码，打不开。请去掉密码后再上传。") from error
        raise _damaged() from error
    with document:
        if len(document) > MAX_PAGES:
            raise UnreadableFileError(f"PDF 超过 {MAX_PAGES} 页。请拆成几个文件再上传。")
        try:
            return [_page_text(page) for page in document]
        except PdfiumError as error:
            raise _damaged() from error


def _damaged() -> UnreadableFileError:
    return UnreadableFileError("PDF 已损坏，或用了读不出来的字体。请用 WPS 转成 Word（.docx）后再上传。")


def _page_text(page: PdfPage) -> PageText:
    _, low, _, high = page.get_mediabox()
    rules, has_picture = _objects_of(page)
    glyphs, tables = take_tables(_glyphs_of(page), rules)
    lines = lines_of(glyphs)
    margin, step = (high - low) * _MARGIN, (high - low) / 50
    places = [line[0].y for line in lines]
    body = [place for place in places if low + margin < place < high - margin]
    is_ordered = all(after <= before + step for before, after in itertools.pairwise(body))
    found = PageText(has_picture=has_picture, is_ordered=is_ordered, tables=tables)
    ranked = sorted(zip(places, lines, strict=True), key=lambda one: _zone(one[0], low + margin, high - margin))
    found.spans = [spans_of(line) for _, line in ranked]
    found.lines = ["  ".join(span.text for span in line) for line in found.spans]
    for table in tables:
        table.line = sum(place > table.top for place, _ in ranked)
    return found


def _zone(place: float, low: float, high: float) -> int:
    """Return 0 for a line in the top margin, 2 in the bottom one: files write headers and footers anywhere."""
    return 0 if place >= high else 2 if place <= low else 1


def _objects_of(page: PdfPage) -> tuple[list[Rule], bool]:
    """Return the thin lines drawn on a page, and whether it shows pictures."""
    rules: list[Rule] = []
    has_picture = False
    for drawn in page.get_objects(max_depth=4):
        if drawn.type == raw.FPDF_PAGEOBJ_IMAGE:
            has_picture = True
        elif drawn.type == raw.FPDF_PAGEOBJ_PATH:
            left, bottom, right, top = drawn.get_bounds()
            if min(right - left, top - bottom) <= _THIN:
                rules.append(Rule(left, bottom, right, top))
            else:  # a frame: its four sides
                sides = ((left, top, right, top), (left, bottom, right, bottom), (left, bottom, left, top), (right, bottom, right, top))  # fmt: skip
                rules.extend(Rule(*side) for side in sides)
    return rules, has_picture


def _glyphs_of(page: PdfPage) -> list[PdfGlyph]:
    """Return the characters of a page with their places, in the order in which the file writes them."""
    text = page.get_textpage()
    box = raw.FS_RECTF()
    across, up = ctypes.c_double(), ctypes.c_double()
    found: list[PdfGlyph] = []
    for at in range(raw.FPDFText_CountChars(text)):
        code = raw.FPDFText_GetUnicode(text, at)
        if raw.FPDFText_IsGenerated(text, at) == 1 or code < 32 or code in {0xFFFE, 0xFFFF}:
            continue
        raw.FPDFText_GetLooseCharBox(text, at, box)
        raw.FPDFText_GetCharOrigin(text, at, across, up)
        size = max(abs(box.top - box.bottom), 1.0)
        found.append(PdfGlyph(_SIGNS.get(code, chr(code)), across.value, box.right, up.value, size))
    return found
