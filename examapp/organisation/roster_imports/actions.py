"""Import a roster file: upload, check, confirm, write."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.documents.tables import UnreadableTableError, give_back, read_grids
from examapp.errors import ConflictError, DomainError
from examapp.jobs.actions import enqueue, restart
from examapp.jobs.models import Job
from examapp.jobs.runner import JobRun, RunLaterError
from examapp.organisation.access.queries import list_grants
from examapp.organisation.access.rules import access_of
from examapp.organisation.accounts.rules import FAILURE_WINDOW
from examapp.organisation.people.models import Account, Person, PersonState, RosterImport, RosterMove, UnknownSignIn
from examapp.organisation.people.rules import import_file_binding
from examapp.organisation.roster_imports.queries import (
    ImportScope,
    Planned,
    RosterRowOutcome,
    count_outcomes,
    plan_import,
    rejected,
)
from examapp.organisation.roster_imports.rules import FIELD_NAMES, HEAD_ALIASES, RosterFile, read_roster
from examapp.organisation.roster_moves.queries import select_taken_on
from examapp.organisation.roster_reconciliation.actions import (
    ADVICE,
    IMPORT_NOTE,
    Choice,
    Gone,
    Report,
    as_choice,
    as_text,
    chosen_rows,
    deactivate_missing,
    digest,
    ensure_files_left_today,
    find_gone,
    hold_out_of_scope,
    kind_of,
    listing,
    note_out_of_scope,
    try_to_lock,
    write_rows,
)
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext, Actor, record
from examapp.security.ciphers import DecryptionError, FieldCipher

AUDIT_ACTS = {
    "people.confirm_import": "确认导入名册",
    "people.import_roster": "名册导入完成",
    "people.undo_import": "撤销名册导入",
    "people.upload_roster": "上传人员名册",
}
AUDIT_OBJECTS = {"roster_import": "名册导入"}

_BUSY_DELAY_S = 5.0
_KEEP_FILES = timedelta(days=30)
_CHUNK = 1_000
_MAX_PROBLEMS = 500
_MAX_SAMPLES = 50
_CHANGE_NAMES = FIELD_NAMES | {"unit": "单位", "state": "重新列入名册"}
_NOT_TAKEN = "未导入"
_LABEL = "导入结果"


class InvalidImportError(DomainError):
    """The file as a whole cannot be taken over; the message says why and what to do."""

    code = "import_refused"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterUpload:
    """A file as it came."""

    name: str
    content: bytes
    is_limited: bool = False
    """Whoever brings it in does not reach the whole county."""
    is_whole: bool = False
    """Everybody of the unit stands in it: show the whole difference."""


def upload_roster(
    context: ActionContext, upload: RosterUpload, unit: Unit | None, *, cipher: FieldCipher
) -> RosterImport:
    """Keep a file, sealed, and have it checked; nothing of the roster changes yet. Raises InvalidImportError, TooManyFilesError."""
    if not upload.content:
        raise InvalidImportError("文件是空的，请检查是否选错了文件。")
    if upload.is_limited:
        ensure_files_left_today(context)
    job = RosterImport(
        created_by_id=context.actor.person_id,
        unit_id=unit.id if unit else None,
        file_name=upload.name[:200],
        is_whole=upload.is_whole,
        created_at=context.now,
        summary={},
    )
    enqueue(context.session, job)
    job.content = _encrypt(upload.content, job.id, cipher)
    record(context, "people.upload_roster", object_type="roster_import", object_id=job.id)
    return job


def confirm_import(context: ActionContext, job: RosterImport, *, only_good: bool) -> None:
    """Have a checked file taken over: all rows, or with `only_good` those without faults."""
    context.session.refresh(job, with_for_update=True)
    if not job.is_done or job.is_confirmed or job.is_whole:
        raise ConflictError("这个文件已经确认过，请看下面的进度。")
    counts = job.summary.get("counts", {})
    if counts.get("refused") and not only_good:
        raise ConflictError("文件里还有不能导入的行。请改好后重新上传，或选择只导入没有问题的行。")
    job.is_confirmed = True
    job.summary = job.summary | {"only_good": only_good}
    details = {"only_good": only_good, "counts": counts}
    record(context, "people.confirm_import", object_type="roster_import", object_id=job.id, details=details)
    restart(context.session, job, now=context.now)


def approve_difference(context: ActionContext, job: RosterImport, choice: Choice) -> None:
    """Have those parts of a whole roster's difference carried out that were agreed to, in one act; a second press changes nothing."""
    context.session.refresh(job, with_for_update=True)
    if not job.is_whole or not job.is_done or job.is_confirmed:
        raise ConflictError("这份差异已经批准过，请看下面的进度。")
    if not choice.kinds:
        raise ConflictError("没有勾选任何差异，名册没有改动。请勾选要采用的类别。")
    job.is_confirmed = True
    job.summary = job.summary | {"choice": as_text(choice)}
    details = {"kinds": sorted(choice.kinds), "left_out": len(choice.left_out), "counts": job.summary["kinds"]}
    record(context, "people.confirm_import", object_type="roster_import", object_id=job.id, details=details)
    restart(context.session, job, now=context.now)


