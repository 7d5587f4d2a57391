"""Import a question file: upload, preview, confirm, store, undo."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from examapp.content.question_imports.rules import CorrectedQuestion, correct_question
from examapp.content.question_intake.actions import QuestionImportResult, get_import, sort_reading, take_over
from examapp.content.question_intake.rules import describe, dropped_of, note_json
from examapp.content.question_review.actions import delete_questions
from examapp.content.questions.models import BankQuestion, QuestionImport, QuestionState, QuestionVersion
from examapp.content.questions.queries import count_reviewers
from examapp.errors import BadRequestError, ConflictError, DomainError
from examapp.jobs.actions import enqueue, restart
from examapp.jobs.models import JobState
from examapp.jobs.runner import JobRun
from examapp.platform.audit.actions import ActionContext, Actor, record
from question_bank.model import ColumnNames, ParseResult, Question, ReadQuestion

AUDIT_ACTS = {
    "questions.confirm_import": "确认导入试题",
    "questions.correct_import": "在预览里更正试题",
    "questions.set_import_columns": "说明试题表格各列",
    "questions.discard_import": "放弃试题导入",
    "questions.read_import": "读取试题文件",
    "questions.undo_import": "撤销试题导入",
    "questions.upload_import": "上传试题文件",
}
AUDIT_OBJECTS = {"question_import": "试题导入"}

MAX_REMEMBERED = 200
"""Imports whose columns are remembered for the next."""
MAX_TABLES = 5
"""Tables of a file whose columns can be named in its preview."""
SHARED_FIELDS = frozenset({"explanation", "knowledge", "tags", "points"})
"""What several columns of a table may hold together."""
MAX_SHOWN, MAX_SHOWN_TEXT = 10, 1200
"""Questions of a file that its preview shows, and characters of them all, so that the page stays short on a phone."""


class QuestionFileRejectedError(DomainError):
    """A question file cannot be read; the message says why."""

    code = "unreadable"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToRead:
    """An uploaded file to read."""

    content: bytes
    name: str
    format: str
    answers: tuple[bytes, str] | None = None
    """A second file with the keys, and its name."""
    parsed: ParseResult | None = None
    """What was read of it before."""
    columns: ColumnNames | None = None


def upload_import(
    context: ActionContext,
    *,
    content: bytes,
    file_name: str,
    format_name: str,
    answers: tuple[bytes, str] | None = None,
) -> QuestionImport:
    """Store an uploaded file and enqueue its reading; nothing enters the bank before it is confirmed."""
    if not content:
        raise BadRequestError("文件是空的。请重新选择文件后再上传。")
    row = QuestionImport(
        created_by_id=context.actor.person_id,
        file_name=file_name[:200],
        format=format_name,
        content=content,
        answers=answers[0] if answers else None,
        answers_name=answers[1][:200] if answers else "",
        digest=hashlib.sha256(content + (answers[0] if answers else b"")).hexdigest(),
        summary={},
        created_at=context.now,
    )
    enqueue(context.session, row)
    _note(context, "questions.upload_import", row)
    return row


def confirm_import(
    context: ActionContext,
    *,
    import_id: int,
    state: QuestionState,
    is_alone_allowed: bool = False,
    is_census_seen: bool = False,
) -> None:
    """Enqueue storing a previewed file as drafts, which another person reviews; a second call changes nothing.

    A file that seems to hold another number of questions than were found is stored only where a person says to have looked.

    Active at once only under the setting of an office with one reviewer (`is_alone_allowed`), noted in the log.
    """
    session, now = context.session, context.now
    if state is not QuestionState.DRAFT and not (is_alone_allowed and count_reviewers(session, now=now) <= 1):
        raise BadRequestError("导入的题要先存为草稿，由另一位同事审核后启用。请按“草稿”导入。")
    row = get_import(session, import_id, is_locked=True)
    if row.is_confirmed:
        return
    if not row.is_done or row.content is None:
        raise ConflictError("这个文件还没有读完，或没有读成功，不能导入。请等读完后再确认。")
    if row.summary.get("census_differs") and not is_census_seen:
        raise ConflictError("清点的题数和读出的题数不一样。请先对照原文件核对，勾选“已核对题数”后再导入。")
    row.is_confirmed = True
    row.summary = {**row.summary, "state": str(state), "confirmed_by": context.actor.person_id}
    _note(context, "questions.confirm_import", row, state=str(state))
    restart(session, row, now=now)


def set_columns(context: ActionContext, *, import_id: int, tables: Sequence[Mapping[str, str]]) -> None:
    """Enqueue reading a file again, with what a person has said that the columns of its tables hold: codes of fields by the columns' keys."""
    row = get_import(context.session, import_id, is_locked=True)
    if row.is_confirmed or not row.is_done or row.content is None:
        raise ConflictError("这个文件正在读取，或已经导入，不能再改各列的含义。")
    columns: dict[str, str] = {}
    for table in tables:
        single = [code for code in table.values() if code and code.partition(":")[0] not in SHARED_FIELDS]
        if len(single) != len(set(single)):
            raise BadRequestError("有两列选了同一种内容。请每种只选一列，其余改为“不读”。")
        columns |= {key: columns.get(key) or code for key, code in table.items()}
    if "stem:0" not in columns.values():
        raise BadRequestError("请指明哪一列是题干。")
    row.summary, row.parsed = {"columns": columns}, None
    _note(context, "questions.set_import_columns", row)
    restart(context.session, row, now=context.now)


