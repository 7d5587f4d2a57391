"""Let go what has had its time: people who left, results of old exams, old sign-ins and messages. The nightly sweep, and its dry run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Table, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from examapp.clock import local
from examapp.db.personal_data import RetentionPolicy, list_personal_data
from examapp.db.session import Base
from examapp.documents.spreadsheets import SheetColumn, SheetLayout, write_xlsx
from examapp.organisation.people.models import Account, Person, PersonState, RosterMove
from examapp.platform.audit.actions import ActionContext, record
from examapp.platform.notices.models import MessagePreference
from examapp.platform.privacy.models import RetentionRun
from examapp.platform.privacy.queries import Held, iter_held
from examapp.platform.privacy.rules import Terms, plain_value, register_rows, value_label
from examapp.platform.result_anonymisation.actions import NAMELESS, anonymise_exam, find_due_exams
from examapp.security.ciphers import FieldCipher

AUDIT_ACTS = {"privacy.apply_retention": "清除到期的个人信息", "privacy.copy_own_data": "导出本人的个人信息"}
AUDIT_OBJECTS = {"personal_data": "个人信息"}

_YEAR = 366
"""Days of the longest year: nothing goes a day early."""
_MAX_LEAVERS = 2000
"""People a run: the rest comes with the next one."""
_OF_ACCOUNTS = ("sign_ins", "login_tokens", "second_factors", "recovery_codes", "former_passwords", "reset_requests")
_TEXT_OF_MOVES: dict[str, dict[str, Any]] = {
    "roster_moves": {"note": ""},
    "planned_moves": {"note": ""},
    "roster_change_items": {
        "name": NAMELESS,
        **dict.fromkeys(("staff_number", "rank", "position", "note", "answer"), ""),
    },
}
"""What is written over where a person moved: that somebody did stays, for the roster as it was on a day."""
OF_LEAVERS = ("persons", "accounts", "role_grants", "message_preferences", *_TEXT_OF_MOVES)
_BY_AGE = (
    ("sign_ins", "started_at"),
    ("login_tokens", "made_at"),
    ("outgoing_messages", "created_at"),
    ("reset_requests", "requested_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgedCounts:
    """How much there is to let go, or was."""

    leavers: int = 0
    unnamed: int = 0
    """People who left so long ago that their names go too."""
    exams: int = 0
    people_of_exams: int = 0
    sign_ins: int = 0
    login_tokens: int = 0
    outgoing_messages: int = 0
    reset_requests: int = 0

    @property
    def is_nothing(self) -> bool:
        """Tell whether there is nothing at all."""
        return not any(asdict(self).values())


def look_ahead(session: Session, *, terms: Terms, now: datetime, today: date) -> PurgedCounts:
    """Count what the next run will let go; changes nothing."""
    exams = find_due_exams(session, before=_before(terms, now))
    attempts = Base.metadata.tables["attempts"]
    people = session.scalar(
        select(func.count(func.distinct(attempts.c.person_id))).where(
            attempts.c.exam_id.in_([exam.id for exam in exams])
        )
    )
    aged = {
        name: session.scalar(select(func.count()).select_from(_table(name)).where(_is_old(name, column, terms, now)))
        or 0
        for name, column in _BY_AGE
    }
    gone = len(_long_gone(session, terms, today))
    gone += session.scalar(select(func.count()).where(_of_outsiders(terms, today))) or 0
    return PurgedCounts(
        leavers=len(_leavers(session, terms, today)),
        unnamed=gone,
        exams=len(exams),
        people_of_exams=people or 0,
        **aged,
    )


def purge_expired(context: ActionContext, *, terms: Terms, today: date) -> PurgedCounts:
    """Let go what has had its time, one exam a run at most; written down in numbers and in the log. Running it again does nothing more."""
    session, now = context.session, context.now
    leavers = _leavers(session, terms, today)
    _wipe(session, leavers, now=now)
    gone = _long_gone(session, terms, today)
    _unname(session, gone, now=now)
    lines = _table("roster_change_items")
    outsiders = _run(
        session, update(lines).values(_TEXT_OF_MOVES["roster_change_items"]).where(_of_outsiders(terms, today))
    )
    exams = find_due_exams(session, before=_before(terms, now))[:1]
    people = sum(anonymise_exam(session, exam, now=now) for exam in exams)
    aged = {name: _delete(session, name, _is_old(name, column, terms, now)) for name, column in _BY_AGE}
    done = PurgedCounts(
        leavers=len(leavers), unnamed=len(gone) + outsiders, exams=len(exams), people_of_exams=people, **aged
    )
    if not done.is_nothing:
        session.add(RetentionRun(ran_at=now, started_by_id=context.actor.person_id, counts=asdict(done)))
        record(context, "privacy.apply_retention", object_type="personal_data", details=asdict(done))
    return done


def _before(terms: Terms, now: datetime) -> datetime:
    return now - timedelta(days=_YEAR * terms.result_years)


def _leavers(session: Session, terms: Terms, today: date) -> Sequence[int]:
    """List who left long enough ago and of whom numbers or an account are still held."""
    has_something = or_(
        Person.id_number_encrypted.is_not(None),
        Person.mobile_encrypted.is_not(None),
        select(Account.id).where(Account.person_id == Person.id).exists(),
        select(MessagePreference.person_id).where(MessagePreference.person_id == Person.id).exists(),
    )
    return session.scalars(
        select(Person.id)
        .where(Person.state == PersonState.LEFT, _left_by(today - timedelta(days=terms.leaver_days)), has_something)
        .order_by(Person.id)
        .limit(_MAX_LEAVERS)
    ).all()


def _long_gone(session: Session, terms: Terms, today: date) -> Sequence[int]:
    """List who left as many years ago as results are kept, and still has a name here."""
    day = _day_of_names(terms, today)
    return session.scalars(
        select(Person.id)
        .where(Person.state == PersonState.LEFT, _left_by(day), Person.name != NAMELESS)
        .order_by(Person.id)
        .limit(_MAX_LEAVERS)
    ).all()


def _of_outsiders(terms: Terms, today: date) -> ColumnElement[bool]:
    """Give the condition that a line of a list of changes names somebody who never came onto the roster, as many years ago."""
    lines = _table("roster_change_items").c
    is_old = and_(lines.name != NAMELESS, lines.effective_on <= _day_of_names(terms, today))
    return and_(is_old, lines.person_id.is_(None), ~exists().where(Person.staff_number == lines.staff_number))


def _day_of_names(terms: Terms, today: date) -> date:
    return today - timedelta(days=_YEAR * terms.result_years)


def _left_by(day: date) -> ColumnElement[bool]:
    last = select(func.max(RosterMove.effective_on)).where(
        RosterMove.person_id == Person.id, RosterMove.kind.in_(("leave", "retire"))
    )
    return last.scalar_subquery() <= day


def _unname(session: Session, person_ids: Sequence[int], *, now: datetime) -> None:
    """Take the names of people who left long ago, and what they studied; places in figures that still count them stay."""
    if not person_ids:
        return
    for category in list_personal_data():
        if category.term is RetentionPolicy.STUDY:
            _delete(session, category.table, _table(category.table).c.person_id.in_(person_ids))
    lines = _table("roster_change_items")
    numbers = select(Person.staff_number).where(Person.id.in_(person_ids))
    _run(session, update(lines).values(_TEXT_OF_MOVES["roster_change_items"]).where(lines.c.staff_number.in_(numbers)))
    for name, nothing in _TEXT_OF_MOVES.items():
        _run(session, update(_table(name)).values(nothing).where(_table(name).c.person_id.in_(person_ids)))
    _run(
        session,
        update(Person)
        .values(name=NAMELESS, staff_number=func.concat("X", Person.id), position="", updated_at=now)
        .where(Person.id.in_(person_ids)),
    )


def _wipe(session: Session, person_ids: Sequence[int], *, now: datetime) -> None:
    """Take numbers, account, sign-ins and roles of people who left; their name stays with their results until these are made anonymous."""
    if not person_ids:
        return
    accounts = select(Account.id).where(Account.person_id.in_(person_ids))
    for name in _OF_ACCOUNTS:
        _delete(session, name, _table(name).c.account_id.in_(accounts))
    grants = _table("role_grants")
    own = select(grants.c.id).where(grants.c.person_id.in_(person_ids))
    _run(session, update(grants).values(deputy_of_id=None).where(grants.c.deputy_of_id.in_(own)))
    _delete(session, "message_preferences", _table("message_preferences").c.person_id.in_(person_ids))
    _delete(session, "role_grants", grants.c.person_id.in_(person_ids))
    _delete(session, "accounts", _table("accounts").c.person_id.in_(person_ids))
    nothing = dict.fromkeys(("id_number_encrypted", "id_number_index", "mobile_encrypted", "mobile_index"))
    _run(session, update(Person).values(position="", updated_at=now, **nothing).where(Person.id.in_(person_ids)))


def _is_old(name: str, column: str, terms: Terms, now: datetime) -> Any:
    table = _table(name)
    condition = table.c[column] < now - timedelta(days=terms.sign_in_days)
    if name == "login_tokens":  # one with which a kept sign-in was begun stays as long as that
        used = _table("sign_ins")
        kept = select(used.c.ticket_id).where(
            used.c.ticket_id.is_not(None), used.c.started_at >= now - timedelta(days=terms.sign_in_days)
        )
        condition = condition & table.c.id.not_in(kept)
    return condition


def _delete(session: Session, name: str, condition: Any) -> int:
    return _run(session, delete(_table(name)).where(condition))


def _run(session: Session, statement: Any) -> int:
    result: CursorResult[Any] = session.execute(statement, execution_options={"synchronize_session": False})  # type: ignore[assignment]  # of a change
    return result.rowcount


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


MAX_ROWS = 100_000
"""Rows of one table in an export; nobody has so many."""
_WIDEST = 60


class CopyFormat(StrEnum):
    """How a copy is written."""

    XLSX = "xlsx"
    JSON = "json"


def copy_own_data(
    context: ActionContext, person_id: int, wanted: CopyFormat, *, terms: Terms, cipher: FieldCipher
) -> bytes:
    """Give all that is held about a person, to that person; numbers whole, results as far as they are out."""
    now = context.now
    held = list(iter_held(context.session, person_id, cipher=cipher, is_whole=True, now=now, limit=MAX_ROWS))
    rows = sum(len(one.rows) for one in held)
    record(
        context,
        "privacy.copy_own_data",
        object_type="person",
        object_id=person_id,
        person_id=person_id,
        details={"format": str(wanted), "rows": rows},
    )
    return _as_json(held, now) if wanted is CopyFormat.JSON else _as_xlsx(held, terms, now)


def _as_json(held: list[Held], now: datetime) -> bytes:
    content = {
        "made_at": now.isoformat(),
        "holdings": [
            {
                "table": one.category.table,
                "title": one.category.title,
                "purpose": one.category.purpose,
                "heads": dict(zip(one.columns, one.heads, strict=True)),
                "rows": [
                    {column: plain_value(value) for column, value in zip(one.columns, row, strict=True)}
                    for row in one.rows
                ],
            }
            for one in held
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _as_xlsx(held: list[Held], terms: Terms, now: datetime) -> bytes:
    heads = ("类别", "名称", "内容", "用途", "保存期限", "谁能看到")
    sheets = [
        SheetLayout(
            name="个人信息清单",
            title="平台保存的您的个人信息",
            remarks=[f"导出时间：{local(now):%Y-%m-%d %H:%M:%S}。成绩未公布的考试，成绩在公布后列出。"],
            columns=[SheetColumn(head=head, width=24) for head in heads],
            rows=register_rows(terms),
            made_at=now,
        )
    ]
    sheets += [
        SheetLayout(
            name=one.category.title,
            title=one.category.title,
            remarks=[f"用途：{one.category.purpose}。保存期限：{terms.text(one.category.term)}。"],
            columns=[SheetColumn(head=head, width=_width(one, index)) for index, head in enumerate(one.heads)],
            rows=[[value_label(column, v) for column, v in zip(one.columns, row, strict=True)] for row in one.rows],
            made_at=now,
        )
        for one in held
        if one.rows
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.xlsx"
        write_xlsx(path, sheets)
        return path.read_bytes()


def _width(one: Held, index: int) -> int:
    """Give a column's width by its longest value: a Chinese character is as wide as two digits."""
    texts = [one.heads[index], *(value_label(one.columns[index], row[index]) for row in one.rows[:200])]
    return min(_WIDEST, 3 + max(len(text.encode("gb18030")) for text in texts))
