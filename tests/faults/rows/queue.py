"""The rows of Valkey and Celery: dead, hung, emptied, full; workers killed, doubled, poisoned."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from tests.faults.ledger import Request, percentile
from tests.faults.rows.register import row
from tests.faults.sites import behind_a_proxy, with_poison
from tests.faults.trial import Trial
from tests.helpers.processes import wait_until

_JITTER_S = 0.02
"""What a percentile of some thousand saves of 30 ms differs by between two looks on two busy cores; a call that waits for Valkey takes a second."""


def _take_exam_without_valkey(t: Trial, seconds: float) -> None:
    """Save, sign in and hand in while Valkey is away; each must succeed, none may wait for it."""
    early = t.load.candidates[: len(t.load.candidates) // 3]
    time.sleep(seconds * 0.4)
    t.load.all("sign_in", of=t.other_devices(10), spread_s=3)
    time.sleep(seconds * 0.3)
    t.load.all("hand_in", of=early, spread_s=seconds * 0.3)


def _take_exam_beside_sign_ins(t: Trial) -> list[Request]:
    """Let time pass under the load that the fault will meet; gives its saves."""
    began = time.monotonic()
    t.take_exam(t.seconds(10, 4))
    t.load.all("sign_in", of=t.other_devices(10), spread_s=3)
    return t.ledger.select("save", since=began)


def _expect_untouched(t: Trial, before: list[Request]) -> None:
    failed = [r for r in t.ledger.failures(since=t.broken_at, until=t.healed_at) if r.what != "sign-in"]
    t.expect(not failed, f"{len(failed)} requests failed, the first: {failed[0] if failed else ''}")
    during = t.ledger.select("save", since=t.broken_at, until=t.healed_at)
    usual, p95 = percentile(before, 0.95), percentile(during, 0.95)
    slow = [sum(r.seconds > 1 for r in saves) / max(1, len(saves)) for saves in (before, during)]
    t.note(f"save p95 {usual * 1000:.0f} → {p95 * 1000:.0f} ms, over 1 s {slow[0]:.1%} → {slow[1]:.1%}")
    if not t.is_short:  # in CI only what no busy machine can spoil
        t.expect(p95 <= usual * 1.1 + _JITTER_S, f"save p95 grew from {usual:.3f} to {p95:.3f} s")
        t.expect(slow[1] <= slow[0] + 0.01, f"{slow[1]:.1%} of the saves took more than 1 s, before {slow[0]:.1%}")


@row("F12", "Redis 服务被杀 60 秒")
def valkey_dies(t: Trial) -> None:
    before = _take_exam_beside_sign_ins(t)
    with t.broken(), t.site.held("valkey"):
        _take_exam_without_valkey(t, t.seconds(60, 10))
    _expect_untouched(t, before)


@row("F13", "Redis 服务挂起 60 秒")
def valkey_hangs(t: Trial) -> None:
    before = _take_exam_beside_sign_ins(t)
    with t.broken(), t.site.stalled("valkey"):
        _take_exam_without_valkey(t, t.seconds(60, 10))
    _expect_untouched(t, before)


@row("F14", "Redis 数据清空，任务还在排队")
def valkey_emptied(t: Trial) -> None:
    t.take_exam(4)
    t.rest()
    with t.broken(), t.site.held("beat"), t.site.stalled("grading"):
        t.load.all("hand_in", spread_s=2)
        with t.site.redis() as redis:
            wait_until(lambda: redis.llen("grading") > 0, within_s=10)
            t.note(f"{redis.llen('grading')} jobs were queued")
            redis.flushall()


@row("F15", "Redis 会淘汰键时拒绝启动；内存已满（noeviction）")
def valkey_full(t: Trial) -> None:
    with t.site.redis() as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        code, text = t.site.flask("check-start", APP_MODE="production", HTTPS="1")
        t.expect(code == 1 and "noeviction" in text, f"a start on an evicting Redis was not refused: {text[-200:]}")
        redis.config_set("maxmemory-policy", "noeviction")
    before = _take_exam_beside_sign_ins(t)
    with t.site.redis() as redis:
        with t.broken():
            redis.config_set("maxmemory", "1")
            try:
                redis.lpush("drill", "x")
                t.expect(False, "Valkey took a key beyond its limit")
            except RedisError:
                pass
            _take_exam_without_valkey(t, t.seconds(20, 8))
        redis.config_set("maxmemory", "0")
    _expect_untouched(t, before)


@row("F16", "阅卷进程组反复被杀")
def grader_dies(t: Trial) -> None:
    t.take_exam(4)
    t.rest()
    with t.broken():
        kills = int(t.seconds(10, 3))
        thirds = [t.load.candidates[n::kills] for n in range(kills)]
        for some in thirds:
            t.load.all("hand_in", of=some, spread_s=1)
            if t.site.find_part("grading"):
                t.site.kill("grading")
                t.kills += 1
            time.sleep(1.5)
    t.note(f"{t.kills} process groups killed")
    t.expect(t.kills >= kills / 2, f"only {t.kills} of {kills} process groups could be killed")


@row("F18", "毒卷：阅卷进程退出、内存耗尽、死循环；其间 Redis 反复清空", site=with_poison, people=100)
def poison(t: Trial) -> None:
    t.take_exam(4)
    t.rest()
    bad = dict(zip((c.attempt_id for c in t.load.candidates), ("exit", "memory", "loop"), strict=False))
    (t.site.poison / "poisoned").write_text("".join(f"{attempt} {kind}\n" for attempt, kind in bad.items()))
    with t.broken():
        t.load.all("hand_in", spread_s=1)
        handed_in = time.monotonic()
        good = [c.attempt_id for c in t.load.candidates if c.attempt_id not in bad]
        with t.site.database() as connection:
            wait_until(lambda: _empty(t) and not _ungraded(connection, good), within_s=90, every_s=2)
            others = time.monotonic() - handed_in
            t.note(f"the others graded after {others:.0f} s")
            t.expect(others <= 65, f"the others waited {others:.0f} s for their grades")
            wait_until(lambda: _empty_and_judge(t, connection, list(bad)), within_s=300, every_s=4)
            aside = connection.execute(
                "SELECT count(*) FROM attempts WHERE id = ANY(%s) AND quarantined_at IS NOT NULL", (list(bad),)
            ).fetchone()[0]
            t.note(f"{aside} poisoned attempts set aside after {time.monotonic() - handed_in:.0f} s")
    attempts_made = Counter((t.site.poison / "tries").read_text().split())
    t.expect(max(attempts_made.values()) <= 3, f"more than three tries: {dict(attempts_made)}")
    t.expect(aside == len(bad), f"{aside} of {len(bad)} poisoned attempts were set aside after their tries")
    t.expect("attempt_quarantined" in t.site.log("sweeper") + t.site.log("grading"), "no alarm in the log")


def _ungraded(connection: psycopg.Connection[Any], attempts: list[int]) -> int:
    return connection.execute(
        "SELECT count(*) FROM attempts WHERE id = ANY(%s) AND state <> 'graded'", (attempts,)
    ).fetchone()[0]


def _empty(t: Trial) -> bool:
    with t.site.redis() as redis:
        return bool(redis.flushall())


def _empty_and_judge(t: Trial, connection: psycopg.Connection[Any], bad: list[int]) -> bool:
    """Empty Valkey; tell whether it is settled what becomes of the poisoned attempts."""
    _empty(t)
    attempts_made = Counter((t.site.poison / "tries").read_text().split())
    aside = connection.execute(
        "SELECT count(*) FROM attempts WHERE id = ANY(%s) AND quarantined_at IS NOT NULL", (bad,)
    ).fetchone()[0]
    return aside == len(bad) or max(attempts_made.values(), default=0) > 3


@row("F19", "定时进程和清扫进程被杀，再同时运行三个清扫进程", exam=(25, 4))
def sweepers(t: Trial) -> None:
    t.take_exam(6)
    t.rest()
    with t.broken(), t.site.held("beat", "sweeper"):
        with t.site.stalled("grading"):
            time.sleep(26)
            t.load.all("look", of=t.load.candidates[:3])
            with t.site.database() as connection:
                seen = connection.execute(
                    "SELECT count(*) FROM attempts WHERE id = ANY(%s) AND state <> 'in_progress'",
                    ([c.attempt_id for c in t.load.candidates[:3]],),
                ).fetchone()[0]
            t.expect(seen == 3, f"{seen} of 3 overdue attempts were closed by a read")
            red = wait_until(lambda: t.site.status("/healthz") == 503, within_s=75, every_s=1)
            t.expect(red, "/healthz stayed green without a sweeper")
        with t.site.further_sweepers(3):
            green = wait_until(lambda: t.site.status("/healthz") == 200, within_s=40, every_s=1)
            t.expect(green, "/healthz did not become green with three sweepers")
            time.sleep(5)
    for candidate in t.load.candidates:
        candidate.is_closed = True
    with t.site.database() as connection:
        closed = connection.execute(
            "SELECT count(*) FROM attempts WHERE id = ANY(%s) AND is_forced",
            ([c.attempt_id for c in t.load.candidates],),
        ).fetchone()[0]
    t.expect(
        closed == len(t.load.candidates), f"{closed} of {len(t.load.candidates)} attempts were closed at their deadline"
    )


@row("F20", "任务队列半开：所有字节被悄悄丢弃", site=behind_a_proxy, people=100)
def half_open(t: Trial) -> None:
    t.take_exam(4)
    t.rest()
    with t.broken():
        t.site.queue_proxy.faults.is_silent = True
        t.load.all("hand_in", spread_s=5)
        time.sleep(t.seconds(300, 60))
        t.site.queue_proxy.faults.is_silent = False
    healed = time.monotonic()
    with Redis.from_url(t.site.queue_url) as redis, t.site.celery(t.site.queue_url) as celery:
        celery.send_task("grading.grade_attempt", args=[0], queue="grading")
        taken = wait_until(lambda: not redis.llen("grading"), within_s=180, every_s=1)
        t.note(f"the workers took jobs again after {time.monotonic() - healed:.0f} s")
        t.expect(taken, "no worker takes jobs after the line is well again")
