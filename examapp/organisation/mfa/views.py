"""Pages of administrators: set up and take off the one-time-password device."""

from __future__ import annotations

import segno
from flask import Response, current_app, flash, redirect, render_template, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.errors import DomainError, NotFoundError
from examapp.organisation.accounts.guards import cipher, my_user, signed_in_with_any_password
from examapp.organisation.accounts.queries import count_recovery_codes
from examapp.organisation.mfa import actions
from examapp.organisation.mfa.actions import WrongCodeError
from examapp.organisation.passwords.views import blueprint
from examapp.organisation.people.rules import provisioning_uri
from examapp.organisation.roster.forms import CodeForm
from examapp.web.submit import request_transaction


@blueprint.route("/second-factor", methods=["GET", "POST"])
@signed_in_with_any_password
def show_second_factor() -> AnyResponse:
    """Show the QR code to scan and take a first code from it; then show the recovery codes, this once."""
    _ensure_administrator()
    form, rejection = CodeForm(), ""
    if my_user().has_second_factor:
        left = count_recovery_codes(read_session(), my_user().account_id)
        return Response(render_template("people/second_factor.html", form=form, left=left, rejection=""))
    if form.validate_on_submit():
        try:
            return _confirm(form)
        except DomainError as error:
            rejection, form.code.data = error.text, ""
    with transaction() as session:
        secret = actions.begin_set_up(session, my_user().account_id, cipher=cipher(), now=clock.now())
    uri = provisioning_uri(
        secret, login_name=my_user().login_name, site_name=current_app.extensions["site_texts"].site_name
    )
    page = render_template(
        "people/set_second_factor.html", form=form, secret=_spaced(secret), picture=_picture(uri), rejection=rejection
    )
    return Response(page, 422 if rejection or form.errors else 200)


def _confirm(form: CodeForm) -> AnyResponse:
    with request_transaction() as context:
        codes = actions.confirm(
            context, my_user().account_id, form.code.data, sign_in_id=my_user().sign_in_id, cipher=cipher()
        )
    return Response(render_template("people/recovery_codes.html", codes=[_spaced(code, 5) for code in codes]))


@blueprint.post("/second-factor/off")
@signed_in_with_any_password
def take_off_second_factor() -> AnyResponse:
    """Take the device off with a code of it, or with a recovery code where the phone is lost."""
    _ensure_administrator()
    form = CodeForm()
    typed = form.code.data if form.validate_on_submit() else ""
    try:
        with request_transaction() as context:
            actions.take_off(context, my_user().account_id, typed, cipher=cipher())
    except WrongCodeError as rejection:
        with request_transaction() as context:
            actions.count_wrong_code(context, my_user().account_id)
        flash(rejection.text, "danger")
    else:
        flash("动态口令已停用。", "success")
    return redirect(url_for("people.show_second_factor"), 303)


def _ensure_administrator() -> None:
    """Keep the pages from candidates, and from everybody where the application does without."""
    if current_app.config["SETTINGS"].second_factor == "off" or not my_user().is_administrator:
        raise NotFoundError


def _spaced(code: str, length: int = 4) -> str:
    return " ".join(code[at : at + length] for at in range(0, len(code), length))


def _picture(uri: str) -> Markup:
    svg = segno.make_qr(uri, error="m").svg_inline(scale=4, border=2, omitsize=False)
    return Markup(svg)  # noqa: S704 – segno's own drawing of squares
