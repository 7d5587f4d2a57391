"""The campaigns of every year that the application comes with, and how far a unit has come in one; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from examapp.learning.study_events.rules import laws_in


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedCampaign:
    """A campaign of every year: first and last day as month and day, and its laws."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]
    laws: str


SHIPPED_CAMPAIGNS = (
    ShippedCampaign(name="中国水周", first=(3, 22), last=(3, 28), laws="水法、长江保护法"),
    ShippedCampaign(
        name="全民国家安全教育日", first=(4, 15), last=(4, 21), laws="国家安全法、反间谍法、保守国家秘密法"
    ),
    ShippedCampaign(name="知识产权宣传周", first=(4, 20), last=(4, 26), laws="专利法、商标法、著作权法"),
    ShippedCampaign(name="民法典宣传月", first=(5, 1), last=(5, 31), laws="民法典"),
    ShippedCampaign(name="安全生产月", first=(6, 1), last=(6, 30), laws="安全生产法"),
    ShippedCampaign(name="全民禁毒宣传月", first=(6, 1), last=(6, 30), laws="禁毒法"),
    ShippedCampaign(name="消防宣传月", first=(11, 1), last=(11, 30), laws="消防法"),
    ShippedCampaign(name="宪法宣传周", first=(12, 1), last=(12, 7), laws="宪法"),
)
"""The office changes a campaign's days and laws as its superior's notice says."""


class CampaignProgress(StrEnum):
    """How far a unit has come in a campaign on a day."""

    DONE = "done"
    MISSING = "missing"
    NOT_YET = "not_yet"
    CLOSED = "closed"


PROGRESS_NAMES = {
    CampaignProgress.DONE: "已开展",
    CampaignProgress.MISSING: "没有开展",
    CampaignProgress.NOT_YET: "尚未开展",
    CampaignProgress.CLOSED: "单位已撤销",
}
PROGRESS_STATES = {
    CampaignProgress.DONE: "state-good",
    CampaignProgress.MISSING: "state-bad",
    CampaignProgress.NOT_YET: "state-wait",
    CampaignProgress.CLOSED: "",
}


def progress_of(*, deeds: int, note: str, is_closed: bool, ends_on: date, today: date) -> CampaignProgress:
    """Tell how far a unit has come: done by one event, record or its own note; missing once the last day has passed."""
    if deeds or note:
        return CampaignProgress.DONE
    if is_closed:
        return CampaignProgress.CLOSED
    return CampaignProgress.MISSING if today > ends_on else CampaignProgress.NOT_YET


def terms_of(name: str, laws: str) -> list[str]:
    """Give the terms by which an event or a record belongs to a campaign: its laws and its name."""
    return [*laws_in(laws), name]


def belongs(terms: Sequence[str], *texts: str) -> bool:
    """Tell whether one of the texts has one of the terms."""
    return any(term in text for term in terms for text in texts)
