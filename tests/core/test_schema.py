"""The tables are brought to the program, and a start finds out cheaply whether they are there."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import create_engine, text

from examapp.db.schema import is_current, newest_version
from examapp.db.session import db
from tests.conftest import Servers, opened


def test_the_commands_of_flask_migrate_are_there_though_nothing_of_it_is_loaded(app: Flask) -> None:
    for command in ("heads", "upgrade"):
        told = app.test_cli_runner().invoke(args=["db", command])
        assert told.exit_code == 0, told.output


def test_tables_of_this_program_are_current_and_no_answer_is_not(app: Flask) -> None:
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    assert newest_version()
    assert is_current(url)
    assert not is_current("postgresql+psycopg://nobody@127.0.0.1:1/nothing")


def test_the_schema_goes_down_to_nothing_and_up_again(servers: Servers) -> None:
    engine = create_engine(servers.settings("postgres").database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE schemas"))
    engine.dispose()
    left = text(
        "SELECT (SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version')"
        " + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)"
    )
    with opened(servers.settings("schemas")) as app, app.app_context():
        counts = []
        for step in (upgrade, lambda: downgrade(revision="base"), upgrade):
            step()
            with db.engine.connect() as connection:
                counts.append(connection.scalar(left))
    assert counts[0] == counts[2] > 100
    assert counts[1] == 0


def test_there_is_one_head_and_one_migration_until_the_first_release() -> None:
    versions = Path(__file__).parents[2] / "migrations" / "versions"
    assert [path.name for path in versions.glob("*.py")] == ["0001_initial.py"]
