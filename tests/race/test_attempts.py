"""Races with true commits and real connections: what two requests at the same moment must not break."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from examapp import clock
from examapp.db.session import db, transaction
from examapp.delivery.attempts.actions import close_overdue
from examapp.delivery.attempts.models import Answer, AnswerChange, Attempt, AttemptState
from examapp.delivery.exam_candidates.actions import prepare_papers
from examapp.delivery.grading import actions as grading_actions
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import Grade
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank


@pytest.fixture(autouse=True)
def without_enqueueing(monkeypatch):
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)


@pytest.fixture
def candidate_client(race_world):
    make_bank(race_world)
    exam = race_world.exam(race_world.blueprint(KINDS))
    person = race_world.person()
    race_world.commit()
    candidate_client = CandidateClient(race_world, exam, person)
    race_world.commit()
    return candidate_client


def together(count, work):
    """Run `work(n)` in `count` threads that begin at the same moment; give the results."""
    barrier = threading.Barrier(count)

    def run(n):
        barrier.wait()
        return work(n)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def clone(candidate_client, app):
    """Another tab of the same browser: the same cookies, a connection of its own."""
    client = app.test_client()
    client._cookies = dict(candidate_client.api._cookies)
    client.environ_base = dict(candidate_client.api.environ_base)
    return client


@pytest.mark.parametrize("is_paper_ready", [True, False])
def test_fifty_parallel_starts_make_one_attempt(candidate_client, race_app, is_paper_ready):
    if is_paper_ready:
        with transaction() as session:
            assert prepare_papers(session, candidate_client.exam_id, now=clock.now()) == 1
    url = f"/api/v1/exams/{candidate_client.exam_id}/attempts"
    answers = together(50, lambda _n: clone(candidate_client, race_app).post(url))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] * 49 + [201], codes
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert db.session.query(Attempt).count() == 1


def test_parallel_hand_ins_make_one_receipt(candidate_client, race_app):
    candidate_client.start()
    body = {"epoch": 1, "answers": [{"item": 1, "seq": 1, "response": ["A"]}]}
    answers = together(
        12, lambda _n: clone(candidate_client, race_app).post(candidate_client.url("/submission"), json=body)
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    assert len({str(answer.get_json()["receipt"]) for answer in answers}) == 1


def test_saves_of_the_same_items_in_another_order_never_block_each_other(candidate_client, race_app, monkeypatch):
    monkeypatch.setattr("examapp.security.rate_limits.check", lambda _saver: None)
    candidate_client.start()
    tabs = [clone(candidate_client, race_app) for _ in range(4)]

    def save(number):
        answers = []
        for turn in range(60):
            items = range(1, 6) if number % 2 else range(5, 0, -1)
            changes = [
                {
                    "item": item,
                    "seq": 1 + 1000 * turn + 10 * number + place,
                    "response": ["A"] if item < 5 else ["三十日"],
                }
                for place, item in enumerate(items)
            ]
            body = {"epoch": 1, "changes": changes}
            answers.append(tabs[number].put(candidate_client.url("/answers"), json=body).status_code)
        return answers

    codes = {code for answers in together(4, save) for code in answers}
    assert codes == {200}


def test_save_that_arrives_while_a_hand_in_commits_waits_and_is_rejected(candidate_client, race_app):
    candidate_client.start()
    with db.engine.connect() as holding:
        holding.execute(text("BEGIN"))
        holding.execute(
            text("SELECT 1 FROM attempts WHERE id = :id FOR UPDATE"), {"id": candidate_client.attempt["id"]}
        )
        with ThreadPoolExecutor(1) as pool:
            body = {"epoch": 1, "changes": [{"item": 1, "seq": 1, "response": ["A"]}]}
            waiting = pool.submit(
                lambda: clone(candidate_client, race_app).put(candidate_client.url("/answers"), json=body)
            )
            _until_somebody_waits()
            holding.execute(
                text(
                    "UPDATE attempts SET state='submitted', submitted_at=now(), receipt_number='r', receipt_sha256='s', answered=0 WHERE id=:id"
                ),
                {"id": candidate_client.attempt["id"]},
            )
            holding.commit()
            answer = waiting.result()
    assert answer.get_json()["error"] == "already_submitted"
    assert db.session.query(Answer).count() == 0


def _until_somebody_waits():
    watcher = db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with watcher:
        for _ in range(20_000):
            if watcher.execute(
                text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            ).scalar_one():
                return
    raise AssertionError("nobody waited for the lock")


def test_saves_of_the_same_item_at_once_end_with_the_highest_and_the_history_folds(candidate_client, race_app):
    candidate_client.start()

    def save(n):
        body = {"epoch": 1, "changes": [{"item": 1, "seq": n + 1, "response": ["ABCD"[n % 4]]}]}
        return clone(candidate_client, race_app).put(candidate_client.url("/answers"), json=body)

    answers = together(16, save)
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.get_json()["acked"]["1"] >= n + 1 for n, answer in enumerate(answers))
    stored = db.session.query(Answer).one()
    assert (stored.seq, stored.response) == (16, ["D"])
    last = db.session.query(AnswerChange).order_by(AnswerChange.seq.desc()).first()
    assert (last.seq, last.response) == (16, ["D"])


def test_parallel_sweeps_close_and_grade_once(candidate_client, race_app, race_world):
    candidate_client.start()
    attempt = db.session.get(Attempt, candidate_client.attempt["id"])
    attempt.started_at -= timedelta(hours=2)
    attempt.deadline_at -= timedelta(hours=2)
    attempt.closes_at -= timedelta(hours=2)
    race_world.commit()

    def sweep(_n):
        with race_app.app_context():
            grading_tasks.sweep_once()

    together(4, sweep)
    db.session.expire_all()
    assert db.session.get(Attempt, candidate_client.attempt["id"]).state == AttemptState.GRADED
    assert db.session.query(Grade).count() == 1


def test_sweep_and_hand_in_at_once_leave_one_receipt(candidate_client, race_app, race_world):
    candidate_client.start()
    attempt = db.session.get(Attempt, candidate_client.attempt["id"])
    attempt.started_at -= timedelta(hours=2)
    attempt.deadline_at = clock.now() - timedelta(seconds=60)
    attempt.closes_at = clock.now()
    race_world.commit()

    def act(n):
        if n % 2:
            return (
                clone(candidate_client, race_app)
                .post(candidate_client.url("/submission"), json={"epoch": 1, "answers": []})
                .get_json()["receipt"]
            )
        with race_app.app_context():
            close_overdue(db.session(), now=clock.now(), limit=200)
            db.session.commit()
            return None

    receipts = [receipt for receipt in together(8, act) if receipt]
    assert len({str(receipt) for receipt in receipts}) == 1
    assert db.session.query(Attempt).filter(Attempt.submitted_at.is_not(None)).count() == 1


def test_a_hand_in_pressed_again_while_the_paper_is_graded_delays_no_grade(candidate_client, race_app):
    candidate_client.start()
    candidate_client.hand_in()
    with db.engine.connect() as holding:
        holding.execute(text("BEGIN"))

        def grade():
            with race_app.app_context():
                with transaction() as session:
                    ids = grading_actions.begin_batch(session, now=clock.now())
                begun.set()
                assert held.wait(10)
                with transaction() as session:
                    return grading_actions.grade_batch(session, ids, now=clock.now())

        begun, held = threading.Event(), threading.Event()
        with ThreadPoolExecutor(1) as pool:
            grading = pool.submit(grade)
            assert begun.wait(10)
            holding.execute(
                text("SELECT 1 FROM attempts WHERE id = :id FOR UPDATE"), {"id": candidate_client.attempt["id"]}
            )
            held.set()
            _until_somebody_waits()
            holding.rollback()
            assert grading.result() == 1
