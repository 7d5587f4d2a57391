"""People by name, for the readers of the audit log; the log itself holds ids alone."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from examapp.org.models import Unit
from examapp.people.models import Account, Person
from examapp.people.queries import within
from examapp.people.rules import Reach


def people_within(reach: Reach, words: str) -> Select[int] | None:
    """Give the ids of persons within the reach whose name, staff number or login name is `words`; None for everybody."""
    if reach.is_everything and not words:
        return None
    statement = select(Person.id).join(Unit, Person.unit_id == Unit.id).where(within(reach))
    if words:
        named = or_(
            Person.name.contains(words, autoescape=True), Person.staff_number == words, Account.login_name == words
        )
        statement = statement.outerjoin(Account, Account.person_id == Person.id).where(named)
    return statement


def person_names(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """Give names with units by id, in one statement: `张三（县财政局）`."""
    wanted = {person_id for person_id in ids if person_id is not None}
    if not wanted:
        return {}
    rows = session.execute(
        select(Person.id, Person.name, Unit.name.label("unit_name"))
        .join(Unit, Person.unit_id == Unit.id)
        .where(Person.id.in_(wanted))
    )
    return {row.id: f"{row.name}（{row.unit_name}）" for row in rows}
