"""Looking for barred questions in papers that were made already, every minute."""

from __future__ import annotations

import structlog

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.delivery.exams.queries import list_exams_to_prepare
from examapp.delivery.question_replacements import actions
from examapp.jobs.registry import task

log = structlog.get_logger()


@task("exams.replace_barred_questions", queue="grading", every_s=60)
def replace_barred_questions() -> None:
    """Draw the papers again that hold barred questions and that nobody has started, each exam in a transaction of its own."""
    for exam_id in list_exams_to_prepare(read_session(), now=clock.now()):
        with transaction() as session:
            done = actions.replace_barred_questions(session, exam_id, now=clock.now())
        if done is not None:
            log.info("barred_questions_replaced", exam_id=exam_id, replaced=done.replaced, begun=done.begun)
