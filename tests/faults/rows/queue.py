"""The rows of Valkey and Celery: dead, hung, emptied, full; workers killed, doubled, poisoned."""

from __future__ import annotations

import time

from redis.exceptions import RedisError

from tests.faults.deployment import wait_until
from tests.faults.ledger import percentile
from tests.faults.rows.register import row
from tests.faults.trial import Trial


def _sit_without_valkey(t: Trial, seconds: float) -> None:
    """Save, sign in and hand in while Valkey is away; each must succeed, none may wait for it."""
    early = t.load.candidates[: len(t.load.candidates) // 3]
    time.sleep(seconds * 0.4)
    t.load.all("sign_in", of=early[:10], spread_s=3)
    time.sleep(seconds * 0.3)
    t.load.all("hand_in", of=early, spread_s=seconds * 0.3)


def _expect_untouched(t: Trial, before: float) -> None:
    failed = t.ledger.failures(since=t.broken_at, until=t.healed_at)
    t.expect(not failed, f"{len(failed)} requests failed, the first: {failed[0] if failed else ''}")
    saves = t.ledger.select("save", since=t.broken_at, until=t.healed_at)
    after = percentile(saves, 0.95)
    t.note(f"save p95 {before * 1000:.0f} → {after * 1000:.0f} ms")
    t.expect(after <= before * 1.1 + 0.15, f"save p95 grew from {before:.2f} to {after:.2f} s")
    slow = [r for r in t.ledger.select(since=t.broken_at, until=t.healed_at) if r.seconds > 1 and r.what != "sign-in"]
    t.expect(
        len(slow) <= len(saves) * 0.01,
        f"{len(slow)} requests took more than 1 s, the slowest {max((r.seconds for r in slow), default=0):.1f} s",
    )
    t.expect_no_forced_sign_in()


@row("F12", "Redis 服务被杀 60 秒")
def valkey_dies(t: Trial) -> None:
    t.sit(t.seconds(10, 6))
    before = percentile(t.ledger.select("save"), 0.95)
    with t.broken(), t.site.held("valkey"):
        _sit_without_valkey(t, t.seconds(60, 10))
    _expect_untouched(t, before)


@row("F13", "Redis 服务挂起 60 秒")
def valkey_hangs(t: Trial) -> None:
    t.sit(t.seconds(10, 6))
    before = percentile(t.ledger.select("save"), 0.95)
    with t.broken(), t.site.frozen("valkey"):
        _sit_without_valkey(t, t.seconds(60, 10))
    _expect_untouched(t, before)


@row("F14", "Redis 数据清空，任务还在排队")
def valkey_emptied(t: Trial) -> None:
    t.sit(4)
    t.rest()
    with t.broken(), t.site.held("beat"), t.site.frozen("grading"):
        t.load.all("hand_in", spread_s=2)
        with t.site.redis() as redis:
            wait_until(lambda: redis.llen("grading") > 0, within_s=10)
            t.note(f"{redis.llen('grading')} jobs were queued")
            redis.flushall()
    t.expect_no_forced_sign_in()


@row("F15", "Redis 内存已满（noeviction）")
def valkey_full(t: Trial) -> None:
    t.sit(4)
    before = percentile(t.ledger.select("save"), 0.95)
    with t.site.redis() as redis:
        with t.broken():
            redis.config_set("maxmemory", "1")
            try:
                redis.lpush("drill", "x")
                t.expect(False, "Valkey took a key beyond its limit")
            except RedisError:
                pass
            _sit_without_valkey(t, t.seconds(20, 8))
        redis.config_set("maxmemory", "0")
    _expect_untouched(t, before)


@row("F16", "阅卷进程组反复被杀")
def grader_dies(t: Trial) -> None:
    t.sit(4)
    t.rest()
    with t.broken():
        kills = int(t.seconds(10, 3))
        thirds = [t.load.candidates[n::kills] for n in range(kills)]
        for some in thirds:
            t.load.all("hand_in", of=some, spread_s=1)
            if leader := t.site.find_part("grading"):
                del leader
                t.site.kill("grading")
            time.sleep(1.5)
