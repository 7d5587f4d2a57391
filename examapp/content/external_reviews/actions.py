"""Issue a ticket to a named external reviewer, take verdicts through it, revoke it."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import select

from examapp.content.external_reviews.models import ReviewTicket, TicketQuestion, Verdict
from examapp.content.external_reviews.queries import (
    DraftChoice,
    InvalidTicketError,
    digest_of,
    find_ticket,
    get_ticket,
    select_drafts,
)
from examapp.content.question_review.actions import WrongStateError, set_state
from examapp.content.questions.models import AnswerKey, BankQuestion, QuestionState, QuestionVersion
from examapp.content.questions.queries import get_question, get_version, is_author, names_of, stamp_of
from examapp.errors import BadRequestError, ConflictError
from examapp.platform.audit.actions import SYSTEM, ActionContext, record

AUDIT_ACTS = {
    "questions.issue_review_ticket": "发放外部审核链接",
    "questions.open_review_ticket": "打开外部审核链接",
    "questions.revoke_review_ticket": "收回外部审核链接",
    "questions.review_by_ticket": "外部审核试题",
}
AUDIT_OBJECTS = {"review_ticket": "外部审核链接"}
AUDIT_DETAILS = {"reviewer": "外部审核人", "workplace": "工作单位", "verdict": "审核意见", "ticket": "审核链接编号"}
AUDIT_VALUES = {"verdict=passed": "通过", "verdict=doubted": "有疑问"}

LIFE = timedelta(days=7)
MAX_QUESTIONS = 200


class AuthorAsReviewerError(BadRequestError):
    """Who is to read from outside has the name of an author or of who issues the link."""

    field = "reviewer"


class NoDraftsError(BadRequestError):
    """No draft fits what the form asks for."""

    message = "没有可以送外部审核的题：须是没有用过、没有图片、答案没有疑问的草稿，并且不在别的有效链接里。"


def issue_ticket(context: ActionContext, *, reviewer: str, workplace: str, choice: DraftChoice) -> tuple[int, str]:
    """Issue a ticket over unused drafts to a named person; return its id and the token, which is shown this once.

    Raises NoDraftsError, and AuthorAsReviewerError where the reviewer is an author of one of the questions or who issues the ticket.
    """
    session, now = context.session, context.now
    drafts = select_drafts(session, choice, now=now)
    if not drafts:
        raise NoDraftsError
    _ensure_is_not_author(context, reviewer, drafts)
    token = secrets.token_urlsafe(32)
    ticket = ReviewTicket(
        digest=digest_of(token), reviewer=reviewer.strip(), workplace=workplace.strip(), created_by_id=context.actor.person_id,
        created_at=now, expires_at=now + LIFE, questions=[TicketQuestion(question_id=one.id, code=one.code) for one in drafts],
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    details = {"reviewer": ticket.reviewer, "workplace": ticket.workplace, "count": len(drafts)}
    record(context, "questions.issue_review_ticket", object_type="review_ticket", object_id=ticket.id, details=details)
    return ticket.id, token


def _ensure_is_not_author(context: ActionContext, reviewer: str, drafts: list[BankQuestion]) -> None:
    """Reject a reviewer with the name of an author: who wrote or imported a question, or set its key."""
    session = context.session
    version_ids = [one.current_version_id for one in drafts]
    writers = select(QuestionVersion.created_by_id).where(QuestionVersion.id.in_(version_ids))
    setters = select(AnswerKey.created_by_id).where(AnswerKey.question_version_id.in_(version_ids))
    people = [*session.scalars(writers), *session.scalars(setters), *(one.created_by_id for one in drafts)]
    names = names_of(session, [*people, context.actor.person_id]).values()
    if "".join(reviewer.split()) in {"".join(name.split()) for name in names}:
        raise AuthorAsReviewerError(f"“{reviewer.strip()}”是命题人或发链接的人，不能当外部审核人。请另请一位。")


def open_ticket(context: ActionContext, *, token: str) -> None:
    """Record that a ticket was opened, the first time; raises InvalidTicketError."""
    ticket = find_ticket(context.session, token, now=context.now, is_locked=True)
    if ticket.opened_at is None:
        ticket.opened_at = context.now
        _record(context, "questions.open_review_ticket", ticket)


def decide_by_ticket(
    context: ActionContext, *, token: str, question_id: int, verdict: Verdict, remark: str, stamp: str
) -> None:
    """Take an external reviewer's verdict: a passed draft is reviewed, and waits for the office to activate it.

    Raises InvalidTicketError, BadRequestError, ConflictError, WrongStateError where the question changed or was used meanwhile.
    """
    session, now = context.session, context.now
    ticket = find_ticket(session, token, now=now, is_locked=True)
    entry = next((row for row in ticket.questions if row.question_id == question_id), None)
    if entry is None:
        raise InvalidTicketError
    if entry.verdict is not None:
        raise ConflictError("这道题您已经审过了，请看下一道。")
    if verdict is Verdict.DOUBTED and not remark.strip():
        raise BadRequestError("请写明哪里有疑问，便于命题人修改。")
    question = get_question(session, question_id, is_locked=True)
    version = get_version(session, question)
    if question.state != QuestionState.DRAFT or version.used_at is not None or stamp_of(question, version) != stamp:
        raise WrongStateError("这道题刚刚改过，请重新读一遍再审。")
    if context.actor.person_id is not None and is_author(session, version, question, context.actor.person_id):
        raise BadRequestError("您是这道题的命题人，不能审核。外部审核链接只给审核人本人使用。")
    entry.verdict, entry.remark, entry.decided_at = verdict, remark.strip()[:500], now
    if verdict is Verdict.PASSED:
        # By nobody of the roster: the ticket names the person.
        set_state(ActionContext(session, SYSTEM, now), question_id=question_id, state=QuestionState.REVIEWED)
    details = {"reviewer": ticket.reviewer, "ticket": ticket.id, "verdict": str(verdict)}
    record(context, "questions.review_by_ticket", object_type="question", object_id=question_id, details=details)


def revoke_ticket(context: ActionContext, *, ticket_id: int) -> None:
    """Revoke a ticket; what was decided through it stays. A second call changes nothing."""
    ticket = get_ticket(context.session, ticket_id)
    if ticket.revoked_at is None:
        ticket.revoked_at = context.now
        _record(context, "questions.revoke_review_ticket", ticket)


def _record(context: ActionContext, act: str, ticket: ReviewTicket) -> None:
    details = {"reviewer": ticket.reviewer}
    record(context, act, object_type="review_ticket", object_id=ticket.id, details=details)
