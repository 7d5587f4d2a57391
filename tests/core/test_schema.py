"""The tables are brought to the program, and a start finds out cheaply whether they are there."""

from __future__ import annotations

from flask import Flask

from examapp.core.schema import is_current, newest_version


def test_the_commands_of_flask_migrate_are_there_though_nothing_of_it_is_loaded(app: Flask) -> None:
    for command in ("heads", "upgrade"):
        told = app.test_cli_runner().invoke(args=["db", command])
        assert told.exit_code == 0, told.output


def test_tables_of_this_program_are_current_and_no_answer_is_not(app: Flask) -> None:
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    assert newest_version()
    assert is_current(url)
    assert not is_current("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
