"""A sign-in that another house has vouched for: the account must be here already."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.core.errors import DomainError
from examapp.people.models import Account, Person
from examapp.people.operations.signing_in import AccountDisabledError, Device, Verdict, begin_sign_in, refuse_sign_in


class UnknownIdentityError(DomainError):
    """Nobody here has this staff number; accounts come from the roster alone."""

    code = "unknown_identity"
    status = 403
    message = "名册上没有您的人员编号，不能登录。请本单位管理员先登记您。"


def sign_in_known(session: Session, staff_number: str, *, device: Device, now: datetime) -> Verdict:
    """Begin the sign-in of the account with this very staff number; none is made."""
    account = session.scalar(
        select(Account)
        .join(Person, Account.person_id == Person.id)
        .where(Person.staff_number == staff_number)
        .with_for_update(of=Account)
    )
    if account is None:
        return refuse_sign_in(session, UnknownIdentityError(), device=device, now=now)
    if account.disabled_at is not None:
        return refuse_sign_in(session, AccountDisabledError(), account=account, device=device, now=now)
    return begin_sign_in(session, account, device=device, now=now)
