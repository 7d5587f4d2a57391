"""Add and save questions, one function an act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Session

from examapp.content.law_texts.rules import article_labels, iso_day, law_name
from examapp.content.laws.actions import ensure_law_version
from examapp.content.question_law_changes.actions import check_questions
from examapp.content.questions.models import (
    AnswerKey,
    BankQuestion,
    Decision,
    KnowledgePoint,
    Media,
    QuestionCitation,
    QuestionSearch,
    QuestionState,
    QuestionVersion,
    question_knowledge_points,
)
from examapp.content.questions.queries import get_question, stamp_of
from examapp.content.questions.rules import TOPICS, Prepared, grams_of, prepare, searchable
from examapp.db.bulk import reserve_ids
from examapp.documents.images import Picture, encode_picture
from examapp.errors import ConflictError
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from question_bank import model

AUDIT_ACTS = {
    "questions.add_question": "新增试题",
    "questions.add_questions": "批量新增试题",
    "questions.save_question": "修改试题",
    "questions.upload_picture": "上传试题图片",
}
AUDIT_OBJECTS = {"media": "图片", "question": "试题"}
AUDIT_VALUES = {"active": "启用", "draft": "草稿", "retired": "停用", "reviewed": "已审核"}


def index_questions(session: Session, texts: Iterable[tuple[int, str, str]]) -> None:
    """Index questions for the search: (question id, number, texts of the current version)."""
    rows = [
        {"question_id": question_id, "text": wording, "grams": grams_of(wording)}
        for question_id, code, text in texts
        for wording in [searchable(code, text)]
    ]
    if not rows:
        return
    statement = pg_insert(QuestionSearch)
    changed = {"text": statement.excluded.text, "grams": statement.excluded.grams}
    session.execute(statement.on_conflict_do_update(index_elements=["question_id"], set_=changed), rows)


def add_question(
    context: ActionContext, *, question: model.Question, state: QuestionState, import_id: int | None = None
) -> BankQuestion:
    """Add one question with its first version and key; raises UnfitQuestionError where it is incomplete."""
    (added,) = add_prepared(context, prepared=[prepare(question)], state=state, import_id=import_id)
    record(
        context,
        "questions.add_question",
        object_type="question",
        object_id=added,
        details={"kind": question.kind, "state": state},
    )
    return context.session.get_one(BankQuestion, added)  # meant: made above


def add_questions(
    context: ActionContext, *, questions: Iterable[model.Question], state: QuestionState, import_id: int | None = None
) -> list[int]:
    """Add many questions, all or none, with one audit line; return their ids in the order given. Raises UnfitQuestionError."""
    ids = add_prepared(
        context, prepared=[prepare(question) for question in questions], state=state, import_id=import_id
    )
    record(
        context,
        "questions.add_questions",
        object_type="question_import",
        object_id=import_id,
        details={"count": len(ids), "state": state},
    )
    return ids


def add_prepared(
    context: ActionContext, *, prepared: Sequence[Prepared], state: QuestionState, import_id: int | None
) -> list[int]:
    """Store prepared questions in a fixed number of statements, however many they are; return their ids."""
    session, actor, now = context.session, context.actor, context.now
    if not prepared:
        return []
    add_pictures(session, pictures=[picture for one in prepared for picture in one.pictures], now=now)
    ids, version_ids = (
        reserve_ids(session, "questions", len(prepared)),
        reserve_ids(session, "question_versions", len(prepared)),
    )
    laws = _Laws(session, now)
    taken = _taken_codes(session, [one.question.code for one in prepared if one.question.code])
    stamp = {"created_by_id": actor.person_id, "created_at": now}
    reviewer = actor.person_id if state is not QuestionState.DRAFT else None
    rows = [
        {
            "id": question_id, "code": _code(one.question, question_id, taken), "kind": str(one.question.kind), "state": str(state),
            "difficulty": one.question.difficulty, "law_name": laws.name_of(one.question), "topic": laws.topic_of(one.question),
            "review_note": one.review_note,
            "current_version_id": version_id, "reviewed_by_id": reviewer, "import_id": import_id, "updated_at": now, **stamp,
        }
        for question_id, version_id, one in zip(ids, version_ids, prepared, strict=True)
    ]  # fmt: skip
    session.execute(insert(BankQuestion), rows)
    _add_versions(session, prepared, ids, version_ids, stamp)
    _add_citations(session, [(v, one.question) for v, one in zip(version_ids, prepared, strict=True)], laws)
    add_knowledge_points(
        session, pairs=[(q, one.question.knowledge_points) for q, one in zip(ids, prepared, strict=True)]
    )
    codes = [str(row["code"]) for row in rows]
    index_questions(session, [(q, c, one.search_text) for q, c, one in zip(ids, codes, prepared, strict=True)])
    check_questions(ActionContext(session, SYSTEM, now), ids=ids)
    return ids


def _add_versions(
    session: Session,
    prepared: Sequence[Prepared],
    ids: Sequence[int],
    version_ids: Sequence[int],
    stamp: dict[str, Any],
) -> None:
    """Store the first version of each question, and its key."""
    session.execute(
        insert(QuestionVersion),
        [
            {"id": version_id, "question_id": question_id, "number": 1, **_version_columns(one), **stamp}
            for question_id, version_id, one in zip(ids, version_ids, prepared, strict=True)
        ],
    )
    session.execute(
        insert(AnswerKey),
        [
            {"question_version_id": version_id, "number": 1, "parts": one.key_parts, "reason": "", **stamp}
            for version_id, one in zip(version_ids, prepared, strict=True)
        ],
    )


def _version_columns(one: Prepared) -> dict[str, Any]:
    return {"content": one.content, "search_text": one.search_text, "digest": one.digest}


def _taken_codes(session: Session, codes: list[str]) -> set[str]:
    return set(session.scalars(select(BankQuestion.code).where(BankQuestion.code.in_(codes)))) if codes else set()


def _code(question: model.Question, question_id: int, taken: set[str]) -> str:
    """Return the file's own number where it is unique in the whole bank; a running number is not."""
    own = (question.code or "").strip()
    if len(own) < 4 or len(own) > 64 or own.isdigit() or own in taken:
        return f"q-{question_id}"
    taken.add(own)
    return own


