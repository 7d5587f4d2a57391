"""Write laws, their versions and articles."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, time

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.clock import day_of, from_local
from examapp.content.law_texts.rules import LawText
from examapp.content.laws.models import Law, LawArticle, LawVersion
from examapp.errors import BadRequestError, NotFoundError
from examapp.jobs.publisher import enqueue_after_commit
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"laws.import_law_text": "导入法律文本", "laws.set_dates": "修改法律施行日期"}
AUDIT_OBJECTS = {"law": "法律", "law_version": "法律版本"}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLaw:
    """What importing a law's text came to."""

    version_id: int
    name: str
    version_on: date
    added: int
    changed: int
    total: int
    remarks: tuple[str, ...]


def import_law_text(context: ActionContext, *, text: LawText) -> ImportedLaw:
    """Store a law's text: articles are added or corrected, never removed, so that the parts of a code may come one file at a time."""
    session, now = context.session, context.now
    version = ensure_law_version(session, law=text.name, version_on=text.version_on, now=now)
    is_dated = version.effective_on is None and text.effective_on is not None
    version.effective_on = version.effective_on or text.effective_on
    session.execute(select(LawVersion.id).where(LawVersion.id == version.id).with_for_update())
    if text.note:
        version.note = text.note
    if text.preamble:
        version.preamble = text.preamble
    statement = select(LawArticle).where(LawArticle.law_version_id == version.id)
    known = {article.label: article for article in session.scalars(statement)}
    changed = 0
    fresh = []
    for article in text.articles:
        old = known.get(article.label)
        if old is None:
            fresh.append({"law_version_id": version.id, **asdict(article)})
        elif (old.text, old.heading) != (article.text, article.heading):
            old.text, old.heading = article.text, article.heading
            changed += 1
    if fresh:
        session.execute(insert(LawArticle), fresh)
    if fresh or changed or is_dated:
        _mark_unchecked(session, version, now=now)
    session.flush()
    imported = ImportedLaw(
        version_id=version.id,
        name=text.name,
        version_on=text.version_on,
        added=len(fresh),
        changed=changed,
        total=len(known) + len(fresh),
        remarks=tuple(text.remarks),
    )
    details = {"added": imported.added, "changed": changed}
    record(context, "laws.import_law_text", object_type="law_version", object_id=version.id, details=details)
    return imported


def set_dates(
    context: ActionContext, *, version_id: int, effective_on: date | None, repealed_on: date | None
) -> LawVersion:
    """Set from when a law's version is in force, and when it was repealed; raises BadRequestError for days that make no sense."""
    version = context.session.get(LawVersion, version_id, with_for_update=True)  # meant: laws belong to no unit
    if version is None:
        raise NotFoundError
    if effective_on is not None and repealed_on is not None and repealed_on <= effective_on:
        raise BadRequestError("废止日期应当晚于施行日期，请核对。")
    version.effective_on, version.repealed_on = effective_on, repealed_on
    _mark_unchecked(context.session, version, now=context.now)
    days = {"effective_on": str(effective_on), "repealed_on": str(repealed_on)}
    record(context, "laws.set_dates", object_type="law_version", object_id=version.id, details=days)
    return version


def note_checked(session: Session, law: Law, *, now: datetime) -> None:
    """Note that the questions citing a law have been compared with it; those of a version or a repeal still to come are on its day."""
    dates = session.execute(select(LawVersion.effective_on, LawVersion.repealed_on).where(LawVersion.law_id == law.id))
    today = day_of(now)
    to_come = [day for row in dates for day in row if day is not None and day > today]
    law.unchecked_since = from_local(datetime.combine(min(to_come), time())) if to_come else None
    session.flush()


def _mark_unchecked(session: Session, version: LawVersion, *, now: datetime) -> None:
    """Leave word that questions citing the law must be looked at; the questions' room sweeps such laws."""
    session.execute(update(Law).where(Law.id == version.law_id).values(unchecked_since=now))
    enqueue_after_commit(session, "questions.check_laws")
