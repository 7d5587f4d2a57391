"""Questions written as people read them: plain text and Word, in a form that the readers here read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from question_bank.formats.losses import not_written, unsaid
from question_bank.formats.markup import to_plain
from question_bank.formats.text import read_text
from question_bank.formats.written import Written
from question_bank.kinds.registry import KIND_NAMES, kind_of
from question_bank.model import DIFFICULTY_NAMES, OPTION_LETTERS, TRUE_FALSE_OPTIONS, Kind, Question
from question_bank.parse_result import Note, UnreadableFileError

_NUMERALS = "一二三四五六七八九十"


def write_text(questions: Sequence[Question]) -> Written:
    """Write plain text, grouped by kind; each question is read back, and one that reads differently is named."""
    lines, losses = lines_of([q for q in questions if q.kind is not Kind.CASE], "纯文本")
    losses += [not_written(f"第 {n} 题", q, "纯文本") for n, q in enumerate(questions, 1) if q.kind is Kind.CASE]
    return Written(("\ufeff" + "\r\n".join(lines) + "\r\n").encode(), losses)


def lines_of(questions: Sequence[Question], format_name: str) -> tuple[list[str], list[Note]]:
    """Give the lines of plain questions, with what they cannot say."""
    lines: list[str] = []
    losses: list[Note] = []
    kinds = [kind for kind in KIND_NAMES if any(question.kind is kind for question in questions)]
    number = 0
    for place, kind in enumerate(kinds):
        heading = f"{_NUMERALS[place]}、{KIND_NAMES[kind]}"
        lines += [heading, ""]
        for question in (each for each in questions if each.kind is kind):
            number += 1
            own = list(_lines(plain_question(question), number))
            losses += _losses(question, f"第 {number} 题", format_name)
            if not _reads_back(question, [heading, *own]):
                stem = plain_question(question).stem[:20]
                reason = f"{format_name}写法有歧义，再导入时可能读成别的样子，请核对（题干：{stem}）。"
                losses.append(Note(f"第 {number} 题", reason, "ambiguous"))
            lines += [*own, ""]
    return lines, losses


def plain_question(question: Question) -> Question:
    """Give a question with plain texts only."""
    if not question.is_html:
        return question
    texts: Callable[[str], str] = lambda text: to_plain(text)[0]  # noqa: E731 – one word used three times
    options = tuple(texts(option) for option in question.options)
    key = tuple(texts(text) for text in question.key) if question.kind is Kind.SHORT_ANSWER else question.key
    return replace(
        question, stem=texts(question.stem), options=options, key=key, explanation=texts(question.explanation), is_html=False
    )  # fmt: skip


def _lines(question: Question, number: int) -> Iterator[str]:
    first, *more = question.stem.strip().splitlines() or [""]
    yield f"{number}. {first}"
    yield from more
    if kind_of(question.kind).has_options:
        pairs = zip(OPTION_LETTERS, question.options, strict=False)
        yield from (f"{letter}. {_one_line(text)}" for letter, text in pairs)
    yield f"答案：{_answer(question)}"
    if question.explanation:
        yield f"解析：{_one_line(question.explanation)}"
    if question.difficulty:
        yield f"难度：{DIFFICULTY_NAMES[question.difficulty]}"
    if question.knowledge_points:
        yield f"知识点：{'；'.join(question.knowledge_points)}"
    if question.points is not None:
        yield f"分值：{question.points}"


def _answer(question: Question) -> str:
    if question.kind is Kind.TRUE_FALSE:
        return TRUE_FALSE_OPTIONS[0] if question.key == ("A",) else TRUE_FALSE_OPTIONS[1]
    if question.kind is Kind.FILL_BLANK:
        return "；".join("|".join(variants) for variants in question.blanks)
    return "\n".join(question.key) if question.kind is Kind.SHORT_ANSWER else "".join(question.key)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _losses(question: Question, where: str, format_name: str) -> list[Note]:
    has_markup = question.is_html and any(to_plain(text)[1] for text in (question.stem, *question.options))
    return unsaid(
        where,
        question,
        format_name,
        citation=question.citation,
        tags=question.tags,
        code=question.code,
        images=question.images,
        markup=has_markup,
    )


def _reads_back(question: Question, lines: Iterable[str]) -> bool:
    """Whether our own reader makes the same question of the lines."""
    try:
        found = read_text("\n".join(lines), name="", format_name="text")
    except UnreadableFileError:
        return False
    if len(found.imported) != 1 or found.doubtful or found.refused:
        return False
    return _said(plain_question(found.imported[0].question)) == _said(plain_question(question))


def _said(question: Question) -> tuple[object, ...]:
    """What must come back: spaces apart."""
    texts = (question.stem, *question.options, question.explanation)
    key = tuple("".join(text.split()) for text in question.key)
    blanks = tuple(frozenset(variants) for variants in question.blanks)
    return (
        question.kind,
        tuple("".join(text.split()) for text in texts),
        key,
        blanks,
        question.difficulty,
        question.points,
    )
