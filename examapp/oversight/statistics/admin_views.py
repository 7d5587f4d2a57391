"""Pages of the figures: exams, the unit table, the people behind a number, progress, the score sheet on paper, exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from markupsafe import escape
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.clock import day_of, local
from examapp.db.session import read_session
from examapp.delivery.corrections.queries import count_changed_people
from examapp.delivery.exams.queries import list_organiser_exams
from examapp.errors import BadRequestError, NotFoundError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, my_access, my_user, requires
from examapp.organisation.dual_control.actions import AlreadyRequestedError
from examapp.organisation.issuers.queries import find_issuer
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
from examapp.oversight.statistics_definitions.rules import Counts, Scope, UnitStatsRow
from examapp.oversight.statistics_people import queries as people_list_queries
from examapp.oversight.statistics_scope import rules as scope_rules
from examapp.oversight.statistics_scope.admin_views import DEPTHS, SORTS, View, open_unit, page_of, read_day, read_view
from examapp.oversight.statistics_scope.queries import (
    PeopleFilter,
    ReportContext,
    get_report_context,
    get_tree_of,
    list_tops,
)
from examapp.web.pages import percent
from examapp.web.submit import request_transaction

PERMISSIONS = {
    "reports:participation:read": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE, Role.LEADER},
}


admin_blueprint = Blueprint("reports_admin", __name__, url_prefix="/admin/reports")
_PAGE = 50
_MAX_ON_PAPER = 2000
_SCREEN_S = 30


@admin_blueprint.get("")
@menu_entry("参考情况", position=60, group="考试")
@requires("reports:participation:read")
def participation() -> str:
    """List the exams that have figures, the newest first."""
    access = my_access("reports:participation:read")
    return render_template("reports/exams.html", exams=list_organiser_exams(read_session(), access), now_at=clock.now())


@admin_blueprint.get("/exams/<int:exam_id>")
@requires("reports:participation:read")
def show_exam(exam_id: int) -> str | AnyResponse:
    """Lead to the unit at which the access scope begins, or let choose among several."""
    session, view = read_session(), read_view()
    report_context = get_report_context(
        session, exam_id, scope=view.scope, now=clock.now(), access=my_access("reports:participation:read")
    )
    access = my_access("reports:participation:read")
    tops = list_tops(session, access)
    if len(tops) != 1:
        return render_template("reports/tops.html", report_context=report_context, tops=tops)
    is_by_sector = bool(access.sector_paths) and not access.region_paths
    changes = {"tree": Tree.SECTOR} if is_by_sector and "tree" not in request.args else {}
    return redirect(
        url_for("reports_admin.show_unit", exam_id=exam_id, unit_id=tops[0].id, **view.query(**changes)), 303
    )


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>")
@requires("reports:participation:read")
def show_unit(exam_id: int, unit_id: int) -> str:
    """Show the unit table: a unit with its whole, and what is below it."""
    session, view = read_session(), read_view()
    report_context = get_report_context(
        session, exam_id, scope=view.scope, now=clock.now(), access=my_access("reports:participation:read")
    )
    table = get_unit_table(
        session,
        report_context,
        unit_id,
        tree=view.tree,
        depth=view.depth,
        access=my_access("reports:participation:read"),
        wanted=view.people(None),
    )
    form = ExportForm(tree=view.tree, scope=report_context.scope)
    is_corrected = report_context.exam.result_version > 1
    unit_ids = [node.unit_id for node in table.units.nodes] if is_corrected else []
    return page_of(
        "reports/unit.html",
        report_context,
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
        changed_people=count_changed_people(session, exam_id, unit_ids) if is_corrected else 0,
    )


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>/screen")
@requires("reports:participation:read")
def show_screen(exam_id: int, unit_id: int) -> Response:
    """Show participation by unit on a page for a large screen, which renews itself: by unit code, no persons, no ranking."""
    session, access = read_session(), my_access("reports:participation:read")
    report_context = get_report_context(session, exam_id, scope=None, now=clock.now(), access=access)
    table = get_unit_table(
        session, report_context, unit_id, tree=Tree.REGION, depth=1, access=access, wanted=PeopleFilter()
    )
    page = render_template(
        "reports/screen.html",
        report_context=report_context,
        unit=table.units.top,
        total=table.total,
        rows=[row for row in table.rows[1:] if row.counts.eligible],
        renewed_every_s=_SCREEN_S,
    )
    return Response(page, headers={"Refresh": str(_SCREEN_S)})


_GROUPS = (
    "roster",
    "exempt",
    "deferred",
    "eligible",
    "participated",
    "absent",
    "passed",
    "good",
    "excellent",
    "failed",
)
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


def _is_wanted(row: UnitStatsRow, view: View) -> bool:
    if view.kind and row.unit.kind != view.kind:
        return False
    return not view.search or view.search in row.unit.name or row.unit.code.startswith(view.search)


def _in_order(rows: list[UnitStatsRow], view: View) -> list[UnitStatsRow]:
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
    report_context, units = open_unit(exam_id, unit_id, view)
    if request.method == "POST":
        return redirect(url_for("reports_admin.list_people", exam_id=exam_id, unit_id=unit_id, **view.query()), 303)
    rows, count = people_list_queries.list_people(
        read_session(),
        report_context,
        view.people(units.unit_ids, has_search=True),
        group=view.group,
        offset=(view.page - 1) * _PAGE,
        limit=_PAGE,
    )
    return page_of(
        "reports/people.html",
        report_context,
        units,
        view,
        rows=rows,
        count=count,
        page_count=-(-count // _PAGE),
        status_label=report_file_queries.status_label,
        form=_form_of_list(view, report_context),
    )


_ABSENT = frozenset({"absent", *scope_rules.LIST_GROUPS["absent"]})


def _form_of_list(view: View, report_context: ReportContext) -> ExportForm:
    """Give the form for the very list that is shown: as scores, and who is absent as the list of those too."""
    contents = ["absent", "scores"] if view.group in _ABSENT else ["scores"]
    form = ExportForm(content=contents[0], group=view.group, tree=view.tree, scope=report_context.scope)
    form.content.choices = [(content, statistics_definition_rules.CONTENT_NAMES[content]) for content in contents]
    return form


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>/people/<int:person_id>")
@requires("reports:participation:read")
def show_person(exam_id: int, unit_id: int, person_id: int) -> str:
    """Show one person of the unit's roster with all tries and the one that counts."""
    view = read_view()
    report_context, units = open_unit(exam_id, unit_id, view)
    wanted = PeopleFilter(unit_ids=units.unit_ids, person_id=person_id)
    person = people_list_queries.get_person(read_session(), report_context, wanted)
    return page_of(
        "reports/person.html", report_context, units, view, person=person, status_label=report_file_queries.status_label
    )


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>/progress")
@requires("reports:participation:read")
def show_progress(exam_id: int, unit_id: int) -> str:
    """Show who took part by day, with the deadline, and the distribution of points, with the pass mark; each with its table."""
    session, view = read_session(), read_view()
    report_context, units = open_unit(exam_id, unit_id, view)
    wanted = view.people(units.unit_ids)
    counts = sum(counts_by_unit(session, report_context, wanted).values(), statistics_definition_rules.Counts())
    days, bins = get_curve(session, report_context, wanted), get_distribution(session, report_context, wanted)
    closes_at = max(exam.closes_at for exam in report_context.exams)
    day = read_day("day") or max((point.day for point in days if point.new), default=day_of(report_context.as_of))
    hours = get_hours(session, report_context, wanted, day)
    return page_of(
        "reports/progress.html",
        report_context,
        units,
        view,
        total=counts,
        days=days,
        bins=list(zip(statistics_definition_rules.BIN_NAMES, bins, strict=True)),
        curve=scope_rules.curve_chart(days, deadline_on=day_of(closes_at), eligible=counts.eligible),
        bars=scope_rules.bar_chart(bins, pass_percent=report_context.exam.pass_percent),
        closes_at=closes_at,
        day=day,
        hours=hours,
        hour_curve=scope_rules.hour_chart(hours, until=_hours_begun(day, report_context.as_of)),
    )


