"""Who has finished what: by unit in both trees, the people behind it, how courses fare, and study records."""

from __future__ import annotations

from collections.abc import Iterator

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.clock import local
from examapp.core.db import reading
from examapp.core.permissions import Permission
from examapp.core.spreadsheets import Cell, Column, Sheet
from examapp.grading.rules import BAND_NAMES
from examapp.org.models import Tree
from examapp.people.access import my_reach, requires
from examapp.records.admin_routes.frame import admin_blueprint, chosen_page, chosen_year, page_count, send_sheets
from examapp.records.queries import study as queries
from examapp.records.queries.record import study_record, unit_records
from examapp.records.rules.events import KIND_NAMES
from examapp.records.rules.study import DEFINITIONS, StudyRow, study_rows
from examapp.reports.queries.basis import UnitTree, get_unit_tree, list_tops

_READ, _EXPORT = Permission.REPORTS_READ, Permission.REPORTS_EXPORT
_PAGE = 50


def _tree() -> Tree:
    return Tree.SECTOR if request.args.get("tree") == "sector" else Tree.REGION


def _rows(units: UnitTree, year: int) -> list[StudyRow]:
    return study_rows(units.nodes, queries.study_counts(reading(), year, units.unit_ids))


@admin_blueprint.get("/study")
@requires(_READ)
def study() -> str | Response:
    """Lead to the unit at which my reach begins, or let choose among several."""
    reach = my_reach(_READ)
    tops = list_tops(reading(), reach)
    if len(tops) == 1:
        is_by_sector = bool(reach.sector_paths) and not reach.region_paths
        tree = Tree.SECTOR if is_by_sector else None
        return redirect(url_for(".show_study", unit_id=tops[0].id, tree=tree), 303)
    return render_template("records/study_tops.html", tops=tops)


@admin_blueprint.get("/study/units/<int:unit_id>")
@requires(_READ)
def show_study(unit_id: int) -> str:
    """Show 参学率 and who has done all, of a unit and every unit below it, in either tree."""
    tree, year = _tree(), chosen_year()
    units = get_unit_tree(reading(), unit_id, tree=tree, reach=my_reach(_READ))
    return render_template(
        "records/study.html",
        units=units,
        tree=tree,
        year=year,
        years=queries.list_years(reading(), now=clock.now()),
        rows=_rows(units, year),
        definitions=DEFINITIONS,
        as_of=clock.now(),
    )


@admin_blueprint.get("/study/units/<int:unit_id>.xlsx")
@requires(_EXPORT)
def export_study(unit_id: int) -> Response:
    """Give the same table, and everybody behind it, as a workbook."""
    tree, year = _tree(), chosen_year()
    units = get_unit_tree(reading(), unit_id, tree=tree, reach=my_reach(_EXPORT))
    as_of = f"数据截至 {local(clock.now()):%Y-%m-%d %H:%M}"
    title = f"{units.top.name}{year}年度学习情况"
    numbers = [Column(head=head, width=10, is_number=True) for head in ("应学", "参学", "学完", "参学率%", "学完率%")]
    by_unit = Sheet(
        name="按单位",
        title=title,
        remarks=[as_of, *DEFINITIONS],
        columns=[Column(head="单位编码"), Column(head="单位", width=30), *numbers],
        rows=[_unit_cells(row) for row in _rows(units, year)],
    )
    heads = ("工号", "姓名", "单位", "应学必修课", "已学完", "本年学分", "状态")
    people = Sheet(
        name="人员",
        title=f"{title}（人员）",
        remarks=[as_of],
        columns=[Column(head=head, width=24 if head == "单位" else 12) for head in heads],
        rows=_people_cells(year, units.unit_ids),
    )
    return send_sheets([by_unit, people], f"{title}.xlsx")


def _unit_cells(row: StudyRow) -> list[Cell]:
    counts = row.counts
    return [row.unit.code, "　" * row.depth + row.unit.name, counts.due, counts.begun, counts.done, counts.study_rate, counts.done_rate]  # fmt: skip


def _people_cells(year: int, unit_ids: list[int]) -> Iterator[list[Cell]]:
    for person in queries.iter_learners(reading(), year, unit_ids):
        state = "已学完" if person.done == person.courses else "未学完"
        yield [person.staff_number, person.name, person.unit_name, person.courses, person.done, person.credits, state]


@admin_blueprint.get("/study/units/<int:unit_id>/people")
@requires(_READ)
def list_study_people(unit_id: int) -> str:
    """List who of a unit and those below it has not done all, or everybody."""
    tree, year, is_open = _tree(), chosen_year(), request.args.get("all") != "1"
    units = get_unit_tree(reading(), unit_id, tree=tree, reach=my_reach(_READ))
    page = chosen_page()
    people, total = queries.list_learners(
        reading(), year, units.unit_ids, is_open=is_open, offset=(page - 1) * _PAGE, limit=_PAGE
    )
    return render_template(
        "records/study_people.html",
        units=units,
        tree=tree,
        year=year,
        is_open=is_open,
        people=people,
        total=total,
        page=page,
        pages_count=page_count(total, _PAGE),
        as_of=clock.now(),
    )


@admin_blueprint.get("/study/courses")
@requires(_READ)
def show_courses() -> str:
    """Show how each course and exercise fares: those that nobody finishes, and those that everybody fails."""
    year = chosen_year()
    return render_template(
        "records/study_courses.html",
        year=year,
        years=queries.list_years(reading(), now=clock.now()),
        courses=queries.course_figures(reading(), year, my_reach(_READ)),
        as_of=clock.now(),
    )


@admin_blueprint.get("/people/<int:person_id>")
@requires(_READ)
def show_record(person_id: int) -> str:
    """Show the study record of a person within reach, to read and to print."""
    found = study_record(reading(), person_id, year=chosen_year(), reach=my_reach(_READ), now=clock.now())
    return render_template(
        "records/record.html",
        record=found,
        is_own=False,
        this_year=clock.today().year,
        kind_names=KIND_NAMES,
        band_names=BAND_NAMES,
    )


@admin_blueprint.get("/units/<int:unit_id>")
@requires(_READ)
def show_unit_records(unit_id: int) -> str:
    """Show the study records of a unit's people, a line each, to read and to print."""
    tree, year = _tree(), chosen_year()
    units = get_unit_tree(reading(), unit_id, tree=tree, reach=my_reach(_READ))
    return render_template(
        "records/unit_records.html",
        units=units,
        tree=tree,
        year=year,
        lines=unit_records(reading(), units.unit_ids, year=year),
        as_of=clock.now(),
    )


@admin_blueprint.get("/units/<int:unit_id>.xlsx")
@requires(_EXPORT)
def export_unit_records(unit_id: int) -> Response:
    """Give the study records of a unit's people as a workbook."""
    year = chosen_year()
    units = get_unit_tree(reading(), unit_id, tree=_tree(), reach=my_reach(_EXPORT))
    title = f"{units.top.name}{year}年度学法档案"
    heads = ("工号", "姓名", "单位", "学完课程", "学分", "学法活动", "通过练习（章）", "证书")
    sheet = Sheet(
        name="学法档案",
        title=title,
        remarks=[f"数据截至 {local(clock.now()):%Y-%m-%d %H:%M}"],
        columns=[Column(head=head, width=24 if head == "单位" else 12) for head in heads],
        rows=[
            [line.staff_number, line.name, line.unit_name, line.courses, line.credits, line.events, line.exercises, line.certificates]
            for line in unit_records(reading(), units.unit_ids, year=year)
        ],
    )  # fmt: skip
    return send_sheets([sheet], f"{title}.xlsx")
