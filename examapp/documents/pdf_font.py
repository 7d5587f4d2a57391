"""The Chinese faces of PDFs: each read once a process, then shared by all documents; and how lines break."""

from __future__ import annotations

import copy
import io
import re
import threading
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.fonts import SubsetMap, TTFFont


@dataclass(frozen=True, slots=True)
class Face:
    """A face and where it comes from: its name in a PDF, the pinned package, the file in it, and the place in a collection."""

    family: str
    package: str
    file: str
    number: int = 0


SANS = Face("sc", "noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc", 2)
"""Noto Sans CJK, its simplified Chinese shapes (SIL Open Font License): all scripts and rare names."""
SONG = Face("song", "pylopdf_fonts_zh_cn", "NotoSerifSC-Regular.otf")
"""Noto Serif SC, a Song (SIL Open Font License): what official documents are set in."""
_UNUSED_TABLES = ("GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG", "cmap", "OS/2")
"""What lays out text, and what says which character a glyph is: a PDF says that by itself, and reading 65,000 of them takes long."""
_MISSING = "□"
_NOT_AT_START = frozenset("，。、；：！？）》」』】〉”’％%)]},.;:!?…—·")
"""A line of Chinese never begins with these (GB/T 15834, 5.1)."""
_NOT_AT_END = frozenset("（《「『【〈“‘([{")
_LOCK = threading.Lock()


def font_path(face: Face = SANS) -> Path:
    """Give the file of a face from its pinned package."""
    package = find_spec(face.package)
    if package is None or package.origin is None:
        raise RuntimeError(f"The package {face.package} is not installed.")
    return Path(package.origin).parent / face.file


@cache
def _read_font(face: Face) -> TTFFont:
    """Read names, widths and metrics of all glyphs, up to 65,000: half a second, once a process."""
    return TTFFont(FPDF(), font_path(face), face.family, "", collection_font_number=face.number)


@cache
def _lean_font(face: Face) -> bytes:
    """Give the font without what only lays out text by itself: cutting out a document's glyphs is then much quicker."""
    buffer = io.BytesIO()
    with TTFont(font_path(face), recalcTimestamp=False, fontNumber=face.number, lazy=True) as font:
        for table in _UNUSED_TABLES:
            if table in font:
                del font[table]
        font.save(buffer, reorderTables=None)
    return buffer.getvalue()


class _Outlines(TTFont):  # type: ignore[misc]  # fontTools has no types
    """The font of one document: of it a PDF holds the outlines alone (the table `CFF `, which fpdf2 takes out after it has saved the rest)."""

    def save(self, file: object, reorderTables: bool | None = True) -> None:  # noqa: N803 – as it is called
        """Write nothing: it would compile all outlines once more."""


def share_font(pdf: FPDF, face: Face = SANS) -> TTFFont:
    """Give a document its face: what is the same for all is shared, what the subset changes is its own.

    Only the glyphs that a document uses are embedded, under one name.
    """
    with _LOCK:
        font = _copy(_read_font(face), _lean_font(face))
    pdf.fonts[face.family] = font
    pdf.set_font(face.family, size=10)
    return font


def _copy(whole: TTFFont, lean: bytes) -> TTFFont:
    font = TTFFont.__new__(TTFFont)
    for name in TTFFont.__slots__:
        if hasattr(whole, name):
            setattr(font, name, getattr(whole, name))
    font.i = 1
    font.desc = copy.copy(whole.desc)
    font.ttfont = _Outlines(io.BytesIO(lean), recalcTimestamp=False, recalcBBoxes=False, lazy=True)
    font.missing_glyphs = []
    font.biggest_size_pt = 0
    font.subset = SubsetMap(font)
    return font


def has_all(text: str, face: Face) -> bool:
    """Tell whether a face has every character of a text."""
    known = _read_font(face).cmap
    return all(ord(c) in known or c.isspace() for c in text)


def printable(text: str, face: Face = SANS) -> str:
    """Give a text in one line with only characters that the face has; others become a box."""
    known = _read_font(face).cmap
    return "".join(c if ord(c) in known else " " if c.isspace() else _MISSING for c in text)


def width_of(text: str, size_pt: float, face: Face = SANS) -> float:
    """Give how wide a text is, in points."""
    widths = _read_font(face).cw
    return sum(widths[ord(c)] for c in text) * size_pt / 1000


def break_lines(text: str, *, width: float, size_pt: float, indent: float = 0, face: Face = SANS) -> list[str]:
    """Break a text at its newlines and wherever a line is full (points); words and numbers in Latin letters stay whole where they can."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, room = "", width - indent
        pieces: list[str] = []
        for c in printable(paragraph, face):
            is_word = c.isascii() and c != " " and c not in _NOT_AT_START
            is_after_word = bool(pieces) and pieces[-1][-1].isascii() and pieces[-1][-1] != " "
            if is_after_word and (is_word or c in ".%:,-") and pieces[-1][-1] not in _NOT_AT_END:
                pieces[-1] += c
            else:
                pieces.append(c)
        for piece in pieces:
            for part in [piece] if width_of(piece, size_pt, face) <= width else list(piece):
                if line and width_of(line + part, size_pt, face) > room:
                    line, kept = _cut(line, before=part)
                    lines.append(line)
                    line, room = kept, width
                line += part if line or part != " " else ""
        lines.append(line)
    return lines


_TITLE_TOKENS = re.compile(
    r"关于|[0-9]+年(?:度)?|第[一二三四五六七八九十0-9]+[批次季期]|国家|工作人员|公职人员|行政执法(?:资格)?|任前法律知识|学法用法|普法责任制|考试|考核|"
    r"参考情况|成绩|汇总表|统计表|名单|情况|通报|[（《“][^）》”]*[）》”]|[A-Za-z0-9.%]+|."
)
"""What a title is made of: no line of it ends within one of these."""
_NOT_LAST, _NOT_FIRST = ("关于", "的", "国家"), "的、，。）》”"


def break_title(text: str, *, width: float, size_pt: float, face: Face = SANS) -> list[str]:
    """Break a title by its sense into as few lines as it needs, of about the same length; `width` in points."""
    whole = printable(text, face)
    usual = break_lines(whole, width=width, size_pt=size_pt, face=face)
    if len(usual) != 2:
        return usual
    tokens, best = _TITLE_TOKENS.findall(whole), (2.0, whole)
    for at in range(1, len(tokens)):
        first, second = "".join(tokens[:at]), "".join(tokens[at:])
        longest = max(width_of(first, size_pt, face), width_of(second, size_pt, face))
        if longest > width or tokens[at - 1] in _NOT_LAST or tokens[at][0] in _NOT_FIRST:
            continue
        is_apart = len(tokens[at - 1]) == 1 and len(tokens[at]) == 1
        best = min(best, (longest / width + is_apart, f"{first}\n{second}"))
    return best[1].split("\n") if "\n" in best[1] else usual


def _cut(line: str, *, before: str) -> tuple[str, str]:
    """Cut a full line so that the next one begins with no closing mark and this one ends with no opening one."""
    at = len(line)
    if before[0] in _NOT_AT_START:
        at -= 1
        while at > 0 and line[at] in _NOT_AT_START:
            at -= 1
    while at > 0 and line[at - 1] in _NOT_AT_END:
        at -= 1
    return (line[:at], line[at:]) if at > 0 else (line, "")
