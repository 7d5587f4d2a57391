"""Writes: opinions and their answers; notices from draft to withdrawal.

The unit tree lies above this feature: who writes notices is held to `unit_ids`, the units within the access scope (None for all).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.documents.html import normalise, text_to_html
from examapp.errors import DomainError, NotFoundError
from examapp.platform.audit.actions import ActionContext, record
from examapp.platform.notices.models import Feedback, Notice, NoticeReading
from examapp.platform.notices.queries import count_unanswered_of, lock_notice
from examapp.platform.notices.rules import clean_page

AUDIT_ACTS = {
    "messages.answer_feedback": "答复意见建议",
    "messages.change_notice": "修改通知",
    "messages.publish_notice": "发布通知",
    "messages.sign_notice": "签收通知",
    "messages.withdraw_notice": "撤回通知",
    "messages.write_feedback": "提交意见建议",
    "messages.write_notice": "起草通知",
}
AUDIT_OBJECTS = {"feedback": "意见", "notice": "通知"}
AUDIT_DETAILS = {"is_for_admins": "仅管理员可见"}

_MAX_WAITING = 20


class TooMuchFeedbackError(DomainError):
    """So many opinions of one person wait that another would only bury them."""

    code = "too_much_feedback"
    message = f"您已有 {_MAX_WAITING} 条意见等待答复。请等普法办答复后再写，急事请直接打电话。"


class AlreadyAnsweredError(DomainError):
    """A colleague was quicker."""

    code = "already_answered"
    message = "这条意见已经有人答复。请返回列表查看答复内容。"


class NoticeStateError(DomainError):
    """The notice is past the state in which this act makes sense."""

    code = "notice_state"


def write_feedback(context: ActionContext, *, text: str, page: str) -> Feedback:
    """Store an opinion of the actor; raises TooMuchFeedbackError."""
    session, actor = context.session, context.actor
    if actor.person_id is None:
        raise NotFoundError
    if count_unanswered_of(session, actor.person_id) >= _MAX_WAITING:
        raise TooMuchFeedbackError
    feedback = Feedback(
        person_id=actor.person_id, page=clean_page(page), text=normalise(text).strip(), created_at=context.now
    )
    session.add(feedback)
    session.flush()
    record(context, "messages.write_feedback", object_type="feedback", object_id=feedback.id)
    return feedback


def answer_feedback(context: ActionContext, feedback_id: int, *, answer: str) -> Feedback:
    """Answer an opinion, once; raises NotFoundError and AlreadyAnsweredError."""
    statement = select(Feedback).where(Feedback.id == feedback_id).with_for_update()
    feedback = context.session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if feedback is None:
        raise NotFoundError
    if feedback.answered_at is not None:
        raise AlreadyAnsweredError
    feedback.answer = normalise(answer).strip()
    feedback.answered_at, feedback.answered_by_id = context.now, context.actor.person_id
    record(
        context, "messages.answer_feedback", object_type="feedback", object_id=feedback.id, person_id=feedback.person_id
    )
    return feedback


def note_answers_seen(session: Session, person_id: int, *, now: datetime) -> None:
    """Note that a person has seen all answers that stand now; no audit line, since nothing is decided."""
    session.execute(
        update(Feedback)
        .where(Feedback.person_id == person_id, Feedback.answered_at.is_not(None), Feedback.answer_seen_at.is_(None))
        .values(answer_seen_at=now)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDraft:
    """What a notice says, in plain text, and to whom; `unit_ids` None for all."""

    title: str
    text: str
    unit_ids: list[int] | None
    is_for_admins: bool
    asks_receipt: bool


def write_notice(context: ActionContext, draft: NoticeDraft) -> Notice:
    """Store a notice as a draft; that `draft.unit_ids` lie within the actor's access scope is the caller's to check."""
    notice = Notice(
        title=normalise(draft.title).strip(),
        body=text_to_html(draft.text),
        unit_ids=draft.unit_ids,
        is_for_admins=draft.is_for_admins,
        asks_receipt=draft.asks_receipt,
        created_by_id=context.actor.person_id,
        created_at=context.now,
    )
    context.session.add(notice)
    context.session.flush()
    _record_notice(context, "messages.write_notice", notice)
    return notice


def change_notice(
    context: ActionContext, notice_id: int, draft: NoticeDraft, *, unit_ids: Select[int] | None
) -> Notice:
    """Change a draft; raises NotFoundError, and NoticeStateError once it is published."""
    notice = lock_notice(context.session, notice_id, unit_ids)
    if notice.published_at is not None:
        raise NoticeStateError("通知已经发布，不能再改。请先撤回，再另写一份。")
    notice.title, notice.body = normalise(draft.title).strip(), text_to_html(draft.text)
    notice.unit_ids, notice.is_for_admins, notice.asks_receipt = draft.unit_ids, draft.is_for_admins, draft.asks_receipt
    _record_notice(context, "messages.change_notice", notice)
    return notice


def publish_notice(context: ActionContext, notice_id: int, *, unit_ids: Select[int] | None) -> Notice:
    """Show a draft to its readers; a second press changes nothing. Raises NotFoundError and NoticeStateError."""
    notice = lock_notice(context.session, notice_id, unit_ids)
    if notice.withdrawn_at is not None:
        raise NoticeStateError("通知已经撤回，不能再发布。请另写一份。")
    if notice.published_at is None:
        notice.published_at = context.now
        _record_notice(context, "messages.publish_notice", notice)
    return notice


def withdraw_notice(context: ActionContext, notice_id: int, *, unit_ids: Select[int] | None) -> Notice:
    """Take a published notice away from its readers, or throw a draft away; a second press changes nothing."""
    notice = lock_notice(context.session, notice_id, unit_ids)
    if notice.withdrawn_at is None:
        notice.withdrawn_at = context.now
        _record_notice(context, "messages.withdraw_notice", notice)
    return notice


def note_notice_read(session: Session, notice_id: int, *, person_id: int, now: datetime) -> None:
    """Note that a person has opened a notice; the first time counts."""
    session.execute(
        insert(NoticeReading).values(notice_id=notice_id, person_id=person_id, read_at=now).on_conflict_do_nothing()
    )


def sign_notice(context: ActionContext, notice: Notice) -> None:
    """Sign for a notice that its reader may see, as opened now at the latest; the first time counts."""
    person_id = context.actor.person_id
    if not notice.asks_receipt or person_id is None:
        raise NoticeStateError("这份通知不要求签收，看过即可。")
    reading = insert(NoticeReading).values(
        notice_id=notice.id, person_id=person_id, read_at=context.now, signed_at=context.now
    )
    unsigned = NoticeReading.signed_at.is_(None)
    both, signed = ["notice_id", "person_id"], {"signed_at": context.now}
    reading = reading.on_conflict_do_update(index_elements=both, set_=signed, where=unsigned)
    if context.session.scalars(reading.returning(NoticeReading.person_id)).first() is not None:
        _record_notice(context, "messages.sign_notice", notice)


def _record_notice(context: ActionContext, act: str, notice: Notice) -> None:
    record(
        context,
        act,
        object_type="notice",
        object_id=notice.id,
        details={"unit_ids": notice.unit_ids, "is_for_admins": notice.is_for_admins},
    )
