"""What a roster file would change: each row compared with the roster as it stands, nothing written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.orm import Session, defer

from examapp.errors import NotFoundError
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState, RosterImport
from examapp.organisation.people.queries import guarded_role_of
from examapp.organisation.people.rules import ID_NUMBER_PURPOSE, MOBILE_PURPOSE
from examapp.organisation.roster_imports.rules import FIELD_NAMES, RosterFile, RosterFileRow, RowIssue
from examapp.organisation.units.models import Unit
from examapp.security.ciphers import FieldCipher

_CHUNK = 5_000
_MAX_SIMILAR = 200
"""For so many names that no unit has is a similar one looked for."""
_SIGNED_IN_BY = {"id_number", "mobile"}


class RosterRowOutcome(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REJECTED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A row with what becomes of it: the unit it names, the person it is, the fields that change, or its faults."""

    row: RosterFileRow
    outcome: RosterRowOutcome
    unit_id: int = 0
    person_id: int | None = None
    from_unit_id: int | None = None
    is_return: bool = False
    changes: tuple[str, ...] = ()
    issues: tuple[RowIssue, ...] = ()
    id_number_index: bytes | None = None
    mobile_index: bytes | None = None
    is_out_of_scope: bool = False
    """The ID number is that of somebody beyond the importer's access scope: the row looks as if nobody had it, and is not written."""


@dataclass(frozen=True, slots=True)
class _Indexes:
    """The digests of a row's numbers under every key, the current one first; empty where the row has none."""

    id_number: Sequence[bytes]
    mobile: Sequence[bytes]

    @classmethod
    def of(cls, row: RosterFileRow, cipher: FieldCipher) -> _Indexes:
        return cls(
            cipher.blind_indexes(row.id_number, purpose=ID_NUMBER_PURPOSE) if row.id_number else (),
            cipher.blind_indexes(row.mobile, purpose=MOBILE_PURPOSE) if row.mobile else (),
        )

    def holder(self, known: _KnownRoster) -> Row[Any] | None:
        """Give who has the ID number."""
        return next((known.by_id_number[index] for index in self.id_number if index in known.by_id_number), None)

    def planned(self, row: RosterFileRow, **rest: Any) -> Planned:
        """Give the row as planned, with the digests that are written: those under the current key."""
        id_number = self.id_number[0] if self.id_number else None
        mobile = self.mobile[0] if self.mobile else None
        return Planned(row=row, id_number_index=id_number, mobile_index=mobile, **rest)


@dataclass(slots=True)
class _KnownRoster:
    """What the database knows of the people and units that a file names."""

    by_staff_number: dict[str, Row[Any]] = field(default_factory=dict)
    by_id_number: dict[bytes, Row[Any]] = field(default_factory=dict)
    units_by_code: dict[str, Unit] = field(default_factory=dict)
    units_by_name: dict[str, list[Unit]] = field(default_factory=lambda: defaultdict(list))
    closed: dict[str, str] = field(default_factory=dict)
    """What to say of a closed unit, by its code and its name."""
    similar: dict[str, str] = field(default_factory=dict)
    """The unit that a name which no unit has may mean, by that name; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportScope:
    """How far the importer reaches, and the unit of rows that name none."""

    access: AccessScope
    unit: Unit | None

    def covers_unit(self, person: Row[Any]) -> bool:
        """Tell whether a person is on the roster of a unit within the importer's access scope."""
        return self.access.covers(region_path=person.region_path, sector_path=person.sector_path)

    def covers(self, unit: Unit) -> bool:
        """Tell whether rows may put people into a unit."""
        if self.unit is not None and not unit.region_path.startswith(self.unit.region_path):
            return False
        return self.access.covers(region_path=unit.region_path, sector_path=unit.sector_path)


