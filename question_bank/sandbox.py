"""Read untrusted files in subprocesses with limits of memory and time."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.registry import load_readers, read_file
from question_bank.model import ColumnNames, Note, ParseResult, TableColumns, UnknownColumnsError
from question_bank.office import to_word
from question_bank.sources import find_sources

MAX_MEMORY_BYTES = 512 * 1024**2
MAX_SECONDS = 30
_WAITING_SECONDS = 30
"""Seconds of wall time beyond the CPU time, for a loaded machine."""
_SIZE_BYTES = 8
_TOO_HEAVY = "文件太大或太复杂，在规定的时间和内存内读不完。请拆成几个文件，或改存为普通的 .xlsx 后再导入。"


class _Request(msgspec.Struct):
    """A file to read, with the file of its answers where there is one."""

    content: bytes
    name: str
    format: str
    answers: tuple[bytes, str] | None = None
    columns: ColumnNames | None = None


class _Outcome(msgspec.Struct):
    """A child's answer: a result, or why there is none."""

    reading: ParseResult | None = None
    unreadable: str = ""
    format_name: str = ""
    tables: list[TableColumns] = []
    """Where the file could be read if a person said what these columns hold."""


class ChildReader:
    """Reads any number of files, each in a child of one helper process that has the readers loaded; use it in a `with`."""

    def __init__(self, *, memory: int = MAX_MEMORY_BYTES, seconds: int = MAX_SECONDS) -> None:
        self._limits = (str(memory), str(seconds))
        self._helper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Begin; the helper starts with the first file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the helper."""
        self._end()

    def read(
        self,
        content: bytes,
        name: str,
        format_name: str,
        *,
        answers: tuple[bytes, str] | None = None,
        columns: ColumnNames | None = None,
    ) -> ParseResult:
        """Read a file as `read_file` does, within the limits, old documents by way of LibreOffice; raises UnreadableFileError for what takes more."""
        content, name, before = to_word(content, name)
        answers = to_word(*answers)[:2] if answers else None
        reading = self._read(content, name, format_name, answers, columns)
        if before:
            reason = f"这是{before}，已由 LibreOffice 转换后读取。请抽查几题的题号、选项和图片。"
            reading.remarks.append(Note("整个文件", reason, "converted"))
        return reading

    def _read(
        self,
        content: bytes,
        name: str,
        format_name: str,
        answers: tuple[bytes, str] | None,
        columns: ColumnNames | None,
    ) -> ParseResult:
        request = msgspec.msgpack.encode(_Request(content, name, format_name, answers, columns))
        try:
            outcome = msgspec.msgpack.decode(self._ask(request), type=_Outcome)
        except (OSError, EOFError, msgspec.DecodeError) as error:
            self._end()
            raise UnreadableFileError(_TOO_HEAVY) from error
        if outcome.tables:
            raise UnknownColumnsError(outcome.unreadable, format_name=outcome.format_name, tables=outcome.tables)
        if outcome.reading is None:
            raise UnreadableFileError(outcome.unreadable)
        return outcome.reading

    def _ask(self, request: bytes) -> bytes:
        if self._helper is None or self._helper.poll() is not None:
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
            command = [sys.executable, "-m", "question_bank.sandbox", *self._limits]
            self._helper = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )
        if self._helper.stdin is None or self._helper.stdout is None:
            raise EOFError
        _send(self._helper.stdin, request)
        answer = _receive(self._helper.stdout)
        if answer is None:
            raise EOFError
        return answer

    def _end(self) -> None:
        if self._helper is not None:
            self._helper.kill()
            self._helper.wait()
            for pipe in (self._helper.stdin, self._helper.stdout):
                with contextlib.suppress(OSError):
                    pipe.close() if pipe else None
            self._helper = None


def serve(source: IO[bytes], target: IO[bytes], *, memory: int, seconds: int) -> None:
    """Answer requests until there are no more, each by a child under limits."""
    load_readers()
    while (request := _receive(source)) is not None:
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(out)
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.alarm(seconds + _WAITING_SECONDS)
            with os.fdopen(into, "wb") as pipe:
                pipe.write(msgspec.msgpack.encode(_outcome(request)))
            os._exit(0)
        os.close(into)
        with os.fdopen(out, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        _send(target, answer or msgspec.msgpack.encode(_Outcome(unreadable=_TOO_HEAVY)))


def _outcome(encoded: bytes) -> _Outcome:
    try:
        request = msgspec.msgpack.decode(encoded, type=_Request)
        reading = read_file(
            request.content, request.name, request.format, answers=request.answers, columns=request.columns
        )
        reading.sources = find_sources(request.content, request.name, reading)
        return _Outcome(reading)
    except UnknownColumnsError as error:
        return _Outcome(unreadable=str(error), format_name=error.format_name, tables=error.tables)
    except UnreadableFileError as error:
        return _Outcome(unreadable=str(error))
    except (MemoryError, RecursionError):
        return _Outcome(unreadable=_TOO_HEAVY)
    except Exception as error:  # noqa: BLE001 – any failure of a reader is shown with another way to try
        reason = f"文件读到一半出错（{type(error).__name__}）。请改存为 .xlsx 后重试，或把文件交给技术支持。"
        return _Outcome(unreadable=reason)


def _send(target: IO[bytes], content: bytes) -> None:
    target.write(len(content).to_bytes(_SIZE_BYTES))
    target.write(content)
    target.flush()


def _receive(source: IO[bytes]) -> bytes | None:
    size = source.read(_SIZE_BYTES)
    if len(size) < _SIZE_BYTES:
        return None
    content = source.read(int.from_bytes(size))
    return content if len(content) == int.from_bytes(size) else None


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, memory=int(sys.argv[1]), seconds=int(sys.argv[2]))
