"""Take the one answer that a drawn question gets: graded here, kept with the card it makes, and with the end of its exercise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Integer, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, aliased

from examapp.clock import day_of, start_of
from examapp.content.questions.models import AnswerKey, BankQuestion, QuestionState, QuestionVersion
from examapp.delivery.grading.rules import score_item
from examapp.delivery.results.queries import GradedAnswers, list_answers_of_grades, list_newer_grades
from examapp.errors import ActiveAttemptError, DomainError, NotFoundError
from examapp.learning.courses.models import ExerciseRun, PracticeItem
from examapp.learning.courses.queries import get_own_run
from examapp.learning.practice.queries import ONE_POINT
from examapp.learning.practice.rules import InvalidAnswerError, read_response
from examapp.learning.spaced_repetition.actions import LOCK, Place, Subjects, SumPlace, subjects_of, write_cards
from examapp.learning.spaced_repetition.models import HarvestedAttempt, UnitWeakness
from examapp.learning.spaced_repetition.rules import Memory, after_answer
from examapp.learning.study.actions import pass_chapter
from examapp.platform.audit.actions import ActionContext, Actor, record
from question_bank.kinds.base import ItemKey, ScoringRule
from question_bank.kinds.registry import kind_of
from question_bank.model import Kind

AUDIT_ACTS = {"training.reach_limit": "练习题数达到每日上限"}

_ASK = text("""
WITH run AS (
  SELECT r.id, r.chapter_id FROM exercise_runs AS r JOIN practice_items AS own ON own.run_id = r.id
  WHERE own.id = :item_id AND own.person_id = :person_id FOR UPDATE OF r
)
SELECT i.question_id, i.part, i."order", i.answered_at, v.content -> 'parts' -> i.part AS asked, k.parts -> i.part AS key, k.number AS key_number,
  run.id AS run_id, c.stability, c.difficulty, c.answered_at AS last_at, c.due_at,
  EXISTS (SELECT FROM counting_attempts(:person_id, :now)) AS has_active_attempt,
  (SELECT count(*) FROM practice_items AS p WHERE p.person_id IN (SELECT same_person(:person_id)) AND p.answered_at >= :day) AS answered_today
FROM practice_items AS i
JOIN question_versions AS v ON v.id = i.question_version_id
JOIN LATERAL (SELECT parts, number FROM answer_keys WHERE question_version_id = i.question_version_id ORDER BY number DESC LIMIT 1) AS k ON true
LEFT JOIN run ON true
LEFT JOIN review_cards AS c ON c.person_id = i.person_id AND c.question_id = i.question_id AND c.part = i.part
WHERE i.id = :item_id AND i.person_id = :person_id
FOR UPDATE OF i
""")
"""Everything that grading needs, with the item and its exercise locked: of two presses the second waits and sees the first."""

_KEEP = text("""
WITH answered AS (
  UPDATE practice_items SET response = :response, is_right = :is_right, is_unsure = :is_unsure, answered_at = :now, key_number = :key_number
  WHERE id = :item_id
), card AS (
  INSERT INTO review_cards (person_id, question_id, part, is_right, lapses, answered_at, due_at, stability, difficulty, item_id)
  VALUES (:person_id, :question_id, :part, :is_right, :lapse, :now, :due_at, :stability, :difficulty, :item_id)
  ON CONFLICT (person_id, question_id, part) DO UPDATE SET is_right = excluded.is_right, lapses = review_cards.lapses + excluded.lapses,
    answered_at = excluded.answered_at, due_at = excluded.due_at, stability = excluded.stability, difficulty = excluded.difficulty,
    item_id = excluded.item_id, exam_id = NULL
), others AS (
  SELECT count(*) FILTER (WHERE answered_at IS NULL) AS waiting, count(*) FILTER (WHERE is_right) AS right_count
  FROM practice_items WHERE run_id = :run_id AND id <> :item_id
), ended AS (
  UPDATE exercise_runs AS r SET finished_at = :now, right_count = o.right_count + :one, is_passed = o.right_count + :one >= r.pass_count
  FROM others AS o WHERE r.id = :run_id AND o.waiting = 0 RETURNING r.chapter_id, r.is_passed
)
SELECT chapter_id FROM ended WHERE is_passed
""").bindparams(bindparam("response", type_=JSONB))


class AnswerRateError(DomainError):
    """So many answers a day and no more: each shows a key, and the bank is not to be read out in an hour."""

    code = "practice_pace"
    message = "今天练习的题数已经很多，到上限了。请明天再来，已练的都已保存。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of an answer."""

    is_new: bool
    """Whether it was the first, the one that counts."""
    run_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperResponse:
    """What was answered to one question of a paper."""

    response: Sequence[str] = ()
    is_unsure: bool = False


