"""The yearly report: its page, where each figure leads to what it was counted from, and the Word document."""

from __future__ import annotations

from flask import render_template
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.oversight.duty_lists.admin_views import WRITE, admin_blueprint, send_word
from examapp.oversight.statistics_scope.queries import find_earlier_exam, list_reported_exams
from examapp.oversight.yearly_summary import rules
from examapp.oversight.yearly_summary.queries import YearSummary, year_summary
from examapp.web.params import chosen_year


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
        heads=rules.HEADS,
        civil_code=civil_code,
        exam=of_year,
        has_earlier=of_year is not None and find_earlier_exam(session, of_year) is not None,
    )


@admin_blueprint.get("/yearly.docx")
@requires(WRITE)
def export_yearly_summary() -> Response:
    """Give the report as a Word document, to be completed and sealed."""
    from examapp.documents.docx import WordDocument

    summary = _summary()
    title = f"{summary.unit.name}{summary.year}年法治宣传教育工作总结"
    document = WordDocument(is_official=True)
    document.title(title)
    sentences = sentences_of(summary)
    heads = [*((name, sentences[key]) for key, name in rules.HEADS.items()), *((name, [rules.TO_WRITE]) for name in rules.OWN_HEADS)]  # fmt: skip
    for number, (name, texts) in zip("一二三四五六七八", heads, strict=True):
        document.heading(f"{number}、{name}")
        for text in texts:
            document.paragraph(text, is_indented=True)
    document.paragraph(f"（统计截至 {clock.local(summary.as_of):%Y年%-m月%-d日}）", is_indented=True)
    document.paragraph("单位（盖章）", align="right")
    document.paragraph("　　年　　月　　日", align="right")
    return send_word(document, f"{title}.docx")
