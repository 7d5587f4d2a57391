"""Files of a record: put, fetched, taken off."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.acting import telling
from examapp.core.db import reading, transaction
from examapp.core.uploads.serving import serve_file
from examapp.duties import queries
from examapp.duties.admin_routes.frame import WRITE, admin_blueprint, my_hands
from examapp.duties.operations import files
from examapp.duties.queries.files import get_record_file
from examapp.people.access import actor, requires


@admin_blueprint.post("/records/<int:record_id>/files")
@requires(WRITE)
def attach_file(record_id: int) -> Response:
    """Hang a file on a record."""
    item_id = queries.get_record(reading(), record_id, my_hands()).item_id
    sent = request.files.get("file")
    name, content = (sent.filename or "", sent.read()) if sent else ("", b"")
    with telling("附件已上传。") as session:
        files.attach_file(
            session,
            record_id=record_id,
            name=name,
            content=content,
            hands=my_hands(),
            actor=actor(),
            now=clock.now(),
        )
    return redirect(url_for(".show_item", item_id=item_id))


@admin_blueprint.get("/records/<int:record_id>/files/<token>")
@requires(WRITE)
def fetch_file(record_id: int, token: str) -> Response:
    """Give a file of a record."""
    session = reading()
    queries.get_record(session, record_id, my_hands())
    return serve_file(get_record_file(session, record_id, token.replace("\0", "")))


@admin_blueprint.post("/records/<int:record_id>/files/<token>/remove")
@requires(WRITE)
def remove_file(record_id: int, token: str) -> Response:
    """Take a file off a record."""
    item_id = queries.get_record(reading(), record_id, my_hands()).item_id
    with transaction() as session:
        files.remove_file(
            session,
            record_id=record_id,
            token=token.replace("\0", ""),
            hands=my_hands(),
            actor=actor(),
            now=clock.now(),
        )
    flash("附件已删除。", "success")
    return redirect(url_for(".show_item", item_id=item_id))
