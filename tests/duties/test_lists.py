"""Lists a year and unit: made, proposed, approved, published, copied; who may, and what happens twice."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from examapp.oversight.duty_lists.rules import SHIPPED_PERIODS, Progress, period_of, progress_of
from examapp.platform.audit.models import AuditEvent
from tests.duties.making import ITEM


def test_a_unit_admin_makes_a_list_and_the_office_publishes_it(duties):
    assert duties.open(duties.unit).status_code == 302
    own = duties.list_of(duties.unit)
    assert duties.add(own).status_code == 302
    assert duties.press(own, "propose").status_code == 302
    assert own.state == "proposed"
    assert "司法局" in duties.office.get("/admin/duties/").text
    assert duties.press(own, "publish").status_code == 404  # a unit admin does not approve
    assert duties.press(own, "publish", client=duties.office).status_code == 302
    assert own.state == "published"
    assert duties.session.query(AuditEvent).filter_by(act="duties.publish_list", object_id=own.id).count() == 1
    assert "行政处罚法" in duties.admin.get(f"/admin/duties/lists/{own.id}").text


def test_a_second_approval_is_rejected_and_changes_nothing(duties):
    own = duties.published()
    at, version = own.published_at, own.version
    page = f"/admin/duties/lists/{own.id}"
    assert duties.press(own, "publish", client=duties.office).location == page
    assert "已经审核公布" in duties.office.get(page).text
    assert (own.published_at, own.version) == (at, version)
    assert duties.session.query(AuditEvent).filter_by(act="duties.publish_list").count() == 1


def test_what_changed_after_it_was_looked_at_is_not_approved(duties):
    duties.open(duties.unit)
    own = duties.list_of(duties.unit)
    duties.add(own)
    duties.press(own, "propose")
    seen = duties.version(own)
    duties.press(own, "take-back")
    duties.add(own, content="保密法")
    duties.press(own, "propose")
    assert duties.press(own, "publish", client=duties.office, version=seen).status_code == 303
    assert "已被他人修改" in duties.office.get(f"/admin/duties/lists/{own.id}").text
    assert own.state == "proposed"


def test_two_admins_at_once_do_not_overwrite_each_other(duties):
    duties.open(duties.unit)
    own = duties.list_of(duties.unit)
    duties.add(own)
    item = duties.items(own)[0]
    url = f"/admin/duties/items/{item.id}/edit"
    assert duties.admin.post(url, data=ITEM | {"version": "1", "person": "王五"}).status_code == 302
    late = duties.office.post(url, data=ITEM | {"version": "1", "person": "赵六"})
    assert late.status_code == 422
    assert "已被他人修改" in late.text
    assert duties.items(own)[0].person == "王五"


def test_a_proposed_or_published_list_is_not_changed_until_it_comes_back(duties):
    own = duties.published()
    item = duties.items(own)[0]
    assert duties.add(own, content="保密法").status_code == 422
    assert duties.admin.post(f"/admin/duties/items/{item.id}/remove").status_code == 409
    assert duties.press(own, "send-back", client=duties.office, remark="").location == f"/admin/duties/lists/{own.id}"
    assert "请写明退回理由" in duties.office.get(f"/admin/duties/lists/{own.id}").text
    assert duties.press(own, "send-back", client=duties.office, remark="请补充保密法").status_code == 302
    assert "请补充保密法" in duties.admin.get(f"/admin/duties/lists/{own.id}").text
    assert duties.add(own, content="保密法").status_code == 302


def test_a_list_without_person_or_due_date_is_not_proposed(duties):
    duties.open(duties.unit)
    own = duties.list_of(duties.unit)
    page = f"/admin/duties/lists/{own.id}"
    assert duties.press(own, "propose").location == page
    assert "还没有事项" in duties.admin.get(page).text
    duties.add(own, person="", due_on="")
    assert duties.press(own, "propose").location == page, "back to the list, not to a page without a way on"
    text = duties.admin.get(page).text
    assert "第 1 项没有责任人" in text
    assert "第 1 项没有完成时限" in text


def test_a_list_names_the_items_whose_responsible_person_is_nobody_of_the_unit(duties, world):
    duties.open(duties.unit)
    own = duties.list_of(duties.unit)
    world.person(duties.unit, name="王五", staff_number="W5")
    for number, person in enumerate(("王五", "不存在的人", "王五、不存在的人"), 1):
        duties.add(own, content=f"第{number}法", person=person)
    assert "第 2、3 项的责任人在本单位名册中找不到" in duties.admin.get(f"/admin/duties/lists/{own.id}").text


def test_common_items_reach_every_list_and_the_unit_sets_only_who_answers(duties):
    duties.open(duties.unit)
    own = duties.list_of(duties.unit)
    common = duties.list_of(None)  # made with the first list
    assert duties.add(common, client=duties.office, content="宪法").status_code == 302
    duties.open(duties.other, client=duties.office)
    assert [i.content for i in duties.items(duties.list_of(duties.other))] == ["宪法"]
    copy = duties.items(own)[0]
    assert (copy.kind, copy.person) == ("common", "")
    url = f"/admin/duties/items/{copy.id}/edit"
    assert duties.admin.post(url, data={"version": "1", "person": "王五", "content": "别的"}).status_code == 302
    copy = duties.items(own)[0]
    assert (copy.content, copy.person) == ("宪法", "王五")
    source = duties.items(common)[0]
    duties.office.post(f"/admin/duties/items/{source.id}/edit", data=ITEM | {"version": "1", "content": "宪法和国旗法"})
    copy = duties.items(own)[0]
    assert (copy.content, copy.person) == ("宪法和国旗法", "王五")
    assert duties.admin.post(f"/admin/duties/items/{copy.id}/remove").status_code == 409
    assert duties.office.post(f"/admin/duties/items/{source.id}/remove").status_code == 302
    assert duties.items(own) == []


def test_the_common_list_is_the_offices_alone(duties):
    assert duties.open(None).status_code == 404
    assert duties.open(None, client=duties.office).status_code == 302
    common = duties.list_of(None)
    assert duties.admin.get(f"/admin/duties/lists/{common.id}").status_code == 404
    assert duties.add(common).status_code == 404


def test_a_unit_out_of_reach_is_not_found(duties):
    assert duties.open(duties.other).status_code == 404
    duties.open(duties.other, client=duties.office)
    foreign = duties.list_of(duties.other)
    duties.add(foreign, client=duties.office)
    item = duties.items(foreign)[0]
    for path in (f"lists/{foreign.id}", f"items/{item.id}/edit", f"lists/{foreign.id}/items/new"):
        assert duties.admin.get(f"/admin/duties/{path}").status_code == 404, path
    for path in (f"lists/{foreign.id}/propose", f"lists/{foreign.id}/take-back", f"items/{item.id}/remove"):
        assert duties.admin.post(f"/admin/duties/{path}", data={"version": "1"}).status_code == 404, path
    assert "财政局" not in duties.admin.get("/admin/duties/").text


def test_a_list_is_opened_once(duties):
    assert duties.open(duties.unit).status_code == 302
    again = duties.open(duties.unit)
    assert again.status_code == 409
    assert "已经建好" in again.text


def test_last_years_own_items_are_copied_with_their_days_moved(duties):
    duties.open(duties.unit, year=2024)
    old = duties.list_of(duties.unit, 2024)
    duties.add(old, due_on="2024-02-29", key_on="2024-12-04")
    assert duties.open(duties.unit, year=2025, copied="1").status_code == 302
    item = duties.items(duties.list_of(duties.unit, 2025))[0]
    assert (item.content, item.person, item.due_on, item.key_on) == (
        "行政处罚法",
        "张三",
        date(2025, 2, 28),
        date(2025, 12, 4),
    )


def test_days_outside_the_year_are_rejected(duties):
    duties.open(duties.unit)
    answer = duties.add(duties.list_of(duties.unit), due_on="2027-01-01")
    assert answer.status_code == 422
    assert "应在 2026 年内" in answer.text


def test_the_overview_takes_few_statements(duties, statements):
    duties.published()
    duties.admin.get("/admin/duties/")
    with statements() as seen:
        assert duties.office.get("/admin/duties/").status_code == 200
    assert len(seen) <= 12


@given(due=st.none() | st.dates(), done=st.none() | st.dates(), today=st.dates())
def test_an_item_is_done_by_a_record_and_overdue_only_after_its_day(due, done, today):
    progress = progress_of(due, done, today=today)
    assert (progress in {Progress.DONE, Progress.DONE_LATE}) == (done is not None)
    assert (progress == Progress.OVERDUE) == (done is None and due is not None and due < today)


def test_a_year_lies_in_its_plan_period():
    assert [
        getattr(period_of(year, SHIPPED_PERIODS), "name", None) for year in (2020, 2021, 2025, 2026, 2030, 2031)
    ] == [None, "八五", "八五", "九五", "九五", None]
