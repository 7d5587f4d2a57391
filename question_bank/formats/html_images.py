"""Pictures that a question's HTML names, attached as `bank:<name>` or noted as lost."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Callable
from urllib.parse import unquote

from examapp.documents.embedded_pictures import MAX_IMAGE, SUFFIXES, media_type_of
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import Image
from question_bank.rich import Rich

_IMG = re.compile(
    r"(?P<head><img\b[^>]*?\bsrc\s*=\s*)(?P<quote>[\"'])(?P<src>.*?)(?P=quote)", re.IGNORECASE | re.DOTALL
)
_MEDIA = re.compile(r"<(?:audio|video|object|embed|iframe|source)\b", re.IGNORECASE)
_DATA = re.compile(r"data:(?P<type>image/[\w.+-]+);base64,(?P<data>[A-Za-z0-9+/=\s]+)")

_NOTHING: dict[str, tuple[str, bytes]] = {}

Fetch = Callable[[str], tuple[str, bytes] | None]
"""From a source as written to the file's name and bytes, or None."""


def no_files(source: str) -> tuple[str, bytes] | None:
    """Return the fetch of a format that carries no files."""
    return _NOTHING.get(source)


def attach_images(parsed: ParsedQuestion, text: Rich, fetch: Fetch) -> Rich:
    """Attach the pictures that a text names and return the text; what cannot be attached is a loss."""
    if not text.is_html:
        return text
    if _MEDIA.search(text.text):
        parsed.add_loss("media_dropped", "音频、视频或嵌入的网页没有保留。请核对题目是否还能作答。")

    def replace(match: re.Match[str]) -> str:
        name = _attach(parsed, match.group("src").strip(), fetch)
        return (
            match.group()
            if name is None
            else f"{match.group('head')}{match.group('quote')}bank:{name}{match.group('quote')}"
        )

    return Rich(_IMG.sub(replace, text.text), is_html=True)


def attach_all_images(parsed: ParsedQuestion, fetch: Fetch = no_files) -> None:
    """Attach the pictures of every text, for formats whose texts are read before the question is made."""
    parsed.stem = attach_images(parsed, parsed.stem, fetch)
    parsed.options = [attach_images(parsed, option, fetch) for option in parsed.options]
    parsed.explanation = [attach_images(parsed, text, fetch) for text in parsed.explanation]
    parsed.option_notes = {place: attach_images(parsed, note, fetch) for place, note in parsed.option_notes.items()}


def _attach(parsed: ParsedQuestion, source: str, fetch: Fetch) -> str | None:
    if source.startswith("bank:"):
        return source.removeprefix("bank:")
    found = _inline(source) if source.startswith("data:") else fetch(source)
    if found is None:
        if re.match(r"https?:|//", source):
            parsed.add_loss("remote_image", "题目里的图片在外部网站上，没有导入。请下载图片后补上。")
        else:
            parsed.add_loss("image_missing", f"题目里的图片“{source[:60]}”不在文件里，没有导入。请补上图片。")
        return None
    name, content = found
    media_type = media_type_of(name)
    if media_type is None or not content or len(content) > MAX_IMAGE:
        parsed.add_loss("image_missing", f"题目里的图片“{name[:60]}”不是可用的图片文件，没有导入。请补上图片。")
        return None
    return attach_image(parsed, name, media_type, content)


def attach_image(parsed: ParsedQuestion, name: str, media_type: str, content: bytes) -> str:
    """Attach a picture under its own name, numbered when another picture has it; return the name."""
    stem, end = posixpath.splitext(re.sub(r"[^\w.\-]+", "_", posixpath.basename(unquote(name))))
    plain, number = stem + end, 1
    while True:
        same = next((image for image in parsed.images if image.name == plain), None)
        if same is None:
            parsed.images.append(Image(name=plain, media_type=media_type, content=content))
            return plain
        if same.content == content:
            return plain
        number += 1
        plain = f"{stem}-{number}{end}"


def _inline(source: str) -> tuple[str, bytes] | None:
    found = _DATA.fullmatch(source)
    if found is None or found.group("type") not in SUFFIXES:
        return None
    try:
        content = base64.b64decode(found.group("data"), validate=False)
    except (binascii.Error, ValueError):
        return None
    return f"image{SUFFIXES[found.group('type')]}", content
