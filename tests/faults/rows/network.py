"""The network's rows: lost replies, duplicates, a bad line, clients whose time is wrong."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta

from tests.faults.candidates import AbandonedDevice, DrillCandidate, Sheet
from tests.faults.proxy import Faults, Proxy
from tests.faults.rows.register import row
from tests.faults.trial import Trial


@row("F21", "回执丢失：三成保存、每次首次交卷")
def replies_lost(t: Trial) -> None:
    with Proxy(t.site.port) as proxy:
        t.load.redirect(proxy.port)
        t.take_exam(3)
        with t.broken():
            proxy.faults = Faults(lost_replies=0.3, lose_first_receipts=True)
            t.watch(t.seconds(20, 10))
            t.rest()
            t.load.all("hand_in", spread_s=3)
            t.note(f"{proxy.cut} replies cut")
            t.expect(proxy.cut >= len(t.load.candidates), "the proxy cut too little")
        t.load.redirect(t.site.port)
        time.sleep(0.2)


@row("F17", "重复投递：保存重发且乱序，每个任务三份、两个阅卷进程")
def duplicates(t: Trial) -> None:
    for candidate in t.load.candidates:
        candidate.duplicate_share = 0.7
    t.take_exam(t.seconds(20, 8))
    t.rest()
    with t.broken(), t.site.second_grader():
        t.load.all("hand_in", spread_s=2, repeats=2)
        enqueued = [c.attempt_id for c in t.load.candidates] * 3
        random.Random(len(enqueued)).shuffle(enqueued)
        with t.site.celery() as celery:
            for attempt_id in enqueued:
                celery.send_task("grading.grade_attempt", args=[attempt_id], queue="grading")
        time.sleep(t.seconds(10, 3))


@row("F22", "网络差：延迟、重置、停顿、窄带")
def bad_network(t: Trial) -> None:
    with Proxy(t.site.port) as proxy:
        t.load.redirect(proxy.port)
        t.take_exam(3)
        with t.broken():
            proxy.faults = Faults(delay_s=(0.15, 1.5), resets=0.1, stalls=0.03, bytes_per_second=8000)
            t.watch(t.seconds(40, 12))
            proxy.faults = Faults()
        time.sleep(t.seconds(15, 8))
        t.rest()
        t.load.redirect(t.site.port)
        time.sleep(0.2)


@row("F25", "换设备继续，旧设备又回来")
def another_device(t: Trial) -> None:
    t.take_exam(t.seconds(8, 4))
    t.rest()
    with t.broken():
        moved = t.load.candidates[::3]
        for candidate in moved:
            for _ in range(5):
                candidate.choose()  # the old device holds something that it has not sent
        old = {c.login_name: (c.leave(), dict(c.sheet), c.seq) for c in moved}
        t.load.all("sign_in", of=moved, spread_s=2)
        t.load.all("take_over", of=moved)
        new_epochs = {c.login_name: c.epoch for c in moved}
        for candidate in moved:
            candidate.choose()
        t.load.all("save", of=moved)
        _report_the_old_ones(t, moved, old)
        for candidate in moved:
            t.load.all("come_back", old[candidate.login_name][0], of=[candidate])
        t.load.all("flush", of=moved)
    t.expect(all(epoch > 1 for epoch in new_epochs.values()), "the epoch did not rise")
    t.note(f"{len(t.ledger.brought_back)} answers brought back, {len(t.ledger.shown)} of them asked about")
    t.expect(len(t.ledger.brought_back) > len(t.ledger.shown), "no returning device entered anything again")
    with t.site.database() as connection:
        aside = connection.execute(
            "SELECT count(*) FROM quarantined_saves WHERE reason = 'taken_over' AND attempt_id = ANY(%s)",
            ([c.attempt_id for c in moved],),
        ).fetchone()[0]
    t.expect(aside == len(moved), f"{aside} of {len(moved)} saves of old devices were set aside")


def _report_the_old_ones(
    t: Trial, moved: list[DrillCandidate], old: dict[str, tuple[AbandonedDevice, Sheet, int]]
) -> None:
    """Let each old device send once more: it is told that another one went on."""
    for candidate in moved:
        new = (candidate.epoch, candidate.pending, candidate.sheet, candidate.seq)
        device, sheet, seq = old[candidate.login_name]
        candidate.epoch, candidate.pending, candidate.sheet, candidate.seq = (
            device.epoch,
            dict(device.pending),
            sheet,
            seq,
        )
        t.load.all("save", of=[candidate])
        t.expect(candidate.is_closed, "the old device was not told that the attempt is taken over")
        candidate.epoch, candidate.pending, candidate.sheet, candidate.seq = new
        candidate.is_closed = False


@row("F26", "考生设备时间错 8 小时", exam=(25, 4))
def wrong_clocks(t: Trial) -> None:
    wrong = t.load.candidates[::2]
    for n, candidate in enumerate(wrong):
        shifted = datetime.now(UTC) + timedelta(hours=8 if n % 2 else -8)  # noqa: TID251
        candidate.browser.headers |= {
            "X-Client-Time": shifted.isoformat(),
            "Date": shifted.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        }
    t.take_exam(6)
    t.rest()
    closed = [c for c in wrong if c.is_closed]
    t.expect(not closed, f"{len(closed)} attempts were closed early by the client's clock")
    with t.broken():
        time.sleep(26)
    for candidate in wrong:
        candidate.choose()
    t.load.all("save", of=wrong)
    late = [c for c in wrong if not c.is_closed]
    t.expect(not late, f"{len(late)} late saves were taken because the client's clock said so")
    for candidate in t.load.candidates:
        candidate.pending.clear()
        candidate.is_closed = True
