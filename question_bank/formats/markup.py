"""Cells and texts that older platforms filled with HTML, brought back to plain text."""

from __future__ import annotations

import re
from html import unescape

_STARTS = re.compile(r"\s*<(?:p|div|span|section|font|table|img|ul|ol)\b[^>]*>", re.IGNORECASE)
_CLOSES = re.compile(r"</(?:p|div|span|section|font|table|li)>|<img\b[^<>]*\bsrc\s*=[^<>]*>", re.IGNORECASE)
_LINE_ENDS = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|section)>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_IMAGE = re.compile(r"<img\b", re.IGNORECASE)
_TABLE = re.compile(r"<table\b", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n\s*\n+")


def plain_if_html(text: str) -> tuple[str, str]:
    """The text without HTML tags where it is clearly HTML, and the name of what was lost by it (图片, 表格) or nothing."""
    if "<" not in text or not (_STARTS.match(text) or _CLOSES.search(text)):
        return text, ""
    lost = [name for pattern, name in ((_IMAGE, "图片"), (_TABLE, "表格")) if pattern.search(text)]
    plain = _TAG.sub("", _LINE_ENDS.sub("\n", text))
    return _BLANK_LINES.sub("\n", unescape(plain)).strip(), "和".join(lost)


def to_plain(text: str) -> tuple[str, str]:
    """The words of an HTML fragment of our own, and the name of what plain text cannot hold of it or nothing."""
    lost = [name for pattern, name in ((_IMAGE, "图片"), (_TABLE, "表格")) if pattern.search(text)]
    body = _LINE_ENDS.sub("\n", text)
    if not lost and _TAG.search(body):
        rest = re.sub(r"</?(?:p|div|li|ul|ol|tr|section)\b[^<>]*>", "", body, flags=re.IGNORECASE)
        lost = ["文字格式"] if _TAG.search(rest) else []
    return _BLANK_LINES.sub("\n", unescape(_TAG.sub("", body))).strip(), "和".join(lost)
