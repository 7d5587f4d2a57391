"""Grading in worker processes and in the sweeper; each task is safe to run twice."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog
from sqlalchemy.exc import SQLAlchemyError

from examapp import clock
from examapp.db.session import transaction
from examapp.delivery.attempt_starts.actions import clear_queue
from examapp.delivery.attempts.actions import close_overdue
from examapp.delivery.grading import actions
from examapp.delivery.make_ups import actions as make_up_actions
from examapp.jobs.registry import task

log = structlog.get_logger()
_CLOSED_AT_ONCE = 200
_CLOSING_S = 20.0
"""Less than the time after which a sweeper without a heartbeat is taken for dead."""
_GRADING_LIMIT_S = 5.0
_BATCHES_OF_A_TASK = 20
_GRADING_LIMIT_EACH_S = 0.3
"""A paper takes milliseconds, a batch a second; a full batch's limit is less than the lease after which it is tried again."""


@task("grading.grade_attempt", queue="grading")
def grade_attempt(_attempt_id: int = 0) -> None:
    """Grade what waits, some batches of it; an id says nothing more (clients of an older version send one)."""
    grade_waiting(max_batches=_BATCHES_OF_A_TASK)


@task("grading.apply_extensions", queue="grading")
def apply_extensions() -> None:
    """Apply extra time that was just granted, ahead of the sweep."""
    with transaction() as session:
        actions.apply_extensions(session, now=clock.now())


def sweep_once() -> int:
    """Close overdue attempts, grade submitted ones, retry and at last quarantine those that failed; gives how many. `flask sweep` alone calls it, under its lock."""
    with transaction() as session:
        actions.apply_extensions(session, now=clock.now())
    closed = _close_overdue()
    graded = grade_waiting(max_batches=400) + _grade_again(limit=200)
    with transaction() as session:
        actions.set_aside_exhausted(session, now=clock.now())
        clear_queue(session, now=clock.now())
        make_up_actions.renew_makeup_eligibility(session, now=clock.now())
    return closed + graded


def _close_overdue() -> int:
    """Close batch after batch of what is overdue: a county may leave thousands of papers open; after a while the rest waits for the next round."""
    closed, until = 0, time.monotonic() + _CLOSING_S
    while time.monotonic() < until:
        with transaction() as session:
            batch = close_overdue(session, now=clock.now(), limit=_CLOSED_AT_ONCE)
        closed += batch
        if batch < _CLOSED_AT_ONCE:
            break
    return closed


def grade_waiting(*, max_batches: int) -> int:
    """Grade attempts that were never tried, a batch a transaction; gives how many.

    It ends with a batch that is not full: who hands in later sends a message of his own, and single papers would cost twice as much.
    """
    graded = 0
    for _ in range(max_batches):
        with transaction() as session:
            ids = actions.begin_batch(session, now=clock.now())
        graded += _grade(ids) if ids else 0
        if len(ids) < actions.BATCH:
            break
    return graded


def _grade_again(*, limit: int) -> int:
    """Grade one by one what was begun before and did not end, so that one bad paper harms no other."""
    graded = 0
    for _ in range(limit):
        with transaction() as session:
            ids = actions.begin_again(session, now=clock.now())
        if not ids:
            break
        graded += _grade(ids)
    return graded


def _grade(ids: list[int]) -> int:
    """Grade what was begun; what fails, or takes longer than any paper may, is left to a later try and harms no other."""
    try:
        with at_most(_GRADING_LIMIT_S + _GRADING_LIMIT_EACH_S * len(ids)), transaction() as session:
            return actions.grade_batch(session, ids, now=clock.now())
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("grading_failed", attempts=len(ids))
        return 0


@task("grading.tally_questions", queue="reports", every_s=600)
def tally_questions() -> None:
    """Count how questions fared in exams with new grades."""
    with transaction() as session:
        actions.tally_questions(session, now=clock.now())


class TookTooLongError(Exception):
    """The work was ended because its time was over."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End the block by TookTooLongError after so many seconds; only in a process's main thread, where workers and sweeper work."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGALRM, _raise_too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _raise_too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TookTooLongError
