"""A first responsible person's own reports, outside the back office."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.organisation.accounts.guards import my_user, signed_in
from examapp.organisation.units.models import Unit
from examapp.oversight.duty_reports import actions, queries, rules
from examapp.oversight.duty_reports.admin_views import edit_report, report_page, send_report
from examapp.oversight.duty_reports.models import DutyReport
from examapp.oversight.own_duties.views import blueprint
from examapp.web.submit import submit


def _own(report_id: int) -> tuple[DutyReport, Unit]:
    return queries.get_report(read_session(), report_id, None, person_id=my_user().person_id)


@blueprint.get("/duties/reports")
@signed_in
def my_reports() -> str:
    """List the reports that who is signed in answers for."""
    return render_template(
        "duties/my_reports.html",
        rows=queries.list_own_reports(read_session(), my_user().person_id, today=clock.today()),
        kind_names=rules.KIND_NAMES,
        status_names=rules.STATUS_NAMES,
        status_styles=rules.STATUS_STYLES,
    )


@blueprint.get("/duties/reports/<int:report_id>")
@signed_in
def show_my_report(report_id: int) -> str:
    """Show one's own report with one's list of duties."""
    report, unit = _own(report_id)
    return report_page(report, unit, is_own=True)


@blueprint.route("/duties/reports/<int:report_id>/edit", methods=["GET", "POST"])
@signed_in
def write_my_report(report_id: int) -> Response | tuple[str, int]:
    """Write one's own report."""
    report, unit = _own(report_id)
    return edit_report(report, unit, access=None, back=url_for(".show_my_report", report_id=report_id))


@blueprint.post("/duties/reports/<int:report_id>/submit")
@signed_in
def submit_my_report(report_id: int) -> Response:
    """Submit one's own report."""
    with submit("已报送，请等普法办审阅。", back=url_for(".show_my_report", report_id=report_id)) as context:
        actions.submit_report(context, report_id=report_id, access=None)
    return redirect(url_for(".show_my_report", report_id=report_id))


@blueprint.get("/duties/reports/<int:report_id>/report.docx")
@signed_in
def export_my_report(report_id: int) -> Response:
    """Give one's own report as a Word document."""
    return send_report(*_own(report_id))
