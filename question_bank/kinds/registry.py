"""All question kinds by code; a new kind is one module and one line here."""

from __future__ import annotations

from question_bank.kinds.base import QuestionKind
from question_bank.kinds.case import Case
from question_bank.kinds.fill_blank import FillBlank
from question_bank.kinds.multiple_choice import MultipleChoice
from question_bank.kinds.ordering import Ordering
from question_bank.kinds.short_answer import ShortAnswer
from question_bank.kinds.single_choice import SingleChoice
from question_bank.kinds.true_false import TrueFalse
from question_bank.model import Kind, Question

_ALL: tuple[QuestionKind, ...] = (
    SingleChoice(),
    MultipleChoice(),
    TrueFalse(),
    Ordering(),
    FillBlank(),
    ShortAnswer(),
    Case(),
)
KINDS = {kind.code: kind for kind in _ALL}
"""In the order in which lists of kinds show them."""
KIND_NAMES = {kind.code: kind.name for kind in _ALL}
PART_KINDS = tuple(kind.code for kind in _ALL if kind.is_part)
"""Kinds that are one item each."""
HAND_GRADED_KINDS = tuple(kind.code for kind in _ALL if not kind.is_machine_graded)
DRAWN_KINDS = tuple(kind.code for kind in _ALL if kind.is_machine_graded)
"""Kinds of the questions that a blueprint may draw; a case that holds a hand-graded part is not drawn."""


def kind_of(code: Kind | str) -> QuestionKind:
    """Return the kind of a code; raises ValueError for an unknown one."""
    return KINDS[Kind(code)]


def parts_of(question: Question) -> tuple[Question, ...]:
    """Return the items of a question: the sub-questions of a case, else the question itself."""
    return (question,) if kind_of(question.kind).is_part else question.parts


def find_kind(code: str | None) -> QuestionKind | None:
    """Return the kind of a code that a client sent; None for an unknown one."""
    return KINDS.get(Kind(code)) if code in set(Kind) else None
