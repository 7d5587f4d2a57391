"""What PostgreSQL's row-level security would cost: the save's statement and the county's table, without and with policies, in one run.

`python -m benchmarks.row_security`; docs/decisions/0007 says what follows from it. Every round counts what was stored.
"""

from __future__ import annotations

import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg
from alembic import command
from sqlalchemy import text

from benchmarks.deployment import cpu_of
from benchmarks.reports import _FILL, _SIZES
from examapp import clock, create_app
from examapp.config import Mode, Settings
from examapp.db.schema import migration_config
from examapp.db.session import db, read_session
from examapp.delivery.attempts.actions import SAVE
from examapp.ops.embedded_servers import make_run_folder, start_postgres, start_valkey
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Tree
from examapp.oversight.statistics.queries import get_unit_table
from examapp.oversight.statistics_scope.queries import get_report_context

_CONNECTIONS = 8
_SAVES = 400
_ROUNDS = 5
_CHANGE = '[{"item": 1, "seq": %d, "response": ["A"], "is_bad": false, "is_long": false, "is_repeated": false, "size": 1, "top": 1}]'
_ATTEMPTS = (
    "UPDATE attempts SET state = 'in_progress', submitted_at = NULL, receipt_number = NULL, response_schema = 'S41', total = 1, "
    "deadline_at = now() + interval '1 day', closes_at = now() + interval '1 day' WHERE id <= 8"
)
_CURRENT_USER, _ACCESS = "current_setting('app.person')::bigint", "current_setting('app.reach')"
_POLICIES = (
    "CREATE ROLE candidate NOLOGIN",
    "CREATE ROLE office NOLOGIN",
    "GRANT ALL ON ALL TABLES IN SCHEMA public TO candidate, office",
    "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO candidate, office",
    *(
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        for table in ("units", "persons", "attempts", "answers", "answer_history", "grades")
    ),
    f"CREATE POLICY mine ON attempts TO candidate USING (person_id = {_CURRENT_USER})",
    "CREATE POLICY mine ON answers TO candidate USING (EXISTS (SELECT 1 FROM attempts a WHERE a.id = attempt_id))",
    f"CREATE POLICY mine ON answer_history TO candidate USING (person_id = {_CURRENT_USER})",
    f"CREATE POLICY reach ON units TO office USING (region_path LIKE {_ACCESS} || '%')",
    "CREATE POLICY reach ON persons TO office USING (unit_id IN (SELECT id FROM units))",
    "CREATE POLICY reach ON attempts TO office USING (person_id IN (SELECT id FROM persons))",
    "CREATE POLICY reach ON grades TO office USING (attempt_id IN (SELECT id FROM attempts))",
)


def main() -> int:
    """Fill a county, add the policies, measure both things by turns, print medians and ratios."""
    folder, run = Path(tempfile.mkdtemp(prefix="bench-rls-")), make_run_folder()
    postgres, valkey = start_postgres(folder, run), start_valkey(folder, run)
    settings = Settings(app_mode=Mode.TESTING, database_url=postgres.url, redis_url=valkey.url, secret_key="b" * 40, data_keys="k1:" + "11" * 32, data_dir=str(folder), log_level="ERROR")  # fmt: skip
    try:
        people, units, bureaus = _SIZES["county"]
        with create_app(settings).app_context():
            command.upgrade(migration_config(), "head")
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for statement in (*_FILL, _ATTEMPTS, *_POLICIES):
                    connection.exec_driver_sql("SET statement_timeout = 0")
                    connection.execute(text(statement), {"units": units, "people": people, "bureaus": bureaus})
            _saves(postgres)
            _tables()
            db.session.remove()
    finally:
        valkey.stop(signal.SIGKILL)
        postgres.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(run, ignore_errors=True)
    return 0


def _saves(postgres) -> None:
    url = postgres.url.replace("postgresql+psycopg://", "postgresql://")
    people = dict(_rows(url, "SELECT id, person_id FROM attempts WHERE id <= 8"))
    found: dict[str, list[tuple[float, float]]] = {"plain": [], "told": [], "policies": []}
    for number in range(_ROUNDS + 1):
        for how, rounds in found.items():
            rounds.append(_round(postgres, url, people, how, start=number * 10_000 + list(found).index(how) * 3000))
    plain = found["plain"][1:]
    for how, rounds in found.items():
        pairs = list(zip(rounds[1:], plain, strict=True))
        speed = statistics.median(mine[0] / base[0] for mine, base in pairs)
        cpu = statistics.median(mine[1] / base[1] for mine, base in pairs)
        per_s, each_ms = (statistics.median(values) for values in zip(*rounds[1:], strict=True))
        print(
            f"save, {how}: {per_s:.0f}/s, {each_ms:.3f} ms of the database's CPU; over plain {speed:.2f}, CPU {cpu:.2f}"
        )


def _round(postgres, url: str, people: dict[int, int], how: str, *, start: int) -> tuple[float, float]:
    """Save on every connection at once; gives saves a second and the database's CPU a save, in ms."""
    statement = text(SAVE.text).compile(dialect=db.engine.dialect).string
    before, began = cpu_of({postgres.process.pid}), time.perf_counter()
    threads = [
        threading.Thread(target=_save, args=(statement, url, each, people[each], how, start)) for each in sorted(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, cpu = time.perf_counter() - began, cpu_of({postgres.process.pid}) - before
    stored = dict(_rows(url, "SELECT attempt_id, seq FROM answers"))
    assert stored == dict.fromkeys(people, start + _SAVES), f"{how}: not everything was stored"
    saves = len(people) * _SAVES
    return saves / took, 1000 * cpu / saves


def _rows(url: str, query: str):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def _save(statement: str, url: str, attempt: tuple[int, int], how: str, start: int) -> None:
    attempt_id, person_id = attempt
    fields = {"attempt_id": attempt_id, "person_id": person_id, "token_digest": None, "epoch": 1, "now": clock.now()}
    with psycopg.connect(url, autocommit=True, prepare_threshold=1) as connection:
        if how == "policies":
            connection.execute("SET ROLE candidate")
        for seq in range(start + 1, start + _SAVES + 1):
            values = fields | {"changes": _CHANGE % seq}
            if how == "plain":
                connection.execute(statement, values)
                continue
            with connection.transaction():
                connection.execute("SELECT set_config('app.person', %s, true)", (str(person_id),))
                connection.execute(statement, values)


def _tables() -> None:
    access, found = AccessScope(is_everything=True), {"plain": [], "policies": []}
    sums = set()
    for _ in range(12):
        for how, times in found.items():
            session = read_session()
            if how == "policies":
                session.execute(text("SELECT set_config('app.reach', '/1/', true)"))
                session.execute(text("SET LOCAL ROLE office"))
            began = time.perf_counter()
            report_context = get_report_context(session, 1, scope=None, now=clock.now())
            table = get_unit_table(session, report_context, 1, tree=Tree.REGION, depth=1, access=access)
            times.append((time.perf_counter() - began) * 1000)
            sums.add((table.rows[0].counts.participated, table.rows[0].counts.passed, len(table.rows)))
            session.rollback()
    assert len(sums) == 1, sums
    plain = statistics.median(found["plain"][2:])
    for how, times in found.items():
        middle = statistics.median(times[2:])
        print(f"county's table, {how}: {middle:.1f} ms, over plain {middle / plain:.2f}; {sums}")


if __name__ == "__main__":
    sys.exit(main())
