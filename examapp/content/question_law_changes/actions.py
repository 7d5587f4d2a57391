"""Flag the questions under which the law has changed, and settle the flags: keep, edit, retire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from examapp.clock import day_of
from examapp.content.laws.actions import note_checked
from examapp.content.laws.models import Law, LawArticle, LawVersion
from examapp.content.laws.queries import compare_versions, find_articles, in_force_from
from examapp.content.laws.rules import ArticleChange, ArticleOutcome
from examapp.content.question_law_changes.queries import open_flags
from examapp.content.questions.models import (
    AnswerKey,
    BankQuestion,
    Decision,
    LawChange,
    QuestionCitation,
    QuestionFlag,
    QuestionState,
    QuestionVersion,
)
from examapp.content.questions.queries import current_key, get_question, get_version
from examapp.errors import BadRequestError, ConflictError, DomainError
from examapp.platform.audit.actions import SYSTEM, ActionContext, record

AUDIT_ACTS = {"questions.check_law": "核对法律修改涉及的试题", "questions.keep_under_new_law": "确认试题适用新法"}

_GRAVITY = list(LawChange)
_OF_ARTICLE = {
    ArticleOutcome.MOVED: LawChange.MOVED,
    ArticleOutcome.CHANGED: LawChange.CHANGED,
    ArticleOutcome.REPEALED: LawChange.REPEALED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cited:
    """What a part of a current version cites."""

    question_id: int
    question_version_id: int
    part: int
    old_version_id: int
    law_id: int
    version_on: date
    repealed_on: date | None
    labels: tuple[str, ...]

    @property
    def key(self) -> tuple[int, int, int]:
        return (self.question_version_id, self.part, self.old_version_id)


def check_laws(session: Session, *, now: datetime) -> int:
    """Compare every law that is due with the questions that cite it, in one transaction; give how many flags are new."""
    return sum(iter(lambda: check_next_law(session, now=now), None))


def check_next_law(session: Session, *, now: datetime) -> int | None:
    """Compare one law whose texts or dates changed, or of which a version took effect, with the questions that cite it.

    Give how many flags are new, None where no law is due. A version that is to take effect later flags nothing before its day.
    """
    due = select(Law).where(Law.unchecked_since <= now).order_by(Law.id).limit(1)
    law = session.scalars(due.with_for_update(skip_locked=True)).one_or_none()
    if law is None:
        return None
    found = _settle(ActionContext(session, SYSTEM, now), of_law=law.id, closed_as=Decision.WITHDRAWN)
    if found.added or found.closed:
        details = {"law": law.name, "flagged": found.added, "withdrawn": found.closed}
        record(ActionContext(session, SYSTEM, now), "questions.check_law", object_type="law", object_id=law.id, details=details)  # fmt: skip
    note_checked(session, law, now=now)
    return found.added


def check_questions(context: ActionContext, *, ids: Sequence[int], closed_as: Decision = Decision.WITHDRAWN) -> int:
    """Compare questions that were just written with the newest versions of the laws that they cite; return the number of new flags."""
    if not ids:
        return 0
    return _settle(context, of_questions=ids, closed_as=closed_as).added


@dataclass(frozen=True, slots=True)
class _Settled:
    added: int
    closed: int


def _settle(
    context: ActionContext, *, closed_as: Decision, of_law: int | None = None, of_questions: Sequence[int] | None = None
) -> _Settled:
    """Set the open flags to those that the current laws require."""
    session, now = context.session, context.now
    cited = list(_outdated(session, of_law=of_law, of_questions=of_questions, today=day_of(now)))
    judge = _Judge(session, day_of(now))
    wanted = {one.key: row for one in cited if (row := judge.flag_of(one)) is not None}
    present = {
        (flag.question_version_id, flag.part, flag.old_version_id): flag
        for flag in _present(session, of_law=of_law, of_questions=of_questions)
    }
    closed = [flag for key, flag in present.items() if key not in wanted]
    for flag in closed:
        flag.decision, flag.decided_at, flag.decided_by_id = closed_as, now, context.actor.person_id
    for key, flag in present.items():
        if key in wanted:
            flag.kind, flag.articles = wanted[key]["kind"], wanted[key]["articles"]
            flag.new_version_id = wanted[key]["new_version_id"]
    fresh = [row | {"created_at": now} for key, row in wanted.items() if key not in present]
    if fresh:
        session.execute(insert(QuestionFlag), fresh)
    session.flush()
    _mark(session, {row["question_id"] for row in wanted.values()} | {flag.question_id for flag in present.values()})
    return _Settled(len(fresh), len(closed))


def _outdated(
    session: Session, *, of_law: int | None, of_questions: Sequence[int] | None, today: date
) -> Iterator[_Cited]:
    """Return what current versions cite of laws of which a newer version is in force, or that were repealed."""
    newer = aliased(LawVersion)
    statement = (
        select(
            QuestionCitation.question_version_id,
            QuestionCitation.part,
            QuestionCitation.articles,
            BankQuestion.id,
            LawVersion.id,
            LawVersion.law_id,
            LawVersion.version_on,
            LawVersion.repealed_on,
        )
        .join(BankQuestion, BankQuestion.current_version_id == QuestionCitation.question_version_id)
        .join(LawVersion, QuestionCitation.law_version_id == LawVersion.id)
        .where(BankQuestion.state != QuestionState.RETIRED)
        .where(
            exists().where(
                newer.law_id == LawVersion.law_id,
                newer.version_on > LawVersion.version_on,
                in_force_from(newer) <= today,
            )
            | (LawVersion.repealed_on <= today)
        )
        .order_by(QuestionCitation.id)
    )
    if of_law is not None:
        statement = statement.where(LawVersion.law_id == of_law)
    if of_questions is not None:
        statement = statement.where(BankQuestion.id.in_(of_questions))
    for version_id, part, labels, question_id, old_id, law_id, version_on, repealed_on in session.execute(statement):
        yield _Cited(
            question_id=question_id, question_version_id=version_id, part=part, old_version_id=old_id, law_id=law_id,
            version_on=version_on, repealed_on=repealed_on, labels=tuple(labels),
        )  # fmt: skip


def _present(session: Session, *, of_law: int | None, of_questions: Sequence[int] | None) -> Iterable[QuestionFlag]:
    statement = select(QuestionFlag).where(QuestionFlag.decided_at.is_(None))
    if of_law is not None:
        statement = statement.join(LawVersion, QuestionFlag.old_version_id == LawVersion.id)
        statement = statement.where(LawVersion.law_id == of_law)
    if of_questions is not None:
        statement = statement.where(QuestionFlag.question_id.in_(of_questions))
    return session.scalars(statement)


class _Judge:
    """Finds what the newest version in force did to what is cited; compares each pair of versions once."""

    def __init__(self, session: Session, today: date) -> None:
        self._session = session
        self._today = today
        self._newest: dict[int, LawVersion | None] = {}
        self._compared: dict[tuple[int, int], dict[str, ArticleChange]] = {}

    def flag_of(self, one: _Cited) -> dict[str, Any] | None:
        newest = self._newest_of(one.law_id)
        if newest is None or newest.version_on <= one.version_on:
            is_repealed = one.repealed_on is not None and one.repealed_on <= self._today
            return _row(one, None, [], LawChange.LAW_REPEALED) if is_repealed else None
        if newest.repealed_on is not None and newest.repealed_on <= self._today:
            return _row(one, newest.id, [], LawChange.LAW_REPEALED)
        if not one.labels:
            return None
        became = self._became(one.old_version_id, newest.id)
        articles = [_article(label, became.get(label)) for label in one.labels]
        kinds = [kind for article in articles if (kind := article.pop("kind"))]
        return _row(one, newest.id, articles, max(kinds, key=_GRAVITY.index)) if kinds else None

    def _newest_of(self, law_id: int) -> LawVersion | None:
        if law_id not in self._newest:
            has_text = exists().where(LawArticle.law_version_id == LawVersion.id)
            statement = select(LawVersion).where(
                LawVersion.law_id == law_id, has_text, in_force_from(LawVersion) <= self._today
            )
            self._newest[law_id] = self._session.scalars(
                statement.order_by(LawVersion.version_on.desc()).limit(1)
            ).first()
        return self._newest[law_id]

    def _became(self, old_id: int, new_id: int) -> dict[str, ArticleChange]:
        if (old_id, new_id) not in self._compared:
            self._compared[old_id, new_id] = compare_versions(self._session, old_id, new_id).by_old_label()
        return self._compared[old_id, new_id]


def _article(label: str, became: ArticleChange | None) -> dict[str, Any]:
    if became is None:
        return {"old": label, "new": None, "change": str(LawChange.UNKNOWN), "similarity": None, "kind": LawChange.UNKNOWN}  # fmt: skip
    return {
        "old": label,
        "new": became.new,
        "change": str(became.change),
        "similarity": str(round(100 * became.similarity)),
        "kind": _OF_ARTICLE.get(became.change),
    }


def _row(one: _Cited, new_id: int | None, articles: list[dict[str, Any]], kind: LawChange) -> dict[str, Any]:
    if not articles:
        articles = [{"old": label, "new": None, "change": str(kind), "similarity": None} for label in one.labels]
    return {
        "question_id": one.question_id, "question_version_id": one.question_version_id, "part": one.part,
        "old_version_id": one.old_version_id, "new_version_id": new_id, "kind": str(kind), "articles": articles,
    }  # fmt: skip


def _mark(session: Session, question_ids: set[int]) -> None:
    """Write the gravest open flag into each question's row, which lists and drawing read."""
    if not question_ids:
        return
    gravity: ColumnElement[int] = case(
        *((QuestionFlag.kind == str(kind), place) for place, kind in enumerate(_GRAVITY)), else_=0
    )
    rows = session.execute(
        select(QuestionFlag.question_id, func.max(gravity))
        .where(QuestionFlag.question_id.in_(question_ids), QuestionFlag.decided_at.is_(None))
        .group_by(QuestionFlag.question_id)
    )
    gravest: Mapping[int, str] = {question_id: str(_GRAVITY[place]) for question_id, place in rows}
    groups: dict[str, list[int]] = {}
    for question_id in question_ids:
        groups.setdefault(gravest.get(question_id, ""), []).append(question_id)
    for word, ids in groups.items():
        session.execute(
            update(BankQuestion)
            .where(BankQuestion.id.in_(ids), BankQuestion.law_change != word)
            .values(law_change=word)
            .execution_options(synchronize_session="fetch")
        )


