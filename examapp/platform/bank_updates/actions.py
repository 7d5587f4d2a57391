"""Upload an edition, preview what it changes, confirm it, bring it in batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.clock import local
from examapp.content.question_editing.actions import add_questions, save_question
from examapp.content.question_intake.actions import load_laws
from examapp.content.question_review.actions import set_state
from examapp.content.question_search.queries import QuestionFilter, iter_questions
from examapp.content.questions.models import AnswerKey, BankQuestion, QuestionState, QuestionVersion
from examapp.content.questions.queries import get_question, get_version, stamp_of
from examapp.errors import BadRequestError, ConflictError, NotFoundError
from examapp.jobs.actions import enqueue, restart
from examapp.learning.course_editing.actions import load_courses
from examapp.learning.courses.models import Course
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from examapp.platform.bank_updates.models import BankUpdate
from examapp.platform.bank_updates.rules import Edition, EditionChanges, StoredQuestion
from question_bank.model import Question

AUDIT_ACTS = {"bank.confirm_update": "确认题库年度更新", "bank.upload_update": "上传题库年度更新"}
AUDIT_OBJECTS = {"bank_update": "题库年度更新"}
AUDIT_DETAILS = {"overwritten": "放弃的本县修改", "withdraws": "停用新版没有的题"}

BATCH = 100
"""Questions written in one transaction."""
Step = Callable[[ActionContext], None]


def upload_update(context: ActionContext, *, content: bytes, file_name: str) -> BankUpdate:
    """Store an edition's file and enqueue its preview; nothing changes before it is confirmed."""
    if not content:
        raise BadRequestError("请选择年度更新文件（.zip）。")
    row = BankUpdate(
        created_by_id=context.actor.person_id, file_name=file_name[:200], content=content, created_at=context.now
    )
    enqueue(context.session, row)
    record(context, "bank.upload_update", object_type="bank_update", object_id=row.id)
    return row


def get_update(session: Session, update_id: int, *, is_locked: bool = False) -> BankUpdate:
    """Get an update, locked for an act if asked for; raises NotFoundError."""
    row = session.get(BankUpdate, update_id, with_for_update=is_locked or None, populate_existing=is_locked)
    if row is None:
        raise NotFoundError
    return row


def list_updates(session: Session) -> list[BankUpdate]:
    """List the last updates, the newest first."""
    return list(session.scalars(select(BankUpdate).order_by(BankUpdate.id.desc()).limit(20)))


def confirm_update(context: ActionContext, *, update_id: int, overwritten: Collection[str], withdraws: bool) -> None:
    """Enqueue bringing a previewed edition in; own edits not named in `overwritten` are kept. A second call changes nothing."""
    row = get_update(context.session, update_id, is_locked=True)
    if row.is_confirmed:
        return
    if not row.is_done or row.content is None:
        raise ConflictError("这个文件还没有读完，或没有读成功，不能更新。请等读完后再确认。")
    own = {entry["code"] for entry in row.summary.get("own", [])}
    row.is_confirmed, row.withdraws, row.overwritten = True, withdraws, sorted(own & set(overwritten))
    details = {"overwritten": row.overwritten, "withdraws": withdraws}
    record(context, "bank.confirm_update", object_type="bank_update", object_id=row.id, details=details)
    restart(context.session, row, now=context.now)


def load_stored(session: Session) -> dict[str, StoredQuestion]:
    """Load the bank's questions by code, with whose they are."""
    rows = session.execute(
        select(BankQuestion, QuestionVersion.created_by_id, AnswerKey.created_by_id, AnswerKey.number)
        .join(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id)
        .join(AnswerKey, AnswerKey.question_version_id == QuestionVersion.id)
        .order_by(AnswerKey.number)
    ).all()
    questions = {question.code: question for question in iter_questions(session, QuestionFilter())}
    return {
        row.code: StoredQuestion(
            id=row.id,
            question=questions[row.code],
            is_shipped=row.created_by_id is None and row.import_id is None,
            is_own_edit=writer is not None or setter is not None or number > 1 or row.state != QuestionState.ACTIVE,
        )
        for row, writer, setter, number in rows
    }


