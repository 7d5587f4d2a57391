"""`make fuzz`: every target for FUZZ_SECONDS (10), two at a time, each in a fork with a limit of time and memory; says what each came to."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.one import main
from tests.fuzz.targets import TARGETS

SECONDS = int(os.environ.get("FUZZ_SECONDS", "10"))
AT_A_TIME = 2
LIMIT_S = SECONDS * 3 + 60


@dataclass(slots=True)
class Run:
    """A target that is being fuzzed."""

    name: str
    process: int
    said: Path
    begun: float

    def outcome(self, status: int | None) -> tuple[bool, str]:
        """Tell whether it held, and the figures or the end of what it said."""
        said = self.said.read_text("utf-8", "replace")
        runs, peak = re.search(r"number_of_executed_units: (\d+)", said), re.search(r"peak_rss_mb:\s+(\d+)", said)
        if status != 0 or runs is None:
            return False, "did not end" if status is None else said[-3000:]
        return True, f"{runs[1]:>9} runs, peak {peak[1] if peak else '?':>4} MB, {time.monotonic() - self.begun:5.1f} s"


def begin(name: str, folder: Path) -> Run:
    """Fork; the readers are loaded and watched already."""
    said = folder / f"{name}.said"
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        try:
            main(name, SECONDS, str(folder / "corpus"))
        except BaseException as error:  # noqa: BLE001 – the fork must not live on as the parent
            os.write(2, repr(error).encode())
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    return Run(name, process, said, time.monotonic())


def wait_for_one(running: list[Run]) -> tuple[Run, int | None]:
    """Wait until one of them has ended, or is past its limit and is ended."""
    while True:
        for run in running:
            process, status = os.waitpid(run.process, os.WNOHANG)
            if process:
                return run, os.waitstatus_to_exitcode(status)
            if time.monotonic() - run.begun > LIMIT_S:
                os.kill(run.process, signal.SIGKILL)
                os.waitpid(run.process, 0)
                return run, None
        time.sleep(0.1)


def fuzz_all(wanted: list[str], folder: Path) -> bool:
    """Fuzz them, two at a time; tell whether all held."""
    waiting, running, is_sound = list(wanted), [], True
    while waiting or running:
        while waiting and len(running) < AT_A_TIME:
            running.append(begin(waiting.pop(0), folder))
        run, status = wait_for_one(running)
        running.remove(run)
        held, text = run.outcome(status)
        is_sound = is_sound and held
        print(f"{'ok  ' if held else 'FAIL'} {run.name:<22} {text}", flush=True)
    return is_sound


if __name__ == "__main__":
    names = sys.argv[1:] or [target.name for target in TARGETS]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        sys.exit(0 if fuzz_all(names, Path(os.environ.get("FUZZ_FOLDER", temporary))) else 1)
