"""Correct what grades are made of, by two persons or three and in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from examapp.clock import local
from examapp.content.question_review.actions import put_part_in_force
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.corrections import queries
from examapp.delivery.corrections.rules import (
    CorrectionKind,
    CorrectionState,
    GradeChange,
    Outcome,
    fingerprint,
    grade_again,
    summarise,
)
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading import queries as grading_queries
from examapp.delivery.grading.models import Correction, ItemRuling
from examapp.delivery.grading.rules import BAND_NAMES, Band, Ruling, Treatment, VersionKey
from examapp.documents.spreadsheets import SheetColumn, SheetLayout, write_xlsx
from examapp.errors import BadRequestError, ConflictError
from examapp.organisation.dual_control.actions import SamePersonError
from examapp.platform.audit.actions import ActionContext, record
from examapp.points import for_people

AUDIT_ACTS = {
    "corrections.approve": "批准更正成绩",
    "corrections.ask": "申请更正成绩",
    "corrections.check": "审核更正成绩",
    "corrections.export": "导出更正前后对照",
    "corrections.reject": "退回更正成绩",
}
AUDIT_OBJECTS = {"correction": "成绩更正"}


_BETWEEN_PAUSES, _PAUSE_S = 20, 0.0003
"""Papers that are scored at a stretch, about a millisecond, before saves that wait for this process have their turn."""


class OutdatedError(ConflictError):
    """What a correction would do is no longer what its dry run showed."""

    code = "outdated"
    message = "试算以后，这些考试的成绩又有变化，这次更正没有执行。请申请人重新试算，看过新的结果再提。"


class AlreadyAskedError(ConflictError):
    """The same correction waits already."""

    code = "already_asked"
    message = "同样的更正已经提交，正在等人审核，不需要重复提交。"


def dry_run(session: Session, change: GradeChange, exam_ids: Sequence[int]) -> list[Outcome]:
    """Give what a change would do to each current grade of these exams that it touches; writes nothing.

    Raises BadRequestError without an exam, unless a new key is for the bank alone: for what is graded from here on; ConflictError for an anonymised one.
    """
    queries.ensure_not_anonymised(session, exam_ids)
    if not exam_ids and (change.new_part is None or change.treatment is not Treatment.KEY):
        raise BadRequestError("请至少选一场考试。")
    provisional = dict.fromkeys(exam_ids, 0)
    return [outcome for outcome, _ in _iter_outcomes(session, change, exam_ids, provisional)]


def ask_correction(
    context: ActionContext,
    *,
    change: GradeChange,
    exam_ids: Sequence[int],
    reason: str,
    public_reason: str = "",
    seen: str = "",
) -> Correction:
    """Put down a correction with its dry run, for one other person or two to decide; `seen` is the fingerprint of the dry run that was looked at.

    Raises BadRequestError, NotFoundError, AlreadyAskedError, and OutdatedError where the dry run comes to something else by now.
    """
    session = context.session
    exams = queries.lock_exams(session, exam_ids)
    if not reason.strip():
        raise BadRequestError("请写明更正的理由。")
    stored = msgspec.to_builtins(change)
    if queries.is_waiting(session, stored, exam_ids):
        raise AlreadyAskedError
    outcomes = dry_run(session, change, exam_ids)
    if exam_ids and not outcomes:
        raise BadRequestError("所选的考试中没有这样的已评分的答卷，不需要更正成绩。")
    if seen and fingerprint(outcomes) != seen:
        raise OutdatedError("试算以后，这些考试的成绩又有变化。下面是新的试算结果，请看过再提交。")
    correction = Correction(
        kind=change.kind,
        change=stored,
        exam_ids=sorted(exam_ids),
        kept_exam_ids=_others_with(session, change, exam_ids),
        reason=reason.strip()[:500],
        public_reason=public_reason.strip()[:500],
        is_published=queries.are_results_out(session, exams, now=context.now),
        fingerprint=fingerprint(outcomes),
        summary=summarise(outcomes),
        attempt_ids=[outcome.attempt_id for outcome in outcomes],
        state=CorrectionState.ASKED,
        asked_by_id=context.actor.person_id,
        asked_at=context.now,
    )
    session.add(correction)
    session.flush()
    _note(context, "corrections.ask", correction, count=len(outcomes))
    return correction


def _others_with(session: Session, change: GradeChange, exam_ids: Sequence[int]) -> list[int]:
    """List the exams with graded attempts that a new key would rule too, but for those that were chosen."""
    if change.new_part is None:
        return []
    return [each for each in queries.list_exam_ids_with(session, change.version_id) if each not in set(exam_ids)]


def check_correction(context: ActionContext, correction_id: int) -> Correction:
    """Check a correction of published results as the second of three persons; raises SamePersonError, ConflictError, OutdatedError."""
    correction = _lock_for(context, correction_id, CorrectionState.ASKED)
    if not correction.is_published:
        raise ConflictError("这项更正不涉及已公布的成绩，由另一人批准即可。")
    queries.lock_exams(context.session, correction.exam_ids)
    outcomes = dry_run(context.session, GradeChange.from_json(correction.change), correction.exam_ids)
    _ensure_current(correction, outcomes)
    correction.state, correction.checked_by_id = CorrectionState.CHECKED, context.actor.person_id
    correction.checked_at = context.now
    _note(context, "corrections.check", correction, count=len(outcomes))
    return correction


def reject_correction(context: ActionContext, correction_id: int) -> Correction:
    """Reject a correction that is not yet applied; raises SamePersonError, ConflictError."""
    correction = _lock_for(context, correction_id, CorrectionState.ASKED, CorrectionState.CHECKED)
    correction.state, correction.decided_at = CorrectionState.REJECTED, context.now
    _note(context, "corrections.reject", correction, count=len(correction.attempt_ids))
    return correction


def approve_correction(context: ActionContext, correction_id: int) -> Correction:
    """Apply a correction as its last person, to all attempts of all its exams in this transaction: no reader sees a mixture.

    Raises SamePersonError, ConflictError, and OutdatedError where it would do other than its dry run said.
    """
    session = context.session
    correction = _lock_for(context, correction_id, CorrectionState.ASKED, CorrectionState.CHECKED)
    change = GradeChange.from_json(correction.change)
    if change.new_part is not None:
        grading_queries.hold_keys(session, may_change=True)
    exams = queries.lock_exams(session, correction.exam_ids)
    queries.ensure_not_anonymised(session, correction.exam_ids)
    if correction.is_published and correction.state != CorrectionState.CHECKED:
        raise ConflictError("这项更正涉及已公布的成绩，要先由一人审核，再由另一人批准。")
    if not correction.is_published and queries.are_results_out(session, exams, now=context.now):
        raise OutdatedError("申请以后成绩已经公布，更正要由三人办理。请申请人重新提交。")
    if not set(_others_with(session, change, correction.exam_ids)) <= set(correction.kept_exam_ids):
        raise OutdatedError("申请以后又有别的考试按原答案评了分。请申请人重新试算，选好更正哪些考试再提。")
    change = _put_key_in_force(context, change, correction)
    ruling_ids = _put_change_in_force(session, change, correction, exams)
    made = list(_iter_outcomes(session, change, correction.exam_ids, ruling_ids))
    _ensure_current(correction, [outcome for outcome, _ in made])
    correction.state, correction.approved_by_id = CorrectionState.APPLIED, context.actor.person_id
    correction.decided_at = context.now
    session.flush()
    _write_grades(context, correction, [row for _, row in made])
    _note(context, "corrections.approve", correction, count=len(made))
    return correction


def _lock_for(context: ActionContext, correction_id: int, *states: CorrectionState) -> Correction:
    correction = queries.lock_correction(context.session, correction_id)
    if correction.state not in states:
        raise ConflictError("这项更正刚才已经处理过了，请刷新页面查看结果。")
    if context.actor.person_id in {None, correction.asked_by_id, correction.checked_by_id}:
        raise SamePersonError
    return correction


def _ensure_current(correction: Correction, outcomes: Sequence[Outcome]) -> None:
    """Raise OutdatedError unless the attempts of the dry run come to the same; others may have been graded since."""
    known = set(correction.attempt_ids)
    if fingerprint(outcome for outcome in outcomes if outcome.attempt_id in known) != correction.fingerprint:
        raise OutdatedError


def _put_key_in_force(context: ActionContext, change: GradeChange, correction: Correction) -> GradeChange:
    """Store a key that the bank does not hold yet, and give the change that names it; raises ConflictError where the bank's has changed since."""
    if change.new_part is None:
        return change
    key = put_part_in_force(
        context, version_id=change.version_id, part=change.part, corrected=dict(change.new_part), old_key_id=change.old_key_id,
        reason=correction.reason, author_id=correction.asked_by_id,
    )  # fmt: skip
    stored = replace(change, key_ids=(*change.key_ids, key.id), new_part=None)
    correction.change = msgspec.to_builtins(stored)
    return stored


