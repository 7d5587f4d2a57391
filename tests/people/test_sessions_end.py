"""Every act that ends sign-ins ends them at the very next request, at the same instant by the clock; none cuts a running exam (H16)."""

from __future__ import annotations

import pytest

from examapp.organisation.people.models import Approval, RoleGrant
from tests.attempts.sitting import make_sitting
from tests.helpers.accounts import grant
from tests.helpers.forms import token_of


@pytest.fixture
def house(world):
    """Two administrators, and somebody of a unit who is leader of it."""

    class House:
        unit = world.unit("甲局")
        system = world.api(world.admin("system_admin"))
        security = world.api(world.admin("security_admin"))

        def official(self):
            person = world.person(self.unit)
            row = RoleGrant(
                person_id=person.id, role="leader", unit_id=self.unit.id, tree="region", granted_at=person.created_at
            )
            world.save(row)
            return person, row

        def approve(self):
            row = world.session.query(Approval).filter_by(state="waiting").one()
            return self.system.post(f"/admin/approvals/{row.id}/approve")

    return House()


def sign_out(_house, client, _person, _grant):
    return client.post("/logout", data={"csrf_token": token_of(client.get("/sign-ins"))})


def reset(house, _client, person, _grant):
    return house.system.post(f"/admin/people/{person.id}/password")


def disable(house, _client, person, _grant):
    return house.system.post(f"/admin/people/{person.id}/disable")


def give_right(house, _client, person, _grant):
    grant(house.security, person, "unit_admin", house.unit)
    return house.approve()


def take_right(house, _client, person, row):
    return house.security.post(f"/admin/people/{person.id}/roles/{row.id}/revoke")


def end_from_afar(_house, client, person, _grant):
    world = client.world
    other = world.client(person)
    return other.post("/sign-ins/end-others", data={"csrf_token": token_of(other.get("/sign-ins"))})


@pytest.mark.parametrize("act", [sign_out, reset, disable, give_right, take_right, end_from_afar])
def test_a_copied_cookie_is_dead_at_the_next_request_after(world, house, act):
    person, row = house.official()
    client = world.client(person)
    copied = world.client()
    with client.session_transaction() as cookie, copied.session_transaction() as copy:
        copy.update(cookie)
    assert copied.get("/api/v1/session").status_code == 200
    assert act(house, client, person, row).status_code in {200, 303}
    assert copied.get("/api/v1/session").status_code == 401
    assert copied.get("/exams").location.startswith("/login")


def test_a_right_given_or_taken_in_the_midst_of_an_exam_cuts_no_save_and_counts_at_once(world, house):
    sitter = make_sitting(world)
    person = sitter.person
    person.unit_id = house.unit.id
    grant(house.security, person, "unit_admin", house.unit)
    house.approve()
    assert sitter.save((1, 1, ["A"])).status_code == 200
    assert sitter.api.get("/admin/people/").status_code == 200
    row = world.session.query(RoleGrant).filter_by(person_id=person.id).one()
    house.security.post(f"/admin/people/{person.id}/roles/{row.id}/revoke")
    assert sitter.save((1, 2, ["B"])).status_code == 200
    assert sitter.api.get("/admin/people/").status_code == 404
    assert sitter.hand_in().status_code == 201
