"""Pages of who forgot the password and has a phone on the roster: ask for a code, sign in with it, set a new password."""

from __future__ import annotations

import base64

from flask import Response, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.errors import DomainError, NotFoundError
from examapp.organisation.accounts.guards import public
from examapp.organisation.captcha.actions import CaptchaSolution
from examapp.organisation.mfa.actions import SecondFactorRequiredError
from examapp.organisation.passwords.views import blueprint
from examapp.organisation.roster.forms import ForgottenForm, ResetCodeForm
from examapp.organisation.sign_in import session as sign_in_session


@blueprint.route("/login/forgotten", methods=["GET", "POST"])
@public
def ask_reset_code() -> AnyResponse:
    """Ask for a code; the answer is the same whether an account has the name or not."""
    _ensure_gateway()
    form = ForgottenForm()
    if not form.validate_on_submit():
        return _page(form, 422 if form.errors else 200)
    try:
        solution = CaptchaSolution(token=form.captcha_id.data or "", answer=form.captcha.data or "")
        sign_in_session.ask_reset(form.login_name.data, solution)
    except DomainError as rejection:
        return _page(form, 422 if rejection.status in {401, 403} else rejection.status, rejection)
    code_form = ResetCodeForm(formdata=None, login_name=form.login_name.data)
    return Response(render_template("people/reset_code.html", form=code_form, rejection="", is_requested=True))


@blueprint.route("/login/forgotten/code", methods=["GET", "POST"])
@public
def use_reset_code() -> AnyResponse:
    """Sign in by the code, and lead to a new password."""
    _ensure_gateway()
    form, text = ResetCodeForm(), ""
    if form.validate_on_submit():
        try:
            sign_in_session.sign_in_by_reset_code(form.login_name.data, form.code.data)
        except SecondFactorRequiredError:
            return redirect(url_for("people.enter_code", next=url_for("people.change_password")), 303)
        except DomainError as rejection:
            text, form.code.data = rejection.text, ""
        else:
            return redirect(url_for("people.change_password"), 303)
    page = render_template("people/reset_code.html", form=form, rejection=text, is_requested=False)
    return Response(page, 422 if text or form.errors else 200)


def _page(form: ForgottenForm, status: int, rejection: DomainError | None = None) -> Response:
    challenge = sign_in_session.find_challenge(rejection, is_reset=True)
    page = render_template(
        "people/forgotten.html",
        form=form,
        rejection=rejection.text if rejection else "",
        challenge=challenge,
        picture=base64.b64encode(challenge.picture).decode() if challenge else "",
    )
    return Response(page, status)


def _ensure_gateway() -> None:
    """Nothing is here where no message can go out."""
    if current_app.config["SETTINGS"].message_gateway in {"", "off"}:
        raise NotFoundError
