"""Reads about exams: who belongs to them, how a candidate stands to them, what an organiser sees."""

from examapp.exams.queries.audience import ON_ROSTER, Audience, audience_clause, clause_of, excused, get_audience
from examapp.exams.queries.candidates import (
    CandidateExam,
    extensions_of,
    find_candidate_exam,
    find_prepared_paper,
    list_exams_of,
    longest_extension_of,
    select_for_start,
    windows_of,
)
from examapp.exams.queries.organiser import (
    Readiness,
    get_exam,
    get_organiser_exam,
    list_exams,
    list_exams_to_prepare,
    list_organiser_exams,
    readiness,
)

__all__ = [
    "ON_ROSTER",
    "Audience",
    "CandidateExam",
    "Readiness",
    "audience_clause",
    "clause_of",
    "excused",
    "extensions_of",
    "find_candidate_exam",
    "find_prepared_paper",
    "get_audience",
    "get_exam",
    "get_organiser_exam",
    "list_exams",
    "list_exams_of",
    "list_exams_to_prepare",
    "list_organiser_exams",
    "longest_extension_of",
    "readiness",
    "select_for_start",
    "windows_of",
]
