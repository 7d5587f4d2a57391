"""Making papers in the background; the sweep hints every exam that has not closed."""

from __future__ import annotations

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.delivery.exam_candidates import actions
from examapp.delivery.exams import queries as exam_queries
from examapp.jobs.publisher import publish
from examapp.jobs.registry import task


@task("exams.prepare_papers", queue="grading")
def prepare_papers(exam_id: int) -> None:
    """Make an exam's papers batch by batch, a transaction each, until nobody lacks one."""
    made = 1
    while made:
        with transaction() as session:
            made = actions.prepare_papers(session, exam_id, now=clock.now())


@task("exams.sweep_papers", queue="grading", every_s=60)
def sweep_papers() -> None:
    """Enqueue the making of papers for each exam that has not closed; one that fails does not hold up the others."""
    for exam_id in exam_queries.list_exams_to_prepare(read_session(), now=clock.now()):
        publish("exams.prepare_papers", exam_id)
