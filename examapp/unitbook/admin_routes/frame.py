"""What the pages of the unit book share: the blueprint, and what the address of a page says."""

from __future__ import annotations

from flask import Blueprint, request

from examapp.core import clock
from examapp.core.db import reading
from examapp.core.errors import DomainError
from examapp.core.forms import FlaskForm
from examapp.core.numbers import read_page
from examapp.core.permissions import Permission
from examapp.org.models import Tree
from examapp.people.access import my_reach
from examapp.reports.queries.basis import Basis, UnitTree, get_basis, get_tree_of
from examapp.reports.rules import Scope

admin_blueprint = Blueprint("unitbook_admin", __name__, url_prefix="/admin/unit-book")
_MOST_ID = 2**63 - 1


def known(number: int) -> int:
    """Give an id from an address; one that no row can have is as good as missing."""
    return number if number <= _MOST_ID else 0


def page_number() -> int:
    """Give the page of a list that the address asks for."""
    return read_page(request.args.get("page"))


def read_tree() -> Tree:
    """Give the tree by which a page looks at units."""
    word = request.args.get("tree")
    return Tree(word) if word in set(Tree) else Tree.REGION


def open_exam(exam_id: int, unit_id: int, permission: Permission) -> tuple[Basis, UnitTree]:
    """Get the exam and the unit that a page stands on; raises NotFoundError out of reach."""
    session, args = reading(), request.args
    scope = Scope(args["scope"]) if args.get("scope") in set(Scope) else None
    basis = get_basis(session, known(exam_id), scope=scope, now=clock.now(), reach=my_reach(permission))
    return basis, get_tree_of(session, basis, known(unit_id), tree=read_tree(), reach=my_reach(permission))


class FormRefusedError(DomainError):
    """A form of few fields was filled in wrongly; the message names the first fault."""

    code = "form_refused"


def refuse_faults(form: FlaskForm) -> None:
    """Raise FormRefusedError with the first fault of a form that has no page of its own to show it on."""
    if not form.validate():
        faults = [error for errors in form.errors.values() for error in errors]
        raise FormRefusedError(str(faults[0]))