class _Laws:
    """The laws that a batch of questions cites, each looked up or created once."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now
        self._versions: dict[tuple[str, date], int] = {}

    def name_of(self, question: model.Question) -> str:
        citation = question.citation or next((part.citation for part in question.parts if part.citation), None)
        return law_name(citation.law) if citation else ""

    def topic_of(self, question: model.Question) -> str:
        return next((tag for tag in question.tags if tag in TOPICS), "")

    def version_id(self, citation: model.Citation, topic: str) -> int | None:
        day = iso_day(citation.version)
        if day is None:
            return None
        place = (law_name(citation.law), day)
        if place not in self._versions:
            row = ensure_law_version(self._session, law=place[0], version_on=day, topic=topic, now=self._now)
            self._versions[place] = row.id
        return self._versions[place]


def add_citations(session: Session, *, version_id: int, question: model.Question, now: datetime) -> None:
    """Store which articles a version cites; create laws and versions that are missing."""
    _add_citations(session, [(version_id, question)], _Laws(session, now))


def _add_citations(session: Session, versions: Iterable[tuple[int, model.Question]], laws: _Laws) -> None:
    rows = []
    for version_id, question in versions:
        topic = laws.topic_of(question)
        for part, one in enumerate(question.parts or (question,), 1):
            citation = one.citation or question.citation
            articles = article_labels(citation.article) if citation else []
            law_version_id = laws.version_id(citation, topic) if citation else None
            if law_version_id is not None:
                rows.append(
                    {
                        "question_version_id": version_id,
                        "part": part,
                        "law_version_id": law_version_id,
                        "articles": articles,
                    }
                )
    if rows:
        session.execute(insert(QuestionCitation), rows)


def add_knowledge_points(session: Session, *, pairs: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Link questions to knowledge points by name; create those that are missing."""
    wanted = [(question_id, name.strip()[:60]) for question_id, names in pairs for name in names if name.strip()]
    if not wanted:
        return
    names = sorted({name for _, name in wanted})
    session.execute(pg_insert(KnowledgePoint).values([{"name": name} for name in names]).on_conflict_do_nothing())
    found = session.execute(select(KnowledgePoint.name, KnowledgePoint.id).where(KnowledgePoint.name.in_(names)))
    ids = {row.name: row.id for row in found}
    bound = dict.fromkeys((question_id, ids[name]) for question_id, name in wanted)
    session.execute(
        pg_insert(question_knowledge_points).on_conflict_do_nothing(),
        [{"question_id": question_id, "knowledge_point_id": point_id} for question_id, point_id in bound],
    )


