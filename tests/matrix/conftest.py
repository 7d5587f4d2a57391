"""The scene of the access matrix: made once a module, each call in a savepoint of its own."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from examapp.clock import clock
from examapp.db.session import db
from tests.conftest import NOON
from tests.factories import World
from tests.matrix.scenario import Scenario


class MatrixScenario:
    """The scene, and calls that leave no trace: `with stage.call(): …`."""

    def __init__(self, app, connection, scenario) -> None:
        self.app, self.connection, self.scenario = app, connection, scenario

    @contextmanager
    def call(self):
        """Run requests in a savepoint that is rolled back; gives the SQL statements that they send."""
        seen: list[str] = []

        def note(_conn, _cursor, statement, _parameters, _context, _many):
            if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
                seen.append(statement)

        before = self.connection.begin_nested()
        event.listen(self.connection, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.connection, "before_cursor_execute", note)
            db.session.remove()
            before.rollback()


@contextmanager
def make_stage(app, world_type=World):
    """Put the scene up on one connection in one transaction, at noon, with hints going nowhere."""
    patch = pytest.MonkeyPatch()
    patch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)
    with clock.set_to(lambda: NOON), app.app_context():
        engine, engines = db.engines[None], db._app_engines[app]
        connection = engine.connect()
        outer = connection.begin()
        engines[None] = connection  # type: ignore[assignment] # as in tests/conftest.py
        db.session.configure(join_transaction_mode="create_savepoint")
        try:
            world = world_type(app, db.session())
            scenario = Scenario(world)
            world.session.commit()
            db.session.remove()
            yield MatrixScenario(app, connection, scenario)
        finally:
            db.session.remove()
            engines[None] = engine
            db.session.configure(join_transaction_mode="conditional_savepoint")
            outer.rollback()
            connection.close()
            patch.undo()


@pytest.fixture(scope="module")
def stage(app):
    """The scene of the access matrix."""
    with make_stage(app) as made:
        yield made
