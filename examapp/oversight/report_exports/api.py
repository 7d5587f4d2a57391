"""Figures for the organiser: the delivery protocol's calls on participation and exports."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, request, send_file

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.errors import BadRequestError
from examapp.jobs.models import JobState, client_state, progress_json
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import actor, me, my_reach, requires
from examapp.organisation.units.models import Tree
from examapp.oversight.report_exports import actions
from examapp.oversight.report_exports.queries import count_ahead, get_export_row
from examapp.oversight.report_files.queries import roster_words
from examapp.oversight.report_files.rules import ReportRequest
from examapp.oversight.statistics.queries import get_unit_table
from examapp.oversight.statistics_definitions import rules as statistics_definition_rules
from examapp.oversight.statistics_definitions.rules import PiiDisclosure, Scope, UnitRow
from examapp.oversight.statistics_scope import rules as scope_rules
from examapp.oversight.statistics_scope.queries import PeopleFilter, get_basis, list_tops
from examapp.oversight.statistics_scope.rules import GROUP_NAMES, ReportFilter
from examapp.points import as_text
from examapp.web.json_io import answer, instant, read_object
from examapp.web.numbers import read_whole

PERMISSIONS = {
    "reports:score:export": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
    # Whole ID numbers and mobiles in a file, with a reason and a second person's consent.
    "reports:number:export": {Role.PUBLICITY_OFFICE},
    # To be that second person.
    "reports:number:approve": {Role.PUBLICITY_OFFICE, Role.SECURITY_ADMIN},
}


api_blueprint = Blueprint("reports_api", __name__, url_prefix="/api/v1")
_SMALL_BYTES = 16 * 1024
_DEEPEST = 9
_MAX_ID = 2**63 - 1
_NARROWING = ("rank", "position", "since", "until")
"""By the names that the pages' addresses have too."""


@api_blueprint.get("/exams/<int:exam_id>/participation")
@requires("reports:participation:read")
def show_participation(exam_id: int) -> Response:
    """Give the figures of a unit within reach and of what is below it, narrowed as the pages' are."""
    session, reach, now = read_session(), my_reach("reports:participation:read"), clock.now()
    depth = _whole(request.args.get("depth", "1"), most=_DEEPEST)
    tree, scope = _tree(request.args.get("tree", Tree.REGION)), _scope(request.args.get("scope"))
    narrowing = _read_narrowing(request.args, _NARROWING)
    basis = get_basis(session, exam_id, scope=scope, now=now, reach=reach)
    asked = request.args.get("unit")
    if asked is None:
        tops = list_tops(session, reach)
        unit_id = tops[0].id if tops else 0
    else:
        unit_id = _whole(asked, most=_MAX_ID)
    wanted = PeopleFilter.of(narrowing, unit_ids=None)
    table = get_unit_table(session, basis, unit_id, tree=tree, depth=depth, reach=reach, wanted=wanted)
    definitions = {
        **statistics_definition_rules.definitions(basis.scope),
        "roster_as_of": f"名册：{roster_words(basis)}",
    }
    if narrowing.words:
        definitions["narrowed"] = narrowing.words
    rows = [_row_json(row) for row in table.rows]
    return answer({"as_of": instant(basis.as_of), "definitions": definitions, "rows": rows})


def _row_json(row: UnitRow) -> dict[str, Any]:
    counts = row.counts
    return {
        "unit_id": row.unit.unit_id, "code": row.unit.code, "name": row.unit.name, "parent_id": row.unit.parent_id,
        "roster": counts.roster, "exempt": counts.exempt, "deferred": counts.deferred, "eligible": counts.eligible,
        "participated": counts.participated, "passed": counts.passed, "excellent": counts.excellent,
        "participation_rate": as_text(counts.participation_rate), "pass_rate": as_text(counts.pass_rate),
        "pass_of_eligible_rate": as_text(counts.pass_of_eligible_rate), "excellence_rate": as_text(counts.excellence_rate),
        "mean_points": as_text(counts.mean_points),
    }  # fmt: skip


