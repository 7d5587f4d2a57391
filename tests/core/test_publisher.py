"""Messages to the workers: what says the same and waits together is sent once, in the order in which it came."""

from __future__ import annotations

import queue

from examapp.jobs import publisher


def test_messages_that_say_the_same_are_taken_once(monkeypatch):
    monkeypatch.setattr(publisher, "_QUEUE", queue.Queue())
    grading, export = ("grading.grade_attempt", (), ()), ("reports.build_export", (1,), (("queue", "reports"),))
    for message in (grading, export, grading, ("reports.build_export", (2,), ()), grading):
        publisher._QUEUE.put(message)
    assert publisher._take_waiting() == [grading, export, ("reports.build_export", (2,), ())]
    publisher._QUEUE.put(grading)
    assert publisher._take_waiting() == [grading]