def _hours_begun(day: date, as_of: datetime) -> int:
    return local(as_of).hour + 1 if day == day_of(as_of) else 24


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>/score-sheet")
@requires("reports:score:export")
def show_score_sheet(exam_id: int, unit_id: int) -> str:
    """Show the score sheet (成绩汇总表) to print, sign and seal."""
    session, view = read_session(), read_view()
    report_context = get_report_context(
        session, exam_id, scope=view.scope, now=clock.now(), access=my_access("reports:participation:read")
    )
    units = get_tree_of(session, report_context, unit_id, tree=view.tree, access=my_access("reports:score:export"))
    wanted = view.people(units.unit_ids)
    total = sum(counts_by_unit(session, report_context, wanted).values(), statistics_definition_rules.Counts())
    is_too_long = total.roster > _MAX_ON_PAPER
    return page_of(
        "reports/score_sheet.html",
        report_context,
        units,
        view,
        total=total,
        issuer=find_issuer(session, my_access("reports:score:export"), unit_id) or "",
        is_too_long=is_too_long,
        people=[] if is_too_long else list(people_list_queries.iter_scores(session, report_context, wanted)),
        totals_label=report_file_queries.totals_label(total),
        evidence_notes=report_file_queries.evidence_notes(session, report_context),
        sheet_remark=report_file_queries.sheet_remark,
        band_label=report_file_queries.band_label,
    )


