"""The page that shows one person's whole numbers, to who may and says why."""

from __future__ import annotations

from flask import Response, render_template

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.permissions import Permission
from examapp.people.access import actor, my_reach, requires, sealer
from examapp.people.admin_routes.frame import admin_blueprint
from examapp.people.forms import RevealForm
from examapp.people.operations.reveal import MOST_A_DAY, reveal_numbers
from examapp.people.queries import get_person_within


@admin_blueprint.route("/<int:person_id>/numbers", methods=["GET", "POST"])
@requires(Permission.NUMBERS_REVEAL)
def reveal(person_id: int) -> str | Response:
    """Ask why; then show the numbers on this one answer, which no address and no cache holds."""
    form, reach = RevealForm(), my_reach(Permission.NUMBERS_REVEAL)
    person = get_person_within(reading(), person_id, reach)
    numbers = None
    if form.validate_on_submit():
        with transaction() as session:
            numbers = reveal_numbers(
                session, person, reason=form.words(), sealer=sealer(), actor=actor(), now=clock.now()
            )
    return render_template("people/reveal.html", person=person, form=form, numbers=numbers, most=MOST_A_DAY)