def answer(
    session: Session,
    *,
    item_id: int,
    person_id: int,
    raw: Sequence[str],
    now: datetime,
    max_a_day: int,
    is_unsure: bool = False,
) -> Answered:
    """Grade the answer to a drawn question; the last one of an exercise ends it. Two statements, more where a chapter is passed.

    Only the first answer counts: a second one, or the same again, changes nothing. The one that reaches the day's limit leaves an audit line.
    Raises NotFoundError, InvalidAnswerError, ActiveAttemptError, AnswerRateError.
    """
    values = {"item_id": item_id, "person_id": person_id, "now": now, "day": start_of(day_of(now))}
    row = session.execute(_ASK, values).one_or_none()
    if row is None:
        raise NotFoundError("这道题已经换过，请回到练习重新抽题。")
    if row.answered_at is not None:
        return Answered(is_new=False, run_id=row.run_id)
    _ensure_may_answer(row, max_a_day)
    response = read_response(row.asked, raw)
    _keep(session, row, response, values=values, is_unsure=is_unsure, max_a_day=max_a_day)
    return Answered(is_new=True, run_id=row.run_id)


def _keep(
    session: Session, row: Any, response: list[str], *, values: dict[str, Any], is_unsure: bool, max_a_day: int
) -> None:
    """Grade a response, keep it with its card, and end the exercise whose last one it is."""
    person_id, now = values["person_id"], values["now"]
    is_right = is_answer_right(row.asked, row.key, order=row.order, response=response)
    memory = _remembered(row, is_right=is_right, is_unsure=is_unsure, now=now)
    passed = session.execute(
        _KEEP,
        {
            **values,
            "question_id": row.question_id,
            "part": row.part,
            "run_id": row.run_id,
            "response": response,
            "is_right": is_right,
            "is_unsure": is_unsure,
            "one": int(is_right),
            "lapse": int(not is_right),
            "key_number": row.key_number,
            **memory,
        },
    ).scalar_one_or_none()
    if row.answered_today + 1 == max_a_day:
        _note_limit(session, person_id, max_a_day, now=now)
    if passed is not None:
        pass_chapter(session, chapter_id=passed, person_id=person_id, now=now)


def hand_in_run(
    session: Session,
    run_id: int,
    responses: Mapping[int, PaperResponse],
    *,
    person_id: int,
    now: datetime,
    max_a_day: int,
) -> tuple[ExerciseRun, int]:
    """Answer a run's open questions at once, by their numbers on the paper; what was left blank or is no answer counts as wrong. Give the run and its number of questions.

    A second hand-in changes nothing. A paper that was begun may be handed in whole: the day's limit is asked for before its first answer alone.
    Raises NotFoundError, ActiveAttemptError, AnswerRateError.
    """
    session.execute(
        select(ExerciseRun.id).where(ExerciseRun.id == run_id, ExerciseRun.person_id == person_id).with_for_update()
    )
    run, items = get_own_run(session, run_id, person_id=person_id)
    is_first = True
    for number, item in enumerate(items, start=1):
        values = {"item_id": item.id, "person_id": person_id, "now": now, "day": start_of(day_of(now))}
        row = session.execute(_ASK, values).one()
        if row.answered_at is not None:
            continue
        if is_first:
            _ensure_may_answer(row, max_a_day)
        is_first = False
        given = responses.get(number, PaperResponse())
        response = _answer_or_blank(row.asked, given.response)
        _keep(session, row, response, values=values, is_unsure=given.is_unsure, max_a_day=max_a_day)
    session.refresh(run)
    return run, len(items)


