"""What leaves the application of an assessment: a unit's score table, the table of results by unit code, the county's summary."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.documents.spreadsheets import Cell, SheetColumn, SheetLayout
from examapp.errors import NotFoundError
from examapp.learning.study_events.admin_views import send_sheets
from examapp.organisation.accounts.guards import requires
from examapp.organisation.issuers.admin_views import made_by
from examapp.oversight.assessments import queries as assessment_queries
from examapp.oversight.assessments import rules as assessment_rules
from examapp.oversight.assessments.models import Assessment
from examapp.oversight.assessments.queries import UnitScoreSheet as ScoreSheet
from examapp.oversight.assessments.rules import SheetState
from examapp.oversight.duty_lists.admin_views import (
    WRITE,
    add_table,
    admin_blueprint,
    current_duty_scope,
    send_word,
)
from examapp.points import for_people, mean

_HEADS = ("考核项目", "考核内容", "分值", "评分标准", "自评得分", "自评理由", "考核得分")
_WIDTHS = (14, 24, 8, 36, 10, 30, 10)
_SIGNATURES = "自评单位（盖章）：{issuer}　　　　单位负责人（签字）：　　　　　　　　考核组（签字）：　　　　　　　　　　年　　月　　日"


def _unit_sheet(sheet_id: int) -> tuple[ScoreSheet, str, str]:
    """Give a sheet within the access scope, its title, and the line on which state and version it stands."""
    session = read_session()
    sheet = assessment_queries.whole_sheet(
        session, assessment_queries.get_sheet_row(session, sheet_id, current_duty_scope()), now=clock.now()
    )
    state = assessment_rules.SHEET_STATE_NAMES[SheetState(sheet.row.state)]
    number = len(assessment_queries.list_revisions(session, sheet_id))
    version = f"（第 {number} 版）" if number else ""
    return sheet, f"{sheet.unit.name}{sheet.assessment.year}年度普法责任制考核评分表", f"{state}{version}"


def _rows(sheet: ScoreSheet) -> list[list[Cell]]:
    is_fixed = sheet.row.total is not None
    rows: list[list[Cell]] = [
        [
            line.item.section,
            line.item.content,
            line.item.points,
            line.item.standard,
            line.own,
            line.self_reason if line.is_judged else f"{for_people(line.rate)}%，按数据计分",
            line.reviewed if is_fixed else None,
        ]
        for line in sheet.lines
    ]
    return [*rows, ["合计", "", sheet.possible, "", sheet.own_total, "", sheet.row.total]]


@admin_blueprint.get("/sheets/<int:sheet_id>/table.xlsx")
@requires(WRITE)
def export_sheet(sheet_id: int) -> Response:
    """Give a unit's score table as a workbook."""
    sheet, title, state = _unit_sheet(sheet_id)
    page = SheetLayout(
        name="评分表",
        title=title,
        remarks=[_state_line(sheet, state)],
        columns=[SheetColumn(head=head, width=width) for head, width in zip(_HEADS, _WIDTHS, strict=True)],
        rows=_rows(sheet),
        closing=["", _SIGNATURES.format(issuer=sheet.unit.issuer)],
    )
    return send_sheets([page], f"{title}.xlsx")


@admin_blueprint.get("/sheets/<int:sheet_id>/table.docx")
@requires(WRITE)
def export_sheet_word(sheet_id: int) -> Response:
    """Give a unit's score table as a Word document to sign and seal."""
    from examapp.documents.docx import WordDocument

    sheet, title, state = _unit_sheet(sheet_id)
    document = WordDocument(is_landscape=True)
    document.title(title)
    document.paragraph(_state_line(sheet, state))
    add_table(document, _HEADS, _rows(sheet), _WIDTHS)
    document.paragraph(_SIGNATURES.format(issuer=sheet.unit.issuer))
    return send_word(document, f"{title}.docx")


def _state_line(sheet: ScoreSheet, state: str) -> str:
    band = f"；等次：{sheet.row.band}" if sheet.row.band else ""
    return (
        f"状态：{state}；得分：{for_people(sheet.row.total)}{band}；导出时间：{clock.local(clock.now()):%Y-%m-%d %H:%M}"
    )


def _year_sheets(assessment_id: int) -> tuple[Assessment, list[ScoreSheet]]:
    """Give an open assessment with the sheets within the access scope, by unit code."""
    found = assessment_queries.get_assessment(read_session(), assessment_id)
    if found.state != assessment_rules.AssessmentState.OPEN:
        raise NotFoundError
    return found, assessment_queries.list_sheets(read_session(), found, current_duty_scope(), now=clock.now())


