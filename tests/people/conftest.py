"""Accounts with a real password, made once: a hash costs 20 ms."""

from __future__ import annotations

from functools import cache

import pytest

from examapp.organisation.people.models import Account
from examapp.security.password_hashing import RetryAfterScheduler
from tests.helpers.forms import token_of

PASSWORD = "Right-horse-7"


@cache
def hash_of(hasher, password):
    return hasher.hash(password)


@pytest.fixture
def give_password(app, world):
    """Gives a person the password of these tests; returns the account."""

    def give(person, password=PASSWORD, **fields):
        account = world.session.query(Account).filter_by(person_id=person.id).one()
        account.password_hash = hash_of(app.extensions["hasher"], password)
        for name, value in fields.items():
            setattr(account, name, value)
        world.session.flush()
        return account

    return give


@pytest.fixture
def no_line(app, monkeypatch):
    """Nobody has an appointment yet."""
    monkeypatch.setattr(app.extensions["hasher"], "retries", RetryAfterScheduler())


@pytest.fixture
def no_place(app, no_line):
    """Everybody else signs in at this moment."""
    hasher = app.extensions["hasher"]
    taken = 0
    while hasher.queue.try_enter():
        taken += 1
    yield
    for _ in range(taken):
        hasher.queue.leave()


@pytest.fixture
def no_hash(app, monkeypatch):
    """No password is compared and none is hashed."""

    def never(*_):
        raise AssertionError("hashed")

    for name in ("verify", "hash"):
        monkeypatch.setattr(app.extensions["hasher"], name, never)


@pytest.fixture
def county(world):
    """A county of two offices."""
    county = world.unit("某县", kind="county", code="01")
    world.unit("甲局", parent=county, code="0101")
    world.unit("乙局", parent=county, code="0102")
    return county


@pytest.fixture
def office(world, county):
    """A client of the publicity office of the county."""
    return world.api(world.admin("publicity_office"))


def sign_in(client, login_name, password=PASSWORD, *, path="/login", headers=None, **fields):
    token = token_of(client.get("/login"))
    data = {"login_name": login_name, "password": password, "csrf_token": token, **fields}
    return client.post(path, data=data, headers=headers)
