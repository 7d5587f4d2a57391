"""Who has finished what: by unit in both trees, the people behind it, how courses fare, and study records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.clock import local
from examapp.db.session import read_session
from examapp.delivery.grading.rules import BAND_NAMES
from examapp.documents.spreadsheets import Cell, SheetColumn, SheetLayout
from examapp.errors import NotFoundError
from examapp.learning.mastery.queries import MIN_PEOPLE
from examapp.learning.study_events.admin_views import admin_blueprint, send_sheets
from examapp.learning.study_events.rules import KIND_NAMES
from examapp.learning.study_record.queries import study_record, unit_records
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.organisation.issuers.admin_views import made_by
from examapp.organisation.units.models import Tree
from examapp.oversight.statistics_scope.queries import UnitTree, get_unit_tree, list_tops
from examapp.oversight.study_progress import queries
from examapp.oversight.study_progress.rules import DEFINITIONS, StudyRow, study_rows
from examapp.web.params import chosen_number, chosen_page, chosen_year, page_count, sent_number

_READ, _EXPORT = "reports:participation:read", "reports:score:export"
_PAGE = 50


def _tree() -> Tree:
    return Tree.SECTOR if request.args.get("tree") == "sector" else Tree.REGION


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """What the page is about: a unit with those below it in a tree, a year, and one course or all required ones."""

    units: UnitTree
    tree: Tree
    year: int
    courses: dict[int, str]
    """The titles of the courses to choose from."""
    course_id: int | None

    @property
    def course_title(self) -> str:
        """The chosen course; empty for all."""
        return self.courses[self.course_id] if self.course_id is not None else ""

    @property
    def address(self) -> dict[str, Any]:
        """What leads from one page to another about the same."""
        return {"year": self.year, "tree": self.tree, "course": self.course_id}

    def rows(self) -> list[StudyRow]:
        """The unit table."""
        counts = queries.study_counts(read_session(), self.year, self.units.unit_ids, course_id=self.course_id)
        return study_rows(self.units.nodes, counts)


def _chosen(unit_id: int, permission: str) -> _Chosen:
    """Read the address; raises NotFoundError for a unit beyond the access scope, and for a course that the unit does not learn."""
    tree, year, course_id = _tree(), chosen_year(), chosen_number("course")
    units = get_unit_tree(read_session(), unit_id, tree=tree, access=my_access(permission))
    courses = queries.list_courses_for(read_session(), year, unit_id, units.unit_ids)
    if course_id is not None and course_id not in courses:
        raise NotFoundError
    return _Chosen(units=units, tree=tree, year=year, courses=courses, course_id=course_id)


@admin_blueprint.get("/study")
@menu_entry("学习情况", position=70, group="学习")
@requires(_READ)
def study() -> str | Response:
    """Lead to the unit at which my access scope begins, or let choose among several."""
    access = my_access(_READ)
    tops = list_tops(read_session(), access)
    if len(tops) == 1:
        is_by_sector = bool(access.sector_paths) and not access.region_paths
        tree = Tree.SECTOR if is_by_sector else None
        about: dict[str, Any] = {name: request.args.get(name, type=sent_number) for name in ("year", "course")}
        return redirect(url_for(".show_study", unit_id=tops[0].id, tree=tree, **about), 303)
    return render_template("records/study_tops.html", tops=tops)


@admin_blueprint.get("/study/units/<int:unit_id>")
@requires(_READ)
def show_study(unit_id: int) -> str:
    """Show 参学率 and who has done all, of a unit and every unit below it, in either tree."""
    chosen = _chosen(unit_id, _READ)
    return render_template(
        "records/study.html",
        chosen=chosen,
        units=chosen.units,
        tree=chosen.tree,
        year=chosen.year,
        years=queries.list_years(read_session(), now=clock.now()),
        rows=chosen.rows(),
        definitions=DEFINITIONS,
        as_of=clock.now(),
    )


@admin_blueprint.get("/study/units/<int:unit_id>.xlsx")
@requires(_EXPORT)
def export_study(unit_id: int) -> Response:
    """Give the same table, and everybody behind it, as a workbook."""
    chosen = _chosen(unit_id, _EXPORT)
    as_of = f"数据截至 {local(clock.now()):%Y-%m-%d %H:%M}"
    title = f"{chosen.units.top.name}{chosen.year}年度学习情况"
    about = [f"课程：{chosen.course_title}"] if chosen.course_title else []
    numbers = [
        SheetColumn(head=head, width=10, is_number=True) for head in ("应学", "参学", "学完", "参学率%", "学完率%")
    ]
    by_unit = SheetLayout(
        name="按单位",
        title=title,
        remarks=[*about, as_of, *DEFINITIONS],
        columns=[SheetColumn(head="单位编码"), SheetColumn(head="单位", width=30), *numbers],
        rows=[_unit_cells(row) for row in chosen.rows()],
        closing=[made_by(_EXPORT, unit_id)],
    )
    heads = ("工号", "姓名", "单位", "应学课程", "已学完", "本年学分", "状态")
    people = SheetLayout(
        name="人员",
        title=f"{title}（人员）",
        remarks=[*about, as_of],
        columns=[SheetColumn(head=head, width=24 if head == "单位" else 12) for head in heads],
        rows=_people_cells(chosen),
        closing=[made_by(_EXPORT, unit_id)],
    )
    return send_sheets([by_unit, people], f"{title}.xlsx")


def _unit_cells(row: StudyRow) -> list[Cell]:
    counts = row.counts
    return [row.unit.code, "　" * row.depth + row.unit.name, counts.due, counts.begun, counts.done, counts.study_rate, counts.done_rate]  # fmt: skip


def _people_cells(chosen: _Chosen) -> Iterator[list[Cell]]:
    people = queries.iter_learners(read_session(), chosen.year, chosen.units.unit_ids, course_id=chosen.course_id)
    for person in people:
        state = "已学完" if person.done == person.courses else "未学完"
        yield [person.staff_number, person.name, person.unit_name, person.courses, person.done, person.credits, state]


@admin_blueprint.get("/study/units/<int:unit_id>/people")
@requires(_READ)
def list_study_people(unit_id: int) -> str:
    """List who of a unit and those below it has not done all, or everybody."""
    chosen, is_open, page = _chosen(unit_id, _READ), request.args.get("all") != "1", chosen_page()
    people, total = queries.list_learners(
        read_session(),
        chosen.year,
        chosen.units.unit_ids,
        is_open=is_open,
        offset=(page - 1) * _PAGE,
        limit=_PAGE,
        course_id=chosen.course_id,
    )
    return render_template(
        "records/study_people.html",
        chosen=chosen,
        units=chosen.units,
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
        years=queries.list_years(read_session(), now=clock.now()),
        courses=queries.course_figures(read_session(), year, my_access(_READ)),
        fewest=MIN_PEOPLE,
        as_of=clock.now(),
    )


@admin_blueprint.get("/people/<int:person_id>")
@requires(_READ)
def show_record(person_id: int) -> str:
    """Show the study record of a person within the access scope, to read and to print."""
    found = study_record(read_session(), person_id, year=chosen_year(), access=my_access(_READ), now=clock.now())
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
    """Show the study records of a unit's people, a line each: by pages to read, whole to print."""
    tree, year, page, is_whole = _tree(), chosen_year(), chosen_page(), "all" in request.args
    units = get_unit_tree(read_session(), unit_id, tree=tree, access=my_access(_READ))
    lines = unit_records(read_session(), units.unit_ids, year=year)
    return render_template(
        "records/unit_records.html",
        units=units,
        tree=tree,
        year=year,
        lines=lines if is_whole else lines[(page - 1) * _PAGE : page * _PAGE],
        total=len(lines),
        page=page,
        pages_count=1 if is_whole else page_count(len(lines), _PAGE),
        as_of=clock.now(),
    )


@admin_blueprint.get("/units/<int:unit_id>.xlsx")
@requires(_EXPORT)
def export_unit_records(unit_id: int) -> Response:
    """Give the study records of a unit's people as a workbook."""
    year = chosen_year()
    units = get_unit_tree(read_session(), unit_id, tree=_tree(), access=my_access(_EXPORT))
    title = f"{units.top.name}{year}年度学法档案"
    heads = ("工号", "姓名", "单位", "学完课程", "学分", "学法活动", "通过练习（章）", "证书")
    sheet = SheetLayout(
        name="学法档案",
        title=title,
        remarks=[f"数据截至 {local(clock.now()):%Y-%m-%d %H:%M}"],
        columns=[SheetColumn(head=head, width=24 if head == "单位" else 12) for head in heads],
        rows=[
            [line.staff_number, line.name, line.unit_name, line.courses, line.credits, line.events, line.exercises, line.certificates]
            for line in unit_records(read_session(), units.unit_ids, year=year)
        ],
        closing=[made_by(_EXPORT, unit_id)],
    )  # fmt: skip
    return send_sheets([sheet], f"{title}.xlsx")
