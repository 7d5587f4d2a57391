"""What the office grants after an exam's keys are out: only with a tick of its own, which stays with what was granted and in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from examapp.exams.models import Exam
from examapp.exams.operations.settings import ExamRefusedError

KEYS_OUT_WORDS = (
    "这场考试的答案已经公布，看过答案的人可能因此得益。确需办理的，请勾选「答案已公布，仍要办理」，会记入审计日志。"
)


class KeysOut(Protocol):
    """Tells whether an exam's keys are out: the grading room's, told by whoever calls."""

    def __call__(self, session: Session, exam: Exam, *, now: datetime) -> bool:
        """Tell whether an exam's keys have been shown."""


def look_at_keys(session: Session, exam: Exam, keys_out: KeysOut, *, is_known: bool, now: datetime) -> bool:
    """Tell whether an exam's keys are out or were, and remember it; raises ExamRefusedError where that was not ticked."""
    if not keys_out(session, exam, now=now):
        return False
    if not is_known:
        raise ExamRefusedError(KEYS_OUT_WORDS)
    exam.were_keys_out = True
    return True
