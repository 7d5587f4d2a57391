"""A campaign gathers by itself what units did in its days; a merged unit's deeds stand in its successor's line."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from examapp import clock
from examapp.learning.study_events.models import StudyEvent
from examapp.oversight.campaigns.models import Campaign, CampaignUnit
from examapp.oversight.campaigns.rules import CampaignProgress, belongs, progress_of, terms_of

MAY = {"name": "民法典宣传月", "starts_on": "2026-05-01", "ends_on": "2026-05-31", "laws": "《民法典》", "version": 1}


@pytest.mark.parametrize(
    ("deeds", "note", "is_closed", "today", "wanted"),
    [
        (1, "", True, 31, CampaignProgress.DONE),
        (0, "已展出", False, 1, CampaignProgress.DONE),
        (0, "", False, 31, CampaignProgress.NOT_YET),
        (0, "", False, 32, CampaignProgress.MISSING),
        (0, "", True, 32, CampaignProgress.CLOSED),
    ],
)
def test_a_unit_is_late_only_after_the_last_day_and_a_dissolved_one_never(deeds, note, is_closed, today, wanted):
    last = date(2026, 5, 31)
    on = date(2026, 5, 1) + timedelta(days=today - 1)
    assert progress_of(deeds=deeds, note=note, is_closed=is_closed, ends_on=last, today=on) == wanted
    assert belongs(terms_of("民法典宣传月", "《民法典》"), "民法典进村", "")
    assert not belongs(terms_of("民法典宣传月", ""), "民法典进村")


def test_what_a_unit_did_is_gathered_and_a_merged_unit_stands_with_its_successor(world):
    county = world.unit("云溪县", kind="county")
    units = [world.unit(name, kind="department", parent=county) for name in ("县粮食局", "县发改局", "县教育局")]
    grain, reform, school = units
    office, admin = world.api(world.admin("publicity_office")), world.api(world.admin("unit_admin", reform))
    other = world.api(world.admin("unit_admin", school))
    assert other.post("/admin/duties/campaigns/new", data=MAY).status_code == 404
    assert office.post("/admin/duties/campaigns/new", data=MAY).status_code == 302
    again = office.post("/admin/duties/campaigns/new", data=MAY)
    assert "2026 年已有“民法典宣传月”" in again.get_data(as_text=True)
    campaign = world.session.query(Campaign).one()
    assert world.session.query(CampaignUnit).count() == 4  # with the office's own
    begins = clock.from_local(clock.local(clock.now()).replace(month=5, day=31, hour=9, tzinfo=None))
    for kind, laws in (("outreach", "民法典"), ("lecture", "刑法")):
        world.save(
            StudyEvent(
                unit_id=grain.id, kind=kind, theme="进村入户", laws=laws, state="held", outside_count=80, starts_at=begins,
                ends_at=begins + timedelta(hours=1), code_seed=b"s", created_at=begins, updated_at=begins,
            )
        )  # fmt: skip
    grain.closed_at, grain.successor_id = clock.now(), reform.id
    world.session.flush()

    page = office.get(f"/admin/duties/campaigns/{campaign.id}").get_data(as_text=True)
    assert "含并入的县粮食局" in page
    assert "进村入户" in page
    assert '<div class="figure-label">群众（人次）</div><div class="figure-value">80</div>' in page
    assert re.search(r'已开展（个）</div><div class="figure-value"><a href="[^"]*progress=done">1</a>', page)
    assert re.search(r'单位（个）</div><div class="figure-value"><a href="[^"]*">3</a>', page)
    listed = office.get(f"/admin/duties/campaigns/{campaign.id}?progress=done&page=9").get_data(as_text=True)
    assert "只列“已开展”的单位" in listed and "县教育局</a>" not in listed
    assert office.get(f"/admin/duties/campaigns/{campaign.id}/summary.docx").data[:2] == b"PK"

    note = f"/admin/duties/campaigns/{campaign.id}/units/"
    assert other.post(f"{note}{reform.id}", data={"note": "x"}).status_code == 404
    assert admin.post(f"{note}{reform.id}", data={"note": "另办展览一次"}).status_code == 302
    assert "另办展览一次" in office.get(f"/admin/duties/campaigns/{campaign.id}").get_data(as_text=True)
    assert "不能删除" in office.post(f"/admin/duties/campaigns/{campaign.id}/remove", follow_redirects=True).get_data(
        as_text=True
    )
    assert office.post("/admin/duties/campaigns/shipped", data={"year": "2026"}).status_code == 302
    assert "宪法宣传周" in admin.get("/admin/duties/campaigns?year=2026").get_data(as_text=True)
