"""What a worker writes to its log arrives there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKER = """
import logging
import structlog
from examapp.celery_app import celery

celery.log.setup(redirect_stdouts=celery.conf.worker_redirect_stdouts)  # as a worker does at its start
structlog.get_logger().error("attempt_quarantined", attempt_id=7)
logging.getLogger("celery.worker").error("a library's line")
"""


@pytest.mark.slow
def test_lines_of_the_program_and_of_its_libraries_reach_the_log_of_a_worker(servers, race_app):
    settings = servers.settings("race")
    names = ("database_url", "redis_url", "secret_key", "data_keys", "data_dir")
    environment = {name.upper(): getattr(settings, name) for name in names} | {"APP_MODE": "tryout"}
    done = subprocess.run(
        [sys.executable, "-c", WORKER],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"event": "attempt_quarantined"' in done.stderr and '"attempt_id": 7' in done.stderr
    assert "a library's line" in done.stderr
