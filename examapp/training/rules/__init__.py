"""Rules of practice, study and memory."""

from examapp.training.rules.memory import Answer, Memory, Rating, Remembered, after_answer, rating_of, remember, review
from examapp.training.rules.practice import (
    RUNS_A_DAY,
    AnswerRefusedError,
    DraftChapter,
    NothingToPractiseError,
    Wanted,
    drawable_parts,
    law_chapters,
    least_right,
    option_order,
    point_chapters,
    read_response,
    split_pages,
)
from examapp.training.rules.texts import Cited, body_html, cited_in

__all__ = [
    "RUNS_A_DAY",
    "Answer",
    "AnswerRefusedError",
    "Cited",
    "DraftChapter",
    "Memory",
    "NothingToPractiseError",
    "Rating",
    "Remembered",
    "Wanted",
    "after_answer",
    "body_html",
    "cited_in",
    "drawable_parts",
    "law_chapters",
    "least_right",
    "option_order",
    "point_chapters",
    "rating_of",
    "read_response",
    "remember",
    "review",
    "split_pages",
]
