"""Pages of the back office: sign-in tickets on paper, for people who forgot their password."""

from __future__ import annotations

import io
import tempfile
from itertools import groupby
from pathlib import Path

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.db.session import read_session
from examapp.documents.html import normalise
from examapp.documents.spreadsheets import SheetColumn, SheetLayout, write_xlsx
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import cipher, my_access, requires
from examapp.organisation.accounts.rules import spaced_ticket_code
from examapp.organisation.password_reset import actions
from examapp.organisation.passwords import actions as password_actions
from examapp.organisation.people.queries import (
    PAGE_SIZE,
    PeopleListFilter,
    PrintedFirstPassword,
    get_person_within,
    list_withheld_first_passwords,
)
from examapp.organisation.people.queries import list_first_passwords as first_passwords_of
from examapp.organisation.people.queries import list_people as people_of
from examapp.organisation.units.admin_views import (
    SECOND_PERSON_REQUESTED,
    address_of_search,
    admin_blueprint,
    may_touch_guarded,
    scalable_qr,
    ticket_picture,
    units_within,
)
from examapp.organisation.units.models import Unit
from examapp.web.params import chosen_number, chosen_page, read_whole
from examapp.web.query_encryption import requested_search_text
from examapp.web.submit import request_transaction, submit
from examapp.web.trusted_hosts import address_of

PERMISSIONS = {
    "people:password:issue": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE, Role.SYSTEM_ADMIN},
}


_ISSUE = "people:password:issue"
_MAX_AT_ONCE = 100
_CHOOSE = f"请先勾选要发一次性登录码的人，一次最多 {_MAX_AT_ONCE} 人。"


@admin_blueprint.get("/tickets")
@requires(_ISSUE)
def list_ticket_people() -> str:
    """Show the people of a unit, to choose who gets a ticket."""
    return _choose_page("")


@admin_blueprint.post("/tickets/search")
@requires(_ISSUE)
def search_ticket_people() -> str | AnyResponse:
    """Search as the address does; a person's number stays out of it."""
    return address_of_search("people_admin.list_ticket_people") or _choose_page("")


def _choose_page(rejection: str) -> str:
    session, access, page = read_session(), my_access(_ISSUE), chosen_page()
    unit_id = read_whole(request.values.get("unit")) or 0
    chosen = PeopleListFilter(
        text=normalise(requested_search_text()).strip()[:60],
        unit=get_unit_within(session, unit_id, access) if unit_id else None,
        account="open",
    )
    is_requested = bool(chosen.text or chosen.unit)
    rows, total = people_of(session, access, chosen, cipher=cipher(), page=page) if is_requested else ([], 0)
    return render_template(
        "people/tickets.html",
        units=units_within(session, access),
        chosen=chosen,
        rows=rows,
        total=total,
        page=page,
        page_count=-(-total // PAGE_SIZE),
        is_requested=is_requested,
        rejection=rejection,
    )


@admin_blueprint.post("/tickets")
@requires(_ISSUE)
def issue_tickets() -> AnyResponse:
    """Give the sheet to print: each ticket's code is shown this once."""
    ids = {number for value in request.form.getlist("person") if (number := read_whole(value)) is not None}
    if not 0 < len(ids) <= _MAX_AT_ONCE:
        return Response(_choose_page(_CHOOSE), 422)
    try:
        with request_transaction() as context:
            made = actions.issue_tickets(
                context,
                [get_person_within(context.session, person_id, my_access(_ISSUE)) for person_id in sorted(ids)],
                cipher=cipher(),
                may_touch_guarded=may_touch_guarded(),
            )
    except actions.NoTicketError as rejection:
        return Response(_choose_page(rejection.text), 422)
    address = address_of("people.sign_in_by_ticket")
    lines = [(ticket, spaced_ticket_code(ticket.code), ticket_picture(f"{address}#{ticket.code}")) for ticket in made]
    return Response(render_template("people/tickets_sheet.html", lines=lines, address=address))


_COLUMNS = (
    SheetColumn(head="单位", width=28),
    SheetColumn(head="姓名", width=12),
    SheetColumn(head="登录名", width=16),
    SheetColumn(head="初始密码", width=16),
)


@admin_blueprint.get("/passwords")
@requires(_ISSUE)
def list_first_passwords() -> str:
    """Show how many first passwords of a unit are still unchanged, and the ways to take them along."""
    session, access = read_session(), my_access(_ISSUE)
    units = units_within(session, access)
    unit_id = chosen_number("unit") or 0
    unit = get_unit_within(session, unit_id, access) if unit_id else None
    count = len(_lines(unit)) if unit else None
    is_cut = unit is not None and not may_touch_guarded()
    withheld = list_withheld_first_passwords(session, unit, access, now=clock.now()) if unit and is_cut else []
    return render_template("people/passwords.html", units=units, unit=unit, count=count, withheld=withheld)


@admin_blueprint.post("/passwords/<int:unit_id>/sheet")
@requires(_ISSUE)
def export_first_passwords(unit_id: int) -> AnyResponse:
    """Give the sheet as xlsx, or as cards to print and cut, each unit on a page of its own; who took it is written down."""
    with request_transaction() as context:
        unit = get_unit_within(context.session, unit_id, my_access(_ISSUE))
        lines = _lines(unit)
        password_actions.note_first_passwords_given_out(context, unit.id, count=len(lines))
    if request.form.get("as") == "page":
        address = address_of("people.sign_in")
        sheets = [(name, list(some)) for name, some in groupby(lines, key=lambda line: line.unit_name)]
        picture = scalable_qr(address)
        return Response(
            render_template("people/passwords_sheet.html", unit=unit, sheets=sheets, address=address, picture=picture)
        )
    return send_file(
        _xlsx(unit, lines),
        mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_attachment=True,
        download_name=f"初始密码-{unit.name}.xlsx",
    )


def _lines(unit: Unit) -> list[PrintedFirstPassword]:
    return first_passwords_of(
        read_session(),
        unit,
        my_access(_ISSUE),
        cipher=cipher(),
        with_guarded=may_touch_guarded(),
        now=clock.now(),
    )


def _xlsx(unit: Unit, lines: list[PrintedFirstPassword]) -> io.BytesIO:
    sheet = SheetLayout(
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
    with submit(back=back) as context:
        person = get_person_within(context.session, person_id, my_access(_ISSUE))
        ticket = actions.reset_password(
            context,
            person,
            cipher=cipher(),
            may_touch_guarded=may_touch_guarded(),
            reason=request.form.get("reason", ""),
        )
    if ticket is None:
        flash(SECOND_PERSON_REQUESTED, "success")
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
