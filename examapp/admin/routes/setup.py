"""The first set-up of an empty platform, open only while nobody can sign in and only to who knows the set-up code."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from examapp.admin.forms import SetUpForm
from examapp.admin.operations import Administrator, SetUp, set_up
from examapp.admin.queries.state import has_accounts
from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import DomainError, NotFoundError
from examapp.people.access import hasher, password_profile, public, sealer
from examapp.people.operations.signing_in import judge_set_up_code
from examapp.people.rules import ROLE_NAMES, Role, office_of, password_fault

blueprint = Blueprint("setup", __name__)
_OTHERS = (
    (Role.SYSTEM_ADMIN, "system"),
    (Role.SECURITY_ADMIN, "security"),
    (Role.AUDIT_ADMIN, "audit"),
)


@blueprint.route("/setup", methods=["GET", "POST"])
@public
def first_set_up() -> AnyResponse:
    """Walk the first administrator through the set-up; nothing is here once an account exists or without a set-up code."""
    if not current_app.config["SETTINGS"].setup_code:
        raise NotFoundError
    if has_accounts(reading()):
        return redirect("/")
    form = SetUpForm()
    if request.method == "POST" and form.validate() and _is_sound(form):
        response = _set_up(form)
        if response is not None:
            return response
    return Response(render_template("admin/setup.html", form=form), 422 if form.errors else 200)


def _is_sound(form: SetUpForm) -> bool:
    """Check what one field alone does not show; faults are written beside their fields."""
    if refusal := _find_code_refusal(form.setup_code.data):
        form.setup_code.errors = [refusal.text]
    elif fault := password_fault(
        form.password.data, login_name=form.login_name.data, name=form.name.data or "", profile=password_profile()
    ):
        form.password.errors = [fault]
    elif form.password.data != form.repeated.data:
        form.repeated.errors = ["两次输入的密码不一样，请重新输入。"]
    for role, prefix in _OTHERS:
        name, login_name = form[f"{prefix}_name"], form[f"{prefix}_login"]
        if bool(name.data) != bool(login_name.data):
            (login_name if name.data else name).errors = [f"{ROLE_NAMES[role]}的姓名和登录名要一起填，或都不填。"]
    return not form.errors


def _find_code_refusal(typed: str) -> DomainError | None:
    """Judge the set-up code; wrong ones are counted by address, so that nobody finds it by trying."""
    is_right = hmac.compare_digest(typed.encode(), current_app.config["SETTINGS"].setup_code.encode())
    who = sealer().blind_index(office_of(request.remote_addr), purpose="setup_code")
    with transaction() as session:
        return judge_set_up_code(session, who, is_right=is_right, address=request.remote_addr, now=clock.now())


def _set_up(form: SetUpForm) -> Response | None:
    plan = SetUp(
        county_name=form.county_name.data,
        county_code=form.county_code.data,
        first=Administrator(name=form.name.data, login_name=form.login_name.data, role=Role.PUBLICITY_OFFICE),
        password_hash=hasher().hash(form.password.data),
        others=[
            Administrator(name=form[f"{prefix}_name"].data, login_name=form[f"{prefix}_login"].data, role=role)
            for role, prefix in _OTHERS
            if form[f"{prefix}_name"].data
        ],
    )
    try:
        with transaction() as session:
            handed = set_up(session, plan, sealer=sealer(), address=request.remote_addr, now=clock.now())
    except DomainError as refusal:
        form.login_name.errors = [refusal.text]
        return None
    page = render_template(
        "admin/setup_done.html", handed=handed, role_names=ROLE_NAMES, login_name=form.login_name.data
    )
    return Response(page)
