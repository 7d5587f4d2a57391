"""Pictures that a question's HTML names, brought along as `bank:<name>` or named as lost."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Callable
from urllib.parse import unquote

from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import Image
from question_bank.rich import Rich

MAX_IMAGE = 10 * 1024 * 1024
_IMG = re.compile(
    r"(?P<head><img\b[^>]*?\bsrc\s*=\s*)(?P<quote>[\"'])(?P<src>.*?)(?P=quote)", re.IGNORECASE | re.DOTALL
)
_MEDIA = re.compile(r"<(?:audio|video|object|embed|iframe|source)\b", re.IGNORECASE)
_DATA = re.compile(r"data:(?P<type>image/[\w.+-]+);base64,(?P<data>[A-Za-z0-9+/=\s]+)")
_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
    ".svg": "image/svg+xml", ".bmp": "image/bmp",
}  # fmt: skip
_ENDS = {media_type: end for end, media_type in reversed(_TYPES.items())}

_NOTHING: dict[str, tuple[str, bytes]] = {}

Fetch = Callable[[str], tuple[str, bytes] | None]
"""From a source as written to the file's name and bytes, or None."""


def no_files(source: str) -> tuple[str, bytes] | None:
    """The fetch of a format that carries no files."""
    return _NOTHING.get(source)


def media_type_of(name: str) -> str | None:
    """The picture type that a file's name says; None when it is no picture."""
    return _TYPES.get(posixpath.splitext(name.lower())[1])


def attach_images(draft: ParsedQuestion, text: Rich, fetch: Fetch) -> Rich:
    """The text with its pictures on the draft's shelf; what cannot be had is a named loss."""
    if not text.is_html:
        return text
    if _MEDIA.search(text.text):
        draft.lose("media_dropped", "音频、视频或嵌入的网页没有保留。请核对题目是否还能作答。")

    def replace(match: re.Match[str]) -> str:
        name = _shelve(draft, match.group("src").strip(), fetch)
        return (
            match.group()
            if name is None
            else f"{match.group('head')}{match.group('quote')}bank:{name}{match.group('quote')}"
        )

    return Rich(_IMG.sub(replace, text.text), is_html=True)


def shelve_all(draft: ParsedQuestion, fetch: Fetch = no_files) -> None:
    """Shelve the pictures of every text of a draft, for formats whose texts are read before there is a draft."""
    draft.stem = attach_images(draft, draft.stem, fetch)
    draft.options = [attach_images(draft, option, fetch) for option in draft.options]
    draft.explanation = [attach_images(draft, text, fetch) for text in draft.explanation]
    draft.option_notes = {place: attach_images(draft, note, fetch) for place, note in draft.option_notes.items()}


def _shelve(draft: ParsedQuestion, source: str, fetch: Fetch) -> str | None:
    if source.startswith("bank:"):
        return source.removeprefix("bank:")
    found = _inline(source) if source.startswith("data:") else fetch(source)
    if found is None:
        if re.match(r"https?:|//", source):
            draft.lose("remote_image", "题目里的图片在外部网站上，没有导入。请下载图片后补上。")
        else:
            draft.lose("image_missing", f"题目里的图片“{source[:60]}”不在文件里，没有导入。请补上图片。")
        return None
    name, content = found
    media_type = media_type_of(name)
    if media_type is None or not content or len(content) > MAX_IMAGE:
        draft.lose("image_missing", f"题目里的图片“{name[:60]}”不是可用的图片文件，没有导入。请补上图片。")
        return None
    return add_image(draft, name, media_type, content)


def add_image(draft: ParsedQuestion, name: str, media_type: str, content: bytes) -> str:
    """Put a picture on the shelf under its own name, numbered when another picture has it; the name it got."""
    stem, end = posixpath.splitext(re.sub(r"[^\w.\-]+", "_", posixpath.basename(unquote(name))))
    plain, number = stem + end, 1
    while True:
        same = next((image for image in draft.images if image.name == plain), None)
        if same is None:
            draft.images.append(Image(name=plain, media_type=media_type, content=content))
            return plain
        if same.content == content:
            return plain
        number += 1
        plain = f"{stem}-{number}{end}"


def _inline(source: str) -> tuple[str, bytes] | None:
    found = _DATA.fullmatch(source)
    if found is None or found.group("type") not in _ENDS:
        return None
    try:
        content = base64.b64decode(found.group("data"), validate=False)
    except (binascii.Error, ValueError):
        return None
    return f"image{_ENDS[found.group('type')]}", content
