"""The chase list of an exam and unit: who has not started, not handed in, failed; reminders, and a list to call by."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import BadRequestError, NotFoundError
from examapp.core.permissions import Permission
from examapp.people.access import actor, may, me, my_reach, requires, sealer
from examapp.people.models import Approval
from examapp.people.operations.approvals import AlreadyAskedError
from examapp.people.queries import find_allowed, find_mobiles
from examapp.reports.operations.files import roster_words
from examapp.reports.queries.basis import Basis, UnitTree, get_basis, list_tops
from examapp.reports.rules import SCOPE_NAMES, definitions
from examapp.unitbook.admin_routes.frame import admin_blueprint, known, open_exam, page_number, read_tree
from examapp.unitbook.forms import CallForm, RemindForm
from examapp.unitbook.operations import chasing as operations
from examapp.unitbook.operations.chasing import ChaseRefusedError
from examapp.unitbook.queries import chasing as queries
from examapp.unitbook.rules import CHASED, reminder_fault

_PAGE = 50


def _group(word: str | None) -> str:
    return word if word in CHASED else "not_started"


def _query(group: str, **more: Any) -> dict[str, Any]:
    """Give the address's query: tree and scope as they stand, and the group."""
    kept = {name: request.args[name] for name in ("tree", "scope") if name in request.args}
    return {**kept, "group": group, **more}


@admin_blueprint.get("/exams/<int:exam_id>/chase")
@requires(Permission.REPORTS_READ)
def chase_exam(exam_id: int) -> AnyResponse:
    """Lead to the chase list of the unit at which the reach begins."""
    session, reach = reading(), my_reach(Permission.REPORTS_READ)
    get_basis(session, known(exam_id), scope=None, now=clock.now(), reach=reach)
    tops = list_tops(session, reach)
    if not tops:
        raise NotFoundError
    return redirect(url_for("unitbook_admin.chase", exam_id=exam_id, unit_id=tops[0].id), 303)


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>/chase")
@requires(Permission.REPORTS_READ)
def chase(exam_id: int, unit_id: int) -> str:
    """Show whom to chase in a unit, by unit code and staff number."""
    basis, units = open_exam(exam_id, unit_id, Permission.REPORTS_READ)
    return _show(basis, units, _group(request.args.get("group")))


def _show(basis: Basis, units: UnitTree, group: str, *, problem: str = "", form: CallForm | None = None) -> str:
    session, page, now = reading(), page_number(), clock.now()
    rows, count = queries.list_chased(session, basis, units, group=group, offset=(page - 1) * _PAGE, limit=_PAGE)
    exam_id, unit_id = basis.exam.id, units.top.unit_id
    return render_template(
        "unitbook/chase.html",
        basis=basis,
        units=units,
        unit=units.top,
        group=group,
        groups=CHASED,
        table=queries.get_chase_table(session, basis, units),
        rows=rows,
        count=count,
        left=queries.left_among(session, [row.person_id for row in rows]) if basis.frozen_at else set(),
        reminded=queries.last_reminders(session, exam_id, [row.person_id for row in rows]),
        page=page,
        page_count=-(-count // _PAGE),
        address=lambda group=group, unit_id=unit_id, **more: url_for(
            "unitbook_admin.chase", exam_id=exam_id, unit_id=unit_id, **_query(group, **more)
        ),
        actions=_query(group),
        fault=reminder_fault(group, (basis.exam, *basis.makeups), now=now),
        is_gateway_on=current_app.config["SETTINGS"].message_gateway != "off",
        may_act=may(Permission.REPORTS_EXPORT),
        may_call=may(Permission.CALLS_EXPORT),
        allowed=_allowed(basis, units, group) if may(Permission.CALLS_EXPORT) else None,
        remind_form=RemindForm(formdata=None, group=group),
        call_form=form or CallForm(formdata=None, group=group),
        problem=problem,
        scope_names=SCOPE_NAMES,
        roster_words=roster_words(basis),
        definitions=definitions(basis.scope),
    )


@admin_blueprint.post("/exams/<int:exam_id>/units/<int:unit_id>/chase/remind")
@requires(Permission.REPORTS_EXPORT)
def remind(exam_id: int, unit_id: int) -> AnyResponse:
    """Remind a group, each person once a day."""
    form = RemindForm()
    if not form.validate() or form.group.data not in CHASED:
        raise BadRequestError
    basis, units = open_exam(exam_id, unit_id, Permission.REPORTS_EXPORT)
    group = form.group.data
    try:
        with transaction() as session:
            count = operations.remind(
                session,
                basis,
                units,
                group=group,
                organisation=current_app.config["SETTINGS"].organisation,
                actor=actor(),
                now=clock.now(),
            )
    except ChaseRefusedError as error:
        flash(error.text, "danger")
    else:
        words = f"已提醒 {count} 人，他们登录后在首页就能看到。"
        flash(words if count else "这些人员今天都已经提醒过，没有重复提醒。", "success")
    return redirect(url_for("unitbook_admin.chase", exam_id=exam_id, unit_id=unit_id, **_query(group)), 303)


@admin_blueprint.post("/exams/<int:exam_id>/units/<int:unit_id>/chase/calls")
@requires(Permission.CALLS_EXPORT)
def export_calls(exam_id: int, unit_id: int) -> AnyResponse | str:
    """Hand out the list by which a unit calls its people where a second person has allowed it; else ask for it, with the purpose."""
    form = CallForm()
    if form.group.data not in CHASED:
        raise BadRequestError
    basis, units = open_exam(exam_id, unit_id, Permission.CALLS_EXPORT)
    group = form.group.data
    try:
        if allowed := _allowed(basis, units, group):
            return _hand_out(basis, units, allowed, group)
        if not form.validate():
            return _show(basis, units, group, form=form)
        with transaction() as session:
            operations.request_call_list(
                session, basis, units, read_tree(), group=group, reason=form.reason.data, actor=actor(), now=clock.now()
            )
    except (ChaseRefusedError, AlreadyAskedError) as error:
        return _show(basis, units, group, problem=error.text, form=form)
    flash("申请已提交。普法办或安全管理员在“审批”中同意后，回到本页下载名单。", "success")
    return redirect(url_for("unitbook_admin.chase", exam_id=exam_id, unit_id=unit_id, **_query(group)), 303)


def _allowed(basis: Basis, units: UnitTree, group: str) -> Approval | None:
    """Find the consent to this list that one may still use."""
    key = operations.call_key(basis, units, read_tree(), group=group, person_id=me().person_id)
    return find_allowed(reading(), operations.CALLS, key, person_id=me().person_id, now=clock.now())


def _hand_out(basis: Basis, units: UnitTree, allowed: Approval, group: str) -> Response:
    with transaction() as session:
        rows = operations.list_to_call(session, basis, units, allowed, group=group, actor=actor(), now=clock.now())
        mobiles = find_mobiles(session, [row.person_id for row in rows], sealer=sealer())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.xlsx"
        operations.write_call_list(path, basis, units, rows, mobiles, group=group)
        content = path.read_bytes()
    name = f"催考电话名单-{units.top.name}-{CHASED[group]}.xlsx"
    return send_file(BytesIO(content), download_name=name, as_attachment=True, max_age=0)
