"""Take the text of PDF files page by page, in the order in which it stands there."""

import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError

from examapp.documents.archives import UnreadableFileError

MAX_PAGES = 600
MIN_TEXT = 15
"""Characters below which a page with a picture is a scanned one."""
_MARGIN = 0.08
"""Share of a page's height at its top and bottom where headers and page numbers stand, in any order."""


@dataclass(slots=True)
class PageText:
    """A page: its lines as they come, whether it shows pictures, and whether its text runs from top to bottom."""

    lines: list[str] = field(default_factory=list)
    has_picture: bool = False
    is_ordered: bool = True

    @property
    def is_scanned(self) -> bool:
        """Whether there is a picture in the place of text."""
        return self.has_picture and sum(len(line.strip()) for line in self.lines) < MIN_TEXT


@lru_cache(maxsize=1)
def read_pdf_pages(content: bytes) -> list[PageText]:
    """Return the pages of a PDF file, those of the last file at once; UnreadableFileError where it is locked, too long or damaged."""
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableFileError("PDF 加了密码，打不开。请去掉密码后再上传。")
        if len(reader.pages) > MAX_PAGES:
            raise UnreadableFileError(f"PDF 超过 {MAX_PAGES} 页。请拆成几个文件再上传。")
        return [_page_text(page) for page in reader.pages]
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OSError,
        NotImplementedError,
    ) as error:
        raise UnreadableFileError("PDF 已损坏，或用了读不出来的字体。请用 WPS 转成 Word（.docx）后再上传。") from error


def _page_text(page: PageObject) -> PageText:
    places: list[float] = []
    low, high = float(page.mediabox.bottom), float(page.mediabox.top)
    margin = (high - low) * _MARGIN

    def visit(text: str, current: Sequence[float], placed: Sequence[float], _font: Any, _size: float) -> None:
        place = placed[5] * current[3] + current[5]
        if text.strip() and low + margin < place < high - margin:
            places.append(place)

    text = page.extract_text(visitor_text=visit) or ""
    step = (high - low) / 50
    is_ordered = all(after <= before + step for before, after in itertools.pairwise(places))
    return PageText([line.rstrip() for line in text.split("\n")], _has_picture(page), is_ordered)


def _has_picture(page: PageObject) -> bool:
    resources = page.get("/Resources")
    objects = resources.get_object().get("/XObject") if resources is not None else None
    found = objects.get_object().values() if objects is not None else ()
    return any(one.get_object().get("/Subtype") == "/Image" for one in found)
