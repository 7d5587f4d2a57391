"""The blueprints of the back office's people and units, and what their pages share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import segno
from flask import Blueprint, redirect, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from examapp.core.numbers import read_page
from examapp.core.permissions import Permission
from examapp.core.veil import veil
from examapp.org.models import Unit
from examapp.org.queries import list_units
from examapp.people.access import my_grants
from examapp.people.queries import within
from examapp.people.rules import Reach, Role, holds_number

admin_blueprint = Blueprint("people_admin", __name__, url_prefix="/admin/people")
units_blueprint = Blueprint("org_admin", __name__, url_prefix="/admin/org")
"""Units are shown from here: the org room lies below the one that knows who may see what."""

READ = Permission.PEOPLE_READ
WRITE = Permission.PEOPLE_WRITE
SECOND_PERSON_ASKED = "这是系统、安全或审计管理员的账号，须两人办理。申请已提交，请另一名安全管理员在“审批”中同意，同意后 24 小时内在本页再点一次即办理。"
NOTHING = 0
"""The choice that stands for no unit."""


def units_within(session: Session, reach: Reach) -> list[Unit]:
    """List the open units of a reach, by code."""
    return list_units(session, within(reach))


def unit_choices(units: Iterable[Unit], nothing: str | None = None) -> list[SelectChoice]:
    """Give the choices of a select field; `nothing` is the words for none."""
    choices = [SelectChoice(str(unit.id), f"{unit.code}　{unit.name}") for unit in units]
    return choices if nothing is None else [SelectChoice(str(NOTHING), nothing), *choices]


def may_touch_guarded() -> bool:
    """Tell whether who is signed in may change the accounts of administrators."""
    return any(grant.role == Role.SYSTEM_ADMIN for grant in my_grants())


def page_number() -> int:
    """Give the page of a list that the address asks for, 1 where it is nonsense."""
    return read_page(request.args.get("page"))


def address_of_search(endpoint: str, *more: str) -> Response | None:
    """Lead from a posted search (words, unit and more) to its address, words sealed; None where a person's number was typed, which stays in the body."""
    words = request.form.get("q", "")
    asked: dict[str, Any] = {name: request.form[name] for name in ("unit", *more) if request.form.get(name)}
    return None if holds_number(words) else redirect(url_for(endpoint, s=veil(words) or None, **asked), 303)


def ticket_picture(address: str) -> Markup:
    """Draw a QR code; the code stands behind the `#`, which browsers do not send, so that no log holds it."""
    svg = segno.make_qr(address, error="m").svg_inline(scale=3, border=2, omitsize=False)
    return Markup(svg)  # noqa: S704 – segno's own drawing of squares