def _put_change_in_force(
    session: Session, change: GradeChange, correction: Correction, exams: Sequence[Exam]
) -> dict[int, int]:
    """Write what a change says, so that what is graded from here on follows it too; gives the new rulings' ids by exam.

    Exams that were left out of a new key are ruled by the key of before, unless they have a ruling already.
    """
    for exam in exams:
        exam.result_version += 1
        if change.kind is CorrectionKind.RULES:
            for name, value in change.rules.items():
                setattr(exam, name, value if name == "scoring_rule" else Decimal(value))
    session.flush()
    if change.kind is CorrectionKind.ANNULMENT:
        of_attempt = update(Attempt).where(Attempt.id == change.attempt_id, Attempt.exam_id.in_(correction.exam_ids))
        session.execute(of_attempt.values(is_annulled=change.is_annulled))
    if change.kind is not CorrectionKind.ITEM:
        return {}
    place = {"question_version_id": change.version_id, "part": change.part, "correction_id": correction.id}
    kept = set(correction.kept_exam_ids)
    kept -= queries.list_ruled(session, correction.kept_exam_ids, change.version_id, change.part) if kept else set()
    before = {**place, "treatment": Treatment.KEY, "key_ids": [change.old_key_id]}
    new = {**place, "treatment": change.treatment, "key_ids": list(change.key_ids)}
    rows = [{"exam_id": exam.id, **new} for exam in exams] + [
        {"exam_id": exam_id, **before} for exam_id in sorted(kept)
    ]
    if not rows:
        return {}
    made = session.execute(insert(ItemRuling).returning(ItemRuling.exam_id, ItemRuling.id), rows)
    return {exam_id: ruling_id for exam_id, ruling_id in made}  # noqa: C416 – rows are no plain tuples for the type checker


