"""What is done to the bank, one function an act."""

from examapp.questions.operations.adding import add_question, add_questions
from examapp.questions.operations.deleting import UsedQuestionError, delete_question
from examapp.questions.operations.editing import correct_key, save_question, upload_picture
from examapp.questions.operations.importing import (
    FileToRead,
    begin_import,
    confirm_import,
    discard_import,
    finish_import,
    sweep_imports,
    undo_import,
    upload_import,
)
from examapp.questions.operations.reviewing import STATE_NAMES, set_state, set_states
from examapp.questions.operations.seeding import load_seed_bank
from examapp.questions.operations.taking_over import sort_reading, take_over

__all__ = [
    "STATE_NAMES",
    "FileToRead",
    "UsedQuestionError",
    "add_question",
    "add_questions",
    "begin_import",
    "confirm_import",
    "correct_key",
    "delete_question",
    "discard_import",
    "finish_import",
    "load_seed_bank",
    "save_question",
    "set_state",
    "set_states",
    "sort_reading",
    "sweep_imports",
    "take_over",
    "undo_import",
    "upload_import",
    "upload_picture",
]