def plan_import(
    session: Session, file: RosterFile, *, scope: ImportScope, cipher: FieldCipher, now: datetime
) -> list[Planned]:
    """Compare a file with the roster: new, changed, unchanged, or rejected with reasons; a few statements for any size."""
    indexes = [_Indexes.of(row, cipher) for row in file.rows]
    known = _read_known(session, file.rows, indexes)
    repeats = _repeats(file.rows)
    planned = [
        _plan_row(row, index, known=known, scope=scope, repeated=repeats.get(id(row), ()))
        for row, index in zip(file.rows, indexes, strict=True)
    ]
    return _without_guarded(session, _reject_same_person(planned), scope, now=now)


def _without_guarded(session: Session, planned: list[Planned], scope: ImportScope, *, now: datetime) -> list[Planned]:
    """Reject rows that would change the numbers by which an administrator beyond the importer's hand signs in."""
    if not any(_SIGNED_IN_BY & set(plan.changes) for plan in planned):
        return planned
    guarded = set(session.scalars(select(Person.id).where(guarded_role_of(Person.id, now=now, access=scope.access))))
    return [
        _reject_privileged(plan) if plan.person_id in guarded and _SIGNED_IN_BY & set(plan.changes) else plan
        for plan in planned
    ]


def _reject_privileged(plan: Planned) -> Planned:
    column = next(name for name in plan.changes if name in _SIGNED_IN_BY)
    reason = "这个人有管理角色，身份证号、手机号由系统管理员在“人员”中修改。请把这一格留空。"
    return rejected(plan, column, reason)


def _read_known(session: Session, rows: Sequence[RosterFileRow], indexes: Sequence[_Indexes]) -> _KnownRoster:
    known = _KnownRoster()
    for numbers in _chunks({row.staff_number for row in rows if row.staff_number}):
        for person in _people(session, Person.staff_number.in_(numbers)):
            known.by_staff_number[person.staff_number] = person
    for some in _chunks({index for of_row in indexes for index in of_row.id_number}):
        for person in _people(session, Person.id_number_index.in_(some)):
            known.by_id_number[person.id_number_index] = person
    units = session.scalars(select(Unit).where(Unit.kind != "sector").order_by(Unit.id)).all()
    names = {unit.id: unit.name for unit in units}
    for unit in units:
        if unit.closed_at is None:
            known.units_by_code[unit.code] = unit
            known.units_by_name[unit.name].append(unit)
        else:
            successor = names.get(unit.successor_id or 0)
            advice = f"人员已并入“{successor}”，请改填该单位。" if successor else "请改填现在的单位。"
            known.closed[unit.code] = known.closed[unit.name] = f"“{unit.name}”已撤销。{advice}"
    return known


def _people(session: Session, condition: ColumnElement[bool]) -> Iterable[Row[Any]]:
    return session.execute(
        select(
            Person.id, Person.staff_number, Person.name, Person.unit_id, Person.state, Person.rank, Person.position,
            Person.id_number_index, Person.mobile_index, Unit.region_path, Unit.sector_path,
        ).join(Unit, Person.unit_id == Unit.id).where(or_(condition))
    )  # fmt: skip


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(sorted(values))
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _repeats(rows: Sequence[RosterFileRow]) -> dict[int, tuple[RowIssue, ...]]:
    """Give the faults of rows whose staff number or ID number stands more than once in the file, by the row's identity."""
    issues: dict[int, tuple[RowIssue, ...]] = defaultdict(tuple)
    for name in ("staff_number", "id_number"):
        lines = defaultdict(list)
        for row in rows:
            if value := getattr(row, name):
                lines[value].append(row)
        for same in lines.values():
            if len(same) > 1:
                reason = f"{FIELD_NAMES[name]}在本文件中出现 {len(same)} 次（{_lines(same)}），请只留一行。"
                for row in same:
                    issues[id(row)] += (row.issue(name, reason),)
    return issues


def _lines(rows: Sequence[RosterFileRow]) -> str:
    return f"第 {'、'.join(str(row.line) for row in rows[:5])}{'…' if len(rows) > 5 else ''} 行"


