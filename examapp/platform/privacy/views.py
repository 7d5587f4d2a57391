"""What the platform holds about whom, for everybody; and what it holds about me, to read and to take away."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, current_app, render_template

from examapp import clock
from examapp.db.personal_data import GROUPS, list_personal_data
from examapp.db.session import read_session
from examapp.errors import ActiveAttemptError, NotFoundError
from examapp.organisation.accounts.guards import are_keys_withheld, cipher, my_user, public, shows_keys, signed_in
from examapp.platform.privacy.actions import CopyFormat, copy_own_data
from examapp.platform.privacy.queries import count_held, read_held
from examapp.platform.privacy.rules import Terms, value_label
from examapp.web.submit import request_transaction

blueprint = Blueprint("privacy", __name__)
_MAX_SHOWN = 200
_TYPES = {
    CopyFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    CopyFormat.JSON: "application/json",
}


def terms() -> Terms:
    """Give for how long things are kept, by the settings."""
    return Terms.from_settings(current_app.config["SETTINGS"])


@blueprint.get("/privacy")
@public
def show_notice() -> str:
    """Show what is held, why, how long and who sees it."""
    return render_template("privacy/notice.html", data_categories=list_personal_data(), groups=GROUPS, terms=terms())


@blueprint.get("/my/data")
@signed_in
def show_own() -> str:
    """Show what is held about me: how much of what, why, how long."""
    counts = count_held(read_session(), my_user().person_id, now=clock.now())
    return render_template(
        "privacy/own.html",
        data_categories=list_personal_data(),
        groups=GROUPS,
        counts=counts,
        present=[table for table, count in counts.items() if count],
        terms=terms(),
    )


@blueprint.get("/my/data/<table>")
@signed_in
def show_own_rows(table: str) -> str:
    """Show one part of it, the newest rows first."""
    category = next((each for each in list_personal_data() if each.table == table), None)
    if category is None or category.owner is None:
        raise NotFoundError
    if are_keys_withheld():
        raise ActiveAttemptError
    held = read_held(
        read_session(),
        category,
        my_user().person_id,
        cipher=cipher(),
        is_whole=False,
        now=clock.now(),
        limit=_MAX_SHOWN,
    )
    rows = [[value_label(column, value) for column, value in zip(held.columns, row, strict=True)] for row in held.rows]
    return render_template(
        "privacy/own_rows.html", held=held, rows=rows, limit=_MAX_SHOWN, term=terms().text(category.term)
    )


@blueprint.get("/my/data/copy.xlsx", defaults={"ending": "xlsx"})
@blueprint.get("/my/data/copy.json", defaults={"ending": "json"})
@signed_in
@shows_keys
def take_copy(ending: str) -> Response:
    """Give all of it as a file."""
    wanted = CopyFormat(ending)
    with request_transaction() as context:
        content = copy_own_data(context, my_user().person_id, wanted, terms=terms(), cipher=cipher())
    name = quote(f"我的个人信息-{clock.local(context.now):%Y%m%d}.{ending}")
    headers = {"Content-Disposition": f"attachment; filename=\"my-data.{ending}\"; filename*=UTF-8''{name}"}
    return Response(content, content_type=_TYPES[wanted], headers=headers)
