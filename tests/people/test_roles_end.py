"""Roles end with the place that they were for, and do not come back by themselves; a running exam is never cut by it."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from examapp.organisation.people.models import RoleGrant
from examapp.platform.audit.models import AuditEvent
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.conftest import NOON


@pytest.fixture
def county(world):
    return world.unit("某县", kind="county")


@pytest.fixture
def mine(world, county):
    return world.unit("甲局", parent=county, code="0101")


@pytest.fixture
def other(world, county):
    return world.unit("乙局", parent=county, code="0102")


@pytest.fixture
def office(world):
    return world.api(world.admin("publicity_office"))


def deputy_of(world, holder, deputy):
    """Make a person the deputy of another's only role."""
    grant = world.session.query(RoleGrant).filter_by(person_id=holder.id).one()
    return world.save(
        RoleGrant(
            person_id=deputy.id,
            role=grant.role,
            unit_id=grant.unit_id,
            tree=grant.tree,
            granted_at=NOON,
            ends_at=NOON + timedelta(days=5),
            deputy_of_id=grant.id,
        )
    )


def is_over(world, *people):
    """Tell for each person whether all roles have ended."""
    return [
        all(grant.ends_at == NOON for grant in world.session.query(RoleGrant).filter_by(person_id=person.id))
        for person in people
    ]


def test_who_leaves_loses_every_role_and_comes_back_without(world, session, mine, other, office):
    leaver, deputy = world.admin("unit_admin", mine), world.person(mine)
    deputy_of(world, leaver, deputy)
    world.save(RoleGrant(person_id=leaver.id, role="leader", unit_id=other.id, granted_at=NOON))
    stays = world.client(deputy)
    assert stays.get("/admin/people/").status_code == 200
    left = office.post(f"/admin/people/{leaver.id}/leave", data={"kind": "leave", "on": "2026-11-24"})
    assert (left.status_code, is_over(world, leaver, deputy)) == (303, [True, True])
    assert stays.get("/admin/people/").status_code == 404
    back = office.post(f"/admin/people/{leaver.id}/transfer", data={"unit_id": other.id, "on": "2026-11-24"})
    assert back.status_code == 303
    assert world.client(leaver).get(f"/admin/people/passwords?unit={mine.id}").status_code == 404
    ended = session.query(AuditEvent).filter_by(act="people.revoke_role")
    assert sorted(event.person_id for event in ended) == sorted([leaver.id, leaver.id, deputy.id])


@pytest.mark.parametrize("tree", ["region", "sector"])
def test_who_is_transferred_loses_the_roles_over_the_unit_that_is_left_and_keeps_those_that_reach_the_new_one(
    world, county, office, tree
):
    line = world.unit("司法系统", kind="sector")
    mine = world.unit("甲局", parent=county, sector_parent=line)
    below = world.unit("甲所", parent=mine, sector_parent=mine)
    other = world.unit("乙局", parent=county, sector_parent=line)
    elsewhere = world.unit("丙局", parent=county)
    over = {"mine": mine, "below": below, "other": other, "whole": county if tree == "region" else line}
    holders = {name: world.admin("unit_admin", unit, tree=tree) for name, unit in over.items()}
    guarded = world.admin("publicity_office", mine, tree=tree)
    aside = world.admin("leader", elsewhere)
    for person in (*holders.values(), guarded, aside):
        person.unit_id = mine.id
        moved = office.post(f"/admin/people/{person.id}/transfer", data={"unit_id": other.id, "on": "2026-11-24"})
        assert moved.status_code == 303
    ended = dict(zip(holders, is_over(world, *holders.values()), strict=True))
    assert ended == {"mine": True, "below": True, "other": False, "whole": False}
    assert is_over(world, guarded, aside) == [False, False]


def test_a_roster_file_that_moves_a_unit_admin_ends_the_role_too(app, world, mine, other, office):
    moved = world.admin("unit_admin", mine, staff_number="M001", name="张三")
    moved.state = "on_roster"
    content = "工号,姓名,单位\nM001,张三,乙局\n".encode()
    answer = office.post("/admin/people/imports", data={"unit_id": "0", "file": (io.BytesIO(content), "a.csv")})
    assert answer.status_code == 303
    for step in ("", "/confirm"):
        if step:
            assert office.post(f"{answer.location}{step}").status_code == 303
        app.extensions["celery"].tasks["jobs.run"].apply(args=[int(answer.location.rsplit("/", 1)[1])])
    world.session.expire_all()
    assert (moved.unit_id, is_over(world, moved)) == (other.id, [True])


def test_taking_a_role_back_cuts_no_exam_of_its_holder_or_a_deputy(world):
    candidate_client = make_exam_with_candidates(world)
    holder = world.admin("unit_admin", world.unit("正主局"))
    deputy = deputy_of(world, holder, candidate_client.person)
    security = world.api(world.admin("security_admin"))
    assert candidate_client.save((1, 1, ["A"])).status_code == 200
    revoked = security.post(f"/admin/people/{holder.id}/roles/{deputy.deputy_of_id}/revoke")
    assert (revoked.status_code, is_over(world, holder, candidate_client.person)) == (303, [True, True])
    assert candidate_client.save((1, 2, ["B"])).status_code == 200
    idle = world.client(holder)
    own = world.save(RoleGrant(person_id=holder.id, role="leader", unit_id=holder.unit_id, granted_at=NOON))
    assert security.post(f"/admin/people/{holder.id}/roles/{own.id}/revoke").status_code == 303
    assert idle.get("/admin/people/").location.startswith("/login"), "who sits no exam signs in anew"
