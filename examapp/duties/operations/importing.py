"""Take a list from a table: all of it or nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.duties.models import DutyItem
from examapp.duties.operations.changing import Answerable, Duty, answerable_of, duty_of, lock_editable
from examapp.duties.operations.items import put_item, set_item
from examapp.duties.queries import Hands, live_items
from examapp.duties.rules import ItemKind
from examapp.duties.rules.table import TableRow

_ANSWERABLE = ("leader", "person", "department")


@dataclass(slots=True, kw_only=True)
class Taken:
    """What an import did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


def import_rows(
    session: Session, *, list_id: int, rows: list[TableRow], hands: Hands, actor: Actor, now: datetime
) -> Taken:
    """Take rows into a list: one whose content stands there already changes that item, others are added; nothing is deleted.

    Of a common item in a unit's list only who answers is taken. Columns that the file lacks stay as they are.
    """
    duty_list = lock_editable(session, list_id, hands)
    standing: dict[str, list[DutyItem]] = defaultdict(list)
    for item in live_items(session, list_id):
        standing[item.content].append(item)
    taken = Taken()
    for row in rows:
        same = standing[row.content]
        if not same:
            duty, answerable = _set(Duty(content=row.content), Answerable(), row)
            put_item(session, duty_list, duty=duty, answerable=answerable, now=now)
            taken.added += 1
            continue
        item = same.pop(0)
        is_copy = duty_list.unit_id is not None and item.kind == ItemKind.COMMON
        duty, answerable = _set(duty_of(item), answerable_of(item), row)
        if (is_copy or duty == duty_of(item)) and answerable == answerable_of(item):
            taken.unchanged += 1
            continue
        set_item(session, duty_list, item, duty=duty, answerable=answerable, now=now)
        taken.changed += 1
    details = {"added": taken.added, "changed": taken.changed, "unchanged": taken.unchanged}
    record(
        session, "duties.import_list", actor=actor, now=now, object_type="duty_list", object_id=list_id, details=details
    )
    return taken


def _set(duty: Duty, answerable: Answerable, row: TableRow) -> tuple[Duty, Answerable]:
    whom: dict[str, Any] = {name: text for name, text in row.words.items() if name in _ANSWERABLE}
    what: dict[str, Any] = {name: text for name, text in row.words.items() if name not in _ANSWERABLE}
    return replace(duty, **(what | row.days)), replace(answerable, **whom)
