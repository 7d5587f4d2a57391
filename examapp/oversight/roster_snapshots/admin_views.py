"""The shape of what is filled in in the unit book."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange, Regexp

from examapp import clock
from examapp.clock import from_local, local
from examapp.db.session import read_session
from examapp.delivery.exams.actions import may_hold
from examapp.delivery.exams.queries import get_exam, get_organiser_exam
from examapp.organisation.accounts.guards import may, my_access, requires
from examapp.organisation.roster_change_requests.admin_views import admin_blueprint, validate_form
from examapp.oversight.reminders.admin_views import open_exam
from examapp.oversight.reminders.rules import MAX_REASON_LENGTH
from examapp.oversight.report_files.queries import roster_label
from examapp.oversight.roster_snapshots import actions
from examapp.oversight.roster_snapshots.queries import list_accepted_corrections, list_differences
from examapp.oversight.roster_snapshots.rules import StatedPlace, change_kind, read_place, unit_status_label
from examapp.oversight.statistics_definitions.rules import SCOPE_NAMES
from examapp.oversight.statistics_scope.queries import ReportContext
from examapp.oversight.unit_mergers.admin_views import _RELOAD
from examapp.web.forms import DateTimeLocalField, FlaskForm, IntegerField
from examapp.web.params import chosen_number, chosen_page
from examapp.web.submit import submit


class SnapshotForm(FlaskForm):
    """The moment at which an exam's roster is frozen."""

    moment = DateTimeLocalField(
        "冻结时间",
        [InputRequired("请填写冻结时间。")],
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )

    def validate_moment(self, field: DateTimeLocalField) -> None:
        """Reject years that nobody can mean."""
        moment: datetime | None = field.data
        if moment is not None and not 2000 <= moment.year <= 2100:
            raise ValidationError("请检查年份。")


class LiftForm(FlaskForm):
    """Why a freeze is given up."""

    reason = StringField("原因", validators=[InputRequired("请写明原因。"), Length(max=MAX_REASON_LENGTH)])


class CorrectionForm(FlaskForm):
    """One correction, as the page showed it."""

    person_id = IntegerField(validators=[InputRequired(_RELOAD), NumberRange(1, 2**63 - 1, _RELOAD)])
    place = HiddenField(validators=[Regexp(r"^\d{0,18}:(exemption|deferral|)$", message=_RELOAD)])
    reason = StringField(validators=[Length(max=MAX_REASON_LENGTH)])


_PAGE = 50
_MAX_ACCEPTED = 200


@admin_blueprint.get("/exams/<int:exam_id>/units/<int:unit_id>/roster")
@requires("reports:participation:read")
def show_snapshot(exam_id: int, unit_id: int) -> str:
    """Show which roster an exam's figures stand on, and what has changed in a unit since it was frozen."""
    report_context, units = open_exam(exam_id, unit_id, "reports:participation:read")
    session, page = read_session(), chosen_page()
    exam, has_snapshot = report_context.exam, report_context.snapshot_due_at is not None
    changes = list_differences(session, exam, now=clock.now(), unit_ids=units.unit_ids) if has_snapshot else []
    return render_template(
        "unit_management/snapshot.html",
        report_context=report_context,
        units=units,
        unit=units.top,
        roster_label=roster_label(report_context, units.top),
        scope_names=SCOPE_NAMES,
        changes=changes[(page - 1) * _PAGE : page * _PAGE],
        change_count=len(changes),
        page=page,
        page_count=-(-len(changes) // _PAGE),
        accepted=list_accepted_corrections(session, exam, unit_ids=units.unit_ids)[:_MAX_ACCEPTED],
        unit_status_label=unit_status_label,
        change_kind=change_kind,
        place_of=lambda change: StatedPlace(unit_id=change.new_unit_id, excuse=change.new_excuse).text,
        is_office=_may_hold(report_context),
        is_waiting=exam.snapshot_due_at is not None and exam.snapshot_due_at <= clock.now() and not has_snapshot,
        freeze_form=SnapshotForm(formdata=None, moment=local(clock.now()).replace(second=0)),
        lift_form=LiftForm(formdata=None),
    )


def _may_hold(report_context: ReportContext) -> bool:
    if not may("exams:exam:write"):
        return False
    session = read_session()
    return may_hold(session, get_exam(session, report_context.exam.id).audiences, my_access("exams:exam:write"))


@admin_blueprint.post("/exams/<int:exam_id>/roster/freeze")
@requires("exams:exam:write")
def schedule_snapshot(exam_id: int) -> AnyResponse:
    """Declare the moment whose roster counts."""
    form = SnapshotForm()
    moment = from_local(form.moment.data) if form.validate() else None
    text = "已定好冻结时间，到时自动冻结。"
    if moment is not None and moment <= clock.now():
        text = "名册正在冻结，片刻后刷新本页即可看到。"
    return _act(exam_id, form, partial(actions.schedule_snapshot, moment=moment), text)


@admin_blueprint.post("/exams/<int:exam_id>/roster/lift")
@requires("exams:exam:write")
def remove_snapshot(exam_id: int) -> AnyResponse:
    """Give a freeze up, with a reason."""
    form = LiftForm()
    act = partial(actions.remove_snapshot, reason=form.reason.data or "")
    return _act(exam_id, form, act, "已解除冻结，各表改按现行名册统计。")


@admin_blueprint.post("/exams/<int:exam_id>/roster/corrections")
@requires("exams:exam:write")
def accept_correction(exam_id: int) -> AnyResponse:
    """Take one correction into the frozen roster."""
    form = CorrectionForm()
    act = partial(
        actions.accept_correction,
        person_id=form.person_id.data,
        stated=read_place(form.place.data or ""),
        reason=form.reason.data or "",
    )
    return _act(exam_id, form, act, "已采纳这条更正，各表的数字已随之改变。")


def _act(exam_id: int, form: FlaskForm, act: Callable[..., object], text: str) -> AnyResponse:
    """Do one act on an exam that lies within the office's access scope, and lead back to the unit's page that it was asked from."""
    access = my_access("exams:exam:write")
    get_organiser_exam(read_session(), exam_id, access)
    with submit(text) as context:
        validate_form(form)
        act(context, exam_id=exam_id, access=access)
    unit_id = chosen_number("unit")
    if unit_id is None:
        return redirect(url_for("reports_admin.show_exam", exam_id=exam_id), 303)
    return redirect(url_for("unit_management_admin.show_snapshot", exam_id=exam_id, unit_id=unit_id), 303)
