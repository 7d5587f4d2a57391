"""What lies ahead of a line in a free text: numbers, options, answers, as far as the next line that might begin something new."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from question_bank.formats.options import split_options, strip_mark
from question_bank.formats.stems import take_truth
from question_bank.formats.text.answer_lists import is_answer_line
from question_bank.formats.text.block import NEAR, Ahead, look_ahead
from question_bank.formats.text.lines import Line
from question_bank.formats.text.patterns import (
    Number,
    read_answer_head,
    read_answer_label,
    read_heading,
    read_number,
)


class Outlook:
    """The lines of a text with their numbers, and what follows each."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.numbers = _marked(lines, [read_number(line.text) for line in lines])
        self.ends = self._ends()

    def _ends(self) -> list[int]:
        """For each line the next line that might begin something new."""
        ends, end = [0] * len(self.lines), len(self.lines)
        for index in range(len(self.lines) - 1, -1, -1):
            ends[index] = end
            number, text = self.numbers[index], self.lines[index].text
            if (number and number.style not in {"loose", "paren"}) or read_heading(text) or read_answer_head(text):
                end = index
        return ends

    def _end(self, index: int) -> int:
        return min(self.ends[index], index + NEAR)

    def _label_below(self, end: int) -> bool:
        """Whether the line that ends a block is `参考答案：` with the answer in words below it, not a section's head."""
        head = read_answer_head(self.lines[end].text) if end < len(self.lines) else None
        if head is None or not head[1]:
            return False
        below = next((line.text for line in self.lines[end + 1 : end + 4] if line.text), "")
        return bool(below) and not is_answer_line(below) and read_heading(below) is None

    def _ahead(self, index: int, rest: str) -> Ahead:
        texts = [line.text for line in self.lines[index + 1 : self._end(index)] if line.text]
        return look_ahead(rest, texts, label_below=self._label_below(self.ends[index]))

    def _key_below(self, index: int) -> bool:
        return index + 1 < len(self.lines) and read_answer_label(self.lines[index + 1].text) is not None

    def _opens_bare(self, index: int) -> bool:
        """A number alone on its line opens a question when a stem, options from A or an answer follow; else it is a page's."""
        end = self._end(index)
        if end < len(self.lines) and read_answer_head(self.lines[end].text):
            end = min(self.ends[end], end + NEAR)
        texts = [line.text for line in self.lines[index + 1 : end] if line.text]
        if len(texts) < 2 or strip_mark(texts[0])[0]:
            return False
        return bool(split_options("\n".join(texts))[1]) or any(
            read_answer_label(text) is not None for text in texts[1:]
        )

    def _is_whole_below(self, index: int) -> bool:
        """Whether options from A on and an answer stand right below a line: then it is a stem, though nothing is numbered."""
        below = [line.text for line in self.lines[index + 1 : index + 12] if line.text]
        letters = [strip_mark(text)[0] for text in below[:2]]
        options = letters == ["A", "B"] or (bool(below) and len(split_options(below[0])[1]) >= 2)
        return options and any(read_answer_label(text) is not None for text in below)


def _marked(lines: list[Line], numbers: list[Number | None]) -> list[Number | None]:
    """The lines' numbers; `（1）` counts questions where no line has another number and options follow it."""
    styles = {number.style for number in numbers if number}
    if "paren" not in styles or styles & {"mark", "word", "loose"}:
        return numbers
    places = [place for place, number in enumerate(numbers) if number and number.style == "paren"]
    below = ["\n".join(line.text for line in lines[place:end]) for place, end in pairwise([*places, len(lines)])]
    if not all(len(split_options(text)[1]) >= 2 or take_truth(text.split("\n")[0])[1] for text in below):
        return numbers
    return [replace(number, style="mark") if number and number.style == "paren" else number for number in numbers]
