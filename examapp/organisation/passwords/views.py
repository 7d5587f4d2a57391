"""Pages of everybody: signing in and out, one's own account, the second factor, a forgotten password, sign-in through an identity provider."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.config import PasswordProfile
from examapp.db.session import read_session, transaction
from examapp.organisation.accounts import actions as account_actions
from examapp.organisation.accounts import guards as account_guards
from examapp.organisation.accounts.actions import WaitBeforeSignInError, prove_password
from examapp.organisation.accounts.guards import (
    LARGE_PRINT_COOKIE,
    find_signed_in_person,
    is_password_expired,
    my_user,
    password_profile,
    public,
    signed_in,
    signed_in_with_any_password,
    wants_large_print,
)
from examapp.organisation.accounts.queries import (
    find_failures,
    get_password_hash,
    list_former_hashes,
    list_live_sign_ins,
    may_renew_password,
)
from examapp.organisation.accounts.rules import (
    FORMER_PASSWORDS,
    SHORTEST_PASSWORD,
    device_label,
    find_password_issue,
    safe_next,
)
from examapp.organisation.captcha.rules import office_of
from examapp.organisation.passwords import actions
from examapp.organisation.people.rules import holds_number
from examapp.organisation.roster.forms import ChangePasswordForm
from examapp.security.password_hashing import Caller, Priority
from examapp.web.submit import request_transaction

blueprint = Blueprint("people", __name__)


@blueprint.get("/sign-ins")
@signed_in
def list_sign_ins() -> str:
    """List the browsers that are signed in to one's account."""
    rows = list_live_sign_ins(
        read_session(),
        my_user().account_id,
        has_active_attempt=account_guards.has_active_attempt(read_session(), my_user().person_id),
        not_before=clock.now() - account_guards.longest_sign_in_life(my_user()),
    )
    return render_template(
        "people/sign_ins.html",
        rows=rows,
        device_label=device_label,
        has_second_factor_pages=current_app.config["SETTINGS"].second_factor != "off",
    )


@blueprint.post("/sign-ins/<int:sign_in_id>/end")
@signed_in
def end_sign_in(sign_in_id: int) -> AnyResponse:
    """End one of one's own sign-ins."""
    with request_transaction("已退出那台设备上的登录。") as context:
        account_actions.end_own_sign_in(context, sign_in_id, account_id=my_user().account_id)
    return redirect(url_for("people.list_sign_ins"), 303)


@blueprint.post("/sign-ins/end-others")
@signed_in
def end_other_sign_ins() -> AnyResponse:
    """End all one's sign-ins but this one."""
    with request_transaction("其他设备上的登录已全部退出。") as context:
        account_actions.end_other_sign_ins(context, account_id=my_user().account_id, but=my_user().sign_in_id)
    return redirect(url_for("people.list_sign_ins"), 303)


@blueprint.route("/password", methods=["GET", "POST"])
@signed_in_with_any_password
def change_password() -> AnyResponse:
    """Change one's password; the first one must be changed before anything else."""
    form = ChangePasswordForm()
    is_renewal = not my_user().must_change_password and may_renew_password(
        read_session(), my_user().sign_in_id, now=clock.now()
    )
    if my_user().must_change_password or is_renewal:
        del form.current_password
    if form.validate_on_submit() and _change(form):
        flash("密码已修改。下次请用新密码登录。", "success")
        target = safe_next(request.args.get("next"))
        is_script = request.headers.get("Accept") == "application/json"
        return jsonify(to=target) if is_script else redirect(target, 303)
    page = render_template(
        "people/change_password.html",
        form=form,
        is_first=my_user().must_change_password,
        is_renewal=is_renewal,
        is_expired=is_password_expired(my_user()),
        needs_classes=password_profile() is PasswordProfile.DENGBAO,
        shortest=SHORTEST_PASSWORD,
    )
    return Response(page, 422 if form.errors else 200)


def _change(form: ChangePasswordForm) -> bool:
    """Check and change; faults are written beside their fields."""
    user, new = my_user(), form.new_password.data
    if issue := find_password_issue(new, login_name=user.login_name, name=user.name, profile=password_profile()):
        form.new_password.errors = [issue]
    elif new != form.repeated.data:
        form.repeated.errors = ["两次输入的新密码不一样，请重新输入。"]
    else:
        return _replace(form, user.account_id, new)
    return False


def _is_proven(typed: str, account_id: int, old_hash: str, caller: Caller) -> bool:
    """Tell whether the current password is right; raises WaitBeforeSignInError after many wrong ones, as at a sign-in."""
    is_right = account_guards.hasher().verify(old_hash, typed, caller)
    with request_transaction() as context:
        rejection = prove_password(context, account_id, old_hash=old_hash, is_right=is_right)
    if isinstance(rejection, WaitBeforeSignInError):
        raise rejection
    return rejection is None


def _replace(form: ChangePasswordForm, account_id: int, new: str) -> bool:
    keeps_history = password_profile() is PasswordProfile.DENGBAO
    with transaction() as session:
        old_hash = get_password_hash(session, account_id)
        former = list_former_hashes(session, account_id) if keeps_history else []
        wait = find_failures(session, account_id).wait_s(now=clock.now(), is_known_device=False)
    if form.current_password and wait:
        raise WaitBeforeSignInError(wait)
    hasher = account_guards.hasher()
    caller = Caller(
        name=f"account {account_id}", address=office_of(request.remote_addr), priority=Priority.KNOWN_DEVICE
    )
    if form.current_password and not _is_proven(form.current_password.data, account_id, old_hash, caller):
        form.current_password.errors = ["现在的密码不对，请重新输入。"]
        return False
    if hasher.verify(old_hash, new, caller):
        form.new_password.errors = ["新密码不能和原来的一样，请换一个。"]
        return False
    if any(hasher.verify(one, new, caller) for one in former):
        form.new_password.errors = [f"新密码不能和前 {FORMER_PASSWORDS} 次用过的一样，请换一个。"]
        return False
    new_hash = hasher.hash(new, caller)
    with request_transaction() as context:
        actions.change_password(
            context,
            account_id,
            old_hash=old_hash,
            new_hash=new_hash,
            sign_in_id=my_user().sign_in_id,
            keeps_history=keeps_history,
        )
    return True


_COOKIE_S = 2 * 365 * 24 * 3600


@blueprint.post("/elder-mode")
@public
def set_elder_mode() -> AnyResponse:
    """Switch the version, and lead back to the page where the switch was pressed."""
    answer = redirect(safe_next(request.form.get("next")), 303)
    is_wanted = request.form.get("wanted") == "1"
    if (user := find_signed_in_person()) is not None:
        with transaction() as session:
            actions.set_elder_mode(session, user.account_id, is_wanted=is_wanted)
    if is_wanted:
        is_secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        answer.set_cookie(LARGE_PRINT_COOKIE, "1", max_age=_COOKIE_S, secure=is_secure, httponly=True, samesite="Lax")
    else:
        answer.delete_cookie(LARGE_PRINT_COOKIE)
    return answer


def _way_back() -> str:
    """Give the address of this page as it was asked for, but without searched words that hold somebody's number."""
    if request.method != "GET":
        return "/"
    has_number = any(holds_number(text) for text in request.args.values())
    return request.path if has_number else request.full_path.rstrip("?")


@blueprint.app_context_processor
def _elder() -> dict[str, Any]:
    user = find_signed_in_person()
    return {"is_elder": wants_large_print(user.has_elder_mode if user else None), "way_back": _way_back}