def run_import(session: Session, run: JobRun, *, cipher: FieldCipher, now: datetime) -> None:
    """Check a file, or write its rows once it is confirmed, and complete the job.

    Raises InvalidImportError, UnreadableTableError, and RunLaterError while another import is being written.
    """
    job = session.get_one(RosterImport, run.id)
    if job.is_confirmed and not try_to_lock(session):
        raise RunLaterError(delay_s=_BUSY_DELAY_S)
    if job.summary.get("undo"):
        _take_off_again(session, run, job, now=now)
        return
    file = _read(job, cipher)
    scope = _scope(session, job, file, now=now)
    planned = plan_import(session, file, scope=scope, cipher=cipher, now=now)
    counts = count_outcomes(planned)
    gone = find_gone(session, planned, scope, now=now) if job.is_whole else []
    run.progress(0, len(planned))
    message = _hold_against_preview(session, job, planned, gone) if job.is_whole else ""
    taken: Sequence[Planned] = planned
    if job.is_confirmed:
        taken, held = _take_over(session, job, planned, gone, cipher=cipher, now=now, report=run.progress)
        held_ids = {id(plan) for plan in held}
        planned = [rejected(plan, "id_number", ADVICE) if id(plan) in held_ids else plan for plan in planned]
        counts = count_outcomes(planned)
    else:
        note_out_of_scope(session, job, planned, now=now)
    content, ending = give_back(
        file.grids, _notes(planned, taken, is_done=job.is_confirmed), label=_LABEL, bad=_NOT_TAKEN
    )
    job.annotated = _encrypt(content, job.id, cipher)
    job.summary = job.summary | _summary(file, planned, counts) | {"ending": ending}
    run.complete(session, total=len(planned), message=message)


def undo_import(context: ActionContext, job: RosterImport) -> None:
    """Have the people that an import has taken on taken off the roster again; raises ConflictError where there is nothing to undo."""
    context.session.refresh(job, with_for_update=True)
    if not job.is_done or not job.summary.get("written_at") or job.summary.get("undo"):
        raise ConflictError("这次导入还没有完成，或者已经撤销过，不能撤销。")
    job.summary = job.summary | {"undo": True}
    record(context, "people.undo_import", object_type="roster_import", object_id=job.id)
    restart(context.session, job, now=context.now)


def _take_off_again(session: Session, run: JobRun, job: RosterImport, *, now: datetime) -> None:
    """Take off whom the import took on and nobody has touched since; name the others. Nothing is deleted: the same file brings them back."""
    written_at = datetime.fromisoformat(job.summary["written_at"])
    rows = session.execute(select_taken_on(written_at, note=IMPORT_NOTE)).all()
    going = [row.id for row in rows if row.is_untouched]
    touched = [f"{row.name}（{row.staff_number}）" for row in rows if not row.is_untouched]
    context, on = ActionContext(session, Actor(person_id=job.created_by_id), now), day_of(written_at)
    _take_off(context, going, on=on, note="撤销名册导入")
    job.summary = job.summary | {"undone": len(going), "touched": touched[:_MAX_SAMPLES], "touched_count": len(touched)}
    run.complete(session, total=len(rows), message="")


