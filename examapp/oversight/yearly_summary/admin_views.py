"""The yearly report: its page, where each figure leads to what it was counted from, and the Word document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app, render_template, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.organisation.units.models import AREA_KINDS, Tree
from examapp.oversight.campaigns.rules import CampaignProgress
from examapp.oversight.duty_lists.admin_views import WRITE, admin_blueprint, send_word
from examapp.oversight.own_duties.queries import ExamLine
from examapp.oversight.statistics_scope.queries import find_earlier_exam, list_reported_exams
from examapp.oversight.yearly_summary import rules
from examapp.oversight.yearly_summary.queries import CampaignFigures, YearSummary, year_summary
from examapp.oversight.yearly_summary.rules import percent_text
from examapp.web.params import chosen_year
from examapp.web.trusted_hosts import site_url


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedFigure:
    """A figure of the report and the address of the page that shows what it was counted from."""

    label: str
    value: str
    href: str


def _summary() -> YearSummary:
    return year_summary(read_session(), chosen_year(), my_access(WRITE), now=clock.now())


def sentences_of(summary: YearSummary) -> dict[str, list[str]]:
    """Give the sentences of the report by head."""
    lists, reports = summary.lists, summary.reports
    exams = [
        rules.exam_sentence(
            line.exam.title,
            eligible=line.counts.eligible,
            participated=line.counts.participated,
            passed=line.counts.passed,
            participation=line.counts.participation_rate,
            passing=line.counts.pass_rate,
        )
        for line in summary.exams
    ]
    kinds = [(row.label, row.events) for row in summary.by_kind]
    events = summary.events
    return {
        "exams": exams or ["本年度没有计入统计的考试。"],
        "events": [rules.events_sentence(kinds, events=events.events, present=events.present, outside=events.outside)],
        "campaigns": [rules.campaigns_sentence([(c.campaign.name, c.units, c.done) for c in summary.campaigns])],
        "lists": [
            rules.lists_sentence(published=lists.published, items=lists.items, done=lists.done, overdue=lists.overdue)
        ],
        "reports": [rules.reports_sentence(owed=reports.owed, submitted=reports.submitted, late=reports.late)],
        "assessment": [rules.assessment_sentence(summary.sheets, summary.bands)],
    }


def figures_of(summary: YearSummary) -> dict[str, list[SourcedFigure]]:
    """Give every figure of the report by head, each with its source: for the page, and for the last sheet of the document."""
    return {
        "exams": [figure for line in summary.exams for figure in _exam_figures(line, summary)],
        "events": _event_figures(summary),
        "campaigns": [figure for row in summary.campaigns for figure in _campaign_figures(row)],
        "lists": _list_figures(summary),
        "reports": _report_figures(summary),
        "assessment": _assessment_figures(summary),
    }


def _linked(href: str, figures: Mapping[str, object]) -> list[SourcedFigure]:
    return [SourcedFigure(label=label, value=str(value), href=href) for label, value in figures.items()]


def _exam_figures(line: ExamLine, summary: YearSummary) -> list[SourcedFigure]:
    counts, title = line.counts, line.exam.title
    href = url_for(
        "reports_admin.show_unit",
        exam_id=line.exam.id,
        unit_id=summary.unit.id,
        scope=line.scope,
        tree=summary.tree if summary.tree is Tree.SECTOR else None,
    )
    figures = {
        "应考": counts.eligible,
        "参考": counts.participated,
        "参考率": percent_text(counts.participation_rate),
        "合格": counts.passed,
        "合格率": percent_text(counts.pass_rate),
    }
    return _linked(href, {f"{title}：{name}": value for name, value in figures.items()})


def _event_figures(summary: YearSummary) -> list[SourcedFigure]:
    year, events = summary.year, summary.events
    everything = url_for("records_admin.show_totals", year=year)
    by_kind = [
        figure
        for row in summary.by_kind
        for figure in _linked(
            url_for("records_admin.show_totals", year=year, kind=row.key), {f"{row.label}（场）": row.events}
        )
    ]
    people = {"在册人员（人次）": events.present, "群众和服务对象（人次）": events.outside}
    return [*_linked(everything, {"普法活动（场）": events.events}), *by_kind, *_linked(everything, people)]


def _campaign_figures(row: CampaignFigures) -> list[SourcedFigure]:
    href, name = url_for("duties_admin.show_campaign", campaign_id=row.campaign.id), row.campaign.name
    did = url_for("duties_admin.show_campaign", campaign_id=row.campaign.id, progress=CampaignProgress.DONE)
    whole = _linked(href, {f"{name}：参加的单位（个）": row.units})
    return [*whole, *_linked(did, {f"{name}：已开展的单位（个）": row.done})]


def _list_figures(summary: YearSummary) -> list[SourcedFigure]:
    lists, href = summary.lists, url_for("duties_admin.overview", year=summary.year)
    overdue = url_for("duties_admin.show_calendar", year=summary.year, progress="overdue")
    figures = {"公布清单的单位（个）": lists.published, "事项（项）": lists.items, "已完成（项）": lists.done}
    return [*_linked(href, figures), *_linked(overdue, {"逾期未完成（项）": lists.overdue})]


def _report_figures(summary: YearSummary) -> list[SourcedFigure]:
    reports, year = summary.reports, summary.year
    rows = (
        ("应述法（人）", reports.owed, None),
        ("已述法（人）", reports.submitted, "submitted"),
        ("其中逾期（人）", reports.late, "late"),
        ("没有述法（人）", reports.owed - reports.submitted, "missing"),
    )
    return [
        figure
        for label, value, state in rows
        for figure in _linked(url_for("duties_admin.list_reports", year=year, state=state), {label: value})
    ]


def _assessment_figures(summary: YearSummary) -> list[SourcedFigure]:
    if not summary.sheets:
        return []
    href = url_for("duties_admin.show_assessment", year=summary.year)
    bands = {f"{name or '未定等次'}（个）": count for name, count in summary.bands.items()}
    return _linked(href, {"考核的单位（个）": summary.sheets, "已形成结果（个）": summary.bands.total()} | bands)


@admin_blueprint.get("/yearly")
@menu_entry("年度总结", position=204, group="普法责任制")
@requires(WRITE)
def show_yearly_summary() -> str:
    """Show the year with every figure as a link to what it was counted from, and the questions that are asked most."""
    summary, session = _summary(), read_session()
    civil_code = next((row.campaign for row in summary.campaigns if "民法典" in row.campaign.name), None)
    of_year = summary.exams[-1].exam if summary.exams else next(iter(list_reported_exams(session)), None)
    return render_template(
        "duties/yearly.html",
        summary=summary,
        sentences=sentences_of(summary),
        figures=figures_of(summary),
        heads=rules.HEADS,
        civil_code=civil_code,
        exam=of_year,
        has_earlier=of_year is not None and find_earlier_exam(session, of_year) is not None,
    )


@admin_blueprint.get("/yearly.docx")
@requires(WRITE)
def export_yearly_summary() -> Response:
    """Give the report as a Word document, to be completed and sealed; its last sheet leads from every figure to its source."""
    from examapp.documents.docx import LinkedText, WordDocument

    summary = _summary()
    title = f"{summary.unit.name}{summary.year}年法治宣传教育工作总结"
    document = WordDocument(is_official=True)
    document.title(title)
    sentences = sentences_of(summary)
    heads = [*((name, sentences[key]) for key, name in rules.HEADS.items()), *((name, [rules.TO_WRITE]) for name in rules.OWN_HEADS)]  # fmt: skip
    for number, (name, texts) in zip("一二三四五六七八", heads, strict=True):
        document.heading(f"{number}、{name}")
        for text in texts:
            document.paragraph(rules.without_gaps(text), is_indented=True)
    document.paragraph(f"（统计截至 {clock.local(summary.as_of):%Y年%-m月%-d日}）", is_indented=True)
    is_county = summary.unit.kind in AREA_KINDS and not summary.unit.issuer_name
    issuer = current_app.extensions["site_texts"].organisation if is_county else summary.unit.issuer
    document.paragraph(f"{issuer}（盖章）", align="right")
    document.paragraph("　　年　　月　　日", align="right")
    document.page_break()
    document.heading("附：各项数字的来源")
    document.paragraph("点数字打开平台上的明细，供核对；定稿印发前可删去本附页。", is_indented=True)
    rows: list[list[str | LinkedText]] = [
        [rules.HEADS[key], one.label, LinkedText(one.value, site_url() + one.href)]
        for key, figures in figures_of(summary).items()
        for one in figures
    ]
    document.table([("部分", 24, False), ("项目", 60, False), ("数字", 16, True)], rows)
    return send_word(document, f"{title}.docx")
