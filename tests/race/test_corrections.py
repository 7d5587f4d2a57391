"""Corrections with true commits: many approvals at once, grading beside one, and a connection or a process that dies in the middle."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from examapp import clock
from examapp.content.questions.models import AnswerKey
from examapp.db.session import db, transaction
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.corrections import actions
from examapp.delivery.corrections.rules import CorrectionKind, GradeChange
from examapp.delivery.grading import actions as grading_actions
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import Correction, Grade, ItemRuling
from examapp.delivery.grading.rules import Treatment
from examapp.errors import ConflictError
from examapp.platform.audit.actions import ActionContext, Actor
from question_bank.model import Kind
from tests.attempts.candidate_clients import CandidateClient
from tests.helpers.races import together


@pytest.fixture(autouse=True)
def without_enqueueing(monkeypatch):
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)


@pytest.fixture
def scenario(race_world):
    """An exam of one question, six papers answered wrong, four of them graded; and a correction that waits: points for all."""
    question = race_world.question(Kind.SINGLE_CHOICE, key=("A",))
    exam = race_world.exam(race_world.blueprint(((Kind.SINGLE_CHOICE, 1, "2"),)), results_policy="never")
    office = [race_world.admin("publicity_office").id for _ in range(9)]
    race_world.commit()
    clients = []
    for number in range(6):
        client = CandidateClient(race_world, exam, race_world.person())
        race_world.commit()
        client.start()
        client.hand_in()
        clients.append(client)
        if number == 3:
            grading_tasks.sweep_once()
    change = GradeChange(kind=CorrectionKind.ITEM, version_id=question.current_version_id, treatment=Treatment.FULL)
    with transaction() as session:
        asked = actions.ask_correction(context(session, office[0]), change=change, exam_ids=[exam.id], reason="有错")
        return {"correction_id": asked.id, "office": office, "session": race_world.session}


def context(session, person_id):
    return ActionContext(session, Actor(person_id=person_id), clock.now())


def current_points(session):
    session.rollback()
    return sorted(grade.points for grade in session.query(Grade).filter_by(is_current=True))


@pytest.mark.parametrize("number", [8, pytest.param(50, marks=pytest.mark.slow)])
def test_of_many_approvals_at_once_one_is_carried_out(scenario, race_app, number):
    others = cycle(scenario["office"][1:])
    done = together(
        race_app,
        number,
        lambda session: actions.approve_correction(context(session, next(others)), scenario["correction_id"]).state,
    )
    assert sum(result == "applied" for result in done) == 1
    assert sum(isinstance(result, ConflictError) for result in done) == number - 1
    session = scenario["session"]
    assert current_points(session) == [2] * 4
    assert (session.query(ItemRuling).count(), session.query(Grade).count()) == (1, 8)


def test_of_two_corrections_at_once_the_later_one_is_outdated(scenario, race_app):
    """Each was tried out on grades that the other replaces, so one is applied, and what it did stands whole."""
    session, office = scenario["session"], scenario["office"]
    marks = {"pass_percent": "1.00", "good_percent": "2.00", "excellent_percent": "3.00"}
    exam_id = session.execute(text("SELECT id FROM exams")).scalar_one()
    with transaction() as asking:
        rules = actions.ask_correction(
            context(asking, office[0]),
            change=GradeChange(kind=CorrectionKind.RULES, rules=marks),
            exam_ids=[exam_id],
            reason="合格线印错",
        ).id
    waiting = cycle([scenario["correction_id"], rules])
    done = together(
        race_app,
        2,
        lambda approving: actions.approve_correction(context(approving, office[1]), next(waiting)).state,
    )
    assert sum(result == "applied" for result in done) == 1
    assert sum(isinstance(result, actions.OutdatedError) for result in done) == 1
    session.rollback()
    assert sorted(grade.number for grade in session.query(Grade).filter_by(is_current=True)) == [2] * 4
    assert session.query(Correction).filter_by(state="applied").count() == 1


def test_what_is_graded_beside_a_correction_follows_it_too(scenario, race_app):
    def work(number):
        with race_app.app_context():
            if number:
                return grading_tasks.sweep_once()
            with transaction() as session:
                return actions.approve_correction(
                    context(session, scenario["office"][1]), scenario["correction_id"]
                ).state

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    session = scenario["session"]
    assert current_points(session) == [2] * 6, "a grade made before is corrected, one made after goes by the ruling"
    assert session.query(Attempt).filter_by(state="graded").count() == 6


def test_a_connection_that_dies_in_the_middle_leaves_everything_as_it_was(scenario, race_app, monkeypatch):
    write = actions._write_grades

    def dying(context, correction, rows):
        write(context, correction, rows)
        context.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    monkeypatch.setattr(actions, "_write_grades", dying)
    with pytest.raises(OperationalError), transaction() as session:
        actions.approve_correction(context(session, scenario["office"][1]), scenario["correction_id"])
    session = scenario["session"]
    assert current_points(session) == [0] * 4
    assert (session.query(ItemRuling).count(), session.query(Correction).one().state) == (0, "asked")
    monkeypatch.setattr(actions, "_write_grades", write)
    with transaction() as again:
        actions.approve_correction(context(again, scenario["office"][1]), scenario["correction_id"])
    assert current_points(session) == [2] * 4


def approve_and_die(race_app, scenario, moment):
    """Approve in this process, a fork, and kill it at this moment: before and after each statement, before the commit."""
    passed = count(1)

    def die(*_args):
        if next(passed) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    with race_app.app_context():
        db.engine.dispose(close=False)
        for happening in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(db.engine, happening, die)
        with transaction() as session:
            actions.approve_correction(context(session, scenario["office"][1]), scenario["correction_id"])


@pytest.mark.slow
def test_a_process_killed_at_any_moment_leaves_all_or_nothing(scenario, race_app):
    session = scenario["session"]
    for moment in count(1):
        session.rollback()
        child = os.fork()
        if not child:
            try:
                approve_and_die(race_app, scenario, moment)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            break
        assert current_points(session) == [0] * 4, moment
        assert (session.query(ItemRuling).count(), session.query(Correction).one().state) == (0, "asked"), moment
    assert moment > 15
    assert current_points(session) == [2] * 4
    assert (session.query(ItemRuling).count(), session.query(Correction).one().state) == (1, "applied")


def test_nothing_is_graded_by_the_key_of_before_once_a_new_one_holds(scenario, race_app):
    """A new key for the bank alone waits for the grading that began before it, sees what that graded, and is not put in force beside it."""
    session = scenario["session"]
    version_id = session.execute(text("SELECT id FROM question_versions")).scalar_one()
    session.execute(text("DELETE FROM grades"))
    session.execute(text("UPDATE attempts SET state = 'submitted', grading_retry_count = 0"))
    session.commit()
    old = session.query(AnswerKey).one()
    change = GradeChange(
        kind=CorrectionKind.ITEM, version_id=version_id, old_key_id=old.id, new_part={**old.parts[0], "key": ["B"]}
    )
    with transaction() as asking:
        bank = actions.ask_correction(
            context(asking, scenario["office"][0]), change=change, exam_ids=[], reason="录错"
        ).id

    def approve():
        with race_app.app_context(), transaction() as approving:
            return actions.approve_correction(context(approving, scenario["office"][1]), bank).state

    with ThreadPoolExecutor(1) as pool:
        with transaction() as grading:
            ids = grading_actions.begin_batch(grading, now=clock.now())
            assert grading_actions.grade_batch(grading, ids, now=clock.now()) == 6
            approval = pool.submit(approve)
            with pytest.raises(TimeoutError):
                approval.result(timeout=0.3)
        with pytest.raises(actions.OutdatedError):
            approval.result(timeout=10)
    session.rollback()
    assert session.query(AnswerKey).count() == 1
