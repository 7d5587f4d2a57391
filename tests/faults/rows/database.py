"""PostgreSQL's rows: dead, frozen, slow, locked, full, cut off from power."""

from __future__ import annotations

import time

import psycopg

from tests.faults.deployment import wait_until
from tests.faults.rows.register import row
from tests.faults.trial import Trial


def _answers(t: Trial) -> bool:
    try:
        with t.site.database() as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def _expect_short_window(t: Trial, limit_s: float) -> None:
    failed = t.ledger.failures(since=t.broken_at)
    window = max((r.began_at for r in failed), default=t.broken_at) - t.broken_at
    t.note(f"{len(failed)} failed requests within {window:.1f} s")
    t.expect(window <= limit_s, f"requests failed for {window:.1f} s, more than {limit_s:g}")


@row("F04", "一个数据库后端进程被杀")
def backend_dies(t: Trial) -> None:
    t.sit(5)
    with t.broken():
        with t.site.database() as connection:
            victim = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'examapp' AND pid <> pg_backend_pid() LIMIT 1"
            ).fetchone()
        next(p for p in t.site.part("postgres").children() if p.pid == victim[0]).kill()
        t.expect(wait_until(lambda: _answers(t), within_s=20), "the database did not come back")
    time.sleep(8)
    _expect_short_window(t, 6)
    t.expect_only_503()
    t.expect_no_forced_sign_in()


@row("F05", "数据库整个被杀")
def database_dies(t: Trial) -> None:
    for _ in range(int(t.seconds(3, 2))):
        t.sit(t.seconds(6, 5))
        with t.broken():
            t.site.kill("postgres")
            time.sleep(0.3)
            t.expect(wait_until(lambda: _answers(t), within_s=30), "the database did not come back")
        took = t.healed_at - t.broken_at
        t.expect(took <= 10, f"the database was away for {took:.1f} s, more than 10")
        t.watch(t.seconds(10, 6))
        first = t.recovery_s()
        t.expect(first is not None and first <= 5, f"saving again only {first} s after the database's return")
        t.expect_no_long_wait(5.5)
        t.rest()
    t.expect_only_503()
    t.expect_no_forced_sign_in()


@row("F10", "数据库冻结 30 秒")
def database_freezes(t: Trial) -> None:
    t.sit(5)
    with t.broken(), t.site.frozen("postgres"):
        time.sleep(t.seconds(30, 12))
    time.sleep(12)
    t.expect_no_long_wait(5.5)
    t.expect_only_503()
    first = t.recovery_s()
    t.expect(first is not None and first <= 8, f"saving again only {first} s after the thaw")
    t.expect_no_forced_sign_in()


@row("F11", "错误的迁移锁住答案表 15 秒")
def lock_storm(t: Trial) -> None:
    t.sit(5)
    with t.broken(), t.site.database() as connection, connection.transaction():
        connection.execute("LOCK TABLE answers IN ACCESS EXCLUSIVE MODE")
        time.sleep(t.seconds(15, 6))
    time.sleep(10)
    t.expect_only_503()
    t.expect_no_forced_sign_in()
