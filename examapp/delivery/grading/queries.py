"""Reads for grading, and graded attempts as their candidates see them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, func, or_, select, text
from sqlalchemy.orm import Session

from examapp.content.blueprints.models import Paper
from examapp.content.questions.models import QuestionUse
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading.models import Grade, ItemRuling
from examapp.delivery.grading.rules import Ruling, Treatment, VersionKey
from examapp.jobs.models import MAX_RETRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSheet:
    """An attempt as it is graded."""

    id: int
    sections: Sequence[dict[str, Any]]
    response_schema: str
    responses: dict[str, list[str]] | None
    """By item; None where nothing was answered."""
    last_number: int
    """The number of its last grade, 0 where there is none."""
    rules: dict[str, Any]
    """The exam's rules of today, as a grade freezes them."""
    ruling_ids: list[int]
    """The rulings in force in the exam today, whatever the paper holds."""
    hand_marks: list[dict[str, Any]] | None
    """The marks in force that persons gave: id, item, points; None where there are none."""

    @property
    def version_ids(self) -> Iterator[int]:
        """The question versions of the paper."""
        return (item[0] for section in self.sections for item in section["items"])


BEGIN_FIRST = text("""
UPDATE attempts SET grading_retry_count = grading_retry_count + 1, grading_began_at = :now WHERE id = ANY(ARRAY(
  SELECT id FROM attempts WHERE state = 'submitted' AND quarantined_at IS NULL AND grading_retry_count = 0
  ORDER BY submitted_at LIMIT :limit FOR UPDATE SKIP LOCKED
)) RETURNING id
""")
BEGIN_AGAIN = text("""
UPDATE attempts SET grading_retry_count = grading_retry_count + 1, grading_began_at = :now WHERE id = ANY(ARRAY(
  SELECT id FROM attempts WHERE state = 'submitted' AND quarantined_at IS NULL
  AND grading_retry_count BETWEEN 1 AND :max_retries AND grading_began_at <= :lease_over_at
  ORDER BY submitted_at LIMIT :limit FOR UPDATE SKIP LOCKED
)) RETURNING id
""")
"""Attempts that were never tried, and those whose last try began before an instant and which may be tried once more."""
_LOCK = text("""
WITH steady AS MATERIALIZED (SELECT id FROM exams WHERE id IN (SELECT exam_id FROM attempts WHERE id = ANY(CAST(:ids AS bigint[]))) ORDER BY id FOR SHARE)
SELECT a.id FROM attempts AS a JOIN steady ON steady.id = a.exam_id
WHERE a.id = ANY(CAST(:ids AS bigint[])) AND a.state = 'submitted' AND a.quarantined_at IS NULL ORDER BY a.submitted_at FOR UPDATE OF a
""")
"""The exams' rows are held too: a correction, which locks them, waits for what is being graded by the rulings of before."""
_EXAM_RULES = text("""
SELECT e.id, json_build_object(
    'scoring_rule', e.scoring_rule, 'pass_percent', e.pass_percent::text, 'good_percent', e.good_percent::text, 'excellent_percent', e.excellent_percent::text
  ) AS rules,
  ARRAY(SELECT max(id) FROM item_rulings WHERE exam_id = e.id GROUP BY question_version_id, part ORDER BY 1) AS ruling_ids
FROM exams AS e WHERE e.id = ANY(ARRAY(SELECT DISTINCT exam_id FROM attempts WHERE id = ANY(CAST(:ids AS bigint[]))))
""")
_SHEETS = text("""
SELECT a.id, a.exam_id, a.is_annulled, p.sections, p.response_schema,
  (SELECT json_agg(json_build_object('id', id, 'item', item, 'points', points::text)) FROM item_marks WHERE attempt_id = a.id AND is_current) AS hand_marks,
  (SELECT coalesce(max(number), 0) FROM grades WHERE attempt_id = a.id) AS last_number,
  (SELECT json_object_agg(item, response) FROM answers WHERE attempt_id = a.id) AS responses
FROM attempts AS a JOIN papers AS p ON p.id = a.paper_id WHERE a.id = ANY(CAST(:ids AS bigint[]))
""")
_NEWEST_KEYS = text("""
SELECT DISTINCT ON (question_version_id) question_version_id, id FROM answer_keys WHERE question_version_id = ANY(CAST(:ids AS bigint[]))
ORDER BY question_version_id, number DESC
""")
_KEYS = text("SELECT id, parts FROM answer_keys WHERE id = ANY(CAST(:ids AS bigint[]))")
_RULINGS = text(
    "SELECT id, question_version_id, part, treatment, key_ids FROM item_rulings WHERE id = ANY(CAST(:ids AS bigint[]))"
)
_MAX_CACHED_KEYS = 20_000
_cached_keys: dict[int, VersionKey] = {}


_HOLD_KEYS = text("SELECT pg_advisory_xact_lock_shared(hashtext('grading.keys'))")
_CHANGE_KEYS = text("SELECT pg_advisory_xact_lock(hashtext('grading.keys'))")


def hold_keys(session: Session, *, may_change: bool = False) -> None:
    """Hold the keys of used questions as they are until the transaction ends; one that may change them waits for all that grade, and they for it.

    Take it before any row: what is graded by the key of before is then visible to who puts a new one in force.
    """
    session.connection().execute(_CHANGE_KEYS if may_change else _HOLD_KEYS)


def begin_grading(session: Session, statement: TextClause, **values: Any) -> list[int]:
    """Count a try of attempts that wait for a grade and that nobody else holds, oldest first. Return their ids."""
    return list(session.connection().execute(statement, values).scalars())


