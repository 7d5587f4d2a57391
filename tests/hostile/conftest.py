"""No hints: what is swept is swept by the test; the log at its most talkative."""

from __future__ import annotations

import gc
import io
import logging
import warnings

import pytest

from examapp.web.logging import set_up_logging


@pytest.fixture(autouse=True)
def without_enqueueing(monkeypatch):
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)


@pytest.fixture(autouse=True)
def forget_open_uploads():
    """Let go of large uploads, whose files the test's client forgets to close, before their warnings reach another test."""
    gc.freeze()  # so that the collection below looks at what this test has left, not at the whole program
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    gc.unfreeze()


@pytest.fixture
def lines(app, monkeypatch):
    """The log as the deployment writes it, at its most talkative; gives its lines."""
    stream = io.StringIO()
    monkeypatch.setattr("examapp.web.logging._ForgivingErrorStream.write", lambda _self, text: stream.write(text))
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers, logging.getLogger().level
    set_up_logging("DEBUG")
    yield lambda: [line for line in stream.getvalue().split("\n") if line]
    set_up_logging("ERROR")
    root.handlers, root.level = handlers, level
