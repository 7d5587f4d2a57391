"""Our own readable text format, written from questions that may hold more than it can say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from question_bank import textformat
from question_bank.formats.free_writer import plain_question
from question_bank.formats.losses import unsaid
from question_bank.formats.written import Written
from question_bank.model import Question


def write(questions: Sequence[Question]) -> Written:
    """Our own text holds plain words: markup, pictures, points and what is tagged beyond the topic are named as left out."""
    losses = [
        note
        for number, question in enumerate(questions, 1)
        for note in unsaid(
            f"第 {number} 题",
            question,
            "本平台文本",
            points=question.points,
            images=question.images,
            markup=question.is_html,
            tags=question.tags[1:],
        )
    ]
    plain = [replace(_plain(one), parts=tuple(map(_plain, one.parts))) for one in questions]
    return Written(textformat.write(plain).encode("utf-8"), losses)


def _plain(question: Question) -> Question:
    return replace(plain_question(question), images=()) if question.is_html else question
