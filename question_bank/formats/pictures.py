"""Attach pictures to a question's texts: those that its HTML names, and those that a document has beside its texts."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import unquote

from examapp.documents.embedded_pictures import MAX_IMAGE, SUFFIXES, EmbeddedPicture, media_type_of
from question_bank.model import FIRST_NUMBERED, MAX_NUMBERED, NUMBERED, OPTION_LETTERS, PICTURE, Image, Question
from question_bank.rich import Rich

if TYPE_CHECKING:
    from question_bank.formats.parsed import ParsedQuestion

STEM, EXPLANATION = "stem", "explanation"
ONLY_PICTURE = "（见图）"
"""What stands for the words of a stem or option that is a picture alone."""


def append_pictures(question: Question, placed: Sequence[tuple[str, EmbeddedPicture]]) -> Question:
    """Return a question with pictures at the end of their texts: `stem`, `explanation`, or an option's letter."""
    images = list(question.images)
    marks: dict[str, str] = {}
    for place, picture in placed:
        name = _add_image(images, picture)
        marks[place] = f'{marks.get(place, "")}<p><img src="bank:{name}" alt="图"></p>'

    def text(wording: str, place: str) -> str:
        return _as_html(question, wording) + marks.get(place, "")

    return replace(
        question,
        stem=text(question.stem, STEM),
        options=tuple(text(wording, letter) for wording, letter in zip(question.options, OPTION_LETTERS, strict=False)),
        explanation=text(question.explanation, EXPLANATION) if question.explanation or EXPLANATION in marks else "",
        is_html=True,
        images=tuple(images),
    )


def _as_html(question: Question, text: str) -> str:
    return text if question.is_html else escape(text, quote=False).replace("\n", "<br>")


_NUMBERED = re.compile(f"{PICTURE}({NUMBERED})")


def picture_sign(number: int) -> str:
    """Return the sign that stands in a text for a document's picture of this number, from 0; that of any picture for other numbers."""
    return f"{PICTURE}{chr(FIRST_NUMBERED + number)}" if 0 <= number < MAX_NUMBERED else PICTURE


def insert_pictures(question: Question, pictures: Sequence[EmbeddedPicture]) -> Question:
    """Return a question with the document's pictures where their signs stand in stem, options and explanation; elsewhere signs go."""
    parts = tuple(insert_pictures(part, pictures) for part in question.parts)
    key = tuple(_NUMBERED.sub("", text) for text in question.key)
    blanks = tuple(tuple(_NUMBERED.sub("", text) for text in variants) for variants in question.blanks)
    question = replace(question, parts=parts, key=key, blanks=blanks)
    texts = (question.stem, question.explanation, *question.options)
    if not any(_NUMBERED.search(text) for text in texts):
        return question
    images = list(question.images)

    def image(match: re.Match[str]) -> str:
        number = ord(match[1]) - FIRST_NUMBERED
        return f'<img src="bank:{_add_image(images, pictures[number])}" alt="图">' if number < len(pictures) else ""

    def text(wording: str) -> str:
        return _NUMBERED.sub(image, _as_html(question, wording))

    return replace(
        question,
        stem=text(question.stem),
        options=tuple(text(wording) for wording in question.options),
        explanation=text(question.explanation),
        is_html=True,
        images=tuple(images),
    )


def _add_image(images: list[Image], picture: EmbeddedPicture) -> str:
    """Add a picture, numbered where another has its name; return the name it got."""
    stem, end = posixpath.splitext(picture.name)
    name, number = picture.name, 1
    while (same := next((image for image in images if image.name == name), None)) and same.content != picture.content:
        number += 1
        name = f"{stem}-{number}{end}"
    if same is None:
        images.append(Image(name=name, media_type=picture.media_type, content=picture.content))
    return name


_IMG = re.compile(
    r"(?P<head><img\b[^>]*?\bsrc\s*=\s*)(?P<quote>[\"'])(?P<src>.*?)(?P=quote)", re.IGNORECASE | re.DOTALL
)
_MEDIA = re.compile(
    r"<(?:audio|video|object|embed|iframe|source)\b|\bhref\s*=\s*[\"'][^\"']*\.(?:mp3|wav|ogg|m4a|wma|mp4|flv|swf|avi|wmv|mov)\b",
    re.IGNORECASE,
)
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
        parsed.add_dropped("media_dropped", "音频、视频或嵌入的网页没有保留。请核对题目是否还能作答。")

    def replace(match: re.Match[str]) -> str:
        name = _attach(parsed, match["src"].strip(), fetch)
        return match[0] if name is None else f"{match['head']}{match['quote']}bank:{name}{match['quote']}"

    return Rich(_IMG.sub(replace, text.text), is_html=True)


def attach_all_images(parsed: ParsedQuestion, fetch: Fetch = no_files, whole: ParsedQuestion | None = None) -> None:
    """Attach the pictures of every text to the question, or to the whole that it is a part of."""
    owner = whole or parsed
    parsed.stem = attach_images(owner, parsed.stem, fetch)
    parsed.options = [attach_images(owner, option, fetch) for option in parsed.options]
    parsed.explanation = [attach_images(owner, text, fetch) for text in parsed.explanation]
    parsed.option_notes = {place: attach_images(owner, note, fetch) for place, note in parsed.option_notes.items()}


def _attach(parsed: ParsedQuestion, source: str, fetch: Fetch) -> str | None:
    if source.startswith("bank:"):
        return source.removeprefix("bank:")
    found = _inline(source) if source.startswith("data:") else fetch(source)
    if found is None:
        if re.match(r"https?:|//", source):
            parsed.add_dropped("remote_image", "题目里的图片在外部网站上，没有导入。请下载图片后补上。")
        else:
            parsed.add_dropped("image_missing", f"题目里的图片“{source[:60]}”不在文件里，没有导入。请补上图片。")
        return None
    name, content = found
    media_type = media_type_of(name)
    if media_type is None or not content or len(content) > MAX_IMAGE:
        parsed.add_dropped("image_missing", f"题目里的图片“{name[:60]}”不是可用的图片文件，没有导入。请补上图片。")
        return None
    plain = re.sub(r"[^\w.\-]+", "_", posixpath.basename(unquote(name)))
    return _add_image(parsed.images, EmbeddedPicture(plain, media_type, content))


def _inline(source: str) -> tuple[str, bytes] | None:
    found = _DATA.fullmatch(source)
    if found is None or found.group("type") not in SUFFIXES:
        return None
    content = decode_base64(found["data"])
    return None if content is None else (f"image{SUFFIXES[found['type']]}", content)


def decode_base64(text: str) -> bytes | None:
    """Return the bytes of a base64 text; None for anything else."""
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return None
