"""Pages of the yearly update: upload, preview with the county's own edits beside the edition's, confirmation."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.db.session import read_session
from examapp.documents.text_diff import compare_texts
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import requires
from examapp.platform.bank_updates import actions
from examapp.web.submit import request_transaction, submit

PERMISSIONS = {"bank_updates:update:apply": {Role.PUBLICITY_OFFICE}}
_MAX_SHOWN = 200

admin_blueprint = Blueprint("bank_updates_admin", __name__, url_prefix="/admin/bank-updates")


@admin_blueprint.route("/", methods=["GET", "POST"])
@requires("bank_updates:update:apply", everywhere=True)
def list_updates() -> Response | str:
    """List past updates; upload an edition's file."""
    if request.method == "POST":
        file = request.files.get("file")
        with submit(back=url_for(".list_updates")) as context:
            row = actions.upload_update(
                context, content=file.read() if file else b"", file_name=(file.filename or "") if file else ""
            )
            update_id = row.id
        return redirect(url_for(".show_update", update_id=update_id), 303)
    return render_template("bank_updates/list.html", rows=actions.list_updates(read_session()))


@admin_blueprint.get("/<int:update_id>")
@requires("bank_updates:update:apply", everywhere=True)
def show_update(update_id: int) -> str:
    """Show what an edition would change, or what came of it."""
    row = actions.get_update(read_session(), update_id)
    own = row.summary.get("own", [])
    return render_template(
        "bank_updates/show.html",
        row=row,
        own=[(entry["code"], compare_texts(entry["mine"], entry["theirs"])) for entry in own[:_MAX_SHOWN]],
        own_count=len(own),
    )


@admin_blueprint.post("/<int:update_id>/confirm")
@requires("bank_updates:update:apply", everywhere=True)
def confirm_update(update_id: int) -> Response:
    """Bring a previewed edition in; own edits are kept save the ticked ones."""
    with request_transaction() as context:
        actions.confirm_update(
            context,
            update_id=update_id,
            overwritten=request.form.getlist("overwritten"),
            withdraws="withdraws" in request.form,
        )
    return redirect(url_for(".show_update", update_id=update_id), 303)
