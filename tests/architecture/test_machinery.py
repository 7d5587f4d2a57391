"""How much machinery of its own the program runs on (decision 0043): it may shrink, not grow."""

from __future__ import annotations

import pytest

from tests.architecture.source import ROOT, code_lines

LIMITS_AND_METERS: dict[str, tuple[str, ...]] = {
    "security/concurrency_limiter.py": (),
    "security/password_hashing.py": (),
    "security/rate_limits.py": (),
    "security/slow_bodies.py": (),
    "db/watchdog.py": (),
    "web/metrics.py": (),
    "platform/health/views.py": ("_note_begin", "_count", "_report_forever", "report"),
    "jobs/publisher.py": (),
    "delivery/grading/tasks.py": ("TookTooLongError", "at_most", "_raise_too_long"),
    "celery_app.py": (),
}
"""What limits, watches and measures inside the processes; of the files that are features, these functions."""
PROCESSES = {
    f"ops/{name}.py": ()
    for name in (
        "supervisor", "child_processes", "start_checks", "web_server", "web_workers", "embedded_servers", "ordinary_user",
    )
}  # fmt: skip
"""What starts, replaces and ends them."""


@pytest.mark.parametrize(("counted", "limit"), [(LIMITS_AND_METERS, 620), (PROCESSES, 515)])
def test_the_machinery_does_not_grow(counted, limit):
    lines = {name: code_lines(ROOT / "examapp" / name, functions) for name, functions in counted.items()}
    assert all(lines.values()), "a file or function was renamed: name it here too"
    assert sum(lines.values()) <= limit, f"take a library, or take something away: {lines}"
