"""Figures for the organiser: the delivery protocol's calls on participation and exports."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from io import BytesIO
from typing import Annotated, TypedDict, TypeVar

from flask import Blueprint, Response, request, send_file
from msgspec import Meta, Struct

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import BadRequestError
from examapp.jobs.models import JobState, client_state
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import my_access, my_user, requires
from examapp.organisation.units.models import Tree
from examapp.oversight.report_exports import actions
from examapp.oversight.report_exports.queries import count_ahead, get_export_row
from examapp.oversight.report_files.actions import RENDERERS
from examapp.oversight.report_files.queries import roster_label
from examapp.oversight.report_files.rules import ReportRequest
from examapp.oversight.statistics.queries import get_unit_table
from examapp.oversight.statistics_definitions import rules as statistics_definition_rules
from examapp.oversight.statistics_definitions.rules import PiiDisclosure, Scope, UnitStatsRow
from examapp.oversight.statistics_scope.queries import PeopleFilter, get_report_context, list_tops
from examapp.oversight.statistics_scope.rules import GROUP_NAMES, MAX_WORD, ReportFilter
from examapp.points import as_text
from examapp.web.json_io import Count, DecimalText, Id, Instant, instant, json_response, read_body
from examapp.web.params import MAX_ID, read_whole
from examapp.web.submit import request_transaction

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
_FILTER_FIELDS = ("rank", "position", "since", "until")
"""By the names that the pages' addresses have too."""
Choice = TypeVar("Choice", bound=StrEnum)
_Day = Annotated[str, Meta(extra_json_schema={"format": "date"})]
_State = Annotated[str, Meta(extra_json_schema={"enum": ["waiting", "running", "ready", "failed", "expired"]})]


class ExportRequest(Struct, frozen=True, kw_only=True):
    """A request for a file of figures; contents and formats that do not go together are rejected by the action."""

    unit: Annotated[int, Meta(ge=0, le=MAX_ID)]
    content: Annotated[
        str, Meta(extra_json_schema={"enum": ["scores", "participation", "absent", "score_sheet", "circular"]})
    ]
    format: Annotated[str, Meta(extra_json_schema={"enum": list(RENDERERS)})]
    rank: Annotated[str, Meta(max_length=MAX_WORD)] = ""
    position: Annotated[str, Meta(max_length=MAX_WORD)] = ""
    since: _Day = ""
    until: _Day = ""
    group: str = ""
    tree: Tree = Tree.REGION
    scope: Scope | None = None
    numbers: PiiDisclosure = PiiDisclosure.NONE
    reason: str = ""


class JobRefBody(TypedDict):
    """An export in the queue, or the approval that it waits for."""

    id: Id
    state: _State


class ExportRequestedBody(TypedDict):
    """The export that a worker will build."""

    export: JobRefBody


class ApprovalRequestedBody(TypedDict):
    """The approval that the export waits for."""

    approval: JobRefBody


class ExportBody(JobRefBody):
    """State and progress of an export."""

    done: Count
    total: Count
    message: str


class UnitFiguresBody(TypedDict):
    """The figures of a unit with its subtree; rates in percent."""

    unit_id: Id
    code: str
    name: str
    parent_id: Id | None
    roster: Count
    exempt: Count
    deferred: Count
    eligible: Count
    participated: Count
    passed: Count
    good: Count
    excellent: Count
    failed: Count
    participation_rate: DecimalText | None
    pass_rate: DecimalText | None
    pass_of_eligible_rate: DecimalText | None
    excellence_rate: DecimalText | None
    mean_points: DecimalText | None


class ParticipationBody(TypedDict):
    """Figures of units, each named by its definition."""

    as_of: Instant
    definitions: dict[str, str]
    rows: list[UnitFiguresBody]


@api_blueprint.get("/exams/<int:exam_id>/participation")
@requires("reports:participation:read")
def show_participation(exam_id: int) -> Response:
    """Give the figures of a unit within the access scope and of what is below it, filtered as the pages' are."""
    session, access, now = read_session(), my_access("reports:participation:read"), clock.now()
    depth = _whole(request.args.get("depth", "1"), limit=_DEEPEST)
    tree, wanted_scope = _choice(Tree, request.args.get("tree", Tree.REGION)), request.args.get("scope")
    scope = None if wanted_scope is None else _choice(Scope, wanted_scope)
    filters = _read_filter({name: request.args.get(name, "") for name in _FILTER_FIELDS})
    report_context = get_report_context(session, exam_id, scope=scope, now=now, access=access)
    asked = request.args.get("unit")
    if asked is None:
        tops = list_tops(session, access)
        unit_id = tops[0].id if tops else 0
    else:
        unit_id = _whole(asked, limit=MAX_ID)
    wanted = PeopleFilter.of(filters, unit_ids=None)
    table = get_unit_table(session, report_context, unit_id, tree=tree, depth=depth, access=access, wanted=wanted)
    definitions = {
        **statistics_definition_rules.definitions(report_context.scope),
        "roster_as_of": f"名册：{roster_label(report_context, table.units.top)}",
    }
    if filters.text:
        definitions["narrowed"] = filters.text
    rows = [_row_json(row) for row in table.rows]
    reply: ParticipationBody = {"as_of": instant(report_context.as_of), "definitions": definitions, "rows": rows}
    return json_response(reply)