@admin_blueprint.get("/assessments/<int:assessment_id>/results.xlsx")
@requires(WRITE)
def export_results(assessment_id: int) -> Response:
    """Give the results of the units within the access scope by unit code as a workbook: each item's points, the total, the band."""
    found, sheets = _year_sheets(assessment_id)
    versions = assessment_queries.revision_numbers(read_session(), assessment_id)
    columns = [
        SheetColumn(head="单位编码"),
        SheetColumn(head="单位", width=24),
        *(SheetColumn(head=f"{item.content}（{for_people(item.points)}分）", width=12) for item in found.items),
        SheetColumn(head="得分", width=10),
        SheetColumn(head="等次", width=10),
        SheetColumn(head="状态", width=12),
        SheetColumn(head="版本", width=8),
    ]
    page = SheetLayout(
        name="考核结果",
        title=f"{found.title}结果表",
        remarks=["按单位编码排列，不排名次。没有反馈的单位不列得分。", *_definitions(found)],
        columns=columns,
        rows=[_result_row(sheet, versions.get(sheet.row.id)) for sheet in sheets],
        closing=[made_by(WRITE)],
    )
    return send_sheets([page], f"{found.title}结果表.xlsx")


def _result_row(sheet: ScoreSheet, version: int | None) -> list[Cell]:
    state = assessment_rules.SHEET_STATE_NAMES[SheetState(sheet.row.state)]
    points = [line.fixed for line in sheet.lines]
    return [sheet.unit.code, sheet.unit.name, *points, sheet.row.total, sheet.row.band, state, version]


def _definitions(found: Assessment) -> list[str]:
    used = dict.fromkeys(item.indicator for item in found.items if item.indicator)
    return [assessment_rules.INDICATOR_DEFINITIONS[assessment_rules.Indicator(name)] for name in used]


@admin_blueprint.get("/assessments/<int:assessment_id>/summary.docx")
@requires(WRITE)
def export_summary(assessment_id: int) -> Response:
    """Give the summary of the units within the access scope as a Word document: bands, means, and the table by unit code."""
    from examapp.documents.docx import WordDocument

    found, sheets = _year_sheets(assessment_id)
    done = [sheet for sheet in sheets if sheet.row.total is not None]
    document = WordDocument()
    document.title(f"{found.title}情况汇总")
    for text in _summary_text(found, sheets, done):
        document.paragraph(text, is_indented=True)
    document.heading("考核结果（按单位编码排列）")
    heads = ("单位编码", "单位", "自评得分", "考核得分", "等次", "状态")
    add_table(document, heads, [_summary_row(sheet) for sheet in sheets], (14, 30, 12, 12, 10, 14))
    document.heading("各项得分情况")
    add_table(document, ("考核内容", "分值", "平均得分"), _item_rows(found, done), (50, 15, 15))
    for text in _definitions(found):
        document.paragraph(text, is_indented=True)
    document.paragraph(made_by(WRITE))
    return send_word(document, f"{found.title}情况汇总.docx")


def _summary_row(sheet: ScoreSheet) -> list[Cell]:
    state = assessment_rules.SHEET_STATE_NAMES[SheetState(sheet.row.state)]
    return [sheet.unit.code, sheet.unit.name, sheet.own_total, sheet.row.total, sheet.row.band, state]


def _summary_text(found: Assessment, sheets: list[ScoreSheet], done: list[ScoreSheet]) -> list[str]:
    bands = Counter(sheet.row.band for sheet in done)
    text = "、".join(f"{band.name} {bands[band.name]} 个" for band in assessment_queries.bands_of(found))
    totals = [sheet.row.total for sheet in done if sheet.row.total is not None]
    sealed = sum(sheet.row.state == SheetState.SEALED for sheet in sheets)
    lines = [
        f"{found.year} 年度共考核 {len(sheets)} 个单位，已形成考核结果 {len(done)} 个，其中已封存 {sealed} 个。",
    ]
    if done:
        average = for_people(mean(sum(totals, Decimal(0)), len(totals)))
        possible = for_people(done[0].possible)
        lines.append(f"等次分布：{text}。平均得分 {average} 分（满分 {possible} 分）。")
    return lines


def _item_rows(found: Assessment, done: list[ScoreSheet]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for place, item in enumerate(found.items):
        points = [line.fixed for sheet in done if (line := sheet.lines[place]).fixed is not None]
        given = [value for value in points if value is not None]
        rows.append([item.content, item.points, mean(sum(given, Decimal(0)), len(given))])
    return rows
