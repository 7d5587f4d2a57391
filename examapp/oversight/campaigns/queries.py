"""Reads about campaigns: each with its units, what they did in its days, and what became of a merged one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from examapp.errors import NotFoundError
from examapp.learning.study_events.queries import EventFilter, list_figures
from examapp.learning.study_events.rules import EventFigures
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Unit
from examapp.organisation.units.queries import successor_of
from examapp.oversight.campaigns.models import Campaign, CampaignUnit
from examapp.oversight.campaigns.rules import CampaignProgress, belongs, progress_of, terms_of
from examapp.oversight.duty_lists.models import DutyItem, DutyList, DutyRecord

EVERYTHING = AccessScope(is_everything=True)


@dataclass(slots=True, kw_only=True)
class CampaignLine:
    """A unit in a campaign: what it did, and the units merged into it with what those did."""

    unit: Unit
    merged: list[Unit] = field(default_factory=list)
    rows: list[CampaignUnit] = field(default_factory=list)
    events: list[EventFigures] = field(default_factory=list)
    records: list[DutyRecord] = field(default_factory=list)
    progress: CampaignProgress = CampaignProgress.NOT_YET

    @property
    def note(self) -> str:
        """What the unit says of it; of a merger each one's note."""
        return "\n".join(row.note for row in self.rows if row.note)

    @property
    def present(self) -> int:
        """Officials at its events."""
        return sum(event.present for event in self.events)

    @property
    def outside(self) -> int:
        """The public at its events, and whom its records reached."""
        return sum(event.outside for event in self.events) + sum(record.reached for record in self.records)


def list_campaigns(session: Session, year: int) -> list[tuple[Campaign, int]]:
    """List the campaigns of a year by their first day, each with how many units take part."""
    count = (
        select(func.count())
        .select_from(CampaignUnit)
        .where(CampaignUnit.campaign_id == Campaign.id)
        .correlate(Campaign)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Campaign, count).where(Campaign.year == year).order_by(Campaign.starts_on, Campaign.id)
    )
    return [(campaign, units) for campaign, units in rows]


def get_campaign(session: Session, campaign_id: int, *, has_lock: bool = False) -> Campaign:
    """Get a campaign, which every unit may read; raises NotFoundError."""
    campaign = session.get(Campaign, campaign_id, with_for_update=has_lock, populate_existing=has_lock)
    if campaign is None:
        raise NotFoundError
    return campaign


def list_lines(session: Session, campaign: Campaign, access: AccessScope, *, today: date) -> list[CampaignLine]:
    """List the units of a campaign within the access scope by code, with what they and those below them did; a merged one in its successor's line."""
    rows = session.execute(
        select(CampaignUnit, Unit).join(Unit, Unit.id == CampaignUnit.unit_id).where(CampaignUnit.campaign_id == campaign.id)
    ).all()  # fmt: skip
    lines: dict[int, CampaignLine] = {}
    for row, unit in rows:
        successor = successor_of(session, unit)
        line = lines.setdefault(successor.id, CampaignLine(unit=successor))
        line.rows.append(row)
        if successor.id != unit.id:
            line.merged.append(unit)
    found = [
        line
        for line in lines.values()
        if access.covers(region_path=line.unit.region_path, sector_path=line.unit.sector_path)
    ]
    _fill(session, campaign, found)
    for line in found:
        line.progress = progress_of(
            deeds=len(line.events) + len(line.records),
            note=line.note,
            is_closed=line.unit.closed_at is not None,
            ends_on=campaign.ends_on,
            today=today,
        )
    return sorted(found, key=lambda line: line.unit.code)


def _fill(session: Session, campaign: Campaign, lines: list[CampaignLine]) -> None:
    """Put events and records to the nearest unit above them that has a line."""
    ids = {unit.id: line for line in lines for unit in (line.unit, *line.merged)}
    paths = {row.id: row.region_path for row in session.execute(select(Unit.id, Unit.region_path))}

    def line_of(unit_id: int) -> CampaignLine | None:
        above = [int(part) for part in paths[unit_id].split("/") if part]
        return next((ids[each] for each in reversed(above) if each in ids), None)

    terms = terms_of(campaign.name, campaign.laws)
    wanted = EventFilter(first=campaign.starts_on, last=campaign.ends_on)
    for event in list_figures(session, EVERYTHING, wanted):
        if belongs(terms, *event.laws, event.theme) and (line := line_of(event.unit_id)) is not None:
            line.events.append(event)
    for unit_id, found in _records(session, campaign, terms).items():
        if (line := line_of(unit_id)) is not None:
            line.records += found


def _records(session: Session, campaign: Campaign, terms: list[str]) -> dict[int, list[DutyRecord]]:
    """Give the records of the campaign's days by unit; those that were taken from an event are that event."""
    texts = (DutyRecord.law, DutyRecord.text, DutyRecord.form)
    rows = session.execute(
        select(DutyList.unit_id, DutyRecord)
        .join(DutyItem, DutyItem.id == DutyRecord.item_id)
        .join(DutyList, DutyList.id == DutyItem.list_id)
        .where(
            DutyList.unit_id.is_not(None),
            DutyRecord.withdrawn_at.is_(None),
            DutyRecord.event_id.is_(None),
            DutyRecord.done_on.between(campaign.starts_on, campaign.ends_on),
            or_(*(column.contains(term, autoescape=True) for column in texts for term in terms)),
        )
        .order_by(DutyRecord.done_on, DutyRecord.id)
    )
    found: dict[int, list[DutyRecord]] = defaultdict(list)
    for unit_id, record in rows:
        found[unit_id or 0].append(record)
    return found


def get_line_rows(session: Session, campaign_id: int, unit: Unit) -> list[CampaignUnit]:
    """List the rows of a campaign that a unit answers for: its own, and those of units merged into it, locked; raises NotFoundError without one."""
    rows = session.execute(
        select(CampaignUnit, Unit)
        .join(Unit, Unit.id == CampaignUnit.unit_id)
        .where(CampaignUnit.campaign_id == campaign_id)
        .with_for_update(of=CampaignUnit)
    ).all()
    found = [row for row, own in rows if successor_of(session, own).id == unit.id]
    if not found:
        raise NotFoundError
    return sorted(found, key=lambda row: row.unit_id != unit.id)
