"""Logs as one JSON line an event: a constant name and fields, ids only, never an answer, a name or a number of a person."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from typing import Any, TextIO, cast

import structlog

_MAX_CHARACTERS = 2000
_ROW_IN_AN_ERROR = re.compile(r"(DETAIL: |\[parameters: |CONTEXT: |LINE \d+: )[^\n]*")
"""Where the database's own words about an error quote the row, and so a person."""


_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What json leaves as it is, and a terminal, a line reader or an encoder would stumble over."""


class _ForgivingErrorStream:
    """Standard error; where it cannot be written to (a full disk under the log), a line is lost and never a request."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
        return len(text)

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
        _leave_rows_out,
        _truncate,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_one_line)],
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
                structlog.processors.JSONRenderer(serializer=_one_line),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("alembic.runtime.plugins").setLevel("WARNING")  # six lines a process that tell nobody anything


def _one_line(event: Any, **fields: Any) -> str:
    """Write an event as JSON on one line, with every sign escaped that is not one to be seen."""
    line = json.dumps(event, ensure_ascii=False, **fields)
    return _UNPRINTABLE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", line)


def _leave_rows_out(_logger: Any, _method: str, event: Any) -> Any:
    for name in ("exception", "event"):
        if isinstance(event.get(name), str):
            event[name] = _ROW_IN_AN_ERROR.sub(r"\1…", event[name])
    return event


def _truncate(_logger: Any, _method: str, event: Any) -> Any:
    for name, value in event.items():
        if isinstance(value, str) and len(value) > _MAX_CHARACTERS and name != "exception":
            event[name] = value[:_MAX_CHARACTERS] + "…"
    return event
