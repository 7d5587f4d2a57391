"""Grade attempts, and write down what follows from grades."""

from examapp.grading.operations.grading import (
    apply_extensions,
    begin_again,
    begin_batch,
    grade_batch,
    item_key,
    marks_of,
    regrade_set_aside,
    set_aside_exhausted,
)
from examapp.grading.operations.makeups import renew_makeup_eligibility

__all__ = [
    "apply_extensions",
    "begin_again",
    "begin_batch",
    "grade_batch",
    "item_key",
    "marks_of",
    "regrade_set_aside",
    "renew_makeup_eligibility",
    "set_aside_exhausted",
]
