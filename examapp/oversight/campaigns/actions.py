"""The office opens, changes and removes campaigns; a unit adds its own words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.errors import ConflictError, DomainError
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import AccessScope
from examapp.oversight.campaigns.models import Campaign, CampaignUnit
from examapp.oversight.campaigns.queries import EVERYTHING, get_campaign, get_line_rows
from examapp.oversight.campaigns.rules import SHIPPED_CAMPAIGNS
from examapp.oversight.event_statistics.queries import list_answering_units
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "campaigns.open": "新建专项宣传",
    "campaigns.change": "修改专项宣传",
    "campaigns.remove": "删除专项宣传",
    "campaigns.note": "填写专项宣传情况",
}
AUDIT_OBJECTS = {"campaign": "专项宣传"}

SHIPPED_TASK = "围绕主题开展学习和宣传，在“学法活动”或普法台账中登记。"


class InvalidCampaignError(DomainError):
    """A campaign cannot stand so; the message says what to do."""

    code = "campaign_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSettings:
    """What the office sets."""

    name: str
    starts_on: date
    ends_on: date
    laws: str = ""
    task: str = ""


def open_campaign(
    context: ActionContext, *, settings: CampaignSettings, unit_ids: Collection[int] | None = None
) -> Campaign:
    """Open a campaign of the year of its first day for units, without any named for all that answer for themselves; raises ConflictError."""
    session, now, year = context.session, context.now, settings.starts_on.year
    _check_name(session, year, settings.name)
    values = {
        "year": year,
        "version": 1,
        "created_by_id": context.actor.person_id,
        "created_at": now,
        "updated_at": now,
    }
    campaign = Campaign(**values, **asdict(settings))
    session.add(campaign)
    session.flush()
    named = unit_ids or [unit.id for unit in list_answering_units(session, EVERYTHING)]
    for unit_id in sorted(set(named)):
        session.add(CampaignUnit(campaign_id=campaign.id, unit_id=unit_id))
    session.flush()
    record(context, "campaigns.open", object_type="campaign", object_id=campaign.id, details={"year": year})
    return campaign


def _check_name(session: Session, year: int, name: str, *, but: int = 0) -> None:
    same = select(func.count()).where(Campaign.year == year, Campaign.name == name, Campaign.id != but)
    if session.scalar(same):
        raise ConflictError(f"{year} 年已有“{name}”。请返回后直接打开，或换一个名称。")


def open_shipped(context: ActionContext, *, year: int) -> int:
    """Open the shipped campaigns of a year that are not there yet; gives how many."""
    known = set(context.session.scalars(select(Campaign.name).where(Campaign.year == year)))
    missing = [shipped for shipped in SHIPPED_CAMPAIGNS if shipped.name not in known]
    for shipped in missing:
        settings = CampaignSettings(
            name=shipped.name,
            starts_on=date(year, *shipped.first),
            ends_on=date(year, *shipped.last),
            laws=shipped.laws,
            task=SHIPPED_TASK,
        )
        open_campaign(context, settings=settings)
    return len(missing)


def change_campaign(context: ActionContext, *, campaign_id: int, version: int, settings: CampaignSettings) -> Campaign:
    """Change a campaign that is still as the form showed it; its units stay."""
    campaign = get_campaign(context.session, campaign_id, has_lock=True)
    if campaign.version != version:
        raise ConflictError("这项专项宣传刚才已被他人修改。请刷新页面，看过新的内容后再改。")
    if settings.starts_on.year != campaign.year:
        raise InvalidCampaignError(f"这是 {campaign.year} 年的专项宣传，开始日期应在这一年。其他年度请新建。")
    _check_name(context.session, campaign.year, settings.name, but=campaign.id)
    for name, value in asdict(settings).items():
        setattr(campaign, name, value)
    campaign.version, campaign.updated_at = version + 1, context.now
    record(context, "campaigns.change", object_type="campaign", object_id=campaign.id)
    return campaign


def remove_campaign(context: ActionContext, *, campaign_id: int) -> None:
    """Remove a campaign on which no unit has written; events and records stay."""
    campaign = get_campaign(context.session, campaign_id, has_lock=True)
    noted = select(func.count()).where(CampaignUnit.campaign_id == campaign_id, CampaignUnit.note != "")
    if context.session.scalar(noted):
        raise InvalidCampaignError("已有单位填写情况，不能删除。")
    context.session.delete(campaign)
    record(context, "campaigns.remove", object_type="campaign", object_id=campaign_id)


def add_units(context: ActionContext, *, campaign_id: int) -> int:
    """Let the answering units take part that are not in the campaign yet, such as new ones; gives how many."""
    session = context.session
    get_campaign(session, campaign_id, has_lock=True)
    rows = [{"campaign_id": campaign_id, "unit_id": unit.id, "note": ""} for unit in list_answering_units(session, EVERYTHING)]  # fmt: skip
    done = session.scalars(insert(CampaignUnit).values(rows).on_conflict_do_nothing().returning(CampaignUnit.unit_id)) if rows else None  # fmt: skip
    added = len(done.all()) if done is not None else 0
    record(context, "campaigns.change", object_type="campaign", object_id=campaign_id, details={"added": added})
    return added


def note_campaign(context: ActionContext, *, campaign_id: int, unit_id: int, note: str, access: AccessScope) -> None:
    """Write what a unit says of a campaign; for one that was merged away its successor answers. Raises NotFoundError beyond the access scope."""
    unit = get_unit_within(context.session, unit_id, access)
    first, *others = get_line_rows(context.session, campaign_id, unit)
    first.note, first.noted_by_id, first.noted_at = note, context.actor.person_id, context.now
    for row in others:
        row.note = ""
    record(context, "campaigns.note", object_type="campaign", object_id=campaign_id, details={"unit_id": unit_id})