def keep_under_new_law(
    context: ActionContext, *, question_id: int, articles: Mapping[int, Sequence[str]]
) -> BankQuestion:
    """Keep a question unchanged with citations of the newest version's articles: for each open flag (by id) their names.

    Papers that hold the old version keep its citation. Raises BadRequestError where an article is not in the new version, or there is none.
    """
    session, now = context.session, context.now
    row = get_question(session, question_id, is_locked=True)
    flags = open_flags(session, row.id)
    if not flags:
        raise ConflictError("这道题已经处理过了。请刷新页面。")
    for flag in flags:
        _check(session, flag, articles.get(flag.id, ()))
    version = _version_to_cite(session, row, now=now)
    for flag in flags:
        session.execute(
            delete(QuestionCitation).where(
                QuestionCitation.question_version_id == version.id,
                QuestionCitation.part == flag.part,
                QuestionCitation.law_version_id == flag.old_version_id,
            )
        )
        session.add(
            QuestionCitation(
                question_version_id=version.id, part=flag.part, law_version_id=flag.new_version_id, articles=list(articles[flag.id])
            )
        )  # fmt: skip
    row.reviewed_by_id, row.updated_at = context.actor.person_id, now
    session.flush()
    check_questions(context, ids=[row.id], closed_as=Decision.KEEP)
    details = {"version": version.number, "articles": {str(flag.id): list(articles[flag.id]) for flag in flags}}
    record(context, "questions.keep_under_new_law", object_type="question", object_id=row.id, details=details)
    return row


