"""Pictures written into a Word document: signs in the text while it is laid out, drawings in the end."""

from __future__ import annotations

import io
import posixpath
import re
from dataclasses import dataclass, field, replace

from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.image import Image as SizedImage

from question_bank.formats.drawn import numbered
from question_bank.model import Image, Question
from question_bank.parse_result import FIRST_NUMBERED, NUMBERED, PICTURE

_IMG = re.compile(r"<img\b[^<>]*?\bsrc\s*=\s*([\"'])bank:(?P<name>[^\"'<>]+)\1[^<>]*>", re.IGNORECASE)
_SIGN = re.compile(f"{PICTURE}({NUMBERED})")
_EMU = 9525
"""English Metric Units a pixel, as Office counts them (ECMA-376 part 1, 20.1.10.16)."""
WIDEST, TALLEST = 560, 700
"""Pixels that a page of A4 has room for."""
_DRAWING = (
    '<w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing">'
    '<wp:extent cx="{width}" cy="{height}"/><wp:docPr id="{number}" name="图{number}"/>'
    '<a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture">'
    '<pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:nvPicPr>'
    '<pic:cNvPr id="{number}" name="图{number}"/><pic:cNvPicPr/></pic:nvPicPr>'
    '<pic:blipFill><a:blip xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:embed="picture{number}"/>'
    '<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'
    '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>'
)


@dataclass(slots=True)
class Pictures:
    """The pictures of a document in the order of their signs, each with the size at which it is drawn."""

    images: list[Image] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)

    def take(self, question: Question) -> Question:
        """Give the question with signs for its pictures; one that Word cannot show stays among its images."""
        parts = tuple(self.take(part) for part in question.parts)
        if not question.is_html or not question.images:
            return replace(question, parts=parts)
        shelf = {image.name: image for image in question.images}
        taken: dict[str, int] = {}

        def sign(match: re.Match[str]) -> str:
            name = match["name"]
            if name not in taken and name in shelf and (size := _size(shelf[name])):
                taken[name] = len(self.images)
                self.images.append(shelf[name])
                self.sizes.append(size)
            return numbered(taken[name]) if name in taken else match[0]

        return replace(
            question,
            stem=_IMG.sub(sign, question.stem),
            options=tuple(_IMG.sub(sign, option) for option in question.options),
            explanation=_IMG.sub(sign, question.explanation),
            parts=parts,
            images=tuple(image for image in question.images if image.name not in taken),
        )

    def runs(self, text: str, run: str) -> str:
        """The runs of a line of text, drawings where its signs stand; `run` has a place for words."""
        pieces = _SIGN.split(text)
        words = [run.format(piece) if piece else "" for piece in pieces[::2]]
        drawings = [self._drawing(ord(sign) - FIRST_NUMBERED) for sign in pieces[1::2]]
        return "".join(piece for pair in zip(words, [*drawings, ""], strict=True) for piece in pair)

    def _drawing(self, number: int) -> str:
        width, height = self.sizes[number]
        return _DRAWING.format(number=number + 1, width=width * _EMU, height=height * _EMU)

    def parts(self) -> list[tuple[str, str, bytes]]:
        """For each picture the name by which the document calls it, its part and its bytes."""
        ends = [posixpath.splitext(image.name)[1] for image in self.images]
        return [
            (f"picture{number}", f"media/picture{number}{end}", image.content)
            for number, (image, end) in enumerate(zip(self.images, ends, strict=True), 1)
        ]


def _size(image: Image) -> tuple[int, int] | None:
    """Width and height in pixels, made smaller where they exceed the page; None for what Word cannot show."""
    try:
        drawn = SizedImage(io.BytesIO(image.content))
    except XlsxWriterException:
        return None
    scale = min(1, WIDEST / max(drawn.width, 1), TALLEST / max(drawn.height, 1))
    return max(1, round(drawn.width * scale)), max(1, round(drawn.height * scale))
