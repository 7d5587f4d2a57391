"""What holds in the unit book, as pure functions: whom to chase, what a moment of freezing must be."""

from examapp.unitbook.rules.chasing import (
    CHASED,
    LONGEST_REASON,
    MOST_CALLED,
    MOST_REMINDED,
    reminder_fault,
    reminder_text,
)

__all__ = [
    "CHASED",
    "LONGEST_REASON",
    "MOST_CALLED",
    "MOST_REMINDED",
    "reminder_fault",
    "reminder_text",
]
