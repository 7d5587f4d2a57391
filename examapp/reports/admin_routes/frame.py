"""What the pages of figures share: what an address says, what a page stands on, and the links between pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import render_template, request, url_for

from examapp.core import clock
from examapp.core.db import reading
from examapp.core.numbers import read_page, sent_number
from examapp.core.permissions import Permission
from examapp.core.veil import veil, words_asked
from examapp.grading.rules import BAND_NAMES
from examapp.org.models import UNIT_KIND_NAMES, Tree
from examapp.people.access import my_reach
from examapp.reports import rules
from examapp.reports.operations import files
from examapp.reports.queries.basis import Basis, UnitTree, get_basis, get_tree_of
from examapp.reports.queries.ground import PeopleFilter
from examapp.reports.rules import GROUP_NAMES, Narrowing, Scope

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
        now["s"] = veil(now.pop("q"))
        usual = {"tree": Tree.REGION, "depth": 1, "sort": "code", "dir": "asc", "group": "absent", "page": 1}
        return {name: value for name, value in now.items() if value not in (None, "") and value != usual.get(name)}

    def people(self, unit_ids: list[int] | None, *, has_search: bool = False) -> PeopleFilter:
        """Give the people that the filters mean, of these units."""
        return PeopleFilter.of(self.narrowing, unit_ids=unit_ids, search=self.search if has_search else "")

    @property
    def narrowing(self) -> Narrowing:
        """Whom the figures are narrowed to; the group is a list's own matter."""
        return Narrowing(rank=self.rank, position=self.position, since=self.since, until=self.until)


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
        search=_clean(words_asked()),
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
    return text.replace("\0", "").strip()[: rules.MOST_WORD]


def read_day(name: str) -> date | None:
    """Read a day from the address; None for what is none."""
    return rules.find_day(request.values.get(name, ""))


def open_unit(exam_id: int, unit_id: int, view: View) -> tuple[Basis, UnitTree]:
    """Get what a page stands on; raises NotFoundError out of reach."""
    session = reading()
    basis = get_basis(
        session, known_id(exam_id), scope=view.scope, now=clock.now(), reach=my_reach(Permission.REPORTS_READ)
    )
    return basis, get_tree_of(
        session, basis, known_id(unit_id), tree=view.tree, reach=my_reach(Permission.REPORTS_READ)
    )


def known_id(number: int) -> int:
    """Give an id from an address; one that no row can have is as good as missing."""
    return number if number < 2**63 else 0


def page_of(template: str, basis: Basis, units: UnitTree, view: View, **more: Any) -> str:
    """Render a page of a unit's figures with what all of them share."""
    known: dict[tuple[Any, ...], str] = {}

    def link(endpoint: str, *, unit_id: int | None = None, **changes: Any) -> str:
        """Give the address of a page of figures; those of a whole table differ in the unit only, and are built once."""
        key = (endpoint, *changes.items())
        if key not in known:
            place: dict[str, Any] = {"exam_id": basis.exam.id, "unit_id": 0}
            known[key] = url_for(
                endpoint if "." in endpoint else f"reports_admin.{endpoint}", **place, **view.query(**changes)
            )
        return known[key].replace("/units/0", f"/units/{unit_id or units.top.unit_id}", 1)

    return render_template(
        template,
        basis=basis,
        units=units,
        unit=units.top,
        view=view,
        link=link,
        roster_words=files.roster_words(basis),
        narrowed=view.narrowing.words,
        definitions=rules.definitions(basis.scope),
        scope_names=rules.SCOPE_NAMES,
        group_names=GROUP_NAMES,
        band_names=BAND_NAMES,
        **more,
    )
