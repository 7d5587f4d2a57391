"""A graded attempt as its candidate may see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.attempts.models import Attempt
from examapp.attempts.queries import ends_of, is_sitting, list_answers
from examapp.exams.models import Exam, ExamKind
from examapp.exams.rules import is_visible, keys_visible_at, results_visible_at
from examapp.grading.models import Grade
from examapp.laws.models import Law, LawVersion
from examapp.papers.models import Paper
from examapp.papers.queries import PaperItem, items_of
from examapp.questions.models import AnswerKey, Citation
from question_bank.kinds.registry import kind_of


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
class Basis:
    """The articles of a law's version that an item has its answer from."""

    law: str
    version_on: date
    labels: list[str]

    @property
    def words(self) -> str:
        """`《行政处罚法》（2021年版）第三十二条`."""
        return f"《{self.law}》（{self.version_on.year}年版）{'、'.join(self.labels)}"


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
    basis: Basis | None

    @property
    def article(self) -> str:
        """The articles in words; empty without a citation."""
        return self.basis.words if self.basis else ""

    @property
    def law(self) -> str:
        """The law's short name; empty without a citation."""
        return self.basis.law if self.basis else ""

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


def release_to(session: Session, exam: Exam, person_id: int, *, now: datetime) -> Release:
    """Tell the same for one person, to whom no key is shown while they sit an exam that counts."""
    release = release_of(session, exam, now=now)
    if release.are_keys_out and is_sitting(session, person_id, now=now):
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
    responses = {answer.item: answer.response for answer in list_answers(session, attempt.id)}
    keys = _keys_by_version(session, grade)
    cited = _citations_by_part(session, {item.version_id for item in items})
    return [
        _item_result(item, responses.get(item.item, []), Decimal(points), keys[item.version_id], cited)
        for item, points in zip(items, grade.item_points, strict=True)
    ]


def _keys_by_version(session: Session, grade: Grade) -> dict[int, AnswerKey]:
    keys = session.scalars(select(AnswerKey).where(AnswerKey.id.in_(grade.key_ids.values())))
    return {key.question_version_id: key for key in keys}


def _item_result(
    item: PaperItem, response: list[str], points: Decimal, key: AnswerKey, cited: dict[tuple[int, int], Basis]
) -> ItemResult:
    part = key.parts[item.part]
    return ItemResult(
        item=item.item,
        response=response,
        points=points,
        points_possible=item.points,
        key=kind_of(item.kind).describe_key(part["key"], part.get("blanks") or (), item.order),
        explanation=part.get("explanation") or "",
        basis=cited.get((item.version_id, item.part)) or cited.get((item.version_id, 0)),
    )


def _citations_by_part(session: Session, version_ids: Iterable[int]) -> dict[tuple[int, int], Basis]:
    """Give what is cited by question version and part (from 0), in one statement."""
    rows = session.execute(
        select(Citation.question_version_id, Citation.part, Law.name, LawVersion.version_on, Citation.articles)
        .join(LawVersion, Citation.law_version_id == LawVersion.id)
        .join(Law, LawVersion.law_id == Law.id)
        .where(Citation.question_version_id.in_(set(version_ids)))
    )
    return {(row[0], row[1] - 1): Basis(law=row[2], version_on=row[3], labels=row[4]) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class LawShare:
    """How one law's items of a paper went."""

    law: str
    right: int
    total: int


def shares_by_law(items: Sequence[ItemResult]) -> list[LawShare]:
    """Sum a paper's items by law, the weakest first."""
    found: dict[str, list[bool]] = {}
    for item in items:
        found.setdefault(item.law or "其他", []).append(item.is_right)
    shares = [LawShare(law=law, right=sum(rights), total=len(rights)) for law, rights in found.items()]
    return sorted(shares, key=lambda share: (share.right / share.total, share.law))
