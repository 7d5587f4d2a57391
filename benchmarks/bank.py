"""Reading large question files and finding near-duplicates in a large bank."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from benchmarks import bank_search
from benchmarks.figures import Figure, at_most, peak_kb
from question_bank.formats.registry import read_file
from question_bank.model import Question
from question_bank.quality import near_duplicates, read_content

_CONTENT = Path(__file__).parents[1] / "question_bank" / "content"


def measure() -> list[Figure]:
    """Measure each in a process of its own, so that its peak memory is its own."""
    excel, qti, near = (_in_own_process(what) for what in ("excel", "qti", "near"))
    return [
        at_most("10,000 questions from xlsx: time", excel["s"], 10, "s"),
        at_most("10,000 questions from xlsx: peak memory", excel["mb"], 300, "MB"),
        at_most("QTI 3.0 package of 500 items: time", qti["s"], 10, "s"),
        at_most("near-duplicates among 100,000 questions: time", near["s"], 60, "s"),
    ]


def begin_search() -> subprocess.Popen[str]:
    """Begin to fill a bank for searching, which takes two minutes; it then waits until it is told to measure."""
    command = [sys.executable, "-m", "benchmarks.bank", "search"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def measure_search(filling: subprocess.Popen[str]) -> list[Figure]:
    """Search that bank, once it is filled."""
    reply, _ = filling.communicate("go\n")
    if filling.returncode != 0:
        raise RuntimeError("the bank to be searched could not be filled")
    worst_ms = json.loads(reply.strip().splitlines()[-1])["worst_ms"]
    return [at_most("search over 100,000 questions, the slowest of 17: count, page and choices", worst_ms, 200, "ms")]


def _in_own_process(what: str) -> dict:
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.bank", what], capture_output=True, text=True, check=False
    )
    if finished.returncode != 0:
        raise RuntimeError(finished.stderr[-3000:])
    return json.loads(finished.stdout.strip().splitlines()[-1])


def _many(count: int) -> list[Question]:
    seed = [q for q in read_content(_CONTENT) if not q.parts]
    rng = random.Random(7)
    return [
        replace(q, code=f"n-{n}", stem=_varied(q.stem, n, rng), points=Decimal(1))
        for n in range(count)
        for q in [seed[n % len(seed)]]
    ]


def _varied(stem: str, n: int, rng: random.Random) -> str:
    text = list(stem)
    for _ in range(len(text) // 3):
        text[rng.randrange(len(text))] = chr(0x4E00 + rng.randrange(3000))
    return f"{''.join(text)}{n}"


def _write_beside(format_: str, count: int) -> bytes:
    """Write the file in another process, so that writing does not count as reading's memory."""
    code = f"import sys; from benchmarks.bank import _many; from question_bank.formats.registry import write_file; sys.stdout.buffer.write(write_file(_many({count}), {format_!r}).content)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout


def _main(what: str) -> dict:
    if what == "search":
        return bank_search.measure()
    if what == "near":
        questions = _many(100_000)
        began = time.perf_counter()
        pairs = sum(1 for _ in near_duplicates(questions))
        return {"s": time.perf_counter() - began, "pairs": pairs}
    format_, count = ("excel", 10_000) if what == "excel" else ("qti-3.0", 500)
    content = _write_beside(format_, count)
    began = time.perf_counter()
    reading = read_file(content, "bench.xlsx" if what == "excel" else "bench.zip")
    took = time.perf_counter() - began
    assert reading.found == count, reading.found
    return {"s": took, "mb": peak_kb() / 1024, "found": reading.found}


if __name__ == "__main__":
    print(json.dumps(_main(sys.argv[1])))
