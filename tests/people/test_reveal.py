"""One person's whole numbers: shown to who may, with a reason, counted and written into the log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.organisation.roster.actions import ACT, MAX_A_DAY
from examapp.platform.audit.models import AuditEvent
from tests.helpers.accounts import ID, give_numbers

MOBILE = "13800000001"


@pytest.fixture
def unit(world):
    return world.unit("甲局")


@pytest.fixture
def official(app, world, unit):
    return give_numbers(world, world.person(unit, name="张三"), cipher=app.extensions["cipher"])


@pytest.fixture
def unit_admin(world, unit):
    return world.api(world.admin("unit_admin", unit))


def ask(client, person, **fields):
    return client.post(f"/admin/people/{person.id}/numbers", data={"purpose": "本人要求核对", **fields})


def test_numbers_are_shown_with_a_reason_and_the_log_says_who_why_and_whose(unit_admin, official, session):
    assert f"/admin/people/{official.id}/numbers" in unit_admin.get(f"/admin/people/{official.id}").text
    before = unit_admin.get(f"/admin/people/{official.id}/numbers").text
    assert ID not in before
    assert session.query(AuditEvent).filter_by(act=ACT).count() == 0, "a look at the form is none"
    answer = ask(unit_admin, official, note="来电核对")
    assert ID in answer.text
    assert MOBILE in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    event = session.query(AuditEvent).filter_by(act=ACT).one()
    assert event.person_id == official.id
    assert event.actor_id is not None
    assert event.details == {"reason": "本人要求核对：来电核对"}
    assert ID not in str(event.details)


@pytest.mark.parametrize("fields", [{"purpose": ""}, {"purpose": "好奇"}, {"purpose": "其他", "note": "看看"}])
def test_without_a_reason_nothing_is_shown_and_nothing_logged(unit_admin, official, session, fields):
    page = ask(unit_admin, official, **fields).text
    assert "请" in page
    assert ID not in page
    assert MOBILE not in page
    assert session.query(AuditEvent).filter_by(act=ACT).count() == 0


def test_nobody_collects_numbers_one_by_one(world, unit, official, fixed_clock):
    admin = world.admin("unit_admin", unit)
    unit_admin = world.api(admin)
    for _ in range(MAX_A_DAY):
        assert ID in ask(unit_admin, official).text
    rejected = ask(unit_admin, official)
    assert rejected.status_code == 429
    assert "明天再查" in rejected.text
    assert ID not in rejected.text
    fixed_clock.at(fixed_clock.instant + timedelta(hours=25))
    assert ID in ask(world.api(admin), official).text


def test_elsewhere_nobody_sees_a_whole_number(world, unit, official, unit_admin):
    """Lists, the person's page, the form that edits: masked, for every role that may open them."""
    for role in ("unit_admin", "publicity_office", "system_admin", "security_admin"):
        client = world.client(world.admin(role, unit))
        for path in (f"/admin/people/{official.id}", f"/admin/people/?q={ID}", f"/admin/people/{official.id}/edit"):
            page = client.get(path)
            if page.status_code == 200:
                assert ID not in page.text.replace(f'value="{ID}"', ""), "apart from the searched words"
                assert MOBILE not in page.text
