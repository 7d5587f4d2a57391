"""Every act that ends sign-ins ends them at the very next request, at the same instant by the clock; none cuts a running exam (H16)."""

from __future__ import annotations

import pytest

from examapp.organisation.people.models import Approval, RoleGrant
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.helpers.accounts import grant
from tests.helpers.forms import token_of


@pytest.fixture
def application(world):
    """Two administrators, and somebody of a unit who is leader of it."""

    class SignedInPeople:
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

    return SignedInPeople()


def sign_out(_application, client, _person, _grant):
    return client.post("/logout", data={"csrf_token": token_of(client.get("/sign-ins"))})


def reset(application, _client, person, _grant):
    return application.system.post(f"/admin/people/{person.id}/password")


def disable(application, _client, person, _grant):
    return application.system.post(f"/admin/people/{person.id}/disable")


def give_right(application, _client, person, _grant):
    grant(application.security, person, "unit_admin", application.unit)
    return application.approve()


def take_right(application, _client, person, row):
    return application.security.post(f"/admin/people/{person.id}/roles/{row.id}/revoke")


def end_from_afar(_application, client, person, _grant):
    world = client.world
    other = world.client(person)
    return other.post("/sign-ins/end-others", data={"csrf_token": token_of(other.get("/sign-ins"))})


@pytest.mark.parametrize("act", [sign_out, reset, disable, give_right, take_right, end_from_afar])
def test_a_copied_cookie_is_dead_at_the_next_request_after(world, application, act):
    person, row = application.official()
    client = world.client(person)
    copied = world.client()
    with client.session_transaction() as cookie, copied.session_transaction() as copy:
        copy.update(cookie)
    assert copied.get("/api/v1/session").status_code == 200
    assert act(application, client, person, row).status_code in {200, 303}
    assert copied.get("/api/v1/session").status_code == 401
    assert copied.get("/exams").location.startswith("/login")


def test_a_right_given_or_taken_in_the_midst_of_an_exam_cuts_no_save_and_counts_at_once(world, application):
    candidate_client = make_exam_with_candidates(world)
    person = candidate_client.person
    person.unit_id = application.unit.id
    grant(application.security, person, "unit_admin", application.unit)
    application.approve()
    assert candidate_client.save((1, 1, ["A"])).status_code == 200
    assert candidate_client.api.get("/admin/people/").status_code == 200
    row = world.session.query(RoleGrant).filter_by(person_id=person.id).one()
    application.security.post(f"/admin/people/{person.id}/roles/{row.id}/revoke")
    assert candidate_client.save((1, 2, ["B"])).status_code == 200
    assert candidate_client.api.get("/admin/people/").status_code == 404
    assert candidate_client.hand_in().status_code == 201
