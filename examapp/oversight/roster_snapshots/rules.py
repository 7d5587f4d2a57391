"""When a roster may be frozen, and in which words a correction is told: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from examapp.web.params import read_whole

FURTHEST = timedelta(days=400)
"""How far ahead a moment may lie, and how far back."""
_PLACES = {None: "应考", "exemption": "免考", "deferral": "缓考"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedPlace:
    """Where a correction puts somebody, as the page showed it: the unit, None for off the roster, and the excuse."""

    unit_id: int | None
    excuse: str | None

    @property
    def text(self) -> str:
        """The place as a form's field carries it."""
        return f"{self.unit_id or ''}:{self.excuse or ''}"


def read_place(text: str) -> StatedPlace | None:
    """Read what a form's field carries; None for nonsense."""
    unit, colon, excuse = text.partition(":")
    unit_id = read_whole(unit)
    if not colon or (unit and unit_id is None) or (excuse or None) not in _PLACES:
        return None
    return StatedPlace(unit_id=unit_id, excuse=excuse or None)


def find_moment_issue(moment: datetime, *, now: datetime) -> str | None:
    """Say why a roster cannot be frozen at a moment, None where it can."""
    if moment > now + FURTHEST:
        return "冻结时间太远，请检查年份。"
    if moment < now - FURTHEST:
        return "冻结时间太早，请检查年份。"
    return None


def unit_status_label(unit: str | None, excuse: str | None) -> str:
    """Name a place on the roster: 教育局（免考）."""
    if unit is None:
        return "不在名册"
    return unit if excuse is None else f"{unit}（{_PLACES[excuse]}）"


def change_kind(old_unit_id: int | None, new_unit_id: int | None) -> str:
    """Name what a correction is about."""
    if old_unit_id is None:
        return "新增"
    if new_unit_id is None:
        return "移出"
    return "免考、缓考" if old_unit_id == new_unit_id else "调动"
