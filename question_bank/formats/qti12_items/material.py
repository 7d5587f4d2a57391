"""The words and pictures of QTI 1.2."""

from __future__ import annotations

import html
from urllib.parse import unquote

from question_bank.formats.files import Files
from question_bank.formats.xml_location import local, text_of
from question_bank.formats.xml_safety import Element
from question_bank.rich import Rich, guessed, joined

_BASES = ("$IMS-CC-FILEBASE$", "$IMS_CC_FILE_BASE$", "$IMS_CC_FILEBASE$", "$CANVAS_OBJECT_REFERENCE$")
RESPONSES = frozenset(
    {"response_lid", "response_str", "response_num", "response_xy", "response_grp", "response_extension"}
)


def material_of(element: Element, *, below_responses: bool = True) -> Rich:
    """All material within an element, in order; that of responses only when asked."""
    return joined(list(_pieces(element, below_responses=below_responses)))


def _pieces(element: Element, *, below_responses: bool) -> list[Rich]:
    found: list[Rich] = []
    for child in element:
        name = local(child)
        if name in {"mattext", "matemtext"}:
            found.append(_words(child))
        elif name == "matimage":
            found.append(_picture(child))
        elif name == "matbreak":
            found.append(Rich("<br>", is_html=True))
        elif name in {"mataudio", "matvideo", "matapplet", "matapplication"}:
            found.append(Rich("<object></object>", is_html=True))
        elif name not in {"render_choice", "render_fib", "render_hotspot", "render_slider", "render_extension"} and (
            below_responses or name not in RESPONSES
        ):
            found += _pieces(child, below_responses=below_responses)
    return found


def _words(element: Element) -> Rich:
    text = text_of(element).strip()
    kind = element.get("texttype", "")
    if kind in {"text/html", "text/xhtml", "html", "HTML"}:
        return Rich(text, is_html=True)
    return Rich(text) if kind == "text/plain" else guessed(text)


def _picture(element: Element) -> Rich:
    source = element.get("uri", "")
    if not source and element.get("embedded", "") == "base64":
        source = f"data:{element.get('imagtype', 'image/png')};base64,{text_of(element).strip()}"
    alt = html.escape(element.get("label", ""))
    return Rich(f'<img src="{html.escape(source)}" alt="{alt}">', is_html=True)


def fetch_from(files: Files, source: str) -> tuple[str, bytes] | None:
    """A picture by its path: as written, or wherever in the package a path ends so."""
    plain = unquote(html.unescape(source)).partition("?")[0]
    for base in _BASES:
        plain = plain.replace(base, "").removeprefix("/")
    if files.archive is None or "://" in plain:
        return None
    found = files.fetch(plain)
    if found is not None:
        return found
    ends = [name for name in files.archive.names if name.endswith("/" + plain) or name == plain]
    if len(ends) != 1:
        return None
    return ends[0].rpartition("/")[2], files.archive.read(ends[0])
