"""The shape of what is filled in in the unit book."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import BadRequestError, NotFoundError
from examapp.organisation.access.queries import person_ids_within
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import cipher, may, may_everywhere, my_access, my_user, requires
from examapp.organisation.dual_control.actions import AlreadyRequestedError
from examapp.organisation.dual_control.queries import find_allowed
from examapp.organisation.issuers.queries import find_issuer
from examapp.organisation.people.models import Approval
from examapp.organisation.people.queries import find_mobiles
from examapp.organisation.roster_change_requests.admin_views import admin_blueprint
from examapp.organisation.units.models import Tree
from examapp.oversight.reminders import actions, queries
from examapp.oversight.reminders.actions import InvalidReminderError
from examapp.oversight.reminders.rules import (
    MAX_CALLED_ALONE,
    MAX_REASON_LENGTH,
    OVERDUE,
    find_reminder_issue,
    group_chat_text,
)
from examapp.oversight.report_files.queries import roster_label
from examapp.oversight.statistics_definitions.rules import SCOPE_NAMES, Scope, definitions
from examapp.oversight.statistics_scope.queries import (
    ReportContext,
    UnitTree,
    get_report_context,
    get_tree_of,
    list_tops,
)
from examapp.web.forms import FlaskForm
from examapp.web.params import chosen_page
from examapp.web.submit import request_transaction, submit
from examapp.web.trusted_hosts import address_of

PERMISSIONS = {
    # The list with mobiles by which a unit calls its people, with a reason; the office's and long ones with a second person's consent.
    "unit_management:call:export": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
}


class RemindForm(FlaskForm):
    """The button that reminds a group."""

    group = HiddenField(validators=[InputRequired()])


class CallForm(FlaskForm):
    """Why the numbers are taken out."""

    group = HiddenField(validators=[InputRequired()])
    reason = StringField("用途", validators=[InputRequired("请填写用途。"), Length(max=MAX_REASON_LENGTH)])


def read_tree() -> Tree:
    """Give the tree by which a page looks at units."""
    word = request.args.get("tree")
    return Tree(word) if word in set(Tree) else Tree.REGION


def open_exam(exam_id: int, unit_id: int, permission: str) -> tuple[ReportContext, UnitTree]:
    """Get the exam and the unit that a page stands on; raises NotFoundError outside the access scope."""
    session, args = read_session(), request.args
    scope = Scope(args["scope"]) if args.get("scope") in set(Scope) else None
    report_context = get_report_context(session, exam_id, scope=scope, now=clock.now(), access=my_access(permission))
    return report_context, get_tree_of(session, report_context, unit_id, tree=read_tree(), access=my_access(permission))


_PAGE = 50


def _group(word: str | None) -> str:
    return word if word in OVERDUE else "not_started"


def _query(group: str, **more: Any) -> dict[str, Any]:
    """Give the address's query: tree and scope as they stand, and the group."""
    kept = {name: request.args[name] for name in ("tree", "scope") if name in request.args}
    return {**kept, "group": group, **more}


@admin_blueprint.get("/exams/<int:exam_id>/chase")
@requires("reports:participation:read")
def show_overdue(exam_id: int) -> AnyResponse:
    """Lead to the list of people to remind of the unit at which the access scope begins."""
    session, access = read_session(), my_access("reports:participation:read")
    get_report_context(session, exam_id, scope=None, now=clock.now(), access=access)
    tops = list_tops(session, access)
    if not tops:
        raise NotFoundError
    return redirect(url_for("unit_management_admin.show_overdue_people", exam_id=exam_id, unit_id=tops[0].id), 303)


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>/chase")
@requires("reports:participation:read")
def show_overdue_people(exam_id: int, unit_id: int) -> str:
    """Show whom to remind in a unit, by unit code and staff number."""
    report_context, units = open_exam(exam_id, unit_id, "reports:participation:read")
    return _show(report_context, units, _group(request.args.get("group")))


def _chat_text(
    report_context: ReportContext, table: queries.OverdueTable, group: str, *, unit_name: str, names: list[str]
) -> str:
    """Write the text for the group chat about the exam that can be taken now; empty where none can."""
    now, exams = clock.now(), (report_context.exam, *report_context.makeups)
    running = next((exam for exam in exams if exam.opens_at <= now < exam.closes_at), None)
    if running is None:
        return ""
    return group_chat_text(
        group,
        running,
        unit=unit_name,
        below=[(row.unit.name, getattr(row.counts, group)) for row in table.below],
        names=names,
        count=getattr(table.total, group),
        address=address_of("attempts.before_start", exam_id=running.id),
    )


