"""Reads for corrections: the grades a change touches, the exams and people behind them, and what became of a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, any_, bindparam, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from examapp.clock import local
from examapp.content.laws.models import LawVersion
from examapp.content.questions.models import BankQuestion, QuestionCitation, QuestionVersion
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.attempts.queries import ends_of
from examapp.delivery.corrections.rules import CorrectionState, CurrentGrade, GradeChange, Outcome
from examapp.delivery.exams.models import Exam
from examapp.delivery.exams.queries import held_by
from examapp.delivery.exams.rules import is_visible, results_visible_at
from examapp.delivery.grading.models import Correction, Grade, ItemRuling
from examapp.errors import ConflictError, NotFoundError
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit

_MAX_LISTED = 100

_CURRENT = text("""
SELECT g.id, g.attempt_id, a.exam_id, a.unit_id, g.points, g.points_possible, g.percent, g.band, g.is_passed, CAST(g.item_points AS text) AS item_points,
  g.rules, CASE WHEN :version_id = 0 THEN g.key_ids ELSE '{}' END AS key_ids, g.ruling_ids, g.sheet,
  CAST(p.sections AS text) AS sections, p.response_schema,
  CASE WHEN g.mark_ids <> '{}' THEN (SELECT json_object_agg(item, points::text) FROM item_marks WHERE id = ANY(g.mark_ids)) END AS hand_points,
  CASE WHEN strpos(p.response_schema, '0') > 0 THEN
    (SELECT json_object_agg(item, response) FROM answers WHERE attempt_id = a.id AND substr(p.response_schema, 3 * item - 1, 1) = '0')
  END AS texts
FROM grades AS g JOIN attempts AS a ON a.id = g.attempt_id JOIN papers AS p ON p.id = a.paper_id
WHERE g.is_current AND a.state = 'graded' AND a.exam_id = ANY(CAST(:exam_ids AS bigint[]))
  AND (:version_id = 0 OR jsonb_exists(g.key_ids, CAST(:version_id AS text))) AND (:attempt_id = 0 OR a.id = :attempt_id)
ORDER BY a.id
""").bindparams(bindparam("version_id", type_=BigInteger), bindparam("attempt_id", type_=BigInteger))
"""The current grades that a change may touch, with all that they are made of: letters from the sheet, words from the answers."""
_AT_ONCE = 100


def ensure_exams_held(session: Session, exam_ids: Sequence[int], access: AccessScope) -> None:
    """Raise NotFoundError unless the whole audience of each of these exams lies within the access scope."""
    held = select(func.count()).where(Exam.id.in_(exam_ids), held_by(access))
    if session.execute(held).scalar_one() != len(set(exam_ids)):
        raise NotFoundError


def ensure_not_anonymised(session: Session, exam_ids: Sequence[int]) -> None:
    """Raise ConflictError where results of one of these exams are anonymous."""
    titles = session.scalars(select(Exam.title).where(Exam.id.in_(exam_ids), Exam.anonymised_at.is_not(None)))
    if named := "、".join(f"“{title}”" for title in titles):
        raise ConflictError(f"{named}的成绩已经匿名，不能再更正。请去掉这样的考试。")


def iter_current_grades(session: Session, change: GradeChange, exam_ids: Sequence[int]) -> Iterator[list[CurrentGrade]]:
    """Give the current grades of these exams that a change may touch, by attempt, a batch at a time; one statement."""
    values = {"exam_ids": list(exam_ids), "version_id": change.version_id, "attempt_id": change.attempt_id}
    rows = session.execute(_CURRENT, values, execution_options={"yield_per": _AT_ONCE})
    for batch in rows.partitions():
        yield [CurrentGrade._make(row) for row in batch]


def question_of(session: Session, change: GradeChange) -> tuple[QuestionVersion, str]:
    """Give the version of the question that a change is about, and the question's code."""
    joined = select(QuestionVersion, BankQuestion.code).join(
        BankQuestion, QuestionVersion.question_id == BankQuestion.id
    )
    row = session.execute(joined.where(QuestionVersion.id == change.version_id)).one()
    return row[0], row[1]


