"""Sweeps of learning: clearances, cards from released exams, what practice holds back, due reviews, forgotten uploads."""

from __future__ import annotations

from collections.abc import Callable

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.jobs.registry import task
from examapp.learning.practice_answers.actions import follow_grades, follow_keys
from examapp.learning.practice_pool.actions import hold_back
from examapp.learning.spaced_repetition.actions import count_due_reviews, harvest_exams, is_count_old, sum_mastery
from examapp.learning.study_gates.actions import clear_exams
from examapp.uploads.actions import sweep_uploads as sweep_files

_MAX_BATCHES = 10
"""Of one round: files to import wait in the same queue behind it."""


@task("training.sweep_clearances", queue="imports", every_s=60)
def sweep_clearances() -> None:
    """Write the clearances that completed courses earn, and take back those that a raised gate no longer grants."""
    with transaction() as session:
        clear_exams(session, now=clock.now())


@task("training.sweep_exams", queue="imports", every_s=60)
def sweep_exams() -> None:
    """Do one round of it."""
    look_at_exams()


def look_at_exams() -> None:
    """Hold back what coming exams would give away, make cards of exams whose keys are out, and follow corrections; a batch a transaction.

    What units see is counted again soon after an exam was learned from, without waiting for the count of every six hours.
    """
    with transaction() as session:
        hold_back(session, now=clock.now())
    _in_batches(harvest_exams)
    _in_batches(follow_grades)
    _in_batches(follow_keys)
    if is_count_old(read_session(), now=clock.now()):
        count_everybody()


def _in_batches(operation: Callable[..., int]) -> None:
    for _ in range(_MAX_BATCHES):
        with transaction() as session:
            if not operation(session, now=clock.now()):
                break


@task("training.count_due", queue="imports", every_s=21_600)
def count_due() -> None:
    """Do one count."""
    count_everybody()


def count_everybody() -> None:
    """Count the due reviews of everybody and add up what units know, for the sums that units see."""
    with transaction() as session:
        count_due_reviews(session, now=clock.now())
    with transaction() as session:
        sum_mastery(session, now=clock.now())


@task("training.sweep_uploads", queue="imports", every_s=3600, at_province=True)
def sweep_uploads() -> None:
    """Clear away uploads that nobody goes on with."""
    with transaction() as session:
        sweep_files(session, now=clock.now())
