"""Charts in chapters: what an office writes as lines in a code block is drawn as a picture of our own, with nothing fetched and nothing taken over unescaped."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from markupsafe import Markup, escape

_BLOCK = re.compile(r"<pre><code>流程图：(.*?)</code></pre>", re.DOTALL)
_WIDTH, _SIDE, _GAP = 280, 92, 18
_HEAD, _TEXT, _PAD = 15, 13, 8
"""Sizes in pixels of the drawing; the page scales it with its type size."""
_MAX_STEPS, _MAX_BOXES = 30, 5


@dataclass(slots=True)
class _Drawing:
    """A chart while it is drawn from top to bottom."""

    main: int
    y: int = 2
    label: str = ""
    shapes: list[str] = field(default_factory=list)

    def text(self, lines: list[str], *, x: int, top: int, size: int, style: str) -> int:
        """Write lines around a middle; give the height below the last."""
        for line in lines:
            top += round(size * 1.35)
            self.shapes.append(f'<text class="{style}" x="{x}" y="{top - size // 4}">{escape(line)}</text>')
        return top

    def arrow(self) -> None:
        """Draw the arrow down to the next step, with its label on as many lines as it needs."""
        middle = self.main // 2
        lines = _wrap(self.label, _WIDTH - middle - 12, _TEXT)
        end = self.y + max(24, 18 * len(lines) + 6)
        self.shapes.append(f'<path d="M{middle} {self.y}V{end - 5}"/><path class="tip" d="M{middle - 5} {end - 7}h10l-5 7z"/>')  # fmt: skip
        self.text(lines, x=middle + 10, top=self.y, size=_TEXT, style="chart-label")
        self.y, self.label = end, ""


def draw_charts(page: Markup) -> Markup:
    """Draw the charts of a page that was cleaned: each code block that begins with `流程图：title`.

    A line is a step `头：说明`, a decision `？问题｜否则的去向`, a row of boxes `＝甲｜乙`, or `→` with the words beside the next arrow.
    """
    return Markup(_BLOCK.sub(lambda block: _figure(html.unescape(block[1])), page))  # noqa: S704 – texts are escaped where they are drawn


def _figure(source: str) -> str:
    title, *lines = [line.strip() for line in source.splitlines() if line.strip()] or [""]
    lines = lines[:_MAX_STEPS]
    has_sides = any(line.startswith("？") and "｜" in line for line in lines)
    drawing = _Drawing(_WIDTH - _SIDE - _GAP if has_sides else _WIDTH)
    is_first = True
    for line in lines:
        if line.startswith("→"):
            drawing.label = line.lstrip("→ ")
            continue
        if not is_first:
            drawing.arrow()
        is_first = False
        _draw_step(drawing, line)
    spoken = "；".join(line.lstrip("→＝？ ").replace("｜", "，") for line in lines)
    return (
        f'<figure class="flowchart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {drawing.y + 2}" role="img" aria-label="{escape(spoken)}">{"".join(drawing.shapes)}</svg></figure>'
    )


def _draw_step(drawing: _Drawing, line: str) -> None:
    if line.startswith("＝"):
        _draw_row(drawing, line.lstrip("＝ ").split("｜")[:_MAX_BOXES])
    elif line.startswith("？"):
        question, _, other = line.lstrip("？ ").partition("｜")
        _draw_decision(drawing, question, other)
    else:
        head, _, more = line.partition("：")
        drawing.y = _box(drawing, head, more, x=0, width=drawing.main, top=drawing.y)


def _draw_row(drawing: _Drawing, texts: list[str]) -> None:
    width = (drawing.main - 6 * (len(texts) - 1)) // len(texts)
    height = max(_height("", text, width) for text in texts)
    for place, text in enumerate(texts):
        _box(drawing, "", text, x=place * (width + 6), width=width, top=drawing.y, height=height)
    drawing.y += height


def _draw_decision(drawing: _Drawing, question: str, other: str) -> None:
    width, top = drawing.main, drawing.y
    height = max(_height(question, "", width - 16), _height("", other, _SIDE) if other else 0)
    middle = top + height // 2
    corners = f"M10 {top}H{width - 10}L{width} {middle}L{width - 10} {top + height}H10L0 {middle}z"
    drawing.shapes.append(f'<path class="chart-ask" d="{corners}"/>')
    lines = _wrap(question, width - 16 - 2 * _PAD, _HEAD)
    drawing.text(lines, x=width // 2, top=middle - round(len(lines) * _HEAD * 1.35) // 2, size=_HEAD, style="chart-head")  # fmt: skip
    if other:
        end = width + _GAP
        drawing.shapes.append(f'<path d="M{width} {middle}H{end - 5}"/><path class="tip" d="M{end - 7} {middle - 5}v10l7 -5z"/>')  # fmt: skip
        side = _height("", other, _SIDE)
        _box(drawing, "", other, x=end, width=_SIDE, top=middle - side // 2, style="chart-side")
    drawing.y = top + height


def _box(
    drawing: _Drawing, head: str, more: str, *, x: int, width: int, top: int, height: int = 0, style: str = "chart-box"
) -> int:
    """Draw a box with a head and words below it; give where it ends."""
    height = height or _height(head, more, width)
    drawing.shapes.append(f'<rect class="{style}" x="{x + 1}" y="{top}" width="{width - 2}" height="{height}" rx="4"/>')
    room = _room(width)
    middle, at = x + width // 2, top + _PAD
    at = drawing.text(_wrap(head, room, _HEAD), x=middle, top=at, size=_HEAD, style="chart-head")
    drawing.text(_wrap(more, room, _TEXT), x=middle, top=at, size=_TEXT, style="chart-text")
    return top + height


def _height(head: str, more: str, width: int) -> int:
    room = _room(width)
    lines = len(_wrap(head, room, _HEAD)) * round(_HEAD * 1.35) + len(_wrap(more, room, _TEXT)) * round(_TEXT * 1.35)
    return lines + 2 * _PAD


def _room(width: int) -> int:
    """Give how wide the words in a box may be: a narrow box has less padding."""
    return width - 2 * (_PAD if width > _SIDE else _PAD // 2)


def _wrap(text: str, room: int, size: int) -> list[str]:
    """Break a text into lines that fit a width; no line begins with a punctuation mark."""
    lines, line, used = [], "", 0.0
    for character in text:
        wide = size if ord(character) > 255 else size * 0.6
        if used + wide > room and line and character not in "，。；：、）”":
            lines.append(line)
            line, used = "", 0.0
        line, used = line + character, used + wide
    return [*lines, line] if line else lines
