"""The blueprint that the bank's pages hang on."""

from __future__ import annotations

from flask import Blueprint

from examapp.questions.operations import STATE_NAMES
from question_bank.model import DIFFICULTY_NAMES, KIND_NAMES

admin_blueprint = Blueprint("questions_admin", __name__, url_prefix="/admin/questions")


@admin_blueprint.context_processor
def names() -> dict[str, object]:
    """Give templates the words for kinds, states and difficulties."""
    return {"kind_names": KIND_NAMES, "state_names": STATE_NAMES, "difficulty_names": DIFFICULTY_NAMES}
