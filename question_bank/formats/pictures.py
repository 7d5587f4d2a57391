"""Pictures that a document has beside its texts: their types, and how they are put into a question's texts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from examapp.documents.embedded_pictures import EmbeddedPicture
from question_bank.model import OPTION_LETTERS, Image, Question
from question_bank.parse_result import FIRST_NUMBERED, NUMBERED, PICTURE

STEM, EXPLANATION = "stem", "explanation"
ONLY_PICTURE = "（见图）"
"""What stands for the words of a stem or option that is a picture alone."""


def append_pictures(question: Question, placed: Sequence[tuple[str, EmbeddedPicture]]) -> Question:
    """Return a question with pictures at the end of their texts: `stem`, `explanation`, or an option's letter."""
    by_name = {image.name: image for image in question.images}
    marks: dict[str, str] = {}
    for place, picture in placed:
        name = _add_image(by_name, picture)
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
        images=tuple(by_name.values()),
    )


_NUMBERED = re.compile(f"{PICTURE}({NUMBERED})")


def picture_sign(number: int) -> str:
    """Return the sign that stands in a text for a document's picture of this number, from 0."""
    return f"{PICTURE}{chr(FIRST_NUMBERED + number)}"


def insert_pictures(question: Question, pictures: Sequence[EmbeddedPicture]) -> Question:
    """Return a question with the document's pictures where their signs stand in stem, options and explanation; elsewhere signs go."""
    parts = tuple(insert_pictures(part, pictures) for part in question.parts)
    key = tuple(_NUMBERED.sub("", text) for text in question.key)
    blanks = tuple(tuple(_NUMBERED.sub("", text) for text in variants) for variants in question.blanks)
    question = replace(question, parts=parts, key=key, blanks=blanks)
    texts = (question.stem, question.explanation, *question.options)
    if not any(_NUMBERED.search(text) for text in texts):
        return question
    by_name = {image.name: image for image in question.images}

    def image(match: re.Match[str]) -> str:
        return f'<img src="bank:{_add_image(by_name, pictures[ord(match[1]) - FIRST_NUMBERED])}" alt="图">'

    def text(words: str) -> str:
        html = words if question.is_html else escape(words, quote=False).replace("\n", "<br>")
        return _NUMBERED.sub(image, html)

    return replace(
        question,
        stem=text(question.stem),
        options=tuple(text(words) for words in question.options),
        explanation=text(question.explanation),
        is_html=True,
        images=tuple(by_name.values()),
    )


def _add_image(by_name: dict[str, Image], picture: EmbeddedPicture) -> str:
    """Put a picture on the by_name, numbered where another has its name; gives the name it got."""
    stem, end = posixpath.splitext(picture.name)
    name, number = picture.name, 1
    while name in by_name and by_name[name].content != picture.content:
        number += 1
        name = f"{stem}-{number}{end}"
    by_name[name] = Image(name=name, media_type=picture.media_type, content=picture.content)
    return name
