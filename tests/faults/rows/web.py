"""The web server's rows: a worker dies, the whole server dies, a deploy."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator

import psutil

from examapp.ops.start_checks import listening
from tests.faults.rows.register import row
from tests.faults.sites import nginx_over, second_web_server
from tests.faults.trial import Trial
from tests.helpers.processes import wait_until


def kill_a_worker(t: Trial) -> None:
    """Kill the web worker that has served longest, as long as another serves too (all of them dead is F02); note when two serve again."""
    with contextlib.suppress(psutil.Error):
        workers = t.site.workers()
        if len(listening(t.site.port)) == len(workers) > 1:
            began = time.monotonic()
            killed = min(workers, key=lambda worker: worker.create_time())
            killed.kill()
            t.kills += 1
            is_back = wait_until(
                lambda: killed.pid not in {w.pid for w in t.site.workers()} and len(listening(t.site.port)) > 1,
                within_s=10,
                every_s=0.01,
            )
            took = time.monotonic() - began
            t.expect(is_back and took <= _SERVES_AGAIN_WITHIN_S, f"a killed worker was replaced after {took:.1f} s")
            t.slowest_return_s = max(t.slowest_return_s, took)


@contextlib.contextmanager
def again_and_again(act: object, t: Trial, *, every_s: float) -> Iterator[None]:
    """Do something every few seconds beside what the block does."""
    stop = threading.Event()

    def repeat() -> None:
        while not stop.wait(every_s):
            act(t)  # type: ignore[operator]

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


_SERVES_AGAIN_WITHIN_S = 2.0


@row("F01", "网页进程被杀，每 3 秒一个")
def worker_dies(t: Trial) -> None:
    t.take_exam(t.seconds(6, 3))
    with t.broken():
        t.watch(t.seconds(30, 10), lambda: kill_a_worker(t), every_s=3)
        t.rest()
        with again_and_again(kill_a_worker, t, every_s=2):
            t.load.all("hand_in", spread_s=t.seconds(15, 8))
    since = [r for r in t.ledger.select(since=t.broken_at) if r.what in {"save", "hand-in"}]
    failed = [r for r in since if r.status == 0 or r.status >= 500]
    t.note(
        f"{t.kills} workers killed, replaced after {t.slowest_return_s:.2f} s at most, {len(failed)} of {len(since)} requests failed"
    )
    t.expect(t.kills, "no worker could be killed")
    t.expect(len(failed) <= max(3, 0.02 * len(since)), f"{len(failed)} of {len(since)} requests failed, more than 2 %")


@row("F02", "网页服务全部被杀，20 秒后重启")
def server_dies(t: Trial) -> None:
    t.take_exam(6)
    usual = _busiest_second(t, since=t.broken_at, until=time.monotonic())
    with t.broken():
        with t.site.held("web"):
            time.sleep(t.seconds(20, 8))
        t.expect(wait_until(t.site.is_ready, within_s=20), "the site did not come back")
    time.sleep(12)
    first = t.recovery_s()
    t.expect(first is not None and first <= 5, f"saving again only after {first} s")
    peak = _busiest_second(t, since=t.healed_at, until=t.healed_at + 10)
    t.note(f"busiest second {peak} requests, before {usual}")
    t.expect(peak <= max(3 * usual, 30), f"{peak} requests in one second after the return, {usual} before")


def _busiest_second(t: Trial, *, since: float, until: float) -> int:
    return max(Counter(int(r.began_at) for r in t.ledger.select("save", since=since, until=until)).values(), default=0)


@row("F03", "考试中发布新版本（平滑重载）")
def deploy(t: Trial) -> None:
    t.take_exam(5)
    with t.broken():
        old = {worker.pid for worker in t.site.workers()}
        t.site.part("web").send_signal(signal.SIGHUP)
        t.expect(
            wait_until(
                lambda: len(new := {w.pid for w in t.site.workers()}) == len(old) and not new & old, within_s=40
            ),
            "the workers were not renewed",
        )
    time.sleep(5)
    failed = t.ledger.failures(since=t.broken_at)
    t.note(f"{len(failed)} requests dropped and repeated")
    t.expect_only_503()
    t.expect(len(failed) <= max(3, 0.01 * len(t.ledger.select(since=t.broken_at))), f"{len(failed)} requests dropped")


@row("F33", "两台网页服务器前有 nginx：逐台平滑重载，再逐台停止、启动")
def rolling_upgrade(t: Trial) -> None:
    with (
        second_web_server(t.site) as (port, begin_second),
        nginx_over(f"127.0.0.1:{t.site.port}", f"127.0.0.1:{port}") as front,
    ):
        t.load.redirect(front)
        t.take_exam(6)
        with t.broken():
            for server in (psutil.Process(begin_second().pid), t.site.part("web")):
                old = set(_workers(server))
                server.send_signal(signal.SIGHUP)
                is_new = lambda server=server, old=old: len(new := set(_workers(server))) == len(old) and not new & old
                t.expect(wait_until(is_new, within_s=60), "the workers were not renewed")
                t.watch(2)
            stopped = begin_second()
            stopped.terminate()
            stopped.wait(30)
            t.watch(4)
            begin_second()
            t.watch(2)
            first = t.site.part("web")
            first.terminate()
            t.expect(wait_until(lambda: not first.is_running() and t.site.is_ready(), within_s=60), "no web server")
        t.watch(5)
        t.rest()
        t.load.redirect(t.site.port)
    asked = t.ledger.select(since=t.broken_at)
    failed = [r for r in asked if r.status != 200]
    t.note(f"{len(failed)} of {len(asked)} requests failed, slowest {t.ledger.slowest_s(since=t.broken_at):.1f} s")
    t.expect(not failed, f"failed: {[(r.what, r.status, r.note[:60]) for r in failed[:5]]}")


def _workers(server: psutil.Process) -> list[int]:
    """Give the web processes below a web server, of the old version and of the new."""
    return [worker.pid for loaded in server.children() for worker in loaded.children()]
