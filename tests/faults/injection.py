"""Guarantees of the program, each taken away by replacing functions of it, to prove that the drills turn red (`make sabotage`).

The program has no branch for this. `tests.faults.supervisor` starts it with the setting DRILL_INJECTED_FAULT: its web processes, workers and commands are
built as always, then `disable_named()` breaks the one guarantee, on the path that every request takes.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from flask import Flask, g, request, session
from redis import Redis
from sqlalchemy import text, update
from werkzeug.wrappers import Response

from examapp.db.session import after_commit, db, execute_autocommit, independent_transaction
from examapp.delivery.attempt_changes import actions as attempt_change_actions
from examapp.delivery.attempts import actions as attempt_actions
from examapp.delivery.attempts import rules as attempt_rules
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.grading import queries as grading_queries
from examapp.delivery.grading import tasks as grading_tasks
from examapp.jobs.models import MAX_RETRIES
from examapp.organisation.accounts import guards
from tests.faults import SETTING

_COMMIT_DELAY_S = 0.3
_OFFER_DELAY_S = 0.5
_NEWER_ONLY = "WHERE (a.epoch, a.seq) < (excluded.epoch, excluded.seq)"
_KEEP_PENDING = "state.pending[item] = entry;"
_UNTIL_EXIT = ExitStack()


class Guarantee(StrEnum):
    """What the setting DRILL_INJECTED_FAULT can take away."""

    SYNCHRONOUS_COMMIT = "S1"
    FSYNC = "S2"
    COMMIT_BEFORE_REPLY = "S3"
    NEWER_ANSWER_WINS = "S4"
    ONE_SUBMISSION = "S5"
    GRADING_QUEUED_WITH_SUBMISSION = "S6"
    SWEEPER = "S7"
    SAVED_ONLY_WHEN_ACKNOWLEDGED = "S8"
    FORCED_CLOSE_KEEPS_ANSWERS = "S9"
    RETRIES_COUNTED_IN_POSTGRESQL = "S10"
    SESSIONS_IN_POSTGRESQL = "S11"
    SERVER_TIME = "S12"


POSTGRES_SETTINGS: dict[str, dict[str, str]] = {
    Guarantee.SYNCHRONOUS_COMMIT: {"synchronous_commit": "off", "wal_writer_delay": "10s"},
    Guarantee.FSYNC: {"fsync": "off"},
}
"""Guarantees that the database server gives, by the settings that take them away."""


def disable_named(app: Flask) -> None:
    """Take away what the environment's DRILL_INJECTED_FAULT names, until the process ends."""
    _UNTIL_EXIT.enter_context(disabled_by_environment(app))


@contextmanager
def disabled_by_environment(app: Flask) -> Iterator[None]:
    """Take away what the environment's DRILL_INJECTED_FAULT names, if anything."""
    name = os.environ.get(SETTING, "")
    with disabled(app, Guarantee(name)) if name else ExitStack():
        yield


@contextmanager
def disabled(app: Flask, guarantee: Guarantee) -> Iterator[None]:
    """Take a guarantee of a built application away; nothing to do here for those of the database server."""
    if guarantee in POSTGRES_SETTINGS:
        yield
        return
    with _BREAKS[guarantee](app):
        yield


@contextmanager
def _replaced(original: object, replacement: object) -> Iterator[None]:
    """Put a replacement wherever a module of the program has bound the original by name."""
    bound = [
        (module, name)
        for key, module in list(sys.modules.items())
        if key.startswith("examapp.")
        for name, value in list(vars(module).items())
        if value is original
    ]
    if not bound:
        raise LookupError(f"{original!r} is nowhere in the program")
    for module, name in bound:
        setattr(module, name, replacement)
    try:
        yield
    finally:
        for module, name in bound:
            setattr(module, name, original)


def _cut(wording: str, part: str) -> str:
    if part not in wording:
        raise LookupError(f"{part!r} is not there to be taken away")
    return wording.replace(part, "")


def _commit_after_reply(_app: Flask) -> AbstractContextManager[None]:
    """S3: a save's rows are returned at once, and committed a moment later."""

    def execute(statement: Any, values: Any) -> Any:
        if statement is not attempt_actions.SAVE:
            return execute_autocommit(statement, values)
        connection = db.engine.connect()
        rows = connection.execute(statement, values).all()

        def commit() -> None:
            connection.commit()
            connection.close()

        threading.Timer(_COMMIT_DELAY_S, commit).start()
        return rows

    return _replaced(execute_autocommit, execute)


def _any_answer_replaces(_app: Flask) -> AbstractContextManager[None]:
    """S4: the save's statement replaces an answer by whatever comes."""
    return _replaced(attempt_actions.SAVE, text(_cut(attempt_actions.SAVE.text, _NEWER_ONLY)))


def _submit_again(_app: Flask) -> AbstractContextManager[None]:
    """S5: a second hand-in makes a second receipt."""
    original = attempt_change_actions.hand_in

    def hand_in(db_session: Any, attempt: Attempt, *, now: datetime, **fields: Any) -> Any:
        if attempt.state != AttemptState.IN_PROGRESS:
            attempt_actions.submit(db_session, attempt, submitted_at=now, is_forced=False)
        return original(db_session, attempt, now=now, **fields)

    return _replaced(original, hand_in)


