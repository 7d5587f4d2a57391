"""Reports by themselves: every Monday and at the close, once for each administrator at his unit, whoever sweeps how often."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from examapp import clock
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import ExamExtension
from examapp.oversight.report_exports.models import Export
from tests.helpers.forms import token
from tests.helpers.reports import pdf_words, run


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
    assert row[1:] == (county.bureau.id, "participation", "pdf", "done") and "monday:2026-11-23" in row[0]
    page = world.client(admin).get("/admin/reports/exports").text
    assert "参考情况统计表" in page and "下载" in page


def test_at_the_close_the_score_sheet_is_laid_out_once_and_never_again_after_it_has_expired(
    county, world, session, frozen
):
    county.fill_with_every_odd_case()
    world.admin("unit_admin", county.bureau)
    frozen.at(county.exam.closes_at + timedelta(hours=2))
    for _ in range(2):
        run(world, "reports.sweep")
    (row,) = occasions(session)
    assert row[1:] == (county.bureau.id, "score_sheet", "pdf", "done")
    session.query(Export).update({"file": None}, synchronize_session=False)
    run(world, "reports.sweep")
    assert len(occasions(session)) == 1


@pytest.mark.parametrize(
    ("extension_s", "is_full_duration", "beyond_s"), [(0, False, 60), (1800, False, 1860), (600, True, 660 + 3600)]
)
def test_the_report_of_the_close_waits_until_nobody_can_sit_any_more(
    county, world, session, frozen, extension_s, is_full_duration, beyond_s
):
    person = world.person(county.bureau)
    if extension_s:
        extension = {"request_key": "a", "reason": "停电", "granted_at": clock.now(), "applied_at": clock.now()}
        world.save(ExamExtension(exam_id=county.exam.id, person_id=person.id, seconds=extension_s, **extension))
    county.exam.is_full_duration = is_full_duration
    world.admin("unit_admin", county.bureau)
    for seconds, count in ((0, 0), (beyond_s - 1, 0), (beyond_s, 1)):
        frozen.at(county.exam.closes_at + timedelta(seconds=seconds))
        run(world, "reports.sweep")
        assert len(occasions(session)) == count, seconds


def test_whoever_sits_at_the_bell_is_graded_in_the_report_of_the_close(county, world, session, frozen):
    at_the_bell = county.attempt(world.person(county.bureau, name="踩点人"), submitted=False, hours_ago=0)
    world.admin("unit_admin", county.bureau)
    end = county.exam.closes_at = at_the_bell.deadline_at
    session.flush()
    closed = {"state": "submitted", "submitted_at": end, "receipt_number": "R", "is_forced": True}
    for seconds, change in ((61, {"state": "in_progress"}), (90, closed)):
        session.query(Attempt).filter_by(id=at_the_bell.id).update(change)
        frozen.at(end + timedelta(seconds=seconds))
        run(world, "reports.sweep")
        assert occasions(session) == [], change["state"]
    session.query(Attempt).filter_by(id=at_the_bell.id).update({"state": "graded"})
    county.grade(at_the_bell, "88")
    run(world, "reports.sweep")
    words = pdf_words(session.scalars(select(Export.file)).one())
    assert "踩点人" in words and "88.00" in words and "已开始未交卷" not in words


@pytest.mark.parametrize(("is_set_aside", "minutes"), [(True, 1), (False, 61)])
def test_a_paper_that_is_not_graded_holds_the_report_up_for_an_hour_and_one_set_aside_not_at_all(
    county, world, session, frozen, is_set_aside, minutes
):
    waiting = county.attempt(world.person(county.bureau))
    waiting.quarantined_at = clock.now() if is_set_aside else None
    world.admin("unit_admin", county.bureau)
    end = county.exam.closes_at
    for later, count in ((minutes - 1, 0), (minutes, 1)):
        frozen.at(end + timedelta(minutes=later))
        run(world, "reports.sweep")
        assert len(occasions(session)) == count


def test_office_changes_and_stops_what_is_made_by_itself(county, world, session, frozen):
    county.fill_with_every_odd_case()
    client = world.client(world.admin())
    form = {"csrf_token": token(client, "/admin/reports/forms"), "content": "absent", "format": "xlsx"}
    assert client.post("/admin/reports/forms/schedule/close", data=form | {"is_on": "y"}).status_code == 303
    assert client.post("/admin/reports/forms/schedule/never", data=form).status_code == 404
    frozen.at(county.exam.closes_at + timedelta(hours=2))
    run(world, "reports.sweep")
    assert [row[1:4] for row in occasions(session)] == [(county.top.id, "absent", "xlsx")]
    for export in session.query(Export):
        session.delete(export)
    session.flush()
    client = world.client(world.admin())
    form["csrf_token"] = token(client, "/admin/reports/forms")
    assert client.post("/admin/reports/forms/schedule/close", data=form).status_code == 303
    run(world, "reports.sweep")
    assert occasions(session) == []
