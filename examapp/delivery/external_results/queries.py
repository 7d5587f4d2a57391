"""Results from another platform that stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from examapp.delivery.exams.models import Exam
from examapp.delivery.exams.queries import ON_ROSTER, audience_clause
from examapp.delivery.external_results.models import ResultImport, ResultImportRow, ResultRowOutcome
from examapp.delivery.external_results.rules import ResultRow
from examapp.delivery.grading.models import ExternalResult
from examapp.delivery.results.queries import release_of
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.people.rules import ID_NUMBER_PURPOSE, find_id_number_issue
from examapp.organisation.units.models import Unit
from examapp.security.ciphers import FieldCipher


def points_in_force(session: Session, exam_id: int, person_ids: Collection[int]) -> dict[int, tuple[Decimal, Decimal]]:
    """Give the points and points possible of these people's standing results."""
    rows = session.execute(
        select(ExternalResult.person_id, ExternalResult.points, ExternalResult.points_possible).where(
            ExternalResult.exam_id == exam_id,
            ExternalResult.person_id.in_(person_ids),
            ExternalResult.undone_at.is_(None),
        )
    )
    return {row.person_id: (row.points, row.points_possible) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnExternalResult:
    """A person's own result from another platform, shown once the exam shows results."""

    exam_title: str
    source: str
    points: Decimal
    points_possible: Decimal
    band: str
    taken_at: datetime


def list_own_external_results(session: Session, person_id: int, *, now: datetime) -> list[OwnExternalResult]:
    """List a person's standing results from other platforms whose exam shows results now, the latest first."""
    rows = session.execute(
        select(ExternalResult, Exam)
        .join(Exam, Exam.id == ExternalResult.exam_id)
        .where(ExternalResult.person_id == person_id, ExternalResult.undone_at.is_(None))
        .order_by(ExternalResult.taken_at.desc(), ExternalResult.id.desc())
    )
    return [
        OwnExternalResult(
            exam_title=exam.title,
            source=result.source,
            points=result.points,
            points_possible=result.points_possible,
            band=result.band,
            taken_at=result.taken_at,
        )
        for result, exam in rows
        if release_of(session, exam, now=now).are_results_out
    ]


PAGE = 50
_REVIEWED = (ResultRowOutcome.NEEDS_REVIEW, ResultRowOutcome.UNMATCHED, ResultRowOutcome.SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchCandidate:
    """A person that a row may be."""

    id: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """A row with whom it may be."""

    row: ResultImportRow
    candidates: Sequence[MatchCandidate]


def get_import(
    session: Session, import_id: int, access: AccessScope, person_id: int | None, *, with_lock: bool = False
) -> ResultImport:
    """Get one's own import, or anybody's where everything is within the access scope; raises NotFoundError."""
    query = select(ResultImport).where(ResultImport.id == import_id).execution_options(populate_existing=True)
    job = session.scalar(query.with_for_update() if with_lock else query)
    if job is None or not (access.is_everything or job.created_by_id == person_id):
        raise NotFoundError
    return job


def list_imports(
    session: Session, access: AccessScope, person_id: int, *, exam_id: int | None
) -> list[tuple[ResultImport, str]]:
    """List the latest imports that one may see, with the exams' titles."""
    query = select(ResultImport, Exam.title).join(Exam, Exam.id == ResultImport.exam_id)
    if not access.is_everything:
        query = query.where(ResultImport.created_by_id == person_id)
    if exam_id is not None:
        query = query.where(ResultImport.exam_id == exam_id)
    rows = session.execute(query.order_by(ResultImport.id.desc()).limit(PAGE))
    return [(job, title) for job, title in rows]


def count_outcomes(session: Session, import_id: int) -> dict[ResultRowOutcome, int]:
    """Count an import's rows by what became of them."""
    rows = session.execute(
        select(ResultImportRow.outcome, func.count())
        .where(ResultImportRow.import_id == import_id)
        .group_by(ResultImportRow.outcome)
    )
    return dict.fromkeys(ResultRowOutcome, 0) | {ResultRowOutcome(outcome): count for outcome, count in rows}


def list_rows(
    session: Session, import_id: int, *, outcome: ResultRowOutcome | None, page: int
) -> tuple[list[ReviewRow], int]:
    """List a page of the rows of an outcome, without one of those that a person has to look at, in the file's order; and count them."""
    wanted = [outcome] if outcome is not None else _REVIEWED
    conditions = (ResultImportRow.import_id == import_id, ResultImportRow.outcome.in_(wanted))
    count = session.execute(select(func.count()).select_from(ResultImportRow).where(*conditions)).scalar_one()
    rows = session.scalars(
        select(ResultImportRow)
        .where(*conditions)
        .order_by(ResultImportRow.line, ResultImportRow.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    people = _people(
        session, {person_id for row in rows for person_id in (*row.candidates, row.person_id) if person_id}
    )
    return [
        ReviewRow(
            row=row,
            candidates=[people[one] for one in dict.fromkeys((*row.candidates, row.person_id)) if one in people],
        )
        for row in rows
    ], count


def _people(session: Session, ids: set[int]) -> dict[int, MatchCandidate]:
    rows = session.execute(
        select(Person.id, Person.name, Person.staff_number, Unit.name.label("unit_name"))
        .join(Unit, Person.unit_id == Unit.id)
        .where(Person.id.in_(ids))
    )
    return {
        row.id: MatchCandidate(id=row.id, text=f"{row.name}（{row.unit_name}，{row.staff_number}）") for row in rows
    }


def get_row(session: Session, import_id: int, row_id: int) -> ResultImportRow:
    """Get a row of an import; raises NotFoundError."""
    row = session.scalar(
        select(ResultImportRow).where(ResultImportRow.id == row_id, ResultImportRow.import_id == import_id)
    )
    if row is None:
        raise NotFoundError
    return row


_STEP = 1000
_MAX_CANDIDATES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a row was matched to, and why it is in doubt."""

    row: ResultRow
    outcome: ResultRowOutcome
    reason: str = ""
    person_id: int | None = None
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _KnownPerson:
    id: int
    name: str
    staff_number: str
    id_number_index: bytes | None
    state: str
    unit_name: str


@dataclass(slots=True)
class _ResultRoster:
    by_index: dict[bytes, _KnownPerson] = field(default_factory=dict)
    by_staff: dict[str, _KnownPerson] = field(default_factory=dict)
    by_name: dict[str, list[_KnownPerson]] = field(default_factory=dict)


def match_rows(
    session: Session,
    rows: Sequence[ResultRow],
    exam: Exam,
    *,
    possible: Decimal,
    access: AccessScope,
    cipher: FieldCipher,
) -> list[Match]:
    """Match all rows within an access scope, by digests under every data key; nobody is guessed: a name is never enough."""
    indexes = {
        row.line: cipher.blind_indexes(row.id_number, purpose=ID_NUMBER_PURPOSE)
        for row in rows
        if row.id_number and find_id_number_issue(row.id_number) is None
    }
    roster = _read_roster(session, rows, [index for of_row in indexes.values() for index in of_row], access)
    found = [_match(row, indexes.get(row.line, ()), roster) for row in rows]
    return _against_exam(session, _against_each_other(found), exam, possible=possible)


def _read_roster(
    session: Session, rows: Sequence[ResultRow], indexes: Sequence[bytes], access: AccessScope
) -> _ResultRoster:
    roster = _ResultRoster()
    for one in _people_by_number(session, Person.id_number_index, indexes, access):
        roster.by_index[one.id_number_index or b""] = one
    for one in _people_by_number(
        session, Person.staff_number, [row.staff_number for row in rows if row.staff_number], access
    ):
        roster.by_staff[one.staff_number] = one
    for one in _people_by_number(session, Person.name, list({row.name for row in rows if row.name}), access):
        roster.by_name.setdefault(one.name, []).append(one)
    return roster


def _people_by_number(
    session: Session, column: ColumnElement[object] | object, values: Sequence[object], access: AccessScope
) -> list[_KnownPerson]:
    found = []
    for start in range(0, len(values), _STEP):
        query = (
            select(
                Person.id,
                Person.name,
                Person.staff_number,
                Person.id_number_index,
                Person.state,
                Unit.name.label("unit_name"),
            )
            .join(Unit, Person.unit_id == Unit.id)
            .where(column.in_(values[start : start + _STEP]), within(access))  # type: ignore[union-attr]  # a column
            .order_by(Person.id)
        )
        found += [_KnownPerson(**row._mapping) for row in session.execute(query)]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping
    return found


def _match(row: ResultRow, indexes: Sequence[bytes], roster: _ResultRoster) -> Match:
    if row.issue:
        return Match(row=row, outcome=ResultRowOutcome.FAULTY, reason=row.issue)
    if row.points is None:
        return Match(row=row, outcome=ResultRowOutcome.ABSENT, reason="文件里没有成绩，不计入。")
    by_index = next((roster.by_index[index] for index in indexes if index in roster.by_index), None)
    by_staff = roster.by_staff.get(row.staff_number) if row.staff_number else None
    if by_index and by_staff and by_index.id != by_staff.id:
        return _needs_review(row, "身份证号和工号分别是两个人，请核对。", [by_index, by_staff])
    one = by_index or by_staff
    if one is None:
        return _by_name(row, indexes, roster)
    if reason := _review_reason(row, one, has_other_number=by_index is None and bool(indexes)):
        return _needs_review(row, reason, [one])
    return Match(row=row, outcome=ResultRowOutcome.MATCHED, person_id=one.id, candidates=(one.id,))


def _review_reason(row: ResultRow, one: _KnownPerson, *, has_other_number: bool) -> str:
    """Say what speaks against a person whom a number names; empty where nothing does."""
    if row.name and row.name != one.name:
        return f"号码相符，姓名不符：名册为“{one.name}”。"
    if has_other_number and one.id_number_index is not None:
        return "工号相符，身份证号与名册不同。"
    return "此人已离开名册。" if one.state == PersonState.LEFT else ""


def _by_name(row: ResultRow, indexes: Sequence[bytes], roster: _ResultRoster) -> Match:
    """Find whom a row without a known number may mean; who is known under another ID number is nobody of them."""
    same = [
        one
        for one in roster.by_name.get(row.name, ())
        if not indexes or one.id_number_index is None or one.id_number_index in indexes
    ]
    if not same:
        return Match(row=row, outcome=ResultRowOutcome.UNMATCHED, reason="名册里没有找到此人。")
    here = [one for one in same if row.unit_name and one.unit_name == row.unit_name]
    if here:
        return _needs_review(row, "只有姓名和单位相符，没有号码可以确认。", here)
    return _needs_review(row, "只有姓名相符，没有号码可以确认。", same)


def _needs_review(row: ResultRow, reason: str, people: Sequence[_KnownPerson]) -> Match:
    ids = tuple(one.id for one in people[:_MAX_CANDIDATES])
    return Match(row=row, outcome=ResultRowOutcome.NEEDS_REVIEW, reason=reason, candidates=ids)


def _against_each_other(found: Sequence[Match]) -> list[Match]:
    """Put people into doubt that stand in the file more than once."""
    lines: dict[int, list[int]] = {}
    for one in found:
        if one.person_id is not None:
            lines.setdefault(one.person_id, []).append(one.row.line)
    return [
        _mark_for_review(one, f"文件里有几行都是此人（第 {'、'.join(map(str, twice))} 行），请选定一行。")
        if one.person_id is not None and len(twice := lines[one.person_id]) > 1
        else one
        for one in found
    ]


def _against_exam(session: Session, found: Sequence[Match], exam: Exam, *, possible: Decimal) -> list[Match]:
    """Hold what was matched against the exam: whom it is meant for, and what stands already."""
    ids = [one.person_id for one in found if one.person_id is not None]
    meant = _meant(session, exam, ids)
    in_force = points_in_force(session, exam.id, ids)
    return [_held(one, meant, in_force, possible) if one.person_id is not None else one for one in found]


def _meant(session: Session, exam: Exam, ids: Sequence[int]) -> set[int]:
    query = (
        select(Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Person.id.in_(ids), ON_ROSTER, audience_clause(session, exam))
    )
    return set(session.scalars(query))


def _held(one: Match, meant: set[int], in_force: Mapping[int, tuple[Decimal, Decimal]], possible: Decimal) -> Match:
    assert one.person_id is not None
    before = in_force.get(one.person_id)
    if before == (one.row.points, possible):
        return replace(one, outcome=ResultRowOutcome.SAME, reason="已有相同的成绩，不用再计入。")
    if one.person_id not in meant:
        return _mark_for_review(one, "此人不在这场考试的应考范围内，计入后也不进入统计。")
    if before is not None:
        return replace(one, reason=f"将更新：原来导入的是 {before[0]} 分。")
    return one


def _mark_for_review(one: Match, reason: str) -> Match:
    return replace(one, outcome=ResultRowOutcome.NEEDS_REVIEW, reason=reason, person_id=None)
