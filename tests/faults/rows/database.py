"""PostgreSQL's rows: dead, frozen, slow, locked, full, cut off from power."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

import psycopg

from tests.faults.ledger import percentile
from tests.faults.rows.register import row
from tests.faults.sites import on_a_disk, on_a_small_disk
from tests.faults.trial import Trial
from tests.helpers.processes import wait_until


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
    t.take_exam(5)
    with t.broken():
        with t.site.database() as connection:
            victim = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'examapp' AND pid <> pg_backend_pid() LIMIT 1"
            ).fetchone()
        next(p for p in t.site.part("postgres").children() if p.pid == victim[0]).kill()
        t.expect(wait_until(lambda: _answers(t), within_s=20), "the database did not come back")
    time.sleep(8)
    _expect_short_window(t, 5)
    t.expect_only_503()


@row("F05", "数据库整个被杀")
def database_dies(t: Trial) -> None:
    for _ in range(int(t.seconds(3, 1))):
        t.take_exam(t.seconds(6, 5))
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


@row("F10", "数据库冻结 30 秒")
def database_stalls(t: Trial) -> None:
    t.take_exam(5)
    with t.broken(), t.site.stalled("postgres"):
        time.sleep(t.seconds(30, 12))
    time.sleep(12)
    t.expect_no_long_wait(5.5)
    t.expect_only_503()
    first = t.recovery_s()
    t.expect(first is not None and first <= 8, f"saving again only {first} s after the thaw")


@row("F11", "错误的迁移锁住答案表 15 秒")
def lock_storm(t: Trial) -> None:
    t.take_exam(5)
    with t.broken(), t.site.database() as connection, connection.transaction():
        connection.execute("LOCK TABLE answers IN ACCESS EXCLUSIVE MODE")
        time.sleep(t.seconds(15, 6))
    time.sleep(10)
    t.expect_only_503()


@row("F06", "断电：文件系统立即停止，未落盘的全部丢失", site=on_a_disk)
def power_cut(t: Trial) -> None:
    for _ in range(int(t.seconds(10, 2))):
        t.take_exam(t.seconds(5, 5))
        with t.broken():
            t.site.disk.cut()
            t.site.cut_power()
            t.site.disk.unmount()
            t.site.disk.mount()
            t.site.start()
        t.watch(4)
        t.rest()


@row("F07", "落盘出错：fdatasync 返回 EIO")
def fsync_error(t: Trial) -> None:
    t.take_exam(5)
    with t.broken(), t.site.traced("postgres", "fdatasync", "error=EIO:when=15"):
        panicked = wait_until(lambda: "PANIC" in t.site.postgres_log(), within_s=15)
        t.expect(panicked, "no fdatasync was failed")
    t.expect(wait_until(lambda: _answers(t), within_s=20), "the database did not come back")
    t.watch(6)
    t.expect_only_503()


def _fill(filler: Path, share: float) -> None:
    """Fill the disk to a share, or to its last block."""
    with filler.open("ab", buffering=0) as file:
        for size in (1024 * 1024, 4096):
            with contextlib.suppress(OSError):
                while share == 1 or _share_used(filler) < share:
                    file.write(bytes(size))


def _share_used(place: Path) -> float:
    usage = shutil.disk_usage(place)
    return usage.used / usage.total


@row("F08", "磁盘写满", site=on_a_small_disk, people=100)
def disk_full(t: Trial) -> None:
    t.take_exam(5)
    filler = t.site.data / "filler"
    with t.broken():
        _fill(filler, 0.9)
        alarm = wait_until(lambda: "disk_filling" in t.site.log("sweeper"), within_s=40)
        t.expect(alarm, "no alarm that the disk is filling")
        _fill(filler, 1)
        t.watch(t.seconds(25, 12))
        reader = t.load.candidates[0]
        t.load.all("look", of=[reader])
        looked = t.ledger.select("look")[-1]
        t.expect(looked.status == 200, f"reading while the disk is full answered {looked.status}")
        rejected = [r for r in t.ledger.select("save", since=t.broken_at) if r.status == 503]
        t.note(f"{len(rejected)} saves refused with 503")
        t.expect(rejected, "the full disk was not felt")
        filler.unlink()
    t.watch(10)
    first = t.recovery_s()
    t.expect(first is not None and first <= 30, f"saving again only after {first} s")
    t.expect_only_503()


@row("F09", "数据库变慢：每次保存 0.3 秒")
def database_slow(t: Trial) -> None:
    t.take_exam(5)
    slow = (
        "CREATE FUNCTION drill_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$; "
        "CREATE TRIGGER drill_slow BEFORE INSERT ON answer_history FOR EACH STATEMENT EXECUTE FUNCTION drill_slow()"
    )
    with t.broken():
        with t.site.database() as connection:
            connection.execute(slow)
        t.watch(t.seconds(30, 15))
        slowed = max(c.next_save_s for c in t.load.candidates)
        with t.site.database() as connection:
            connection.execute("DROP TRIGGER drill_slow ON answer_history; DROP FUNCTION drill_slow()")
    late = [
        r for r in t.ledger.select("save", since=t.broken_at + t.seconds(12, 7), until=t.healed_at) if r.status == 200
    ]
    p99 = percentile(late, 0.99)
    t.note(f"next_save_ms grew to {slowed * 1000:.0f}, save p99 {p99:.1f} s")
    t.expect(slowed > 2.0 or p99 < 0.6, "next_save_ms did not grow")
    t.expect(p99 <= 2.0, f"save p99 {p99:.1f} s")
    t.expect_only_503()


@row("F32", "考试中迁移，中途被杀再重跑")
def migration_in_use(t: Trial) -> None:
    t.take_exam(5)
    steps = (
        "ALTER TABLE attempts ADD COLUMN IF NOT EXISTS drill_note text",
        "ALTER TABLE answers ADD COLUMN IF NOT EXISTS drill_note text",
    )
    with t.broken():
        half_way = t.site.database()
        half_way.execute("SET lock_timeout = '2s'")
        half_way.execute("BEGIN")
        half_way.execute(steps[0])
        with t.site.database() as other:
            other.execute("SELECT pg_terminate_backend(%s)", (half_way.info.backend_pid,))
        half_way.close()
        with t.site.database() as again:
            again.execute("SET lock_timeout = '2s'")
            for step in steps:
                began = time.monotonic()
                again.execute(step)
                t.expect(time.monotonic() - began <= 2, "a step held its lock for more than 2 s")
            t.watch(4)
            # each in a transaction of its own: a save locks first one of the tables, then the other
            for table in ("attempts", "answers"):
                again.execute(f"ALTER TABLE {table} DROP COLUMN drill_note")
    t.watch(4)
    t.expect_only_503()
    t.expect_no_long_wait(5.5)
