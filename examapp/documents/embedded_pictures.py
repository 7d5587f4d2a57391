"""Pictures that office files and archives hold, by name and bytes."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

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
