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

from benchmarks import bank_search, word_file
from benchmarks.figures import Figure, at_most, peak_kb
from question_bank.formats.registry import read_file, write_file
from question_bank.model import Question
from question_bank.quality import near_duplicates, read_content

_CONTENT = Path(__file__).parents[1] / "question_bank" / "content"
WORD_QUESTIONS = 1120
"""Questions that fill 300 pages; `python -m benchmarks.bank pages` has LibreOffice count the pages."""
_FILES = {
    "excel": ("excel", 10_000, "bench.xlsx"), "docx": ("docx", WORD_QUESTIONS, "bench.docx"), "qti": ("qti-3.0", 500, "bench.zip"),
}  # fmt: skip
"""What is read: format, number of questions and the file's name."""


def measure() -> list[Figure]:
    """Measure each in a process of its own, so that its peak memory is its own."""
    excel, word, qti, near = (_in_own_process(what) for what in ("excel", "docx", "qti", "near"))
    return [
        at_most("10,000 questions from xlsx: time", excel["s"], 10, "s"),
        at_most("10,000 questions from xlsx: peak memory", excel["mb"], 300, "MB"),
        at_most("300 pages of questions from docx: time", word["s"], 20, "s"),
        at_most("300 pages of questions from docx: peak memory", word["mb"], 300, "MB"),
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


def _write(format_: str, count: int) -> bytes:
    return word_file.write(_own(count)) if format_ == "docx" else write_file(_many(count), format_).content


def _own(count: int) -> list[Question]:
    """Return questions of our own as they are, of the kinds that a text has, spread over the whole bank."""
    said = [question for question in read_content(_CONTENT) if question.kind in word_file.SECTIONS]
    return [said[n * len(said) // count] for n in range(count)]


def _write_beside(format_: str, count: int) -> bytes:
    """Write the file in another process, so that writing does not count as reading's memory."""
    code = f"import sys; from benchmarks.bank import _write; sys.stdout.buffer.write(_write({format_!r}, {count}))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout


def _main(what: str) -> dict:
    if what == "search":
        return bank_search.measure()
    if what == "near":
        questions = _many(100_000)
        began = time.perf_counter()
        pairs = sum(1 for _ in near_duplicates(questions))
        return {"s": time.perf_counter() - began, "pairs": pairs}
    if what == "pages":
        return {"pages": word_file.count_pages(_write("docx", WORD_QUESTIONS)), "questions": WORD_QUESTIONS}
    format_, count, name = _FILES[what]
    content = _write_beside(format_, count)
    began = time.perf_counter()
    reading = read_file(content, name)
    took = time.perf_counter() - began
    assert reading.found == count, reading.found
    return {"s": took, "mb": peak_kb() / 1024, "found": reading.found, "imported": len(reading.imported)}


if __name__ == "__main__":
    print(json.dumps(_main(sys.argv[1])))
