"""Pages of the totals of events: by kind, law, unit and month, with who has held none, and as a workbook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flask import render_template
from werkzeug.wrappers import Response

from examapp import clock
from examapp.clock import local
from examapp.db.session import read_session
from examapp.documents.spreadsheets import Cell, SheetColumn, SheetLayout
from examapp.learning.study_events import queries, rules
from examapp.learning.study_events.admin_views import (
    admin_blueprint,
    filter_address,
    filter_units,
    read_filter,
    send_sheets,
)
from examapp.learning.study_events.queries import EventFilter
from examapp.learning.study_events.rules import KIND_NAMES, EventFigures, EventTotals, events_by_kind, totals_by
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.organisation.issuers.admin_views import made_by
from examapp.oversight.event_statistics.queries import list_units_without

PERMISSIONS = {"records:event:read": {Role.UNIT_ADMIN, Role.LEADER, Role.PUBLICITY_OFFICE}}

_READ = "records:event:read"
DEFINITIONS = (
    "只统计已办结的活动，按开始日期归入年度和月份；取消的、未办结的不计。",
    "在册人员＝活动中登记到场的国家工作人员；群众＝组织单位填写的群众和服务对象人数；合计＝两者之和，均为人次。",
    "一场活动学习几部法律的，在每部法律下各计一场，所以各部法律之和可能大于总场数。",
    "按法律查询时，“学习的法律法规”或主题中写有这个名称的都算。",
)


def _figures(wanted: EventFilter) -> list[EventFigures]:
    return queries.list_figures(read_session(), my_access(_READ), wanted)


def _by_law(rows: list[EventFigures]) -> list[EventTotals]:
    found = totals_by(rows, lambda row: [(law, law) for law in row.laws] or [("", "（没有写明）")])
    return sorted(found, key=lambda row: (row.key == "", -row.events, str(row.key)))


def _by_month(rows: list[EventFigures]) -> list[EventTotals]:
    found = totals_by(rows, lambda row: [(f"{local(row.starts_at):%Y-%m}", f"{local(row.starts_at):%Y 年 %-m 月}")])
    return sorted(found, key=lambda row: str(row.key))


def _by_unit(rows: list[EventFigures]) -> list[EventTotals]:
    return totals_by(rows, lambda row: [(row.unit_id, row.unit_name)])


@admin_blueprint.get("/events/totals")
@menu_entry("普法活动统计", position=201, group="普法责任制")
@requires(_READ)
def show_totals() -> str:
    """Show how many events were held and how many people they reached, by kind, law, month and unit."""
    wanted = read_filter(_READ, usual_year=clock.today().year)
    rows = _figures(wanted)
    is_narrow = bool(wanted.kind or wanted.law)
    return render_template(
        "records/totals.html",
        wanted=wanted,
        address=filter_address(wanted),
        units=filter_units(_READ),
        total=rules.totals("", "合计", rows),
        by_kind=events_by_kind(rows),
        by_law=_by_law(rows),
        by_month=_by_month(rows),
        by_unit=_by_unit(rows),
        doubles=rules.likely_doubles(rows),
        without=list_units_without(read_session(), my_access(_READ), wanted) if is_narrow else None,
        kind_names=KIND_NAMES,
        definitions=DEFINITIONS,
        as_of=clock.now(),
        year=clock.today().year,
    )


@admin_blueprint.get("/events/totals.xlsx")
@requires(_READ)
def export_totals() -> Response:
    """Give the totals and the events behind them as a workbook."""
    wanted = read_filter(_READ, usual_year=clock.today().year)
    rows = _figures(wanted)
    total = rules.totals("", "合计", rows)
    parts = {"形式": events_by_kind(rows), "法律": _by_law(rows), "月份": _by_month(rows), "单位": _by_unit(rows)}
    remarks = [filter_label(wanted), f"统计时间：{local(clock.now()):%Y-%m-%d %H:%M}", *DEFINITIONS]
    issuer = made_by(_READ, wanted.unit.id if wanted.unit else None)
    sheets = [*(_sheet(name, part, total, remarks) for name, part in parts.items()), _list_sheet(rows)]
    return send_sheets([replace(sheet, closing=[issuer]) for sheet in sheets], "普法活动统计.xlsx")


def filter_label(wanted: EventFilter) -> str:
    """Say which events were asked for."""
    days = [f"{wanted.first or ''} 至 {wanted.last or ''}"] if wanted.first or wanted.last else []
    parts = [
        *([f"{wanted.year} 年"] if wanted.year else []),
        *days,
        *([wanted.unit.name] if wanted.unit else []),
        *([KIND_NAMES[wanted.kind]] if wanted.kind else []),
        *([wanted.law] if wanted.law else []),
    ]
    return f"统计范围：{'，'.join(parts) or '全部'}"


def _sheet(name: str, part: Iterable[EventTotals], total: EventTotals, remarks: list[str]) -> SheetLayout:
    closing = [] if name == "法律" else [_cells(total)]
    return SheetLayout(
        name=f"按{name}",
        title=f"普法活动统计（按{name}）",
        remarks=remarks,
        columns=[
            SheetColumn(head=name, width=30),
            *(
                SheetColumn(head=head, is_number=True)
                for head in ("场次", "在册人员（人次）", "群众（人次）", "合计（人次）")
            ),
        ],
        rows=[*(_cells(row) for row in part), *closing],
    )


def _cells(row: EventTotals) -> list[Cell]:
    return [row.label, row.events, row.present, row.outside, row.people]


def _list_sheet(rows: list[EventFigures]) -> SheetLayout:
    heads = (("单位编码", 14), ("单位", 24), ("日期", 12), ("形式", 20), ("主题", 36), ("法律法规", 24), ("地点", 20))
    return SheetLayout(
        name="活动明细",
        title="普法活动明细",
        columns=[
            *(SheetColumn(head=head, width=width) for head, width in heads),
            SheetColumn(head="在册人员（人次）", is_number=True),
            SheetColumn(head="群众（人次）", is_number=True),
        ],
        rows=[
            [
                row.unit_code,
                row.unit_name,
                local(row.starts_at).date(),
                KIND_NAMES[row.kind],
                row.theme,
                "、".join(row.laws),
                row.place,
                row.present,
                row.outside,
            ]
            for row in rows
        ],
    )
