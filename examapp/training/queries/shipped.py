"""Which of the courses that ship with the program a year has."""

from __future__ import annotations

from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.training.models import Course
from question_bank.coursetext import read_courses


@cache
def _titles() -> frozenset[str]:
    return frozenset(text.title for text in read_courses())


def count_left(session: Session, *, year: int) -> int:
    """Count the shipped courses that a year does not have."""
    return len(_titles() - set(session.scalars(select(Course.title).where(Course.year == year))))