def _answer_or_blank(asked: dict[str, Any], raw: Sequence[str]) -> list[str]:
    try:
        return read_response(asked, raw)
    except InvalidAnswerError:
        return []


def _ensure_may_answer(row: Any, max_a_day: int) -> None:
    if row.has_active_attempt:
        raise ActiveAttemptError
    if row.answered_today >= max_a_day:
        raise AnswerRateError(
            f"今天已经练了 {row.answered_today} 题，到了每天 {max_a_day} 题的上限。请明天再练，已练的都已保存。"
        )


def _note_limit(session: Session, person_id: int, max_a_day: int, *, now: datetime) -> None:
    details = {"answers": max_a_day}
    actor = Actor(person_id=person_id, address=None)
    record(ActionContext(session, actor, now), "training.reach_limit", object_type="person", object_id=person_id, person_id=person_id, details=details)  # fmt: skip


def is_answer_right(asked: dict[str, Any], key: dict[str, Any], *, order: str, response: list[str]) -> bool:
    """Tell whether an answer to a part, in the letters of a display order, is right by a key: wholly, or it is wrong."""
    item = ItemKey(
        kind=Kind(asked["kind"]),
        points=ONE_POINT,
        key=kind_of(asked["kind"]).display_key(key["key"], order),
        option_count=len(asked["options"]),
        blanks=tuple(tuple(variants) for variants in key.get("blanks") or ()),
        units=tuple(key.get("units") or ()),
    )
    return score_item(item, response, rule=ScoringRule.ALL_OR_NOTHING) == ONE_POINT


def _remembered(row: Any, *, is_right: bool, is_unsure: bool, now: datetime) -> dict[str, Any]:
    """Give when the card comes back; one that was never wrong nor unsure does not."""
    before = None
    if row.stability is not None:
        before = Memory(stability=row.stability, difficulty=row.difficulty, answered_at=row.last_at, due_at=row.due_at)
    after = after_answer(before, is_right=is_right, is_unsure=is_unsure, at=now)
    if after is None:
        return {"due_at": None, "stability": None, "difficulty": None}
    return {"due_at": after.due_at, "stability": after.stability, "difficulty": after.difficulty}


log = structlog.get_logger()
_BATCH = 200


def follow_grades(session: Session, *, now: datetime) -> int:
    """Take up a batch of harvested attempts that were graded again: cards and units' sums as the new grade has them; gives how many."""
    session.execute(LOCK)
    known = select(HarvestedAttempt.grade_id).where(HarvestedAttempt.grade_id.is_not(None))
    replaced = dict(list_newer_grades(session, known=known, limit=_BATCH))
    if not replaced:
        return 0
    by_grade = {row.grade_id: row for row in list_answers_of_grades(session, [*replaced, *replaced.values()])}
    pairs = [(by_grade[old], by_grade[new]) for old, new in replaced.items()]
    subjects = subjects_of(session, by_grade.values())
    for _, new in pairs:
        row = session.get_one(HarvestedAttempt, new.attempt_id)
        row.grade_id = new.grade_id
    session.flush()
    write_cards(session, _changed_places(pairs, subjects))
    _move_sums(session, pairs, subjects)
    log.info("regraded_attempts_followed", count=len(pairs), at=now.isoformat())
    return len(pairs)


