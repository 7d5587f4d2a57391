"""Moodle's missing-word text: one question a file part, the answers in braces within the sentence."""

from __future__ import annotations

import re

from question_bank.formats.gift.lexer import blocks
from question_bank.formats.gift.parser import BLANK, GiftAnswer, split_answers
from question_bank.formats.gift.reader import FULL, fill_choice, fill_short, rich
from question_bank.formats.images import shelve_all
from question_bank.formats.parsed import ParsedQuestion, add_outcome, validate_parsed
from question_bank.formats.plain_text import decode_text, text_head
from question_bank.model import Kind
from question_bank.parse_result import Note, ParseResult
from question_bank.rich import guessed

_WEIGHT = re.compile(r"%?(?P<weight>-?\d+(?:\.\d+)?)%")
_BRACES = re.compile(r"(?P<before>[^{}]*)\{(?P<body>[^{}]*)\}(?P<after>[^{}]*)")
_FOLD = re.compile(r"[ \t]*\n[ \t]*")


def looks_like(content: bytes, name: str) -> bool:
    """Whether the name says missing word; the text alone cannot be told from GIFT."""
    return "missingword" in name.lower() and "{" in text_head(content)


def read(content: bytes, *, name: str) -> ParseResult:
    """All questions of a missing-word file."""
    del name
    reading = ParseResult("missingword")
    for block in blocks(decode_text(content)):
        where = f"第 {block.line} 行"
        found = _BRACES.fullmatch(block.text)
        body = found.group("body").strip() if found else ""
        if found is None or body[:1] not in {"=", "~"}:
            add_outcome(
                reading, Note(where, "找不到花括号里的答案（如 {=甲 ~乙}）。请改正这一处后再导入。", "malformed")
            )
            continue
        parts = (found.group("before").strip(), BLANK, found.group("after").strip())
        draft = ParsedQuestion(
            where=where, kind=Kind.FILL_BLANK, stem=guessed(_FOLD.sub(" ", " ".join(p for p in parts if p)))
        )
        _fill(draft, split_answers(body, weight=_WEIGHT))
        shelve_all(draft)
        add_outcome(reading, validate_parsed(draft))
    return reading


def _fill(draft: ParsedQuestion, answers: list[GiftAnswer]) -> None:
    if len(answers) > 1:
        fill_choice(draft, answers)
        return
    answer = answers[0]
    fill_short(draft, [(rich(answer.text).plain, FULL if answer.weight is None else answer.weight)])
    if answer.feedback is not None:
        draft.explanation.append(rich(answer.feedback))