@api_blueprint.post("/exams/<int:exam_id>/exports")
@requires("reports:score:export")
def request_export(exam_id: int) -> Response:
    """Ask for a file of figures; it is built by a worker."""
    wish = _read_request(exam_id, read_object(most_bytes=_SMALL_BYTES))
    if wish.holds_whole_numbers:
        return _ask_for_numbers(wish)
    with transaction() as session:
        reach = my_reach("reports:score:export")
        export = actions.request_export(session, wish, reach=reach, actor=actor(), now=clock.now())
        body = {"export": {"id": export.id, "state": client_state(export.state)}}
    return answer(body, 202)


def _read_request(exam_id: int, body: Mapping[str, Any]) -> ReportRequest:
    unit_id, content, format_ = body.get("unit"), body.get("content"), body.get("format")
    if type(unit_id) is not int or not isinstance(content, str) or not isinstance(format_, str):
        raise BadRequestError
    if not 0 <= unit_id <= _MAX_ID:
        raise BadRequestError
    numbers, reason = body.get("numbers", PiiDisclosure.NONE), body.get("reason", "")
    if not isinstance(numbers, str) or numbers not in set(PiiDisclosure) or not isinstance(reason, str):
        raise BadRequestError
    return ReportRequest(
        exam_id=exam_id,
        unit_id=unit_id,
        content=content,
        format=format_,
        tree=_tree(body.get("tree", Tree.REGION)),
        scope=_scope(body.get("scope")),
        narrowing=_read_narrowing(body, (*_NARROWING, "group")),
        numbers=PiiDisclosure(numbers),
        reason=reason,
    )


def _ask_for_numbers(wish: ReportRequest) -> Response:
    """Put a request down for whole numbers; the export is there once a second person has allowed it."""
    my_reach("reports:number:export")
    with transaction() as session:
        reach = my_reach("reports:score:export")
        approval_id = actions.request_numbers(session, wish, reach=reach, actor=actor(), now=clock.now())
    return answer({"approval": {"id": approval_id, "state": "waiting"}}, 202)


@api_blueprint.get("/exports/<int:export_id>")
@requires("reports:score:export")
def show_export(export_id: int) -> Response:
    """Give the state and progress of one's own export."""
    session, reach = read_session(), my_reach("reports:score:export")
    export = get_export_row(session, export_id, person_id=me().person_id, reach=reach)
    body = {"id": export.id, **progress_json(export)}
    if export.state == JobState.QUEUED:
        ahead = count_ahead(session, export)
        body["message"] = f"排队中，前面还有 {ahead} 份" if ahead else "排队中"
    return answer(body)


@api_blueprint.get("/exports/<int:export_id>/file")
@requires("reports:score:export")
def download_export(export_id: int) -> Response:
    """Hand out the file."""
    return send_export(export_id)


def send_export(export_id: int) -> Response:
    """Answer with the file of one's own export, after the reach was looked up again; leaves an audit line."""
    with transaction() as session:
        file = actions.download_export(
            session, export_id, reach=my_reach("reports:score:export"), actor=actor(), now=clock.now()
        )
    return send_file(
        BytesIO(file.content), mimetype=file.content_type, download_name=file.file_name, as_attachment=True, max_age=0
    )


def _whole(text: str, *, most: int) -> int:
    number = read_whole(text, most=most)
    if number is None:
        raise BadRequestError
    return number


def _read_narrowing(words: Mapping[str, object], names: tuple[str, ...]) -> ReportFilter:
    """Read whom a call narrows its figures to; raises BadRequestError for a day that is none and a group that nobody knows."""
    kept = {name: word for name in names if (word := _word(words.get(name, "")))}
    days = [kept[name] for name in ("since", "until") if name in kept]
    if any(scope_rules.find_day(day) is None for day in days) or kept.get("group", "absent") not in GROUP_NAMES:
        raise BadRequestError
    return ReportFilter.of_json(kept)


def _word(word: object) -> str:
    if not isinstance(word, str) or len(word) > scope_rules.MAX_WORD or "\0" in word:
        raise BadRequestError
    return word.strip()


def _tree(word: object) -> Tree:
    if not isinstance(word, str) or word not in set(Tree):
        raise BadRequestError
    return Tree(word)


def _scope(word: object) -> Scope | None:
    if word is None:
        return None
    if not isinstance(word, str) or word not in set(Scope):
        raise BadRequestError
    return Scope(word)
