"""The tables and the program: which migration is the newest, and how the tables are brought to it.

Run as a program it migrates, and where nothing is to be done it loads nothing, which saves three seconds of a start.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import click
import psycopg

from examapp.lazy_import import LazyModule

if TYPE_CHECKING:
    from flask import Flask


alembic, database, flask_migrate = (
    LazyModule("alembic.script"),
    LazyModule("examapp.db.session"),
    LazyModule("flask_migrate"),
)
_FOLDER = "migrations"


class Migrations(click.Command):
    """Flask-Migrate and its `flask db` in waiting: loaded by who asks for it or for that command, in no process of the running site."""

    def __init__(self, app: Flask) -> None:
        super().__init__("db", help="Perform database migrations.")
        self._app = app
        app.extensions["migrate"] = self
        app.cli.add_command(self)

    def __getattr__(self, attribute: str) -> Any:
        """Give an attribute of Flask-Migrate's own entry among the extensions, which takes this one's place."""
        self._load()
        return getattr(self._app.extensions["migrate"], attribute)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Begin Flask-Migrate's own group of commands in this one's stead."""
        context: click.Context = self._load().make_context(info_name, args, parent, **extra)
        return context

    def _load(self) -> click.Group:
        flask_migrate.Migrate(self._app, database.db, directory=_FOLDER)
        group: click.Group = flask_migrate.cli.db
        return group


@lru_cache(maxsize=1)
def newest_version() -> str | None:
    """Give the last revision that this program's migrations hold."""
    version: str | None = alembic.ScriptDirectory(_FOLDER).get_current_head()
    return version


def is_current(database_url: str) -> bool:
    """Tell whether the tables are those of this program; False also where that can't be found out."""
    address = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        with psycopg.connect(address, connect_timeout=5) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except psycopg.Error:
        return False
    return [version for (version,) in found] == [newest_version()]


def main() -> None:
    """Migrate where needed: this process becomes the one that does it, and ends as it ends."""
    if not is_current(os.environ["DATABASE_URL"]):
        os.execv(sys.executable, [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"])  # noqa: S606 – our own program, no shell


if __name__ == "__main__":
    main()
