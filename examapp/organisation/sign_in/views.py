"""Pages of everybody: sign in by password or by a one-use ticket, sign out."""

from __future__ import annotations

import base64
from collections.abc import Callable

from flask import Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as AnyResponse

from examapp.errors import NO_COOKIE, DomainError, error_response
from examapp.organisation.accounts import actions as account_actions
from examapp.organisation.accounts import guards as account_guards
from examapp.organisation.accounts.guards import my_user, public, signed_in_with_any_password
from examapp.organisation.accounts.queries import SignedIn
from examapp.organisation.accounts.rules import safe_next
from examapp.organisation.captcha.actions import CaptchaSolution, Challenge
from examapp.organisation.lobby.session import Turn
from examapp.organisation.mfa.actions import SecondFactorRequiredError
from examapp.organisation.passwords.views import blueprint
from examapp.organisation.roster.forms import CodeForm, SignInForm, TicketForm
from examapp.organisation.sign_in import session as sign_in_session
from examapp.organisation.sign_in.oidc import finish_identity as finish
from examapp.organisation.sign_in.oidc import has_identity
from examapp.organisation.sign_in.oidc import lead_to_identity as lead
from examapp.security.password_hashing import BusyHashingError
from examapp.web.submit import request_transaction


@blueprint.route("/login", methods=["GET", "POST"])
@public
def sign_in() -> AnyResponse:
    """Show the sign-in page, and sign in. The page's own script (it accepts JSON) is told where to go, and asked to come again without a page."""
    form = SignInForm()
    if request.method == "GET":
        return (
            redirect(safe_next(request.args.get("next")))
            if account_guards.find_signed_in_person()
            else _first_page(form)
        )
    if not form.validate():
        return _explain_shape(form)
    is_script = request.headers.get("Accept") == "application/json"
    try:
        solution = CaptchaSolution(token=form.captcha_id.data or "", answer=form.captcha.data or "")
        response = lead_on(sign_in_session.sign_in_with(form.login_name.data, form.password.data, solution))
    except SecondFactorRequiredError:
        response = _ask_for_code()
    except BusyHashingError as rejection:
        if is_script:
            return error_response(rejection.code, rejection.status, rejection.text, rejection.extra, is_script=True)
        return _explain_rejection(form, rejection)
    except DomainError as rejection:
        return _explain_rejection(form, rejection)
    return jsonify(to=response.headers["Location"]) if is_script else response


def _first_page(form: SignInForm) -> Response:
    """Show the form, or the lobby with the form locked until the turn; a client that does not know the lobby posts it all the same."""
    turn = sign_in_session.find_turn()
    return _sign_in_page(form, 200, "", None if turn else sign_in_session.find_challenge(), turn)


@blueprint.get("/login/turn")
@public
def show_turn() -> AnyResponse:
    """Tell the lobby's page how far it is; `wait_s` is 0 where the password may be sent."""
    turn = sign_in_session.find_turn()
    return jsonify({"wait_s": turn.wait_s, "look_s": turn.look_s, "text": turn.text} if turn else {"wait_s": 0})


def lead_on(user: SignedIn) -> AnyResponse:
    """Lead who has just signed in to the page that was asked for, or first to a password of one's own."""
    target = safe_next(request.args.get("next"))
    if user.must_change_password:
        return redirect(url_for("people.change_password", next=target), 303)
    return redirect(target, 303)


def _ask_for_code() -> AnyResponse:
    target = safe_next(request.args.get("next"))
    return redirect(url_for("people.enter_code", next=None if target == "/" else target), 303)


@blueprint.route("/login/code", methods=["GET", "POST"])
@public
def enter_code() -> AnyResponse:
    """Ask for the one-time code after the right password, and complete the sign-in."""
    form, rejection = CodeForm(), ""
    if not sign_in_session.awaits_code():
        return redirect(url_for("people.sign_in"), 303)
    if form.validate_on_submit():
        try:
            return lead_on(sign_in_session.pass_code(form.code.data))
        except DomainError as error:
            rejection, form.code.data = error.text, ""
            if error.status == 404:
                flash(rejection, "danger")
                return redirect(url_for("people.sign_in"), 303)
    page = render_template("people/enter_code.html", form=form, rejection=rejection)
    return Response(page, 422 if rejection or form.errors else 200)


