"""Fixtures of all tests: real PostgreSQL and Valkey from the wheels, schema from the migrations, a rollback per test."""

from __future__ import annotations

import gc
import json
import math
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from alembic import command
from flask import Flask
from nacl.pwhash import argon2id
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from examapp import create_app, registry
from examapp.clock import clock
from examapp.config import Mode, Settings
from examapp.content.question_imports import cli as question_import_commands
from examapp.content.question_imports import tasks as question_import_tasks
from examapp.db.schema import migration_config
from examapp.db.session import Base, db
from examapp.delivery.attempts import queries
from examapp.delivery.attempts.queries import exam_notices
from examapp.delivery.exam_candidates import actions as candidate_actions
from examapp.jobs import runner
from examapp.learning.practice import actions as practice_actions
from examapp.ops import backup
from examapp.ops.embedded_servers import make_run_folder, start_postgres, start_valkey
from examapp.organisation.sign_in import session as sign_in_session
from examapp.platform.audit.rules import ChainHead
from examapp.platform.audit_chain import actions as audit_chain_actions
from examapp.platform.health import views as health_views
from examapp.security.password_hashing import _Argon2
from question_bank.sandbox import ChildReader
from tests.factories import World
from tests.helpers.drawn_examples import load_profile
from tests.helpers.messages import gateway

# Else a tenth of the time of all tests goes into looking through what stands for good.
gc.set_threshold(100_000, 20, 50)
load_profile()

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
"""The instant at which tests begin: noon in the county."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests, so that no process is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("begins") is None)


class Servers:
    """One PostgreSQL and one Valkey of this test process."""

    def __init__(self) -> None:
        self.data = Path(tempfile.mkdtemp(prefix="examtest-"))
        self.run = make_run_folder()
        # Without fsync: the tests kill no power; the drills run with it.
        self.postgres = start_postgres(
            self.data,
            self.run,
            extra={
                "fsync": "off",
                "full_page_writes": "off",
                "shared_buffers": "64MB",
                # Tables of tests are soon full of rows that were rolled back: a plan from when a table was empty, or from a
                # count of its living rows, reads it whole. Nothing is counted here, so each plan goes by a table's true size.
                "autovacuum": "off",
                "plan_cache_mode": "force_custom_plan",
                "enable_seqscan": "off",
            },
        )
        self.valkey = start_valkey(self.data, self.run)

    def create_database(self, name: str, *, template: str = "template1") -> None:
        """Make a database; nobody may be connected to its template."""
        url = self.settings("postgres").database_url
        with closing(psycopg.connect(url.replace("+psycopg", ""), autocommit=True)) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")

    def settings(self, database: str = "examapp") -> Settings:
        return Settings(
            app_mode=Mode.TESTING,
            database_url=self.postgres.url.replace("/examapp?", f"/{database}?"),
            redis_url=self.valkey.url,
            secret_key="test-secret-key-of-at-least-32-characters",
            data_keys="k1:" + "11" * 32,
            data_dir=str(self.data),
            log_level="ERROR",
        )

    def stop(self) -> None:
        self.valkey.stop(signal.SIGKILL)
        self.postgres.stop(signal.SIGQUIT)
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.run, ignore_errors=True)


class CheapArgon2(_Argon2):
    """Makes the cheapest hashes there are; what a real one costs is held by core/test_limits.py."""

    def hash(self, password: str) -> str:
        return argon2id.str(password.encode(), opslimit=argon2id.OPSLIMIT_MIN, memlimit=argon2id.MEMLIMIT_MIN).decode()


@contextmanager
def opened(settings: Settings) -> Iterator[Flask]:
    """An application of these settings, whose lines to the database are closed afterwards: one that were left open would
    turn that test red in whose midst it is cleared away."""
    app = create_app(settings)
    hasher = app.extensions["hasher"]
    hasher._argon2 = CheapArgon2()
    hasher._dummy_hash = hasher._argon2.hash("")
    try:
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()


assert registry.MODULES  # every feature is loaded, whichever test comes first
sign_in_session._DELAY_S = 0.0
health_views._is_reporting.acquire()  # no thread of the program may write through the one connection of a test


@pytest.fixture(autouse=True)
def notices_of_now(monkeypatch):
    """What those who sit are told is read again every few seconds: in a test only where it says so (`exam_notices.cache_clear()`)."""
    monkeypatch.setattr(queries, "_MAX_LATE_S", math.inf)
    exam_notices.cache_clear()
    exam_notices.cache[exam_notices.cache_key()] = {}


class _Seeds:
    """Gives seeds of papers that are the same in each run of a test, in place of the module `secrets`."""

    def __init__(self, name: str) -> None:
        self.randbits = random.Random(name).getrandbits


@pytest.fixture(autouse=True)
def same_draws(monkeypatch, request):
    """What is drawn for a paper or for practice goes by the test's name: a test is green or red, never one time in twenty."""
    monkeypatch.setattr(candidate_actions, "secrets", _Seeds(request.node.nodeid))
    monkeypatch.setattr(practice_actions, "_RNG", random.Random(request.node.nodeid))


