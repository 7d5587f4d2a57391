"""The blueprint that the bank's pages hang on."""

from __future__ import annotations

from flask import Blueprint, current_app

from examapp.core import clock
from examapp.core.db import reading
from examapp.questions import queries
from examapp.questions.models import LawChange
from examapp.questions.operations import STATE_NAMES
from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import DIFFICULTY_NAMES

CHANGE_NAMES = {
    LawChange.MOVED: "条号有变",
    LawChange.CHANGED: "条文有改动",
    LawChange.REPEALED: "条文已删去",
    LawChange.UNKNOWN: "条文无法比较",
    LawChange.LAW_REPEALED: "法律已废止",
}

admin_blueprint = Blueprint("questions_admin", __name__, url_prefix="/admin/questions")


@admin_blueprint.context_processor
def names() -> dict[str, object]:
    """Give templates the words for kinds, states, difficulties and what became of articles."""
    return {
        "change_names": CHANGE_NAMES,
        "kind_names": KIND_NAMES,
        "state_names": STATE_NAMES,
        "difficulty_names": DIFFICULTY_NAMES,
    }


def may_review_alone() -> bool:
    """Whether the setting for lone offices is on and nobody else may review: then one's own questions may be reviewed."""
    is_set: bool = current_app.config["SETTINGS"].review_alone == "1"
    return is_set and queries.count_reviewers(reading(), now=clock.now()) <= 1
