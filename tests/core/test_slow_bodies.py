"""Bodies that do not come: those who send them hold no one up, and are let go where they are many."""

from __future__ import annotations

import socket
import threading
import time
import time as slow_bodies

import pytest

from examapp.security import slow_bodies as security_slow_bodies
from examapp.security.concurrency_limiter import ConcurrencyLimiter, PriorityClass
from examapp.security.slow_bodies import Bodies

THREADS = 8


@pytest.fixture
def connections():
    """Open connections from this machine: gives the two ends of each."""
    ends = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def connect(count):
            new = []
            for _ in range(count):
                near = socket.create_connection(listener.getsockname())
                new.append((near, listener.accept()[0]))
            ends.extend(new)
            return new

        yield connect
    for pair in ends:
        for end in pair:
            end.close()


@pytest.fixture
def waiting():
    """Let so many threads wait for a body from an address."""
    may_end, threads = threading.Event(), []

    def wait(bodies, count, address):
        begun = threading.Barrier(count + 1)

        def read():
            with bodies.waiting(address):
                begun.wait()
                may_end.wait()

        threads.extend(threading.Thread(target=read) for _ in range(count))
        for thread in threads[-count:]:
            thread.start()
        begun.wait()

    yield wait
    may_end.set()
    for thread in threads:
        thread.join()


def is_open(near):
    near.setblocking(False)
    try:
        return near.recv(1) != b""
    except BlockingIOError:
        return True


def later(monkeypatch, seconds):
    """Let the time since a wait began be longer by so much, and what the kernel tells of a connection's silence not count."""
    monkeypatch.setattr(slow_bodies, "monotonic", lambda began=time.monotonic: began() + seconds)
    monkeypatch.setattr(security_slow_bodies, "_SHORT_TIMEOUT_S", 0.0)
    monkeypatch.setattr(security_slow_bodies, "_TIMEOUT_S", 0.0)


def test_a_few_slow_senders_are_left_alone(connections, waiting, monkeypatch):
    bodies = Bodies(THREADS * 8)
    [(near, _)] = connections(1)
    waiting(bodies, 2, "127.0.0.1")
    later(monkeypatch, 60)
    assert bodies.check() == 0
    assert is_open(near)


def test_many_slow_senders_of_one_address_are_let_go(connections, waiting, monkeypatch):
    bodies = Bodies(THREADS)
    ends = connections(3)
    waiting(bodies, 6, "127.0.0.1")
    assert bodies.check() == 0, "they have only just begun"
    later(monkeypatch, 60)
    assert bodies.check() >= 3
    assert not any(is_open(near) for near, _ in ends)


def test_another_address_is_not_touched(connections, waiting, monkeypatch):
    bodies = Bodies(THREADS)
    [(near, _)] = connections(1)
    waiting(bodies, 6, "203.0.113.9")
    later(monkeypatch, 60)
    assert bodies.check() == 0
    assert is_open(near)


def test_who_waits_for_a_body_takes_no_place_from_others():
    may_end, waits = threading.Event(), threading.Semaphore(0)

    class SlowConnection:
        def read(self, _size):
            waits.release()
            may_end.wait()
            return b"late"

    app = ConcurrencyLimiter(
        lambda environ, _start: [environ["wsgi.input"].read()], 1, lambda _environ: PriorityClass.CANDIDATE
    )
    slow = [
        threading.Thread(target=app, args=({"CONTENT_LENGTH": "4", "wsgi.input": SlowConnection()}, None))
        for _ in range(THREADS)
    ]
    for thread in slow:
        thread.start()
        waits.acquire()
    quick = type("Quick", (), {"read": lambda _self, _size: b"now"})()
    try:
        assert app({"CONTENT_LENGTH": "3", "wsgi.input": quick}, None) == [b"now"]
    finally:
        may_end.set()
        for thread in slow:
            thread.join()
