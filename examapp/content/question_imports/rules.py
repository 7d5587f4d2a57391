"""What the preview of a question file says: equal problems in one line with their places, the source beside a question, corrections that hold."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from examapp.errors import BadRequestError
from question_bank.kinds.registry import kind_of
from question_bank.model import OPTION_LETTERS, Kind, Note, Question, QuestionForReview, ReadQuestion
from question_bank.rich import html_to_text

_QUOTED = re.compile(r"“[^”]*”|《[^》]*》|\d+|(?<![A-Za-z])[A-Z]+(?![A-Za-z])")
"""What differs between problems of one sort: quoted texts, numbers, letters of options."""
_PLACE = re.compile(r"(.*?)第 (\d+) (行|段|题)(.*)", re.DOTALL)
MAX_RANGES = 6
"""Ranges of places that one line names."""
BEFORE_PLACE, AFTER_PLACE = 2, 9
"""Lines of the source shown before and after the line that a question begins on."""
_EDITABLE = frozenset({Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.TRUE_FALSE, Kind.FILL_BLANK, Kind.SHORT_ANSWER})


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedQuestion:
    """What a person has decided about the doubtful question at a place: kind, options (one a line), answer."""

    where: str
    kind: str
    options: str
    answer: str


@dataclass(slots=True)
class ProblemGroup:
    """Problems of one sort: the reason of the first, and where they all are."""

    reason: str
    number: int
    """By which addresses name the sort, whatever becomes of the others."""
    notes: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def places(self) -> str:
        """Return the places in words, neighbours as a range: `第 2–138 行`."""
        return places_text([note["where"] for note in self.notes])


HOW_READ = frozenset(
    {"answers", "column_remembered", "columns_guessed", "converted", "emphasised_keys", "hidden_column", "macros"}
)
"""Codes of remarks that say how a file was read; all others name what was not read."""


def group_problems(notes: Sequence[Mapping[str, Any]]) -> list[ProblemGroup]:
    """Return problems by their sort, the most frequent first."""
    groups: dict[tuple[str, str], ProblemGroup] = {}
    for note in notes:
        sort = (note.get("code", ""), _QUOTED.sub("…", note["reason"]))
        number = zlib.crc32("\n".join(sort).encode())
        groups.setdefault(sort, ProblemGroup(note["reason"], number)).notes.append(note)
    for (_, reason), group in groups.items():
        if any(note["reason"] != group.reason for note in group.notes):
            group.reason = _joined_reason(reason, [note["reason"] for note in group.notes])
    return sorted(groups.values(), key=lambda group: -len(group.notes))


MAX_NAMED = 3
"""Quoted texts in which problems of one sort differ that one line names."""


def _joined_reason(reason: str, reasons: Sequence[str]) -> str:
    """Return the reason of a sort with the few texts in which its problems differ, where they do so in one place: `“甲”、“乙”列不认识`."""
    found = [_QUOTED.findall(one) for one in reasons]
    differing = [place for place, texts in enumerate(zip(*found, strict=True)) if len(set(texts)) > 1]
    texts = list(dict.fromkeys(one[differing[0]] for one in found)) if len(differing) == 1 else []
    if not 1 < len(texts) <= MAX_NAMED or not all(text.startswith("“") for text in texts):
        return reason
    fillers = iter([*found[0][: differing[0]], "、".join(texts), *found[0][differing[0] + 1 :]])
    return re.sub("…", lambda match: next(fillers, match[0]), reason)


def places_text(places: Sequence[str]) -> str:
    """Return places in the file in words: neighbours joined to ranges; where these are many, the stretch that holds them and their number."""
    ranges: list[list[Any]] = []
    for place in dict.fromkeys(places):
        match = _PLACE.fullmatch(place)
        if match is None:
            ranges.append([place, 0, 0, "", ""])
            continue
        before, number, unit, after = match[1], int(match[2]), match[3], match[4]
        last = ranges[-1] if ranges else None
        if last and last[0] == before and last[3:] == [unit, after] and last[2] + 1 == number:
            last[2] = number
        else:
            ranges.append([before, number, number, unit, after])
    if len(ranges) > MAX_RANGES and len({(before, unit, after) for before, _, _, unit, after in ranges}) == 1:
        before, _, _, unit, after = ranges[0]
        first, last = min(one[1] for one in ranges), max(one[2] for one in ranges)
        return f"{_range_text(before, first, last, unit, after)}之间 {len(ranges)} 处" if unit else f"{len(ranges)} 处"
    if len(ranges) > 1 and ranges[0][3] and len({(before, unit, after) for before, _, _, unit, after in ranges}) == 1:
        before, _, _, unit, after = ranges[0]
        numbers = (str(first) if first == last else f"{first}–{last}" for _, first, last, _, _ in ranges)
        return f"{before}第 {'、'.join(numbers)} {unit}{after}"
    shown = [_range_text(*one) for one in ranges[:MAX_RANGES]]
    return "、".join(shown) + (f" 等 {len(ranges)} 处" if len(ranges) > MAX_RANGES else "")


def _range_text(before: str, first: int, last: int, unit: str, after: str) -> str:
    if not unit:
        return before
    return f"{before}第 {first if first == last else f'{first}–{last}'} {unit}{after}"


def source_lines(text: str, where: str) -> list[tuple[int, str]]:
    """Return the lines of a text around a place such as `第 31 行`; none where the place names no line."""
    match = _PLACE.fullmatch(where)
    if match is None or match[1] or match[3] != "行":
        return []
    lines, number = text.split("\n"), int(match[2])
    first = max(number - BEFORE_PLACE, 1)
    return list(enumerate(lines[first - 1 : number + AFTER_PLACE], first))


def one_line(text: str) -> str:
    """Return a text on one line, as options are edited."""
    return " ".join(text.split())


def is_correctable(question: Mapping[str, Any]) -> bool:
    """Return whether a described question can be corrected in the preview: one without sub-questions, of a common kind."""
    return question["kind"] in _EDITABLE and not question.get("parts")


def correct_question(item: QuestionForReview, correction: CorrectedQuestion) -> ReadQuestion:
    """Return a doubtful question with the kind, options (one a line) and answer that a person has given; raises BadRequestError where they do not fit.

    Texts, pictures and citation stay; options change only where their words do.
    """
    from question_bank.formats.heuristics.resolving import resolve_questions
    from question_bank.formats.parsed import ParsedQuestion

    question, where, kind = item.question, item.note.where, correction.kind
    if question.parts or kind not in _EDITABLE:
        raise BadRequestError(f"{where}：这种题请在导入后到编辑页改。")
    texts = [one_line(line) for line in correction.options.splitlines() if line.strip()]
    chosen = Kind(kind)
    parsed = ParsedQuestion(where=where, kind=chosen, answer=correction.answer.strip())
    parsed.stem_text = html_to_text(question.stem) if kind_of(chosen).has_blanks else "题目"
    if kind_of(chosen).has_options:
        parsed.lettered = list(zip(OPTION_LETTERS, texts, strict=False))
    reading = resolve_questions([parsed], format_name="")
    if not reading.imported:
        problem = (*reading.rejected, *(one.note for one in reading.needing_review))[0]
        raise BadRequestError(f"{where}：{problem.reason}")
    found = reading.imported[0].question
    note = Note(where, "题型、选项或答案是在预览里由人确定的。", "corrected")
    return ReadQuestion(_with_key(question, found, texts), where, (note,))


def _with_key(question: Question, found: Question, texts: list[str]) -> Question:
    """Return the question with kind, options and key of another; its own options where their words are the same."""
    own = [one_line(html_to_text(option) if question.is_html else option) for option in question.options]
    options = found.options
    if kind_of(found.kind).has_options:
        written = tuple(escape(text, quote=False) for text in texts) if question.is_html else found.options
        options = question.options if own == texts else written
    return replace(question, kind=found.kind, options=options, key=found.key, blanks=found.blanks)
