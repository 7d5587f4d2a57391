"""Pages that compare and explain: this exam beside last year's, unit by unit, and what a unit's people know least."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, request

from examapp.core import clock
from examapp.core.db import reading
from examapp.core.numbers import read_whole
from examapp.core.permissions import Permission
from examapp.people.access import my_reach, requires
from examapp.reports.admin_routes.frame import known_id, open_unit, page_of, read_view
from examapp.reports.queries.basis import find_earlier_exam, get_basis, list_reported_exams
from examapp.reports.queries.figures import counts_by_unit, get_unit_table
from examapp.reports.queries.weak import find_weaknesses
from examapp.reports.rules import Counts

insight_blueprint = Blueprint("reports_insight", __name__, url_prefix="/admin/reports/exams/<int:exam_id>")


@insight_blueprint.get("/units/<int:unit_id>/compare")
@requires(Permission.REPORTS_READ)
def compare(exam_id: int, unit_id: int) -> str:
    """Show the figures beside those of an earlier exam, for the unit and what is just below it, by unit code."""
    session, view, reach = reading(), read_view(), my_reach(Permission.REPORTS_READ)
    basis = get_basis(session, known_id(exam_id), scope=view.scope, now=clock.now(), reach=reach)
    wanted = view.people(None)
    table = get_unit_table(session, basis, known_id(unit_id), tree=view.tree, depth=1, reach=reach, wanted=wanted)
    earlier = find_earlier_exam(session, basis.exam, wanted_id=read_whole(request.args.get("with")))
    before: dict[int, Counts] = {}
    if earlier is not None:
        then = get_basis(session, earlier.id, scope=None, now=clock.now())
        whenever = replace(wanted, since=None, until=None)
        top_id = table.units.top.unit_id
        rows = get_unit_table(session, then, top_id, tree=view.tree, depth=1, reach=reach, wanted=whenever).rows
        before = {row.unit.unit_id: row.counts for row in rows}
    return page_of(
        "reports/compare.html",
        basis,
        table.units,
        view,
        rows=table.rows,
        earlier=earlier,
        before=before,
        exams=[exam for exam in list_reported_exams(session) if exam.id != basis.exam.id and exam.main_exam_id is None],
        difference=difference,
    )


def difference(now: object, then: object) -> str:
    """Say by how much a rate or mean rose or fell; – where one of them is missing."""
    if now is None or then is None:
        return "–"
    change = now - then  # type: ignore[operator]  # both are Decimal or both int
    return f"+{change}" if change > 0 else str(change)


@insight_blueprint.get("/units/<int:unit_id>/weak")
@requires(Permission.REPORTS_READ)
def show_weak(exam_id: int, unit_id: int) -> str:
    """Show the laws and knowledge points in which the unit's people got the smallest share of the points."""
    session, view = reading(), read_view()
    basis, units = open_unit(exam_id, unit_id, view)
    wanted = view.people(units.unit_ids)
    total = sum(counts_by_unit(session, basis, wanted).values(), Counts())
    weak = find_weaknesses(session, basis, wanted, participated=total.participated)
    return page_of("reports/weak.html", basis, units, view, total=total, weak=weak)
