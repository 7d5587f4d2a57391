"""A line in the audit log for every sign-in that was refused; never the name that was typed, which may be a password."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from examapp.people.rules import MOST_FAILED_ACCOUNTS

_ACT = "people.refuse_sign_in"
_MOST_A_MINUTE = MOST_FAILED_ACCOUNTS
"""Lines of one address a minute: as many as bring the captcha; who tries without end shows in the log, and cannot fill it."""


_NOTED = text("""
INSERT INTO audit_events (at, act, object_type, object_id, person_id, address, details)
SELECT :now, :act, 'account', CAST(:account_id AS bigint), CAST(:person_id AS bigint), CAST(:address AS text), jsonb_build_object('why', CAST(:why AS text))
WHERE (SELECT count(*) FROM (SELECT FROM audit_events WHERE at > :since AND act = :act
  AND address IS NOT DISTINCT FROM CAST(:address AS text) LIMIT :most) AS lately) < :most
""")
"""Plain text, since whoever floods the sign-in makes it run at each refusal."""


def note_refused_sign_in(
    session: Session,
    why: str,
    *,
    address: str | None,
    now: datetime,
    account_id: int | None = None,
    person_id: int | None = None,
) -> None:
    """Write down why a sign-in was refused, in one statement that costs the same whether an account has the name or not."""
    given = {
        "now": now,
        "since": now - timedelta(minutes=1),
        "act": _ACT,
        "address": address,
        "account_id": account_id,
        "person_id": person_id,
        "why": why,
        "most": _MOST_A_MINUTE,
    }
    session.connection().execute(_NOTED, given)
