"""All question kinds by code; a new kind is one class and one line here."""

from collections.abc import Iterator

from question_bank.kinds.base import Issue, QuestionKind, Severity
from question_bank.kinds.choices import MultipleChoice, SingleChoice, TrueFalse
from question_bank.kinds.fill_blank import FillBlank
from question_bank.kinds.ordering import Ordering
from question_bank.kinds.short_answer import ShortAnswer
from question_bank.model import Kind, Question


class Case(QuestionKind):
    """A set of sub-questions; the stem is their common text."""

    code = Kind.CASE
    name = "案例题"
    template = "case"
    aliases = ("案例", "材料", "组合", "复合", "题组", "题干", "共用题干", "阅读理解", "案例题干", "大题", "case")
    is_part = False

    def iter_issues(self, question: Question) -> Iterator[Issue]:
        """Yield a case without sub-questions, or within a case."""
        if not question.parts:
            yield Issue(code="no_parts", reason="案例题没有小题。请补上小题后再导入。", severity=Severity.REJECT)
        if any(part.kind is self.code for part in question.parts):
            reason = "案例题的小题不能又是案例题，没有导入。请拆成两道案例题。"
            yield Issue(code="nested_case", reason=reason, severity=Severity.REJECT)


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
