"""Moves with their day: done at once, waiting, out of order, into closed units; and the roster as it was on any day."""

import io
from datetime import date, timedelta

import openpyxl
import pytest

from examapp import clock
from examapp.delivery.attempts.models import Attempt
from examapp.organisation.people.models import PlannedMove, RosterMove
from examapp.platform.audit.models import AuditEvent
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.helpers.reports import figures_of
from tests.helpers.roster_import import csv_bytes, last_import, upload

TODAY = date(2026, 11, 24)
NEXT_WEEK = TODAY + timedelta(days=7)


@pytest.fixture
def units(world):
    county = world.unit("某县", kind="county", code="01")
    return county, world.unit("甲局", parent=county, code="0101"), world.unit("乙局", parent=county, code="0102")


@pytest.fixture
def office(world, units):
    return world.api(world.admin("publicity_office"))


@pytest.fixture
def come(app, fixed_clock, world):
    """Lets days pass, and the sweep come by twice."""

    def come(day):
        world.session.flush()
        fixed_clock.at(clock.now() + (day - clock.today()))
        for _ in range(2):
            app.extensions["celery"].tasks["people.apply_moves"]()
        world.session.expire_all()

    return come


def transfer(client, person, unit, on=TODAY, **more):
    data = {"unit_id": unit.id, "on": on.isoformat(), "kind": "transfer", **more}
    return client.post(f"/admin/people/{person.id}/transfer", data=data)


def roster(client, unit, day):
    """Who stands on the page, and on the workbook, of a unit's roster on a day: name to unit."""
    path = f"/admin/people/units/{unit.id}/roster"
    page = client.get(path, query_string={"on": day.isoformat()}).text
    book = openpyxl.load_workbook(
        io.BytesIO(client.get(f"{path}.xlsx", query_string={"on": day.isoformat()}).data)
    ).active
    rows = {row[3]: row[1] for row in list(book.iter_rows(values_only=True))[4:]} if "没有人" not in page else {}
    rows = {name: unit_name for name, unit_name in rows.items() if name not in (None, "姓名")}
    for name in rows:
        assert name in page
    return rows


def test_who_was_transferred_and_then_taken_off_the_roster_stood_somewhere_before(world, units, office):
    _, mine, other = units
    person = world.person(other, name="张三", state="off_roster")
    for kind, left, to, ago in (("transfer", mine, other, 5), ("off_roster", other, None, 2)):
        world.save(
            RosterMove(
                person_id=person.id, kind=kind, from_unit_id=left.id, to_unit_id=to.id if to else None,
                effective_on=TODAY - timedelta(days=ago), recorded_at=clock.now(),
            )
        )  # fmt: skip
    days = {
        ago: (roster(office, mine, TODAY - timedelta(days=ago)), roster(office, other, TODAY - timedelta(days=ago)))
        for ago in (6, 5, 3, 2)
    }
    assert days == {6: ({"张三": "甲局"}, {}), 5: ({}, {"张三": "乙局"}), 3: ({}, {"张三": "乙局"}), 2: ({}, {})}


def test_a_transfer_of_next_week_waits_for_its_day(world, units, office, come):
    _, mine, other = units
    person = world.person(mine)
    page = office.get(transfer(office, person, other, NEXT_WEEK).location).text
    assert "已登记，2026-12-01 自动生效" in page and "待生效的变动" in page and person.unit_id == mine.id
    come(NEXT_WEEK - timedelta(days=1))
    assert person.unit_id == mine.id
    come(NEXT_WEEK)
    assert person.unit_id == other.id
    assert [(move.kind, move.effective_on) for move in world.session.query(RosterMove)] == [("transfer", NEXT_WEEK)]


def test_a_waiting_move_is_taken_back_once_and_stands_in_the_way_of_another(world, units, office, come):
    _, mine, other = units
    person = world.person(mine)
    transfer(office, person, other, NEXT_WEEK)
    assert "请先在人员页面撤销它" in transfer(office, person, other).text
    planned = world.session.query(PlannedMove).one()
    path = f"/admin/people/{person.id}/planned/{planned.id}/cancel"
    assert "已撤销" in office.get(office.post(path).location).text
    assert "已经生效或撤销" in office.get(office.post(path).location).text
    come(NEXT_WEEK)
    assert person.unit_id == mine.id and world.session.query(RosterMove).count() == 0


