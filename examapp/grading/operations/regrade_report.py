"""The table of what a regrade changed, to be kept and handed on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.clock import local
from examapp.core.points import as_text
from examapp.core.spreadsheets import Column, Sheet, write_xlsx
from examapp.grading.queries import regrades
from examapp.grading.rules import BAND_NAMES, Band
from examapp.people.rules import Reach

_MOST_ROWS = 100_000
_COLUMNS = (
    Column(head="考试", width=30),
    Column(head="单位编码", width=12),
    Column(head="单位", width=28),
    Column(head="工号", width=14),
    Column(head="姓名", width=12),
    Column(head="第几次作答", width=12),
    Column(head="更正前（分）", width=14),
    Column(head="更正后（分）", width=14),
    Column(head="更正前等次", width=12),
    Column(head="更正后等次", width=12),
)


def write_regrade(session: Session, regrade_id: int, path: Path, *, reach: Reach, actor: Actor, now: datetime) -> str:
    """Write every changed result within the reach, with an audit line; gives the question's code. Raises NotFoundError."""
    found = regrades.get_regrade(session, regrade_id)
    rows = regrades.list_result_changes(session, regrade_id, reach, most=_MOST_ROWS)
    sheet = Sheet(
        name="更正前后对照",
        columns=_COLUMNS,
        rows=(_cells(row) for row in rows),
        title=f"题目 {found.code} 更正答案，重新评分前后对照",
        remarks=[
            f"理由：{found.reason}。申请人：{found.asked_by}，审批人：{found.approved_by}。",
            f"截至 {local(now):%Y-%m-%d %H:%M}，只列分数有变化的作答。",
        ],
    )
    write_xlsx(path, [sheet])
    record(
        session,
        "grading.export_regrade",
        actor=actor,
        now=now,
        object_type="regrade",
        object_id=regrade_id,
        details={"count": len(rows)},
    )
    return str(found.code)


def _cells(row: regrades.ResultChange) -> tuple[str | int | None, ...]:
    return (
        row.title,
        row.unit_code,
        row.unit_name,
        row.staff_number,
        row.name,
        row.number,
        as_text(row.points_before),
        as_text(row.points_after),
        BAND_NAMES[Band(row.band_before)],
        BAND_NAMES[Band(row.band_after)],
    )
