"""Grade attempts, and write down what follows from grades."""

from examapp.grading.operations.deciding import grade_set_aside_again, judge_set_aside, reopen_attempt
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
from examapp.grading.operations.tallying import tally_questions

__all__ = [
    "apply_extensions",
    "begin_again",
    "begin_batch",
    "grade_batch",
    "grade_set_aside_again",
    "item_key",
    "judge_set_aside",
    "marks_of",
    "regrade_set_aside",
    "renew_makeup_eligibility",
    "reopen_attempt",
    "set_aside_exhausted",
    "tally_questions",
]