def add_pictures(session: Session, *, pictures: Sequence[Picture], now: datetime) -> None:
    """Store re-encoded pictures; the same picture is stored once."""
    for picture in {picture.sha256: picture for picture in pictures}.values():
        session.execute(
            pg_insert(Media)
            .values(
                sha256=picture.sha256,
                media_type=picture.media_type,
                content=picture.content,
                width=picture.width,
                height=picture.height,
                created_at=now,
            )
            .on_conflict_do_nothing()
        )


def save_question(
    context: ActionContext, *, question_id: int, question: model.Question, read_stamp: str
) -> QuestionVersion:
    """Save an edited question; raises ConflictError where somebody else saved since `read_stamp` (queries.stamp_of) was read.

    An unused draft is changed in place. Otherwise the next version is made and the question is a draft again, to be reviewed before new
    papers draw it; papers that hold the old version keep it.
    """
    session, now = context.session, context.now
    row = get_question(session, question_id, is_locked=True)
    current = _locked(session, row)
    if stamp_of(row, current) != read_stamp:
        raise ConflictError("这道题刚刚被他人修改过。请刷新页面，看过新内容后再改。")
    prepared = prepare(question)
    add_pictures(session, pictures=prepared.pictures, now=now)
    is_in_place = current.used_at is None and row.state == QuestionState.DRAFT
    version = _rewrite(session, current, prepared) if is_in_place else _next_version(context, current, prepared)
    row.current_version_id = version.id
    _set_key(context, version, prepared.key_parts, is_in_place=is_in_place)
    session.execute(delete(QuestionCitation).where(QuestionCitation.question_version_id == version.id))
    add_citations(session, version_id=version.id, question=question, now=now)
    _describe(session, row, question, now=now)
    row.state, row.review_note, row.reviewed_by_id = QuestionState.DRAFT, "", None
    session.flush()
    index_questions(session, [(row.id, row.code, prepared.search_text)])
    check_questions(context, ids=[row.id], closed_as=Decision.EDIT)
    details = {"version": version.number, "is_in_place": is_in_place}
    record(context, "questions.save_question", object_type="question", object_id=row.id, details=details)
    return version


def _locked(session: Session, row: BankQuestion) -> QuestionVersion:
    statement = select(QuestionVersion).where(QuestionVersion.id == row.current_version_id).with_for_update()
    return session.scalars(statement).one()


def _rewrite(session: Session, version: QuestionVersion, prepared: Prepared) -> QuestionVersion:
    version.content, version.search_text, version.digest = prepared.content, prepared.search_text, prepared.digest
    session.flush()
    return version


def _next_version(context: ActionContext, current: QuestionVersion, prepared: Prepared) -> QuestionVersion:
    version = QuestionVersion(
        question_id=current.question_id,
        number=current.number + 1,
        content=prepared.content,
        search_text=prepared.search_text,
        digest=prepared.digest,
        created_by_id=context.actor.person_id,
        created_at=context.now,
    )
    context.session.add(version)
    context.session.flush()
    return version


def _set_key(
    context: ActionContext, version: QuestionVersion, parts: list[dict[str, Any]], *, is_in_place: bool
) -> None:
    session = context.session
    if is_in_place:
        session.execute(delete(AnswerKey).where(AnswerKey.question_version_id == version.id))
    session.add(
        AnswerKey(
            question_version_id=version.id,
            number=1,
            parts=parts,
            created_by_id=context.actor.person_id,
            created_at=context.now,
        )
    )
    session.flush()


def _describe(session: Session, row: BankQuestion, question: model.Question, *, now: datetime) -> None:
    row.kind = str(question.kind)
    row.difficulty = question.difficulty
    row.law_name = law_name(question.citation.law) if question.citation else ""
    row.topic = next((tag for tag in question.tags if tag in TOPICS), "")
    row.updated_at = now
    points = question_knowledge_points
    session.execute(delete(points).where(points.c.question_id == row.id))
    add_knowledge_points(session, pairs=[(row.id, question.knowledge_points)])
    session.expire(row, ["knowledge_points"])


def upload_picture(context: ActionContext, *, content: bytes) -> Picture:
    """Store a picture for use in questions; raises UnfitImageError with what to do."""
    picture = encode_picture(content)
    add_pictures(context.session, pictures=[picture], now=context.now)
    details = {"sha256": picture.sha256, "bytes": len(picture.content)}
    record(context, "questions.upload_picture", object_type="media", details=details)
    return picture
