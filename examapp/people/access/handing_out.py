"""A line in the audit log for every file that an administrator takes out of the platform, whichever view hands it out."""

from __future__ import annotations

import structlog
from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError

from examapp.audit.operations import record
from examapp.core import clock
from examapp.core.db import transaction
from examapp.people.access.current import actor, find_signed_in_person

log = structlog.get_logger()
ACT = "people.take_file"


def note_files(app: Flask) -> None:
    """Hang the note into the application. Candidates' own files are not noted: nobody is watched while studying."""
    app.after_request(_note)


def _note(response: Response) -> Response:
    if response.status_code != 200 or not response.headers.get("Content-Disposition", "").startswith("attachment"):
        return response
    try:
        _write()
    except SQLAlchemyError as error:
        log.warning("file_not_noted", error=type(error).__name__)
    return response


def _write() -> None:
    who = find_signed_in_person()
    if who is None or not who.is_administrator:
        return
    things = {name: value for name, value in (request.view_args or {}).items() if isinstance(value, int)}
    details = {"view": request.endpoint, "things": things}
    with transaction() as session:
        record(session, ACT, actor=actor(), now=clock.now(), object_type="page", details=details)