@pytest.fixture(scope="session")
def servers():
    runner.HEARTBEAT_S = 3600.0
    running = Servers()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def app(servers):
    with opened(servers.settings()) as app:
        with app.app_context():
            command.upgrade(migration_config(), "head")
            db.engine.dispose()
        servers.create_database("race", template="examapp")
        # What lives until the end is not looked at again by any collection.
        gc.collect()
        gc.freeze()
        yield app


@pytest.fixture
def fixed_clock():
    """The clock stands at NOON; `frozen.at(instant)` moves it."""

    class FixedClock:
        instant = NOON

        def at(self, instant: datetime) -> None:
            self.instant = instant

    fixed_clock = FixedClock()
    with clock.set_to(lambda: fixed_clock.instant):
        yield fixed_clock


_FIRST_HEADS: dict[Path, bytes] = {}


def begin_audit_head(app: Flask) -> None:
    """Let the chain over the log begin again: its head lies in a file, which no rollback brings back."""
    path = app.config["SETTINGS"].data_path / backup.HEAD_FILE
    if path not in _FIRST_HEADS:
        path.unlink(missing_ok=True)
        audit_chain_actions.begin(path.parent, ChainHead(), cipher=app.extensions["cipher"])
        _FIRST_HEADS[path] = path.read_bytes()
    path.write_bytes(_FIRST_HEADS[path])


@pytest.fixture
def session(app, fixed_clock):
    """A database session in a transaction that is rolled back; requests of the test's clients take part in it."""
    begin_audit_head(app)
    with app.app_context():
        engine = db.engines[None]
        engines = db._app_engines[app]
        connection = engine.connect()
        outer = connection.begin()
        engines[None] = connection  # type: ignore[assignment] # every session joins the transaction of the test
        db.session.configure(join_transaction_mode="create_savepoint")
        try:
            yield db.session()
            db.session.remove()
        finally:
            engines[None] = engine
            db.session.configure(join_transaction_mode="conditional_savepoint")
            outer.rollback()
            connection.close()


@pytest.fixture
def world(app, session, fixed_clock):
    """Makes units, people, questions, exams …, and clients that are signed in."""
    return World(app, session)


@pytest.fixture(scope="session")
def race_app(app, servers):
    """The application on a database of its own, for tests with true commits and several connections."""
    with opened(servers.settings("race")) as race_app:
        yield race_app


@pytest.fixture
def race_world(race_app):
    """A world with true commits: `world.session` must be committed; all rows are deleted afterwards."""
    begin_audit_head(race_app)
    with race_app.app_context():
        yield World(race_app, db.session(), commits=True)
        db.session.rollback()
        delete_all_rows(db.session())
        db.session.commit()
        db.session.remove()


def delete_all_rows(session: Session) -> None:
    """Delete the rows of all tables. TRUNCATE makes new files for 150 tables and their indexes, which takes a second."""
    session.execute(text("SET LOCAL session_replication_role = replica"))  # no trigger and no foreign key is in the way
    names = [table.name for table in Base.metadata.sorted_tables]
    filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names)
    for name in session.scalars(text(filled)).all():
        session.execute(text(f'DELETE FROM "{name}"'))


@pytest.fixture
def statements(app, session):
    """Counts SQL statements (BEGIN, COMMIT and savepoints apart): `with statements() as seen: …; len(seen)`."""

    @contextmanager
    def counting():
        seen: list[str] = []

        def note(_conn, _cursor, statement, _parameters, _context, _many):
            if not statement.startswith(("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")):
                seen.append(statement)

        connection = db._app_engines[app][None]
        event.listen(connection, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(connection, "before_cursor_execute", note)

    return counting


@pytest.fixture
def letters(app, tmp_path):
    """The letters in the file of the gateway so far."""
    path = tmp_path / "out" / "messages.jsonl"

    def read():
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    with gateway(app, message_gateway=f"file:{path}"):
        yield read


@pytest.fixture(scope="session")
def reader_of_files() -> Iterator[ChildReader]:
    """One helper that reads the files of all tests, each in a child of its own under its limits."""
    with ChildReader() as reader:
        yield reader


@pytest.fixture
def shared_reader(reader_of_files, monkeypatch):
    """Let imports read by that helper: starting one for each file takes a second."""
    for module in (question_import_tasks, question_import_commands):
        monkeypatch.setattr(module, "ChildReader", lambda: nullcontext(reader_of_files))


def _folder_from(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value or not Path(value).is_dir():
        pytest.skip(f"{variable} names no folder: the files that this test reads are not here")
    return Path(value)


@pytest.fixture(scope="session")
def fixtures_folder():
    return _folder_from("EXAMAPP_FIXTURES")


@pytest.fixture(scope="session")
def laws_folder():
    return _folder_from("EXAMAPP_LAWS")