def _show(
    report_context: ReportContext, units: UnitTree, group: str, *, problem: str = "", form: CallForm | None = None
) -> str:
    session, page, now = read_session(), chosen_page(), clock.now()
    rows, count = queries.list_overdue(
        session, report_context, units, group=group, offset=(page - 1) * _PAGE, limit=_PAGE
    )
    exam_id, unit_id = report_context.exam.id, units.top.unit_id
    table = queries.get_overdue_table(session, report_context, units)
    issue = find_reminder_issue(group, (report_context.exam, *report_context.makeups), now=now)
    return render_template(
        "unit_management/overdue.html",
        report_context=report_context,
        units=units,
        unit=units.top,
        group=group,
        groups=OVERDUE,
        table=table,
        rows=rows,
        count=count,
        left=queries.left_among(session, [row.person_id for row in rows]) if report_context.snapshot_due_at else set(),
        reminded=queries.last_reminders(session, exam_id, [row.person_id for row in rows]),
        page=page,
        page_count=-(-count // _PAGE),
        address=lambda group=group, unit_id=unit_id, **more: url_for(
            "unit_management_admin.show_overdue_people", exam_id=exam_id, unit_id=unit_id, **_query(group, **more)
        ),
        actions=_query(group),
        issue=issue,
        chat_text=""
        if issue
        else _chat_text(report_context, table, group, unit_name=units.top.name, names=[row.name for row in rows]),
        is_gateway_on=current_app.config["SETTINGS"].message_gateway != "off",
        may_act=may("reports:score:export"),
        may_call=may("unit_management:call:export"),
        needs_consent=_needs_consent(count),
        allowed=_allowed(report_context, units, group) if may("unit_management:call:export") else None,
        remind_form=RemindForm(formdata=None, group=group),
        call_form=form or CallForm(formdata=None, group=group),
        problem=problem,
        scope_names=SCOPE_NAMES,
        roster_label=roster_label(report_context, units.top),
        definitions=definitions(report_context.scope),
    )


@admin_blueprint.post("/exams/<int:exam_id>/units/<int:unit_id>/chase/remind")
@requires("reports:score:export")
def remind(exam_id: int, unit_id: int) -> AnyResponse:
    """Remind a group, each person once a day."""
    form = RemindForm()
    if not form.validate() or form.group.data not in OVERDUE:
        raise BadRequestError
    report_context, units = open_exam(exam_id, unit_id, "reports:score:export")
    group = form.group.data
    back = url_for("unit_management_admin.show_overdue_people", exam_id=exam_id, unit_id=unit_id, **_query(group))
    with submit(back=back) as context:
        count = actions.remind(
            context, report_context, units, group=group, organisation=current_app.extensions["site_texts"].organisation
        )
    text = f"已提醒 {count} 人，他们登录后在首页就能看到。"
    flash(text if count else "这些人员今天都已经提醒过，没有重复提醒。", "success")
    return redirect(back, 303)


@admin_blueprint.post("/exams/<int:exam_id>/units/<int:unit_id>/chase/calls")
@requires("unit_management:call:export")
def export_calls(exam_id: int, unit_id: int) -> AnyResponse | str:
    """Hand out the list by which a unit calls its people, or which a second person has allowed; else ask for it, with the purpose."""
    form = CallForm()
    if form.group.data not in OVERDUE:
        raise BadRequestError
    report_context, units = open_exam(exam_id, unit_id, "unit_management:call:export")
    group = form.group.data
    try:
        if allowed := _allowed(report_context, units, group):
            return _hand_out(report_context, units, allowed, group)
        if not form.validate():
            return _show(report_context, units, group, form=form)
        _, count = queries.list_overdue(read_session(), report_context, units, group=group, offset=0, limit=1)
        if not _needs_consent(count):
            return _hand_out(report_context, units, None, group, reason=form.reason.data)
        with request_transaction() as context:
            actions.request_call_list(context, report_context, units, read_tree(), group=group, reason=form.reason.data)
    except (InvalidReminderError, AlreadyRequestedError) as error:
        return _show(report_context, units, group, problem=error.text, form=form)
    flash("申请已提交。普法办或安全管理员在“审批”中同意后，回到本页下载名单。", "success")
    return redirect(
        url_for("unit_management_admin.show_overdue_people", exam_id=exam_id, unit_id=unit_id, **_query(group)), 303
    )


def _allowed(report_context: ReportContext, units: UnitTree, group: str) -> Approval | None:
    """Find the consent to this list that one may still use."""
    key = actions.call_key(report_context, units, read_tree(), group=group, person_id=my_user().person_id)
    return find_allowed(read_session(), actions.CALLS, key, person_id=my_user().person_id, now=clock.now())


def _needs_consent(count: int) -> bool:
    """Tell whether a list of so many needs a second person: the office's do, and a unit's where they are long."""
    return count > MAX_CALLED_ALONE or may_everywhere("unit_management:call:export")


def _hand_out(
    report_context: ReportContext, units: UnitTree, allowed: Approval | None, group: str, *, reason: str = ""
) -> Response:
    with request_transaction() as context:
        rows = actions.list_to_call(context, report_context, units, allowed, group=group, reason=reason)
        people, access = {row.person_id for row in rows}, my_access("unit_management:call:export")
        own = people if allowed else person_ids_within(context.session, people, access)
        mobiles = find_mobiles(context.session, own, cipher=cipher()) | dict.fromkeys(
            people - own, "已调离，请联系现单位"
        )
    own_issuer = find_issuer(read_session(), access, units.top.unit_id)
    issuer = own_issuer or current_app.extensions["site_texts"].organisation
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.xlsx"
        actions.write_call_list(path, report_context, units, rows, mobiles, group=group, issuer=issuer)
        content = path.read_bytes()
    name = f"催考电话名单-{units.top.name}-{OVERDUE[group]}.xlsx"
    return send_file(BytesIO(content), download_name=name, as_attachment=True, max_age=0)
