"""Pages of the back office: first passwords on paper, and new ones for who forgot."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.hosts import address_of
from examapp.core.numbers import read_whole
from examapp.core.permissions import Permission
from examapp.core.spreadsheets import Column, Sheet, write_xlsx
from examapp.org.models import Unit
from examapp.people.access import actor, my_reach, requires, sealer
from examapp.people.admin_routes.frame import (
    SECOND_PERSON_ASKED,
    admin_blueprint,
    may_touch_guarded,
    ticket_picture,
    units_within,
)
from examapp.people.operations import passwords, tickets
from examapp.people.operations.approvals import AlreadyAskedError
from examapp.people.queries import FirstPassword, get_person_within, get_unit_within
from examapp.people.queries import list_first_passwords as first_passwords_of
from examapp.people.rules import spaced_ticket_code

_ISSUE = Permission.PASSWORDS_ISSUE
_COLUMNS = (
    Column(head="单位", width=28),
    Column(head="姓名", width=12),
    Column(head="登录名", width=16),
    Column(head="初始密码", width=16),
)


@admin_blueprint.get("/passwords")
@requires(_ISSUE)
def list_first_passwords() -> str:
    """Show how many first passwords of a unit are still unchanged, and the ways to take them along."""
    session, reach = reading(), my_reach(_ISSUE)
    units = units_within(session, reach)
    unit_id = read_whole(request.args.get("unit")) or 0
    unit = get_unit_within(session, unit_id, reach) if unit_id else None
    count = len(_lines(unit)) if unit else None
    return render_template("people/passwords.html", units=units, unit=unit, count=count)


@admin_blueprint.post("/passwords/<int:unit_id>/sheet")
@requires(_ISSUE)
def export_first_passwords(unit_id: int) -> AnyResponse:
    """Give the sheet as xlsx, or as a page to print and cut into strips; who took it is written down."""
    with transaction() as session:
        unit = get_unit_within(session, unit_id, my_reach(_ISSUE))
        lines = _lines(unit)
        passwords.note_first_passwords_given_out(session, unit.id, count=len(lines), actor=actor(), now=clock.now())
    if request.form.get("as") == "page":
        page = render_template("people/passwords_sheet.html", unit=unit, lines=lines)
        return Response(page)
    return send_file(
        _xlsx(unit, lines),
        mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_attachment=True,
        download_name=f"初始密码-{unit.name}.xlsx",
    )


def _lines(unit: Unit) -> list[FirstPassword]:
    return first_passwords_of(
        reading(),
        unit,
        my_reach(_ISSUE),
        sealer=sealer(),
        with_guarded=may_touch_guarded(),
        now=clock.now(),
    )


def _xlsx(unit: Unit, lines: list[FirstPassword]) -> io.BytesIO:
    sheet = Sheet(
        name="初始密码",
        title=f"{unit.name} 学法考试平台初始密码",
        remarks=("请逐人当面发放，不要发到群里。首次登录须改成自己的密码，改后本表的密码作废。",),
        columns=_COLUMNS,
        rows=([line.unit_name, line.name, line.login_name, line.password] for line in lines),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.xlsx"
        write_xlsx(path, [sheet])
        return io.BytesIO(path.read_bytes())


@admin_blueprint.post("/<int:person_id>/password")
@requires(_ISSUE)
def reset_password(person_id: int) -> AnyResponse:
    """Put a person's password out of force and give a one-use ticket, shown this once; all sign-ins end."""
    back = url_for("people_admin.show_person", person_id=person_id)
    try:
        with transaction() as session:
            person = get_person_within(session, person_id, my_reach(_ISSUE))
            ticket = tickets.reset_password(
                session,
                person,
                sealer=sealer(),
                may_touch_guarded=may_touch_guarded(),
                reason=request.form.get("reason", ""),
                actor=actor(),
                now=clock.now(),
            )
    except (tickets.NoTicketError, AlreadyAskedError) as refusal:
        flash(refusal.text, "error")
        return redirect(back, 303)
    if ticket is None:
        flash(SECOND_PERSON_ASKED, "success")
        return redirect(back, 303)
    address = address_of("people.sign_in_by_ticket")
    page = render_template(
        "people/password_reset.html",
        ticket=ticket,
        code=spaced_ticket_code(ticket.code),
        picture=ticket_picture(f"{address}#{ticket.code}"),
        address=address,
        back=back,
    )
    return Response(page)
