"""Pages of the reports for units and the office: who owes one, one report with what is recorded, its Word document, the summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import get_named_person
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.organisation.issuers.admin_views import made_by
from examapp.organisation.units.models import Unit
from examapp.oversight.duty_lists.admin_views import (
    APPROVE,
    WRITE,
    add_table,
    admin_blueprint,
    current_duty_scope,
    send_word,
)
from examapp.oversight.duty_reports import actions, queries, rules
from examapp.oversight.duty_reports.forms import AskForm, DutyReportForm, LeaderForm, RemarkForm, read_texts
from examapp.oversight.duty_reports.models import DutyReport
from examapp.oversight.duty_reports.queries import ReportRow
from examapp.oversight.duty_reports.rules import HEADS, KIND_NAMES, STATUS_NAMES, ReportState, ReportStatus
from examapp.web.params import chosen_page, chosen_year, page_count, posted_year
from examapp.web.submit import check_form, request_transaction, status_of, submit

_PAGE = 25
"""Rows of a page: so many fit a phone."""


def _kind() -> str:
    kind = request.args.get("kind", "leader")
    return kind if kind in KIND_NAMES else "leader"


@admin_blueprint.get("/reports")
@menu_entry("述法", position=203, group="普法责任制")
@requires(WRITE)
def list_reports() -> str:
    """List the reports of a year within the access scope: all, or those that are missing, came late or are there."""
    year, kind, state = chosen_year(), _kind(), _chosen_state()
    rows = queries.list_reports(read_session(), year, my_access(WRITE), today=clock.today(), kind=kind)
    chosen = [row for row in rows if _CHOICES[state](row)]
    count = page_count(len(chosen), _PAGE)
    page = chosen_page(count)
    return render_template(
        "duties/reports.html",
        year=year,
        kind=kind,
        state=state,
        rows=chosen[(page - 1) * _PAGE : page * _PAGE],
        page=page,
        count=count,
        counts=Counter(row.status for row in rows),
        late=sum(row.is_late for row in rows),
        total=len(rows),
        form=AskForm(),
        is_office=current_duty_scope().is_office,
        kind_names=KIND_NAMES,
        status_names=STATUS_NAMES,
        status_styles=rules.STATUS_STYLES,
    )


_CHOICES: dict[str, Callable[[ReportRow], bool]] = {
    "": lambda _: True,
    "missing": lambda row: row.status in rules.MISSING,
    "submitted": lambda row: row.report.state != ReportState.OPEN,
    "late": lambda row: row.is_late,
}
"""Which reports are listed, by the filter's name."""


def _chosen_state() -> str:
    state = request.args.get("state", "")
    return state if state in _CHOICES else ""


@admin_blueprint.post("/reports/ask")
@requires(APPROVE)
def ask_for_reports() -> Response:
    """Ask the units for the reports of a year."""
    if not current_duty_scope().is_office:
        raise NotFoundError
    form, year = AskForm(), posted_year()
    check_form(form, back=url_for(".list_reports", year=year))
    with request_transaction() as context:
        added = actions.ask_for_reports(context, year=year, due_on=form.due_on.data)
    flash(f"已布置，新增 {added} 份；没有报送的，期限改为 {form.due_on.data:%Y年%-m月%-d日}。", "success")
    return redirect(url_for(".list_reports", year=year))


def _report(report_id: int) -> tuple[DutyReport, Unit]:
    return queries.get_report(read_session(), report_id, my_access(WRITE))


@admin_blueprint.get("/reports/<int:report_id>")
@requires(WRITE)
def show_report(report_id: int) -> str:
    """Show a report with the list of duties and what is recorded."""
    report, unit = _report(report_id)
    return report_page(report, unit, is_own=False)


def report_page(report: DutyReport, unit: Unit, *, is_own: bool) -> str:
    """Draw the page of a report, for who answers for it or for the unit's admin and the office."""
    session = read_session()
    found = queries.recorded_of(session, report, unit, now=clock.now())
    leader = queries.leader_of(session, report)
    status = rules.report_status(
        report.state,
        due_on=report.due_on,
        submitted_at=report.submitted_at,
        is_closed=unit.closed_at is not None,
        today=clock.today(),
    )
    return render_template(
        "duties/report.html",
        report=report,
        unit=unit,
        leader=leader,
        heads=HEADS[report.kind],
        facts=queries.facts_of(found, report.kind),
        checks=queries.checks_of(found, report),
        duty_list=found.page.duty_list,
        kind_name=KIND_NAMES[report.kind],
        status=status,
        status_names=STATUS_NAMES,
        status_styles=rules.STATUS_STYLES,
        is_own=is_own,
        leader_form=LeaderForm(),
        remark_form=RemarkForm(),
        as_of=clock.now(),
    )


@admin_blueprint.route("/reports/<int:report_id>/edit", methods=["GET", "POST"])
@requires(WRITE)
def write_report(report_id: int) -> Response | tuple[str, int]:
    """Write a report for the unit."""
    report, unit = _report(report_id)
    return edit_report(report, unit, access=my_access(WRITE), back=url_for(".show_report", report_id=report_id))


