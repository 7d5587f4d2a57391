"""Load the bank that ships with the program."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.operations import SYSTEM
from examapp.laws.operations import ensure_law_version
from examapp.laws.rules import iso_day, law_name
from examapp.questions.models import Question, QuestionState
from examapp.questions.operations.adding import add_questions
from question_bank.check import read_content

_SETTING = re.compile(r"^@(law|version|effective|topic)\s+(.+)$", re.MULTILINE)


def load_seed_bank(session: Session, folder: Path, *, now: datetime) -> list[int]:
    """Load the seed questions of a folder as active questions; those whose number the bank has are left alone. Give the new ids."""
    _ensure_laws(session, folder, now=now)
    known = set(session.scalars(select(Question.code)))
    questions = [question for question in read_content(folder) if question.code not in known]
    if not questions:
        return []
    return add_questions(session, questions=questions, state=QuestionState.ACTIVE, actor=SYSTEM, now=now)


def _ensure_laws(session: Session, folder: Path, *, now: datetime) -> None:
    for path in sorted(folder.glob("*.txt")):
        settings = dict(_SETTING.findall(path.read_text("utf-8-sig")))
        version_on: date | None = iso_day(settings.get("version"))
        if version_on and settings.get("law"):
            ensure_law_version(
                session,
                law=law_name(settings["law"]),
                version_on=version_on,
                topic=settings.get("topic", "").strip(),
                effective_on=iso_day(settings.get("effective")),
                now=now,
            )
