"""Reads for grading, and graded attempts as their candidates see them."""

from examapp.grading.queries.results import (
    ItemResult,
    LawShare,
    Release,
    are_keys_out,
    find_current_grade,
    list_item_results,
    release_of,
    release_to,
    shares_by_law,
)
from examapp.grading.queries.waiting import (
    VersionKey,
    answers_by_attempt,
    claim_ungraded,
    count_ungraded,
    exams_by_id,
    last_grade_numbers,
    list_exhausted,
    newest_keys,
    oldest_waiting,
    papers_by_id,
)

__all__ = [
    "ItemResult",
    "LawShare",
    "Release",
    "VersionKey",
    "answers_by_attempt",
    "are_keys_out",
    "claim_ungraded",
    "count_ungraded",
    "exams_by_id",
    "find_current_grade",
    "last_grade_numbers",
    "list_exhausted",
    "list_item_results",
    "newest_keys",
    "oldest_waiting",
    "papers_by_id",
    "release_of",
    "release_to",
    "shares_by_law",
]
