"""Background tasks of the question bank."""

from __future__ import annotations

from examapp import clock
from examapp.content.question_duplicates import actions as question_duplicate_actions
from examapp.content.question_imports import actions
from examapp.content.question_law_changes import actions as question_law_change_actions
from examapp.content.questions.models import DuplicateSearch, QuestionImport
from examapp.db.session import transaction
from examapp.documents.archives import UnreadableFileError
from examapp.jobs.registry import JobKind, job_handler, task
from examapp.jobs.runner import JobRun
from question_bank.model import Note, ParseResult, UnknownColumnsError
from question_bank.sandbox import ChildReader


@job_handler(
    JobKind(
        name=QuestionImport.KIND,
        label="导入试题",
        viewer="questions:bank:import",
        quarantined="读了三次都没有读完，已停下。请把文件拆小或改存为 .xlsx 后重新上传。",
    )
)
def read_import(run: JobRun) -> None:
    """Read an uploaded file for its preview, or store its questions once it is confirmed."""
    with transaction() as session:
        file = actions.get_file(session, run.id)
    outcome = file.parsed or _read(file)
    with transaction() as session:
        actions.finish_import(session, run, outcome, now=clock.now())


def _read(file: actions.FileToRead) -> ParseResult:
    """Read in a subprocess, so that a hostile file ends that process and not the worker."""
    try:
        with ChildReader() as reader:
            return reader.read(file.content, file.name, file.format, answers=file.answers, columns=file.columns)
    except UnknownColumnsError as error:
        note = Note("整个文件", str(error), "columns_unknown")
        return ParseResult(error.format_name, remarks=[note], tables=error.tables)
    except UnreadableFileError as error:
        raise actions.QuestionFileRejectedError(str(error)) from None


@job_handler(
    JobKind(
        name=DuplicateSearch.KIND,
        label="查找重复试题",
        viewer="questions:question:read",
        quarantined="查了三次都没有查完，已停下。请稍后重新查找。",
    )
)
def search_duplicates(run: JobRun) -> None:
    """Search the whole bank for near-duplicates."""
    with transaction() as session:
        question_duplicate_actions.search_duplicates(session, run)


@task("questions.check_laws", queue="imports", every_s=60, at_province=True)
def check_laws() -> None:
    """Flag the questions under which a law has changed."""
    check_due_laws()


def check_due_laws() -> int:
    """Flag them, a law a transaction: an import of its next text waits for no other law. Give how many flags are new."""
    return sum(iter(_check_next_law, None))


def _check_next_law() -> int | None:
    with transaction() as session:
        return question_law_change_actions.check_next_law(session, now=clock.now())
