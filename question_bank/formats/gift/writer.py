"""Writing GIFT."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from question_bank.formats.gift.lexer import escape
from question_bank.formats.losses import not_written, unsaid
from question_bank.formats.tags import encode_tags
from question_bank.formats.written import Written
from question_bank.model import OPTION_LETTERS, Kind, Question
from question_bank.parse_result import Note


def write(questions: Iterable[Question]) -> Written:
    """The questions as GIFT; cases, several blanks, model answers, points and pictures are named losses."""
    losses: list[Note] = []
    texts: list[str] = []
    for number, question in enumerate(questions, start=1):
        where = f"第 {number} 题"
        answers = _answers(question)
        if answers is None:
            losses.append(not_written(where, question, "GIFT"))
            continue
        texts.append(_question(question, answers))
        losses += unsaid(
            where, question, "GIFT", points=question.points, images=question.images, model_answer=_model(question)
        )
    return Written(("\n\n".join(texts) + "\n").encode(), losses)


def _model(question: Question) -> str:
    return "".join(question.key) if question.kind is Kind.SHORT_ANSWER else ""


def _question(question: Question, answers: str) -> str:
    comments = "".join(f"[tag:{tag}] " for tag in encode_tags(question))
    if question.code:
        comments = f"[id:{question.code}] " + comments
    head = f"// {comments.strip()}\n" if comments else ""
    manner = "[html]" if question.is_html else "[plain]"
    general = f"####{escape(question.explanation)}" if question.explanation else ""
    return f"{head}{manner}{escape(question.stem)}{{{answers}{general}}}"


def _answers(question: Question) -> str | None:
    if question.kind is Kind.TRUE_FALSE:
        return "TRUE" if question.key == ("A",) else "FALSE"
    if question.kind is Kind.SHORT_ANSWER:
        return ""
    if question.kind is Kind.FILL_BLANK and len(question.blanks) == 1:
        return _variants(question)
    if question.kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE} and question.key:
        return _options(question)
    return None


def _variants(question: Question) -> str:
    """A variant is plain text also in an HTML question; `*` is Moodle's wildcard and is escaped its way."""
    manner = "[plain]" if question.is_html else ""
    return " ".join(f"={manner}{escape(variant.replace('*', chr(92) + '*'))}" for variant in question.blanks[0])


def _options(question: Question) -> str:
    is_single = question.kind is Kind.SINGLE_CHOICE
    share = Decimal(100) / len(question.key)
    weight = f"%{share.quantize(Decimal('0.00001')).normalize():f}%"
    lines = []
    for letter, option in zip(OPTION_LETTERS, question.options, strict=False):
        sign = "~"
        if letter in question.key:
            sign = "=" if is_single else f"~{weight}"
        lines.append(f"\n\t{sign}{escape(option)}")
    return "".join(lines) + "\n"