def _queue_grading_late(_app: Flask) -> AbstractContextManager[None]:
    """S6: an attempt is offered to the graders half a second after the commit of its submission."""
    original = attempt_actions.submit

    def submit(db_session: Any, attempt: Attempt, **fields: Any) -> None:
        attempt.grading_retry_count = MAX_RETRIES
        original(db_session, attempt, **fields)
        after_commit(db_session, partial(_offer_to_graders, attempt.id))

    return _replaced(original, submit)


def _offer_to_graders(attempt_id: int) -> None:
    threading.Event().wait(_OFFER_DELAY_S)
    with independent_transaction() as db_session:
        db_session.execute(update(Attempt).where(Attempt.id == attempt_id).values(grading_retry_count=0))


def _no_sweep(_app: Flask) -> AbstractContextManager[None]:
    """S7: the sweeper runs and does nothing."""
    return _replaced(grading_tasks.sweep_once, lambda: 0)


class _ForgetfulQueue:
    """S8: the exam page's script drops what a reload finds unsent, as if it had been acknowledged."""

    def __init__(self, wsgi_app: Any) -> None:
        self._wsgi_app = wsgi_app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if not str(environ.get("PATH_INFO", "")).endswith("/js/exam/queue.js"):
            return self._wsgi_app(environ, start_response)
        plain = {name: value for name, value in environ.items() if name != "HTTP_ACCEPT_ENCODING"}
        script = Response.from_app(self._wsgi_app, plain, buffered=True)
        script.set_data(_cut(script.get_data(as_text=True), _KEEP_PENDING))
        return script(environ, start_response)


@contextmanager
def _forget_pending(app: Flask) -> Iterator[None]:
    original = app.wsgi_app
    app.wsgi_app = _ForgetfulQueue(original)  # type: ignore[method-assign]  # Flask means it to be wrapped so
    try:
        yield
    finally:
        app.wsgi_app = original  # type: ignore[method-assign]


def _forced_close_drops_answers(_app: Flask) -> AbstractContextManager[None]:
    """S9: the receipt of an attempt that the server closes is made of no answers."""
    original = attempt_actions.submit

    def submit(db_session: Any, attempt: Attempt, *, is_forced: bool, **fields: Any) -> None:
        original(db_session, attempt, is_forced=is_forced, **fields)
        if is_forced:
            attempt.answered, attempt.receipt_sha256 = attempt_rules.sheet_digest(
                attempt.id, attempt.response_schema, ()
            )
            db_session.flush()

    return _replaced(original, submit)


def _count_retries_in_redis(app: Flask) -> AbstractContextManager[None]:
    """S10: how often an attempt's grading was begun is what Redis says."""
    original, redis = grading_queries.begin_grading, _redis(app)

    def begin(db_session: Any, statement: Any, **values: Any) -> list[int]:
        ids = original(db_session, statement, **values)
        for attempt_id in ids:
            count = min(int(redis.incr(f"drill:tries:{attempt_id}")), MAX_RETRIES)
            db_session.execute(update(Attempt).where(Attempt.id == attempt_id).values(grading_retry_count=count))
        return ids

    return _replaced(original, begin)


@contextmanager
def _sessions_in_redis(app: Flask) -> Iterator[None]:
    """S11: a session lives only as long as Redis knows it."""
    original, redis = guards.begin_session, _redis(app)

    def begin_session(token: str, user: Any) -> None:
        original(token, user)
        redis.set(f"drill:session:{token}", 1)

    def drop_unknown_session() -> None:
        if "_user_id" in session and not redis.exists(f"drill:session:{session['_user_id']}"):
            session.pop("_user_id")

    with _replaced(original, begin_session), _before_request(app, drop_unknown_session, index=0):
        yield


def _client_time(app: Flask) -> AbstractContextManager[None]:
    """S12: a request arrived when its header says so."""

    def believe_client() -> None:
        if claimed := request.headers.get("X-Client-Time"):
            g.arrived_at = datetime.fromisoformat(claimed)

    return _before_request(app, believe_client, index=sys.maxsize)


@contextmanager
def _before_request(app: Flask, hook: Callable[[], None], *, index: int) -> Iterator[None]:
    hooks = app.before_request_funcs.setdefault(None, [])
    hooks.insert(index, hook)
    try:
        yield
    finally:
        hooks.remove(hook)


def _redis(app: Flask) -> Redis:
    return Redis.from_url(app.config["SETTINGS"].redis_url, socket_timeout=1)


_BREAKS: dict[Guarantee, Callable[[Flask], AbstractContextManager[None]]] = {
    Guarantee.COMMIT_BEFORE_REPLY: _commit_after_reply,
    Guarantee.NEWER_ANSWER_WINS: _any_answer_replaces,
    Guarantee.ONE_SUBMISSION: _submit_again,
    Guarantee.GRADING_QUEUED_WITH_SUBMISSION: _queue_grading_late,
    Guarantee.SWEEPER: _no_sweep,
    Guarantee.SAVED_ONLY_WHEN_ACKNOWLEDGED: _forget_pending,
    Guarantee.FORCED_CLOSE_KEEPS_ANSWERS: _forced_close_drops_answers,
    Guarantee.RETRIES_COUNTED_IN_POSTGRESQL: _count_retries_in_redis,
    Guarantee.SESSIONS_IN_POSTGRESQL: _sessions_in_redis,
    Guarantee.SERVER_TIME: _client_time,
}
