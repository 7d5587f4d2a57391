"""Find what a sheet shows beside the values of its cells: comments, text boxes, text struck through, hidden rows and columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from examapp.documents.archives import Archive, UnreadableFileError
from examapp.documents.decoding import read_count
from examapp.documents.embedded_pictures import related_parts, sheet_parts
from examapp.documents.safe_xml import Element, parse_xml

MAX_NOTE = 60
"""Characters of a comment or text box that are kept."""
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_ROW_REFERENCE = re.compile(rb"""\br\s*=\s*["'](\d{1,7})["']""")
_HIDDEN = re.compile(rb"""\shidden\s*=\s*["'](?:1|true)["']""")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s([^>]*)>")
_SPAN = re.compile(rb"""\b(min|max)\s*=\s*["'](\d{1,5})["']""")
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*)>(?:<(?:\w+:)?v>(\d{1,7})</)?")
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})(\d{1,7})["']""")
_STYLE, _SHARED = re.compile(rb"""\bs\s*=\s*["'](\d{1,5})["']"""), re.compile(rb"""\bt\s*=\s*["']s["']""")
_STRIKE = re.compile(rb"<(?:\w+:)?strike\b")
_RUN_MARK = re.compile(rb"<(?:\w+:)?(?:strike|vertAlign)\b")
_MAX_HIDDEN = 1000
"""Columns that are looked at."""


@dataclass(slots=True)
class SheetNotes:
    """What a sheet shows beside its cells' values; rows and columns from 0."""

    hidden_rows: frozenset[int] = frozenset()
    """Rows that are hidden or filtered out."""
    hidden_columns: frozenset[int] = frozenset()
    struck_rows: frozenset[int] = frozenset()
    """Rows with a cell whose text is struck through, in whole or in part."""
    raised_rows: frozenset[int] = frozenset()
    """Rows with raised characters, as the 2 of m², which a cell's value does not tell from others."""
    texts: dict[int, list[str]] = field(default_factory=dict)
    """Comments and text boxes by the row they are at."""


def read_sheet_notes(archive: Archive) -> dict[str, SheetNotes]:
    """Return by its name what each sheet of an .xlsx workbook shows beside its values; nothing where its parts cannot be found."""
    try:
        parts = {name: part for name, part in sheet_parts(archive).items() if part in archive}
        formats, struck, raised = _marked(archive)
        return {name: _notes_of(archive, part, formats, struck, raised) for name, part in parts.items()}
    except UnreadableFileError:
        return {}


def _notes_of(archive: Archive, part: str, formats: set[int], struck: set[int], raised: set[int]) -> SheetNotes:
    xml = archive.read(part)
    notes = SheetNotes(_hidden_rows(xml), _hidden_columns(xml))
    if formats or struck:
        notes.struck_rows = frozenset(_rows_with(xml, formats, struck))
    if raised:
        notes.raised_rows = frozenset(_rows_with(xml, set(), raised))
    for comments in related_parts(archive, part, "/comments").values():
        for one in _parsed(archive, comments, "{*}comment"):
            number = _REFERENCE.search(f'r="{one.get("ref", "")}"'.encode())
            _add(notes, int(number[2]) - 1 if number else 0, one)
    for drawing in related_parts(archive, part, "/drawing").values():
        for anchor in _parsed(archive, drawing, "{*}sp", above=True):
            row = anchor.find("{*}from/{*}row")
            _add(notes, read_count(row.text, 0) if row is not None else 0, anchor)
    return notes


def _parsed(archive: Archive, part: str, tag: str, *, above: bool = False) -> list[Element]:
    """Return the elements of a part by their tag, or those directly below its root that hold one."""
    if part not in archive:
        return []
    root = parse_xml(archive.read(part), what="工作簿")
    return [one for one in root if next(one.iter(tag), None) is not None] if above else list(root.iter(tag))


def _add(notes: SheetNotes, row: int, element: Element) -> None:
    text = "".join(one.text or "" for one in element.iter("{*}t")).strip()
    if text:
        notes.texts.setdefault(row, []).append(" ".join(text.split())[:MAX_NOTE])


def _hidden_rows(xml: bytes) -> frozenset[int]:
    found, number = set(), 0
    for match in _ROW.finditer(xml) if b"hidden=" in xml else ():
        reference = _ROW_REFERENCE.search(match[1])
        number = int(reference[1]) if reference else number + 1
        if _HIDDEN.search(match[1]):
            found.add(number - 1)
    return frozenset(found)


def _hidden_columns(xml: bytes) -> frozenset[int]:
    found: set[int] = set()
    for match in _COLUMN.finditer(xml[: xml.find(b"<sheetData")] if b"<sheetData" in xml else b""):
        span = {name: int(number) for name, number in _SPAN.findall(match[1])}
        if _HIDDEN.search(b" " + match[1]) and span.keys() == {b"min", b"max"}:
            found.update(range(span[b"min"] - 1, min(span[b"max"], _MAX_HIDDEN)))
    return frozenset(found)


def _marked(archive: Archive) -> tuple[set[int], set[int], set[int]]:
    """Return the formats of cells whose font is struck through, the shared texts with such a run, and those with a raised one."""
    formats: set[int] = set()
    strings: set[int] = set()
    raised: set[int] = set()
    styles, shared = ("xl/styles.xml", "xl/sharedStrings.xml")
    if styles in archive and _STRIKE.search(content := archive.read(styles)):
        root = parse_xml(content, what="工作簿")
        fonts = {str(at) for at, font in enumerate(root.iterfind("{*}fonts/{*}font")) if _is_struck(font)}
        cells = root.iterfind("{*}cellXfs/{*}xf")
        formats = {at for at, one in enumerate(cells) if one.get("fontId", "0") in fonts}
    if shared in archive and _RUN_MARK.search(content := archive.read(shared)):
        for at, one in enumerate(parse_xml(content, what="工作簿").iterfind("{*}si")):
            runs = list(one.iterfind("{*}r/{*}rPr"))
            strings.update([at] if any(map(_is_struck, runs)) else ())
            raised.update([at] if any(map(_is_raised, runs)) else ())
    return formats, strings, raised


def _is_raised(run: Element) -> bool:
    place = run.find("{*}vertAlign")
    return place is not None and place.get("val") == "superscript"


def _is_struck(font: Element) -> bool:
    mark = font.find("{*}strike")
    return mark is not None and mark.get("val", "1") not in {"0", "false"}


def _rows_with(xml: bytes, formats: set[int], strings: set[int]) -> set[int]:
    found: set[int] = set()
    for match in _CELL.finditer(xml):
        style, place = _STYLE.search(match[1]), _REFERENCE.search(match[1])
        is_text = match[2] is not None and _SHARED.search(match[1]) is not None
        is_styled = (
            style is not None and int(style[1]) in formats and (match[2] is not None or b"inlineStr" in match[1])
        )
        if place and (is_styled or (is_text and int(match[2]) in strings)):
            found.add(int(place[2]) - 1)
    return found
