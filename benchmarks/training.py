"""Training, on a PostgreSQL of its own: the learner's home with forty courses, an exercise's answer, and the reviews due for a whole county."""

from __future__ import annotations

import json
import re
import secrets
import statistics
import time
from datetime import datetime
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from benchmarks.alone import application_alone, without_indexes
from benchmarks.figures import Figure, at_most
from examapp import clock
from examapp.content.question_editing.actions import add_questions
from examapp.content.questions.models import QuestionState
from examapp.db.session import db, transaction
from examapp.learning.spaced_repetition.actions import count_due_reviews, sum_mastery
from examapp.organisation.accounts.rules import digest
from examapp.organisation.people.models import Account, SignIn
from examapp.platform.audit.actions import SYSTEM, ActionContext
from question_bank.quality import read_content

PEOPLE, CARDS, COURSES = 8_000, 2_000, 40
_CONTENT = Path(__file__).parents[1] / "question_bank" / "content"
_ROUNDS = 30

ADD_PEOPLE = text("""
WITH unit AS (
  INSERT INTO units (code, name, kind, region_path, created_at) VALUES ('T1', '测试局', 'department', '/1/', now()) RETURNING id
)
INSERT INTO persons (staff_number, name, unit_id, state, rank, position, created_at, updated_at)
SELECT 'T' || n, '学员' || n, unit.id, 'on_roster', '', '', now(), now() FROM unit, generate_series(1, :people) AS n
""")
_CARDS = text("""
INSERT INTO review_cards (person_id, question_id, part, is_right, lapses, answered_at, due_at, stability, difficulty)
SELECT p.id, q.id, k.part, (p.id + q.id) % 3 > 0, 1, :now, :now + make_interval(days => ((p.id * 7 + q.id * 13 + k.part) % 60)::int - 6), 5, 5
FROM persons AS p CROSS JOIN (SELECT id FROM questions ORDER BY id LIMIT :questions) AS q CROSS JOIN generate_series(0, :parts - 1) AS k(part)
""")
_COURSES = text("""
WITH made AS (
  INSERT INTO courses (title, summary, year, is_required, credits, state, created_at, updated_at, published_at)
  SELECT '课程' || n, '', :year, true, 5, 'published', :now, :now, :now FROM generate_series(1, :courses) AS n RETURNING id
)
INSERT INTO chapters (course_id, position, title, body, law, topic, exercise_count, pass_count)
SELECT made.id, n, '第' || n || '章', '<p>正文</p>', '', '', 20, 12 FROM made, generate_series(1, 5) AS n
""")


def measure() -> list[Figure]:
    """Fill a county's training, and measure; the fill is not measured."""
    with application_alone() as app:
        with app.app_context():
            token = _fill(clock.now())
            db.session.remove()
        return [*_pages(app, token), *_due(app)]


def _fill(now: datetime) -> str:
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = '30min'"))
        session.execute(text("SET LOCAL synchronous_commit = off"))
        seed = [question for question in read_content(_CONTENT) if not question.parts]
        add_questions(ActionContext(session, SYSTEM, now), questions=seed, state=QuestionState.ACTIVE)
        session.execute(ADD_PEOPLE, {"people": PEOPLE})
        questions = min(len(seed), 1000)
        # The cards are sound by how they are made; looking each reference up would take minutes.
        session.execute(text("SET LOCAL session_replication_role = replica"))
        with without_indexes(session, "review_cards"):
            session.execute(_CARDS, {"now": now, "questions": questions, "parts": CARDS // questions})
        session.execute(text("SET LOCAL session_replication_role = origin"))
        session.execute(_COURSES, {"year": clock.today().year, "now": now, "courses": COURSES})
        person_id = session.execute(text("SELECT min(id) FROM persons")).scalar_one()
        token = _account(session, person_id, now)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = '30min'"))
        connection.execute(text("VACUUM ANALYZE"))
    return token


def _account(session, person_id: int, now: datetime) -> str:
    token = secrets.token_urlsafe(24)
    account = Account(person_id=person_id, login_name="bench", password_hash="!", must_change_password=False)
    session.add(account)
    session.flush()
    session.add(SignIn(account_id=account.id, token_digest=digest(token), started_at=now))
    session.flush()
    return token


def _pages(app: Flask, token: str) -> list[Figure]:
    client = FlaskClient(app, app.response_class, use_cookies=True)
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    seen: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: seen.append(statement))
    client.get("/study/")
    times, counts = [], []
    for _ in range(_ROUNDS):
        seen.clear()
        began = time.perf_counter()
        assert client.get("/study/").status_code == 200
        times.append(1000 * (time.perf_counter() - began))
        counts.append(len(seen))
    return [
        at_most("learner's home with 40 courses: statements", statistics.median(counts), 5, ""),
        at_most("learner's home with 40 courses: time in the server", statistics.median(times), 30, "ms"),
        at_most("exercise answer: statements", _answer(client, seen), 3, ""),
    ]


def _answer(client: FlaskClient, seen: list[str]) -> float:
    """Give the statements of an answer. What a process reads now and then for all its requests is not one of them: so the median."""
    page = client.get("/study/").get_data(as_text=True)
    course = re.search(r"/study/courses/\d+", page)[0]
    chapter = re.search(r"/study/chapters/\d+", client.get(course).get_data(as_text=True))[0]
    csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(chapter).get_data(as_text=True))[1]
    run = client.post(f"{chapter}/exercise", data={"csrf_token": csrf}).location
    counts = []
    for _ in range(11):
        path = client.get(run).location
        kind = "A" if 'value="A"' in client.get(path).get_data(as_text=True) else "三十日"
        seen.clear()
        client.post(path, data={"csrf_token": csrf, "response": kind})
        counts.append(len(seen))
    return statistics.median(counts)


def _due(app: Flask) -> list[Figure]:
    with app.app_context():
        began = time.perf_counter()
        with transaction() as session:
            people = count_due_reviews(session, now=clock.now())
        took = time.perf_counter() - began
        began = time.perf_counter()
        with transaction() as session:
            sum_mastery(session, now=clock.now())
        summed = time.perf_counter() - began
    assert people == PEOPLE
    return [
        at_most("due reviews of 8,000 people with 2,000 cards each: one batch", took, 60, "s"),
        at_most("what units know, of 8,000 people with 2,000 cards each: one batch", summed, 120, "s"),
    ]


if __name__ == "__main__":
    print(json.dumps([figure.as_json() for figure in measure()], ensure_ascii=False, indent=1))
