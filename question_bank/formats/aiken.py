"""Aiken, the plainest of text formats: a stem, lettered options, and a line `ANSWER: X`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from examapp.documents.decoding import decode_plain_text, text_head
from question_bank.formats.export import ExportedFile, not_exported, unsupported_fields
from question_bank.formats.parsed import Outcome, ParsedQuestion, add_outcome, validate_parsed
from question_bank.model import OPTION_LETTERS, Kind, Question
from question_bank.parse_result import Note, ParseResult
from question_bank.rich import Rich, html_to_text

_OPTION = re.compile(r"\s*(?P<letter>[A-Za-z])[.)](?P<gap>\s*)(?P<text>.*)$")
_ANSWER = re.compile(r"\s*ANSWER\s*[:：]\s*(?P<letters>.*?)\s*$", re.IGNORECASE)


@dataclass(slots=True)
class _Entry:
    """The lines of one question."""

    line: int
    stem: list[str] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)
    """Letter and text lines of each option."""
    answer: str | None = None


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the text has Aiken's options and answer lines."""
    del name
    text = text_head(content)
    has_answer = re.search(r"^\s*ANSWER\s*[:：]\s*[A-Z]", text, re.MULTILINE | re.IGNORECASE) is not None
    return has_answer and _first_letter(text) is not None


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of an Aiken file."""
    del name
    result = ParseResult("aiken")
    text = decode_plain_text(content)
    for entry in _entries(text.split("\n"), first=_first_letter(text) or "A"):
        add_outcome(result, _outcome(entry))
    return result


def _first_letter(text: str) -> str | None:
    """Return how the file writes the first option's letter: A, or a where no option has a capital."""
    return next((letter for letter in "Aa" if re.search(rf"^\s*{letter}[.)]", text, re.MULTILINE)), None)


def _option_of(line: str, entry: _Entry | None, first: str) -> re.Match[str] | None:
    """Return the option that a line is: the next letter, or any letter with a space behind its sign."""
    found = _OPTION.match(line)
    if found is None or found["letter"].isupper() != first.isupper():
        return None
    at = len(entry.options) if entry else 0
    is_next = found["letter"].upper() == OPTION_LETTERS[at : at + 1]  # none behind the last
    return found if is_next or found["gap"] or not found["text"] else None


def _entries(lines: list[str], *, first: str) -> list[_Entry]:
    entries: list[_Entry] = []
    entry: _Entry | None = None
    after_blank = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            after_blank = True
            continue
        answer = _ANSWER.match(line)
        option = _option_of(line, entry, first)
        if entry is None or (after_blank and entry.options and not (answer or option)):
            entry = _Entry(number)
            entries.append(entry)
        after_blank = False
        if answer:
            entry.answer = answer.group("letters")
            entry = None
        elif option:
            entry.options.append([option.group("letter").upper(), option.group("text").strip()])
        elif entry.options:
            entry.options[-1].append(line.strip())
        else:
            entry.stem.append(line.strip())
    return entries


def _outcome(entry: _Entry) -> Outcome:
    where = f"第 {entry.line} 行"
    if not entry.options:
        return Note(
            where, "这一段没有 A. B. 开头的选项，不是 Aiken 格式的题目。请补上选项，或改用别的格式。", "malformed"
        )
    parsed = ParsedQuestion(where=where, kind=Kind.SINGLE_CHOICE, stem=Rich("\n".join(entry.stem)))
    letters = [option[0] for option in entry.options]
    parsed.options = [Rich("\n".join(option[1:])) for option in entry.options]
    answer = re.sub(r"[\s,，、;；]+", "", entry.answer or "").upper()
    if not answer:
        parsed.require_review("no_key", "这道题没有 ANSWER 一行。请补上答案。")
    elif len(set(letters)) != len(letters):
        parsed.require_review("duplicate_letters", "有两个选项用了同一个字母，分不清答案指哪一个。请改正选项字母。")
    elif letters != list(OPTION_LETTERS[: len(letters)]):
        reason = f"选项字母是 {''.join(letters)}，不连续。请核对是否漏了选项。"
        parsed.require_review("option_missing", reason)
    elif not all(letter in letters for letter in answer):
        parsed.require_review("key_outside_options", f"答案“{entry.answer}”不在选项里。请核对答案。")
    else:
        parsed.right = [letters.index(letter) for letter in answer]
        parsed.kind = Kind.SINGLE_CHOICE if len(set(answer)) == 1 else Kind.MULTIPLE_CHOICE
    return validate_parsed(parsed)


def write(questions: Iterable[Question]) -> ExportedFile:
    """Single choices and true/false as Aiken; all else is a named loss."""
    losses: list[Note] = []
    texts: list[str] = []
    for number, question in enumerate(questions, start=1):
        where = f"第 {number} 题"
        if question.kind not in {Kind.SINGLE_CHOICE, Kind.TRUE_FALSE} or len(question.key) != 1:
            losses.append(not_exported(where, question, "Aiken"))
            continue
        if any(_OPTION.match(line) or _ANSWER.match(line) for line in _line(question.stem, question).split("\n")):
            reason = "题干有一行像选项或答案，Aiken 格式写不下，没有导出。请改用 QTI 3.0 或 Excel 格式导出。"
            losses.append(Note(where, f"{reason}题干：{question.stem[:30]}", "not_written"))
            continue
        texts.append(_question(question))
        losses += unsupported_fields(
            where,
            question,
            "Aiken",
            explanation=question.explanation,
            citation=question.citation,
            knowledge_points=question.knowledge_points,
            difficulty=question.difficulty,
            points=question.points,
            tags=question.tags,
            code=question.code,
            images=question.images,
            markup=question.is_html,
        )
    return ExportedFile(("\n\n".join(texts) + "\n").encode(), losses)


def _question(question: Question) -> str:
    pairs = zip(OPTION_LETTERS, question.options, strict=False)
    options = [f"{letter}. {_line(option, question)}" for letter, option in pairs]
    return "\n".join([_line(question.stem, question), *options, f"ANSWER: {question.key[0]}"])


def _line(text: str, question: Question) -> str:
    """Return a text without blank lines, which would end the question."""
    plain = html_to_text(text) if question.is_html else text.strip()
    return re.sub(r"\s*\n\s*", "\n", plain)
