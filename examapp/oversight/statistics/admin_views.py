"""Pages of the figures: exams, the unit table, the people behind a number, progress, the score sheet on paper, exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from markupsafe import escape
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.clock import day_of
from examapp.db.session import read_session
from examapp.delivery.exams.queries import list_organiser_exams
from examapp.errors import BadRequestError, NotFoundError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import me, menu_entry, my_reach, requires
from examapp.organisation.dual_control.actions import AlreadyAskedError
from examapp.organisation.units.models import UNIT_KIND_NAMES, Tree
from examapp.oversight.report_exports import actions as report_export_actions
from examapp.oversight.report_exports.api import send_export
from examapp.oversight.report_exports.forms import ExportForm
from examapp.oversight.report_exports.queries import list_own_exports
from examapp.oversight.report_files import queries as report_file_queries
from examapp.oversight.report_files.actions import FORMAT_LABELS
from examapp.oversight.report_files.rules import ReportRequest
from examapp.oversight.statistics.queries import counts_by_unit, get_curve, get_distribution, get_hours, get_unit_table
from examapp.oversight.statistics_definitions import rules as statistics_definition_rules
from examapp.oversight.statistics_definitions.rules import Counts, Scope, UnitRow
from examapp.oversight.statistics_people import queries as people_list_queries
from examapp.oversight.statistics_scope import rules as scope_rules
from examapp.oversight.statistics_scope.admin_views import DEPTHS, SORTS, View, open_unit, page_of, read_day, read_view
from examapp.oversight.statistics_scope.queries import PeopleFilter, ReportContext, get_basis, get_tree_of, list_tops
from examapp.web.pages import percent
from examapp.web.submit import request_transaction

PERMISSIONS = {
    "reports:participation:read": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE, Role.LEADER},
}


admin_blueprint = Blueprint("reports_admin", __name__, url_prefix="/admin/reports")
_PAGE = 50
_MAX_ON_PAPER = 2000


@admin_blueprint.get("")
@menu_entry("参考情况", position=60)
@requires("reports:participation:read")
def participation() -> str:
    """List the exams that have figures, the newest first."""
    reach = my_reach("reports:participation:read")
    return render_template("reports/exams.html", exams=list_organiser_exams(read_session(), reach), now_at=clock.now())


@admin_blueprint.get("/exams/<int:exam_id>")
@requires("reports:participation:read")
def show_exam(exam_id: int) -> str | AnyResponse:
    """Lead to the unit at which the reach begins, or let choose among several."""
    session, view = read_session(), read_view()
    basis = get_basis(session, exam_id, scope=view.scope, now=clock.now(), reach=my_reach("reports:participation:read"))
    reach = my_reach("reports:participation:read")
    tops = list_tops(session, reach)
    if len(tops) != 1:
        return render_template("reports/tops.html", basis=basis, tops=tops)
    is_by_sector = bool(reach.sector_paths) and not reach.region_paths
    changes = {"tree": Tree.SECTOR} if is_by_sector and "tree" not in request.args else {}
    return redirect(
        url_for("reports_admin.show_unit", exam_id=exam_id, unit_id=tops[0].id, **view.query(**changes)), 303
    )


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>")
@requires("reports:participation:read")
def show_unit(exam_id: int, unit_id: int) -> str:
    """Show the unit table: a unit with its whole, and what is below it."""
    session, view = read_session(), read_view()
    basis = get_basis(session, exam_id, scope=view.scope, now=clock.now(), reach=my_reach("reports:participation:read"))
    table = get_unit_table(
        session,
        basis,
        unit_id,
        tree=view.tree,
        depth=view.depth,
        reach=my_reach("reports:participation:read"),
        wanted=view.people(None),
    )
    form = ExportForm(tree=view.tree, scope=basis.scope)
    return page_of(
        "reports/unit.html",
        basis,
        table.units,
        view,
        total=table.total,
        rows=_in_order([row for row in table.rows[1:] if _is_wanted(row, view)], view),
        form=form,
        sorts=SORTS,
        kinds=UNIT_KIND_NAMES,
        depths=DEPTHS,
        linked_numbers=_linked_numbers(exam_id, view),
        rates_of=_rates_of,
    )


_GROUPS = ("roster", "exempt", "deferred", "eligible", "participated", "absent", "passed", "excellent")
_numbers_of = attrgetter(*_GROUPS)


def _linked_numbers(exam_id: int, view: View) -> Callable[[Counts], Iterable[tuple[int, str, str]]]:
    """Give what makes of a row's counts its numbers, each with what stands before and after the unit's id in the address of the people behind it, escaped."""
    links = []
    for group in _GROUPS:
        query = view.query(group=group, depth=1, sort="code", dir="asc", kind="", q="", page=1)
        address = url_for("reports_admin.list_people", exam_id=exam_id, unit_id=0, **query)
        before, _, after = address.partition("/units/0")
        links.append((escape(f"{before}/units/"), escape(after)))
    return lambda counts: (
        (number, before, after) for number, (before, after) in zip(_numbers_of(counts), links, strict=True)
    )


@lru_cache(maxsize=4096)
def _rates_of(counts: Counts) -> tuple[str, ...]:
    """Write a row's rates and its mean; most rows stay as they are from one look to the next."""
    rates = (counts.participation_rate, counts.pass_rate, counts.pass_of_eligible_rate, counts.excellence_rate)
    return (*map(percent, rates), "–" if counts.mean_points is None else str(counts.mean_points))


