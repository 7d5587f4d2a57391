"""Logs as one JSON line an event: a constant name and fields, ids only, never an answer, a name or a number of a person."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any, TextIO, cast

import structlog

_MOST_CHARACTERS = 2000


class _ForgivingErrorStream:
    """Standard error; where it cannot be written to (a full disk under the log), a line is lost and never a request."""

    def write(self, words: str) -> int:
        with contextlib.suppress(OSError):
            sys.stderr.write(words)
        return len(words)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def set_up_logging(level: str) -> None:
    """Send every log line of the program and its libraries as JSON to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _truncate,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _ForgivingErrorStream())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(cast("TextIO", _ForgivingErrorStream()))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)


def _truncate(_logger: Any, _method: str, event: Any) -> Any:
    for name, value in event.items():
        if isinstance(value, str) and len(value) > _MOST_CHARACTERS and name != "exception":
            event[name] = value[:_MOST_CHARACTERS] + "…"
    return event
