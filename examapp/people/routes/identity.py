"""Pages of who signs in by another house's word."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.core.errors import DomainError
from examapp.people.access import public
from examapp.people.access.identity import finish_identity as finish
from examapp.people.access.identity import lead_to_identity as lead
from examapp.people.operations.second_factor import SecondFactorRequiredError
from examapp.people.routes.frame import blueprint
from examapp.people.rules import safe_next


@blueprint.get("/login/identity")
@public
def lead_to_identity() -> AnyResponse:
    """Send the browser to the other house."""
    return _or_back(lambda: lead(safe_next(request.args.get("next"))))


@blueprint.get("/login/identity/done")
@public
def finish_identity() -> AnyResponse:
    """Take the browser back and sign it in."""

    def sign_in() -> AnyResponse:
        _, next_path = finish()
        return redirect(safe_next(next_path), 303)

    return _or_back(sign_in)


def _or_back(act: Callable[[], AnyResponse]) -> AnyResponse:
    try:
        return act()
    except SecondFactorRequiredError:
        return redirect(url_for("people.enter_code"), 303)
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        flash(refusal.text, "error")
        return redirect(url_for("people.sign_in"), 303)
