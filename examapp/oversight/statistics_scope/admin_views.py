"""What the pages of figures share: what an address says, what a page stands on, and the links between pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for

from examapp import clock
from examapp.db.session import read_session
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading.rules import BAND_NAMES
from examapp.organisation.accounts.guards import my_access, requires
from examapp.organisation.units.models import UNIT_KIND_NAMES, Tree
from examapp.oversight.report_files import queries as report_file_queries
from examapp.oversight.statistics.queries import (
    NO_WEAKNESSES,
    Weaknesses,
    WeakTopic,
    counts_by_unit,
    find_weaknesses,
    get_unit_table,
)
from examapp.oversight.statistics_definitions import rules as statistics_definition_rules
from examapp.oversight.statistics_definitions.rules import Counts, Scope
from examapp.oversight.statistics_scope import rules
from examapp.oversight.statistics_scope.queries import (
    PeopleFilter,
    ReportContext,
    UnitTree,
    find_earlier_exam,
    get_report_context,
    get_tree_of,
    list_reported_exams,
)
from examapp.oversight.statistics_scope.rules import GROUP_NAMES, ReportFilter
from examapp.web.params import chosen_number, read_page, sent_number
from examapp.web.query_encryption import encrypt_query_param, requested_search_text

DEPTHS = (0, 1, 2, 3, 4, 5)
SORTS = {
    "code": "单位编码",
    "eligible": "应考",
    "participated": "参考",
    "absent": "未参考",
    "participation_rate": "参考率",
    "pass_rate": "合格率",
    "pass_of_eligible_rate": "通过率",
    "excellence_rate": "优秀率",
    "mean_points": "平均分",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the address of a page says: tree, depth, scope, order and filters; it can be kept and sent."""

    tree: Tree
    scope: Scope | None
    depth: int
    sort: str
    is_descending: bool
    kind: str
    search: str
    rank: str
    position: str
    group: str
    page: int
    since: date | None
    """The period: only what was handed in from this day on counts; None for any."""
    until: date | None
    """… up to and with this day."""

    def query(self, **changes: Any) -> dict[str, Any]:
        """Give the address's query with changes, leaving out what is usual."""
        now = {
            "tree": self.tree, "scope": self.scope, "depth": self.depth, "sort": self.sort, "dir": "desc" if self.is_descending else "asc",
            "kind": self.kind, "q": self.search, "rank": self.rank, "position": self.position, "group": self.group, "page": self.page, "since": self.since, "until": self.until,
        } | changes  # fmt: skip
        now["s"] = encrypt_query_param(now.pop("q"))
        usual = {"tree": Tree.REGION, "depth": 1, "sort": "code", "dir": "asc", "group": "absent", "page": 1}
        return {name: value for name, value in now.items() if value not in (None, "") and value != usual.get(name)}

    def people(self, unit_ids: list[int] | None, *, has_search: bool = False) -> PeopleFilter:
        """Give the people that the filters mean, of these units."""
        return PeopleFilter.of(self.filters, unit_ids=unit_ids, search=self.search if has_search else "")

    @property
    def filters(self) -> ReportFilter:
        """Whom the figures are filtered to; the group is a list's own matter."""
        return ReportFilter(rank=self.rank, position=self.position, since=self.since, until=self.until)


def read_view() -> View:
    """Read what the address, or a posted search, says; what makes no sense is as if it were not there."""
    args = request.values
    return View(
        tree=Tree(_word("tree", Tree.REGION, set(Tree))),
        scope=Scope(args["scope"]) if args.get("scope") in set(Scope) else None,
        depth=sent_number(_word("depth", "1", {str(depth) for depth in DEPTHS})),
        sort=_word("sort", "code", SORTS),
        is_descending=args.get("dir") == "desc",
        kind=_word("kind", "", set(UNIT_KIND_NAMES)),
        search=_clean(requested_search_text()),
        rank=_text("rank"),
        position=_text("position"),
        group=_word("group", "absent", GROUP_NAMES),
        page=read_page(args.get("page", "1")),
        since=read_day("since"),
        until=read_day("until"),
    )


def _word(name: str, usual: str, known: Any) -> str:
    word = request.values.get(name, usual)
    return word if word in known else usual


def _text(name: str) -> str:
    return _clean(request.values.get(name, ""))


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()[: rules.MAX_WORD]


def read_day(name: str) -> date | None:
    """Read a day from the address; None for what is none."""
    return clock.find_day(request.values.get(name, ""))


def open_unit(exam_id: int, unit_id: int, view: View) -> tuple[ReportContext, UnitTree]:
    """Get what a page stands on; raises NotFoundError outside the access scope."""
    session = read_session()
    report_context = get_report_context(
        session, exam_id, scope=view.scope, now=clock.now(), access=my_access("reports:participation:read")
    )
    return report_context, get_tree_of(
        session, report_context, unit_id, tree=view.tree, access=my_access("reports:participation:read")
    )


