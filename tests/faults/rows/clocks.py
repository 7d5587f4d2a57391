"""Clocks of the servers that jump: PostgreSQL's and the program's, each by libfaketime with an offset of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from examapp.ops.embedded_servers import make_run_folder, start_postgres
from tests.faults.deployment import DeploymentError, DrillDeployment
from tests.faults.rows.register import row
from tests.faults.trial import Trial

_LIBRARY = "libfaketime.so.1"
_FOLLOWS_WITHIN_S = 14
"""The program measures the database's clock every ten seconds."""
_MAX_DIFFERENCE_S = 1.0


class Clocks:
    """Offsets of the wall clocks, in files that libfaketime reads again every second."""

    def __init__(self, folder: Path) -> None:
        self.database, self.program = folder / "database", folder / "program"
        for file in (self.database, self.program):
            file.write_text("+0")
            file.chmod(0o644)

    def environment(self, file: Path) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(_find_library()),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",
        }


def _find_library() -> Path:
    found = next((path for root in ("/usr/lib", "/usr/lib64") for path in Path(root).glob(f"**/{_LIBRARY}")), None)
    if found is None:
        raise DeploymentError(f"{_LIBRARY} is not installed: apt-get install libfaketime")
    return found


@contextlib.contextmanager
def with_own_clocks(settings: dict[str, str]) -> Iterator[DrillDeployment]:
    """A deployment whose database and program have wall clocks that can be set apart from the machine's."""
    folder, sockets = Path(tempfile.mkdtemp(prefix="examclock-")), make_run_folder()
    folder.chmod(0o755)
    clocks = Clocks(folder)
    faked = clocks.environment(clocks.database)
    os.environ.update(faked)
    try:
        postgres = start_postgres(folder, sockets)
    finally:
        for name in faked:
            os.environ.pop(name)
    try:
        with DrillDeployment(DATABASE_URL=postgres.url, **clocks.environment(clocks.program), **settings) as site:
            site.clocks = clocks
            yield site
    finally:
        postgres.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(sockets, ignore_errors=True)


def _difference_s(t: Trial) -> float:
    """Give how far the time that a page is told lies from the database's, in seconds."""
    candidate = t.load.candidates[0]
    began = time.monotonic()
    response = t.load.ask(candidate, "GET", "/api/v1/session")["server_time"]
    with t.site.database() as connection:
        (stands,) = connection.execute("SELECT clock_timestamp()").fetchone()
    return max(0.0, abs((stands - datetime.fromisoformat(response)).total_seconds()) - (time.monotonic() - began))


def _expect_faked(t: Trial, offset_s: float) -> None:
    """The drill proves nothing where the offsets did not reach the processes."""
    with t.site.database() as connection:
        (stands,) = connection.execute("SELECT clock_timestamp()").fetchone()
    moved = stands.timestamp() - time.time()
    t.expect(abs(moved - offset_s) < 2, f"the database's clock is {moved:.0f} s off the machine's, not {offset_s:g}")
    loaded = [worker for worker in t.site.workers() if any(_LIBRARY in m.path for m in worker.memory_maps())]
    t.expect(len(loaded) == len(t.site.workers()) > 0, "the web workers run without libfaketime")


@row(
    "F26S",
    "服务器时钟跳变：数据库 +3、+90、退 5 秒，程序的时钟 +8 小时",
    exam=(3600, 60),
    people=100,
    site=with_own_clocks,
)
def servers_clocks_jump(t: Trial) -> None:
    """The page's remaining time follows the database's clock; nothing is closed early, nothing lost, no call fails."""
    clocks = t.site.clocks
    t.take_exam(6)
    steps = [
        (clocks.database, "+3"),
        (clocks.program, "+8h"),
        (clocks.database, "+90"),
        (clocks.database, "+85"),
        (clocks.program, "+0"),
    ]
    with t.broken():
        for file, offset in steps:
            file.write_text(offset)
            time.sleep(_FOLLOWS_WITHIN_S)
            _expect_faked(t, float(clocks.database.read_text()))
            difference = _difference_s(t)
            t.note(f"{file.name} {offset}: {difference:.2f} s off")
            t.expect(
                difference <= _MAX_DIFFERENCE_S,
                f"after {file.name} {offset} the page is told a time {difference:.1f} s off the database's",
            )
    t.expect_only_503()
    closed = [c for c in t.load.candidates if c.is_closed]
    t.expect(not closed, f"{len(closed)} attempts were closed early")
