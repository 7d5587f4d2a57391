"""Reads about the yearly assessment: score tables, sheets with everything on them, versions; what is outside the access scope is not found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import any_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from examapp.delivery.exams.models import Exam
from examapp.delivery.grading.models import Correction
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit
from examapp.oversight.assessment_indicators.queries import Rates, rates_of
from examapp.oversight.assessments.models import (
    Assessment,
    AssessmentItem,
    AssessmentReview,
    AssessmentReviewer,
    AssessmentRevision,
    AssessmentScore,
    AssessmentSheet,
)
from examapp.oversight.assessments.rules import (
    AssessmentBand,
    AssessmentState,
    Indicator,
    SheetState,
    mean_points,
    points_of_rate,
)
from examapp.oversight.duty_lists.queries import DutyScope

_FIXED = {SheetState.FED_BACK, SheetState.APPEALED, SheetState.SEALED}
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """Who reviews, and the path of the unit that he or she is in and so does not judge."""

    person_id: int
    name: str
    staff_number: str
    unit_id: int
    unit_name: str
    region_path: str
    has_left: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one reviewer gave a line."""

    reviewer: str
    reviewer_id: int
    points: Decimal
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSheetLine:
    """A line of a sheet: the item, what the unit said, the rate that fills it, the reviews, and the points as they stand."""

    number: int
    item: AssessmentItem
    self_points: Decimal | None
    self_reason: str
    rate: Decimal | None
    reviews: Sequence[Review]
    fixed: Decimal | None
    """The points that were fed back; None before."""
    moved_rate: Decimal | None = None
    """The rate of today where a correction of grades has changed it after it was fed back."""

    @property
    def from_rate(self) -> Decimal | None:
        """The points that the indicator gives; None for an item that people judge, or over nothing."""
        return points_of_rate(self.rate, points=self.item.points, full_from=self.item.full_from)

    @property
    def is_judged(self) -> bool:
        """Whether people judge this line: it has no indicator, or the indicator has nothing to stand on."""
        return self.from_rate is None

    @property
    def own(self) -> Decimal | None:
        """The self score; for a line with an indicator what that gives."""
        return self.self_points if self.is_judged else self.from_rate

    @property
    def reviewed(self) -> Decimal | None:
        """The points as they stand: fed back, or from the indicator, or the mean of the reviewers."""
        if self.fixed is not None:
            return self.fixed
        return self.from_rate if not self.is_judged else mean_points([review.points for review in self.reviews])


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitScoreSheet:
    """A unit's score sheet, whole."""

    row: AssessmentSheet
    assessment: Assessment
    unit: Unit
    lines: Sequence[ScoreSheetLine]

    @property
    def possible(self) -> Decimal:
        """The points of the whole table."""
        return sum((line.item.points for line in self.lines), ZERO)

    @property
    def has_moved(self) -> bool:
        """Whether grades were corrected since, so that an indicator is no longer what was fed back."""
        return any(line.moved_rate is not None for line in self.lines)

    @property
    def own_total(self) -> Decimal | None:
        """The sum of the self scores, None while one is missing."""
        return _sum(line.own for line in self.lines)

    @property
    def total(self) -> Decimal | None:
        """The sum of the points as they stand, None while one is missing."""
        return _sum(line.reviewed for line in self.lines)

    @property
    def judged_ids(self) -> set[int]:
        """The items that people judge."""
        return {line.item.id for line in self.lines if line.is_judged}

    @property
    def has_reviews(self) -> bool:
        """Whether every line that people judge has points of somebody, of a reviewer who was removed since too."""
        return all(line.reviews for line in self.lines if line.is_judged)

    def is_reviewed_by(self, person_id: int) -> bool:
        """Tell whether a reviewer has given points on every line that people judge."""
        return all(any(r.reviewer_id == person_id for r in line.reviews) for line in self.lines if line.is_judged)


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    found = list(values)
    return (
        None if not found or any(value is None for value in found) else sum((v for v in found if v is not None), ZERO)
    )


