"""How a person wants the pages to look, kept with the account."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from examapp.people.models import Account


def set_elder_mode(session: Session, account_id: int, *, is_wanted: bool) -> None:
    """Keep whether an account's holder wants the version for older eyes (适老版)."""
    session.execute(update(Account).where(Account.id == account_id).values(has_elder_mode=is_wanted))
