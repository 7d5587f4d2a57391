"""Pages of everybody: sign in by password or by a one-use ticket, sign out."""

from __future__ import annotations

import base64

from flask import Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import transaction
from examapp.core.errors import DomainError, refuse
from examapp.core.hashing import BusyHashingError
from examapp.people import access
from examapp.people.access import me, public, signed_in_with_any_password
from examapp.people.access.identity import has_identity
from examapp.people.forms import CodeForm, SignInForm, TicketForm
from examapp.people.operations import signing_in
from examapp.people.operations.captchas import Challenge, Solution
from examapp.people.operations.second_factor import SecondFactorRequiredError
from examapp.people.queries import SignedIn
from examapp.people.routes.frame import blueprint
from examapp.people.rules import safe_next


@blueprint.route("/login", methods=["GET", "POST"])
@public
def sign_in() -> AnyResponse:
    """Show the sign-in page, and sign in. The page's own script (it accepts JSON) is told where to go, and asked to come again without a page."""
    form = SignInForm()
    if request.method == "GET":
        return (
            redirect("/") if access.find_signed_in_person() else _sign_in_page(form, 200, "", access.find_challenge())
        )
    if not form.validate():
        return _explain_shape(form)
    is_script = request.headers.get("Accept") == "application/json"
    try:
        solution = Solution(token=form.captcha_id.data or "", answer=form.captcha.data or "")
        response = lead_on(access.sign_in_with(form.login_name.data, form.password.data, solution))
    except SecondFactorRequiredError:
        response = _ask_for_code()
    except BusyHashingError as refusal:
        if is_script:
            return refuse(refusal.code, refusal.status, refusal.text, refusal.extra, is_script=True)
        return _explain_refusal(form, refusal)
    except DomainError as refusal:
        return _explain_refusal(form, refusal)
    return jsonify(to=response.headers["Location"]) if is_script else response


def lead_on(who: SignedIn) -> AnyResponse:
    """Lead who has just signed in to the page that was asked for, or first to a password of one's own."""
    target = safe_next(request.args.get("next"))
    if who.must_change_password:
        return redirect(url_for("people.change_password", next=target), 303)
    return redirect(target, 303)


def _ask_for_code() -> AnyResponse:
    target = safe_next(request.args.get("next"))
    return redirect(url_for("people.enter_code", next=None if target == "/" else target), 303)


@blueprint.route("/login/code", methods=["GET", "POST"])
@public
def enter_code() -> AnyResponse:
    """Ask for the one-time code after the right password, and complete the sign-in."""
    form, refusal = CodeForm(), ""
    if not access.awaits_code():
        return redirect(url_for("people.sign_in"), 303)
    if form.validate_on_submit():
        try:
            return lead_on(access.pass_code(form.code.data))
        except DomainError as error:
            refusal, form.code.data = error.text, ""
            if error.status == 404:
                flash(refusal, "error")
                return redirect(url_for("people.sign_in"), 303)
    page = render_template("people/enter_code.html", form=form, refusal=refusal)
    return Response(page, 422 if refusal or form.errors else 200)


def _explain_shape(form: SignInForm) -> AnyResponse:
    if "csrf_token" in form.errors:
        form.csrf_token.errors = ()
        words = "页面打开得太久了。内容没有丢失，请再登录一次。"
        return _sign_in_page(form, 403, words, access.find_challenge())
    return _sign_in_page(form, 422, "", access.find_challenge())


def _explain_refusal(form: SignInForm, refusal: DomainError) -> AnyResponse:
    status = 422 if refusal.status in {401, 403} else refusal.status
    response = _sign_in_page(form, status, refusal.text, access.find_challenge(refusal))
    if status in {429, 503}:
        response.headers["Retry-After"] = str(refusal.extra.get("retry_after", 3))
    return response


def _sign_in_page(form: SignInForm, status: int, refusal: str = "", challenge: Challenge | None = None) -> Response:
    next_path = safe_next(request.args.get("next"))
    page = render_template(
        "people/sign_in.html",
        form=form,
        refusal=refusal,
        next_path=None if next_path == "/" else next_path,
        identity_name=current_app.config["SETTINGS"].oidc_name if has_identity() else "",
        has_gateway=current_app.config["SETTINGS"].message_gateway not in {"", "off"},
        challenge=challenge,
        picture=base64.b64encode(challenge.picture).decode() if challenge else "",
    )
    return Response(page, status)


@blueprint.route("/login/ticket", methods=["GET", "POST"])
@public
def sign_in_by_ticket() -> AnyResponse:
    """Sign in by a one-use ticket, and lead to a new password."""
    form = TicketForm()
    if request.method == "GET":
        return Response(render_template("people/sign_in_by_ticket.html", form=form, refusal=""))
    if not form.validate():
        return Response(render_template("people/sign_in_by_ticket.html", form=form, refusal=""), 422)
    try:
        access.sign_in_by_ticket(form.code.data)
    except SecondFactorRequiredError:
        return redirect(url_for("people.enter_code", next=url_for("people.change_password")), 303)
    except DomainError as refusal:
        form.code.data = ""
        return Response(render_template("people/sign_in_by_ticket.html", form=form, refusal=refusal.text), 422)
    return redirect(url_for("people.change_password"), 303)


@blueprint.record_once
def _sign_in_checks_its_own_token(state: BlueprintSetupState) -> None:
    """Let the form check its token, so that a page left open explains itself instead of failing."""
    state.app.extensions["csrf"].exempt(sign_in)


@blueprint.post("/logout")
@signed_in_with_any_password
def sign_out() -> AnyResponse:
    """End this browser's sign-in and leave nothing readable on a shared PC."""
    with transaction() as session:
        signing_in.sign_out(session, me().sign_in_id, actor=access.actor(), now=clock.now())
    access.end_session()
    flash("您已安全退出。", "success")
    response = redirect(url_for("people.sign_in"), 303)
    is_https = current_app.config["SESSION_COOKIE_SECURE"]
    response.headers["Clear-Site-Data"] = '"cache", "storage"' if is_https else '"storage"'
    return response