def _take_off(context: ActionContext, person_ids: Sequence[int], *, on: date, note: str) -> None:
    """Take people off the roster who hold no role and have never signed in; their accounts are closed."""
    session, now = context.session, context.now
    for ids in (person_ids[start : start + _CHUNK] for start in range(0, len(person_ids), _CHUNK)):
        plain = {"synchronize_session": False}
        places = session.execute(select(Person.id, Person.unit_id).where(Person.id.in_(ids)))
        units = {row.id: row.unit_id for row in places}
        session.execute(
            update(Person).where(Person.id.in_(ids)).values(state=PersonState.LEFT, updated_at=now),
            execution_options=plain,
        )
        session.execute(
            update(Account).where(Account.person_id.in_(ids)).values(disabled_at=now), execution_options=plain
        )
        leaving = {"kind": "leave", "to_unit_id": None, "effective_on": on, "recorded_at": now, "note": note}
        by = {"recorded_by_id": context.actor.person_id}
        session.execute(
            insert(RosterMove), [leaving | by | {"person_id": each, "from_unit_id": units[each]} for each in ids]
        )


def _hold_against_preview(session: Session, job: RosterImport, planned: Sequence[Planned], gone: Sequence[Gone]) -> str:
    """Store the difference; one that was approved and has changed since goes back to be approved again. Gives what to tell the office."""
    mark, message = digest(planned, gone), ""
    if job.is_confirmed and job.summary.get("digest") != mark:
        job.is_confirmed = False
        message = "批准之前名册又有了变化，所以没有导入。下面是最新的差异，请核对后重新批准。"
    kinds, rows = listing(session, planned, gone, _what)
    job.summary = job.summary | {"digest": mark, "kinds": kinds, "rows": rows}
    return message


def _take_over(
    session: Session,
    job: RosterImport,
    planned: Sequence[Planned],
    gone: Sequence[Gone],
    *,
    cipher: FieldCipher,
    now: datetime,
    report: Report,
) -> tuple[Sequence[Planned], Sequence[Planned]]:
    """Write what was confirmed, all of it or what was chosen; gives the rows that were taken, and those held back for the office."""
    counts: dict[str, Any] = dict(count_outcomes(planned))
    if counts["refused"] and not job.is_whole and not job.summary.get("only_good"):
        raise InvalidImportError(
            f"确认之后名册有了变化，有 {counts['refused']} 行不能导入，所以整个文件都没有导入。请重新上传检查。"
        )
    context, on = ActionContext(session, Actor(person_id=job.created_by_id), now), day_of(now)
    choice = as_choice(job.summary["choice"]) if job.is_whole else None
    taken, held = hold_out_of_scope(session, job, chosen_rows(planned, choice) if choice else planned, now=now)
    if choice:
        counts["gone"] = deactivate_missing(context, gone, choice, on=on)
        counts["taken"] = len(taken)
        job.summary = job.summary | {"taken": Counter(kind_of(plan) for plan in taken) | {"gone": counts["gone"]}}
    write_rows(context, taken, cipher=cipher, on=on, report=report)
    job.summary = job.summary | {"written_at": now.isoformat()}
    record(context, "people.import_roster", object_type="roster_import", object_id=job.id, details=counts)
    job.content = None
    return taken, held


def _read(job: RosterImport, cipher: FieldCipher) -> RosterFile:
    content = open_file(job.content, job.id, cipher)
    file = read_roster(read_grids(content, name=job.file_name, aliases=HEAD_ALIASES))
    if file is None:
        raise UnreadableTableError(
            "没有找到名册的表头：前 15 行里没有同时写着“姓名”和“工号”（或“身份证号”）的一行。请对照说明检查表头，改好后重新上传。"
        )
    if not file.rows:
        raise UnreadableTableError("表头下面没有人员，请检查是否选错了文件。")
    return file