def _row_json(row: UnitStatsRow) -> UnitFiguresBody:
    counts = row.counts
    return {
        "unit_id": row.unit.unit_id, "code": row.unit.code, "name": row.unit.name, "parent_id": row.unit.parent_id,
        "roster": counts.roster, "exempt": counts.exempt, "deferred": counts.deferred, "eligible": counts.eligible,
        "participated": counts.participated, "passed": counts.passed, "good": counts.good, "excellent": counts.excellent, "failed": counts.failed,
        "participation_rate": as_text(counts.participation_rate), "pass_rate": as_text(counts.pass_rate),
        "pass_of_eligible_rate": as_text(counts.pass_of_eligible_rate), "excellence_rate": as_text(counts.excellence_rate),
        "mean_points": as_text(counts.mean_points),
    }  # fmt: skip


@api_blueprint.post("/exams/<int:exam_id>/exports")
@requires("reports:score:export")
def request_export(exam_id: int) -> Response:
    """Ask for a file of figures; it is built by a worker."""
    body = read_body(ExportRequest, max_bytes=_SMALL_BYTES)
    report_request = ReportRequest(
        exam_id=exam_id,
        unit_id=body.unit,
        content=body.content,
        format=body.format,
        tree=body.tree,
        scope=body.scope,
        filters=_read_filter({name: getattr(body, name) for name in (*_FILTER_FIELDS, "group")}),
        numbers=body.numbers,
        reason=body.reason,
    )
    if report_request.holds_whole_numbers:
        return _ask_for_numbers(report_request)
    with request_transaction() as context:
        access = my_access("reports:score:export")
        export = actions.request_export(context, report_request, access=access)
        reply: ExportRequestedBody = {"export": {"id": export.id, "state": client_state(export.state)}}
    return json_response(reply, 202)


def _ask_for_numbers(report_request: ReportRequest) -> Response:
    """Put a request down for whole numbers; the export is there once a second person has allowed it."""
    my_access("reports:number:export")
    with request_transaction() as context:
        access = my_access("reports:score:export")
        approval_id = actions.request_numbers(context, report_request, access=access)
    reply: ApprovalRequestedBody = {"approval": {"id": approval_id, "state": "waiting"}}
    return json_response(reply, 202)


@api_blueprint.get("/exports/<int:export_id>")
@requires("reports:score:export")
def show_export(export_id: int) -> Response:
    """Give the state and progress of one's own export."""
    session, access = read_session(), my_access("reports:score:export")
    export = get_export_row(session, export_id, person_id=my_user().person_id, access=access)
    message = export.message
    if export.state == JobState.QUEUED:
        ahead = count_ahead(session, export)
        message = f"排队中，前面还有 {ahead} 份" if ahead else "排队中"
    reply: ExportBody = {
        "id": export.id, "state": export.client_state, "done": export.done, "total": export.total, "message": message,
    }  # fmt: skip
    return json_response(reply)


@api_blueprint.get("/exports/<int:export_id>/file")
@requires("reports:score:export")
def download_export(export_id: int) -> Response:
    """Hand out the file."""
    return send_export(export_id)


def send_export(export_id: int) -> Response:
    """Answer with the file of one's own export, after the access scope was looked up again; leaves an audit line."""
    with request_transaction() as context:
        file = actions.download_export(context, export_id, access=my_access("reports:score:export"))
    return send_file(
        BytesIO(file.content), mimetype=file.content_type, download_name=file.file_name, as_attachment=True, max_age=0
    )


def _whole(text: str, *, limit: int) -> int:
    number = read_whole(text, limit=limit)
    if number is None:
        raise BadRequestError
    return number


def _read_filter(given: Mapping[str, str]) -> ReportFilter:
    """Read the filter of a call; raises BadRequestError for a day that is none and an unknown group."""
    if any(len(text) > MAX_WORD or "\0" in text for text in given.values()):
        raise BadRequestError
    kept = {name: text for name, given_text in given.items() if (text := given_text.strip())}
    days = [kept[name] for name in ("since", "until") if name in kept]
    if any(clock.find_day(day) is None for day in days) or kept.get("group", "absent") not in GROUP_NAMES:
        raise BadRequestError
    return ReportFilter.of_json(kept)


def _choice(kind: type[Choice], text: str) -> Choice:
    try:
        return kind(text)
    except ValueError:
        raise BadRequestError from None
