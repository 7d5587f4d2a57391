"""Pages of campaigns: the year's, one with what each unit did, its Word document, and a unit's own words."""

from __future__ import annotations

from collections import Counter

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.documents.spreadsheets import Cell
from examapp.errors import NotFoundError
from examapp.learning.study_events.rules import KIND_NAMES
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.organisation.issuers.admin_views import made_by
from examapp.oversight.campaigns import actions, queries, rules
from examapp.oversight.campaigns.forms import CampaignForm, CampaignNoteForm
from examapp.oversight.campaigns.models import Campaign
from examapp.oversight.campaigns.queries import CampaignLine
from examapp.oversight.campaigns.rules import CampaignProgress
from examapp.oversight.duty_lists.admin_views import (
    APPROVE,
    WRITE,
    add_table,
    admin_blueprint,
    current_duty_scope,
    send_word,
)
from examapp.web.params import chosen_page, chosen_year, page_count, posted_year
from examapp.web.submit import request_transaction, status_of, submit

_READ = "records:event:read"
_PAGE = 20
"""Rows of a page: so many fit a phone."""
DEFINITION = (
    "期间内办结的活动、登记的履职记录，法律、主题或内容中写有本专项的法律或名称的，自动列入，不用另报。下级单位开展的计入本单位；"
    "单位合并的，原单位开展的列在合并后的单位。人数均为人次。"
)


def _ensure_office() -> None:
    if not current_duty_scope().is_office:
        raise NotFoundError


@admin_blueprint.get("/campaigns")
@menu_entry("专项宣传", position=202, group="普法责任制")
@requires(_READ)
def list_campaigns() -> str:
    """List the campaigns of a year."""
    year, today = chosen_year(), clock.today()
    rows = queries.list_campaigns(read_session(), year)
    known = {campaign.name for campaign, _ in rows}
    return render_template(
        "duties/campaigns.html",
        year=year,
        rows=rows,
        today=today,
        missing=[shipped for shipped in rules.SHIPPED_CAMPAIGNS if shipped.name not in known],
    )


@admin_blueprint.post("/campaigns/shipped")
@requires(APPROVE)
def open_shipped_campaigns() -> Response:
    """Open the shipped campaigns of a year that are not there."""
    _ensure_office()
    year = posted_year()
    with request_transaction() as context:
        added = actions.open_shipped(context, year=year)
    flash(f"已建好 {added} 项专项宣传，各单位可以看到。日期和任务可以修改。", "success")
    return redirect(url_for(".list_campaigns", year=year))


@admin_blueprint.route("/campaigns/new", methods=["GET", "POST"])
@requires(APPROVE)
def open_campaign() -> Response | tuple[str, int]:
    """Open a campaign of the office's own."""
    return _edit(None)


@admin_blueprint.route("/campaigns/<int:campaign_id>/edit", methods=["GET", "POST"])
@requires(APPROVE)
def change_campaign(campaign_id: int) -> Response | tuple[str, int]:
    """Change a campaign."""
    return _edit(queries.get_campaign(read_session(), campaign_id))


def _edit(campaign: Campaign | None) -> Response | tuple[str, int]:
    _ensure_office()
    form, campaign_id = CampaignForm(obj=campaign), campaign.id if campaign else None
    if form.validate_on_submit():
        with submit("专项宣传已保存。", form=form) as context:
            if campaign_id is None:
                saved_id = actions.open_campaign(context, settings=form.settings()).id
            else:
                version = form.version.data or 0
                actions.change_campaign(context, campaign_id=campaign_id, version=version, settings=form.settings())
                saved_id = campaign_id
        if not form.is_rejected:
            return redirect(url_for(".show_campaign", campaign_id=saved_id))
    return render_template("duties/campaign_form.html", form=form, campaign_id=campaign_id), status_of(form)


def _lines(campaign_id: int) -> tuple[Campaign, list[CampaignLine]]:
    campaign = queries.get_campaign(read_session(), campaign_id)
    return campaign, queries.list_lines(read_session(), campaign, my_access(_READ), today=clock.today())


@admin_blueprint.get("/campaigns/<int:campaign_id>")
@requires(_READ)
def show_campaign(campaign_id: int) -> str:
    """Show a campaign with what each unit did: all units, or those that have come so far."""
    campaign, lines = _lines(campaign_id)
    progress = next((each for each in CampaignProgress if each == request.args.get("progress")), None)
    chosen = [line for line in lines if progress in {None, line.progress}]
    count = page_count(len(chosen), _PAGE)
    page = chosen_page(count)
    return render_template(
        "duties/campaign.html",
        campaign=campaign,
        span=clock.span_text(campaign.starts_on, campaign.ends_on),
        lines=lines,
        shown=chosen[(page - 1) * _PAGE : page * _PAGE],
        progress=progress,
        page=page,
        count=count,
        counts=Counter(line.progress for line in lines),
        kind_names=KIND_NAMES,
        progress_names=rules.PROGRESS_NAMES,
        progress_states=rules.PROGRESS_STATES,
        definition=DEFINITION,
        as_of=clock.now(),
    )


