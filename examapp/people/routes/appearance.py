"""The version for older eyes (适老版): switched on every page, kept with the account of who is signed in, else in this browser."""

from __future__ import annotations

from typing import Any

from flask import current_app, redirect, request
from werkzeug.wrappers import Response

from examapp.core.db import transaction
from examapp.people.access import find_signed_in_person, public
from examapp.people.operations import appearance
from examapp.people.routes.frame import blueprint
from examapp.people.rules import holds_number, safe_next

COOKIE = "elder"
_COOKIE_S = 2 * 365 * 24 * 3600


def is_elder() -> bool:
    """Tell whether larger type and fewer things are wanted: by who is signed in, on whichever device, else by this browser."""
    who = find_signed_in_person()
    if who is not None and who.has_elder_mode is not None:
        return who.has_elder_mode
    return request.cookies.get(COOKIE) == "1"


@blueprint.post("/elder-mode")
@public
def set_elder_mode() -> Response:
    """Switch the version, and lead back to the page where the switch was pressed."""
    answer = redirect(safe_next(request.form.get("next")), 303)
    is_wanted = request.form.get("wanted") == "1"
    if (who := find_signed_in_person()) is not None:
        with transaction() as session:
            appearance.set_elder_mode(session, who.account_id, is_wanted=is_wanted)
    if is_wanted:
        is_secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        answer.set_cookie(COOKIE, "1", max_age=_COOKIE_S, secure=is_secure, httponly=True, samesite="Lax")
    else:
        answer.delete_cookie(COOKIE)
    return answer


def _way_back() -> str:
    """Give the address of this page as it was asked for, but without searched words that hold somebody's number."""
    if request.method != "GET":
        return "/"
    is_told = any(holds_number(words) for words in request.args.values())
    return request.path if is_told else request.full_path.rstrip("?")


@blueprint.app_context_processor
def _elder() -> dict[str, Any]:
    return {"is_elder": is_elder(), "way_back": _way_back}
