"""Reads about notices and about a person's own opinions.

The unit tree lies above this feature: the caller says which units somebody belongs to, as ids from the root down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from examapp.errors import NotFoundError
from examapp.platform.notices.models import Feedback, Notice, NoticeReading

_MAX_OWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeReader:
    """Who reads notices: the units above and of the person, and whether the ones for administrators are meant too."""

    person_id: int
    unit_ids: Sequence[int]
    is_admin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """A notice in a reader's list."""

    id: int
    title: str
    published_at: datetime
    is_read: bool


def list_notices(session: Session, reader: NoticeReader, *, limit: int, skip: int = 0) -> list[NoticeLine]:
    """List what is published for this reader, newest first."""
    rows = session.execute(
        select(Notice.id, Notice.title, Notice.published_at, NoticeReading.read_at.is_not(None).label("is_read"))
        .outerjoin(
            NoticeReading, and_(NoticeReading.notice_id == Notice.id, NoticeReading.person_id == reader.person_id)
        )
        .where(*_meant_for(reader))
        .order_by(Notice.published_at.desc(), Notice.id.desc())
        .limit(limit)
        .offset(skip)
    )
    return [NoticeLine(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def count_notices(session: Session, reader: NoticeReader) -> int:
    """Count what is published for this reader."""
    return session.execute(select(func.count()).select_from(Notice).where(*_meant_for(reader))).scalar_one()


def get_notice(session: Session, notice_id: int, reader: NoticeReader) -> Notice:
    """Get a notice that is published for this reader; raises NotFoundError for any other."""
    notice = session.scalars(select(Notice).where(Notice.id == notice_id, *_meant_for(reader))).one_or_none()
    if notice is None:
        raise NotFoundError
    return notice


def _meant_for(reader: NoticeReader) -> tuple[ColumnElement[bool], ...]:
    is_near = Notice.unit_ids.overlap(list(reader.unit_ids)) if reader.unit_ids else false()
    return (
        Notice.published_at.is_not(None),
        Notice.withdrawn_at.is_(None),
        or_(Notice.unit_ids.is_(None), is_near),
        true() if reader.is_admin else Notice.is_for_admins.is_(False),
    )


def lock_notice(session: Session, notice_id: int, unit_ids: Select[int] | None) -> Notice:
    """Get and lock a notice that goes to these units alone (None for any); raises NotFoundError for any other."""
    statement = select(Notice).where(Notice.id == notice_id).with_for_update()
    if unit_ids is not None:
        statement = statement.where(Notice.unit_ids.contained_by(func.array(unit_ids.scalar_subquery())))
    notice = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if notice is None:
        raise NotFoundError
    return notice


def find_signed_at(session: Session, notice_id: int, person_id: int) -> datetime | None:
    """Find when a person signed for a notice."""
    return session.scalars(
        select(NoticeReading.signed_at).where(
            NoticeReading.notice_id == notice_id, NoticeReading.person_id == person_id
        )
    ).one_or_none()


def list_own_feedback(session: Session, person_id: int, *, limit: int = _MAX_OWN) -> Sequence[Feedback]:
    """List a person's own opinions with their answers, newest first."""
    return session.scalars(
        select(Feedback)
        .where(Feedback.person_id == person_id)
        .order_by(Feedback.created_at.desc(), Feedback.id.desc())
        .limit(limit)
    ).all()


def list_unseen_answers(session: Session, person_id: int) -> Sequence[Feedback]:
    """List a person's opinions whose answer has not been seen yet, newest answer first."""
    return session.scalars(
        select(Feedback)
        .where(Feedback.person_id == person_id, Feedback.answered_at.is_not(None), Feedback.answer_seen_at.is_(None))
        .order_by(Feedback.answered_at.desc())
    ).all()


def count_unanswered_of(session: Session, person_id: int) -> int:
    """Count a person's opinions that wait for an answer."""
    return session.execute(
        select(func.count())
        .select_from(Feedback)
        .where(Feedback.person_id == person_id, Feedback.answered_at.is_(None))
    ).scalar_one()
