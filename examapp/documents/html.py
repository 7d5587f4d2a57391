"""Clean untrusted HTML: only an allow-list of tags, and images of our own."""

from __future__ import annotations

import re
import unicodedata

import nh3
from markupsafe import escape

_TAGS = {
    "p", "br", "b", "strong", "i", "em", "u", "s", "sub", "sup", "ul", "ol", "li", "table", "thead", "tbody", "tr", "td", "th", "img",
    "blockquote", "pre", "code", "span", "div", "ruby", "rt", "h3", "h4", "hr",
}  # fmt: skip
_FOLDS = {"details", "summary"}
_ATTRIBUTES = {"img": {"src", "alt", "width", "height"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_OWN_IMAGE = re.compile(r"/media/[0-9a-f]{64}|/study/files/[0-9a-f]{32}")
_INVISIBLE = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A), 0xFEFF, 0x00AD]
)
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])


def clean_html(fragment: str, *, may_fold: bool = False) -> str:
    """Return an HTML fragment without scripts, styles, links and foreign images; with folded parts only where they are allowed."""
    return nh3.clean(
        normalise(fragment),
        tags=_TAGS | _FOLDS if may_fold else _TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_own_images_only,
        url_schemes=set(),
        link_rel=None,
    )


def text_to_html(text: str) -> str:
    """Return plain text as HTML: escaped, with its line breaks."""
    return str(escape(normalise(text))).replace("\n", "<br>")


def html_to_text(fragment: str) -> str:
    """Return the text of an HTML fragment, for search and spreadsheets."""
    spaced = re.sub(r"<(br|/p|/div|/li|/tr)[^>]*>", "\n", fragment)
    bare = nh3.clean(spaced, tags=set())
    for entity, character in (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ):
        bare = bare.replace(entity, character)
    return bare.strip()


def normalise(text: str) -> str:
    """Return text in NFC, without control, invisible and direction-changing characters."""
    return unicodedata.normalize("NFC", text).translate(_INVISIBLE).translate(_CONTROL)


def _own_images_only(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src":
        return value if _OWN_IMAGE.fullmatch(value) else None
    return value
