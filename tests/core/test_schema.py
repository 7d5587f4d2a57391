"""The tables are brought to the program, and a start finds out cheaply whether they are there."""

from __future__ import annotations

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


def test_stored_response_schemas_are_rewritten_and_written_back(servers: Servers) -> None:
    """Two characters an item, the kind and a number, become three, of which two say what a response may be; and back."""
    old, new = "S4M5T2B2W1S:B1", "S41M55T21B02W01S:1B01"
    engine = create_engine(servers.settings("postgres").database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE schemas"))
    engine.dispose()
    with opened(servers.settings("schemas")) as app, app.app_context():
        upgrade(revision="0029_sitting_notice")
        with db.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO papers (sections, shape, total_points, created_at) VALUES ('[]', :old, 0, now()), ('[]', '', 0, now())"
                ),
                {"old": old},
            )
        upgrade()
        with db.engine.begin() as connection:
            assert list(connection.scalars(text("SELECT response_schema FROM papers ORDER BY id"))) == [new, ""]
        downgrade(revision="0029_sitting_notice")
        with db.engine.begin() as connection:
            assert list(connection.scalars(text("SELECT shape FROM papers ORDER BY id"))) == [old, ""]