def correct_questions(context: ActionContext, *, import_id: int, corrections: Sequence[CorrectedQuestion]) -> None:
    """Make doubtful questions of a preview sure by what a person has decided, and enqueue comparing the file with the bank again."""
    row = get_import(context.session, import_id, is_locked=True)
    reading = _decode(row.parsed) if row.parsed and row.is_done and not row.is_confirmed else None
    if reading is None:
        raise ConflictError("这个文件正在读取，或已经导入，不能在预览里改题。导入后请到编辑页改。")
    if not corrections:
        raise BadRequestError("还没有填写任何答案。请至少填写一道题。")
    for correction in corrections:
        found = [item for item in reading.needing_review if item.note.where == correction.where]
        if len(found) != 1:
            raise ConflictError(
                f"{correction.where}：这道题已经改过，或位置不唯一。请刷新页面后再改，或导入后到编辑页改。"
            )
        reading.imported.append(correct_question(found[0], correction))
        reading.needing_review = [item for item in reading.needing_review if item is not found[0]]
    row.parsed = msgspec.msgpack.encode(reading)
    _note(context, "questions.correct_import", row, corrected=len(corrections))
    restart(context.session, row, now=context.now)


def _remembered_columns(session: Session) -> dict[str, str]:
    """Return what was said about the columns of earlier files, the newest last: those with a head alone."""
    said = QuestionImport.summary["columns"]
    statement = select(said).where(said.is_not(None), QuestionImport.undone_at.is_(None))
    found: dict[str, str] = {}
    for columns in reversed(session.scalars(statement.order_by(QuestionImport.id.desc()).limit(MAX_REMEMBERED)).all()):
        found |= {key: code for key, code in columns.items() if code and not key.startswith("#")}
    return found


def get_file(session: Session, import_id: int) -> FileToRead:
    """Return the file of an import; raises NotFoundError."""
    row = get_import(session, import_id)
    answers = (row.answers, row.answers_name) if row.answers else None
    parsed = _decode(row.parsed) if row.parsed else None
    columns = ColumnNames(row.summary.get("columns", {}), _remembered_columns(session))
    return FileToRead(
        content=row.content or b"",
        name=row.file_name,
        format=row.format,
        answers=answers,
        parsed=parsed,
        columns=columns,
    )


class _Sources(msgspec.Struct):
    """Of a stored result no more than the words of the file around its problems."""

    sources: dict[str, list[tuple[str, str]]] = {}


def read_sources(row: QuestionImport) -> dict[str, list[tuple[str, str]]]:
    """Return by place the words of the file around a problem, as they were kept when it was read."""
    try:
        return msgspec.msgpack.decode(row.parsed, type=_Sources).sources if row.parsed else {}
    except msgspec.DecodeError:
        return {}


def _decode(parsed: bytes) -> ParseResult | None:
    """Decode a stored result; None where an older version of the program wrote it, so that the file is read again."""
    try:
        return msgspec.msgpack.decode(parsed, type=ParseResult)
    except msgspec.DecodeError:
        return None


def finish_import(session: Session, run: JobRun, outcome: ParseResult, *, now: datetime) -> None:
    """Store the preview of a file that was read, or its questions once the import is confirmed, and complete the job."""
    row = get_import(session, run.id)
    if row.is_confirmed:
        taken = _take_over(session, row, outcome, now=now, run=run)
        message = f"已导入 {len(taken.ids)} 题。"
    else:
        taken = sort_reading(
            session, reading=outcome, now=now, note_progress=lambda done: run.progress(done, outcome.found)
        )
        said = {"columns": row.summary["columns"]} if "columns" in row.summary else {}
        distinct = {table.keys: asdict(table) for table in reversed(outcome.tables)}
        tables = {"tables": list(reversed(distinct.values()))[:MAX_TABLES]}
        row.summary, row.parsed = _summary(outcome, taken) | said | tables, msgspec.msgpack.encode(outcome)
        message = "已读完，请核对后确认导入。"
    row.format = outcome.format
    run.complete(session, total=outcome.found, message=message)


