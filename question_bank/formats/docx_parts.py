"""Pictures and automatic numbers of a Word file."""

from __future__ import annotations

import io
import posixpath
import re
from dataclasses import dataclass, field, replace

from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.image import Image as SizedImage

from examapp.documents.safe_xml import Element
from question_bank.formats.pictures import picture_sign
from question_bank.model import OPTION_LETTERS, Image, Question
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
        """Return the question with signs for its pictures; one that Word cannot show stays among its images."""
        parts = tuple(self.take(part) for part in question.parts)
        if not question.is_html or not question.images:
            return replace(question, parts=parts)
        by_name = {image.name: image for image in question.images}
        taken: dict[str, int] = {}

        def sign(match: re.Match[str]) -> str:
            name = match["name"]
            if name not in taken and name in by_name and (size := _size(by_name[name])):
                taken[name] = len(self.images)
                self.images.append(by_name[name])
                self.sizes.append(size)
            return picture_sign(taken[name]) if name in taken else match[0]

        return replace(
            question,
            stem=_IMG.sub(sign, question.stem),
            options=tuple(_IMG.sub(sign, option) for option in question.options),
            explanation=_IMG.sub(sign, question.explanation),
            parts=parts,
            images=tuple(image for image in question.images if image.name not in taken),
        )

    def runs(self, text: str, run: str) -> str:
        """Return the runs of a line of text, drawings where its signs stand; `run` has a place for words."""
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


W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHINESE = "〇一二三四五六七八九"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    form: str
    text: str


class Numbering:
    """Counts the lists of a document paragraph by paragraph."""

    def __init__(self, numbering: Element | None, styles: Element | None) -> None:
        self.levels: dict[str, dict[int, _Level]] = {}
        self.counts: dict[str, dict[int, int]] = {}
        self.lists: dict[str, str] = {}
        """List number → the abstract list it shares its counter with."""
        self.overridden: dict[str, dict[int, int]] = {}
        self.styles: dict[str, tuple[str, int]] = {}
        if numbering is not None:
            self._read_lists(numbering)
        if styles is not None:
            for style in styles.iterchildren(f"{W}style"):
                listed = style.find(f"{W}pPr/{W}numPr/{W}numId")
                if listed is not None:
                    depth = style.find(f"{W}pPr/{W}numPr/{W}ilvl")
                    self.styles[style.get(f"{W}styleId", "")] = (listed.get(f"{W}val", ""), _int(depth, 0))

    def label(self, paragraph: Element) -> str:
        """Return what stands before the paragraph, with a space behind it; nothing for bullets and plain paragraphs."""
        found = self._list_of(paragraph)
        if found is None or found[0] not in self.lists:
            return ""
        number, depth = found
        levels = self.levels.get(self.lists[number], {})
        level = levels.get(depth)
        if level is None:
            return ""
        counts = self._count(number, depth, levels)
        if level.form in {"bullet", "none"}:
            return ""
        text = re.sub(r"%(\d)", lambda match: self._shown(levels, counts, int(match[1]) - 1), level.text)
        return f"{text} " if text.strip() else ""

    def _count(self, number: str, depth: int, levels: dict[int, _Level]) -> dict[int, int]:
        counts = self.counts.setdefault(f"list {number}" if number in self.overridden else self.lists[number], {})
        start = self.overridden.get(number, {}).get(depth, levels[depth].start)
        counts[depth] = counts[depth] + 1 if depth in counts else start
        for deeper in [one for one in counts if one > depth]:
            del counts[deeper]
        return counts

    def _shown(self, levels: dict[int, _Level], counts: dict[int, int], depth: int) -> str:
        level = levels.get(depth)
        if level is None:
            return ""
        count = counts.get(depth, level.start)
        if level.form in {"upperLetter", "lowerLetter"} and 1 <= count <= len(OPTION_LETTERS):
            letter = OPTION_LETTERS[count - 1]
            return letter if level.form == "upperLetter" else letter.lower()
        if level.form.startswith(("chinese", "japaneseCounting", "ideographTraditional", "taiwanese")):
            if not 0 < count < 100:
                return str(count)
            tens, ones = divmod(count, 10)
            ten = "" if tens == 0 else "十" if tens == 1 else f"{_CHINESE[tens]}十"
            return ten + (_CHINESE[ones] if ones else "")
        if level.form.startswith("decimalEnclosedCircle") and 1 <= count <= len(_CIRCLED):
            return _CIRCLED[count - 1]
        return str(count)

    def _list_of(self, paragraph: Element) -> tuple[str, int] | None:
        own = paragraph.find(f"{W}pPr/{W}numPr")
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        inherited = self.styles.get(style.get(f"{W}val", "")) if style is not None else None
        if own is None:
            return inherited
        number, depth = own.find(f"{W}numId"), own.find(f"{W}ilvl")
        listed = number.get(f"{W}val", "") if number is not None else (inherited[0] if inherited else "")
        return (listed, _int(depth, 0)) if listed not in {"", "0"} else None

    def _read_lists(self, numbering: Element) -> None:
        for abstract in numbering.iterchildren(f"{W}abstractNum"):
            levels = {_int_of(level.get(f"{W}ilvl", "0")): _level(level) for level in abstract.iterchildren(f"{W}lvl")}
            self.levels[abstract.get(f"{W}abstractNumId", "")] = levels
        for listed in numbering.iterchildren(f"{W}num"):
            number, link = listed.get(f"{W}numId", ""), listed.find(f"{W}abstractNumId")
            self.lists[number] = link.get(f"{W}val", "") if link is not None else ""
            for override in listed.iterchildren(f"{W}lvlOverride"):
                start = override.find(f"{W}startOverride")
                if start is not None:
                    depth = _int_of(override.get(f"{W}ilvl", "0"))
                    self.overridden.setdefault(number, {})[depth] = _int(start, 1)


def _level(level: Element) -> _Level:
    start, form, text = level.find(f"{W}start"), level.find(f"{W}numFmt"), level.find(f"{W}lvlText")
    return _Level(
        _int(start, 1),
        form.get(f"{W}val", "decimal") if form is not None else "decimal",
        text.get(f"{W}val", "") if text is not None else "",
    )


def _int(element: Element | None, default: int) -> int:
    return default if element is None else _int_of(element.get(f"{W}val", ""), default)


def _int_of(text: str, default: int = 0) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else default
