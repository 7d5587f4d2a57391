"""What is done to the bank, one function an act."""

from examapp.questions.operations.adding import add_question, add_questions
from examapp.questions.operations.bulk import MOST_AT_ONCE, BulkChange, BulkRow, apply_bulk, preview_bulk
from examapp.questions.operations.correcting import correct_key, needs_two_persons, put_correction_in_force
from examapp.questions.operations.deciding import keep_moved, keep_under_new_law
from examapp.questions.operations.deleting import UsedQuestionError, delete_question
from examapp.questions.operations.duplicates import (
    begin_duplicate_search,
    finish_duplicate_search,
    keep_both,
    note_search_progress,
    request_duplicate_search,
    sweep_duplicate_searches,
)
from examapp.questions.operations.editing import save_question, upload_picture
from examapp.questions.operations.flagging import check_laws, check_questions
from examapp.questions.operations.importing import (
    FileToRead,
    begin_import,
    confirm_import,
    discard_import,
    finish_import,
    import_reading,
    note_import_progress,
    sweep_imports,
    undo_import,
    upload_import,
)
from examapp.questions.operations.reviewing import STATE_NAMES, set_state, set_states
from examapp.questions.operations.seeding import load_seed_bank
from examapp.questions.operations.taking_over import sort_reading, take_over

__all__ = [
    "MOST_AT_ONCE",
    "STATE_NAMES",
    "BulkChange",
    "BulkRow",
    "FileToRead",
    "UsedQuestionError",
    "add_question",
    "add_questions",
    "apply_bulk",
    "begin_duplicate_search",
    "begin_import",
    "check_laws",
    "check_questions",
    "confirm_import",
    "correct_key",
    "delete_question",
    "discard_import",
    "finish_duplicate_search",
    "finish_import",
    "import_reading",
    "keep_both",
    "keep_moved",
    "keep_under_new_law",
    "load_seed_bank",
    "needs_two_persons",
    "note_import_progress",
    "note_search_progress",
    "preview_bulk",
    "put_correction_in_force",
    "request_duplicate_search",
    "save_question",
    "set_state",
    "set_states",
    "sort_reading",
    "sweep_duplicate_searches",
    "sweep_imports",
    "take_over",
    "undo_import",
    "upload_import",
    "upload_picture",
]