def page_of(template: str, report_context: ReportContext, units: UnitTree, view: View, **more: Any) -> str:
    """Render a page of a unit's figures with what all of them share."""
    known: dict[tuple[Any, ...], str] = {}

    def link(endpoint: str, *, unit_id: int | None = None, **changes: Any) -> str:
        """Give the address of a page of figures; those of a whole table differ in the unit only, and are built once."""
        key = (endpoint, *changes.items())
        if key not in known:
            place: dict[str, Any] = {"exam_id": report_context.exam.id, "unit_id": 0}
            known[key] = url_for(
                endpoint if "." in endpoint else f"reports_admin.{endpoint}", **place, **view.query(**changes)
            )
        return known[key].replace("/units/0", f"/units/{unit_id or units.top.unit_id}", 1)

    return render_template(
        template,
        report_context=report_context,
        units=units,
        unit=units.top,
        view=view,
        link=link,
        roster_label=report_file_queries.roster_label(report_context, units.top),
        filter_label=view.filters.text,
        definitions=statistics_definition_rules.definitions(report_context.scope),
        scope_names=statistics_definition_rules.SCOPE_NAMES,
        group_names=GROUP_NAMES,
        band_names=BAND_NAMES,
        **more,
    )


insight_blueprint = Blueprint("reports_insight", __name__, url_prefix="/admin/reports/exams/<int:exam_id>")


@insight_blueprint.get("/units/<int:unit_id>/compare")
@requires("reports:participation:read")
def compare(exam_id: int, unit_id: int) -> str:
    """Show the figures beside those of an earlier exam, for the unit and what is just below it, by unit code."""
    session, view, access = read_session(), read_view(), my_access("reports:participation:read")
    report_context = get_report_context(session, exam_id, scope=view.scope, now=clock.now(), access=access)
    wanted = view.people(None)
    table = get_unit_table(session, report_context, unit_id, tree=view.tree, depth=1, access=access, wanted=wanted)
    earlier = find_earlier_exam(session, report_context.exam, wanted_id=chosen_number("with"))
    before: dict[int, Counts] = {}
    if earlier is not None:
        then = get_report_context(session, earlier.id, scope=None, now=clock.now())
        whenever = replace(wanted, since=None, until=None)
        top_id = table.units.top.unit_id
        rows = get_unit_table(session, then, top_id, tree=view.tree, depth=1, access=access, wanted=whenever).rows
        before = {row.unit.unit_id: row.counts for row in rows}
    return page_of(
        "reports/compare.html",
        report_context,
        table.units,
        view,
        rows=table.rows,
        earlier=earlier,
        before=before,
        exams=[
            exam
            for exam in list_reported_exams(session)
            if exam.id != report_context.exam.id and exam.main_exam_id is None
        ],
        difference=difference,
    )


def difference(now: object, then: object) -> str:
    """Say by how much a rate or mean rose or fell; – where one of them is missing."""
    if now is None or then is None:
        return "–"
    change = now - then  # type: ignore[operator]  # both are Decimal or both int
    return f"+{change}" if change > 0 else str(change)


@insight_blueprint.get("/units/<int:unit_id>/weak")
@requires("reports:participation:read")
def show_weak(exam_id: int, unit_id: int) -> str:
    """Show the laws and knowledge points in which the unit's people got the smallest share of the points."""
    session, view = read_session(), read_view()
    report_context, units = open_unit(exam_id, unit_id, view)
    wanted = view.people(units.unit_ids)
    total = sum(counts_by_unit(session, report_context, wanted).values(), Counts())
    weak = find_weaknesses(session, report_context, wanted, participated=total.participated)
    earlier = find_earlier_exam(session, report_context.exam, wanted_id=chosen_number("with"))
    then = _weak_then(earlier, replace(wanted, since=None, until=None)) if earlier is not None else NO_WEAKNESSES
    return page_of(
        "reports/weak.html",
        report_context,
        units,
        view,
        total=total,
        weak=weak,
        earlier=earlier,
        then_laws={row.name: row for row in then.laws},
        then_points={row.name: row for row in then.knowledge_points},
        shown=_SHOWN,
        improved_laws=_improved(weak.laws, then.laws),
        improved_points=_improved(weak.knowledge_points, then.knowledge_points),
        difference=difference,
    )


_SHOWN = 20


def _weak_then(exam: Exam, wanted: PeopleFilter) -> Weaknesses:
    """Find what the sheets of an earlier exam show, of the same units."""
    session = read_session()
    then = get_report_context(session, exam.id, scope=None, now=clock.now())
    total = sum(counts_by_unit(session, then, wanted).values(), Counts())
    return find_weaknesses(session, then, wanted, participated=total.participated)


def _improved(now: list[WeakTopic], then: list[WeakTopic]) -> list[WeakTopic]:
    """Give of the topics that were weakest then those that are better now, in the order of then."""
    known = {row.name: row for row in now}
    pairs = ((known.get(before.name), before) for before in then[:_SHOWN])
    return [row for row, before in pairs if row is not None and _is_better(row, before)]


def _is_better(now: WeakTopic, then: WeakTopic) -> bool:
    return now.rate is not None and then.rate is not None and now.rate > then.rate
