"""Pictures that office files hold, by name and bytes, and where a workbook has them."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from examapp.documents.archives import Archive, UnreadableFileError
from examapp.documents.decoding import read_count
from examapp.documents.safe_xml import Element, local, parse_xml

MAX_IMAGE = 10 * 1024 * 1024
_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
    ".svg": "image/svg+xml", ".bmp": "image/bmp",
}  # fmt: skip
SUFFIXES = {media_type: end for end, media_type in reversed(_TYPES.items())}


def media_type_of(name: str) -> str | None:
    """Return the picture type that a file's name says; None when it is no picture."""
    return _TYPES.get(posixpath.splitext(name.lower())[1])


@dataclass(frozen=True, slots=True)
class EmbeddedPicture:
    """A picture's own name and bytes."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """A picture that begins in a cell, rows and columns from 0; without `picture` its bytes cannot be had."""

    row: int
    column: int
    picture: EmbeddedPicture | None


def picture_of(name: str, content: bytes) -> EmbeddedPicture | None:
    """Return a file as a picture; None where its name is no picture's, or it is empty or too large."""
    media_type = media_type_of(name)
    if media_type is None or not content or len(content) > MAX_IMAGE:
        return None
    return EmbeddedPicture(re.sub(r"[^\w.\-]+", "_", posixpath.basename(name)), media_type, content)


_PACKAGE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_SHEET, _DRAWING, _IMAGE = "/worksheet", "/drawing", "/image"
_CELL_IMAGES = "xl/cellimages.xml"
_ANCHORS = frozenset({"twoCellAnchor", "oneCellAnchor"})
MAX_PICTURES = 20_000


def placed_pictures(archive: Archive) -> dict[str, list[PlacedPicture]]:
    """Return for each sheet's name its pictures and the cells in which they begin; nothing where the workbook's parts do not say."""
    try:
        return _placed(archive)
    except UnreadableFileError:
        return {}


def cell_pictures(archive: Archive) -> dict[str, EmbeddedPicture]:
    """Return the pictures that WPS keeps in cells, by the name by which `DISPIMG` calls them."""
    if _CELL_IMAGES not in archive:
        return {}
    try:
        root = parse_xml(archive.read(_CELL_IMAGES), what="工作簿")
        files = related_parts(archive, _CELL_IMAGES, _IMAGE)
    except UnreadableFileError:
        return {}
    found: dict[str, EmbeddedPicture] = {}
    for picture in root.iter("{*}pic"):
        name = next((part.get("name", "") for part in picture.iter("{*}cNvPr")), "")
        found_picture = _picture_of(archive, picture, files)
        if name and found_picture is not None:
            found[name] = found_picture
    return found


def _placed(archive: Archive) -> dict[str, list[PlacedPicture]]:
    found: dict[str, list[PlacedPicture]] = {}
    for name, path in sheet_parts(archive).items():
        placed = [
            one for drawing in related_parts(archive, path, _DRAWING).values() for one in _anchored(archive, drawing)
        ]
        if placed:
            found[name] = placed[:MAX_PICTURES]
    return found


def sheet_parts(archive: Archive) -> dict[str, str]:
    """Return the part of the archive that holds each sheet, by the sheet's name."""
    book = "xl/workbook.xml"
    if book not in archive:
        return {}
    targets = related_parts(archive, book, _SHEET)
    return {
        sheet.get("name", ""): targets.get(sheet.get(f"{_PACKAGE}id", ""), "")
        for sheet in parse_xml(archive.read(book), what="工作簿").iter("{*}sheet")
    }


def related_parts(archive: Archive, path: str, kind: str) -> dict[str, str]:
    """Return the parts that a part names, by the name it calls them."""
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


def _anchored(archive: Archive, drawing: str) -> list[PlacedPicture]:
    """Return the pictures of a drawing with the cells in which they begin; shapes without a picture are none."""
    if drawing not in archive:
        return []
    root = parse_xml(archive.read(drawing), what="工作簿")
    files = related_parts(archive, drawing, _IMAGE)
    found: list[PlacedPicture] = []
    for anchor in root:
        if local(anchor) not in _ANCHORS:
            continue
        row, column = _number(anchor, "row"), _number(anchor, "col")
        if row is not None:
            found += [
                PlacedPicture(row, column or 0, _picture_of(archive, picture, files))
                for picture in anchor.iter("{*}pic")
            ]
    return found


def _picture_of(archive: Archive, picture: Element, files: dict[str, str]) -> EmbeddedPicture | None:
    path = next((files.get(blip.get(f"{_PACKAGE}embed", ""), "") for blip in picture.iter("{*}blip")), "")
    return picture_of(path, archive.read(path)) if path and path in archive else None


def _number(anchor: Element, name: str) -> int | None:
    text = next((cell.text or "" for start in anchor.iter("{*}from") for cell in start.iter(f"{{*}}{name}")), "")
    number = read_count(text, -1)
    return number if number >= 0 else None
