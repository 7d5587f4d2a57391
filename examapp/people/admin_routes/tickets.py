"""Pages of the back office: sign-in tickets on paper, for people who forgot their password."""

from __future__ import annotations

from flask import Response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.hosts import address_of
from examapp.core.html import normalise
from examapp.core.numbers import read_whole
from examapp.core.permissions import Permission
from examapp.core.veil import words_asked
from examapp.people.access import actor, my_reach, requires, sealer
from examapp.people.admin_routes.frame import (
    address_of_search,
    admin_blueprint,
    may_touch_guarded,
    page_number,
    ticket_picture,
    units_within,
)
from examapp.people.operations import tickets
from examapp.people.queries import PAGE_SIZE, PeopleFilter, get_person_within, get_unit_within
from examapp.people.queries import list_people as people_of
from examapp.people.rules import spaced_ticket_code

_ISSUE = Permission.PASSWORDS_ISSUE
_MOST_AT_ONCE = 100
_CHOOSE = f"请先勾选要发登录条的人，一次最多 {_MOST_AT_ONCE} 人。"


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


def _choose_page(refusal: str) -> str:
    session, reach, page = reading(), my_reach(_ISSUE), page_number()
    unit_id = read_whole(request.values.get("unit")) or 0
    chosen = PeopleFilter(
        words=normalise(words_asked()).strip()[:60],
        unit=get_unit_within(session, unit_id, reach) if unit_id else None,
        account="open",
    )
    is_asked = bool(chosen.words or chosen.unit)
    rows, total = people_of(session, reach, chosen, sealer=sealer(), page=page) if is_asked else ([], 0)
    return render_template(
        "people/tickets.html",
        units=units_within(session, reach),
        chosen=chosen,
        rows=rows,
        total=total,
        page=page,
        page_count=-(-total // PAGE_SIZE),
        is_asked=is_asked,
        refusal=refusal,
    )


@admin_blueprint.post("/tickets")
@requires(_ISSUE)
def issue_tickets() -> AnyResponse:
    """Give the sheet to print: each ticket's code is shown this once."""
    ids = {number for value in request.form.getlist("person") if (number := read_whole(value)) is not None}
    if not 0 < len(ids) <= _MOST_AT_ONCE:
        return Response(_choose_page(_CHOOSE), 422)
    try:
        with transaction() as session:
            made = tickets.issue_tickets(
                session,
                [get_person_within(session, person_id, my_reach(_ISSUE)) for person_id in sorted(ids)],
                sealer=sealer(),
                may_touch_guarded=may_touch_guarded(),
                actor=actor(),
                now=clock.now(),
            )
    except tickets.NoTicketError as refusal:
        return Response(_choose_page(refusal.text), 422)
    address = address_of("people.sign_in_by_ticket")
    lines = [(ticket, spaced_ticket_code(ticket.code), ticket_picture(f"{address}#{ticket.code}")) for ticket in made]
    return Response(render_template("people/tickets_sheet.html", lines=lines, address=address))