def _reject_same_person(planned: Sequence[Planned]) -> list[Planned]:
    """Reject all rows that name one person differently, by staff number here and by ID number there: one word would undo the other."""
    rows = defaultdict(list)
    for plan in planned:
        if plan.person_id is not None:
            rows[plan.person_id].append(plan.row)
    return [_only_one(plan, rows[plan.person_id]) if plan.person_id is not None else plan for plan in planned]


def _only_one(plan: Planned, same: Sequence[RosterFileRow]) -> Planned:
    if len(same) == 1:
        return plan
    name = "staff_number" if plan.row.staff_number else "id_number"
    others = [row for row in same if row is not plan.row]
    issue = plan.row.issue(name, f"与{_lines(others)}是同一个人（一处写工号，一处写身份证号），请只留一行。")
    return Planned(row=plan.row, outcome=RosterRowOutcome.REJECTED, issues=(issue,))


def _plan_row(
    row: RosterFileRow,
    indexes: _Indexes,
    *,
    known: _KnownRoster,
    scope: ImportScope,
    repeated: tuple[RowIssue, ...],
) -> Planned:
    unit, unit_issue = _find_unit(row, known, scope)
    holder = indexes.holder(known)
    is_out_of_scope = holder is not None and not scope.covers_unit(holder)
    if is_out_of_scope:
        holder = None
    person = known.by_staff_number.get(row.staff_number) if row.staff_number else holder
    issues = [*row.issues, *repeated, *_list_person_issues(row, indexes, person, holder, scope)]
    if unit_issue:
        issues.append(unit_issue)
    if issues or unit is None:
        return Planned(row=row, outcome=RosterRowOutcome.REJECTED, issues=tuple(issues))
    if person is None:
        return indexes.planned(row, outcome=RosterRowOutcome.NEW, unit_id=unit.id, is_out_of_scope=is_out_of_scope)
    changes = tuple(_changes(row, unit, person, indexes))
    return indexes.planned(
        row,
        outcome=RosterRowOutcome.CHANGED if changes else RosterRowOutcome.UNCHANGED,
        unit_id=unit.id,
        person_id=person.id,
        from_unit_id=person.unit_id,
        is_return=person.state != PersonState.ON_ROSTER,
        changes=changes,
        is_out_of_scope=is_out_of_scope,
    )


def _find_unit(row: RosterFileRow, known: _KnownRoster, scope: ImportScope) -> tuple[Unit | None, RowIssue | None]:
    unit = None
    if row.unit_code:
        unit = known.units_by_code.get(row.unit_code)
        if unit is None:
            unknown = f"没有编码为“{row.unit_code}”的单位，请核对，或先在“单位”中新增。"
            return None, row.issue("unit_code", known.closed.get(row.unit_code, unknown))
    elif row.unit_name:
        unit, issue = _unit_by_name(row, known, scope)
        if issue:
            return None, issue
    else:
        unit = scope.unit
    if unit is None:
        return None, row.issue("unit_name", "没有填单位，请补上单位名称或单位编码。")
    if not scope.covers(unit):
        column = "unit_code" if row.unit_code else "unit_name"
        return None, row.issue(column, f"“{unit.name}”不在这次导入的范围内，请由该单位或普法办导入。")
    return unit, None


def _unit_by_name(row: RosterFileRow, known: _KnownRoster, scope: ImportScope) -> tuple[Unit | None, RowIssue | None]:
    """Find a unit by its name, or by its code written in the name's column; of several, the one within the scope."""
    named = known.units_by_name.get(row.unit_name) or []
    if not named and (unit := known.units_by_code.get(row.unit_name)):
        return unit, None
    within = [unit for unit in named if scope.covers(unit)]
    if len(within) > 1:
        codes = "、".join(unit.code for unit in within[:4])
        return None, row.issue(
            "unit_name", f"叫“{row.unit_name}”的单位有 {len(within)} 个，请改填单位编码（{codes}）。"
        )
    if found := (within or named):
        return found[0], None
    similar = _similar_unit(row.unit_name, known, scope)
    asked = f"是不是“{similar}”？" if similar else ""
    unknown = f"没有叫“{row.unit_name}”的单位，{asked}请核对名称，或先在“单位”中新增。"
    return None, row.issue("unit_name", known.closed.get(row.unit_name, unknown))


