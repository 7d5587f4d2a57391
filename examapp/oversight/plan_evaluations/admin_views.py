"""The evaluation of a plan period: figures by year and unit, the office's conclusion, and the Word document."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from examapp import clock
from examapp.db.session import read_session
from examapp.documents.spreadsheets import Cell
from examapp.errors import NotFoundError
from examapp.organisation.accounts.guards import my_access, requires
from examapp.organisation.issuers.admin_views import made_by
from examapp.oversight.duty_lists.admin_views import APPROVE, add_table, admin_blueprint, current_duty_scope, send_word
from examapp.oversight.duty_lists.rules import PlanPeriod
from examapp.oversight.plan_evaluations import actions, queries
from examapp.oversight.plan_evaluations.queries import STAGE_NAMES, UnitResults, YearFigures
from examapp.points import for_people
from examapp.web.forms import FlaskForm, IntegerField
from examapp.web.submit import status_of, submit


class EvaluationForm(FlaskForm):
    """The office's conclusion."""

    version = IntegerField("版本", default=0)
    text = TextAreaField(
        "评估结论",
        validators=[DataRequired("请填写评估结论。"), Length(max=5000, message="最多 5000 字。")],
        render_kw={"rows": 8},
    )


def _stage() -> str:
    stage = request.args.get("stage", "midterm")
    return stage if stage in STAGE_NAMES else "midterm"


def _read(first_year: int, stage: str) -> tuple[PlanPeriod, list[YearFigures], list[UnitResults]]:
    """Read a period for the office; raises NotFoundError for anybody else."""
    if not current_duty_scope().is_office:
        raise NotFoundError
    session, access, now = read_session(), my_access(APPROVE), clock.now()
    period = queries.get_period(session, first_year)
    years = queries.years_of(period, stage, now=now)
    figures = [queries.year_figures(session, year, access, now=now) for year in years]
    return period, figures, queries.list_results(session, years, access)


@admin_blueprint.route("/periods/<int:first_year>", methods=["GET", "POST"])
@requires(APPROVE)
def show_evaluation(first_year: int) -> Response | tuple[str, int]:
    """Show the evaluation of a period, and keep the office's conclusion."""
    stage = _stage()
    period, figures, results = _read(first_year, stage)
    row = queries.find_evaluation(read_session(), first_year, stage)
    form = EvaluationForm(data={"version": row.version if row else 0, "text": row.text if row else ""})
    if form.validate_on_submit():
        with submit("评估结论已保存。", form=form) as context:
            version, text = form.version.data or 0, form.text.data.strip()
            actions.write_evaluation(context, first_year=first_year, stage=stage, version=version, text=text)
        if not form.is_rejected:
            return redirect(url_for(".show_evaluation", first_year=first_year, stage=stage))
    page = render_template(
        "duties/evaluation.html",
        period=period,
        stage=stage,
        stage_names=STAGE_NAMES,
        figures=figures,
        results=results,
        form=form,
        as_of=clock.now(),
    )
    return page, status_of(form)


@admin_blueprint.get("/periods/<int:first_year>/evaluation.docx")
@requires(APPROVE)
def export_evaluation(first_year: int) -> Response:
    """Give the evaluation as a Word document."""
    from examapp.documents.docx import WordDocument

    stage = _stage()
    period, figures, results = _read(first_year, stage)
    row = queries.find_evaluation(read_session(), first_year, stage)
    years = [each.year for each in figures]
    title = f"“{period.name}”普法规划{STAGE_NAMES[stage]}（{period.first_year}–{period.last_year}）"
    document = WordDocument(is_landscape=True)
    document.title(title)
    document.heading("各年度情况")
    heads = ("年度", "考试", "普法活动（场）", "人次", "公布清单（个）", "事项完成", "述法", "考核等次")
    add_table(document, heads, [_year_cells(each) for each in figures], (8, 46, 12, 12, 12, 14, 14, 24))
    document.heading("各单位考核结果（按单位编码排列，不排名次）")
    widths = (30, *(14 for _ in years))
    if results:
        of_units = ("单位", *(f"{year} 年" for year in years))
        add_table(document, of_units, [_unit_cells(line, years) for line in results], widths)
    else:
        document.paragraph("还没有考核结果。", is_indented=True)
    document.heading("评估结论")
    for line in (row.text if row else "（请补充）").splitlines():
        document.paragraph(line, is_indented=True)
    document.paragraph(made_by(APPROVE))
    return send_word(document, f"{title}.docx")


def _year_cells(each: YearFigures) -> list[Cell]:
    exams = "；".join(
        f"{line.exam.title}参考率 {_rate(line.counts.participation_rate)}，合格率 {_rate(line.counts.pass_rate)}"
        for line in each.exams
    )
    lists, reports = each.lists, each.reports
    bands = "、".join(f"{name or '未定'} {count} 个" for name, count in each.bands.items()) or "–"
    return [str(each.year), exams or "–", each.events.events, each.events.people, lists.published, f"{lists.done} / {lists.items}", f"{reports.submitted} / {reports.owed}", bands]  # fmt: skip


def _rate(value: object) -> str:
    return "–" if value is None else f"{value}%"


def _unit_cells(line: UnitResults, years: list[int]) -> list[Cell]:
    found = [line.by_year.get(year) for year in years]
    return [line.unit.name, *(f"{for_people(one[0])} {one[1]}" if one else "–" for one in found)]
