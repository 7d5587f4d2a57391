"""Write laws, their versions, articles and gists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.clock import day_of, from_local
from examapp.content.law_texts.rules import (
    FIRST_EFFECTIVE_DAY,
    LawText,
    UnreadableLawError,
    article_position,
    law_name,
    read_law_text,
)
from examapp.content.laws.models import ArticleGist, Law, LawArticle, LawImport, LawVersion
from examapp.content.laws.rules import bare_text, pack_files
from examapp.errors import BadRequestError, NotFoundError
from examapp.jobs.actions import enqueue
from examapp.jobs.publisher import enqueue_after_commit
from examapp.platform.audit.actions import ActionContext, record
from question_bank.gists import LawGists

AUDIT_ACTS = {
    "laws.import_law_text": "导入法律文本",
    "laws.set_dates": "修改法律施行日期",
    "laws.upload_texts": "上传法律文本",
    "laws.withdraw_text": "撤下法律文本",
}
AUDIT_OBJECTS = {"law": "法律", "law_version": "法律版本", "law_import": "法律文本导入"}

_MAX_NAMED = 10
"""Corrected articles that are named."""


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
    changed_labels: tuple[str, ...]
    """The first of the articles that were corrected."""
    total: int
    remarks: tuple[str, ...]
    """What a person should look at."""
    notes: tuple[str, ...] = ()
    """What needs no look."""


def import_law_text(context: ActionContext, *, text: LawText) -> ImportedLaw:
    """Store a law's text: articles are added or corrected, never removed, so that the parts of a code may come one file at a time."""
    session, now = context.session, context.now
    version = ensure_law_version(session, law=text.name, version_on=text.version_on, now=now)
    if version.is_withdrawn:
        version.repealed_on = None
    is_dated = version.effective_on is None and text.effective_on is not None
    version.effective_on = version.effective_on or text.effective_on
    session.execute(select(LawVersion.id).where(LawVersion.id == version.id).with_for_update())
    version.note = text.note or version.note
    version.preamble = text.preamble or version.preamble
    merged = _merge_articles(session, version.id, text)
    if merged.added or merged.changed or is_dated:
        _mark_unchecked(session, version, now=now)
    session.flush()
    details = {"added": merged.added, "changed": len(merged.changed)}
    record(context, "laws.import_law_text", object_type="law_version", object_id=version.id, details=details)
    return ImportedLaw(
        version_id=version.id,
        name=text.name,
        version_on=text.version_on,
        added=merged.added,
        changed=len(merged.changed),
        changed_labels=tuple(merged.changed[:_MAX_NAMED]),
        total=merged.total,
        remarks=tuple(each for each in text.remarks if each != FIRST_EFFECTIVE_DAY or version.effective_on is None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _MergedArticles:
    added: int
    changed: list[str]
    """Labels of the articles whose words changed; a heading or a mark between them is no change."""
    total: int


def _merge_articles(session: Session, version_id: int, text: LawText) -> _MergedArticles:
    """Add the articles of a text that the version lacks, and correct those that read otherwise."""
    statement = select(LawArticle).where(LawArticle.law_version_id == version_id)
    known = {article.label: article for article in session.scalars(statement)}
    fresh, changed = [], []
    for article in text.articles:
        old = known.get(article.label)
        if old is None:
            fresh.append({"law_version_id": version_id, **asdict(article)})
            continue
        if old.text != article.text and bare_text(old.text) != bare_text(article.text):
            changed.append(article.label)
        old.text, old.heading = article.text, article.heading
    if fresh:
        session.execute(insert(LawArticle), fresh)
    return _MergedArticles(added=len(fresh), changed=changed, total=len(known) + len(fresh))


@dataclass(slots=True)
class LawImportSummary:
    """What importing many files came to: each file is among the laws or rejected."""

    files: int = 0
    laws: list[ImportedLaw] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    """Name of the file, and why in Chinese."""

    def add_file(self, context: ActionContext, *, name: str, content: bytes) -> None:
        """Import one file, or note why it was rejected; it harms no other."""
        self.files += 1
        try:
            text = read_law_text(content, name)
        except UnreadableLawError as error:
            self.rejected.append((name, error.text))
            return
        done = import_law_text(context, text=text)
        if (done.changed or not done.added) and any(other.version_id == done.version_id for other in self.laws):
            twice = "这一批里有两个文件是同一个版本，条文"
            if done.changed:
                named = "、".join(done.changed_labels) + ("等" if done.changed > len(done.changed_labels) else "")
                remark = f"{twice}有 {done.changed} 条不同（{named}），以后读的“{name}”为准，请核对。"
                done = replace(done, remarks=(*done.remarks, remark))
            else:
                done = replace(done, notes=(f"{twice}相同，没有重复导入。",))
        self.laws.append(done)

    def as_json(self) -> dict[str, Any]:
        """Give the summary as it is stored with the job."""
        laws = [{**asdict(law), "version_on": str(law.version_on)} for law in self.laws]
        rejected = [{"file": name, "reason": reason} for name, reason in self.rejected]
        return {"files": self.files, "laws": laws, "rejected": rejected}

    @property
    def text(self) -> str:
        """The whole in one Chinese sentence."""
        versions = len({law.version_id for law in self.laws})
        added, changed = sum(law.added for law in self.laws), sum(law.changed for law in self.laws)
        return f"共 {self.files} 个文件：导入 {versions} 个版本，新增 {added} 条，更正 {changed} 条；没有导入 {len(self.rejected)} 个文件。"


def upload_laws(context: ActionContext, *, files: Sequence[tuple[str, bytes]]) -> LawImport:
    """Store uploaded files of law texts, archives too, and enqueue their import."""
    row = LawImport(
        created_by_id=context.actor.person_id,
        file_name=files[0][0][:200] if len(files) == 1 else f"{len(files)} 个文件",
        content=pack_files(files),
        summary={},
        created_at=context.now,
    )
    enqueue(context.session, row)
    record(context, "laws.upload_texts", object_type="law_import", object_id=row.id, details={"files": len(files)})
    return row


def load_gists(session: Session, laws: Iterable[LawGists], *, now: datetime) -> int:
    """Store the shipped gists over those of before; return how many there are."""
    rows = []
    for gists in laws:
        version = ensure_law_version(
            session, law=law_name(gists.law), version_on=gists.version_on, effective_on=gists.effective_on, now=now
        )
        rows += [
            {"law_version_id": version.id, "position": article_position(label), "label": label, "text": text}
            for label, text in gists.by_label.items()
        ]
    if rows:
        statement = insert(ArticleGist)
        on_conflict = statement.on_conflict_do_update(
            index_elements=[ArticleGist.law_version_id, ArticleGist.label], set_={"text": statement.excluded.text}
        )
        session.execute(on_conflict, rows)
    return len(rows)


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


def withdraw_text(context: ActionContext, *, version_id: int) -> int:
    """Remove the text of a version that was imported by mistake; return how many articles it had. Importing a text again brings it back.

    A version with gists goes on without its text; any other is never in force then, and what cites it is flagged. Raises NotFoundError.
    """
    session = context.session
    version = session.get(LawVersion, version_id, with_for_update=True)  # meant: laws belong to no unit
    if version is None:
        raise NotFoundError
    removed = session.scalars(
        delete(LawArticle).where(LawArticle.law_version_id == version.id).returning(LawArticle.id)
    )
    count = len(removed.all())
    version.note = version.preamble = ""
    if not session.scalar(select(exists().where(ArticleGist.law_version_id == version.id))):
        version.effective_on, version.repealed_on = None, version.version_on
    _mark_unchecked(session, version, now=context.now)
    details = {"removed": count}
    record(context, "laws.withdraw_text", object_type="law_version", object_id=version.id, details=details)
    return count


def note_checked(session: Session, law: Law, *, now: datetime) -> None:
    """Note that the questions citing a law have been compared with it; those of a version or a repeal still to come are on its day."""
    dates = session.execute(select(LawVersion.effective_on, LawVersion.repealed_on).where(LawVersion.law_id == law.id))
    today = day_of(now)
    to_come = [day for row in dates for day in row if day is not None and day > today]
    law.unchecked_since = from_local(datetime.combine(min(to_come), time())) if to_come else None
    session.flush()


def _mark_unchecked(session: Session, version: LawVersion, *, now: datetime) -> None:
    """Leave word that questions citing the law must be looked at; question_law_changes sweeps such laws."""
    session.execute(update(Law).where(Law.id == version.law_id).values(unchecked_since=now))
    enqueue_after_commit(session, "questions.check_laws")