@admin_blueprint.post("/exams/<int:exam_id>/units/<int:unit_id>/exports")
@requires("reports:score:export")
def request_export(exam_id: int, unit_id: int) -> AnyResponse:
    """Ask for a file, and lead to its progress."""
    form = ExportForm()
    if not form.validate() or form.tree.data not in set(Tree) or form.scope.data not in set(Scope):
        raise BadRequestError
    group = request.values.get("group", "")
    filters = replace(read_view().filters, group=group if group in scope_rules.GROUP_NAMES else "")
    report_request = form.to_request(exam_id, unit_id, filters)
    if report_request.holds_whole_numbers:
        return _ask_for_numbers(report_request)
    with request_transaction() as context:
        access = my_access("reports:score:export")
        export = report_export_actions.request_export(context, report_request, access=access)
        export_id = export.id
    if report_request.format != form.format.data:
        content = statistics_definition_rules.CONTENT_NAMES[report_request.content]
        wanted, given = (FORMAT_LABELS[code] for code in (form.format.data, report_request.format))
        flash(f"{content}没有“{wanted}”，已改为“{given}”。", "warning")
    return redirect(url_for("reports_admin.show_export", export_id=export_id), 303)


def _ask_for_numbers(report_request: ReportRequest) -> AnyResponse:
    """Put a request down for whole numbers, which a second person allows."""
    my_access("reports:number:export")
    try:
        with request_transaction() as context:
            access = my_access("reports:score:export")
            report_export_actions.request_numbers(context, report_request, access=access)
    except (report_export_actions.ReasonNeededError, AlreadyRequestedError) as rejection:
        flash(rejection.text, "danger")
        return redirect(
            url_for("reports_admin.show_unit", exam_id=report_request.exam_id, unit_id=report_request.unit_id), 303
        )
    flash("申请已提交。另一位同事在“审批”中同意后开始生成，文件在“我的导出”中下载。", "success")
    return redirect(url_for("reports_admin.list_exports"), 303)


@admin_blueprint.get("/exports")
@requires("reports:score:export")
def list_exports() -> str:
    """List one's own exports."""
    rows = list_own_exports(read_session(), person_id=my_user().person_id, access=my_access("reports:score:export"))
    return render_template("reports/exports.html", rows=rows, names=_NAMES)


@admin_blueprint.get("/exports/<int:export_id>")
@requires("reports:score:export")
def show_export(export_id: int) -> str:
    """Show an export's progress, and the file once it is there."""
    access = my_access("reports:score:export")
    rows = list_own_exports(read_session(), person_id=my_user().person_id, access=access, export_id=export_id)
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
