"""Sweeps of the training room: clearances, cards from released exams, what practice holds back, due reviews, forgotten uploads."""

from __future__ import annotations

from celery import shared_task

from examapp.core import clock
from examapp.core.db import transaction
from examapp.core.uploads.sweeping import sweep_uploads as sweep_files
from examapp.training.operations.clearing import clear_exams
from examapp.training.operations.harvesting import count_due_reviews, harvest_exams
from examapp.training.operations.holding import hold_back

_MOST_BATCHES = 100


@shared_task(name="training.sweep_clearances", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_clearances() -> None:
    """Write the clearances that completed courses earn, and take back those that a raised gate no longer grants."""
    with transaction() as session:
        clear_exams(session, now=clock.now())


@shared_task(name="training.sweep_exams", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_exams() -> None:
    """Do one round of it."""
    look_at_exams()


def look_at_exams() -> None:
    """Hold back what coming exams would give away, and make cards of exams whose keys are out, a batch a transaction."""
    with transaction() as session:
        hold_back(session, now=clock.now())
    for _ in range(_MOST_BATCHES):
        with transaction() as session:
            if not harvest_exams(session, now=clock.now()):
                break


@shared_task(name="training.count_due", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def count_due() -> None:
    """Do one count."""
    count_everybody()


def count_everybody() -> None:
    """Count the due reviews of everybody for the sums of units."""
    with transaction() as session:
        count_due_reviews(session, now=clock.now())


@shared_task(name="training.sweep_uploads", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_uploads() -> None:
    """Clear away uploads that nobody goes on with."""
    with transaction() as session:
        sweep_files(session, now=clock.now())