def _similar_unit(name: str, known: _KnownRoster, scope: ImportScope) -> str:
    """Find the unit within the scope whose name contains or is contained in this one, else is nearest; empty where none is."""
    if name not in known.similar and len(known.similar) < _MAX_SIMILAR:
        names = [other for other, units in known.units_by_name.items() if any(scope.covers(unit) for unit in units)]
        parts = [one for one in names if (name in one or one in name) and 2 * len(one) > len(name)]
        closest = parts or get_close_matches(name, names, n=1, cutoff=0.6)
        known.similar[name] = min(closest, key=lambda other: abs(len(other) - len(name)), default="")
    return known.similar.get(name, "")


def _list_person_issues(
    row: RosterFileRow, indexes: _Indexes, person: Row[Any] | None, holder: Row[Any] | None, scope: ImportScope
) -> list[RowIssue]:
    if holder is not None and row.staff_number and holder.staff_number != row.staff_number:
        reason = "这个身份证号已登记在另一个工号名下。请核对工号；工号变了的，请先在“人员”中修改。"
        return [row.issue("id_number", reason)]
    if person is None:
        return []
    if not scope.covers_unit(person):
        return [row.issue("staff_number", "这个人现在登记在别的单位，请由普法办办理调动。")]
    if person.name != row.name and row.name and person.id_number_index not in indexes.id_number:
        reason = f"工号 {person.staff_number} 登记的姓名是“{person.name}”。请核对工号；确是改名的，请先在“人员”中修改。"
        return [row.issue("name", reason)]
    return []


def _changes(row: RosterFileRow, unit: Unit, person: Row[Any], indexes: _Indexes) -> Iterator[str]:
    """Give the fields that change; an empty cell changes nothing."""
    if person.state != PersonState.ON_ROSTER:
        yield "state"
    if person.unit_id != unit.id:
        yield "unit"
    for name in ("name", "position", "rank"):
        if (value := getattr(row, name)) and value != getattr(person, name):
            yield name
    if indexes.id_number and person.id_number_index not in indexes.id_number:
        yield "id_number"
    if indexes.mobile and person.mobile_index not in indexes.mobile:
        yield "mobile"


def rejected(plan: Planned, column: str, reason: str) -> Planned:
    """Give a row as rejected for one reason."""
    return replace(plan, outcome=RosterRowOutcome.REJECTED, changes=(), issues=(plan.row.issue(column, reason),))


def count_outcomes(planned: Iterable[Planned]) -> dict[str, int]:
    """Count the rows by what becomes of them; the four add up to the file's rows."""
    counts = Counter(plan.outcome for plan in planned)
    return {str(outcome): counts[outcome] for outcome in RosterRowOutcome}


_MAX_LISTED = 50


def list_imports(session: Session, *, created_by_id: int, is_all: bool) -> list[Row[Any]]:
    """List the latest imports of a person, or everybody's."""
    query = (
        select(
            RosterImport.id,
            RosterImport.file_name,
            RosterImport.client_state.label("client_state"),
            RosterImport.is_confirmed,
            RosterImport.created_at,
            RosterImport.summary["counts"].label("counts"),
            Person.name,
        )
        .outerjoin(Person, RosterImport.created_by_id == Person.id)
        .order_by(RosterImport.id.desc())
        .limit(_MAX_LISTED)
    )
    return list(session.execute(query if is_all else query.where(RosterImport.created_by_id == created_by_id)))


def get_import(session: Session, import_id: int, *, created_by_id: int, is_all: bool) -> RosterImport:
    """Get an import without its files; somebody else's is not found."""
    job = session.scalar(
        select(RosterImport)
        .where(RosterImport.id == import_id)
        .options(defer(RosterImport.content), defer(RosterImport.annotated))
    )
    if job is None or (job.created_by_id != created_by_id and not is_all):
        raise NotFoundError
    return job