def preview_update(session: Session, edition: Edition, changes: EditionChanges, *, now: datetime) -> dict[str, object]:
    """Give what an edition changes, as its row's summary."""
    known = set(session.scalars(select(Course.title).where(Course.year == local(now).year)))
    titles = [course.title for course in edition.courses]
    return {
        "edition": edition.name,
        **asdict(changes),
        "gists": edition.gist_count,
        "courses": {
            "new": [title for title in titles if title not in known],
            "kept": [title for title in titles if title in known],
        },
    }


def iter_steps(
    edition: Edition,
    changes: EditionChanges,
    stored: Mapping[str, StoredQuestion],
    *,
    overwritten: Collection[str],
    withdraws: bool,
) -> Iterator[Step]:
    """Yield the steps that bring an edition in, each for a transaction of its own: laws and gists first, then questions in batches, courses last.

    The questions are written by the system, not by who confirmed, so that the next edition does not take them for the county's own.
    """
    by_code = {question.code or "": question for question in edition.questions}
    own = {entry["code"] for entry in changes.own}
    yield partial(_load_laws, edition=edition)
    for codes in _batches(changes.new):
        yield partial(_add, questions=[by_code[code] for code in codes])
    for codes in _batches([*changes.changed, *sorted(own & set(overwritten))]):
        yield partial(_replace, pairs=[(stored[code].id, by_code[code]) for code in codes])
    for codes in _batches(changes.withdrawn if withdraws else []):
        yield partial(_retire, ids=[stored[code].id for code in codes])
    yield partial(_load_courses, edition=edition)


def _batches(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(codes), BATCH):
        yield codes[start : start + BATCH]


def _load_laws(context: ActionContext, *, edition: Edition) -> None:
    load_laws(context.session, edition.folder, now=context.now)


def _load_courses(context: ActionContext, *, edition: Edition) -> None:
    load_courses(context, edition.courses, year=local(context.now).year, is_required=False, publishes=True)


def _add(context: ActionContext, *, questions: Sequence[Question]) -> None:
    add_questions(_by_system(context), questions=questions, state=QuestionState.ACTIVE)


def _replace(context: ActionContext, *, pairs: Sequence[tuple[int, Question]]) -> None:
    """Make an edition's texts the questions' current versions, in use at once: the edition was read a second time before it was shipped."""
    for question_id, question in pairs:
        row = get_question(context.session, question_id, is_locked=True)
        stamp = stamp_of(row, get_version(context.session, row))
        save_question(_by_system(context), question_id=question_id, question=question, read_stamp=stamp)
        for state in (QuestionState.REVIEWED, QuestionState.ACTIVE):
            set_state(_by_system(context), question_id=question_id, state=state)


def _retire(context: ActionContext, *, ids: Sequence[int]) -> None:
    for question_id in ids:
        set_state(_by_system(context), question_id=question_id, state=QuestionState.RETIRED)


def _by_system(context: ActionContext) -> ActionContext:
    return ActionContext(context.session, SYSTEM, context.now)


def describe_update(changes: EditionChanges, overwritten: Collection[str], *, withdraws: bool) -> str:
    """Say in Chinese what an update came to."""
    taken = sum(entry["code"] in overwritten for entry in changes.own)
    retired = f"停用 {len(changes.withdrawn)} 题" if withdraws else f"新版没有的 {len(changes.withdrawn)} 题没有停用"
    return (
        f"新增 {len(changes.new)} 题，修改 {len(changes.changed) + taken} 题，{retired}，"
        f"保留本县修改 {len(changes.own) - taken} 题，相同 {changes.same} 题。"
    )
