"""Reads about imports, and about what the bank has already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.core.errors import NotFoundError
from examapp.questions.models import AnswerKey, Question, QuestionImport, QuestionVersion


def find_existing(session: Session, digests: Sequence[str]) -> dict[str, tuple[int, list[Any]]]:
    """Find which contents the bank has among questions not retired: by digest the question's id and the parts of its key."""
    statement = (
        select(QuestionVersion.digest, Question.id, AnswerKey.parts)
        .join(Question, Question.current_version_id == QuestionVersion.id)
        .join(AnswerKey, AnswerKey.question_version_id == QuestionVersion.id)
        .where(QuestionVersion.digest.in_(digests), Question.state != "retired")
        .order_by(AnswerKey.number)
    )
    return {row.digest: (row.id, row.parts) for row in session.execute(statement)}


def get_import(session: Session, import_id: int, *, is_locked: bool = False) -> QuestionImport:
    """Get an import, locked for an act where wished; raises NotFoundError."""
    found = session.get(QuestionImport, import_id, with_for_update=is_locked or None, populate_existing=is_locked)
    if found is None:
        raise NotFoundError("没有找到这次导入。请从导入记录重新进入。")
    return found


def find_earlier_import(session: Session, row: QuestionImport) -> QuestionImport | None:
    """Find an earlier import of the very same file that was taken over and not undone."""
    statement = select(QuestionImport).where(
        QuestionImport.digest == row.digest,
        QuestionImport.id < row.id,
        QuestionImport.is_confirmed,
        QuestionImport.undone_at.is_(None),
    )
    return session.scalars(statement.order_by(QuestionImport.id.desc()).limit(1)).first()


def list_imports(session: Session, *, limit: int = 30) -> list[QuestionImport]:
    """List the newest imports."""
    return list(session.scalars(select(QuestionImport).order_by(QuestionImport.id.desc()).limit(limit)))
