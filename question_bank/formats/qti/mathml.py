"""MathML said in a line of text, since questions are shown without it."""

from __future__ import annotations

from collections.abc import Callable

from question_bank.formats.xml_location import local
from question_bank.formats.xml_safety import Element

_SIGNS = {"\u2062": "", "\u2061": "", "\u2063": "", "\u2064": "+"}


def math_text(element: Element) -> str:
    """The formula in one line: `a^2`, `(a+b)/(c)`, `√(x)`."""
    name = local(element).removeprefix("math-")
    if name in {"annotation", "annotation-xml", ""}:
        return ""
    parts = [math_text(child) for child in element]
    say = _SAYERS.get(name)
    if say is not None and len(parts) >= 2:
        return say(parts)
    if name == "msqrt":
        return f"√({''.join(parts)})"
    text = (element.text or "").strip()
    return "".join([_SIGNS.get(text, text), *parts])


def _group(part: str) -> str:
    return part if len(part) <= 1 or part.isalnum() else f"({part})"


_SAYERS: dict[str, Callable[[list[str]], str]] = {
    "mfrac": lambda parts: f"{_group(parts[0])}/{_group(parts[1])}",
    "msup": lambda parts: f"{_group(parts[0])}^{_group(parts[1])}",
    "mover": lambda parts: f"{_group(parts[0])}^{_group(parts[1])}",
    "msub": lambda parts: f"{_group(parts[0])}_{_group(parts[1])}",
    "munder": lambda parts: f"{_group(parts[0])}_{_group(parts[1])}",
    "msubsup": lambda parts: f"{_group(parts[0])}_{_group(parts[1])}^{_group(parts[-1])}",
    "munderover": lambda parts: f"{_group(parts[0])}_{_group(parts[1])}^{_group(parts[-1])}",
    "mroot": lambda parts: f"{_group(parts[1])}√({parts[0]})",
}
