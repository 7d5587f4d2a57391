"""What holds in the unit book, as pure functions: whom to chase, what a moment of freezing must be, what a file of results is sealed for."""

from examapp.unitbook.rules.chasing import (
    CHASE_KIND,
    CHASED,
    LONGEST_REASON,
    MOST_CALLED,
    MOST_REMINDED,
    once_key,
    read_once_key,
    reminder_fault,
    reminder_text,
)
from examapp.unitbook.rules.outside import result_file_binding

__all__ = [
    "CHASED",
    "CHASE_KIND",
    "LONGEST_REASON",
    "MOST_CALLED",
    "MOST_REMINDED",
    "once_key",
    "read_once_key",
    "reminder_fault",
    "reminder_text",
    "result_file_binding",
]
