"""Two at once, with true commits: every wrong password is counted, a lock holds, a number is given once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from examapp import clock
from examapp.db.session import db
from examapp.organisation.people.models import Account, Approval, Person, RoleGrant
from examapp.platform.audit.models import AuditEvent
from tests.helpers.forms import token
from tests.people.conftest import PASSWORD, hash_of


@pytest.fixture
def account(race_app, race_world):
    person = race_world.person(race_world.unit("甲局"), staff_number="A1")
    account = race_world.session.query(Account).filter_by(person_id=person.id).one()
    account.password_hash = hash_of(race_app.extensions["hasher"], PASSWORD)
    race_world.commit()
    return account


def together(world, count, act):
    clients = [world.client() for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, clients))


def api_sign_in(password, name="A1"):
    """Sign in; while another password of the same name is compared, come again."""

    def act(client):
        while True:
            answer = client.post("/api/v1/session", json={"login_name": name, "password": password})
            if answer.status_code != 503:
                return answer.status_code

    return act


def test_parallel_wrong_passwords_are_all_counted_and_the_sixth_is_not_even_judged(race_world, account):
    codes = together(race_world, 12, api_sign_in("wrong"))
    assert sorted(codes) == [401] * 4 + [429] * 8
    race_world.session.refresh(account)
    assert account.failures == 5, "from the fifth on there is a delay, in which no further try is judged"


def test_a_right_password_among_parallel_wrong_ones_never_passes_a_lock(race_world, account):
    account.failures = 9

    account.first_failure_at = clock.now()
    race_world.commit()
    assert api_sign_in("wrong")(race_world.client()) == 429
    assert set(together(race_world, 8, api_sign_in(PASSWORD))) == {429}


def test_parallel_right_passwords_all_pass(race_world, account):
    assert set(together(race_world, 8, api_sign_in(PASSWORD))) == {200}


def test_parallel_failures_under_an_unknown_name_are_counted_like_an_accounts(race_world):
    assert sorted(together(race_world, 12, api_sign_in("x", "NOBODY"))) == [401] * 4 + [429] * 8


def test_a_staff_number_is_given_once(race_world):
    unit = race_world.unit("甲局")
    admin = race_world.admin("unit_admin", unit)
    race_world.commit()
    clients = [race_world.client(admin) for _ in range(4)]
    race_world.commit()
    tokens = [token(client, "/admin/people/new") for client in clients]

    def create(pair):
        client, csrf_token = pair
        data = {"csrf_token": csrf_token, "name": "张三", "staff_number": "Z1", "unit_id": unit_id, "is_on_roster": "y"}
        return client.post("/admin/people/new", data=data).status_code

    unit_id = unit.id
    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(create, zip(clients, tokens, strict=True)))
    assert codes == [303, 422, 422, 422]
    assert race_world.session.query(Person).filter_by(staff_number="Z1").count() == 1


def test_two_separated_roles_approved_at_once_do_not_slip_through(race_world):
    person, requester = race_world.person(race_world.unit("甲局")), race_world.admin("security_admin")
    askers = race_world.api(requester)
    race_world.commit()
    for role in ("system_admin", "audit_admin"):
        data = {"role": role, "unit_id": 0, "tree": "region"}
        assert askers.post(f"/admin/people/{person.id}/roles", data=data).status_code == 303
    press_together(race_world, [row.id for row in race_world.session.query(Approval)])
    assert race_world.session.query(RoleGrant).filter_by(person_id=person.id).count() == 1
    db.session.remove()


def test_two_who_approve_one_request_at_once_grant_one_role(race_world):
    unit = race_world.unit("甲局")
    person, askers = race_world.person(unit), race_world.api(race_world.admin("security_admin"))
    race_world.commit()
    data = {"role": "unit_admin", "unit_id": unit.id, "tree": "region"}
    askers.post(f"/admin/people/{person.id}/roles", data=data)
    (row,) = race_world.session.query(Approval)
    press_together(race_world, [row.id, row.id])
    assert race_world.session.query(RoleGrant).filter_by(person_id=person.id).count() == 1
    acts = [act for (act,) in race_world.session.query(AuditEvent.act).filter_by(person_id=person.id)]
    assert acts.count("people.approve") == acts.count("people.grant_role") == 1
    db.session.remove()


def press_together(world, approval_ids):
    clients = [world.api(world.admin("system_admin")) for _ in approval_ids]
    world.commit()

    def press(pair):
        client, approval_id = pair
        return client.post(f"/admin/approvals/{approval_id}/approve").status_code

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(press, zip(clients, approval_ids, strict=True))) == {303}
    world.session.rollback()
