"""Change the state of questions (draft, reviewed, active, retired), correct keys that no paper holds, delete; authors do not review their own, save where REVIEW_ALONE allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from examapp.content.question_law_changes.actions import check_questions
from examapp.content.questions.models import (
    AnswerKey,
    BankQuestion,
    Decision,
    DistinctPair,
    QuestionCitation,
    QuestionFlag,
    QuestionSearch,
    QuestionState,
    QuestionVersion,
    question_knowledge_points,
)
from examapp.content.questions.queries import (
    count_reviewers,
    current_key,
    get_question,
    get_version,
    is_author,
    stamp_of,
)
from examapp.content.questions.rules import UnfitQuestionError, check_key
from examapp.errors import BadRequestError, ConflictError, DomainError, NotFoundError
from examapp.platform.audit.actions import ActionContext, Actor, record
from question_bank import model
from question_bank.kinds.registry import kind_of

AUDIT_ACTS = {
    "questions.correct_key": "更正答案",
    "questions.delete_question": "删除试题",
    "questions.set_state": "审核或停用试题",
}
AUDIT_DETAILS = {"is_own_review": "审核本人的题"}

_STEPS = {
    QuestionState.REVIEWED: {QuestionState.DRAFT},
    QuestionState.ACTIVE: {QuestionState.REVIEWED},
    QuestionState.RETIRED: {QuestionState.DRAFT, QuestionState.REVIEWED, QuestionState.ACTIVE},
    QuestionState.DRAFT: {QuestionState.REVIEWED, QuestionState.RETIRED},
}
"""From which states a question may come to each."""
STATE_NAMES = {
    QuestionState.DRAFT: "草稿",
    QuestionState.REVIEWED: "已审核",
    QuestionState.ACTIVE: "启用",
    QuestionState.RETIRED: "停用",
}


class WrongStateError(DomainError):
    """The question is not in a state from which this step leads on."""

    code = "wrong_state"
    message = "这道题的状态已经改变，请刷新页面后再操作。"


class OwnReviewError(DomainError):
    """Who wrote a version, or its key, may not review it."""

    code = "own_review"
    message = "这道题的内容或答案是您本人撰写、导入或修改的，请由另一位有审核权限的同事审核。"


def set_state(
    context: ActionContext, *, question_id: int, state: QuestionState, is_alone_allowed: bool = False
) -> BankQuestion:
    """Set a question's state; reject a review by the author of the version or its key.

    `is_alone_allowed` is the setting of an office with one reviewer: it may then review its own, and the log says so.
    """
    session, actor, now = context.session, context.actor, context.now
    row = get_question(session, question_id, is_locked=True)
    if row.state == state:
        return row
    if QuestionState(row.state) not in _STEPS[state]:
        raise WrongStateError
    if row.review_note and state in {QuestionState.REVIEWED, QuestionState.ACTIVE}:
        raise UnfitQuestionError(f"这道题的答案待核对：{row.review_note} 请先用“更正答案”确定答案。")
    is_own = False
    if state is QuestionState.DRAFT:
        row.reviewed_by_id = None
    if state is QuestionState.REVIEWED:
        is_own = is_author(session, get_version(session, row), row, actor.person_id)
        if is_own and not (is_alone_allowed and count_reviewers(session, now=now) <= 1):
            raise OwnReviewError
        row.reviewed_by_id = actor.person_id
    details = {"from": row.state, "to": state, "is_own_review": is_own}
    was_retired = row.state == QuestionState.RETIRED
    row.state, row.updated_at = state, now
    if row.law_change or was_retired:
        session.flush()
        check_questions(context, ids=[row.id], closed_as=Decision.RETIRE)
    record(context, "questions.set_state", object_type="question", object_id=row.id, details=details)
    return row


def set_states(
    context: ActionContext, *, ids: Sequence[int], state: QuestionState, is_alone_allowed: bool = False
) -> tuple[int, dict[str, list[str]]]:
    """Set the state of many questions; return how many changed, and the codes of the others by reason."""
    moved = 0
    reasons: dict[str, list[str]] = {}
    for question_id in sorted(set(ids)):
        try:
            set_state(context, question_id=question_id, state=state, is_alone_allowed=is_alone_allowed)
        except DomainError as error:
            row = context.session.get(BankQuestion, question_id)
            reasons.setdefault(error.text, []).append(row.code if row is not None else "已删除的题")
        else:
            moved += 1
    return moved, reasons


def approve_and_activate(
    context: ActionContext, *, stamps: Mapping[int, str], is_alone_allowed: bool = False
) -> tuple[int, list[str]]:
    """Review and activate the drafts that the reviewer was shown in full; return how many, and the others with their reasons.

    `stamps` are the questions' stamps when they were shown: a question that has changed since is not activated.
    """
    session, activated = context.session, 0
    rejections: list[str] = []
    for question_id, stamp in sorted(stamps.items()):
        try:
            row = get_question(session, question_id, is_locked=True)
            if stamp_of(row, get_version(session, row)) != stamp:
                raise WrongStateError
            for state in (QuestionState.REVIEWED, QuestionState.ACTIVE):
                set_state(context, question_id=question_id, state=state, is_alone_allowed=is_alone_allowed)
        except NotFoundError:
            rejections.append("有一道题已被删除。")
        except DomainError as error:
            rejections.append(f"{row.code}：{error.text}")
        else:
            activated += 1
    return activated, rejections


_ACT = "questions.correct_key"


def correct_key(
    context: ActionContext,
    *,
    question_id: int,
    keys: Sequence[Sequence[str]],
    blanks: Sequence[Sequence[Sequence[str]]],
    reason: str,
    number: int | None = None,
) -> AnswerKey:
    """Correct the key of a version that no paper holds, the current one without its number, one entry a part: a new row with the reason, the old one stays.

    The question is a draft again until another person has reviewed it. Raises BadRequestError, and ConflictError for a version that papers hold:
    its key is changed by a correction of grades.
    """
    session = context.session
    row = get_question(session, question_id, is_locked=True)
    version = get_version(session, row, number)
    if not reason.strip():
        raise BadRequestError("请写明更正答案的理由，例如：法律修改、录入有误。")
    if version.used_at is not None:
        raise ConflictError("这道题已经编进试卷，改答案会影响成绩。请在题目页点“更正成绩”，先试算再提交。")
    before = current_key(session, version.id)
    parts = [
        corrected_part(part, old, key, variants)
        for part, old, key, variants in zip(version.content["parts"], before.parts, keys, blanks, strict=True)
    ]
    if parts == before.parts and not row.review_note:
        raise BadRequestError("答案没有变化，不需要更正。")
    key_row = _put(context, row, before, parts, reason=reason, author=context.actor)
    if version.id == row.current_version_id and row.state != QuestionState.RETIRED:
        row.state, row.reviewed_by_id = QuestionState.DRAFT, None
    return key_row


def _put(
    context: ActionContext,
    row: BankQuestion,
    before: AnswerKey,
    parts: list[dict[str, Any]],
    *,
    reason: str,
    author: Actor,
) -> AnswerKey:
    key = AnswerKey(
        question_version_id=before.question_version_id,
        number=before.number + 1,
        parts=parts,
        reason=reason.strip()[:500],
        created_by_id=author.person_id,
        created_at=context.now,
    )
    context.session.add(key)
    context.session.flush()
    details = {
        "version_id": before.question_version_id,
        "old_key_id": before.id,
        "new_key_id": key.id,
        "from": row.state,
    }
    if before.question_version_id == row.current_version_id:
        row.review_note, row.updated_at = "", context.now
    record(context, _ACT, object_type="question", object_id=row.id, details=details)
    return key


def put_part_in_force(
    context: ActionContext,
    *,
    version_id: int,
    part: int,
    corrected: dict[str, Any],
    old_key_id: int,
    reason: str,
    author_id: int | None,
) -> AnswerKey:
    """Store a version's key with one part (from 0) corrected, as a correction of grades has decided, its last person as reviewer.

    Raises ConflictError where the key has changed since.
    """
    version = context.session.get_one(QuestionVersion, version_id)
    row = get_question(context.session, version.question_id, is_locked=True)
    before = current_key(context.session, version_id)
    if before.id != old_key_id:
        raise ConflictError("申请提出以后，这道题的答案又改过。请退回，由申请人看过新答案再提。")
    parts = [corrected if number == part else old for number, old in enumerate(before.parts)]
    if version_id == row.current_version_id and row.state in {QuestionState.REVIEWED, QuestionState.ACTIVE}:
        row.reviewed_by_id = context.actor.person_id
    return _put(context, row, before, parts, reason=reason, author=Actor(person_id=author_id, address=None))


def corrected_part(
    part: dict[str, Any], old: dict[str, Any], key: Sequence[str], blanks: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Give the entry of `answer_keys.parts` that a key typed for a part of a version comes to; raises BadRequestError, UnfitQuestionError."""
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


