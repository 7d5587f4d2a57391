"""Read a file from a stranger in a process of its own, with little memory and time: a hostile file ends that process, not the worker."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import msgspec

from question_bank.formats.registry import read_file
from question_bank.reading import Reading, UnreadableFileError

MOST_MEMORY_BYTES = 1024**3
MOST_SECONDS = 60
_TOO_HEAVY = "文件太大或太复杂，在规定的时间和内存内读不完。请拆成几个文件，或改存为普通的 .xlsx 后再导入。"


class _Outcome(msgspec.Struct):
    """What the child says: a reading, or why there is none."""

    reading: Reading | None = None
    unreadable: str = ""


def read_in_child(
    content: bytes, name: str, format_name: str, *, memory: int = MOST_MEMORY_BYTES, seconds: int = MOST_SECONDS
) -> Reading:
    """Read a file as `read_file` does, within 1 GB and 60 s; raises UnreadableFileError for what takes more."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    command = [sys.executable, "-m", "question_bank.child", name, format_name, str(memory), str(seconds)]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=seconds + 10, check=False, env=environment
        )
        outcome = msgspec.json.decode(done.stdout, type=_Outcome)
    except (subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        raise UnreadableFileError(_TOO_HEAVY) from error
    if outcome.reading is None:
        raise UnreadableFileError(outcome.unreadable)
    return outcome.reading


def main(name: str, format_name: str, memory: int, seconds: int) -> None:
    """Read standard input under limits and write the outcome as JSON to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        outcome = _Outcome(reading=read_file(sys.stdin.buffer.read(), name, format_name))
    except UnreadableFileError as error:
        outcome = _Outcome(unreadable=str(error))
    except (MemoryError, RecursionError):
        outcome = _Outcome(unreadable=_TOO_HEAVY)
    except Exception as error:  # noqa: BLE001 – whatever a reader trips over, the person is told to try another way
        outcome = _Outcome(
            unreadable=f"文件读到一半出错（{type(error).__name__}）。请改存为 .xlsx 后重试，或把文件交给技术支持。"
        )
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
