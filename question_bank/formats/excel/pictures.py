"""Where the pictures of a workbook stand, so that a question that loses one says so."""

from __future__ import annotations

import posixpath

from question_bank.formats.places import local
from question_bank.formats.safety import Archive
from question_bank.formats.xml_safety import Element, parse_xml
from question_bank.reading import UnreadableFileError

_PACKAGE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_SHEET, _DRAWING = "/worksheet", "/drawing"
_ANCHORS = frozenset({"twoCellAnchor", "oneCellAnchor"})
MAX_PICTURES = 20_000


def picture_rows(archive: Archive) -> dict[str, list[int]]:
    """Give for each sheet's name the rows (from 0) in which pictures begin; nothing where the workbook's parts do not say."""
    try:
        return _rows(archive)
    except UnreadableFileError:
        return {}


def _rows(archive: Archive) -> dict[str, list[int]]:
    book = "xl/workbook.xml"
    if book not in archive:
        return {}
    targets = _related(archive, book, _SHEET)
    found: dict[str, list[int]] = {}
    for sheet in parse_xml(archive.read(book), what="工作簿").iter("{*}sheet"):
        path = targets.get(sheet.get(f"{_PACKAGE}id", ""), "")
        rows = [row for drawing in _related(archive, path, _DRAWING).values() for row in _anchored(archive, drawing)]
        if rows:
            found[sheet.get("name", "")] = rows[:MAX_PICTURES]
    return found


def _related(archive: Archive, path: str, kind: str) -> dict[str, str]:
    """Give the parts that a part names, by the name it calls them."""
    folder, name = posixpath.split(path)
    relations = f"{folder}/_rels/{name}.rels"
    if not path or relations not in archive:
        return {}
    parts: dict[str, str] = {}
    for one in parse_xml(archive.read(relations), what="工作簿").iter("{*}Relationship"):
        if one.get("Type", "").endswith(kind):
            target = one.get("Target", "")
            parts[one.get("Id", "")] = (
                target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
            )
    return parts


def _anchored(archive: Archive, drawing: str) -> list[int]:
    """Give the rows in which the pictures of a drawing begin; shapes without a picture are none."""
    if drawing not in archive:
        return []
    root = parse_xml(archive.read(drawing), what="工作簿")
    anchors = [
        one for one in root if local(one) in _ANCHORS and any(local(part) == "pic" for part in one.iter("{*}pic"))
    ]
    return [row for anchor in anchors if (row := _row_of(anchor)) is not None]


def _row_of(anchor: Element) -> int | None:
    text = next((cell.text or "" for start in anchor.iter("{*}from") for cell in start.iter("{*}row")), "")
    return int(text) if text.strip().isdigit() and len(text) < 8 else None
