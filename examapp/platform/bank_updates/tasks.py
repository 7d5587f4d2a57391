"""The background reading of an edition, and bringing it in."""

from __future__ import annotations

from sqlalchemy import text

from examapp import clock
from examapp.db.session import transaction
from examapp.documents.archives import UnreadableFileError
from examapp.errors import DomainError
from examapp.jobs.registry import JobKind, job_handler
from examapp.jobs.runner import JobRun
from examapp.platform.audit.actions import ActionContext, Actor
from examapp.platform.bank_updates import actions
from examapp.platform.bank_updates.models import BankUpdate
from examapp.platform.bank_updates.rules import Edition, StoredQuestion, compare_edition, open_edition


class EditionRejectedError(DomainError):
    """An edition cannot be read; the message says why."""

    code = "unreadable"
    status = 422


@job_handler(
    JobKind(
        name=BankUpdate.KIND,
        label="题库年度更新",
        viewer="bank_updates:update:apply",
        quarantined="更新了三次都没有做完，已停下；已更新的都在。请重新上传同一个文件，会从没有做完的地方接着做。",
    )
)
def update_bank(run: JobRun) -> None:
    """Preview an edition, or bring a confirmed one in step by step; a second run finds what the first did."""
    with transaction() as session:
        row = actions.get_update(session, run.id)
        content, is_confirmed = row.content or b"", row.is_confirmed
    try:
        with open_edition(content) as edition:
            (_apply if is_confirmed else _preview)(run, edition)
    except UnreadableFileError as error:
        raise EditionRejectedError(str(error)) from None


def _load_stored() -> dict[str, StoredQuestion]:
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        return actions.load_stored(session)


def _preview(run: JobRun, edition: Edition) -> None:
    changes = compare_edition(edition.questions, _load_stored())
    with transaction() as session:
        row = actions.get_update(session, run.id)
        row.summary = actions.preview_update(session, edition, changes, now=clock.now())
        run.complete(session, total=len(edition.questions), message="已读完，请核对后确认更新。")


def _apply(run: JobRun, edition: Edition) -> None:
    stored = _load_stored()
    changes = compare_edition(edition.questions, stored)
    with transaction() as session:
        row = actions.get_update(session, run.id)
        overwritten, withdraws, actor = list(row.overwritten), row.withdraws, Actor(person_id=row.created_by_id)
    steps = list(actions.iter_steps(edition, changes, stored, overwritten=overwritten, withdraws=withdraws))
    for number, step in enumerate(steps):
        run.progress(number, len(steps))
        with transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            step(ActionContext(session, actor, clock.now()))
    with transaction() as session:
        actions.get_update(session, run.id).content = None
        run.complete(session, total=len(steps), message="已更新。" + actions.describe_update(changes, overwritten, withdraws=withdraws))  # fmt: skip
