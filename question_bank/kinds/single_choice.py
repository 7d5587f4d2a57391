"""Single choice (单选题): exactly one option is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from question_bank.kinds.choices import ChoiceKind
from question_bank.model import Kind, Question

_SHIPPED_OPTIONS = 4
"""Options of a single choice in the shipped bank."""


class SingleChoice(ChoiceKind):
    """One option of several."""

    code = Kind.SINGLE_CHOICE
    name = "单选题"
    letter = "S"
    aliases = ("单选", "单", "单项选择", "单选择", "单项", "单项选择单选", "最佳选择", "A型", "A1型", "A1", "A2型", "A2",
               "single", "single_choice", "danxuan", "radio")  # fmt: skip
    codes: ClassVar[Mapping[str, str]] = {"moodle-xml": "multichoice", "qti-1.2": "multiple_choice_question"}
    swappable_with = frozenset({Kind.MULTIPLE_CHOICE})

    def iter_style_issues(self, question: Question) -> Iterator[str]:
        """Yield another number of options than the shipped bank has."""
        yield from super().iter_style_issues(question)
        if len(question.options) != _SHIPPED_OPTIONS:
            yield f"单选题应有 {_SHIPPED_OPTIONS} 个选项，现有 {len(question.options)} 个"
