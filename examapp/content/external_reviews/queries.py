"""Reads about external reviewers' tickets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, exists, func, select
from sqlalchemy.orm import Session, selectinload

from examapp.content.external_reviews.models import ReviewTicket, TicketQuestion, Verdict
from examapp.content.questions.models import BankQuestion, QuestionState, QuestionVersion
from examapp.errors import DomainError, NotFoundError

_MAX_SHOWN = 50


class InvalidTicketError(DomainError):
    """The link is none of ours, too old or revoked; which of the three is not said."""

    code = "invalid_review_ticket"
    status = 404
    message = "这个审核链接不对，或者已过期、已收回。请联系发链接给您的单位，请其重新发一个。"


def digest_of(token: str) -> bytes:
    """Return the form in which a token is stored."""
    return hashlib.sha256(token.encode()).digest()


def find_ticket(session: Session, token: str, *, now: datetime, is_locked: bool = False) -> ReviewTicket:
    """Get the valid ticket of a token, locked for an act if asked for; raises InvalidTicketError."""
    statement = select(ReviewTicket).where(ReviewTicket.digest == digest_of(token))
    ticket = session.scalar(statement.with_for_update() if is_locked else statement) if token else None
    if ticket is None or not ticket.is_valid(now):
        raise InvalidTicketError
    return ticket


def get_ticket(session: Session, ticket_id: int) -> ReviewTicket:
    """Get a ticket for the office; raises NotFoundError."""
    ticket = session.get(ReviewTicket, ticket_id)
    if ticket is None:
        raise NotFoundError
    return ticket


def list_tickets(session: Session) -> list[ReviewTicket]:
    """List the last tickets with their questions, the newest first."""
    statement = select(ReviewTicket).options(selectinload(ReviewTicket.questions))
    return list(session.scalars(statement.order_by(ReviewTicket.id.desc()).limit(_MAX_SHOWN)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftChoice:
    """Which drafts go to a reviewer."""

    law: str = ""
    import_id: int | None = None
    limit: int


def select_drafts(session: Session, choice: DraftChoice, *, now: datetime) -> list[BankQuestion]:
    """Select the drafts that may be read outside, those that have waited longest first: never used, without pictures or review note, on no other valid ticket."""
    versions = select(QuestionVersion.id).where(QuestionVersion.question_id == BankQuestion.id)
    is_out = exists().where(
        TicketQuestion.question_id == BankQuestion.id,
        TicketQuestion.ticket_id == ReviewTicket.id,
        TicketQuestion.verdict.is_(None),
        ReviewTicket.revoked_at.is_(None),
        ReviewTicket.expires_at > now,
    )
    statement = select(BankQuestion).where(
        BankQuestion.state == QuestionState.DRAFT,
        BankQuestion.review_note == "",
        ~versions.where(QuestionVersion.used_at.is_not(None)).exists(),
        ~versions.where(func.strpos(cast(QuestionVersion.content, Text), "/media/") > 0).exists(),
        ~is_out,
    )
    if choice.law:
        statement = statement.where(BankQuestion.law_name == choice.law)
    if choice.import_id is not None:
        statement = statement.where(BankQuestion.import_id == choice.import_id)
    return list(session.scalars(statement.order_by(BankQuestion.updated_at, BankQuestion.id).limit(choice.limit)))


def count_verdicts(ticket: ReviewTicket) -> dict[str, int]:
    """Count a ticket's questions: passed, doubted, not yet read."""
    counts = {str(verdict): sum(row.verdict == verdict for row in ticket.questions) for verdict in Verdict}
    return counts | {"waiting": sum(row.verdict is None for row in ticket.questions)}
