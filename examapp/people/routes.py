"""Pages of everybody: sign in, sign out, change the password."""

from __future__ import annotations

import base64

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import DomainError
from examapp.people import access
from examapp.people.access import me, public, signed_in, signed_in_with_any_password
from examapp.people.forms import ChangePasswordForm, SignInForm, TicketForm
from examapp.people.operations import own_sign_ins, passwords, signing_in
from examapp.people.operations.captchas import Challenge, Solution
from examapp.people.queries import get_password_hash, list_live_sign_ins, may_renew_password
from examapp.people.rules import SHORTEST_PASSWORD, device_words, password_fault, safe_next

blueprint = Blueprint("people", __name__)


@blueprint.route("/login", methods=["GET", "POST"])
@public
def sign_in() -> AnyResponse:
    """Show the sign-in page, and sign in."""
    form = SignInForm()
    if request.method == "GET":
        return (
            redirect("/") if access.find_signed_in_person() else _sign_in_page(form, 200, "", access.find_challenge())
        )
    if not form.validate():
        return _explain_shape(form)
    try:
        solution = Solution(token=form.captcha_id.data or "", answer=form.captcha.data or "")
        who = access.sign_in_with(form.login_name.data, form.password.data, solution)
    except DomainError as refusal:
        return _explain_refusal(form, refusal)
    target = safe_next(request.args.get("next"))
    if who.must_change_password:
        return redirect(url_for("people.change_password", next=target), 303)
    return redirect(target, 303)


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


@blueprint.get("/sign-ins")
@signed_in
def list_sign_ins() -> str:
    """List the browsers that are signed in to one's account."""
    rows = list_live_sign_ins(reading(), me().account_id, now=clock.now())
    return render_template("people/sign_ins.html", rows=rows, device_words=device_words)


@blueprint.post("/sign-ins/<int:sign_in_id>/end")
@signed_in
def end_sign_in(sign_in_id: int) -> AnyResponse:
    """End one of one's own sign-ins."""
    with transaction() as session:
        own_sign_ins.end_own_sign_in(
            session, sign_in_id, account_id=me().account_id, actor=access.actor(), now=clock.now()
        )
    flash("已退出那台设备上的登录。", "success")
    return redirect(url_for("people.list_sign_ins"), 303)


@blueprint.post("/sign-ins/end-others")
@signed_in
def end_other_sign_ins() -> AnyResponse:
    """End all one's sign-ins but this one."""
    with transaction() as session:
        own_sign_ins.end_other_sign_ins(
            session, account_id=me().account_id, but=me().sign_in_id, actor=access.actor(), now=clock.now()
        )
    flash("其他设备上的登录已全部退出。", "success")
    return redirect(url_for("people.list_sign_ins"), 303)


@blueprint.route("/password", methods=["GET", "POST"])
@signed_in_with_any_password
def change_password() -> AnyResponse:
    """Change one's password; the first one must be changed before anything else."""
    form = ChangePasswordForm()
    is_renewal = not me().must_change_password and may_renew_password(reading(), me().sign_in_id, now=clock.now())
    if me().must_change_password or is_renewal:
        del form.current_password
    if form.validate_on_submit() and _change(form):
        flash("密码已修改。下次请用新密码登录。", "success")
        return redirect(safe_next(request.args.get("next")), 303)
    page = render_template(
        "people/change_password.html",
        form=form,
        is_first=me().must_change_password,
        is_renewal=is_renewal,
        shortest=SHORTEST_PASSWORD,
    )
    return Response(page, 422 if form.errors else 200)


def _change(form: ChangePasswordForm) -> bool:
    """Check and change; faults are written beside their fields."""
    who, new = me(), form.new_password.data
    if fault := password_fault(new, login_name=who.login_name):
        form.new_password.errors = [fault]
    elif new != form.repeated.data:
        form.repeated.errors = ["两次输入的新密码不一样，请重新输入。"]
    else:
        return _replace(form, who.account_id, new)
    return False


def _replace(form: ChangePasswordForm, account_id: int, new: str) -> bool:
    with transaction() as session:
        old_hash = get_password_hash(session, account_id)
    hasher = access.hasher()
    if form.current_password and not hasher.verify(old_hash, form.current_password.data):
        form.current_password.errors = ["现在的密码不对，请重新输入。"]
        return False
    if hasher.verify(old_hash, new):
        form.new_password.errors = ["新密码不能和原来的一样，请换一个。"]
        return False
    new_hash = hasher.hash(new)
    with transaction() as session:
        passwords.change_password(
            session,
            account_id,
            old_hash=old_hash,
            new_hash=new_hash,
            sign_in_id=me().sign_in_id,
            actor=access.actor(),
            now=clock.now(),
        )
    return True
