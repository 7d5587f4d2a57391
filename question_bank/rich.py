"""Represent texts that may be HTML: plain text where they hold only words, else an HTML fragment."""

import html
import re
from dataclasses import dataclass

_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
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
    def simplest(self) -> "Rich":
        """Plain text when the fragment holds only words, lines and paragraphs; else itself."""
        if not self.is_html or any(not _SIMPLE_TAG.fullmatch(tag) for tag in _TAG.findall(self.text)):
            return Rich(self.text.strip(), self.is_html)
        return Rich(html_to_text(self.text))


def html_to_text(fragment: str) -> str:
    """Return the words of an HTML fragment, one line a paragraph."""
    folded = _FOLD.sub(" ", fragment)
    text = html.unescape(_TAG.sub("", _LINE_END.sub("\n", folded)))
    return re.sub(r" *\n *", "\n", re.sub(r"\n{3,}", "\n\n", text)).strip()


def guessed(text: str) -> Rich:
    """Return text of a format that allows HTML without saying so: HTML when it closes a tag, breaks a line or shows a picture."""
    return Rich(text, is_html=bool(_MARKUP.search(text)))


def unify(texts: list[Rich]) -> tuple[list[str], bool]:
    """Return all texts of one question in the same form: plain when all can be, else all HTML."""
    simple = [text.simplest for text in texts]
    if any(text.is_html for text in simple):
        return [text.fragment for text in texts], True
    return [text.text for text in simple], False


def joined(texts: list[Rich]) -> Rich:
    """Return several texts one below the other."""
    kept = [text.simplest for text in texts if not text.is_blank]
    if any(text.is_html for text in kept):
        parts = [text.fragment for text in kept]
        return Rich("".join(f"<div>{part}</div>" for part in parts) if len(parts) > 1 else parts[0], is_html=True)
    return Rich("\n".join(text.text.strip() for text in kept))


_STARTS = re.compile(r"\s*<(?:p|div|span|section|font|table|img|ul|ol)\b[^>]*>", re.IGNORECASE)
_CLOSES = re.compile(r"</(?:p|div|span|section|font|table|li)>|<img\b[^<>]*\bsrc\s*=[^<>]*>", re.IGNORECASE)
_LINE_ENDS = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|section)>", re.IGNORECASE)
_LOST = {"图片": re.compile(r"<img\b", re.IGNORECASE), "表格": re.compile(r"<table\b", re.IGNORECASE)}
_BLANK_LINES = re.compile(r"\n\s*\n+")


def plain_if_html(text: str) -> tuple[str, str]:
    """Return the text without HTML tags where it is clearly HTML, and the name of what was lost by it (图片, 表格) or nothing."""
    if "<" not in text or not (_STARTS.match(text) or _CLOSES.search(text)):
        return text, ""
    lost = [name for name, pattern in _LOST.items() if pattern.search(text)]
    plain = _TAG.sub("", _LINE_ENDS.sub("\n", text))
    return _BLANK_LINES.sub("\n", html.unescape(plain)).strip(), "和".join(lost)


def to_plain(text: str) -> tuple[str, str]:
    """Return the words of an HTML fragment of our own, and the name of what plain text cannot hold of it or nothing."""
    lost = [name for name, pattern in _LOST.items() if pattern.search(text)]
    body = _LINE_ENDS.sub("\n", text)
    if not lost and _TAG.search(body):
        rest = re.sub(r"</?(?:p|div|li|ul|ol|tr|section)\b[^<>]*>", "", body, flags=re.IGNORECASE)
        lost = ["文字格式"] if _TAG.search(rest) else []
    return _BLANK_LINES.sub("\n", html.unescape(_TAG.sub("", body))).strip(), "和".join(lost)
