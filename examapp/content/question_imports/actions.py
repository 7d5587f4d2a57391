"""The life of an import: uploaded, read, previewed, taken over, undone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from examapp.content.question_intake.actions import Taken, get_import, sort_reading, take_over
from examapp.content.question_intake.rules import describe, losses_of, note_json
from examapp.content.question_review.actions import delete_questions
from examapp.content.questions.models import Question, QuestionImport, QuestionState, QuestionVersion
from examapp.content.questions.queries import count_reviewers
from examapp.errors import BadRequestError, ConflictError
from examapp.jobs.columns import MAX_TRIES, JobState
from examapp.jobs.publisher import nudge_after_commit
from examapp.platform.audit.actions import Actor, record
from question_bank.parse_result import ParseResult, UnreadableFileError

READ_TASK = "questions.read_import"
MAX_SHOWN = 30
"""Questions of a file that its preview shows."""
_STALE_AFTER = timedelta(minutes=5)
"""A run that has not ended by then has died with its worker."""


def _tell_nobody(_done: int) -> None:
    """Progress that nobody watches."""


_SET_ASIDE = "读了三次都没有读完，已停下。请把文件拆小或改存为 .xlsx 后重新上传。"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToRead:
    """An uploaded file whose reading has begun."""

    content: bytes
    name: str
    format: str
    answers: tuple[bytes, str] | None = None
    """A second file with the keys, and its name."""


def upload_import(
    session: Session,
    *,
    content: bytes,
    file_name: str,
    format_name: str,
    actor: Actor,
    now: datetime,
    answers: tuple[bytes, str] | None = None,
) -> QuestionImport:
    """Keep an uploaded file and have a worker read it; nothing enters the bank before it is confirmed."""
    if not content:
        raise BadRequestError("文件是空的。请重新选择文件后再上传。")
    row = QuestionImport(
        created_by_id=actor.person_id,
        file_name=file_name[:200],
        format=format_name,
        content=content,
        answers=answers[0] if answers else None,
        answers_name=answers[1][:200] if answers else "",
        digest=hashlib.sha256(content + (answers[0] if answers else b"")).hexdigest(),
        summary={},
        created_at=now,
    )
    session.add(row)
    session.flush()
    _note(session, "questions.upload_import", row, actor=actor, now=now)
    nudge_after_commit(session, READ_TASK, row.id)
    return row


def confirm_import(
    session: Session,
    *,
    import_id: int,
    state: QuestionState,
    actor: Actor,
    now: datetime,
    is_alone_allowed: bool = False,
) -> None:
    """Have a worker take a previewed file over as drafts, which another person reviews; a second press changes nothing.

    Active at once only under the setting of an office with one reviewer (`is_alone_allowed`), noted in the log.
    """
    if state is not QuestionState.DRAFT and not (is_alone_allowed and count_reviewers(session, now=now) <= 1):
        raise BadRequestError("导入的题要先存为草稿，由另一位同事审核后启用。请按「草稿」导入。")
    row = get_import(session, import_id, is_locked=True)
    if row.is_confirmed:
        return
    if row.state != JobState.READY or row.content is None:
        raise ConflictError("这个文件还没有读完，或没有读成功，不能导入。请等读完后再确认。")
    row.is_confirmed, row.state, row.tries = True, JobState.WAITING, 0
    row.summary = {**row.summary, "state": str(state), "confirmed_by": actor.person_id}
    _note(session, "questions.confirm_import", row, actor=actor, now=now, state=str(state))
    nudge_after_commit(session, READ_TASK, row.id)


def begin_import(session: Session, *, import_id: int, now: datetime) -> FileToRead | None:
    """Note that a run begins, and give the file; None where there is nothing to do (another run has it, or it is done)."""
    row = session.get(QuestionImport, import_id, with_for_update={"skip_locked": True})
    if row is None or row.state != JobState.WAITING or row.content is None:
        return None
    row.begin(now=now)
    answers = (row.answers, row.answers_name) if row.answers else None
    return FileToRead(content=row.content, name=row.file_name, format=row.format, answers=answers)


def note_import_progress(session: Session, *, import_id: int, done: int, total: int) -> None:
    """Write down how many questions of a file have been looked at."""
    session.execute(update(QuestionImport).where(QuestionImport.id == import_id).values(done=done, total=total))


def finish_import(
    session: Session,
    *,
    import_id: int,
    outcome: ParseResult | UnreadableFileError,
    now: datetime,
    note_progress: Callable[[int], None] = _tell_nobody,
) -> None:
    """Write down what a run came to: the preview, or the questions taken over, or why the file cannot be read.

    The row is locked only at the end, so that progress can be seen; a run that another has overtaken takes everything back.
    """
    row = get_import(session, import_id)
    if row.state != JobState.RUNNING:
        return
    tries = row.tries
    if isinstance(outcome, UnreadableFileError):
        get_import(session, import_id, is_locked=True).fail(now=now, message=str(outcome))
    elif row.is_confirmed:
        _take_over(session, row, outcome, now=now, note_progress=note_progress)
    else:
        taken = sort_reading(session, reading=outcome, now=now, note_progress=note_progress)
        row = _still_running(session, import_id, tries)
        row.summary = _summary(outcome, taken)
        row.total, row.format = outcome.found, outcome.format
        row.succeed(now=now, message="已读完，请核对后确认导入。")


def _take_over(
    session: Session, row: QuestionImport, outcome: ParseResult, *, now: datetime, note_progress: Callable[[int], None]
) -> None:
    tries = row.tries
    actor = Actor(person_id=row.summary.get("confirmed_by"))
    state = QuestionState(row.summary.get("state", QuestionState.DRAFT))
    taken = take_over(
        session, reading=outcome, state=state, actor=actor, now=now, import_id=row.id, note_progress=note_progress
    )
    row = _still_running(session, row.id, tries)
    row.summary = {**row.summary, **_summary(outcome, taken), "added": len(taken.ids)}
    row.total, row.format = outcome.found, outcome.format
    row.content = row.answers = None
    row.succeed(now=now, message=f"已导入 {len(taken.ids)} 题。")


def _still_running(session: Session, import_id: int, tries: int) -> QuestionImport:
    """Lock the row and make sure that this run is still the one that counts; raises ConflictError."""
    row = get_import(session, import_id, is_locked=True)
    if row.state != JobState.RUNNING or row.tries != tries:
        raise ConflictError("这次导入已由另一个进程接手。")
    return row


def _summary(reading: ParseResult, taken: Taken) -> dict[str, object]:
    return {
        "found": reading.found,
        "imported": len(taken.ready),
        "existing": taken.existing,
        "losses": [*losses_of(reading.imported), *taken.losses],
        "doubtful": taken.doubtful,
        "refused": [*(note_json(note) for note in reading.refused), *taken.refused],
        "remarks": [note_json(note) for note in reading.remarks],
        "shown": [describe(one.question) for one in taken.ready[:MAX_SHOWN]],
    }


def import_reading(
    session: Session,
    *,
    reading: ParseResult,
    content: bytes,
    file_name: str,
    state: QuestionState,
    actor: Actor,
    now: datetime,
) -> tuple[QuestionImport, Taken]:
    """Take a file that was read on the command line over at once, as an import that is listed and undone like any other."""
    row = QuestionImport(
        created_by_id=actor.person_id,
        file_name=file_name[:200],
        format=reading.format,
        digest=hashlib.sha256(content).hexdigest(),
        is_confirmed=True,
        summary={},
        created_at=now,
    )
    session.add(row)
    session.flush()
    taken = take_over(session, reading=reading, state=state, actor=actor, now=now, import_id=row.id)
    row.summary = {**_summary(reading, taken), "added": len(taken.ids), "state": str(state)}
    row.total = reading.found
    row.succeed(now=now, message=f"已导入 {len(taken.ids)} 题。")
    return row, taken


def undo_import(session: Session, *, import_id: int, actor: Actor, now: datetime) -> tuple[int, int]:
    """Take an import back as one act: questions never used are deleted, used ones retired; give both counts."""
    row = get_import(session, import_id, is_locked=True)
    if not row.is_confirmed or row.state != JobState.READY:
        raise ConflictError("这次导入还没有完成，不能撤销。")
    if row.undone_at is not None:
        return 0, 0
    row.undone_at = now
    ids = list(session.scalars(select(Question.id).where(Question.import_id == row.id).with_for_update()))
    versions = select(QuestionVersion).where(QuestionVersion.question_id.in_(ids)).with_for_update()
    used = {version.question_id for version in session.scalars(versions) if version.used_at is not None}
    unused = [question_id for question_id in ids if question_id not in used]
    delete_questions(session, ids=unused)
    session.execute(update(Question).where(Question.id.in_(used)).values(state=QuestionState.RETIRED, updated_at=now))
    _note(session, "questions.undo_import", row, actor=actor, now=now, deleted=len(unused), retired=len(used))
    return len(unused), len(used)


def discard_import(session: Session, *, import_id: int, actor: Actor, now: datetime) -> None:
    """Throw away a file that was not taken over."""
    row = get_import(session, import_id, is_locked=True)
    if row.is_confirmed:
        raise ConflictError("这个文件已经导入，不能放弃；如需撤回，请用「撤销这次导入」。")
    _note(session, "questions.discard_import", row, actor=actor, now=now)
    session.execute(delete(QuestionImport).where(QuestionImport.id == row.id))


def sweep_imports(session: Session, *, now: datetime) -> None:
    """Nudge imports that wait, take up those whose worker has died, and set aside what failed three times."""
    stale = now - _STALE_AFTER
    waiting = QuestionImport.state == JobState.WAITING
    died = (QuestionImport.state == JobState.RUNNING) & (QuestionImport.started_at < stale)
    rows = session.scalars(select(QuestionImport).where(or_(waiting, died)).with_for_update(skip_locked=True))
    for row in rows:
        if row.tries >= MAX_TRIES:
            row.fail(now=now, message=_SET_ASIDE)
            continue
        row.state = JobState.WAITING
        nudge_after_commit(session, READ_TASK, row.id)


def _note(
    session: Session, act: str, row: QuestionImport, *, actor: Actor, now: datetime, **details: int | str
) -> None:
    record(session, act, actor=actor, now=now, object_type="question_import", object_id=row.id, details=dict(details))
