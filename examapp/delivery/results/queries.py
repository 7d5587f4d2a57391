"""A graded attempt as its candidate may see it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from examapp.content.blueprints.models import Paper
from examapp.content.blueprints.queries import PaperItem, PaperItemBody, get_paper, items_of, render_paper
from examapp.content.laws.models import Law, LawVersion
from examapp.content.laws.queries import ArticleContent, find_article_contents
from examapp.content.questions.models import QuestionCitation
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.attempts.queries import ends_of, read_sheet
from examapp.delivery.exams.models import Exam, ExamKind
from examapp.delivery.exams.rules import is_visible, keys_visible_at, results_visible_at
from examapp.delivery.grading import queries as grading_queries
from examapp.delivery.grading.models import Grade
from examapp.delivery.grading.rules import Ruling, Treatment, VersionKey, describe_ruling
from question_bank.kinds.registry import KIND_NAMES, kind_of
from question_bank.model import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """When an exam's results and keys are shown, and whether they are now."""

    results_at: datetime | None
    keys_at: datetime | None
    are_results_out: bool
    are_keys_out: bool
    is_held: bool = False
    """Whether keys that are out are kept from this person, who sits an exam that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultContext:
    """The articles of a law's version that an item has its answer from."""

    law: str
    version_on: date
    articles: list[ArticleContent]

    @property
    def text(self) -> str:
        """`《行政处罚法》（2021年版）第三十二条`."""
        return f"《{self.law}》（{self.version_on.year}年版）{'、'.join(each.label for each in self.articles)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """One item of a graded paper with its key, for release after the exam's time."""

    item: int
    response: list[str]
    points: Decimal
    points_possible: Decimal
    key: list[str]
    explanation: str
    """HTML."""
    report_context: ResultContext | None
    ruling: str
    """How a correction made it count, in Chinese; empty without one."""

    @property
    def article(self) -> str:
        """The articles in words; empty without a citation."""
        return self.report_context.text if self.report_context else ""

    @property
    def law(self) -> str:
        """The law's short name; empty without a citation."""
        return self.report_context.law if self.report_context else ""

    @property
    def is_right(self) -> bool:
        """Whether it brought all its points."""
        return self.points == self.points_possible


def release_of(session: Session, exam: Exam, *, now: datetime) -> Release:
    """Tell when an exam's results and keys are shown; keys of one that counts only when nobody can write an attempt at it any more.

    Attempts in progress, extra time and the make-ups that are published count; what one person is shown now says `release_to`.
    """
    ends = ends_of(session, exam, now=now)
    results_at = results_visible_at(exam, end=ends.own)
    keys_at = keys_visible_at(exam, end=ends.own, keys_end=ends.family)
    return Release(
        results_at=results_at,
        keys_at=keys_at,
        are_results_out=is_visible(results_at, now),
        are_keys_out=is_visible(keys_at, now),
    )


def release_to(session: Session, exam: Exam, *, are_keys_withheld: Callable[[], bool], now: datetime) -> Release:
    """Tell the same for one person, to whom no key is shown while an attempt in an exam that counts is in progress (`are_keys_withheld`)."""
    release = release_of(session, exam, now=now)
    if release.are_keys_out and are_keys_withheld():
        return replace(release, are_keys_out=False, is_held=True)
    return release


def are_keys_out(session: Session, exam: Exam, *, now: datetime) -> bool:
    """Tell whether the keys of an exam that counts are or were shown to those who handed in; what is granted later needs a tick."""
    if exam.kind == ExamKind.MOCK:
        return False
    return exam.were_keys_out or release_of(session, exam, now=now).are_keys_out


def find_current_grade(session: Session, attempt_id: int) -> Grade | None:
    """Find the grade of an attempt that counts now."""
    return session.scalars(select(Grade).where(Grade.attempt_id == attempt_id, Grade.is_current)).one_or_none()


def list_item_results(session: Session, attempt: Attempt, grade: Grade) -> list[ItemResult]:
    """List a graded attempt's items with the keys it was graded by; only after the keys' release."""
    items = items_of(session.get_one(Paper, attempt.paper_id))
    responses = {item: response for item, (_, _, response) in read_sheet(session, attempt.id).items()}
    keys = {int(version_id): key_id for version_id, key_id in grade.key_ids.items()}
    by_id = grading_queries.keys_by_id(session, list(keys.values()))
    rulings = {
        (ruling.version_id, ruling.part): ruling
        for ruling in grading_queries.rulings_by_id(session, grade.ruling_ids).values()
    }
    cited = _citations_by_part(session, {item.version_id for item in items})
    return [
        _item_result(
            item,
            responses.get(item.item, []),
            Decimal(points),
            key=by_id[keys[item.version_id]],
            ruling=rulings.get((item.version_id, item.part)),
            cited=cited,
        )
        for item, points in zip(items, grade.item_points, strict=True)
    ]


