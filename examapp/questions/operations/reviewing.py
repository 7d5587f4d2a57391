"""The life of a question: draft, reviewed, active, retired; who wrote it is never who reviews it, unless the setting for lone offices says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import DomainError
from examapp.questions.models import Decision, Question, QuestionState
from examapp.questions.operations.flagging import check_questions
from examapp.questions.queries import count_reviewers, get_question, get_version, is_author
from examapp.questions.rules.content import UnfitQuestionError

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
    session: Session,
    *,
    question_id: int,
    state: QuestionState,
    actor: Actor,
    now: datetime,
    is_alone_allowed: bool = False,
) -> Question:
    """Bring a question to a state; a review by who wrote the version or its key is refused.

    `is_alone_allowed` is the setting of an office with one reviewer: it may then review its own, and the log says so.
    """
    row = get_question(session, question_id, is_locked=True)
    if row.state == state:
        return row
    if QuestionState(row.state) not in _STEPS[state]:
        raise WrongStateError
    if row.doubt and state in {QuestionState.REVIEWED, QuestionState.ACTIVE}:
        raise UnfitQuestionError(f"这道题的答案待核对：{row.doubt} 请先用「更正答案」确定答案。")
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
        check_questions(session, ids=[row.id], now=now, closed_as=Decision.RETIRE, actor=actor)
    record(
        session, "questions.set_state", actor=actor, now=now, object_type="question", object_id=row.id, details=details
    )
    return row


def set_states(
    session: Session,
    *,
    ids: Sequence[int],
    state: QuestionState,
    actor: Actor,
    now: datetime,
    is_alone_allowed: bool = False,
) -> tuple[int, dict[str, int]]:
    """Bring many questions to a state; give how many moved, and for the others how many for each reason."""
    moved = 0
    reasons: dict[str, int] = {}
    for question_id in sorted(set(ids)):
        try:
            set_state(
                session, question_id=question_id, state=state, actor=actor, now=now, is_alone_allowed=is_alone_allowed
            )
        except DomainError as error:
            reasons[error.text] = reasons.get(error.text, 0) + 1
        else:
            moved += 1
    return moved, reasons
