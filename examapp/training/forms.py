"""Forms of practice: shape only."""

from __future__ import annotations

from collections.abc import Iterable

from flask_wtf import FlaskForm
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from examapp.papers.rules import DRAWN_KINDS
from examapp.training.rules import Wanted
from question_bank.model import DIFFICULTY_NAMES, KIND_NAMES


def any_of(nothing: str, pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Make a select's choices: first the words for any."""
    return [SelectChoice("", nothing), *(SelectChoice(str(value), words) for value, words in pairs)]


class PracticeForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """What to practise; a name that the bank does not know simply fits no question."""

    law = SelectField("法律法规", default="", validate_choice=False)
    topic = SelectField("专题", default="", validate_choice=False)
    kind = SelectField(
        "题型",
        default="",
        validate_choice=False,
        choices=any_of("不限题型", [(str(kind), KIND_NAMES[kind]) for kind in DRAWN_KINDS]),
    )
    difficulty = SelectField(
        "难度",
        default="",
        validate_choice=False,
        choices=any_of("不限难度", [(str(level), words) for level, words in DIFFICULTY_NAMES.items()]),
    )

    def offer(self, *, laws: Iterable[str], topics: Iterable[str]) -> None:
        """Fill the selects from the bank."""
        self.law.choices = any_of("不限", [(name, name) for name in laws])
        self.topic.choices = any_of("不限", [(name, name) for name in topics])

    def wanted(self) -> Wanted:
        """Give what was chosen."""
        return Wanted(
            law=self.law.data or "",
            topic=self.topic.data or "",
            kind=self.kind.data or "",
            difficulty=self.difficulty.data or "",
        )