def _item_result(
    item: PaperItem,
    response: list[str],
    points: Decimal,
    *,
    key: VersionKey,
    ruling: Ruling | None,
    cited: dict[tuple[int, int], ResultContext],
) -> ItemResult:
    """Give an item by the key that it was scored by; one that does not count has nothing to lose."""
    part = (ruling.keys[0] if ruling is not None and ruling.keys else key).parts[item.part]
    is_void = ruling is not None and ruling.treatment is Treatment.VOID
    return ItemResult(
        item=item.item,
        response=response,
        points=points,
        points_possible=Decimal(0) if is_void else item.points,
        key=kind_of(item.kind).describe_key(part["key"], part.get("blanks") or (), item.order),
        explanation=part.get("explanation") or "",
        report_context=cited.get((item.version_id, item.part)) or cited.get((item.version_id, 0)),
        ruling="" if ruling is None else describe_ruling(ruling, kind_of(item.kind), item.order),
    )


def _citations_by_part(session: Session, version_ids: Iterable[int]) -> dict[tuple[int, int], ResultContext]:
    """Give what is cited by question version and part (from 0), in two statements."""
    rows = session.execute(
        select(
            QuestionCitation.question_version_id,
            QuestionCitation.part,
            Law.name,
            LawVersion.version_on,
            QuestionCitation.articles,
            LawVersion.id,
        )
        .join(LawVersion, QuestionCitation.law_version_id == LawVersion.id)
        .join(Law, LawVersion.law_id == Law.id)
        .where(QuestionCitation.question_version_id.in_(set(version_ids)))
    ).all()
    contents = find_article_contents(session, ((row.id, label) for row in rows for label in row.articles))
    return {
        (row.question_version_id, row.part - 1): ResultContext(
            law=row.name,
            version_on=row.version_on,
            articles=[contents.get((row.id, label), ArticleContent(label=label)) for label in row.articles],
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultShare:
    """How a paper's items of one law or question kind went."""

    name: str
    right: int
    total: int
    points: Decimal
    points_possible: Decimal


def shares_by_law(items: Iterable[ItemResult]) -> list[ResultShare]:
    """Sum a paper's items by law, the weakest first."""
    shares = _shares((item.law or "其他", item) for item in items)
    return sorted(shares, key=lambda share: (share.right / share.total, share.name))


def shares_by_kind(items: Iterable[ReviewedItem]) -> list[ResultShare]:
    """Sum a paper's items by question kind, in the paper's order."""
    return _shares((KIND_NAMES[Kind(item.asked["kind"])], item.result) for item in items)


def _shares(named: Iterable[tuple[str, ItemResult]]) -> list[ResultShare]:
    found: dict[str, list[ItemResult]] = {}
    for name, result in named:
        found.setdefault(name, []).append(result)
    return [
        ResultShare(
            name=name,
            right=sum(result.is_right for result in results),
            total=len(results),
            points=sum((result.points for result in results), Decimal()),
            points_possible=sum((result.points_possible for result in results), Decimal()),
        )
        for name, results in found.items()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAttempt:
    """An attempt of one's own; `grade` only once it is there and the exam shows results."""

    attempt: Attempt
    exam: Exam
    grade: Grade | None
    is_graded: bool
    release: Release


def list_own_attempts(session: Session, person_id: int, *, now: datetime, limit: int) -> list[OwnAttempt]:
    """List a person's attempts, the latest first, in one statement and one more for each exam among them."""
    rows = session.execute(
        select(Attempt, Exam, Grade)
        .join(Exam, Attempt.exam_id == Exam.id)
        .outerjoin(Grade, (Grade.attempt_id == Attempt.id) & Grade.is_current)
        .where(Attempt.person_id == person_id)
        .order_by(Attempt.started_at.desc(), Attempt.id.desc())
        .limit(limit)
    ).all()
    releases = {exam.id: release_of(session, exam, now=now) for exam in {exam for _, exam, _ in rows}}
    return [
        OwnAttempt(
            attempt=attempt,
            exam=exam,
            grade=grade if releases[exam.id].are_results_out else None,
            is_graded=grade is not None,
            release=releases[exam.id],
        )
        for attempt, exam, grade in rows
    ]


_MAX_ATTEMPTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedItem:
    """One item of a graded paper: what was asked, what was answered, what is right and why."""

    result: ItemResult
    asked: PaperItemBody
    """The item as the delivery protocol's paper writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedAttempt:
    """A graded attempt with its exam and the grade that counts."""

    attempt: Attempt
    exam: Exam
    grade: Grade


def review_items(session: Session, attempt: Attempt, grade: Grade) -> list[ReviewedItem]:
    """List a graded attempt's items with words and keys; only after the keys' release."""
    paper = get_paper(session, attempt.paper_id)
    asked = {item["item"]: item for section in render_paper(session, paper)["sections"] for item in section["items"]}
    return [
        ReviewedItem(result=result, asked=asked[result.item]) for result in list_item_results(session, attempt, grade)
    ]


def list_graded_attempts_with_keys(session: Session, person_id: int, *, now: datetime) -> list[GradedAttempt]:
    """List a person's graded attempts whose keys are released, the latest first; at most 200."""
    rows = session.execute(
        select(Attempt, Exam, Grade)
        .join(Exam, Attempt.exam_id == Exam.id)
        .join(Grade, (Grade.attempt_id == Attempt.id) & Grade.is_current)
        .where(Attempt.person_id == person_id)
        .order_by(Attempt.submitted_at.desc(), Attempt.id.desc())
        .limit(_MAX_ATTEMPTS)
    ).all()
    releases = {exam.id: release_of(session, exam, now=now) for exam in {exam for _, exam, _ in rows}}
    return [
        GradedAttempt(attempt=attempt, exam=exam, grade=grade)
        for attempt, exam, grade in rows
        if releases[exam.id].are_keys_out
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedAnswers:
    """An attempt as training learns from it by one of its grades: which parts of which versions were right, which were marked unsure."""

    attempt_id: int
    grade_id: int
    exam_id: int
    person_id: int
    unit_id: int
    submitted_at: datetime
    items: tuple[tuple[int, int, bool, bool], ...]
    """Version, part (from 0), right, unsure."""


def list_released_exams(session: Session, *, known: Select[int], now: datetime) -> list[int]:
    """List the exams whose keys are out and that have graded attempts besides the known ones."""
    graded = (
        select(Attempt.exam_id)
        .join(Grade, (Grade.attempt_id == Attempt.id) & Grade.is_current)
        .where(Attempt.id.not_in(known))
        .distinct()
    )
    exams = session.scalars(select(Exam).where(Exam.id.in_(graded)).order_by(Exam.id)).all()
    return [exam.id for exam in exams if release_of(session, exam, now=now).are_keys_out]


def list_graded_answers(session: Session, exam_id: int, *, known: Select[int], limit: int) -> list[GradedAnswers]:
    """List graded attempts of an exam besides the known ones, with their items; the caller has made sure that the keys are out."""
    wanted = _WITH_PAPER.where(Grade.is_current, Attempt.exam_id == exam_id, Attempt.id.not_in(known))
    return _answers(session, wanted.limit(limit))


def list_answers_of_grades(session: Session, grade_ids: Collection[int] | Select[int]) -> list[GradedAnswers]:
    """List the attempts of grades, current or not, each as that grade has it; the caller has made sure that the keys are out."""
    return _answers(session, _WITH_PAPER.where(Grade.id.in_(grade_ids)))


def list_newer_grades(session: Session, *, known: Select[int | None], limit: int) -> list[tuple[int, int]]:
    """List the known grades that count no longer, each with the grade of its attempt that does; at most so many."""
    old = aliased(Grade)
    rows = session.execute(
        select(old.id, Grade.id)
        .join(Grade, (Grade.attempt_id == old.attempt_id) & Grade.is_current)
        .where(Grade.number > 1, Grade.id != old.id, old.id.in_(known))
        .order_by(old.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


_WITH_PAPER = (
    select(Attempt, Grade, Paper)
    .join(Grade, Grade.attempt_id == Attempt.id)
    .join(Paper, Attempt.paper_id == Paper.id)
    .order_by(Attempt.id, Grade.number)
)


def _answers(session: Session, statement: Select[Attempt, Grade, Paper]) -> list[GradedAnswers]:
    """Read grades with their papers; an item that does not count is nobody's mistake."""
    rows = session.execute(statement).all()
    rulings = grading_queries.rulings_by_id(session, {i for _, grade, _ in rows for i in grade.ruling_ids})
    void = {i: (ruling.version_id, ruling.part) for i, ruling in rulings.items() if ruling.treatment is Treatment.VOID}
    return [
        GradedAnswers(
            attempt_id=attempt.id,
            grade_id=grade.id,
            exam_id=attempt.exam_id,
            person_id=attempt.person_id,
            unit_id=attempt.unit_id,
            submitted_at=attempt.submitted_at or attempt.started_at,
            items=tuple(
                (
                    item.version_id,
                    item.part,
                    Decimal(points) == item.points
                    or any(void.get(i) == (item.version_id, item.part) for i in grade.ruling_ids),
                    item.item in attempt.unsure,
                )
                for item, points in zip(items_of(paper), grade.item_points, strict=True)
            ),
        )
        for attempt, grade, paper in rows
    ]