def _is_wanted(row: UnitRow, view: View) -> bool:
    if view.kind and row.unit.kind != view.kind:
        return False
    return not view.search or view.search in row.unit.name or row.unit.code.startswith(view.search)


def _in_order(rows: list[UnitRow], view: View) -> list[UnitRow]:
    """Sort the rows; by code they stay as the tree hangs, and what has no value comes last either way."""
    if view.sort == "code":
        return sorted(rows, key=lambda row: row.unit.code, reverse=True) if view.is_descending else rows
    valued = [row for row in rows if getattr(row.counts, view.sort) is not None]
    rest = [row for row in rows if getattr(row.counts, view.sort) is None]
    return sorted(valued, key=lambda row: getattr(row.counts, view.sort), reverse=view.is_descending) + rest


@admin_blueprint.route("/exams/<int:exam_id>/units/<int:unit_id>/people", methods=["GET", "POST"])
@requires("reports:participation:read")
def list_people(exam_id: int, unit_id: int) -> str | AnyResponse:
    """List the people behind a number: by unit code and staff number, never by points. A posted search leads to its address, where its words are sealed."""
    view = read_view()
    basis, units = open_unit(exam_id, unit_id, view)
    if request.method == "POST":
        return redirect(url_for("reports_admin.list_people", exam_id=exam_id, unit_id=unit_id, **view.query()), 303)
    rows, count = people_list_queries.list_people(
        read_session(),
        basis,
        view.people(units.unit_ids, has_search=True),
        group=view.group,
        offset=(view.page - 1) * _PAGE,
        limit=_PAGE,
    )
    return page_of(
        "reports/people.html",
        basis,
        units,
        view,
        rows=rows,
        count=count,
        page_count=-(-count // _PAGE),
        status_words=report_file_queries.status_words,
        form=_form_of_list(view, basis),
    )


_ABSENT = frozenset({"absent", *scope_rules.LIST_GROUPS["absent"]})


def _form_of_list(view: View, basis: ReportContext) -> ExportForm:
    """Give the form for the very list that is shown: as scores, and who is absent as the list of those too."""
    contents = ["absent", "scores"] if view.group in _ABSENT else ["scores"]
    form = ExportForm(content=contents[0], group=view.group, tree=view.tree, scope=basis.scope)
    form.content.choices = [(content, statistics_definition_rules.CONTENT_NAMES[content]) for content in contents]
    return form


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>/people/<int:person_id>")
@requires("reports:participation:read")
def show_person(exam_id: int, unit_id: int, person_id: int) -> str:
    """Show one person of the unit's roster with all tries and the one that counts."""
    view = read_view()
    basis, units = open_unit(exam_id, unit_id, view)
    wanted = PeopleFilter(unit_ids=units.unit_ids, person_id=person_id)
    person = people_list_queries.get_person(read_session(), basis, wanted)
    return page_of(
        "reports/person.html", basis, units, view, person=person, status_words=report_file_queries.status_words
    )


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>/progress")
@requires("reports:participation:read")
def show_progress(exam_id: int, unit_id: int) -> str:
    """Show who took part by day, with the deadline, and the distribution of points, with the pass mark; each with its table."""
    session, view = read_session(), read_view()
    basis, units = open_unit(exam_id, unit_id, view)
    wanted = view.people(units.unit_ids)
    counts = sum(counts_by_unit(session, basis, wanted).values(), statistics_definition_rules.Counts())
    days, bins = get_curve(session, basis, wanted), get_distribution(session, basis, wanted)
    closes_at = max(exam.closes_at for exam in basis.exams)
    day = read_day("day") or max((point.day for point in days if point.new), default=day_of(basis.as_of))
    hours = get_hours(session, basis, wanted, day)
    return page_of(
        "reports/progress.html",
        basis,
        units,
        view,
        total=counts,
        days=days,
        bins=list(zip(statistics_definition_rules.BIN_NAMES, bins, strict=True)),
        curve=scope_rules.curve_chart(days, deadline_on=day_of(closes_at), eligible=counts.eligible),
        bars=scope_rules.bar_chart(bins, pass_percent=basis.exam.pass_percent),
        closes_at=closes_at,
        day=day,
        hours=hours,
        hour_curve=scope_rules.hour_chart(hours),
    )


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>/score-sheet")
@requires("reports:score:export")
def show_score_sheet(exam_id: int, unit_id: int) -> str:
    """Show the score sheet (成绩汇总表) to print, sign and seal."""
    session, view = read_session(), read_view()
    basis = get_basis(session, exam_id, scope=view.scope, now=clock.now(), reach=my_reach("reports:participation:read"))
    units = get_tree_of(session, basis, unit_id, tree=view.tree, reach=my_reach("reports:score:export"))
    wanted = view.people(units.unit_ids)
    total = sum(counts_by_unit(session, basis, wanted).values(), statistics_definition_rules.Counts())
    is_too_long = total.roster > _MAX_ON_PAPER
    return page_of(
        "reports/score_sheet.html",
        basis,
        units,
        view,
        total=total,
        is_too_long=is_too_long,
        people=[] if is_too_long else list(people_list_queries.iter_scores(session, basis, wanted)),
        totals_words=report_file_queries.totals_words(total),
        sheet_remark=report_file_queries.sheet_remark,
        band_words=report_file_queries.band_words,
    )


@admin_blueprint.post("/exams/<int:exam_id>/units/<int:unit_id>/exports")
@requires("reports:score:export")
def request_export(exam_id: int, unit_id: int) -> AnyResponse:
    """Ask for a file, and lead to its progress."""
    form = ExportForm()
    if not form.validate() or form.tree.data not in set(Tree) or form.scope.data not in set(Scope):
        raise BadRequestError
    group = request.values.get("group", "")
    narrowing = replace(read_view().narrowing, group=group if group in scope_rules.GROUP_NAMES else "")
    wish = form.to_request(exam_id, unit_id, narrowing)
    if wish.holds_whole_numbers:
        return _ask_for_numbers(wish)
    with request_transaction() as context:
        reach = my_reach("reports:score:export")
        export = report_export_actions.request_export(context, wish, reach=reach)
        export_id = export.id
    return redirect(url_for("reports_admin.show_export", export_id=export_id), 303)


def _ask_for_numbers(wish: ReportRequest) -> AnyResponse:
    """Put a request down for whole numbers, which a second person allows."""
    my_reach("reports:number:export")
    try:
        with request_transaction() as context:
            reach = my_reach("reports:score:export")
            report_export_actions.request_numbers(context, wish, reach=reach)
    except (report_export_actions.ReasonNeededError, AlreadyAskedError) as refusal:
        flash(refusal.text, "danger")
        return redirect(url_for("reports_admin.show_unit", exam_id=wish.exam_id, unit_id=wish.unit_id), 303)
    flash("申请已提交。另一位同事在“审批”中同意后开始生成，文件在「我的导出」中下载。", "success")
    return redirect(url_for("reports_admin.list_exports"), 303)


@admin_blueprint.get("/exports")
@requires("reports:score:export")
def list_exports() -> str:
    """List one's own exports."""
    rows = list_own_exports(read_session(), person_id=me().person_id, reach=my_reach("reports:score:export"))
    return render_template("reports/exports.html", rows=rows, names=_NAMES)


@admin_blueprint.get("/exports/<int:export_id>")
@requires("reports:score:export")
def show_export(export_id: int) -> str:
    """Show an export's progress, and the file once it is there."""
    reach = my_reach("reports:score:export")
    rows = list_own_exports(read_session(), person_id=me().person_id, reach=reach, export_id=export_id)
    if not rows:
        raise NotFoundError
    return render_template("reports/export.html", export=rows[0], names=_NAMES)


_NAMES = {
    "content": statistics_definition_rules.CONTENT_NAMES,
    "format": FORMAT_LABELS,
    "scope": statistics_definition_rules.SCOPE_NAMES,
}


@admin_blueprint.get("/exports/<int:export_id>/file")
@requires("reports:score:export")
def download_export(export_id: int) -> Response:
    """Hand out the file."""
    return send_export(export_id)