def test_a_seconded_person_comes_back_by_himself(world, units, office, come):
    _, mine, other = units
    person = world.person(mine)
    transfer(office, person, other, kind="secondment", until=NEXT_WEEK.isoformat())
    assert person.unit_id == other.id and "借调期满返回" in office.get(f"/admin/people/{person.id}").text
    come(NEXT_WEEK)
    assert person.unit_id == other.id
    come(NEXT_WEEK + timedelta(days=1))
    assert person.unit_id == mine.id
    kinds = [move.kind for move in world.session.query(RosterMove).order_by(RosterMove.id)]
    assert kinds == ["secondment", "secondment_end"]


def test_leaving_ends_a_secondment_and_its_return(world, units, office, come):
    _, mine, other = units
    person = world.person(mine)
    wrong = transfer(office, person, other, kind="secondment", until="2026-11-24")
    assert "要晚于开始日期" in wrong.text and person.unit_id == mine.id
    transfer(office, person, other, kind="secondment", until=NEXT_WEEK.isoformat())
    office.post(f"/admin/people/{person.id}/leave", data={"kind": "retire", "on": "2026-11-24"})
    come(NEXT_WEEK + timedelta(days=1))
    assert person.state == "left" and world.session.query(PlannedMove).one().outcome == "cancelled"


@pytest.mark.parametrize("where", ["0101", "0103", None])
def test_a_roster_file_ends_a_secondment_and_its_return(world, units, office, come, where):
    """The person is home again, elsewhere, or named no more: the day of return carries nobody anywhere."""
    county, mine, other = units
    third = world.unit("丙局", parent=county, code="0103")
    person = world.person(mine, staff_number="A1", name="张三")
    transfer(office, person, other, kind="secondment", until=NEXT_WEEK.isoformat())
    rows = [["工号", "姓名", "单位编码"], ["A1", "张三", where] if where else ["A2", "李四", "0101"]]
    assert upload(office, csv_bytes(rows), is_whole="" if where else "y").status_code == 303
    job = last_import(world)
    if where:
        office.post(f"/admin/people/imports/{job.id}/confirm", data={"rows": "all"})
    else:
        office.post(f"/admin/people/imports/{job.id}/approve", data={"kind": ["gone"], "row": [str(person.id)]})
    stands = {"0101": ("on_roster", mine.id), "0103": ("on_roster", third.id), None: ("left", other.id)}[where]
    assert (person.state, person.unit_id) == stands
    come(NEXT_WEEK + timedelta(days=1))
    assert (person.state, person.unit_id) == stands
    assert world.session.query(PlannedMove).one().outcome == "cancelled"


@pytest.mark.parametrize(("kind", "state"), [("retire", "left"), ("transfer", "on_roster")])
def test_a_return_left_waiting_by_an_older_release_is_set_aside(world, units, office, come, kind, state):
    county, mine, other = units
    person = world.person(mine)
    transfer(office, person, other, kind="secondment", until=NEXT_WEEK.isoformat())
    person.state, person.unit_id = state, county.id
    world.save(
        RosterMove(
            person_id=person.id, kind=kind, from_unit_id=other.id, effective_on=TODAY,
            to_unit_id=county.id if state == "on_roster" else None, recorded_at=clock.now() + timedelta(hours=1),
        )
    )  # fmt: skip
    come(NEXT_WEEK + timedelta(days=1))
    assert (person.state, person.unit_id) == (state, county.id)
    assert "不再自动返回原单位" in world.session.query(PlannedMove).one().outcome


def test_taking_a_seconded_person_off_the_roster_leaves_the_return_standing(world, units, office, come):
    _, mine, other = units
    person = world.person(mine, staff_number="A1")
    transfer(office, person, other, kind="secondment", until=NEXT_WEEK.isoformat())
    office.post(f"/admin/people/{person.id}/edit", data={"name": person.name, "staff_number": "A1"})
    assert (person.state, person.unit_id) == ("off_roster", other.id)
    come(NEXT_WEEK + timedelta(days=1))
    assert (person.state, person.unit_id) == ("off_roster", mine.id)


