"""Answers to several questions behind the label of the last one: `答案：1-5 √×√√×`, `答案：1.宪法 2.60日`."""

from __future__ import annotations

from question_bank.formats.answers import numbered_parts
from question_bank.formats.keys import count_blanks
from question_bank.formats.text.answer_lists import is_answer_line
from question_bank.formats.text.block import Block, has_answer, texts_of
from question_bank.formats.text.lines import Line
from question_bank.formats.text.patterns import read_answer_label


def listed_behind_label(line: Line, blocks: list[Block]) -> list[Line]:
    """The answers as lines, one or several questions a line; none where the label's answer is the last question's own."""
    listed = read_answer_label(line.text)
    if not listed or not blocks:
        return []
    if is_answer_line(listed):
        return [Line(line.number, listed)]
    return _in_words(line.number, listed, blocks)


def _in_words(number: int, listed: str, blocks: list[Block]) -> list[Line]:
    """Answers in words to each question since the first, unless they are so many as the last one has blanks."""
    parts = numbered_parts(listed)
    unanswered = blocks[-len(parts) :] if parts else []
    if not unanswered or any(has_answer(block) for block in unanswered):
        return []
    if count_blanks("".join(texts_of(unanswered[-1]))) == len(parts):
        return []
    if [block.number for block in unanswered] != list(range(1, len(parts) + 1)):
        return []
    return [Line(number, f"{place}、{part}") for place, part in enumerate(parts, 1)]