def _explain_shape(form: SignInForm) -> AnyResponse:
    if "csrf_token" in form.errors:
        form.csrf_token.errors = ()
        has_cookie = current_app.config["SESSION_COOKIE_NAME"] in request.cookies
        text = "页面停留时间过长，请再登录一次。" if has_cookie else NO_COOKIE
        return _sign_in_page(form, 403, text, sign_in_session.find_challenge())
    return _sign_in_page(form, 422, "", sign_in_session.find_challenge())


def _explain_rejection(form: SignInForm, rejection: DomainError) -> AnyResponse:
    status = 422 if rejection.status in {401, 403} else rejection.status
    response = _sign_in_page(form, status, rejection.text, sign_in_session.find_challenge(rejection))
    if status in {429, 503}:
        response.headers["Retry-After"] = str(rejection.extra.get("retry_after", 3))
    return response


def _sign_in_page(
    form: SignInForm,
    status: int,
    rejection: str = "",
    challenge: Challenge | None = None,
    turn: Turn | None = None,
) -> Response:
    next_path = safe_next(request.args.get("next"))
    page = render_template(
        "people/sign_in.html",
        form=form,
        rejection=rejection,
        next_path=None if next_path == "/" else next_path,
        identity_name=current_app.config["SETTINGS"].oidc_name if has_identity() else "",
        has_gateway=current_app.config["SETTINGS"].message_gateway not in {"", "off"},
        turn=turn,
        is_kept=account_guards.sign_in_policy().is_kept_for_exam,
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
        return Response(render_template("people/sign_in_by_ticket.html", form=form, rejection=""))
    if not form.validate():
        return Response(render_template("people/sign_in_by_ticket.html", form=form, rejection=""), 422)
    try:
        sign_in_session.sign_in_by_ticket(form.code.data)
    except SecondFactorRequiredError:
        return redirect(url_for("people.enter_code", next=url_for("people.change_password")), 303)
    except DomainError as rejection:
        form.code.data = ""
        return Response(render_template("people/sign_in_by_ticket.html", form=form, rejection=rejection.text), 422)
    return redirect(url_for("people.change_password"), 303)


@blueprint.record_once
def _sign_in_checks_its_own_token(state: BlueprintSetupState) -> None:
    """Let the form check its token, so that a page left open explains itself instead of failing."""
    state.app.extensions["csrf"].exempt(sign_in)


@blueprint.post("/logout")
@signed_in_with_any_password
def sign_out() -> AnyResponse:
    """End this browser's sign-in and leave nothing readable on a shared PC."""
    with request_transaction() as context:
        account_actions.sign_out(context, my_user().sign_in_id)
    account_guards.end_session()
    flash("您已安全退出。", "success")
    response = redirect(url_for("people.sign_in"), 303)
    is_https = current_app.config["SESSION_COOKIE_SECURE"]
    response.headers["Clear-Site-Data"] = '"cache", "storage"' if is_https else '"storage"'
    return response


@blueprint.get("/login/identity")
@public
def lead_to_identity() -> AnyResponse:
    """Send the browser to the identity provider."""
    return _or_back(lambda: lead(safe_next(request.args.get("next"))))


@blueprint.get("/login/identity/done")
@public
def finish_identity() -> AnyResponse:
    """Take the browser back from the identity provider and sign it in."""

    def sign_in() -> AnyResponse:
        _, next_path = finish()
        return redirect(safe_next(next_path), 303)

    return _or_back(sign_in)


def _or_back(act: Callable[[], AnyResponse]) -> AnyResponse:
    try:
        return act()
    except SecondFactorRequiredError:
        return redirect(url_for("people.enter_code"), 303)
    except DomainError as rejection:
        if rejection.status == 404:
            raise
        flash(rejection.text, "danger")
        return redirect(url_for("people.sign_in"), 303)
