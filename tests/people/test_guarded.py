"""Nobody takes over the account of who administers more than oneself: by ticket, by numbers, by a roster file, by leaving."""

from __future__ import annotations

import pytest

from examapp.organisation.people.models import Account, RoleGrant
from tests.helpers.roster_import import HEAD, check, csv_bytes


@pytest.fixture
def county(world):
    return world.unit("某县", kind="county", code="01")


@pytest.fixture
def mine(world, county):
    return world.unit("甲局", parent=county, code="0101")


@pytest.fixture
def unit_admin(world, mine):
    return world.api(world.admin("unit_admin", mine))


def facts(person, **fields):
    return {"name": person.name, "staff_number": person.staff_number, "is_on_roster": ""} | fields


@pytest.mark.parametrize(("role", "tree"), [("unit_admin", "region"), ("leader", "region"), ("unit_admin", "sector")])
def test_a_unit_admin_cannot_take_over_a_wider_administrator_of_the_own_unit(
    world, county, mine, unit_admin, role, tree
):
    line = world.unit("司法系统", kind="sector")
    wide = world.admin(role, county if tree == "region" else line, tree=tree)
    wide.unit_id = mine.id
    account = world.session.query(Account).filter_by(person_id=wide.id).one()
    account.first_password_encrypted, account.must_change_password = b"sealed", True
    path = f"/admin/people/{wide.id}"
    acts = {
        "/password": {},
        "/disable": {},
        "/leave": {"kind": "leave", "on": "2026-11-24"},
        "/edit": facts(wide, mobile="13800000001"),
    }
    assert {act: unit_admin.post(path + act, data=data).status_code for act, data in acts.items()} == dict.fromkeys(
        acts, 403
    )
    assert unit_admin.post(f"{path}/edit", data=facts(wide, staff_number="TAKEN")).status_code == 403
    assert unit_admin.post(f"{path}/edit", data=facts(wide, name="改名")).status_code == 303, "a name signs nobody in"
    assert unit_admin.post("/admin/people/tickets", data={"person": str(wide.id)}).status_code == 403
    sheet = unit_admin.post(f"/admin/people/passwords/{mine.id}/sheet", data={"as": "page"}).text
    assert wide.staff_number not in sheet
    assert f"另有 1 人有管理角色（{wide.name}）" in unit_admin.get(f"/admin/people/passwords?unit={mine.id}").text
    assert "重置密码</button>" not in (page := unit_admin.get(path).text) and "由系统管理员处理" in page
    system = world.api(world.admin("system_admin"))
    assert system.post(f"{path}/password").status_code == 200


def test_a_colleague_whose_role_lies_within_the_own_reach_is_helped_as_before(world, mine, unit_admin):
    below = world.unit("甲所", parent=mine)
    for unit in (mine, below):
        colleague = world.admin("unit_admin", unit)
        assert "重置密码</button>" in unit_admin.get(f"/admin/people/{colleague.id}").text
        assert unit_admin.post(f"/admin/people/{colleague.id}/password").status_code == 200
        changed = unit_admin.post(f"/admin/people/{colleague.id}/edit", data=facts(colleague, mobile="13800000001"))
        assert changed.status_code == 303


def test_a_role_over_everything_is_beyond_every_unit_admin_and_one_that_has_ended_is_nobodys(world, mine, unit_admin):
    person = world.person(mine)
    grant = world.save(
        RoleGrant(person_id=person.id, role="leader", unit_id=None, granted_at=person.created_at, ends_at=None)
    )
    assert unit_admin.post(f"/admin/people/{person.id}/password").status_code == 403
    grant.ends_at = person.created_at
    assert unit_admin.post(f"/admin/people/{person.id}/password").status_code == 200


def test_a_roster_file_changes_no_number_by_which_a_wider_administrator_signs_in(world, county, mine, unit_admin):
    wide = world.admin("unit_admin", county, staff_number="W001", name="张三")
    wide.unit_id = mine.id
    rows = [HEAD, ["W001", "张三", "甲局", "", "", "", "13800000001"]]
    job = check(world, unit_admin, csv_bytes(rows), unit_id=mine.id)
    assert job.summary["counts"]["refused"] == 1
    assert "管理角色" in unit_admin.get(f"/admin/people/imports/{job.id}").text
    office = world.api(world.admin("publicity_office"))
    assert check(world, office, csv_bytes(rows)).summary["counts"]["changed"] == 1
