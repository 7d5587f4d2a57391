"""Every rejected sign-in leaves its line in the log, without the name that was typed, and at one cost whether an account has it or not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.organisation.accounts import actions as account_actions
from examapp.organisation.accounts.actions import Checked, Device, judge_password
from examapp.organisation.accounts.queries import find_signed_in
from examapp.organisation.accounts.rules import digest
from examapp.organisation.captcha.rules import office_of
from examapp.organisation.people.models import AddressFailure, Approval, SignIn
from examapp.platform.audit.models import AuditEvent
from tests.conftest import NOON
from tests.helpers.forms import token_of
from tests.people.conftest import PASSWORD, sign_in


@pytest.fixture
def official(world, give_password):
    person = world.person(world.unit("司法局"), name="李四", staff_number="A10001")
    give_password(person)
    return person


@pytest.fixture
def rejected(session):
    """Gives why sign-ins were rejected and whose account it was, in order."""

    def read():
        lines = session.query(AuditEvent).filter_by(act="people.reject_sign_in").order_by(AuditEvent.id)
        assert {line.address for line in lines} <= {"127.0.0.1"}
        return [(line.details["why"], line.person_id) for line in lines]

    return read


def test_wrong_passwords_unknown_names_and_tries_while_waiting_are_all_written_down(world, official, session, rejected):
    for _ in range(6):
        sign_in(world.client(), "A10001", "wrong")
    assert rejected() == [("wrong_credentials", official.id)] * 5 + [("slow_down", official.id)]
    for _ in range(6):
        sign_in(world.client(), "SECRET-TYPED-AS-NAME", "wrong")
    assert rejected()[6:] == [("wrong_credentials", None)] * 5 + [("slow_down", None)]
    reply = [str((line.act, line.object_type, line.address, line.details)) for line in session.query(AuditEvent)]
    assert not [line for line in reply if "SECRET" in line or "A10001" in line]
    assert [line.details["wait_s"] for line in session.query(AuditEvent).filter_by(act="people.delay_sign_in")] == [
        5,
        5,
    ]


def test_disabled_accounts_wrong_tickets_and_wrong_captchas_are_written_down(
    world, official, give_password, session, rejected
):
    give_password(official, disabled_at=NOON)
    sign_in(world.client(), "A10001")
    assert rejected() == [("account_disabled", official.id)]
    for code in ("2345-6789-abcd", "nonsense"):
        client = world.client()
        client.post("/login/ticket", data={"csrf_token": token_of(client.get("/login/ticket")), "code": code})
    assert rejected()[1:] == [("wrong_ticket", None)] * 2
    office = office_of("127.0.0.1")
    session.add_all(AddressFailure(address=office, name_key=b"%d" % n, failed_at=NOON) for n in range(60))
    session.flush()
    sign_in(world.client(), "A10001")
    sign_in(world.client(), "A10001", captcha_id="forged", captcha="1234")
    assert rejected()[3:] == [("captcha_required", None)] * 2


def test_one_address_cannot_fill_the_log(world, official, rejected, fixed_clock, monkeypatch):
    monkeypatch.setattr(account_actions, "_MAX_A_MINUTE", 3)
    for _ in range(4):
        sign_in(world.client(), "A10001", "wrong")
    assert len(rejected()) == 3
    fixed_clock.at(NOON + timedelta(seconds=61))
    sign_in(world.client(), "A10001", "wrong")
    assert len(rejected()) == 4


def test_every_try_costs_as_many_exchanges_under_a_known_name_as_under_an_unknown_one(world, official, statements):
    costs = {}
    for name in ("A10001", "NOBODY"):
        for number in range(7):
            client = world.client()
            client.get("/login")
            with statements() as seen:
                sign_in(client, name, "wrong")
            costs.setdefault(number, set()).add(len(seen))
    assert {number: len(cost) for number, cost in costs.items()} == dict.fromkeys(range(7), 1), costs


def test_a_right_password_costs_one_read_and_one_write(world, official, statements):
    client = world.client()
    form = {"login_name": "A10001", "password": PASSWORD, "csrf_token": token_of(client.get("/login"))}
    with statements() as seen:
        assert client.post("/login", data=form).status_code == 303
    assert len(seen) == 2, seen


@pytest.mark.parametrize(
    ("changed", "is_known", "rejected"),
    [
        ({}, False, None),
        ({"password_hash": "another"}, False, "wrong_credentials"),
        ({"disabled_at": NOON}, True, "account_disabled"),
        ({"failures": 4, "locked_until": NOON}, False, None),
        ({"failures": 10, "locked_until": NOON + timedelta(minutes=1)}, False, "slow_down"),
        ({"failures": 29, "locked_until": NOON + timedelta(minutes=1)}, True, None),
        ({"failures": 30, "locked_until": NOON + timedelta(minutes=1)}, True, "slow_down"),
    ],
)
def test_what_happened_to_an_account_while_its_password_was_compared_counts(
    world, session, official, give_password, changed, is_known, rejected
):
    account = give_password(official)
    checked = Checked(account_id=account.id, password_hash=account.password_hash, is_right=True, new_hash="new")
    for name, value in changed.items():
        setattr(account, name, value)
    session.flush()
    device = Device(address="10.0.0.1", name="", is_known=is_known)
    result = judge_password(session, checked, device=device, now=NOON)
    session.refresh(account)
    assert (result.rejection and result.rejection.code) == rejected
    assert session.query(SignIn).filter_by(account_id=account.id).count() == (rejected is None)
    if rejected is None:
        assert result.token
        assert result.user == find_signed_in(session, digest(result.token))
        assert (account.password_hash, account.failures, account.locked_until) == ("new", 0, None)


def test_a_guarded_account_and_ones_own_request_are_rejected_with_a_line(world, session):
    unit = world.unit("甲局")
    admin = world.admin("unit_admin", unit)
    guarded = world.admin("publicity_office")
    guarded.unit_id = unit.id
    requester = world.admin("security_admin")
    request = world.save(
        Approval(
            act="people.grant_role",
            request_key="x",
            person_id=guarded.id,
            details={},
            reason="",
            requested_by_id=requester.id,
            requested_at=NOON,
            expires_at=NOON + timedelta(days=1),
        )
    )
    assert world.api(admin).post(f"/admin/people/{guarded.id}/password").status_code == 403
    assert world.api(requester).post(f"/admin/approvals/{request.id}/approve").status_code == 303
    lines = session.query(AuditEvent).filter_by(act="people.deny_access").order_by(AuditEvent.id)
    assert [(line.actor_id, line.details["why"]) for line in lines] == [
        (admin.id, "guarded_account"),
        (requester.id, "same_person"),
    ]
