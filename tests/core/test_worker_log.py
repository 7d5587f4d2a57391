"""What a worker writes to its log arrives there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(servers, program):
    """Run a program in a process of its own, beside the servers of the tests; fails with what it said."""
    settings = servers.settings("race")
    names = ("database_url", "redis_url", "secret_key", "data_keys", "data_dir")
    environment = {name.upper(): getattr(settings, name) for name in names} | {"APP_MODE": "tryout"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


WORKER = """
import logging
import structlog
from examapp.celery_app import celery

celery.log.setup(redirect_stdouts=celery.conf.worker_redirect_stdouts)  # as a worker does at its start
structlog.get_logger().error("attempt_quarantined", attempt_id=7)
logging.getLogger("celery.worker").error("a library's line")
"""


FORKED = """
import os, threading, time
from examapp.celery_app import app
from examapp.clock import clock
from examapp.db.session import Base

assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
assert all(mapper.configured for mapper in Base.registry.mappers)
if os.fork() == 0:
    until = time.monotonic() + 20
    while clock._measured is None and time.monotonic() < until:
        time.sleep(0.05)
    os._exit(0 if clock._measured else 1)
assert os.wait()[1] == 0
"""


@pytest.mark.slow
def test_a_worker_is_forked_from_a_process_without_threads(servers, race_app):
    """A lock that one of them held at that moment would never be let go in the worker, which would then do no task."""
    run(servers, FORKED)


@pytest.mark.slow
def test_lines_of_the_program_and_of_its_libraries_reach_the_log_of_a_worker(servers, race_app):
    done = run(servers, WORKER)
    assert '"event": "attempt_quarantined"' in done.stderr and '"attempt_id": 7' in done.stderr
    assert "a library's line" in done.stderr
