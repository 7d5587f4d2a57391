"""Moodle's text elements: their format and the files that lie within them."""

from __future__ import annotations

import base64
import binascii
import posixpath
from urllib.parse import unquote

from question_bank.formats.images import attach_images
from question_bank.formats.parsed import ParsedQuestion
from question_bank.formats.xml_location import child_text, children, local, text_of
from question_bank.formats.xml_safety import Element
from question_bank.rich import Rich, guessed

_PLUGIN = "@@PLUGINFILE@@/"


class TextReader:
    """Reads the texts of one question; pictures come to lie on the draft's shelf."""

    def __init__(self, draft: ParsedQuestion, question: Element) -> None:
        self._draft = draft
        self._question = question

    def read(self, parent: Element, name: str) -> Rich:
        """The text of a child of that name, or of the parent itself when the name is empty."""
        element = next(iter(children(parent, name)), None) if name else parent
        if element is None:
            return Rich()
        words = child_text(element, "text").strip()
        manner = element.get("format", "")
        if manner in {"plain_text", "plain"}:
            return Rich(words)
        if manner == "markdown":
            self._draft.lose("markdown_as_text", "Markdown 排版没有转换，按原样文字保留。请核对显示效果。")
            return Rich(words)
        text = Rich(words, is_html=True) if manner == "html" else guessed(words)
        return attach_images(self._draft, text, lambda source: _file(element, source) or _file(self._question, source))


def _file(element: Element, source: str) -> tuple[str, bytes] | None:
    wanted = unquote(source.removeprefix(_PLUGIN)).partition("?")[0]
    for file in element:
        if local(file) != "file":
            continue
        path = posixpath.join(file.get("path", "/"), file.get("name", "")).lstrip("/")
        if wanted not in {path, file.get("name", "")}:
            continue
        try:
            return file.get("name", ""), base64.b64decode(text_of(file), validate=False)
        except (binascii.Error, ValueError):
            return None
    return None
