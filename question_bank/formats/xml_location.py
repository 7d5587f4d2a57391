"""Where in an XML file something stands, so that a person finds it again."""

from __future__ import annotations

from lxml import etree

from question_bank.formats.xml_safety import Element


def local(element: Element) -> str:
    """An element's name without its namespace; empty for what is no element."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def place_of(element: Element, file_name: str = "") -> str:
    """The XML path with counts and the line, behind the file's name in its package when there is one."""
    parts: list[str] = []
    current: Element | None = element
    while current is not None:
        same = [other for other in current.itersiblings(preceding=True) if other.tag == current.tag]
        more = bool(same) or next(current.itersiblings(current.tag), None) is not None
        parts.append(f"{local(current)}[{len(same) + 1}]" if more else local(current))
        current = current.getparent()
    path = "/" + "/".join(reversed(parts))
    line = f"（第 {element.sourceline} 行）" if element.sourceline is not None else ""
    return f"{file_name}：{path}{line}" if file_name else path + line


def child_text(element: Element, *names: str) -> str:
    """The text of the first child along the names, whatever the namespace; empty when there is none."""
    current: Element = element
    for name in names:
        found = next((child for child in current if local(child) == name), None)
        if found is None:
            return ""
        current = found
    return text_of(current)


def children(element: Element, name: str) -> list[Element]:
    """The children of that name, whatever the namespace."""
    return [child for child in element if local(child) == name]


def text_of(element: Element) -> str:
    """All text within an element."""
    return "".join(str(part) for part in element.itertext())