@admin_blueprint.route("/campaigns/<int:campaign_id>/units/<int:unit_id>", methods=["GET", "POST"])
@requires(WRITE)
def note_campaign(campaign_id: int, unit_id: int) -> Response | tuple[str, int]:
    """Write what a unit says of a campaign, beside what stands in its events and records."""
    get_unit_within(read_session(), unit_id, my_access(WRITE))
    campaign, lines = _lines(campaign_id)
    line = next((line for line in lines if line.unit.id == unit_id), None)
    if line is None:
        raise NotFoundError
    form = CampaignNoteForm(data={"note": line.note})
    if form.validate_on_submit():
        with submit("情况说明已保存。", form=form) as context:
            actions.note_campaign(
                context, campaign_id=campaign_id, unit_id=unit_id, note=form.note.data, access=my_access(WRITE)
            )
        if not form.is_rejected:
            return redirect(url_for(".show_campaign", campaign_id=campaign_id))
    page = render_template("duties/campaign_unit.html", form=form, campaign=campaign, line=line, kind_names=KIND_NAMES)
    return page, status_of(form)


@admin_blueprint.post("/campaigns/<int:campaign_id>/add-units")
@requires(APPROVE)
def add_campaign_units(campaign_id: int) -> Response:
    """Let units take part that are not in the campaign yet."""
    _ensure_office()
    with request_transaction() as context:
        added = actions.add_units(context, campaign_id=campaign_id)
    flash(f"补入 {added} 个单位。" if added else "所有单位都已在内。", "success")
    return redirect(url_for(".show_campaign", campaign_id=campaign_id))


@admin_blueprint.post("/campaigns/<int:campaign_id>/remove")
@requires(APPROVE)
def remove_campaign(campaign_id: int) -> Response:
    """Remove a campaign on which no unit has written."""
    _ensure_office()
    year = queries.get_campaign(read_session(), campaign_id).year
    with submit("专项宣传已删除。", back=url_for(".show_campaign", campaign_id=campaign_id)) as context:
        actions.remove_campaign(context, campaign_id=campaign_id)
    return redirect(url_for(".list_campaigns", year=year))


_HEADS = ("单位", "状态", "活动场次", "履职记录", "在册人员（人次）", "群众（人次）", "情况")
_WIDTHS = (24, 12, 12, 12, 14, 14, 44)


@admin_blueprint.get("/campaigns/<int:campaign_id>/summary.docx")
@requires(_READ)
def export_campaign(campaign_id: int) -> Response:
    """Give what each unit did as a Word document."""
    from examapp.documents.docx import WordDocument

    campaign, lines = _lines(campaign_id)
    counts = Counter(line.progress for line in lines)
    title = f"{campaign.year}年{campaign.name}开展情况"
    document = WordDocument(is_landscape=True)
    document.title(title)
    document.paragraph(
        f"{clock.span_text(campaign.starts_on, campaign.ends_on)}，{len(lines)} 个单位中已开展 {counts[CampaignProgress.DONE]} 个，"
        f"活动 {sum(len(line.events) for line in lines)} 场，履职记录 {sum(len(line.records) for line in lines)} 条，"
        f"在册人员 {sum(line.present for line in lines)} 人次，群众 {sum(line.outside for line in lines)} 人次。",
        is_indented=True,
    )
    add_table(document, _HEADS, [_cells(line) for line in lines], _WIDTHS)
    document.paragraph(f"{DEFINITION}统计时间：{clock.local(clock.now()):%Y年%-m月%-d日}。", is_indented=True)
    document.paragraph(made_by(_READ))
    return send_word(document, f"{title}.docx")


def name_of(line: CampaignLine) -> str:
    """Name a line's unit, with those merged into it."""
    merged = "、".join(unit.name for unit in line.merged)
    return f"{line.unit.name}（含并入的{merged}）" if merged else line.unit.name


def _cells(line: CampaignLine) -> list[Cell]:
    events = [
        f"{clock.local(event.starts_at):%-m月%-d日}{KIND_NAMES[event.kind]}“{event.theme}”" for event in line.events
    ]
    records = [f"{record.done_on:%-m月%-d日}{record.form}" for record in line.records]
    text = "；".join([*events, *records, *([line.note] if line.note else [])])
    state = rules.PROGRESS_NAMES[line.progress]
    return [name_of(line), state, len(line.events), len(line.records), line.present, line.outside, text]
