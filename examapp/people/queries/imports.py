"""Reads about roster imports: one's own, or all for who reaches everything."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session, defer

from examapp.core.errors import NotFoundError
from examapp.people.models import Person, RosterImport

_MOST_LISTED = 50


def list_imports(session: Session, *, created_by_id: int, is_all: bool) -> list[Row[Any]]:
    """List the latest imports of a person, or everybody's."""
    query = (
        select(
            RosterImport.id,
            RosterImport.file_name,
            RosterImport.state,
            RosterImport.is_confirmed,
            RosterImport.created_at,
            RosterImport.summary["counts"].label("counts"),
            Person.name,
        )
        .outerjoin(Person, RosterImport.created_by_id == Person.id)
        .order_by(RosterImport.id.desc())
        .limit(_MOST_LISTED)
    )
    return list(session.execute(query if is_all else query.where(RosterImport.created_by_id == created_by_id)))


def get_import(session: Session, import_id: int, *, created_by_id: int, is_all: bool) -> RosterImport:
    """Get an import without its files; somebody else's is not found."""
    job = session.scalar(
        select(RosterImport)
        .where(RosterImport.id == import_id)
        .options(defer(RosterImport.content), defer(RosterImport.annotated))
    )
    if job is None or (job.created_by_id != created_by_id and not is_all):
        raise NotFoundError
    return job
