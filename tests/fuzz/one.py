"""Fuzz one target in this process (a fork of its own) until its time is over: coverage leads where atheris can watch, random bytes elsewhere.

A crash, a hang of more than ten seconds or memory over the limit ends the process with a fault, and its input is kept.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None
if atheris is None:
    from tests.fuzz.targets import REJECTIONS, TARGETS
else:
    with atheris.instrument_imports(include=["question_bank", "examapp.documents"]):
        from tests.fuzz.targets import REJECTIONS, TARGETS

MAX_BYTES = 1024 * 1024 * 1024
MAX_SECONDS_EACH = 10
SEED = int(os.environ.get("FUZZ_SEED", "0"))
"""What the bytes are drawn from; 0 draws others in each run."""


def run_one(read, content: bytes) -> None:
    """Read once; a rejection is right, anything else that is raised is a fault."""
    try:
        read(content)
    except REJECTIONS:
        return


def fuzz_with_atheris(target, seconds: int, corpus: Path) -> None:
    """Let libFuzzer lead; it ends the process itself."""
    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-timeout={MAX_SECONDS_EACH}",
        "-rss_limit_mb=1024",
        "-max_len=65536",
        "-verbosity=0",
        f"-artifact_prefix={corpus.parent}/{target.name}-",
        "-print_final_stats=1",
        f"-seed={SEED}",
        str(corpus),
    ]
    atheris.Setup(arguments, lambda content: run_one(target.read, content), enable_python_coverage=True)
    atheris.Fuzz()


def fuzz_with_hypothesis(target, seconds: int) -> None:
    """Where there is no atheris: seeds with pieces cut, doubled and replaced, and plain bytes."""
    import time

    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    over = time.monotonic() + seconds
    grown = st.builds(
        lambda seed, at, piece: seed[: at % (len(seed) + 1)] + piece + seed[at % (len(seed) + 1) :],
        st.sampled_from(target.seeds or (b"",)),
        st.integers(0, 5000),
        st.binary(max_size=200),
    )
    runs = 0

    @settings(
        max_examples=200,
        deadline=None,
        database=None,
        derandomize=SEED != 0,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(grown, st.binary(max_size=4000)))
    def run(content: bytes) -> None:
        nonlocal runs
        runs += 1
        signal.alarm(MAX_SECONDS_EACH)
        run_one(target.read, content)
        signal.alarm(0)

    while time.monotonic() < over:
        run()
    print(f"stat::number_of_executed_units: {runs}")


def main(name: str, seconds: int, folder: str) -> None:
    """Fuzz the target of this name."""
    resource.setrlimit(resource.RLIMIT_AS, (4 * MAX_BYTES, 4 * MAX_BYTES))
    target = next(each for each in TARGETS if each.name == name)
    corpus = Path(folder) / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
        run_one(target.read, seed)
    if atheris is None:
        fuzz_with_hypothesis(target, seconds)
    else:
        fuzz_with_atheris(target, seconds, corpus)
