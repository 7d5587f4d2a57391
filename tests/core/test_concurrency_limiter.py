"""The concurrency limiter: so many requests run at a time, one that waits for something long releases its slot, and the longest waiting gets it."""

import io
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from flask import g

from examapp import clock
from examapp.app import _classify
from examapp.security.concurrency_limiter import (
    ARRIVED_AT,
    REJECTED_QUEUE_DEPTH,
    ConcurrencyLimiter,
    PriorityClass,
    release_slot,
)


def _call(app, body=b"", **more):
    environ = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), **more}
    return list(app(environ, lambda *_: None))


def _in_threads(app, count):
    threads = [threading.Thread(target=_call, args=(app,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


def _class_of(environ):
    return environ.get("CLASS", PriorityClass.EXAM)


class _Busy:
    """Notes how many are inside at once."""

    def __init__(self, seconds=0.02):
        self.seconds, self.inside, self.limit, self.lock = seconds, 0, 0, threading.Lock()

    def __call__(self, _environ, _start):
        with self.lock:
            self.inside += 1
            self.limit = max(self.limit, self.inside)
        time.sleep(self.seconds)  # waits: so that the others come while it runs
        with self.lock:
            self.inside -= 1
        return [b""]


def test_no_more_run_at_a_time_than_there_are_slots():
    busy = _Busy()
    _in_threads(ConcurrencyLimiter(busy, 3, _class_of), 20)
    assert busy.limit == 3


def test_a_request_that_releases_its_slot_lets_others_run():
    order = []
    inside, go_on = threading.Event(), threading.Event()

    def app(environ, _start):
        if environ.get("WAITS"):
            with release_slot():
                inside.set()
                go_on.wait(5)
        order.append("waited" if environ.get("WAITS") else "ran")
        return [b""]

    limiter = ConcurrencyLimiter(app, 1, _class_of)
    waiting = threading.Thread(target=_call, args=(limiter,), kwargs={"WAITS": "1"})
    waiting.start()
    assert inside.wait(5)
    _call(limiter)
    go_on.set()
    waiting.join(5)
    assert order == ["ran", "waited"]


def test_a_slot_is_released_after_an_error():
    def app(environ, _start):
        if environ.get("FAILS"):
            raise ValueError
        return [b"well"]

    limiter = ConcurrencyLimiter(app, 1, _class_of)
    for _ in range(3):
        try:
            _call(limiter, FAILS="1")
        except ValueError:
            continue
    assert _call(limiter) == [b"well"]


def test_small_body_is_read_before_the_slot_and_a_large_one_needs_none():
    seen = []

    def app(environ, _start):
        seen.append((environ["wsgi.input"].read(), threading.current_thread().name))
        return [b""]

    limiter = ConcurrencyLimiter(app, 1, _class_of)
    _call(limiter, b"answers")
    large = b"x" * (300 * 1024)
    _call(limiter, large)
    assert [body for body, _ in seen] == [b"answers", large]


def test_slow_sender_holds_no_slot():
    read = threading.Event()

    class SlowApplication:
        def read(self, _size):
            read.wait(5)
            return b"ab"

    busy = _Busy(0)
    limiter = ConcurrencyLimiter(busy, 1, _class_of)
    slow = threading.Thread(target=_call, args=(limiter, b"ab"), kwargs={"wsgi.input": SlowApplication()})
    slow.start()
    _call(limiter)
    assert slow.is_alive(), "the other call ran while the slow body was still being read"
    read.set()
    slow.join(5)


@pytest.mark.parametrize(
    ("priority", "limit"), [(PriorityClass.EXAM, 8), (PriorityClass.CANDIDATE, 7), (PriorityClass.OFFICE, 2)]
)
def test_each_class_has_so_many_slots_at_most(priority, limit):
    busy = _Busy()
    _in_threads(ConcurrencyLimiter(busy, 8, lambda _environ: priority), 20)
    assert busy.limit == limit


def test_an_answer_finds_a_slot_while_sign_ins_fill_all_theirs():
    inside, go_on = threading.Semaphore(0), threading.Event()

    def app(environ, _start):
        if environ.get("CLASS") is PriorityClass.CANDIDATE:
            inside.release()
            go_on.wait(10)
        return [b""]

    limiter = ConcurrencyLimiter(app, 3, _class_of)
    threads = [
        threading.Thread(target=_call, args=(limiter,), kwargs={"CLASS": PriorityClass.CANDIDATE}) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    assert all(inside.acquire(timeout=5) for _ in range(2))
    _call(limiter)
    assert all(thread.is_alive() for thread in threads), "the answer ran while every sign-in was still under way"
    go_on.set()
    for thread in threads:
        thread.join(10)


def _order_of_waiting(queued):
    """In which order requests run that came while the only slot was taken: `e` exam, `c` candidate, `o` office."""
    order, inside, go_on = [], threading.Event(), threading.Event()

    def app(environ, _start):
        if environ["NAME"] == "first":
            inside.set()
            go_on.wait(5)
        else:
            order.append(environ["NAME"])
        return [b""]

    limiter = ConcurrencyLimiter(app, 1, _class_of)
    threads = [threading.Thread(target=_call, args=(limiter,), kwargs={"NAME": "first"})]
    threads[0].start()
    assert inside.wait(5)
    for name in queued:
        priority = next(one for one in PriorityClass if one.name[0].lower() == name)
        threads.append(threading.Thread(target=_call, args=(limiter,), kwargs={"NAME": name, "CLASS": priority}))
        threads[-1].start()
        time.sleep(0.02)  # waits: so that they queue in this order
    go_on.set()
    for thread in threads:
        thread.join(5)
    return "".join(order)


def test_higher_classes_go_first_but_every_fourth_slot_is_kept_for_the_lowest_that_waits():
    assert _order_of_waiting("oo" + "e" * 8) == "eeeoeeeoee"
    assert _order_of_waiting("oc" + "e" * 7) == "eeeoeeece"
    assert _order_of_waiting("oce") == "eco"


def test_the_address_says_of_which_class_a_request_is():
    classes = {
        path: _classify({"PATH_INFO": path})
        for path in ("/api/v1/attempts/7/answers", "/api/v1/attempts/7/submission", "/login", "/api/v1/exams/1/attempts", "/admin/people", "/api/v1/exams/1/exports")
    }  # fmt: skip
    assert (
        list(classes.values()) == [PriorityClass.EXAM] * 2 + [PriorityClass.CANDIDATE] * 2 + [PriorityClass.OFFICE] * 2
    )


def test_a_save_that_would_wait_long_is_rejected_at_once_and_one_whose_wait_grows_long_gives_up():
    """One slot is held; the first save waits and gives up when it is told to, the second sees it before itself and goes at once."""
    held, go_on, is_requested, is_late = (threading.Event() for _ in range(4))
    rejected = []

    def should_shed(ahead, _waited):
        is_requested.set()  # under the queue's lock: who asks next stands behind
        return ahead > 0 or is_late.is_set()

    def app(environ, _start):
        if environ.get("HOLDS"):
            held.set()
            go_on.wait(5)
        elif REJECTED_QUEUE_DEPTH in environ:
            rejected.append((environ["NAME"], environ[REJECTED_QUEUE_DEPTH]))
        else:
            rejected.append((environ["NAME"], None))
        return [b""]

    limiter = ConcurrencyLimiter(app, 1, _class_of, should_shed=should_shed)
    holder = threading.Thread(target=_call, args=(limiter,), kwargs={"HOLDS": "1"})
    holder.start()
    assert held.wait(5)
    first = threading.Thread(target=_call, args=(limiter,), kwargs={"NAME": "first", "REQUEST_METHOD": "PUT"})
    hand_in = threading.Thread(target=_call, args=(limiter,), kwargs={"NAME": "hand-in", "REQUEST_METHOD": "POST"})
    first.start()
    assert is_requested.wait(5)
    _call(limiter, NAME="second", REQUEST_METHOD="PUT")
    hand_in.start()
    is_late.set()
    first.join(5)
    assert rejected == [("second", 1), ("first", 0)]
    go_on.set()
    for thread in (holder, hand_in):
        thread.join(5)
    assert rejected[2:] == [("hand-in", None)], "a hand-in waits for as long as it takes"
    _call(limiter, NAME="later", REQUEST_METHOD="PUT")
    assert rejected[3:] == [("later", None)], "the slot was released"


def test_a_request_arrived_when_it_came_however_long_it_waits_for_its_slot(app):
    is_inside, goes_on, arrivals = threading.Event(), threading.Event(), {}
    came = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    instants = {"now": came}

    def work(environ, _start):
        arrivals[environ["WHO"]] = environ[ARRIVED_AT]
        if environ["WHO"] == "first":
            is_inside.set()
            goes_on.wait(10)
        return [b""]

    limiter = ConcurrencyLimiter(work, 1, _class_of)
    with clock.clock.set_to(lambda: instants["now"]):
        first = threading.Thread(target=_call, args=(limiter,), kwargs={"WHO": "first"})
        first.start()
        assert is_inside.wait(10)
        second = threading.Thread(target=_call, args=(limiter,), kwargs={"WHO": "second"})
        second.start()
        for _ in range(1000):
            if limiter._queue._waiting[PriorityClass.EXAM]:
                break
            time.sleep(0.005)  # waits: until the other thread is queued
        else:
            pytest.fail("the second request was not queued")
        instants["now"] = came + timedelta(minutes=2)
        goes_on.set()
        first.join(10), second.join(10)
        assert arrivals["second"] == came
        with app.test_request_context("/", environ_overrides={ARRIVED_AT: came}):
            app.preprocess_request()
            assert g.arrived_at == came


def test_a_request_arrives_with_its_body_not_with_its_head():
    came, arrivals = datetime(2026, 11, 24, 4, 0, tzinfo=UTC), []
    instants = {"now": came}

    class Late:
        def read(self, _size):
            instants["now"] = came + timedelta(minutes=2)
            return b"late"

    def work(environ, _start):
        arrivals.append(environ[ARRIVED_AT])
        return [b""]

    with clock.clock.set_to(lambda: instants["now"]):
        _call(ConcurrencyLimiter(work, 1, _class_of), CONTENT_LENGTH="4", **{"wsgi.input": Late()})
    assert arrivals == [came + timedelta(minutes=2)]
