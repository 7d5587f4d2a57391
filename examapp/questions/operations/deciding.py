"""Decide on a question under which the law has changed: keep it with the new citation. Editing and retiring settle the flags by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import BadRequestError, ConflictError, DomainError
from examapp.laws.queries import find_articles
from examapp.questions.models import AnswerKey, Citation, Decision, LawChange, Question, QuestionFlag, QuestionVersion
from examapp.questions.operations.flagging import check_questions
from examapp.questions.queries import current_key, get_question, get_version, open_flags


def keep_under_new_law(
    session: Session,
    *,
    question_id: int,
    articles: Mapping[int, Sequence[str]],
    actor: Actor,
    now: datetime,
) -> Question:
    """Keep a question as it stands, cited by the newest version's articles: for each open flag (by id) their names.

    Papers that hold the old version keep its citation. Raises BadRequestError where an article is not in the new version, or there is none.
    """
    row = get_question(session, question_id, is_locked=True)
    flags = open_flags(session, row.id)
    if not flags:
        raise ConflictError("这道题已经处理过了。请刷新页面。")
    for flag in flags:
        _check(session, flag, articles.get(flag.id, ()))
    version = _version_to_cite(session, row, now=now)
    for flag in flags:
        session.execute(
            delete(Citation).where(
                Citation.question_version_id == version.id,
                Citation.part == flag.part,
                Citation.law_version_id == flag.old_version_id,
            )
        )
        session.add(
            Citation(
                question_version_id=version.id, part=flag.part, law_version_id=flag.new_version_id, articles=list(articles[flag.id])
            )
        )  # fmt: skip
    row.reviewed_by_id, row.updated_at = actor.person_id, now
    session.flush()
    check_questions(session, ids=[row.id], now=now, closed_as=Decision.KEEP, actor=actor)
    details = {"version": version.number, "articles": {str(flag.id): list(articles[flag.id]) for flag in flags}}
    record(
        session, "questions.keep_under_new_law", actor=actor, now=now, object_type="question", object_id=row.id, details=details
    )  # fmt: skip
    return row


def _check(session: Session, flag: QuestionFlag, labels: Sequence[str]) -> None:
    if flag.new_version_id is None or flag.kind == LawChange.LAW_REPEALED:
        raise BadRequestError("这部法律已废止，没有新的条文可以依据。请修改题目，或停用。")
    if not labels:
        raise BadRequestError("请写明题目在新版本里依据哪一条，例如「第三十二条」；没有对应条文的，请修改题目或停用。")
    known = {article.label for article in find_articles(session, flag.new_version_id, labels)}
    if missing := [label for label in labels if label not in known]:
        raise BadRequestError(f"新版本里没有{'、'.join(missing)}。请核对条号后再保留。")


def _version_to_cite(session: Session, row: Question, *, now: datetime) -> QuestionVersion:
    """Give the version that takes the new citation: the present one while no paper holds it, else its twin."""
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
    cited = session.scalars(select(Citation).where(Citation.question_version_id == current.id).order_by(Citation.id))
    rows = [
        {"question_version_id": twin.id, "part": each.part, "law_version_id": each.law_version_id, "articles": each.articles} for each in cited
    ]  # fmt: skip
    session.execute(insert(Citation), rows)
    row.current_version_id = twin.id
    return twin


def keep_moved(session: Session, *, ids: Sequence[int], actor: Actor, now: datetime) -> tuple[int, dict[str, int]]:
    """Keep many questions whose articles only got another number; give how many, and for the others how many for each reason."""
    kept = 0
    reasons: dict[str, int] = {}
    for question_id in sorted(set(ids)):
        try:
            flags = open_flags(session, question_id)
            if any(flag.kind != LawChange.MOVED for flag in flags):
                raise BadRequestError("条文内容有变，须逐题看过新旧条文后决定。")
            articles = {flag.id: [article["new"] for article in flag.articles] for flag in flags}
            keep_under_new_law(session, question_id=question_id, articles=articles, actor=actor, now=now)
        except DomainError as error:
            reasons[error.text] = reasons.get(error.text, 0) + 1
        else:
            kept += 1
    return kept, reasons