def lock_exams(session: Session, exam_ids: Sequence[int]) -> list[Exam]:
    """Lock exams against grading and other corrections, not against starts; raises NotFoundError where one is missing."""
    statement = select(Exam).where(Exam.id.in_(exam_ids)).order_by(Exam.id).with_for_update(key_share=True)
    exams = list(session.scalars(statement.execution_options(populate_existing=True)))
    if len(exams) != len(set(exam_ids)):
        raise NotFoundError
    return exams


def are_results_out(session: Session, exams: Iterable[Exam], *, now: datetime) -> bool:
    """Tell whether results of any of these exams are visible."""
    return any(is_visible(results_visible_at(exam, end=ends_of(session, exam, now=now).own), now) for exam in exams)


def lock_correction(session: Session, correction_id: int) -> Correction:
    """Get and lock a correction; raises NotFoundError."""
    statement = select(Correction).where(Correction.id == correction_id).with_for_update()
    correction = session.scalar(statement.execution_options(populate_existing=True))
    if correction is None:
        raise NotFoundError
    return correction


def is_waiting(session: Session, change: dict[str, Any], exam_ids: Sequence[int]) -> bool:
    """Tell whether the same change of one of these exams was asked for and is not yet decided."""
    is_open = Correction.state.in_((CorrectionState.ASKED, CorrectionState.CHECKED))
    chosen = Correction.exam_ids.op("&&", is_comparison=True)(list(exam_ids)) | (
        Correction.exam_ids == sorted(exam_ids)
    )
    same = select(Correction.id).where(is_open, Correction.change == change, chosen)
    return session.scalar(select(same.exists())) is True


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedExam:
    """An exam whose graded attempts hold a question version, with what its cited laws said on the first day of it."""

    id: int
    title: str
    opens_at: datetime
    closes_at: datetime
    attempts: int
    is_anonymised: bool
    is_held: bool
    """Whether who asks may decide about it."""
    was_law_in_force: bool
    """Whether every version of a law that the question cites was in force when the exam opened."""


