"""Reports by themselves: every Monday and at the close, once for each administrator at his unit, whoever sweeps how often."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from examapp import clock
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import ExamExtension
from examapp.oversight.report_exports.models import Export
from tests.helpers.forms import token
from tests.helpers.reports import pdf_text, run


def schedule_keys(session):
    session.expire_all()
    return [
        (e.schedule_key, e.unit_id, e.content, e.format, e.state)
        for e in session.scalars(select(Export).order_by(Export.id))
    ]


def test_every_monday_each_administrator_finds_the_table_of_his_unit_on_the_board(county, world, session, fixed_clock):
    county.fill_with_every_odd_case()
    admin = world.admin("unit_admin", county.bureau)
    world.admin("leader", county.top)
    run(world, "reports.sweep")
    assert schedule_keys(session) == [], "a Tuesday"
    monday = clock.now() - timedelta(days=1)
    county.exam.opens_at = monday - timedelta(days=3)
    session.flush()
    fixed_clock.at(monday.replace(hour=0, minute=30))
    for _ in range(3):
        run(world, "reports.sweep")
    (row,) = schedule_keys(session)
    assert row[1:] == (county.bureau.id, "participation", "pdf", "done") and "monday:2026-11-23" in row[0]
    page = world.client(admin).get("/admin/reports/exports").text
    assert "参考情况统计表" in page and "下载" in page


def test_at_the_close_the_score_sheet_is_laid_out_once_and_never_again_after_it_has_expired(
    county, world, session, fixed_clock
):
    county.fill_with_every_odd_case()
    world.admin("unit_admin", county.bureau)
    fixed_clock.at(county.exam.closes_at + timedelta(hours=2))
    for _ in range(2):
        run(world, "reports.sweep")
    (row,) = schedule_keys(session)
    assert row[1:] == (county.bureau.id, "score_sheet", "pdf", "done")
    session.query(Export).update({"file": None}, synchronize_session=False)
    run(world, "reports.sweep")
    assert len(schedule_keys(session)) == 1


@pytest.mark.parametrize(
    ("extension_s", "is_full_duration", "beyond_s"), [(0, False, 60), (1800, False, 1860), (600, True, 660 + 3600)]
)
def test_the_report_of_the_close_waits_until_nobody_can_sit_any_more(
    county, world, session, fixed_clock, extension_s, is_full_duration, beyond_s
):
    person = world.person(county.bureau)
    if extension_s:
        extension = {"request_key": "a", "reason": "停电", "granted_at": clock.now(), "applied_at": clock.now()}
        world.save(ExamExtension(exam_id=county.exam.id, person_id=person.id, seconds=extension_s, **extension))
    county.exam.is_full_duration = is_full_duration
    world.admin("unit_admin", county.bureau)
    for seconds, count in ((0, 0), (beyond_s - 1, 0), (beyond_s, 1)):
        fixed_clock.at(county.exam.closes_at + timedelta(seconds=seconds))
        run(world, "reports.sweep")
        assert len(schedule_keys(session)) == count, seconds


def test_anyone_in_the_exam_at_the_bell_is_graded_in_the_report_of_the_close(county, world, session, fixed_clock):
    at_the_bell = county.attempt(world.person(county.bureau, name="踩点人"), submitted=False, hours_ago=0)
    world.admin("unit_admin", county.bureau)
    end = county.exam.closes_at = at_the_bell.deadline_at
    session.flush()
    closed = {"state": "submitted", "submitted_at": end, "receipt_number": "R", "is_forced": True}
    for seconds, change in ((61, {"state": "in_progress"}), (90, closed)):
        session.query(Attempt).filter_by(id=at_the_bell.id).update(change)
        fixed_clock.at(end + timedelta(seconds=seconds))
        run(world, "reports.sweep")
        assert schedule_keys(session) == [], change["state"]
    session.query(Attempt).filter_by(id=at_the_bell.id).update({"state": "graded"})
    county.grade(at_the_bell, "88")
    run(world, "reports.sweep")
    text = pdf_text(session.scalars(select(Export.file)).one())
    assert "踩点人" in text and "88.00" in text and "已开始未交卷" not in text


@pytest.mark.parametrize(("is_set_aside", "minutes"), [(True, 1), (False, 61)])
def test_a_paper_that_is_not_graded_holds_the_report_up_for_an_hour_and_one_set_aside_not_at_all(
    county, world, session, fixed_clock, is_set_aside, minutes
):
    waiting = county.attempt(world.person(county.bureau))
    waiting.quarantined_at = clock.now() if is_set_aside else None
    world.admin("unit_admin", county.bureau)
    end = county.exam.closes_at
    for later, count in ((minutes - 1, 0), (minutes, 1)):
        fixed_clock.at(end + timedelta(minutes=later))
        run(world, "reports.sweep")
        assert len(schedule_keys(session)) == count


def test_office_changes_and_stops_what_is_made_by_itself(county, world, session, fixed_clock):
    county.fill_with_every_odd_case()
    client = world.client(world.admin())
    form = {"csrf_token": token(client, "/admin/reports/forms"), "content": "absent", "format": "xlsx"}
    assert client.post("/admin/reports/forms/schedule/close", data=form | {"is_on": "y"}).status_code == 303
    assert client.post("/admin/reports/forms/schedule/never", data=form).status_code == 404
    fixed_clock.at(county.exam.closes_at + timedelta(hours=2))
    run(world, "reports.sweep")
    assert [row[1:4] for row in schedule_keys(session)] == [(county.top.id, "absent", "xlsx")]
    for export in session.query(Export):
        session.delete(export)
    session.flush()
    client = world.client(world.admin())
    form["csrf_token"] = token(client, "/admin/reports/forms")
    assert client.post("/admin/reports/forms/schedule/close", data=form).status_code == 303
    run(world, "reports.sweep")
    assert schedule_keys(session) == []