def _iter_outcomes(
    session: Session, change: GradeChange, exam_ids: Sequence[int], ruling_ids: Mapping[int, int]
) -> Iterator[tuple[Outcome, dict[str, Any]]]:
    """Give for each touched grade what it comes to, and the columns of the next one; `ruling_ids` by exam where the change is one of an item."""
    keys_by_id = grading_queries.keys_by_id(session, change.key_ids)
    new_keys = tuple(keys_by_id[key_id] for key_id in change.key_ids)
    if change.new_part is not None:
        new_keys += (VersionKey(0, (change.new_part,) * (change.part + 1)),)
    is_item = change.kind is CorrectionKind.ITEM
    new = {
        exam_id: Ruling(
            id=ruling_id, version_id=change.version_id, part=change.part, treatment=change.treatment,
            keys=new_keys,
        )
        for exam_id, ruling_id in ruling_ids.items()
    }  # fmt: skip
    rulings: dict[int, Ruling] = {}
    for batch in queries.iter_current_grades(session, change, exam_ids):
        missing = {ruling_id for grade in batch for ruling_id in grade.ruling_ids} - rulings.keys()
        rulings |= grading_queries.rulings_by_id(session, missing)
        keys = grading_queries.keys_by_id(session, {key_id for grade in batch for key_id in grade.key_ids.values()})
        for number, grade in enumerate(batch):
            if number % _BETWEEN_PAUSES == 0:
                time.sleep(_PAUSE_S)
            new_ruling = new[grade.exam_id] if is_item else None
            row = grade_again(grade, change, keys=keys, rulings=rulings, new_ruling=new_ruling)
            if row is None:
                continue
            if not row["points_possible"]:
                raise BadRequestError("不计分以后，有的试卷就没有可得的分了。请改用“全体给分”。")
            yield Outcome.of(grade, row), row