def _check(session: Session, flag: QuestionFlag, labels: Sequence[str]) -> None:
    if flag.new_version_id is None or flag.kind == LawChange.LAW_REPEALED:
        raise BadRequestError("这部法律已废止，没有新的条文可以依据。请修改题目，或停用。")
    if not labels:
        raise BadRequestError("请写明题目在新版本里依据哪一条，例如“第三十二条”；没有对应条文的，请修改题目或停用。")
    known = {article.label for article in find_articles(session, flag.new_version_id, labels)}
    if missing := [label for label in labels if label not in known]:
        raise BadRequestError(f"新版本里没有{'、'.join(missing)}。请核对条号后再保留。")


def _version_to_cite(session: Session, row: BankQuestion, *, now: datetime) -> QuestionVersion:
    """Return the version that gets the new citation: the current one while no paper holds it, else a copy of it."""
    current = get_version(session, row)
    session.refresh(current, with_for_update=True)
    if current.used_at is None:
        return current
    twin = QuestionVersion(
        question_id=row.id, number=current.number + 1, content=current.content, search_text=current.search_text,
        digest=current.digest, created_by_id=current.created_by_id, created_at=now,
    )  # fmt: skip
    session.add(twin)
    session.flush()
    key = current_key(session, current.id)
    session.add(
        AnswerKey(
            question_version_id=twin.id, number=1, parts=key.parts, reason="", created_by_id=key.created_by_id, created_at=now
        )
    )  # fmt: skip
    cited = session.scalars(
        select(QuestionCitation).where(QuestionCitation.question_version_id == current.id).order_by(QuestionCitation.id)
    )
    rows = [
        {"question_version_id": twin.id, "part": each.part, "law_version_id": each.law_version_id, "articles": each.articles} for each in cited
    ]  # fmt: skip
    session.execute(insert(QuestionCitation), rows)
    row.current_version_id = twin.id
    return twin


def keep_moved(context: ActionContext, *, ids: Sequence[int]) -> tuple[int, dict[str, int]]:
    """Keep many questions whose articles only got another number; return how many, and the counts of the others by reason."""
    kept = 0
    reasons: dict[str, int] = {}
    for question_id in sorted(set(ids)):
        try:
            flags = open_flags(context.session, question_id)
            if any(flag.kind != LawChange.MOVED for flag in flags):
                raise BadRequestError("条文内容有变，须逐题看过新旧条文后决定。")
            articles = {flag.id: [article["new"] for article in flag.articles] for flag in flags}
            keep_under_new_law(context, question_id=question_id, articles=articles)
        except DomainError as error:
            reasons[error.text] = reasons.get(error.text, 0) + 1
        else:
            kept += 1
    return kept, reasons