def list_exams_with(session: Session, version_id: int, part: int, access: AccessScope) -> list[AffectedExam]:
    """List the exams with graded attempts that hold a version's part, the latest first."""
    rows = session.execute(
        select(
            Exam.id, Exam.title, Exam.opens_at, Exam.closes_at, Exam.anonymised_at, held_by(access).label("is_held"), func.count().label("attempts")
        )
        .join(Attempt, Attempt.exam_id == Exam.id)
        .join(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .where(Grade.key_ids.has_key(str(version_id)), Attempt.state == AttemptState.GRADED)
        .group_by(Exam.id)
        .order_by(Exam.opens_at.desc(), Exam.id.desc())
    ).all()  # fmt: skip
    since, until = _law_days(session, version_id, part)
    return [
        AffectedExam(
            id=row.id, title=row.title, opens_at=row.opens_at, closes_at=row.closes_at, attempts=row.attempts,
            is_anonymised=row.anonymised_at is not None, is_held=row.is_held,
            was_law_in_force=(since is None or since <= local(row.opens_at).date()) and (until is None or local(row.opens_at).date() < until),
        )
        for row in rows
    ]  # fmt: skip


def list_exam_ids_with(session: Session, version_id: int) -> list[int]:
    """List the exams with graded attempts that hold a version, rising."""
    statement = (
        select(Attempt.exam_id)
        .join(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .where(Grade.key_ids.has_key(str(version_id)))
    )
    return sorted(session.scalars(statement.distinct()))


def list_ruled(session: Session, exam_ids: Sequence[int], version_id: int, part: int) -> set[int]:
    """List those of these exams that count a version's part by a ruling."""
    place = (ItemRuling.question_version_id == version_id, ItemRuling.part == part)
    return set(session.scalars(select(ItemRuling.exam_id).where(ItemRuling.exam_id.in_(exam_ids), *place)))


def _law_days(session: Session, version_id: int, part: int) -> tuple[date | None, date | None]:
    """Give from which day all law versions are in force that a part cites, and from which one of them is repealed; None where that is not known."""
    row = session.execute(
        select(
            func.max(func.coalesce(LawVersion.effective_on, LawVersion.version_on)), func.min(LawVersion.repealed_on)
        )
        .join(QuestionCitation, QuestionCitation.law_version_id == LawVersion.id)
        .where(QuestionCitation.question_version_id == version_id, QuestionCitation.part == part + 1)
    ).one()
    return row[0], row[1]


def list_outcomes(session: Session, correction_id: int) -> list[Outcome]:
    """List what an applied correction has done, by attempt."""
    after, before = aliased(Grade), aliased(Grade)
    rows = session.execute(
        select(
            Attempt.exam_id, Attempt.unit_id, after.attempt_id, before.id.label("grade_id"), before.points.label("points_before"),
            after.points.label("points_after"), before.percent.label("percent_before"), after.percent.label("percent_after"),
            before.band.label("band_before"), after.band.label("band_after"), before.is_passed.label("was_passed"), after.is_passed,
        )
        .join(before, and_(before.attempt_id == after.attempt_id, before.number == after.number - 1))
        .join(Attempt, after.attempt_id == Attempt.id)
        .where(after.correction_id == correction_id)
        .order_by(after.attempt_id)
    )  # fmt: skip
    return [Outcome(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptPerson:
    """Whose an attempt is, and whether this person has sat a make-up of the exam since."""

    name: str
    staff_number: str
    unit_code: str
    unit_name: str
    exam_title: str
    number: int
    has_attempted_makeup: bool


def people_of(session: Session, attempt_ids: Sequence[int]) -> dict[int, AttemptPerson]:
    """Give whose these attempts are, with the unit of the day of the attempt."""
    makeup, later = aliased(Exam), aliased(Attempt)
    has_attempted = (
        select(later.id)
        .join(makeup, later.exam_id == makeup.id)
        .where(makeup.main_exam_id == Attempt.exam_id, later.person_id == Attempt.person_id)
        .exists()
    )
    rows = session.execute(
        select(
            Attempt.id, Person.name, Person.staff_number, Unit.code.label("unit_code"), Unit.name.label("unit_name"),
            Exam.title.label("exam_title"), Attempt.number, has_attempted.label("has_attempted_makeup"),
        )
        .join(Person, Attempt.person_id == Person.id)
        .join(Unit, Attempt.unit_id == Unit.id)
        .join(Exam, Attempt.exam_id == Exam.id)
        .where(Attempt.id.in_(attempt_ids))
    )  # fmt: skip
    return {row.id: AttemptPerson(**{k: v for k, v in row._mapping.items() if k != "id"}) for row in rows}  # noqa: SLF001 – as above


def count_open_attempts(session: Session, exam_ids: Sequence[int]) -> int:
    """Count the attempts of these exams that are being sat or wait for their grade: they will follow a correction by themselves."""
    statement = select(func.count()).where(Attempt.exam_id.in_(exam_ids), Attempt.state != AttemptState.GRADED)
    return session.execute(statement).scalar_one()


def count_changed_people(session: Session, exam_id: int, unit_ids: Sequence[int]) -> int:
    """Count whose results in an exam corrections have changed, of those who sat it in one of these units."""
    after, before = aliased(Grade), aliased(Grade)
    is_changed = or_(after.points != before.points, after.percent != before.percent, after.band != before.band)
    statement = (
        select(func.count(Attempt.person_id.distinct()))
        .join(after, and_(after.attempt_id == Attempt.id, after.correction_id.is_not(None)))
        .join(before, and_(before.attempt_id == Attempt.id, before.number == after.number - 1))
        .where(Attempt.exam_id == exam_id, Attempt.unit_id.in_(unit_ids), is_changed)
    )
    return session.execute(statement).scalar_one()


def person_ids_of(session: Session, attempt_ids: Sequence[int]) -> list[int]:
    """List whose these attempts are, each person once."""
    return list(session.scalars(select(Attempt.person_id).where(Attempt.id.in_(attempt_ids)).distinct()))


def select_passed_by_correction(*, exam_id: int | None = None, since: datetime | None = None) -> Select[int, int]:
    """Select exam and person of the current grades that a correction made a pass; of one exam, or since an instant."""
    statement = (
        select(Attempt.exam_id, Attempt.person_id)
        .join(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .where(Grade.reason != "first", Grade.is_passed)
        .distinct()
    )
    if exam_id is not None:
        statement = statement.where(Attempt.exam_id == exam_id)
    return statement if since is None else statement.where(Grade.graded_at > since)


def get_attempt(session: Session, attempt_id: int, access: AccessScope) -> Attempt:
    """Get anybody's attempt in an exam that the access scope holds; raises NotFoundError."""
    of_exam = select(Attempt).join(Exam, Attempt.exam_id == Exam.id)
    attempt = session.scalar(of_exam.where(Attempt.id == attempt_id, held_by(access)))
    if attempt is None:
        raise NotFoundError
    return attempt


def _is_within(access: AccessScope) -> ColumnElement[bool]:
    """Give the condition that the access scope holds every exam of a correction."""
    beyond = select(Exam.id).where(Exam.id == any_(Correction.exam_ids), ~held_by(access))
    return ~beyond.correlate(Correction).exists()


def get_correction(session: Session, correction_id: int, access: AccessScope) -> Correction:
    """Get a correction of exams that the access scope holds; raises NotFoundError."""
    correction = session.scalar(select(Correction).where(Correction.id == correction_id, _is_within(access)))
    if correction is None:
        raise NotFoundError
    return correction


def lock_unnotified_corrections(session: Session) -> Sequence[Correction]:
    """Lock the applied corrections of which nobody was told yet."""
    unnotified = Correction.state == CorrectionState.APPLIED, Correction.notified_at.is_(None)
    return session.scalars(select(Correction).where(*unnotified).with_for_update(skip_locked=True)).all()


def list_corrections(session: Session, access: AccessScope) -> Sequence[Correction]:
    """List the latest corrections of exams that the access scope holds, the newest first."""
    listed = select(Correction).where(_is_within(access)).order_by(Correction.id.desc()).limit(_MAX_LISTED)
    return session.scalars(listed).all()


def titles_of(session: Session, exam_ids: Iterable[int]) -> dict[int, str]:
    """Give exams' titles by id."""
    rows = session.execute(select(Exam.id, Exam.title).where(Exam.id.in_(set(exam_ids))))
    return {row.id: row.title for row in rows}


def unit_names(session: Session, unit_ids: Iterable[int]) -> dict[int, str]:
    """Give units' names by id."""
    rows = session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(set(unit_ids))))
    return {row.id: row.name for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeLine:
    """One grade of an attempt as its candidate reads it: `reason` is public."""

    number: int
    points: Decimal
    points_possible: Decimal
    graded_at: datetime
    reason: str


def list_grades(session: Session, attempt_id: int) -> list[GradeLine]:
    """List all grades of an attempt, the oldest first, each with why it was made."""
    rows = session.execute(
        select(
            Grade.number, Grade.points, Grade.points_possible, Grade.graded_at, Grade.reason, Correction.public_reason
        )
        .outerjoin(Correction, Grade.correction_id == Correction.id)
        .where(Grade.attempt_id == attempt_id)
        .order_by(Grade.number)
    )
    return [
        GradeLine(
            number=number, points=points, points_possible=possible, graded_at=at,
            reason=public_reason or ("首次评分" if reason == "first" else "这场考试的成绩作了更正"),
        )
        for number, points, possible, at, reason, public_reason in rows
    ]  # fmt: skip
