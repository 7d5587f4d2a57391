"""What workers do for the bank."""

from __future__ import annotations

from celery import shared_task

from examapp import clock
from examapp.content.question_duplicates import actions as question_duplicate_actions
from examapp.content.question_imports import actions
from examapp.content.question_law_changes import actions as question_law_change_actions
from examapp.db.session import independent_transaction, transaction
from question_bank.parse_result import ParseResult, UnreadableFileError
from question_bank.sandbox import ChildReader


@shared_task(name="questions.read_import", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def read_import(import_id: int) -> None:
    """Read an uploaded file: for its preview, or to take it over once it is confirmed."""
    with transaction() as session:
        file = actions.begin_import(session, import_id=import_id, now=clock.now())
    if file is None:
        return
    outcome = _read(file)

    def note_progress(done: int) -> None:
        with independent_transaction() as aside:
            actions.note_import_progress(aside, import_id=import_id, done=done, total=file_total(outcome))

    with transaction() as session:
        actions.finish_import(
            session, import_id=import_id, outcome=outcome, now=clock.now(), note_progress=note_progress
        )


def file_total(outcome: ParseResult | UnreadableFileError) -> int:
    """Give how many questions a reading has found."""
    return outcome.found if isinstance(outcome, ParseResult) else 0


def _read(file: actions.FileToRead) -> ParseResult | UnreadableFileError:
    """Read in a process of its own, so that a hostile file ends that process and not the worker."""
    try:
        with ChildReader() as reader:
            return reader.read(file.content, file.name, file.format, answers=file.answers)
    except UnreadableFileError as error:
        return error


@shared_task(name="questions.sweep_imports", acks_late=True)  # type: ignore[untyped-decorator]
def sweep_imports() -> None:
    """Take up imports that were forgotten."""
    with transaction() as session:
        actions.sweep_imports(session, now=clock.now())
        question_duplicate_actions.sweep_duplicate_searches(session, now=clock.now())


@shared_task(name="questions.check_laws", acks_late=True)  # type: ignore[untyped-decorator]
def check_laws() -> None:
    """Flag the questions under which a law has changed."""
    with transaction() as session:
        question_law_change_actions.check_laws(session, now=clock.now())


@shared_task(name="questions.search_duplicates", acks_late=True)  # type: ignore[untyped-decorator]
def search_duplicates(search_id: int) -> None:
    """Search the whole bank for near-duplicates."""
    with transaction() as session:
        has_begun = question_duplicate_actions.begin_duplicate_search(session, search_id=search_id, now=clock.now())
    if not has_begun:
        return

    def note_progress(done: int) -> None:
        with independent_transaction() as aside:
            question_duplicate_actions.note_search_progress(aside, search_id=search_id, done=done)

    with transaction() as session:
        question_duplicate_actions.finish_duplicate_search(
            session, search_id=search_id, now=clock.now(), note_progress=note_progress
        )
