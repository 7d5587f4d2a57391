"""People by name, for the readers of the audit log; the log itself holds ids alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from math import ceil
from operator import itemgetter
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.db.session import read_session
from examapp.documents.html import normalise
from examapp.documents.spreadsheets import SheetColumn, write_csv
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope, Role
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.organisation.people.models import Account, Person
from examapp.organisation.people.rules import holds_number
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import record
from examapp.platform.audit.models import AuditEvent
from examapp.platform.audit.queries import AuditFilter, count_events, iter_events, list_events
from examapp.platform.audit.rules import ACT_LABELS, act_label, detail_label, object_label
from examapp.platform.audit_chain.actions import find_head_issue, read_kept
from examapp.web.params import chosen_page
from examapp.web.query_encryption import encrypt_query_param, requested_search_text
from examapp.web.submit import request_transaction

PERMISSIONS = {
    "audit:event:read": {Role.AUDIT_ADMIN},
}


AUDIT_ACTS = {"audit.export_events": "导出审计记录"}


def people_within(access: AccessScope, text: str) -> Select[int] | None:
    """Give the ids of persons within the access scope whose name, staff number or login name is `text`; None for everybody."""
    if access.is_everything and not text:
        return None
    statement = select(Person.id).join(Unit, Person.unit_id == Unit.id).where(within(access))
    if text:
        named = or_(
            Person.name.contains(text, autoescape=True), Person.staff_number == text, Account.login_name == text
        )
        statement = statement.outerjoin(Account, Account.person_id == Person.id).where(named)
    return statement


def person_names(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """Give names with units by id, in one statement: `张三（县财政局）`."""
    wanted = {person_id for person_id in ids if person_id is not None}
    if not wanted:
        return {}
    rows = session.execute(
        select(Person.id, Person.name, Unit.name.label("unit_name"))
        .join(Unit, Person.unit_id == Unit.id)
        .where(Person.id.in_(wanted))
    )
    return {row.id: f"{row.name}（{row.unit_name}）" for row in rows}


admin_blueprint = Blueprint("audit_admin", __name__, url_prefix="/admin/audit")
_A_PAGE = 50
_MAX_COUNTED = 10_000
_MAX_EXPORTED = 100_000
_COLUMNS = (
    SheetColumn(head="时间"),
    SheetColumn(head="操作人"),
    SheetColumn(head="操作"),
    SheetColumn(head="对象"),
    SheetColumn(head="涉及人员"),
    SheetColumn(head="来源地址"),
    SheetColumn(head="详细"),
)
_SYSTEM = "系统"


@admin_blueprint.route("/", methods=["GET", "POST"])
@menu_entry("审计", position=230, group="系统")
@requires("audit:event:read")
def list_log() -> str | AnyResponse:
    """List the log's lines, newest first, by act, person and days; a search is posted, so that no name stands in an address."""
    if request.method == "POST" and not holds_number(requested_search_text()):
        return redirect(url_for(".list_log", **_asked()), 303)
    wanted, session = _filter(), read_session()
    number = chosen_page(_MAX_COUNTED // _A_PAGE)
    events = list_events(session, wanted, limit=_A_PAGE, skip=(number - 1) * _A_PAGE)
    total = count_events(session, wanted, limit=_MAX_COUNTED)
    names = person_names(session, (i for event in events for i in (event.actor_id, event.person_id)))
    return render_template(
        "audit/log.html",
        rows=[_row(event, names) for event in events],
        acts=_acts_by_group(),
        asked=_asked(),
        text=_search_text(),
        number=number,
        pages=ceil(total / _A_PAGE),
        total=total,
        is_more=total == _MAX_COUNTED,
    )


@admin_blueprint.get("/export.csv")
@requires("audit:event:read")
def export_log() -> Response:
    """Give the filtered lines as csv, at most 100,000, and write a line about it."""
    wanted = _filter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.csv"
        with request_transaction() as context:
            events = list(iter_events(context.session, wanted, limit=_MAX_EXPORTED))
            names = person_names(context.session, (i for event in events for i in (event.actor_id, event.person_id)))
            write_csv(path, _COLUMNS, (_row(event, names) for event in events))
            record(context, "audit.export_events", object_type="audit_event", details={"rows": len(events)})
        content = path.read_bytes()
    name = f"audit-{clock.today().isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type="text/csv; charset=utf-8", headers=headers)


@admin_blueprint.get("/head")
@requires("audit:event:read")
def show_head() -> str:
    """Show the kept head of the chain as a sheet to be printed, signed and kept apart; what is wrong with it where it is not on the chain."""
    cipher, settings = current_app.extensions["cipher"], current_app.config["SETTINGS"]
    issue = find_head_issue(read_session(), cipher=cipher, folder=settings.data_path)
    return render_template(
        "audit/head_sheet.html",
        issue=issue,
        kept=None if issue else read_kept(settings.data_path, cipher=cipher),
        key_id=cipher.current,
        organisation=current_app.extensions["site_texts"].organisation,
        as_of=clock.now(),
    )


def _row(event: AuditEvent, names: dict[int, str]) -> tuple[datetime, str, str, str, str, str, str]:
    return (
        event.at,
        _SYSTEM if event.actor_id is None else names.get(event.actor_id, f"人员 {event.actor_id}"),
        act_label(event.act),
        object_label(event.object_type, event.object_id),
        "" if event.person_id is None else names.get(event.person_id, f"人员 {event.person_id}"),
        event.address or "",
        detail_label(event.details),
    )


def _search_text() -> str:
    return normalise(requested_search_text()).strip()[:60]


def _asked() -> dict[str, Any]:
    """Give what was asked for as an address tells it: the words sealed."""
    plain = {name: value for name in ("act", "since", "until") if (value := request.values.get(name, ""))}
    return plain | ({"s": encrypt_query_param(text)} if (text := _search_text()) else {})


_GROUP_LABELS = {
    "people": "人员、账号和登录", "org": "单位", "roster_changes": "人员变动申请", "roster_snapshots": "名册冻结", "questions": "题库", "papers": "组卷",
    "exams": "考试", "grading": "评分和更正", "external_results": "其他平台成绩", "reports": "参考情况和导出", "reminders": "催考",
    "training": "学习", "records": "学法活动和证书", "duties": "普法责任制", "messages": "通知和意见",
}  # fmt: skip
"""What the acts whose names begin so are about."""


def _acts_by_group() -> dict[str, list[tuple[str, str]]]:
    """Give the acts that can be looked for by what they are about, in both by their Chinese words; the platform's own last."""
    groups: dict[str, list[tuple[str, str]]] = {label: [] for label in (*_GROUP_LABELS.values(), "平台")}
    for act, label in ACT_LABELS.items():
        groups[_GROUP_LABELS.get(act.split(".")[0], "平台")].append((act, label))
    return {label: sorted(acts, key=itemgetter(1)) for label, acts in groups.items() if acts}


def _filter() -> AuditFilter:
    """Read the filter from the form or the address; what is no day there is left out."""
    text = _search_text()
    since, until = _day("since"), _day("until")
    return AuditFilter(
        act=request.values.get("act", ""),
        since=_midnight(since) if since else None,
        until=_midnight(until + timedelta(days=1)) if until else None,
        people=people_within(my_access("audit:event:read"), text),
        is_with_system=not text,
    )


def _day(name: str) -> date | None:
    try:
        day = date.fromisoformat(request.values.get(name, ""))
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2999 else None


def _midnight(day: date) -> datetime:
    return clock.from_local(datetime.combine(day, time.min))
