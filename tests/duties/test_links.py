"""Every page of the responsibility system is reached by links from somebody's home page, and stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp import clock
from examapp.learning.study_events.models import StudyEvent
from examapp.oversight.duty_lists.models import DutyRecord
from examapp.oversight.duty_reports.models import DutyReport
from tests.duties.making import picture, put
from tests.linking import read_views, walk

ROOMS = ("duties", "duties_admin")


def hold_event(assessed):
    begins = clock.now() - timedelta(days=2)
    event = StudyEvent(
        unit_id=assessed.unit.id,
        kind="lecture",
        theme="民法典讲座",
        state="held",
        starts_at=begins,
        ends_at=begins + timedelta(hours=2),
        code_seed=b"seed",
        created_at=begins,
        updated_at=begins,
    )
    assessed.world.save(event)


@pytest.mark.slow
def test_every_page_is_reached_by_links_and_stands(app, assessed):
    responsible = assessed.world.person(assessed.unit, name="负责人")
    assessed.open(assessed.unit, client=assessed.office)
    duty_list = assessed.list_of(assessed.unit)
    person = f"负责人（{responsible.staff_number}）"
    for content, due_on in (("宪法", "2026-11-30"), ("民法典", "2026-12-10")):
        added = assessed.add(duty_list, client=assessed.office, content=content, due_on=due_on, person=person)
        assert added.status_code == 302
    for act in ("propose", "publish"):
        assert assessed.press(duty_list, act, client=assessed.office).status_code == 302
    item = assessed.items(duty_list)[0]
    hold_event(assessed)
    year = str(clock.today().year)
    assert assessed.office.post("/admin/duties/campaigns/shipped", data={"year": year}).status_code == 302
    assert (
        assessed.office.post("/admin/duties/reports/ask", data={"year": year, "due_on": f"{year}-12-20"}).status_code
        == 302
    )
    report = assessed.session.query(DutyReport).filter_by(unit_id=assessed.unit.id, kind="leader").one()
    leader = {"person": responsible.staff_number}
    assert assessed.office.post(f"/admin/duties/reports/{report.id}/leader", data=leader).status_code == 302
    deed = {"done_on": "2026-11-01", "form": "学习", "reached": "3"}
    assert assessed.office.post(f"/admin/duties/items/{item.id}/records/new", data=deed).status_code == 302
    record = assessed.session.query(DutyRecord).one()
    assert put(assessed.office, record.id, "现场.png", picture()).status_code == 302
    assessed.open(assessed.other, client=assessed.office)
    assert assessed.add(assessed.list_of(assessed.other), client=assessed.office).status_code == 302
    voter = assessed.world.person(assessed.justice, name="选民")
    assessed.open_it(items=(("普法组织", "10", ""), ("评议", "10", "vote")), vote_until="2026-12-20")
    early = assessed.world.api(assessed.world.person(assessed.justice, name="先投的"))
    votes = {f"unit-{unit.id}": "good" for unit in (assessed.unit, assessed.other)}
    assert early.post("/duties/vote", data=votes).status_code == 302
    for unit in (assessed.unit, assessed.other):
        assert assessed.submit(client=assessed.office, unit=unit).status_code == 302
    assert assessed.review(0, "8").status_code == 302
    assert assessed.review(1, "9").status_code == 302
    assert assessed.on_sheet("feed_back").status_code == 302
    assert assessed.on_sheet("seal").status_code == 302
    assert assessed.office.post("/admin/duties/assessments/create", data={"year": 2027}).status_code == 302

    clients = {
        "office": assessed.office,
        "unit admin": assessed.admin,
        "reviewer": assessed.reviewers[0],
        "voter": assessed.world.api(voter),
        "responsible": assessed.world.api(responsible),
    }
    reached, issues = set(), []
    for name, client in clients.items():
        opened, found = walk(app, client, rooms=(*ROOMS, "records_admin"))
        reached |= opened
        issues += [f"{name}: {issue}" for issue in found]
    assert issues == []
    assert read_views(app, ROOMS) - reached == set(), f"no link leads there ({clock.today()})"
