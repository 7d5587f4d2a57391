"""A whole roster as a difference: shown by kind, agreed to by ticks, carried out in one act, and only as it was shown."""

import re

import pytest

from examapp import clock
from examapp.jobs.models import JobState
from examapp.organisation.people.models import Account, Person, RosterMove
from tests.helpers.roster_import import csv_bytes, last_import, result_rows, upload

HEAD = ["工号", "姓名", "单位编码", "职务"]


@pytest.fixture
def units(world):
    county = world.unit("某县", kind="county", code="01")
    return [
        county,
        *(world.unit(name, parent=county, code=code) for name, code in (("甲局", "0101"), ("乙局", "0102"))),
    ]


@pytest.fixture
def office(world, units):
    return world.api(world.admin("publicity_office"))


@pytest.fixture
def people(world, units):
    _, mine, other = units
    return {
        key: world.person(unit, name=name, staff_number=key, position="科员")
        for key, name, unit in (
            ("A1", "留任", mine), ("A2", "升职", mine), ("A3", "调走", mine), ("A4", "已走", mine), ("A5", "未列", other),
        )
    }  # fmt: skip


ROWS = [
    HEAD, ["A1", "留任", "0101", "科员"], ["A2", "升职", "0101", "科长"], ["A3", "调走", "0102", ""],
    ["A6", "新人", "0101", "科员"], ["A7", "", "0101", ""],
]  # fmt: skip


def check(world, client, rows, unit_id=0):
    assert upload(client, csv_bytes(rows), unit_id=unit_id, is_whole="y").status_code == 303
    return last_import(world)


def approve(world, client, job, kinds, without=()):
    page = client.get(f"/admin/people/imports/{job.id}").text
    keys = dict(
        zip(
            re.findall(r'aria-label="办理 ([^"]+)"', page), re.findall(r'name="row" value="([^"]+)"', page), strict=True
        )
    )
    data = {"kind": kinds, "row": [key for name, key in keys.items() if name not in without]}
    answer = client.post(f"/admin/people/imports/{job.id}/approve", data=data)
    return last_import(world), client.get(answer.location).text


def test_a_whole_roster_shows_who_is_new_moved_changed_and_gone(world, units, office, people):
    job = check(world, office, ROWS)
    assert job.summary["kinds"] == {"gone": 2, "moved": 1, "changed": 1, "new": 1}
    page = office.get(f"/admin/people/imports/{job.id}").text
    assert (
        'id="kind-gone" name="kind" value="gone">' in page and 'id="kind-new" name="kind" value="new" checked' in page
    )
    boxes = re.findall(r'name="row" value="[^"]+"( checked)? aria-label="办理 ([^"]+)"', page)
    assert {name: bool(ticked) for ticked, name in boxes} == {
        "已走": False, "未列": False, "调走": True, "升职": True, "新人": True,
    }  # fmt: skip
    assert "已走" in page and "第 6 行" in page and "没有填姓名" in page
    assert people["A3"].unit_id == units[1].id and world.session.query(Person).filter_by(staff_number="A6").count() == 0


def test_only_what_is_ticked_is_carried_out_in_one_act(world, units, office, people):
    _, mine, other = units
    job = check(world, office, ROWS)
    job, page = approve(world, office, job, ["gone", "moved", "new"], without=["未列"])
    assert (job.state, job.is_confirmed) == (JobState.DONE, True) and "已离开" in page
    assert (people["A3"].unit_id, people["A2"].position) == (other.id, "科员")
    assert (people["A4"].state, people["A5"].state) == ("left", "on_roster")
    assert world.session.query(Account).filter_by(person_id=people["A4"].id).one().disabled_at == clock.now()
    newcomer = world.session.query(Person).filter_by(staff_number="A6").one()
    assert newcomer.unit_id == mine.id
    kinds = sorted(move.kind for move in world.session.query(RosterMove))
    assert kinds == ["join", "leave", "transfer"]
    notes = {row[0]: row[-1] for row in result_rows(office, job)}
    assert notes["A2"] == "没有采用" and notes["A6"] == "已新增" and notes["A7"].startswith("未导入")


def test_the_same_file_again_finds_only_what_was_left_out(world, units, office, people):
    approve(world, office, check(world, office, ROWS), ["gone", "moved", "changed", "new"])
    again = check(world, office, ROWS)
    assert again.summary["kinds"] == {"gone": 0, "moved": 0, "changed": 0, "new": 0}
    assert "完全一致" in office.get(f"/admin/people/imports/{again.id}").text
    assert world.session.query(RosterMove).count() == 4


def test_what_has_moved_on_since_the_preview_is_shown_again_and_not_overwritten(world, units, office, people):
    job = check(world, office, ROWS)
    people["A3"].unit_id = units[0].id
    job, page = approve(world, office, job, ["moved", "changed", "new"])
    assert not job.is_confirmed and "批准之前名册又有了变化" in page and people["A2"].position == "科员"
    job, page = approve(world, office, job, ["moved", "changed", "new"])
    assert job.is_confirmed and people["A2"].position == "科长" and people["A3"].unit_id == units[2].id


def test_approving_twice_or_nothing_changes_nothing(world, units, office, people):
    job = check(world, office, ROWS)
    _, page = approve(world, office, job, [])
    assert "没有勾选任何差异" in page
    approve(world, office, job, ["new"])
    answer = office.post(f"/admin/people/imports/{job.id}/approve", data={"kind": ["gone"], "row": []})
    assert "已经批准过" in office.get(answer.location).text and people["A4"].state == "on_roster"
    answer = office.post(f"/admin/people/imports/{job.id}/confirm", data={"rows": "all"})
    assert world.session.query(Person).filter_by(staff_number="A6").count() == 1


def test_a_units_own_file_lets_nobody_of_others_go_and_spares_administrators_and_needs_review_names(
    world, units, office, people
):
    _, mine, _ = units
    guarded = world.admin("security_admin", mine, name="安全员")
    guarded.state = "on_roster"
    rows = [
        HEAD,
        ["A1", "留任", "0101", ""],
        ["X X", "已走", "0101", ""],
        ["A2", "升职", "0101", ""],
        ["A2", "升职", "0101", ""],
    ]
    job = check(world, office, rows, unit_id=mine.id)
    gone = {row["name"] for row in job.summary["rows"] if row["kind"] == "gone"}
    assert gone == {"调走"}, "named with a faulty row, twice, of another unit, or an administrator: not gone"
    assert "在本文件中出现 2 次（第 4、5 行）" in office.get(f"/admin/people/imports/{job.id}").text


def test_a_closed_unit_in_the_file_says_who_took_its_people(world, units, office, people):
    _, mine, other = units
    other.closed_at, other.successor_id = clock.now(), mine.id
    world.session.flush()
    job = check(world, office, [HEAD, ["A8", "新人", "0102", ""]])
    assert "“乙局”已撤销。人员已并入“甲局”，请改填该单位。" in office.get(f"/admin/people/imports/{job.id}").text