def _changed_places(pairs: Sequence[tuple[GradedAnswers, GradedAnswers]], subjects: Subjects) -> set[Place]:
    return {
        place
        for old, new in pairs
        for place, before, after in zip(subjects.places_of(new), old.items, new.items, strict=True)
        if before != after or old.submitted_at != new.submitted_at
    }


def _move_sums(session: Session, pairs: Sequence[tuple[GradedAnswers, GradedAnswers]], subjects: Subjects) -> None:
    """Move the sums by what changed; a question that got another law since keeps them within what was asked there."""
    moved: Counter[SumPlace] = Counter()
    for old, new in pairs:
        moved.update(place for place, is_right in subjects.sums_of(new) if is_right)
        moved.subtract(place for place, is_right in subjects.sums_of(old) if is_right)
    for (exam_id, unit_id, kind, name), by in sorted(moved.items()):
        if by:
            session.execute(
                update(UnitWeakness)
                .where(
                    UnitWeakness.exam_id == exam_id,
                    UnitWeakness.unit_id == unit_id,
                    UnitWeakness.kind == kind,
                    UnitWeakness.name == name,
                )
                .values(right_count=func.least(UnitWeakness.asked, func.greatest(0, UnitWeakness.right_count + by)))
            )


def follow_keys(session: Session, *, now: datetime) -> int:
    """Grade again a batch of practised answers whose key was corrected and reviewed; gives how many.

    An exercise that the right key passes is passed now; one that was passed stays so: what somebody has earned is not taken away.
    """
    rows = session.execute(_OUTDATED.limit(_BATCH)).all()
    if not rows:
        return 0
    changed: set[Place] = set()
    run_ids: set[int] = set()
    for item, number, asked, key in rows:
        item.key_number = number
        is_right = is_answer_right(asked, key, order=item.order, response=item.response)
        if is_right != item.is_right:
            item.is_right = is_right
            changed.add((item.person_id, item.question_id, item.part))
            run_ids |= {item.run_id} - {None}
    session.flush()
    write_cards(session, changed)
    _count_again(session, run_ids, now=now)
    log.info("corrected_keys_followed", count=len(rows), changed=len(changed))
    return len(rows)


def _outdated() -> Any:
    newer = aliased(AnswerKey)
    part = PracticeItem.part.cast(Integer)
    return (
        select(PracticeItem, AnswerKey.number, QuestionVersion.content["parts"][part], AnswerKey.parts[part])
        .join(AnswerKey, AnswerKey.question_version_id == PracticeItem.question_version_id)
        .join(QuestionVersion, QuestionVersion.id == PracticeItem.question_version_id)
        .join(BankQuestion, BankQuestion.id == PracticeItem.question_id)
        .where(
            AnswerKey.number > 1,
            PracticeItem.key_number < AnswerKey.number,
            PracticeItem.answered_at.is_not(None),
            BankQuestion.state != QuestionState.DRAFT,
            ~select(newer.id)
            .where(newer.question_version_id == AnswerKey.question_version_id, newer.number > AnswerKey.number)
            .exists(),
        )
        .order_by(PracticeItem.id)
        .with_for_update(of=PracticeItem, skip_locked=True)
    )


_OUTDATED = _outdated()
"""Answered items with the newest key of their version, where they were graded by an older one; a draft's key still waits for its review."""


def _count_again(session: Session, run_ids: Collection[int], *, now: datetime) -> None:
    runs = session.scalars(
        select(ExerciseRun)
        .where(ExerciseRun.id.in_(run_ids), ExerciseRun.finished_at.is_not(None))
        .order_by(ExerciseRun.id)
        .with_for_update()
    )
    for run in runs:
        run.right_count = session.scalar(
            select(func.count()).where(PracticeItem.run_id == run.id, PracticeItem.is_right.is_(True))
        )
        if not run.is_passed and (run.right_count or 0) >= run.pass_count:
            run.is_passed = True
            session.flush()
            if run.chapter_id is not None:
                pass_chapter(session, chapter_id=run.chapter_id, person_id=run.person_id, now=now)
