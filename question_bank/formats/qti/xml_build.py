"""Building the XML that is written: HTML fragments as nodes, pictures' paths, names of QTI 3.0."""

from __future__ import annotations

import re

from lxml import etree
from lxml import html as lxml_html

from question_bank.formats.xml_safety import Element
from question_bank.formats.xml_text import clean
from question_bank.rich import Rich

_QTI_NAMES = frozenset(
    {
        "assessmentItem", "responseDeclaration", "outcomeDeclaration", "correctResponse", "defaultValue", "value", "mapping",
        "mapEntry", "itemBody", "choiceInteraction", "orderInteraction", "simpleChoice", "prompt", "textEntryInteraction", "extendedTextInteraction",
        "responseProcessing", "responseCondition", "responseIf", "match", "variable", "correct", "setOutcomeValue", "baseValue",
        "sum", "mapResponse", "multiple", "modalFeedback", "contentBody",
    }
)  # fmt: skip
_CAPITAL = re.compile(r"([A-Z])")


def add(parent: Element, name: str, words: str | None = None, **attributes: str) -> Element:
    """A child with text and attributes; a trailing underscore in a keyword is dropped (`class_`)."""
    element = etree.SubElement(parent, name, {key.rstrip("_"): clean(value) for key, value in attributes.items()})
    if words is not None:
        element.text = clean(words)
    return element


def add_rich(parent: Element, text: Rich, image_folder: str) -> None:
    """Put a text into an element, its `bank:` pictures pointing to the folder."""
    if not text.is_html:
        first, *rest = clean(text.text).split("\n")
        parent.text = (parent.text or "") + first
        for line in rest:
            etree.SubElement(parent, "br").tail = line
        return
    source = lxml_html.fragment_fromstring(clean(text.text), create_parent="div")
    for image in source.iter("img"):
        name = image.get("src", "")
        if name.startswith("bank:"):
            image.set("src", f"{image_folder}/{name.removeprefix('bank:')}")
    parent.text = (parent.text or "") + (source.text or "")
    for child in list(source):
        parent.append(child)


def to_version_3(root: Element) -> None:
    """Rename QTI 2's elements and attributes to those of QTI 3.0, in place."""
    for element in root.iter():
        if element.tag in _QTI_NAMES:
            element.tag = "qti-" + _kebab(str(element.tag))
            for key, value in list(element.attrib.items()):
                del element.attrib[key]
                element.set(_kebab(str(key)), value)


def to_bytes(root: Element, namespace: str) -> bytes:
    """The document with its default namespace."""
    text = etree.tostring(root, encoding="unicode")
    name = str(root.tag)
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n" + text.replace(f"<{name}", f'<{name} xmlns="{namespace}"', 1)
    ).encode()


def _kebab(name: str) -> str:
    return _CAPITAL.sub(lambda match: "-" + match.group(1).lower(), name)
