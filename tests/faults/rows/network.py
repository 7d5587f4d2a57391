"""The network's rows: lost replies, duplicates, a bad line, clients whose time is wrong."""

from __future__ import annotations

import random
import time

from tests.faults.proxy import Faults, Proxy
from tests.faults.rows.register import row
from tests.faults.trial import Trial


@row("F21", "回执丢失：三成保存、每次首次交卷")
def replies_lost(t: Trial) -> None:
    with Proxy(t.site.port) as proxy:
        t.load.redirect(proxy.port)
        t.sit(3)
        with t.broken():
            proxy.faults = Faults(lost_replies=0.3, lose_first_receipts=True)
            t.watch(t.seconds(20, 10))
            t.load.rest()
            t.load.all("hand_in", spread_s=3)
            t.note(f"{proxy.cut} replies cut")
            t.expect(proxy.cut >= len(t.load.candidates), "the proxy cut too little")
        t.load.redirect(t.site.port)
        time.sleep(0.2)
    t.expect_no_forced_sign_in()


@row("F17", "重复投递：保存重发且乱序，每个任务三份、两个阅卷进程")
def duplicates(t: Trial) -> None:
    for candidate in t.load.candidates:
        candidate.duplicate_share = 0.7
    t.sit(t.seconds(20, 8))
    t.load.rest()
    with t.broken(), t.site.second_grader():
        t.load.all("hand_in", spread_s=2, repeats=2)
        nudges = [c.attempt_id for c in t.load.candidates] * 3
        random.Random(len(nudges)).shuffle(nudges)
        with t.site.celery() as celery:
            for attempt_id in nudges:
                celery.send_task("grading.grade_attempt", args=[attempt_id], queue="grading")
        time.sleep(t.seconds(10, 3))


@row("F22", "网络差：延迟、重置、停顿、窄带")
def bad_network(t: Trial) -> None:
    with Proxy(t.site.port) as proxy:
        t.load.redirect(proxy.port)
        t.sit(3)
        with t.broken():
            proxy.faults = Faults(delay_s=(0.15, 1.5), resets=0.1, stalls=0.03, bytes_per_second=8000)
            t.watch(t.seconds(40, 12))
            proxy.faults = Faults()
        time.sleep(t.seconds(15, 8))
        t.load.rest()
        t.load.redirect(t.site.port)
        time.sleep(0.2)
    t.expect_no_forced_sign_in()
