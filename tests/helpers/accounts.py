"""Accounts: numbers, first passwords, roles, captchas, and settings of one test."""

from __future__ import annotations

import dataclasses
import re

from examapp.organisation.people.models import Account
from examapp.organisation.people.rules import first_password_binding
from examapp.organisation.roster import actions as roster_actions
from examapp.organisation.roster.actions import PersonFacts


def captcha_of(page) -> str:
    """Give the number of the captcha on a page."""
    return re.search(r'name="captcha_id" value="([^"]+)"', page.get_data(as_text=True))[1]


ID = "11010519491231002X"


def give_numbers(world, person, *, cipher, number=ID, mobile="13800000001"):
    """Encrypt ID and mobile number into a person's row."""
    facts = PersonFacts(
        name=person.name, staff_number=person.staff_number, position="", rank="", id_number=number, mobile=mobile
    )
    roster_actions._write_numbers(person, facts, cipher=cipher)
    world.save(person)
    return person


FIRST = "Xk7mPq2vRt"


def encrypt_first_password(world, person):
    """Leave a person as an import does: no hash yet, the random first password encrypted; gives the account."""
    account = world.session.query(Account).filter_by(person_id=person.id).one()
    cipher = world.app.extensions["cipher"]
    account.first_password_encrypted = cipher.seal(FIRST, associated_data=first_password_binding(person.id))
    account.must_change_password = True
    world.session.flush()
    return account


def grant(client, person, role, unit=None, tree="region", **fields):
    """Ask for a role of a person."""
    return client.post(
        f"/admin/people/{person.id}/roles",
        data={"role": role, "unit_id": unit.id if unit else 0, "tree": tree} | fields,
    )


def setting(app, monkeypatch, **fields):
    """Change settings of the application until the test ends."""
    monkeypatch.setitem(app.config, "SETTINGS", dataclasses.replace(app.config["SETTINGS"], **fields))
