"""Grade attempts, and write down what follows from grades."""

from examapp.grading.operations.deciding import (
    grade_set_aside_again,
    judge_set_aside,
    reopen_attempt,
    request_reopening,
)
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
from examapp.grading.operations.regrade_report import write_regrade
from examapp.grading.operations.regrading import REGRADED_AT_ONCE, begin_regrading, correct_key, regrade_batch
from examapp.grading.operations.tallying import tally_questions

__all__ = [
    "REGRADED_AT_ONCE",
    "apply_extensions",
    "begin_again",
    "begin_batch",
    "begin_regrading",
    "correct_key",
    "grade_batch",
    "grade_set_aside_again",
    "item_key",
    "judge_set_aside",
    "marks_of",
    "regrade_batch",
    "regrade_set_aside",
    "renew_makeup_eligibility",
    "reopen_attempt",
    "request_reopening",
    "set_aside_exhausted",
    "tally_questions",
    "write_regrade",
]
