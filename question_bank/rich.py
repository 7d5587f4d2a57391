"""Text that may be HTML: taken as plain words where it holds no more than words, else kept as a fragment."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_REAL_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_SIMPLE_TAG = re.compile(r"</?(?:p|br|div)\s*/?>", re.IGNORECASE)
_LINE_END = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6])\s*>", re.IGNORECASE)
_FOLD = re.compile(r"[ \t]*[\r\n]+[ \t\r\n]*")
_MARKUP = re.compile(r"</[A-Za-z][A-Za-z0-9]*\s*>|<(?:br|img|hr)\b[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rich:
    """A text and whether it is an HTML fragment."""

    text: str = ""
    is_html: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether a reader would see nothing, not even a picture."""
        return not self.plain and not re.search(r"<(?:img|math|object|svg|audio|video)\b", self.text, re.IGNORECASE)

    @property
    def plain(self) -> str:
        """The words alone, lines kept."""
        return html_to_text(self.text) if self.is_html else self.text.strip()

    @property
    def fragment(self) -> str:
        """The text as HTML."""
        if self.is_html:
            return self.text.strip()
        return html.escape(self.text.strip(), quote=False).replace("\n", "<br>")

    @property
    def simplest(self) -> Rich:
        """Plain text when the fragment holds only words, lines and paragraphs; else itself."""
        if not self.is_html or any(not _SIMPLE_TAG.fullmatch(tag) for tag in _REAL_TAG.findall(self.text)):
            return Rich(self.text.strip(), self.is_html)
        return Rich(html_to_text(self.text))


def html_to_text(fragment: str) -> str:
    """The words of an HTML fragment, one line a paragraph."""
    folded = _FOLD.sub(" ", fragment)
    text = html.unescape(_REAL_TAG.sub("", _LINE_END.sub("\n", folded)))
    return re.sub(r" *\n *", "\n", re.sub(r"\n{3,}", "\n\n", text)).strip()


def guessed(text: str) -> Rich:
    """Text of a format that allows HTML without saying so: HTML when it closes a tag, breaks a line or shows a picture."""
    return Rich(text, is_html=bool(_MARKUP.search(text)))


def unify(texts: list[Rich]) -> tuple[list[str], bool]:
    """All texts of one question in one manner: plain when all can be, else all HTML."""
    simple = [text.simplest for text in texts]
    if any(text.is_html for text in simple):
        return [text.fragment for text in texts], True
    return [text.text for text in simple], False


def joined(texts: list[Rich]) -> Rich:
    """Several texts under each other."""
    kept = [text.simplest for text in texts if not text.is_blank]
    if any(text.is_html for text in kept):
        return Rich(
            "".join(f"<div>{text.fragment}</div>" for text in kept) if len(kept) > 1 else kept[0].fragment, is_html=True
        )
    return Rich("\n".join(text.text.strip() for text in kept))