class UsedQuestionError(DomainError):
    """A question that papers hold cannot be deleted."""

    code = "question_used"
    message = "这道题已经用在试卷里，不能删除。可以把它停用，停用后不再进入新的试卷。"


def delete_question(context: ActionContext, *, question_id: int) -> None:
    """Delete a question that was never used; raises UsedQuestionError for others."""
    session = context.session
    question = get_question(session, question_id, is_locked=True)
    versions = select(QuestionVersion).where(QuestionVersion.question_id == question.id).with_for_update()
    if any(version.used_at is not None for version in session.scalars(versions)):
        raise UsedQuestionError
    delete_questions(session, ids=[question.id])
    record(context, "questions.delete_question", object_type="question", object_id=question_id)


def delete_questions(session: Session, *, ids: Sequence[int]) -> None:
    """Delete questions with all their rows; the caller has made sure that no paper holds them."""
    if not ids:
        return
    version_ids = select(QuestionVersion.id).where(QuestionVersion.question_id.in_(ids)).scalar_subquery()
    session.execute(delete(QuestionCitation).where(QuestionCitation.question_version_id.in_(version_ids)))
    session.execute(delete(AnswerKey).where(AnswerKey.question_version_id.in_(version_ids)))
    points = question_knowledge_points
    session.execute(delete(points).where(points.c.question_id.in_(ids)))
    session.execute(delete(QuestionFlag).where(QuestionFlag.question_id.in_(ids)))
    session.execute(delete(QuestionSearch).where(QuestionSearch.question_id.in_(ids)))
    session.execute(delete(DistinctPair).where(DistinctPair.lower_id.in_(ids) | DistinctPair.higher_id.in_(ids)))
    session.execute(update(BankQuestion).where(BankQuestion.id.in_(ids)).values(current_version_id=None))
    session.execute(delete(QuestionVersion).where(QuestionVersion.question_id.in_(ids)))
    session.execute(delete(BankQuestion).where(BankQuestion.id.in_(ids)))
