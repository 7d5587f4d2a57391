"""Turns: so many requests run at a time, whoever waits for something long gives the turn away, and it goes to who waits longest."""

import io
import threading
import time

from examapp.core.turns import Turns, aside


def _call(app, body=b"", **more):
    environ = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), **more}
    return list(app(environ, lambda *_: None))


def _in_threads(app, count):
    threads = [threading.Thread(target=_call, args=(app,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


class _Busy:
    """Notes how many are inside at once."""

    def __init__(self, seconds=0.02):
        self.seconds, self.inside, self.most, self.lock = seconds, 0, 0, threading.Lock()

    def __call__(self, _environ, _start):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(self.seconds)
        with self.lock:
            self.inside -= 1
        return [b""]


def test_no_more_run_at_a_time_than_there_are_turns():
    busy = _Busy()
    _in_threads(Turns(busy, 3), 20)
    assert busy.most == 3


def test_who_steps_aside_lets_others_run():
    order = []
    inside, go_on = threading.Event(), threading.Event()

    def app(environ, _start):
        if environ.get("WAITS"):
            with aside():
                inside.set()
                go_on.wait(5)
        order.append("waited" if environ.get("WAITS") else "ran")
        return [b""]

    turns = Turns(app, 1)
    waiting = threading.Thread(target=_call, args=(turns,), kwargs={"WAITS": "1"})
    waiting.start()
    assert inside.wait(5)
    _call(turns)
    go_on.set()
    waiting.join(5)
    assert order == ["ran", "waited"]


def test_turn_comes_back_after_an_error():
    def app(environ, _start):
        if environ.get("FAILS"):
            raise ValueError
        return [b"well"]

    turns = Turns(app, 1)
    for _ in range(3):
        try:
            _call(turns, FAILS="1")
        except ValueError:
            continue
    assert _call(turns) == [b"well"]


def test_small_body_is_read_before_the_turn_and_a_large_one_runs_beside():
    seen = []

    def app(environ, _start):
        seen.append((environ["wsgi.input"].read(), threading.current_thread().name))
        return [b""]

    turns = Turns(app, 1)
    _call(turns, b"answers")
    large = b"x" * (300 * 1024)
    _call(turns, large)
    assert [body for body, _ in seen] == [b"answers", large]


def test_slow_sender_holds_no_turn():
    read = threading.Event()

    class Slow:
        def read(self, _size):
            read.wait(5)
            return b"ab"

    busy = _Busy(0)
    turns = Turns(busy, 1)
    slow = threading.Thread(target=_call, args=(turns, b"ab"), kwargs={"wsgi.input": Slow()})
    slow.start()
    began = time.monotonic()
    _call(turns)
    assert time.monotonic() - began < 2
    read.set()
    slow.join(5)