def lock_ungraded(session: Session, ids: Sequence[int]) -> list[int]:
    """Lock those of these attempts that still wait for a grade.

    It waits for a row that is held: a hand-in repeated at this moment holds it too, and a row passed over would wait for its lease to end.
    """
    return list(session.connection().execute(_LOCK, {"ids": ids}).scalars())


def list_sheets(session: Session, ids: Sequence[int]) -> list[AnswerSheet]:
    """List attempts with their papers and responses in one statement, and their exams' rules and rulings, once an exam, in another; lock them before."""
    exams = {row.id: row for row in session.connection().execute(_EXAM_RULES, {"ids": ids})}
    return [
        AnswerSheet(
            id=row.id, sections=row.sections, response_schema=row.response_schema, responses=row.responses, last_number=row.last_number,
            rules=exams[row.exam_id].rules | ({"is_annulled": True} if row.is_annulled else {}), ruling_ids=exams[row.exam_id].ruling_ids,
            hand_marks=row.hand_marks,
        )
        for row in session.connection().execute(_SHEETS, {"ids": ids})
    ]  # fmt: skip


def list_exhausted(session: Session, *, lease_over_at: datetime) -> Sequence[Attempt]:
    """Lock attempts whose grading failed as often as it may."""
    return session.scalars(
        select(Attempt)
        .where(Attempt.state == AttemptState.SUBMITTED, Attempt.quarantined_at.is_(None))
        .where(Attempt.grading_retry_count >= MAX_RETRIES, Attempt.grading_began_at <= lease_over_at)
        .with_for_update(skip_locked=True)
    ).all()


def newest_keys(session: Session, version_ids: Iterable[int]) -> dict[int, VersionKey]:
    """Give the newest key of each question version; one statement, and one more for keys that this process has not yet seen."""
    newest = session.connection().execute(_NEWEST_KEYS, {"ids": list(set(version_ids))}).all()
    keys = keys_by_id(session, [row.id for row in newest])
    return {row.question_version_id: keys[row.id] for row in newest}


def keys_by_id(session: Session, ids: Collection[int]) -> dict[int, VersionKey]:
    """Give keys by id; a statement only for those that this process has not yet seen."""
    if len(_cached_keys) > _MAX_CACHED_KEYS:
        clear_key_cache()
    found = {key_id: key for key_id in ids if (key := _cached_keys.get(key_id)) is not None}
    if missing := [key_id for key_id in ids if key_id not in found]:
        for row in session.connection().execute(_KEYS, {"ids": missing}):
            found[row.id] = _cached_keys[row.id] = VersionKey(row.id, row.parts)
    return found


def rulings_by_id(session: Session, ids: Collection[int]) -> dict[int, Ruling]:
    """Give rulings by id with the keys they score by; no statement where there are no ids."""
    if not ids:
        return {}
    rows = session.connection().execute(_RULINGS, {"ids": list(ids)}).all()
    keys = keys_by_id(session, {key_id for row in rows for key_id in row.key_ids})
    return {
        row.id: Ruling(
            id=row.id, version_id=row.question_version_id, part=row.part, treatment=Treatment(row.treatment),
            keys=tuple(keys[key_id] for key_id in row.key_ids),
        )
        for row in rows
    }  # fmt: skip


def clear_key_cache() -> None:
    """Drop the cached keys: another database stands behind the same ids now (tests, a restore)."""
    _cached_keys.clear()


def count_ungraded(session: Session) -> tuple[int, int]:
    """Count the attempts that wait for a grade, and those set aside after three tries, for monitoring."""
    row = session.execute(
        select(
            func.count().filter(Attempt.quarantined_at.is_(None)),
            func.count().filter(Attempt.quarantined_at.is_not(None)),
        ).where(Attempt.state == AttemptState.SUBMITTED)
    ).one()
    return row[0], row[1]


_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class GradedPaper:
    """A paper as it was drawn, and what its items brought."""

    sections: Sequence[dict[str, Any]]
    item_points: Sequence[str]
    void: frozenset[tuple[int, int]]
    """Version and part of the items that do not count."""


def exams_to_tally(session: Session) -> list[tuple[int, str]]:
    """List the exams with grades younger than their last count: id and title."""
    counted = (
        select(QuestionUse.exam_id, func.max(QuestionUse.counted_at).label("at"))
        .group_by(QuestionUse.exam_id)
        .subquery()
    )
    graded = (
        select(Attempt.exam_id, func.max(Grade.graded_at).label("at"))
        .join(Attempt, Grade.attempt_id == Attempt.id)
        .where(Grade.is_current)
        .group_by(Attempt.exam_id)
        .subquery()
    )
    rows = session.execute(
        select(Exam.id, Exam.title)
        .join(graded, graded.c.exam_id == Exam.id)
        .outerjoin(counted, counted.c.exam_id == Exam.id)
        .where(or_(counted.c.at.is_(None), graded.c.at > counted.c.at))
        .order_by(Exam.id)
    )
    return [(row.id, row.title) for row in rows]


def iter_graded_papers(session: Session, exam_id: int) -> Iterator[GradedPaper]:
    """Give every graded paper of an exam, streamed."""
    of_exam = select(ItemRuling).where(ItemRuling.exam_id == exam_id, ItemRuling.treatment == Treatment.VOID)
    void = {ruling.id: (ruling.question_version_id, ruling.part) for ruling in session.scalars(of_exam)}
    rows = session.execute(
        select(Paper.sections, Grade.item_points, Grade.ruling_ids)
        .join(Attempt, Grade.attempt_id == Attempt.id)
        .join(Paper, Attempt.paper_id == Paper.id)
        .where(Attempt.exam_id == exam_id, Grade.is_current)
        .execution_options(yield_per=_AT_ONCE)
    )
    for sections, item_points, ruling_ids in rows:
        yield GradedPaper(sections, item_points, frozenset(void[i] for i in ruling_ids if i in void))
