"""Done inside a process of the application: statements of a request, time in the server, memory of an export, and what a new county gives to do."""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from flask import Flask
from psycopg import Cursor
from sqlalchemy import func, select, text

from benchmarks.figures import peak_kb
from examapp import clock, create_app
from examapp.db.session import read_session, transaction
from examapp.delivery.exams.models import Exam
from examapp.jobs.runner import run_job
from examapp.learning.spaced_repetition.actions import harvest_exams
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.oversight.report_exports.models import Export
from examapp.security.password_hashing import _Argon2

_ROUNDS, _HASHES = 7, 20


def main(what: str) -> dict[str, object]:
    app = create_app()
    return {"save": _save, "page": _page, "export": _export, "learn": _learn, "hash": _hash}[what](app)


@contextmanager
def _counted():
    """Give the statements that go to the driver, whoever sends them."""
    seen: list[str] = []
    execute: Any = Cursor.execute

    def noted(cursor, statement, *arguments, **fields):
        seen.append(statement)
        return execute(cursor, statement, *arguments, **fields)

    Cursor.execute = noted  # type: ignore[method-assign,assignment] # for as long as statements are counted
    yield seen
    Cursor.execute = execute  # type: ignore[method-assign]


def _client(app: Flask, login_name: str, password: str):
    client = app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").get_data(as_text=True)).group(1)
    answer = client.post("/login", data={"login_name": login_name, "password": password, "csrf_token": token})
    assert answer.status_code == 303, answer.status_code
    client.environ_base["HTTP_X_CSRFTOKEN"] = client.get("/api/v1/session").get_json()["csrf_token"]
    return client


def _accounts(app: Flask) -> dict:
    return json.loads((app.config["SETTINGS"].data_path / "demo-accounts.json").read_text("utf-8"))


def _save(app: Flask) -> dict[str, object]:
    accounts = _accounts(app)
    client = _client(app, accounts["candidates"]["login_names"][-5], accounts["candidates"]["password"])
    attempt = client.post(f"/api/v1/exams/{accounts['open_exam_id']}/attempts", json={}).get_json()
    epoch = client.post(f"/api/v1/attempts/{attempt['id']}/epoch").get_json()["epoch"]
    counts = []
    for seq in range(1, 4):
        with _counted() as seen:
            body = {"epoch": epoch, "changes": [{"item": seq, "seq": seq, "response": ["A"]}]}
            assert client.put(f"/api/v1/attempts/{attempt['id']}/answers", json=body).status_code == 200
        counts.append(len([s for s in seen if "clock_timestamp" not in s]))
    return {"statements": max(counts)}


def _hash(app: Flask) -> dict[str, object]:
    """Give the processor time of comparing one password with its hash in ms, two at a time as the site does it."""
    del app
    matches, password = _Argon2(), "Xuefa-2026-yx"
    stored = matches.hash(password)
    began = time.process_time()
    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(lambda _: matches.verify(stored, password), range(_HASHES)))
    return {"ms": 1000 * (time.process_time() - began) / _HASHES}


def _office(app: Flask):
    account = next(account for account in _accounts(app)["accounts"] if account["role"] == "publicity_office")
    return _client(app, account["login_name"], account["password"])


def _exam_and_county(app: Flask) -> tuple[int, int]:
    with app.app_context():
        exam_id = read_session().scalar(select(func.min(Exam.id)))
        county_id = read_session().scalar(select(Unit.id).where(Unit.kind == "county"))
    return int(exam_id or 0), int(county_id or 0)


def _page(app: Flask) -> dict[str, object]:
    client = _office(app)
    exam_id, county_id = _exam_and_county(app)
    address = f"/admin/reports/exams/{exam_id}/units/{county_id}"
    statements, times = [], []
    for _ in range(_ROUNDS):
        with _counted() as seen:
            began = time.perf_counter()
            answer = client.get(address)
            times.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.status_code
        statements.append(len([s for s in seen if "clock_timestamp" not in s]))
    return {"statements": max(statements[1:]), "ms": 1000 * statistics.median(times[1:])}


def _learn(app: Flask) -> dict[str, object]:
    """Take the exams into everybody's mistake books at once; the worker itself takes a few batches a minute."""
    taken = 0
    with app.app_context():
        while True:
            with transaction() as session:
                # The worker takes batches too: wait for its lock as long as it holds it.
                session.execute(text("SET LOCAL lock_timeout = '60s'"))
                count = harvest_exams(session, now=clock.now())
            if not count:
                return {"taken": taken}
            taken += count


def _export(app: Flask) -> dict[str, object]:
    exam_id, county_id = _exam_and_county(app)
    with app.app_context():
        office = next(
            account["login_name"] for account in _accounts(app)["accounts"] if account["role"] == "publicity_office"
        )
        person_id = read_session().scalar(select(Person.id).where(Person.staff_number == office))
        before = peak_kb()
        with transaction() as session:
            row = Export(
                exam_id=exam_id,
                unit_id=county_id,
                content="scores",
                format="xlsx",
                created_by_id=person_id,
                created_at=clock.now(),
            )
            session.add(row)
            session.flush()
            export_id = row.id
        began = time.perf_counter()
        run_job(export_id)
        took = time.perf_counter() - began
        row = read_session().get(Export, export_id)
        size = len(row.file or b"")
    peak = peak_kb()
    return {"s": took, "mb": peak / 1024, "mb_more": (peak - before) / 1024, "bytes": size, "state": row.client_state}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
