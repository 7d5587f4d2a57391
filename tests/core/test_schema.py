"""The tables are brought to the program, and a start finds out cheaply whether they are there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from flask import Flask
from sqlalchemy import text

from examapp.db.schema import is_current, migration_config, newest_version
from examapp.db.session import db
from tests.conftest import Servers, opened


def test_flask_db_runs_alembic_with_the_newest_revision_where_none_is_named(app: Flask) -> None:
    for arguments in (["heads"], ["upgrade"], ["upgrade", "head"], ["check"]):
        said = app.test_cli_runner().invoke(args=["db", *arguments])
        assert said.exit_code == 0, said.output


def test_tables_of_this_program_are_current_and_no_answer_is_not(app: Flask) -> None:
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    assert newest_version()
    assert is_current(url)
    assert not is_current("postgresql+psycopg://nobody@127.0.0.1:1/nothing")


def test_the_schema_goes_down_to_nothing_and_up_again(servers: Servers) -> None:
    servers.create_database("schemas")
    left = text(
        "SELECT (SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version')"
        " + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)"
    )
    with opened(servers.settings("schemas")) as app, app.app_context():
        counts = []
        for step, revision in ((command.upgrade, "head"), (command.downgrade, "base"), (command.upgrade, "head")):
            step(migration_config(), revision)
            with db.engine.connect() as connection:
                counts.append(connection.scalar(left))
    assert counts[0] == counts[2] > 100
    assert counts[1] == 0


def test_there_is_one_head_and_one_migration_until_the_first_release() -> None:
    versions = Path(__file__).parents[2] / "migrations" / "versions"
    assert [path.name for path in versions.glob("*.py")] == ["0001_initial.py"]
