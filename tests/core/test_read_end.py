"""A request that has only read ends in a commit, so that its connection keeps its prepared statements; all else is rolled back."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select, text, update

from examapp.db.session import db, read_session
from examapp.organisation.people.models import Account, Person
from tests.factories import World


@pytest.fixture
def ends(race_app):
    """Notes how the transactions of the engine end."""
    noted: list[str] = []
    with race_app.app_context():
        engine = db.engine
    listeners = {"commit": lambda _: noted.append("commit"), "rollback": lambda _: noted.append("rollback")}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    yield noted
    for name, listener in listeners.items():
        event.remove(engine, name, listener)


def test_what_has_only_read_ends_in_a_commit(race_app, ends):
    with race_app.app_context():
        read_session().scalars(select(Account.id)).all()
    assert ends == ["commit"]


def test_a_connection_keeps_its_prepared_statements_after_a_read(race_app):
    for _ in range(5):
        with race_app.app_context():
            read_session().scalars(select(Account.id)).all()
    with race_app.app_context():
        prepared = read_session().scalar(
            text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%accounts%'")
        )
    assert prepared


def test_what_was_written_outside_a_transaction_is_rolled_back(race_app, ends):
    with race_app.app_context():
        person_id = World(race_app, db.session(), commits=True).person(name="王小红").id
        db.session.commit()
    ends.clear()
    with race_app.app_context():
        read_session().execute(update(Person).where(Person.id == person_id).values(name="张大力"))
    with race_app.app_context():
        read_session().get_one(Person, person_id).name = "张大力"  # and not yet written
    with race_app.app_context():
        assert read_session().get_one(Person, person_id).name == "王小红"
    assert ends == ["rollback", "rollback", "commit"]


def test_what_ends_in_an_error_is_rolled_back(race_app, ends):
    with pytest.raises(ZeroDivisionError), race_app.app_context():
        read_session().scalars(select(Account.id)).all()
        raise ZeroDivisionError
    assert ends == ["rollback"]
