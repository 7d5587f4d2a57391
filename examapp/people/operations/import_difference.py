"""A whole roster held against the one that stands: who is new, moved, changed or gone, and which of it was agreed to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor
from examapp.org.models import Unit
from examapp.people.models import Person, PersonState
from examapp.people.operations.import_plan import Outcome, Planned, Scope
from examapp.people.operations.roster import let_person_leave
from examapp.people.queries import guarded_role_of, within

KINDS = {"gone": "离开", "moved": "调动", "changed": "变更", "new": "新增"}
"""What a difference is made of, those first that need a look at each name."""
MOST_LISTED = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Somebody on the roster whom the file does not name."""

    person_id: int
    staff_number: str
    name: str
    unit_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was agreed to of a difference: kinds, and within them the people that were left out, by key."""

    kinds: frozenset[str]
    left_out: frozenset[str]

    def takes(self, kind: str, key: str) -> bool:
        """Tell whether a person's difference was agreed to."""
        return kind in self.kinds and key not in self.left_out


def kind_of(plan: Planned) -> str | None:
    """Name the kind of a row's difference; None for a row that changes nothing or is refused."""
    if plan.outcome is Outcome.NEW:
        return "new"
    if plan.outcome is not Outcome.CHANGED:
        return None
    return "moved" if plan.is_return or "unit" in plan.changes else "changed"


def key_of(plan: Planned) -> str:
    """Give the word by which a page names a row: its place in the file."""
    return f"{plan.row.sheet}-{plan.row.line}"


def find_gone(session: Session, planned: Sequence[Planned], scope: Scope, *, now: datetime) -> list[Gone]:
    """Find who stands on the roster within the scope and is not named by any row, not even by a faulty one.

    Administrators are left alone: their roles have to be taken back first.
    """
    named = {plan.row.staff_number for plan in planned if plan.row.staff_number}
    known = {plan.person_id for plan in planned if plan.person_id is not None}
    doubtful = {plan.row.name for plan in planned if plan.outcome is Outcome.REFUSED}
    query = (
        select(Person.id, Person.staff_number, Person.name, Unit.name.label("unit_name"))
        .join(Unit, Unit.id == Person.unit_id)
        .where(
            Person.state == PersonState.ON_ROSTER,
            within(scope.reach),
            ~guarded_role_of(Person.id, now=now, reach=scope.reach),
        )
        .order_by(Unit.code, Person.staff_number)
    )
    if scope.unit is not None:
        query = query.where(Unit.region_path.startswith(scope.unit.region_path))
    return [
        Gone(person_id=row.id, staff_number=row.staff_number, name=row.name, unit_name=row.unit_name)
        for row in session.execute(query)
        if row.id not in known and row.staff_number not in named and row.name not in doubtful
    ]


def digest(planned: Iterable[Planned], gone: Iterable[Gone]) -> str:
    """Give the fingerprint of a difference: what is agreed to is carried out only while it is still the same."""
    lines = sorted(
        f"{key_of(plan)}|{plan.outcome}|{plan.person_id}|{plan.from_unit_id}|{plan.unit_id}|{','.join(plan.changes)}"
        for plan in planned
    )
    lines += [f"gone|{one.person_id}|{one.unit_name}" for one in gone]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def listing(
    session: Session, planned: Sequence[Planned], gone: Sequence[Gone], words_of: Any
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Give the counts by kind and the people to show, those that are gone first; `words_of` says what a row changes."""
    unit_ids = {unit_id for plan in planned for unit_id in (plan.unit_id, plan.from_unit_id) if unit_id}
    units = session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(unit_ids)))
    names: dict[int, str] = {unit.id: unit.name for unit in units}
    rows = [
        {"kind": "gone", "key": str(one.person_id), "name": one.name, "staff_number": one.staff_number, "from": one.unit_name, "to": "", "what": ""}
        for one in gone
    ]  # fmt: skip
    rows += [_row(kind, plan, names, words_of) for plan in planned if (kind := kind_of(plan))]
    counts = {kind: sum(row["kind"] == kind for row in rows) for kind in KINDS}
    order = list(KINDS)
    rows.sort(key=lambda row: order.index(row["kind"]))
    return counts, rows[:MOST_LISTED]


def _row(kind: str, plan: Planned, names: dict[int, str], words_of: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": key_of(plan),
        "name": plan.row.name,
        "staff_number": plan.row.staff_number,
        "from": names.get(plan.from_unit_id or 0, "") if kind != "new" and not plan.is_return else "",
        "to": names.get(plan.unit_id, "") if kind in ("new", "moved") else "",
        "what": words_of(plan) if kind != "new" else "",
    }


def chosen_rows(planned: Sequence[Planned], choice: Choice) -> list[Planned]:
    """Give the rows that were agreed to."""
    return [plan for plan in planned if (kind := kind_of(plan)) and choice.takes(kind, key_of(plan))]


def let_gone_leave(
    session: Session, gone: Sequence[Gone], choice: Choice, *, actor: Actor, now: datetime, on: date
) -> int:
    """Take those off the roster whose leaving was agreed to; accounts are closed, results stay. Gives how many."""
    leaving = [one for one in gone if choice.takes("gone", str(one.person_id))]
    for one in leaving:
        person = session.get_one(Person, one.person_id)
        let_person_leave(session, person, kind="leave", on=on, note="名册导入：文件中没有此人", actor=actor, now=now)
    return len(leaving)


def as_choice(words: dict[str, Any]) -> Choice:
    """Read a choice back from the import's row."""
    return Choice(kinds=frozenset(words["kinds"]), left_out=frozenset(words["left_out"]))


def as_words(choice: Choice) -> dict[str, list[str]]:
    """Write a choice for the import's row."""
    return {name: sorted(values) for name, values in asdict(choice).items()}