def test_a_move_before_the_latest_one_is_rejected(world, units, office):
    _, mine, other = units
    person = world.person(mine)
    transfer(office, person, other, TODAY - timedelta(days=2))
    answer = transfer(office, person, mine, TODAY - timedelta(days=3))
    assert answer.status_code == 422 and "请改为 2026-11-22 或以后" in answer.text and person.unit_id == other.id


def test_a_closed_unit_takes_nobody_and_says_who_took_its_people(world, units, office, come):
    _, mine, other = units
    person = world.person(mine)
    transfer(office, person, other, NEXT_WEEK)
    other.closed_at, other.successor_id = clock.now(), mine.id
    come(NEXT_WEEK)
    page = world.api(world.admin("publicity_office")).get(f"/admin/people/{person.id}").text
    assert person.unit_id == mine.id and "没有生效" in page and "“乙局”已撤销。人员已并入“甲局”，请改选该单位。" in page


def test_the_roster_of_any_day_is_led_back_from_the_moves(world, units, fixed_clock):
    county, mine, other = units
    admin = world.admin("publicity_office", county)
    staying, going, leaving = (world.person(mine, name=name) for name in ("留任", "调走", "退休人"))
    world.person(other, name="乙局人")

    def client():  # an administrator's sign-in ends by itself meanwhile
        return world.api(admin)

    first = TODAY
    fixed_clock.at(clock.now() + timedelta(days=2))
    transfer(client(), going, other, TODAY + timedelta(days=2))
    client().post(f"/admin/people/{leaving.id}/leave", data={"kind": "retire", "on": "2026-11-26"})
    fixed_clock.at(clock.now() + timedelta(days=2))
    transfer(client(), going, county, TODAY + timedelta(days=4))
    data = {"name": "新人", "staff_number": "N1", "unit_id": mine.id, "position": "", "rank": "", "is_on_roster": "y"}
    client().post("/admin/people/new", data=data)
    client().post(f"/admin/people/{staying.id}/edit", data={"name": "留任", "staff_number": staying.staff_number})
    office, days = client(), [first + timedelta(days=n) for n in range(5)]
    assert roster(office, mine, days[0]) == dict.fromkeys(("留任", "调走", "退休人"), "甲局")
    assert roster(office, mine, days[1]) == roster(office, mine, days[0])
    assert roster(office, mine, days[2]) == {"留任": "甲局"} == roster(office, mine, days[3])
    assert roster(office, mine, days[4]) == {"新人": "甲局"}, "taken off the roster that day"
    assert roster(office, other, days[3]) == {"调走": "乙局", "乙局人": "乙局"}
    assert roster(office, county, days[4]) == {"调走": "某县", "新人": "甲局", "乙局人": "乙局"}
    assert world.session.query(AuditEvent).filter_by(act="people.export_roster").count() >= 5
    own = world.api(world.admin("unit_admin", mine))
    assert own.get(f"/admin/people/units/{other.id}/roster").status_code == 404
    assert own.get("/admin/people/roster").location.startswith(f"/admin/people/units/{mine.id}/roster")


def test_who_moves_in_mid_exam_keeps_attempt_and_result_and_stands_once(world, units, office):
    county, mine, other = units
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS))
    person = world.person(mine)
    candidate_client = CandidateClient(world, exam, person)
    candidate_client.start()
    transfer(office, person, other)
    assert candidate_client.hand_in().status_code == 201
    rows = {row["code"]: row for row in figures_of(office, exam, county)["rows"]}
    assert [(rows[code]["roster"], rows[code]["participated"]) for code in ("01", "0101", "0102")] == [
        (1, 1),
        (0, 0),
        (1, 1),
    ]
    assert world.session.query(Attempt).one().unit_id == mine.id
    again = CandidateClient(world, exam, person)
    again.start()
    assert world.session.query(Attempt).count() == 1
