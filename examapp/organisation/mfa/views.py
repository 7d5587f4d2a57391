"""Pages of administrators: set up and take off the one-time-password device."""

from __future__ import annotations

import segno
from flask import Response, current_app, flash, redirect, render_template, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.errors import DomainError, NotFoundError
from examapp.organisation.accounts.guards import me, sealer, signed_in_with_any_password
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
    _refuse_others()
    form, refusal = CodeForm(), ""
    if me().has_second_factor:
        left = count_recovery_codes(read_session(), me().account_id)
        return Response(render_template("people/second_factor.html", form=form, left=left, refusal=""))
    if form.validate_on_submit():
        try:
            return _confirm(form)
        except DomainError as error:
            refusal, form.code.data = error.text, ""
    with transaction() as session:
        secret = actions.begin_set_up(session, me().account_id, sealer=sealer(), now=clock.now())
    uri = provisioning_uri(secret, login_name=me().login_name, site_name=current_app.config["SETTINGS"].site_name)
    page = render_template(
        "people/set_second_factor.html", form=form, secret=_spaced(secret), picture=_picture(uri), refusal=refusal
    )
    return Response(page, 422 if refusal or form.errors else 200)


def _confirm(form: CodeForm) -> AnyResponse:
    with request_transaction() as context:
        codes = actions.confirm(context, me().account_id, form.code.data, sign_in_id=me().sign_in_id, sealer=sealer())
    return Response(render_template("people/recovery_codes.html", codes=[_spaced(code, 5) for code in codes]))


@blueprint.post("/second-factor/off")
@signed_in_with_any_password
def take_off_second_factor() -> AnyResponse:
    """Take the device off with a code of it, or with a recovery code where the phone is lost."""
    _refuse_others()
    form = CodeForm()
    typed = form.code.data if form.validate_on_submit() else ""
    try:
        with request_transaction() as context:
            actions.take_off(context, me().account_id, typed, sealer=sealer())
    except WrongCodeError as refusal:
        with request_transaction() as context:
            actions.count_wrong_code(context, me().account_id)
        flash(refusal.text, "danger")
    else:
        flash("动态口令已停用。", "success")
    return redirect(url_for("people.show_second_factor"), 303)


def _refuse_others() -> None:
    """Keep the pages from candidates, and from everybody where the house does without."""
    if current_app.config["SETTINGS"].second_factor == "off" or not me().is_administrator:
        raise NotFoundError


def _spaced(code: str, length: int = 4) -> str:
    return " ".join(code[at : at + length] for at in range(0, len(code), length))


def _picture(uri: str) -> Markup:
    svg = segno.make_qr(uri, error="m").svg_inline(scale=4, border=2, omitsize=False)
    return Markup(svg)  # noqa: S704 – segno's own drawing of squares