def edit_report(report: DutyReport, unit: Unit, *, access: AccessScope | None, back: str) -> Response | tuple[str, int]:
    """Draw the form of a report, filled in from what is recorded, or keep what was written; one that was handed in is shown instead."""
    if request.method == "GET" and report.state != ReportState.OPEN:
        flash("报告已经报送，不能再改。需要修改的，请普法办退回。", "info")
        return redirect(back)
    form, report_id, kind = DutyReportForm(data={"version": report.version}), report.id, report.kind
    facts = queries.facts_of(queries.recorded_of(read_session(), report, unit, now=clock.now()), kind)
    texts = {key: report.texts.get(key, "") or facts.get(key, "") for key in HEADS[kind]}
    title = f"{unit.name} {report.year} 年{KIND_NAMES[kind]}"
    if form.validate_on_submit():
        texts, problems = read_texts(kind)
        form.problem = "".join(problems)
        if not problems:
            with submit("已保存。写好后请点“报送”。", form=form) as context:
                version = form.version.data or 0
                actions.write_report(context, report_id=report_id, version=version, texts=texts, access=access)
        if not form.is_rejected:
            return redirect(back)
    page = render_template(
        "duties/report_form.html", form=form, title=title, heads=HEADS[kind], texts=texts, facts=facts, back_href=back
    )
    return page, status_of(form)


@admin_blueprint.post("/reports/<int:report_id>/leader")
@requires(WRITE)
def set_report_leader(report_id: int) -> Response:
    """Name the first responsible person."""
    report, unit = _report(report_id)
    form = LeaderForm()
    check_form(form, back=url_for(".show_report", report_id=report_id))
    of_unit = AccessScope(is_everything=False, region_paths=(unit.region_path,))
    with submit("第一责任人已保存。", back=url_for(".show_report", report_id=report.id)) as context:
        person = get_named_person(context.session, form.person.data, of_unit)
        actions.set_leader(context, report_id=report_id, person=person, access=my_access(WRITE))
    return redirect(url_for(".show_report", report_id=report_id))


@admin_blueprint.post("/reports/<int:report_id>/submit")
@requires(WRITE)
def submit_report(report_id: int) -> Response:
    """Submit a report for the unit."""
    with submit("已报送，请等普法办审阅。", back=url_for(".show_report", report_id=report_id)) as context:
        actions.submit_report(context, report_id=report_id, access=my_access(WRITE))
    return redirect(url_for(".show_report", report_id=report_id))


@admin_blueprint.post("/reports/<int:report_id>/read")
@requires(APPROVE)
def read_report(report_id: int) -> Response:
    """Mark a report as read, or give it back."""
    form, is_returned = RemarkForm(), request.form.get("act") == "return"
    check_form(form, back=url_for(".show_report", report_id=report_id))
    act = actions.return_report if is_returned else actions.read_report
    text = "已退回，单位修改后会重新报送。" if is_returned else "已审阅。"
    with submit(text, back=url_for(".show_report", report_id=report_id)) as context:
        act(context, report_id=report_id, remark=form.remark.data, access=my_access(APPROVE))
    return redirect(url_for(".show_report", report_id=report_id))


@admin_blueprint.get("/reports/<int:report_id>/report.docx")
@requires(WRITE)
def export_report(report_id: int) -> Response:
    """Give a report as a Word document to sign."""
    report, unit = _report(report_id)
    return send_report(report, unit)


def send_report(report: DutyReport, unit: Unit) -> Response:
    """Write a report as a Word document."""
    from examapp.documents.docx import WordDocument

    session = read_session()
    leader = queries.leader_of(session, report)
    facts = queries.facts_of(queries.recorded_of(session, report, unit, now=clock.now()), report.kind)
    is_open = report.state == ReportState.OPEN
    title = f"{unit.name}{report.year}年度{KIND_NAMES[report.kind]}"
    document = WordDocument(is_official=True)
    document.title(title)
    for number, (key, head) in enumerate(HEADS[report.kind].items()):
        document.heading(f"{'一二三四五六七八九'[number]}、{head}")
        text = report.texts.get(key, "") or (facts.get(key, "") if is_open else "")
        for line in text.splitlines() or [""]:
            document.paragraph(line, is_indented=True)
    document.paragraph(f"第一责任人：{leader.name if leader else ''}", align="right")
    document.paragraph("（签字）　　　　　　年　　月　　日", align="right")
    return send_word(document, f"{title}.docx")


@admin_blueprint.get("/reports/summary.docx")
@requires(WRITE)
def export_reports() -> Response:
    """Give who has reported and who has not as a Word document."""
    from examapp.documents.docx import WordDocument

    year, kind = chosen_year(), _kind()
    rows = queries.list_reports(read_session(), year, my_access(WRITE), today=clock.today(), kind=kind)
    counts = Counter(row.status for row in rows)
    title = f"{year}年{KIND_NAMES[kind]}报送情况"
    document = WordDocument()
    document.title(title)
    spread = "，".join(f"{STATUS_NAMES[status]} {counts[status]} 份" for status in STATUS_NAMES if counts[status])
    read_late = sum(row.is_late and row.status is ReportStatus.READ for row in rows)
    if read_late:
        spread += f"（其中 {read_late} 份是逾期报送的）"
    document.paragraph(
        f"共 {len(rows)} 份：{spread}。截至 {clock.local(clock.now()):%Y年%-m月%-d日}。", is_indented=True
    )
    missing = [row.unit.name for row in rows if row.status in rules.MISSING]
    if missing:
        document.paragraph(f"没有报送的：{'、'.join(missing)}。", is_indented=True)
    add_table(
        document,
        ("单位", "第一责任人", "状态", "报送日期", "审阅意见"),
        [_cells(row) for row in rows],
        (28, 14, 24, 18, 26),
    )
    document.paragraph(made_by(WRITE))
    return send_word(document, f"{title}.docx")


def _cells(row: ReportRow) -> list[str]:
    at = row.report.submitted_at
    day = f"{clock.local(at):%Y-%m-%d}" if at and row.status not in rules.MISSING else ""
    return [row.unit.name, row.leader, row.status_text, day, row.report.remark]
