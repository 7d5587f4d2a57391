"""Correct a key: at once while no paper holds the question, by two persons as soon as one does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import BadRequestError, ConflictError
from examapp.people.models import Approval
from examapp.people.operations import approvals
from examapp.questions.models import AnswerKey, Question, QuestionState, QuestionVersion
from examapp.questions.queries import current_key, get_question
from examapp.questions.queries import get_version as get_question_version
from examapp.questions.rules.content import check_key
from question_bank import model
from question_bank.kinds.registry import kind_of

ACT = "questions.correct_key"


def correct_key(
    session: Session,
    *,
    question_id: int,
    keys: Sequence[Sequence[str]],
    blanks: Sequence[Sequence[Sequence[str]]],
    reason: str,
    actor: Actor,
    now: datetime,
    number: int | None = None,
) -> AnswerKey | None:
    """Correct the key of a version, the current one without its number, one entry a part: a new row with the reason, the old one stays.

    While no paper holds the version, it holds at once and the question is a draft again until another person has reviewed it. Of a version
    that papers hold only a request is made, for a second person to allow; then None is given. Raises BadRequestError, AlreadyAskedError.
    """
    row = get_question(session, question_id, is_locked=True)
    version = get_question_version(session, row, number)
    if not reason.strip():
        raise BadRequestError("请写明更正答案的理由，例如：法律修改、录入有误。")
    before = current_key(session, version.id)
    parts = [
        _corrected(part, old, key, variants)
        for part, old, key, variants in zip(version.content["parts"], before.parts, keys, blanks, strict=True)
    ]
    if parts == before.parts and not row.doubt:
        raise BadRequestError("答案没有变化，不需要更正。")
    if needs_two_persons(row, version):
        details = {
            "question_id": row.id,
            "code": row.code,
            "version_id": version.id,
            "version": version.number,
            "old_key_id": before.id,
            "parts": parts,
        }
        approvals.ask(session, ACT, request_key=str(version.id), details=details, reason=reason, actor=actor, now=now)
        return None
    state = None if row.state == QuestionState.RETIRED else QuestionState.DRAFT
    return _put(session, row, before, parts, reason=reason, author=actor, actor=actor, now=now, state=state)


def needs_two_persons(question: Question, version: QuestionVersion) -> bool:
    """Tell whether results may stand on this version's key: it was drawn, or has been replaced since."""
    return version.used_at is not None or version.id != question.current_version_id


def put_correction_in_force(session: Session, approval: Approval, *, actor: Actor, now: datetime) -> AnswerKey:
    """Write the key that a second person has allowed, who stands as the question's reviewer; raises ConflictError where it changed since."""
    details = approval.details
    row = get_question(session, details["question_id"], is_locked=True)
    before = current_key(session, details["version_id"])
    if before.id != details["old_key_id"]:
        raise ConflictError("申请提出以后，这道题的答案又改过。请退回，由申请人看过新答案再提。")
    author = Actor(person_id=approval.requested_by_id, address=None)
    key = _put(session, row, before, details["parts"], reason=approval.reason, author=author, actor=actor, now=now)
    is_current = before.question_version_id == row.current_version_id
    if is_current and row.state in {QuestionState.REVIEWED, QuestionState.ACTIVE}:
        row.reviewed_by_id = actor.person_id
    return key


def _put(
    session: Session,
    row: Question,
    before: AnswerKey,
    parts: list[dict[str, Any]],
    *,
    reason: str,
    author: Actor,
    actor: Actor,
    now: datetime,
    state: QuestionState | None = None,
) -> AnswerKey:
    key = AnswerKey(
        question_version_id=before.question_version_id,
        number=before.number + 1,
        parts=parts,
        reason=reason.strip()[:500],
        created_by_id=author.person_id,
        created_at=now,
    )
    session.add(key)
    session.flush()
    details = {
        "version_id": before.question_version_id,
        "old_key_id": before.id,
        "new_key_id": key.id,
        "from": row.state,
    }
    if state is not None:
        row.state, row.reviewed_by_id = state, None
    if before.question_version_id == row.current_version_id:
        row.doubt, row.updated_at = "", now
    record(session, ACT, actor=actor, now=now, object_type="question", object_id=row.id, details=details)
    return key


def _corrected(
    part: dict[str, Any], old: dict[str, Any], key: Sequence[str], blanks: Sequence[Sequence[str]]
) -> dict[str, Any]:
    kind = kind_of(part["kind"])
    checked = model.Question(
        kind=kind.code,
        stem="",
        options=tuple(part["options"]),
        key=tuple(key),
        blanks=tuple(tuple(each) for each in blanks),
    )
    check_key(checked)
    if kind.has_blanks and len(blanks) != part["blanks"]:
        raise BadRequestError(f"这道题有 {part['blanks']} 个空，答案却有 {len(blanks)} 行。请每个空写一行。")
    stored = kind.stored_key(checked, plain=lambda text: text)
    return {**old, "key": stored, "blanks": [list(each) for each in blanks]}
