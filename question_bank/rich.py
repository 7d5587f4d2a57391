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


def marks_left(text: str, *, is_html: bool) -> str:
    """Return the first mark of HTML, Markdown or LaTeX that would be shown as it is written; nothing where there is none."""
    patterns = (_LATEX, _MARKDOWN_IMAGE) if is_html else (_LATEX, _MARKDOWN_IMAGE, _INLINE)
    plain = html_to_text(text) if is_html else text
    found = (match[0] for pattern in patterns if (match := pattern.search(plain)))
    return next(found, "")


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


_SCRIPT = re.compile(r"<(su[bp])>([^<>]{1,40})</\1>", re.IGNORECASE)
_RAISED = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_INLINE = re.compile(
    r"</?(?:b|i|u|s|em|strong|small|font|span|center|p|div|a|sub|sup)\b[^<>]*>|<br\s*/?>"
    r"|&(?:nbsp|lt|gt|amp|quot|ldquo|rdquo|lsquo|rsquo|mdash|hellip|middot|times|ensp|emsp|#\d{2,6}|#x[0-9a-f]{2,5});",
    re.IGNORECASE,
)
_MARKDOWN_IMAGE = re.compile(r"!\[[^\]\n]{0,200}\]\([^)\s]{0,2000}\)")
_LATEX = re.compile(
    r"\\[(\[]|\$[^$\n]{0,200}\\[A-Za-z]+[^$\n]{0,200}\$|\\(?:frac|sqrt|times|cdot|leq?|geq?|neq?|text|mathrm|alpha|beta|pi|sum|int)(?![A-Za-z])"
)


def _script(match: re.Match[str]) -> str:
    """Return a text set high or low by characters of that height, or behind `^` or `_` where there are none."""
    is_high = match[1].lower() == "sup"
    raised = match[2].translate(_RAISED if is_high else _LOWERED)
    return raised if not set(raised) & set(match[2]) else f"{'^' if is_high else '_'}({match[2]})"


def plain_if_html(text: str) -> tuple[str, str]:
    """Return the text without tags, entities and Markdown's pictures, and what was lost or changed by it (图片, 表格, 网页标记) or nothing."""
    lost = ["图片"] if _MARKDOWN_IMAGE.search(text) else []
    text = _MARKDOWN_IMAGE.sub("", text) if lost else text
    if "<" in text and (_STARTS.match(text) or _CLOSES.search(text)):
        lost += [name for name, pattern in _LOST.items() if name not in lost and pattern.search(text)]
        plain = _TAG.sub("", _LINE_ENDS.sub("\n", _SCRIPT.sub(_script, text)))
    elif _INLINE.search(text):
        lost += ["网页标记"]
        plain = _INLINE.sub(
            lambda match: match[0] if match[0][0] == "&" else "", _LINE_ENDS.sub("\n", _SCRIPT.sub(_script, text))
        )
    else:
        return text, "和".join(lost)
    return _BLANK_LINES.sub("\n", html.unescape(plain)).strip(), "和".join(lost)


def to_plain(text: str) -> tuple[str, str]:
    """Return the words of an HTML fragment of our own, and the name of what plain text cannot hold of it or nothing."""
    lost = [name for name, pattern in _LOST.items() if pattern.search(text)]
    body = _LINE_ENDS.sub("\n", text)
    if not lost and _TAG.search(body):
        rest = re.sub(r"</?(?:p|div|li|ul|ol|tr|section)\b[^<>]*>", "", body, flags=re.IGNORECASE)
        lost = ["文字格式"] if _TAG.search(rest) else []
    return _BLANK_LINES.sub("\n", html.unescape(_TAG.sub("", body))).strip(), "和".join(lost)
