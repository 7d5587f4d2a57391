"""Results that people got on another platform: they come in together, count beside the attempts, and go together.

Two imports for one exam wait for each other at the exam's row, so that one result of a person stands at any moment.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from examapp.clock import from_local
from examapp.delivery.exams.models import Exam, ExamState
from examapp.delivery.exams.queries import get_organiser_exam
from examapp.delivery.external_results.models import ResultImport, ResultImportRow, ResultRowOutcome
from examapp.delivery.external_results.queries import Match, get_import, get_row, match_rows
from examapp.delivery.external_results.rules import RESULT_ALIASES, read_results, result_file_binding
from examapp.delivery.grading.actions import rules_of
from examapp.delivery.grading.models import ExternalResult
from examapp.delivery.grading.rules import Band, band_of
from examapp.documents.tables import read_grids
from examapp.errors import ConflictError, DomainError, NotFoundError
from examapp.jobs.actions import enqueue
from examapp.jobs.models import ACTIVE, JobState
from examapp.jobs.runner import JobRun
from examapp.organisation.access.queries import list_grants, within
from examapp.organisation.access.rules import AccessScope, access_of
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext, Actor, record
from examapp.points import round_points
from examapp.security.ciphers import DecryptionError, FieldCipher


def _let_results_count(session: Session, job: ResultImport, rows: Sequence[Any], *, actor: Actor, now: datetime) -> int:
    """Let the points of an import's rows count in its exam, by the exam's own pass mark and bands; those of the same people that stood before step back."""
    exam = _lock(session, job.exam_id)
    session.execute(
        update(ExternalResult)
        .where(
            ExternalResult.exam_id == exam.id,
            ExternalResult.person_id.in_([row.person_id for row in rows]),
            ExternalResult.undone_at.is_(None),
        )
        .values(undone_at=now, replaced_by_id=job.id)
    )
    shared = {
        "exam_id": exam.id,
        "import_id": job.id,
        "source": job.source,
        "points_possible": job.points_possible,
        "taken_at": from_local(datetime.combine(job.taken_on, time(12))),
        "recorded_at": now,
        "recorded_by_id": actor.person_id,
    }
    limits, results = rules_of(exam), []
    for row in rows:
        band = band_of(row.points, job.points_possible, limits)
        results.append(
            {
                "person_id": row.person_id,
                "unit_id": row.unit_id,
                "points": row.points,
                "percent": round_points(row.points * 100 / job.points_possible),
                "band": band,
                "is_passed": band is not Band.FAIL,
            }
            | shared
        )
    session.execute(insert(ExternalResult), results)
    _note_whether_any(session, exam)
    return len(results)


def undo_external_results(session: Session, *, exam_id: int, import_id: int, now: datetime) -> int:
    """Take back all results of an import, and let those stand again that they had replaced; gives how many went.

    Raises ConflictError where a later import has replaced some of them: that one goes first.
    """
    exam = _lock(session, exam_id)
    of_import = ExternalResult.import_id == import_id
    replaced = select(ExternalResult.id).where(of_import, ExternalResult.replaced_by_id.is_not(None)).limit(1)
    if session.scalar(replaced) is not None:
        raise ConflictError("这批成绩里有的已被之后的导入更新。请先撤销之后的那次导入，再撤销这一次。")
    gone = session.execute(
        update(ExternalResult)
        .where(of_import, ExternalResult.undone_at.is_(None))
        .values(undone_at=now)
        .returning(ExternalResult.id)
    ).all()
    session.execute(
        update(ExternalResult)
        .where(ExternalResult.replaced_by_id == import_id)
        .values(undone_at=None, replaced_by_id=None)
    )
    _note_whether_any(session, exam)
    return len(gone)


def _lock(session: Session, exam_id: int) -> Exam:
    return session.get_one(Exam, exam_id, with_for_update=True, populate_existing=True)


def _note_whether_any(session: Session, exam: Exam) -> None:
    in_force = select(ExternalResult.id).where(ExternalResult.exam_id == exam.id, ExternalResult.undone_at.is_(None))
    exam.has_external_results = session.scalar(in_force.limit(1)) is not None


_STEP = 500


class InvalidExternalResultsError(DomainError):
    """A file of results cannot come in, or a row not be settled, so."""

    code = "results_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultUpload:
    """A file of results as it was sent, with what it does not say itself."""

    name: str
    content: bytes
    source: str
    taken_on: date
    possible: Decimal


def upload_results(
    context: ActionContext, *, exam_id: int, upload: ResultUpload, access: AccessScope, cipher: FieldCipher
) -> ResultImport:
    """Keep a file, sealed, and have it read; one that waits for its review already is gone on with. Raises InvalidExternalResultsError."""
    session, actor = context.session, context.actor
    exam = get_organiser_exam(session, exam_id, access)
    if exam.state != ExamState.PUBLISHED:
        raise InvalidExternalResultsError("这场考试还没有发布，不能导入成绩。请先发布考试。")
    if not upload.content:
        raise InvalidExternalResultsError("文件是空的，请检查是否选错了文件。")
    session.get_one(Exam, exam.id, with_for_update=True)  # the same file sent twice at once comes in once
    digest = hashlib.sha256(upload.content).hexdigest()
    if (before := _same_file(context, exam.id, digest)) is not None:
        if before.approved_at is not None:
            raise InvalidExternalResultsError(
                "这个文件已经导入过，成绩都已计入，不用重复导入。要重新导入，请先撤销那一次。"
            )
        return before
    job = ResultImport(
        exam_id=exam.id,
        created_by_id=actor.person_id,
        file_name=upload.name[:200],
        digest=digest,
        source=upload.source,
        taken_on=upload.taken_on,
        points_possible=upload.possible,
        created_at=context.now,
    )
    enqueue(session, job)
    job.content = cipher.seal(
        base64.b64encode(upload.content).decode("ascii"), associated_data=result_file_binding(job.id)
    )
    _record(context, "external_results.upload", job)
    return job


def _same_file(context: ActionContext, exam_id: int, digest: str) -> ResultImport | None:
    return context.session.scalars(
        select(ResultImport)
        .where(
            ResultImport.exam_id == exam_id,
            ResultImport.digest == digest,
            ResultImport.undone_at.is_(None),
            ResultImport.state.in_((*ACTIVE, JobState.DONE)),
            or_(ResultImport.approved_at.is_not(None), ResultImport.created_by_id == context.actor.person_id),
        )
        .order_by(ResultImport.approved_at.is_(None), ResultImport.id.desc())
    ).first()


def run_import(session: Session, run: JobRun, *, cipher: FieldCipher, now: datetime) -> None:
    """Read a file, match its rows and complete the job; raises InvalidExternalResultsError, UnreadableTableError."""
    job = session.get_one(ResultImport, run.id)
    access = access_of("grading:result:import", list_grants(session, job.created_by_id or 0, now=now))
    if access is None:
        raise InvalidExternalResultsError("上传人已没有导入成绩的权限，没有读取。")
    grids = read_grids(_open(job, cipher), name=job.file_name, aliases=RESULT_ALIASES)
    read = read_results(grids, possible=job.points_possible)
    if read is None:
        raise InvalidExternalResultsError(
            "文件里没有找到同时写着姓名和成绩的表头。请确认第一行（或标题下面一行）是表头后重新上传。"
        )
    rows, remarks = read
    run.progress(0, len(rows))
    exam = session.get_one(Exam, job.exam_id)
    found = match_rows(session, rows, exam, possible=job.points_possible, access=access, cipher=cipher)
    for start in range(0, len(found), _STEP):
        session.execute(insert(ResultImportRow), [_as_row(job.id, one) for one in found[start : start + _STEP]])
        run.progress(min(start + _STEP, len(found)), len(found))
    job.content, job.remarks = None, remarks
    run.complete(session, total=len(found))


def _as_row(import_id: int, one: Match) -> dict[str, object]:
    return {
        "import_id": import_id,
        "line": one.row.line,
        "name": one.row.name,
        "unit_name": one.row.unit_name,
        "staff_number": one.row.staff_number,
        "id_tail": one.row.id_number[-4:],
        "points": one.row.points,
        "outcome": one.outcome,
        "reason": one.reason,
        "person_id": one.person_id,
        "candidates": list(one.candidates),
        "is_decided": False,
    }


def forget_file(session: Session, import_id: int) -> None:
    """Delete the bytes of a file that could not be read."""
    session.get_one(ResultImport, import_id).content = None


def settle_row(
    context: ActionContext,
    *,
    import_id: int,
    row_id: int,
    person_id: int | None,
    staff_number: str,
    is_left_out: bool,
    access: AccessScope,
) -> ResultImportRow:
    """Say who a row is (by staff number within the access scope, else one of those it may be), or that it is left out."""
    session = context.session
    job = _lock_open(context, import_id, access)
    row = get_row(session, job.id, row_id)
    if (
        row.outcome not in {ResultRowOutcome.NEEDS_REVIEW, ResultRowOutcome.UNMATCHED, ResultRowOutcome.SKIPPED}
        and not row.is_decided
    ):
        raise InvalidExternalResultsError("这一行不需要核对。")
    if is_left_out:
        row.outcome, row.person_id, row.is_decided = ResultRowOutcome.SKIPPED, None, True
        return row
    person = _chosen(session, row, person_id, staff_number, access)
    taken = select(ResultImportRow.line).where(
        ResultImportRow.import_id == job.id,
        ResultImportRow.outcome.in_((ResultRowOutcome.MATCHED, ResultRowOutcome.SAME)),
        ResultImportRow.person_id == person.id,
        ResultImportRow.id != row.id,
    )
    if (line := session.scalar(taken.limit(1))) is not None:
        raise InvalidExternalResultsError(f"第 {line} 行已经是“{person.name}”，一个人只能计入一行。请先改那一行。")
    row.outcome, row.person_id, row.is_decided = ResultRowOutcome.MATCHED, person.id, True
    return row


def _chosen(
    session: Session, row: ResultImportRow, person_id: int | None, staff_number: str, access: AccessScope
) -> Person:
    if not staff_number and person_id is None:
        raise InvalidExternalResultsError("请填写此人的工号；不是名册里的人，请点“不计入”。")
    if not staff_number and person_id not in row.candidates:
        raise NotFoundError
    condition = Person.staff_number == staff_number if staff_number else Person.id == person_id
    person = session.scalar(select(Person).join(Unit, Person.unit_id == Unit.id).where(condition, within(access)))
    if person is None:
        raise InvalidExternalResultsError("在您管理的单位中没有找到这个工号，请核对后重填。")
    return person


def approve_import(context: ActionContext, *, import_id: int, access: AccessScope) -> int:
    """Let every matched row count, as one act; what is still in doubt stays out. Gives how many count."""
    session, actor, now = context.session, context.actor, context.now
    job = _lock_open(context, import_id, access)
    rows = session.execute(
        select(ResultImportRow.person_id, ResultImportRow.points, Person.unit_id)
        .join(Person, Person.id == ResultImportRow.person_id)
        .where(ResultImportRow.import_id == job.id, ResultImportRow.outcome == ResultRowOutcome.MATCHED)
        .order_by(Person.id)
    ).all()
    if not rows:
        raise InvalidExternalResultsError("没有可以计入的成绩。请先核对待核对的行，或者检查文件。")
    job.taken_count = _let_results_count(session, job, rows, actor=actor, now=now)
    job.approved_at, job.approved_by_id = now, actor.person_id
    _record(context, "external_results.approve", job)
    return job.taken_count


def undo_import(context: ActionContext, *, import_id: int, access: AccessScope) -> int:
    """Take back all that an import brought, as one act; what it had replaced stands again. Gives how many went."""
    job = get_import(context.session, import_id, access, context.actor.person_id, with_lock=True)
    if job.approved_at is None or job.undone_at is not None:
        raise ConflictError("这次导入没有计入成绩，或者已经撤销过，请刷新页面查看。")
    count = undo_external_results(context.session, exam_id=job.exam_id, import_id=job.id, now=context.now)
    job.undone_at, job.undone_by_id = context.now, context.actor.person_id
    _record(context, "external_results.undo", job)
    return count


def _lock_open(context: ActionContext, import_id: int, access: AccessScope) -> ResultImport:
    job = get_import(context.session, import_id, access, context.actor.person_id, with_lock=True)
    if not job.is_done or job.approved_at is not None:
        raise ConflictError("这次导入还没有读取完，或者已经办结，请刷新页面查看。")
    return job


def _open(job: ResultImport, cipher: FieldCipher) -> bytes:
    if job.content is None:
        raise InvalidExternalResultsError("文件已不在，请重新上传。")
    try:
        return base64.b64decode(cipher.decrypt(job.content, associated_data=result_file_binding(job.id)))
    except DecryptionError:
        raise InvalidExternalResultsError("保存的文件打不开（密钥已更换或内容受损），请重新上传。") from None


def _record(context: ActionContext, act: str, job: ResultImport) -> None:
    details = {"exam_id": job.exam_id, "count": job.taken_count}
    record(context, act, object_type="result_import", object_id=job.id, details=details)
