"""What changes an attempt: queue, start, save, hand in, close, extend, reopen, judge late answers."""

from examapp.attempts.operations.admitting import Queued, clear_queue
from examapp.attempts.operations.closing import close_if_overdue, close_overdue
from examapp.attempts.operations.contacts import note_contacts
from examapp.attempts.operations.extending import apply_extensions
from examapp.attempts.operations.handing_in import hand_in
from examapp.attempts.operations.refusals import AttemptError, refusal, words_of_other
from examapp.attempts.operations.reopening import check_reopening, judge_set_aside, reopen_attempt
from examapp.attempts.operations.saving import (
    SAVE_OF_SIGN_IN,
    Saved,
    mark_unsure,
    record_events,
    save_answers,
    save_answers_of_sign_in,
    take_over,
)
from examapp.attempts.operations.starting import start_or_queue
from examapp.attempts.operations.starting_plainly import start_of_sign_in

__all__ = [
    "SAVE_OF_SIGN_IN",
    "AttemptError",
    "Queued",
    "Saved",
    "apply_extensions",
    "check_reopening",
    "clear_queue",
    "close_if_overdue",
    "close_overdue",
    "hand_in",
    "judge_set_aside",
    "mark_unsure",
    "note_contacts",
    "record_events",
    "refusal",
    "reopen_attempt",
    "save_answers",
    "save_answers_of_sign_in",
    "start_of_sign_in",
    "start_or_queue",
    "take_over",
    "words_of_other",
]