_WRITE = text("""
WITH replaced AS (
  UPDATE grades SET is_current = false
  FROM jsonb_to_recordset(CAST(:grades AS jsonb)) AS g(
    grade_id bigint, points numeric, points_possible numeric, percent numeric, band text, is_passed bool, item_points text, rules jsonb, ruling_ids bigint[]
  )
  WHERE grades.id = g.grade_id AND grades.is_current
  RETURNING grades.attempt_id, grades.number, grades.key_ids, grades.mark_ids, grades.sheet, g.points, g.points_possible, g.percent, g.band, g.is_passed,
    g.item_points, g.rules, g.ruling_ids
)
INSERT INTO grades (attempt_id, number, is_current, points, points_possible, percent, band, is_passed, item_points, key_ids, rules, ruling_ids, mark_ids,
  sheet, reason, graded_by_id, graded_at, correction_id)
SELECT attempt_id, number + 1, true, points, points_possible, percent, band, is_passed, to_jsonb(string_to_array(item_points, ',')), key_ids, rules, ruling_ids,
  mark_ids, sheet, 'correction', :approved_by_id, :now, :correction_id
FROM replaced
""")


def _write_grades(context: ActionContext, correction: Correction, rows: Sequence[dict[str, Any]]) -> None:
    """Write the next grade of each attempt in one statement; raise OutdatedError where another has taken its place meanwhile."""
    values = {"approved_by_id": correction.approved_by_id, "now": context.now, "correction_id": correction.id}
    grades = msgspec.json.encode(rows).decode()
    written = context.session.connection().execute(_WRITE, {"grades": grades, **values})
    if written.rowcount != len(rows):
        raise OutdatedError


def _note(context: ActionContext, act: str, correction: Correction, *, count: int) -> None:
    record(context, act, object_type="correction", object_id=correction.id, details={"count": count})


_COLUMNS = tuple(
    SheetColumn(head=head, width=width)
    for head, width in (
        ("考试", 30), ("单位编码", 12), ("单位", 28), ("工号", 14), ("姓名", 12), ("第几次作答", 12), ("更正前（分）", 14), ("更正后（分）", 14),
        ("更正前等次", 12), ("更正后等次", 12), ("参加过补考", 12),
    )
)  # fmt: skip


def write_correction(context: ActionContext, correction: Correction, path: Path, *, title: str) -> None:
    """Write every result that an applied correction has changed, with an audit line."""
    outcomes = [each for each in queries.list_outcomes(context.session, correction.id) if each.is_changed]
    people = queries.people_of(context.session, [each.attempt_id for each in outcomes])
    rows = sorted((_cells(people[each.attempt_id], each) for each in outcomes), key=lambda row: row[:4])
    remarks = [f"理由：{correction.reason}", f"截至 {local(context.now):%Y-%m-%d %H:%M}，只列成绩有变化的作答。"]
    write_xlsx(path, [SheetLayout(name="更正前后对照", columns=_COLUMNS, rows=rows, title=title, remarks=remarks)])
    record(
        context, "corrections.export", object_type="correction", object_id=correction.id, details={"count": len(rows)}
    )


def _cells(person: queries.AttemptPerson, each: Outcome) -> tuple[str, ...]:
    return (
        person.exam_title, person.unit_code, person.unit_name, person.staff_number, person.name, str(person.number), for_people(each.points_before),
        for_people(each.points_after), BAND_NAMES[Band(each.band_before)], BAND_NAMES[Band(each.band_after)], "是" if person.has_attempted_makeup else "",
    )  # fmt: skip
