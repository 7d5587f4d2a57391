"""What changes an attempt: start, save, hand in, close, extend."""

from examapp.attempts.operations.closing import close_if_overdue, close_overdue
from examapp.attempts.operations.extending import apply_extensions
from examapp.attempts.operations.handing_in import hand_in
from examapp.attempts.operations.refusals import AttemptError, refusal
from examapp.attempts.operations.saving import SAVE, Saved, mark_unsure, record_events, save_answers, take_over
from examapp.attempts.operations.starting import start_attempt

__all__ = [
    "SAVE",
    "AttemptError",
    "Saved",
    "apply_extensions",
    "close_if_overdue",
    "close_overdue",
    "hand_in",
    "mark_unsure",
    "record_events",
    "refusal",
    "save_answers",
    "start_attempt",
    "take_over",
]
