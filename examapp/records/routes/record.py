"""My study record, to read and to print."""

from __future__ import annotations

from flask import render_template, request

from examapp.core import clock
from examapp.core.db import reading
from examapp.core.numbers import read_year
from examapp.grading.rules import BAND_NAMES
from examapp.people.access import me, signed_in
from examapp.records.queries.record import study_record
from examapp.records.routes.frame import blueprint
from examapp.records.rules.events import KIND_NAMES


def chosen_year() -> int:
    """Give the year in the address, the present one where there is none or a wrong one."""
    return read_year(request.args.get("year")) or clock.today().year


@blueprint.get("/study/record")
@signed_in
def my_record() -> str:
    """Show my study record of a year."""
    found = study_record(reading(), me().person_id, year=chosen_year(), reach=None, now=clock.now())
    return render_template(
        "records/record.html",
        record=found,
        is_own=True,
        this_year=clock.today().year,
        kind_names=KIND_NAMES,
        band_names=BAND_NAMES,
    )
