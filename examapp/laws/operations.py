"""Write laws, their versions and articles."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.laws.models import Law, LawVersion


def ensure_law_version(
    session: Session, *, law: str, version_on: date, now: datetime, topic: str = "", effective_on: date | None = None
) -> LawVersion:
    """Give the law's version of a day, made where it is missing; a topic or effective day is filled in, never overwritten."""
    row = _ensure_law(session, name=law, topic=topic, now=now)
    session.execute(
        insert(LawVersion)
        .values(law_id=row.id, version_on=version_on, effective_on=effective_on, preamble="", created_at=now)
        .on_conflict_do_nothing()
    )
    version = session.scalars(
        select(LawVersion).where(LawVersion.law_id == row.id, LawVersion.version_on == version_on)
    ).one()
    if version.effective_on is None and effective_on is not None:
        version.effective_on = effective_on
    return version


def _ensure_law(session: Session, *, name: str, topic: str, now: datetime) -> Law:
    session.execute(insert(Law).values(name=name, topic=topic, created_at=now).on_conflict_do_nothing())
    law = session.scalars(select(Law).where(Law.name == name)).one()
    if topic and not law.topic:
        law.topic = topic
    return law
