"""Reports by themselves: every Monday and at the close, once for each administrator at his unit, whoever sweeps how often."""

import re
from datetime import timedelta

from sqlalchemy import select

from examapp.core import clock
from examapp.reports.models import Export
from tests.reports.test_exports import run


def occasions(session):
    session.expire_all()
    return [
        (e.occasion, e.unit_id, e.content, e.format, e.state)
        for e in session.scalars(select(Export).order_by(Export.id))
    ]


def test_every_monday_each_administrator_finds_the_table_of_his_unit_on_the_board(county, world, session, frozen):
    county.fill_with_every_odd_case()
    admin = world.admin("unit_admin", county.bureau)
    world.admin("leader", county.top)
    run(world, "reports.sweep")
    assert occasions(session) == [], "a Tuesday"
    monday = clock.now() - timedelta(days=1)
    county.exam.opens_at = monday - timedelta(days=3)
    session.flush()
    frozen.at(monday.replace(hour=0, minute=30))
    for _ in range(3):
        run(world, "reports.sweep")
    (row,) = occasions(session)
    assert row[1:] == (county.bureau.id, "participation", "pdf", "ready") and "monday:2026-11-23" in row[0]
    page = world.client(admin).get("/admin/reports/exports").text
    assert "参考情况统计表" in page and "下载" in page


def test_at_the_close_the_score_sheet_is_laid_out_once_and_never_again_after_it_has_expired(
    county, world, session, frozen
):
    county.fill_with_every_odd_case()
    world.admin("unit_admin", county.bureau)
    frozen.at(county.exam.closes_at + timedelta(minutes=1))
    for _ in range(2):
        run(world, "reports.sweep")
    (row,) = occasions(session)
    assert row[1:] == (county.bureau.id, "score_sheet", "pdf", "ready")
    session.query(Export).update({"state": "expired", "file": None})
    run(world, "reports.sweep")
    assert len(occasions(session)) == 1


def test_office_changes_and_stops_what_is_made_by_itself(county, world, session, frozen):
    county.fill_with_every_odd_case()
    client = world.client(world.admin())
    page = client.get("/admin/reports/forms").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    form = {"csrf_token": token, "content": "absent", "format": "xlsx"}
    assert client.post("/admin/reports/forms/schedule/close", data=form | {"is_on": "y"}).status_code == 303
    assert client.post("/admin/reports/forms/schedule/never", data=form).status_code == 404
    frozen.at(county.exam.closes_at + timedelta(minutes=1))
    run(world, "reports.sweep")
    assert [row[1:4] for row in occasions(session)] == [(county.top.id, "absent", "xlsx")]
    session.query(Export).delete()
    client = world.client(world.admin())
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/admin/reports/forms").text).group(1)
    assert client.post("/admin/reports/forms/schedule/close", data=form | {"csrf_token": token}).status_code == 303
    run(world, "reports.sweep")
    assert occasions(session) == []