def _scope(session: Session, job: RosterImport, file: RosterFile, *, now: datetime) -> ImportScope:
    """Take the importer's rights as they are now, not as they were at the upload."""
    access = access_of("people:roster:import", list_grants(session, job.created_by_id or 0, now=now))
    if access is None:
        raise InvalidImportError("上传人已没有导入名册的权限，没有导入。")
    unit = session.get(Unit, job.unit_id) if job.unit_id else None
    if unit is None and not file.has_units:
        raise InvalidImportError("文件里没有单位列。请补上“单位”或“单位编码”列，或上传时选定单位。")
    return ImportScope(access=access, unit=unit)


def _summary(file: RosterFile, planned: Sequence[Planned], counts: dict[str, int]) -> dict[str, Any]:
    is_one_sheet = len({plan.row.sheet for plan in planned}) <= 1
    problems = [
        {
            "sheet": "" if is_one_sheet else file.grids[plan.row.sheet].name,
            "line": plan.row.line,
            "name": plan.row.name,
            "column": issue.column,
            "reason": issue.reason,
        }
        for plan in planned
        if plan.outcome is RosterRowOutcome.REJECTED
        for issue in plan.issues
    ]
    changes = [
        {"line": plan.row.line, "name": plan.row.name, "staff_number": plan.row.staff_number, "what": _what(plan)}
        for plan in planned
        if plan.outcome is RosterRowOutcome.CHANGED
    ]
    return {
        "counts": counts,
        "remarks": list(file.remarks),
        "problems": problems[:_MAX_PROBLEMS],
        "problem_count": len(problems),
        "changes": changes[:_MAX_SAMPLES],
    }


def _what(plan: Planned) -> str:
    return "、".join(_CHANGE_NAMES[name] for name in plan.changes)


def _notes(planned: Sequence[Planned], taken: Sequence[Planned], *, is_done: bool) -> dict[tuple[int, int], str]:
    """Give the note of every row, and the label in the row above the first of each sheet."""
    notes: dict[tuple[int, int], str] = {}
    is_taken = {id(plan) for plan in taken}
    for plan in planned:
        row = plan.row
        notes.setdefault((row.sheet, row.head_at), _LABEL)
        if plan.outcome is RosterRowOutcome.REJECTED:
            text = f"{_NOT_TAKEN}：" + " ".join(f"【{issue.column}】{issue.reason}" for issue in plan.issues)
        elif plan.outcome is not RosterRowOutcome.UNCHANGED and id(plan) not in is_taken:
            text = "没有采用"
        elif plan.outcome is RosterRowOutcome.CHANGED:
            text = f"{'已更新' if is_done else '将更新'}：{_what(plan)}"
        else:
            new = "已新增" if is_done else "将新增"
            text = new if plan.outcome is RosterRowOutcome.NEW else "没有变化"
        notes[row.sheet, row.at] = text
    return notes


def delete_old_files(session: Session, *, now: datetime) -> None:
    """Delete files and failed sign-in names that are past their time."""
    session.execute(
        update(RosterImport)
        .where(
            RosterImport.annotated.is_not(None),
            RosterImport.id.in_(
                select(Job.id).where(Job.kind == RosterImport.KIND, Job.created_at < now - _KEEP_FILES)
            ),
        )
        .values(content=None, annotated=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(UnknownSignIn).where(UnknownSignIn.locked_until < now - FAILURE_WINDOW))


def _encrypt(content: bytes, import_id: int, cipher: FieldCipher) -> bytes:
    return cipher.seal(base64.b64encode(content).decode("ascii"), associated_data=import_file_binding(import_id))


def open_file(encrypted: bytes | None, import_id: int, cipher: FieldCipher) -> bytes:
    """Open a kept file; raises InvalidImportError where it is kept no longer."""
    if encrypted is None:
        raise InvalidImportError("文件已过保存期，请重新上传。")
    try:
        return base64.b64decode(cipher.decrypt(encrypted, associated_data=import_file_binding(import_id)))
    except DecryptionError:
        raise InvalidImportError("保存的文件打不开（密钥已更换或内容受损），请重新上传。") from None
