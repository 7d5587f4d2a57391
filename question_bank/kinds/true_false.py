"""True/false (判断题): the two options are always 正确 and 错误, in this order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from question_bank.kinds.base import Issue, KeyFields
from question_bank.kinds.choices import ChoiceKind
from question_bank.model import OPTION_LETTERS, TRUE_FALSE_OPTIONS, Kind, Question


class TrueFalse(ChoiceKind):
    """One statement, right or wrong."""

    code = Kind.TRUE_FALSE
    name = "判断题"
    letter = "T"
    template = "true_false"
    aliases = ("判断", "判", "是非", "对错", "判断对错", "判断正误", "正误判断", "正误", "是非判断",
               "judge", "judgement", "judgment", "true_false", "true/false", "panduan")  # fmt: skip
    codes: ClassVar[Mapping[str, str]] = {"moodle-xml": "truefalse", "qti-1.2": "true_false_question"}
    has_options = False
    guess_count = 2

    def options_of(self, question: Question) -> tuple[str, ...]:
        """Return 正确 and 错误."""
        del question
        return TRUE_FALSE_OPTIONS

    def iter_issues(self, question: Question) -> Iterator[Issue]:
        """Yield nothing: the options are given."""
        del question
        return iter(())

    def no_key(self) -> Issue:
        """Return the issue of a missing key."""
        return Issue(code="no_key", reason="判断题没有写明对错。请补上答案。")

    def too_many_keys(self) -> Issue:
        """Return the issue of a statement that is said to be right and wrong."""
        return self.no_key()

    def display_orders(self, count: int) -> tuple[str, ...]:
        """Return the one order in which the two always stand."""
        return (OPTION_LETTERS[:count],)

    def key_lines(self, key: Sequence[str], blanks: Sequence[Sequence[str]]) -> list[str]:
        """Return 正确 or 错误."""
        del blanks
        return [TRUE_FALSE_OPTIONS[OPTION_LETTERS.index(key[0])] if key else "未定"]

    def key_of_fields(self, fields: KeyFields) -> tuple[str, ...]:
        """Return the letter of the chosen word."""
        return (fields.truth,) if fields.truth else ()

    def fields_of(self, question: Question) -> KeyFields:
        """Return the letter of the chosen word."""
        return KeyFields(truth=question.key[0] if question.key else "")
