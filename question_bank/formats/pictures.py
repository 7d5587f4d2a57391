"""Pictures of a question: named by its HTML, or drawn in a document beside its text."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from urllib.parse import unquote

from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import OPTION_LETTERS, Image, Question
from question_bank.parse_result import FIRST_NUMBERED, NUMBERED, PICTURE
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


STEM, EXPLANATION = "stem", "explanation"
ONLY_PICTURE = "（见图）"
"""What stands for the words of a stem or option that is a picture alone."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture's own name and bytes."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture that begins in a cell, rows and columns from 0; without `drawn` its bytes cannot be had."""

    row: int
    column: int
    drawn: Drawn | None


def drawn_of(name: str, content: bytes) -> Drawn | None:
    """Give a file as a picture; None where its name is no picture's, or it is empty or too large."""
    media_type = media_type_of(name)
    if media_type is None or not content or len(content) > MAX_IMAGE:
        return None
    return Drawn(re.sub(r"[^\w.\-]+", "_", posixpath.basename(name)), media_type, content)


def with_pictures(question: Question, placed: Sequence[tuple[str, Drawn]]) -> Question:
    """Give a question with pictures at the end of their texts: `stem`, `explanation`, or an option's letter."""
    shelf = {image.name: image for image in question.images}
    marks: dict[str, str] = {}
    for place, drawn in placed:
        name = _shelved(shelf, drawn)
        marks[place] = f'{marks.get(place, "")}<p><img src="bank:{name}" alt="图"></p>'

    def text(words: str, place: str) -> str:
        html = words if question.is_html else escape(words, quote=False).replace("\n", "<br>")
        return html + marks.get(place, "")

    return replace(
        question,
        stem=text(question.stem, STEM),
        options=tuple(text(words, letter) for words, letter in zip(question.options, OPTION_LETTERS, strict=False)),
        explanation=text(question.explanation, EXPLANATION) if question.explanation or EXPLANATION in marks else "",
        is_html=True,
        images=tuple(shelf.values()),
    )


_NUMBERED = re.compile(f"{PICTURE}({NUMBERED})")


def numbered(number: int) -> str:
    """Give the sign that stands in a text for a document's picture of this number, from 0."""
    return f"{PICTURE}{chr(FIRST_NUMBERED + number)}"


def put_in_place(question: Question, pictures: Sequence[Drawn]) -> Question:
    """Give a question with the document's pictures where their signs stand in stem, options and explanation; elsewhere signs go."""
    parts = tuple(put_in_place(part, pictures) for part in question.parts)
    key = tuple(_NUMBERED.sub("", text) for text in question.key)
    blanks = tuple(tuple(_NUMBERED.sub("", text) for text in variants) for variants in question.blanks)
    question = replace(question, parts=parts, key=key, blanks=blanks)
    texts = (question.stem, question.explanation, *question.options)
    if not any(_NUMBERED.search(text) for text in texts):
        return question
    shelf = {image.name: image for image in question.images}

    def image(match: re.Match[str]) -> str:
        return f'<img src="bank:{_shelved(shelf, pictures[ord(match[1]) - FIRST_NUMBERED])}" alt="图">'

    def text(words: str) -> str:
        html = words if question.is_html else escape(words, quote=False).replace("\n", "<br>")
        return _NUMBERED.sub(image, html)

    return replace(
        question,
        stem=text(question.stem),
        options=tuple(text(words) for words in question.options),
        explanation=text(question.explanation),
        is_html=True,
        images=tuple(shelf.values()),
    )


def _shelved(shelf: dict[str, Image], drawn: Drawn) -> str:
    """Put a picture on the shelf, numbered where another has its name; gives the name it got."""
    stem, end = posixpath.splitext(drawn.name)
    name, number = drawn.name, 1
    while name in shelf and shelf[name].content != drawn.content:
        number += 1
        name = f"{stem}-{number}{end}"
    shelf[name] = Image(name=name, media_type=drawn.media_type, content=drawn.content)
    return name
