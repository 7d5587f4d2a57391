"""Every web process counts its own requests, and writes its figures down every few seconds, in a thread and without harm when it cannot."""

from __future__ import annotations

import os
import socket
import threading
import time

import structlog
from flask import Blueprint, Flask, Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from examapp.attempts.operations import note_contacts
from examapp.config import Mode
from examapp.core import clock
from examapp.core.db import db, transaction
from examapp.core.meter import Act, meter
from examapp.core.process_reports import write_report

blueprint = Blueprint("reporting", __name__)
log = structlog.get_logger()
_EVERY_S = 5.0
_CONTACTS_EVERY = 4
"""Contacts go with every so manieth report."""
_ACTS = {"attempts_api.save_answers": Act.SAVE, "attempts_api.start": Act.START, "attempts_api.hand_in": Act.HAND_IN}
_started = threading.Lock()


@blueprint.after_app_request
def _count(response: Response) -> Response:
    endpoint, status = request.endpoint or "", response.status_code
    if status >= 500:
        meter.count(Act.FAILURE, 0.0)
    elif status < 300 and endpoint.startswith("attempts_api."):
        if endpoint in _ACTS and status != 202 and "began_at" in g:
            meter.count(_ACTS[endpoint], time.perf_counter() - g.began_at)
        if attempt_id := (request.view_args or {}).get("attempt_id"):
            meter.hear_of(attempt_id, now=clock.now())
    if not _started.locked():
        _begin(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 – Flask's own way to the application
    return response


def _begin(app: Flask) -> None:
    if app.config["SETTINGS"].mode is not Mode.TESTING and _started.acquire(blocking=False):
        threading.Thread(target=_report_for_ever, args=(app,), name="reporting", daemon=True).start()


def _report_for_ever(app: Flask) -> None:
    name, number = f"{socket.gethostname()}:{os.getpid()}", 0
    while True:
        time.sleep(_EVERY_S)
        number += 1
        with app.app_context():
            try:
                report(name, has_contacts=number % _CONTACTS_EVERY == 0)
            except SQLAlchemyError as error:
                log.warning("report_not_written", error=type(error).__name__)
                db.session.remove()


def report(name: str, *, has_contacts: bool) -> None:
    """Write this process's figures down now, with the attempts that it heard of since the last time."""
    contacts = meter.take_contacts() if has_contacts else {}
    with transaction() as session:
        write_report(session, name, meter.minute(), now=clock.now())
        note_contacts(session, contacts)