def bands_of(assessment: Assessment) -> list[AssessmentBand]:
    """Give the bands of an assessment from the highest."""
    return [AssessmentBand(name=name, minimum=Decimal(minimum)) for name, minimum in assessment.bands]


def find_assessment(session: Session, year: int) -> Assessment | None:
    """Find the assessment of a year, with its items."""
    return session.scalar(select(Assessment).where(Assessment.year == year).options(selectinload(Assessment.items)))


def get_assessment(session: Session, assessment_id: int, *, has_lock: bool = False) -> Assessment:
    """Get an assessment with its items, locked if asked for; raises NotFoundError."""
    query = select(Assessment).where(Assessment.id == assessment_id).options(selectinload(Assessment.items))
    if has_lock:
        query = query.with_for_update(of=Assessment)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFoundError
    return found


def list_assessed_years(session: Session, *, is_open_only: bool) -> list[int]:
    """List the years that have an assessment, the newest first."""
    query = select(Assessment.year).order_by(Assessment.year.desc())
    return list(session.scalars(query.where(Assessment.state == AssessmentState.OPEN) if is_open_only else query))


def list_reviewers(session: Session, assessment_id: int) -> list[Reviewer]:
    """List who reviews, by staff number."""
    rows = session.execute(
        select(
            Person.id.label("person_id"),
            Person.name,
            Person.staff_number,
            Unit.id.label("unit_id"),
            Unit.name.label("unit_name"),
            Unit.region_path,
            (Person.state == PersonState.LEFT).label("has_left"),
        )
        .join(AssessmentReviewer, AssessmentReviewer.person_id == Person.id)
        .join(Unit, Unit.id == Person.unit_id)
        .where(AssessmentReviewer.assessment_id == assessment_id)
        .order_by(Person.staff_number)
    )
    return [Reviewer(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def get_sheet_row(session: Session, sheet_id: int, duty_scope: DutyScope, *, has_lock: bool = False) -> AssessmentSheet:
    """Get a score sheet's row of a unit within the duty scope, locked if asked for; raises NotFoundError outside the access scope."""
    query = (
        select(AssessmentSheet)
        .join(Unit, AssessmentSheet.unit_id == Unit.id)
        .where(AssessmentSheet.id == sheet_id, within(duty_scope.write))
    )
    if has_lock:
        query = query.with_for_update(of=AssessmentSheet).execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        raise NotFoundError
    return row


def find_sheet_row(session: Session, year: int, unit_id: int) -> AssessmentSheet | None:
    """Find the sheet of a unit and year."""
    query = select(AssessmentSheet).join(Assessment, Assessment.id == AssessmentSheet.assessment_id)
    return session.scalar(query.where(Assessment.year == year, AssessmentSheet.unit_id == unit_id))


def whole_sheet(session: Session, row: AssessmentSheet, *, now: datetime) -> UnitScoreSheet:
    """Give everything on a sheet that was found within the access scope."""
    return whole_sheets(session, get_assessment(session, row.assessment_id), [row], now=now)[0]


def list_sheets(
    session: Session, assessment: Assessment, duty_scope: DutyScope, *, now: datetime
) -> list[UnitScoreSheet]:
    """List the sheets of a year within the access scope by unit code, whole, in few statements."""
    rows = session.scalars(
        select(AssessmentSheet)
        .join(Unit, Unit.id == AssessmentSheet.unit_id)
        .where(AssessmentSheet.assessment_id == assessment.id, within(duty_scope.write))
        .order_by(Unit.code)
    ).all()
    return whole_sheets(session, assessment, rows, now=now)


def whole_sheets(
    session: Session, assessment: Assessment, rows: Sequence[AssessmentSheet], *, now: datetime
) -> list[UnitScoreSheet]:
    """Give everything on sheets; rates are reckoned for those alone whose points are not fixed yet, or were before their exam's grades were corrected."""
    if not rows:
        return []
    units = {unit.id: unit for unit in session.scalars(select(Unit).where(Unit.id.in_([r.unit_id for r in rows])))}
    ids = [row.id for row in rows]
    scores = {
        (score.sheet_id, score.item_id): score
        for score in session.scalars(
            select(AssessmentScore).where(AssessmentScore.sheet_id.in_(ids)).execution_options(populate_existing=True)
        )
    }
    corrected_at = _last_corrected_at(session, assessment)
    overtaken = {row.id for row in rows if row.fed_back_at and corrected_at and row.fed_back_at < corrected_at}
    live = [row.unit_id for row in rows if row.state not in _FIXED or row.id in overtaken]
    is_wanted = any(item.indicator for item in assessment.items)
    rates = rates_of(session, assessment, live, now=now) if live and is_wanted else {}
    reviews = _reviews(session, ids)
    return [
        UnitScoreSheet(
            row=row,
            assessment=assessment,
            unit=units[row.unit_id],
            lines=_lines(
                assessment, row, scores, reviews, rates.get(row.unit_id, {}), is_overtaken=row.id in overtaken
            ),
        )
        for row in rows
    ]


def _last_corrected_at(session: Session, assessment: Assessment) -> datetime | None:
    """Find when grades of the exam that counts, or of its make-ups, were corrected last."""
    counting = or_(Exam.id == assessment.exam_id, Exam.main_exam_id == assessment.exam_id)
    applied = select(func.max(Correction.decided_at)).where(Correction.state == "applied")
    return session.scalar(applied.where(select(Exam.id).where(counting, Exam.id == any_(Correction.exam_ids)).exists()))


def _reviews(session: Session, sheet_ids: Sequence[int]) -> Mapping[tuple[int, int], list[Review]]:
    rows = session.execute(
        select(AssessmentReview, Person.name)
        .join(Person, Person.id == AssessmentReview.reviewer_id)
        .where(AssessmentReview.sheet_id.in_(sheet_ids))
        .order_by(Person.staff_number)
        .execution_options(populate_existing=True)
    )
    found: dict[tuple[int, int], list[Review]] = defaultdict(list)
    for review, name in rows:
        found[review.sheet_id, review.item_id].append(
            Review(reviewer=name, reviewer_id=review.reviewer_id, points=review.points, remark=review.remark)
        )
    return found


def _lines(
    assessment: Assessment,
    row: AssessmentSheet,
    scores: Mapping[tuple[int, int], AssessmentScore],
    reviews: Mapping[tuple[int, int], list[Review]],
    rates: Rates,
    *,
    is_overtaken: bool,
) -> list[ScoreSheetLine]:
    lines = []
    for number, item in enumerate(assessment.items, 1):
        score = scores.get((row.id, item.id))
        live, fixed_rate = rates.get(Indicator(item.indicator)), score.rate if score else None
        is_of_exam = item.indicator in {Indicator.PARTICIPATION, Indicator.PASS}
        lines.append(
            ScoreSheetLine(
                number=number,
                item=item,
                self_points=score.self_points if score else None,
                self_reason=score.self_reason if score else "",
                rate=fixed_rate if row.state in _FIXED else live,
                moved_rate=live if is_overtaken and is_of_exam and live != fixed_rate else None,
                reviews=reviews.get((row.id, item.id), []),
                fixed=score.points if score else None,
            )
        )
    return lines


def list_revisions(session: Session, sheet_id: int) -> list[AssessmentRevision]:
    """List the sealed versions of a sheet, the first first."""
    query = select(AssessmentRevision).where(AssessmentRevision.sheet_id == sheet_id)
    return list(session.scalars(query.order_by(AssessmentRevision.number)))


def revision_numbers(session: Session, assessment_id: int) -> dict[int, int]:
    """Give the newest sealed version's number of each sheet that has one."""
    rows = session.execute(
        select(AssessmentRevision.sheet_id, func.max(AssessmentRevision.number))
        .join(AssessmentSheet, AssessmentSheet.id == AssessmentRevision.sheet_id)
        .where(AssessmentSheet.assessment_id == assessment_id)
        .group_by(AssessmentRevision.sheet_id)
    )
    return {sheet_id: number for sheet_id, number in rows}  # noqa: C416 – mypy wants the pair taken apart
