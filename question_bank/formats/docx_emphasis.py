"""Find the emphasised runs of a Word document: coloured, highlighted, shaded, bold or underlined words."""

from examapp.documents.archives import Archive
from examapp.documents.safe_xml import Element, parse_xml
from question_bank.formats.docx_numbering import W

_EMPHASIS = "bank-emphasis"
_NAMES = {"color": "color", "highlight": "highlight", "shading": "shd", "bold": "b", "underline": "u"}
_PLAIN = {
    "color": frozenset({"auto", "000000"}), "highlight": frozenset({"none", "white"}), "shading": frozenset({"auto", "FFFFFF", ""}),
    "bold": frozenset({"0", "false", "off"}), "underline": frozenset({"none"}),
}  # fmt: skip
"""Values that say that a run has not the style."""


def styles_of(archive: Archive) -> set[str]:
    """Return which styles of emphasis a document's runs have."""
    body = parse_xml(archive.read("word/document.xml"), what="Word 文件")
    return {style for style, name in _NAMES.items() if any(_has(one, style) for one in body.iter(f"{W}{name}"))}


def mark_runs(body: Element, style: str) -> None:
    """Mark the runs that have a style of emphasis."""
    for run in body.iter(f"{W}r"):
        properties = run.find(f"{W}rPr/{W}{_NAMES[style]}")
        if properties is not None and _has(properties, style):
            run.set(_EMPHASIS, "1")


def is_emphasised(run: Element) -> bool:
    """Return whether a run has been marked."""
    return run.get(_EMPHASIS) is not None


def _has(properties: Element, style: str) -> bool:
    value = properties.get(f"{W}fill" if style == "shading" else f"{W}val", "1")
    return value not in _PLAIN[style]