def _take_over(
    session: Session, row: QuestionImport, outcome: ParseResult, *, now: datetime, run: JobRun
) -> QuestionImportResult:
    taken = take_over(
        ActionContext(session, Actor(person_id=row.summary.get("confirmed_by")), now),
        reading=outcome,
        state=QuestionState(row.summary.get("state", QuestionState.DRAFT)),
        import_id=row.id,
        note_progress=lambda done: run.progress(done, outcome.found),
    )
    row.summary = {**row.summary, **_summary(outcome, taken), "added": len(taken.ids)}
    row.content = row.answers = row.parsed = None
    return taken


def _summary(reading: ParseResult, taken: QuestionImportResult) -> dict[str, object]:
    return {
        "found": reading.found,
        "census": reading.census,
        "census_differs": reading.differs_from_census,
        "imported": len(taken.ready),
        "existing": taken.existing,
        "in_file": sum(note["code"] == "in_file" for note in taken.duplicates),
        "duplicates": taken.duplicates,
        "losses": [*dropped_of(reading.imported), *taken.dropped],
        "doubtful": taken.needing_review,
        "refused": [*(note_json(note) for note in reading.rejected), *taken.rejected],
        "remarks": [note_json(note) for note in reading.remarks],
        "shown": _shown([one.question for one in taken.ready[:MAX_SHOWN]]),
    }


def _shown(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Describe the first questions, as many as are short enough together; one at least."""
    described = [describe(question) for question in questions]
    lengths = (len(one["stem"]) + sum(map(len, one["options"])) + 20 * (1 + len(one["options"])) for one in described)
    return described[: max(1, sum(total <= MAX_SHOWN_TEXT for total in accumulate(lengths)))]


def list_read_questions(row: QuestionImport) -> list[ReadQuestion]:
    """List what was read of a file that is not yet imported, without the questions for review."""
    reading = _decode(row.parsed) if row.parsed else None
    return reading.imported if reading else []


def import_reading(
    context: ActionContext, *, reading: ParseResult, content: bytes, file_name: str, state: QuestionState
) -> tuple[QuestionImport, QuestionImportResult]:
    """Store a file that was read on the command line, as an import that is listed and undone like any other."""
    row = QuestionImport(
        created_by_id=context.actor.person_id,
        file_name=file_name[:200],
        format=reading.format,
        digest=hashlib.sha256(content).hexdigest(),
        is_confirmed=True,
        summary={},
        state=JobState.DONE,
        created_at=context.now,
        finished_at=context.now,
    )
    context.session.add(row)
    context.session.flush()
    taken = take_over(context, reading=reading, state=state, import_id=row.id)
    row.summary = {**_summary(reading, taken), "added": len(taken.ids), "state": str(state)}
    row.done = row.total = reading.found
    row.message = f"已导入 {len(taken.ids)} 题。"
    return row, taken


def undo_import(context: ActionContext, *, import_id: int) -> tuple[int, int]:
    """Undo an import as one act: delete questions never used, retire used ones; return both counts."""
    session, now = context.session, context.now
    row = get_import(session, import_id, is_locked=True)
    if not row.is_confirmed or not row.is_done:
        raise ConflictError("这次导入还没有完成，不能撤销。")
    if row.undone_at is not None:
        return 0, 0
    row.undone_at = now
    ids = list(session.scalars(select(BankQuestion.id).where(BankQuestion.import_id == row.id).with_for_update()))
    versions = select(QuestionVersion).where(QuestionVersion.question_id.in_(ids)).with_for_update()
    used = {version.question_id for version in session.scalars(versions) if version.used_at is not None}
    unused = [question_id for question_id in ids if question_id not in used]
    delete_questions(session, ids=unused)
    session.execute(
        update(BankQuestion).where(BankQuestion.id.in_(used)).values(state=QuestionState.RETIRED, updated_at=now)
    )
    _note(context, "questions.undo_import", row, deleted=len(unused), retired=len(used))
    return len(unused), len(used)


def discard_import(context: ActionContext, *, import_id: int) -> None:
    """Discard a file that was not imported."""
    row = get_import(context.session, import_id, is_locked=True)
    if row.is_confirmed:
        raise ConflictError("这个文件已经导入，不能放弃；如需撤回，请用“撤销这次导入”。")
    _note(context, "questions.discard_import", row)
    context.session.delete(row)


def _note(context: ActionContext, act: str, row: QuestionImport, **details: int | str) -> None:
    record(context, act, object_type="question_import", object_id=row.id, details=dict(details))
