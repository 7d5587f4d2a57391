"""The schema: which migration is the newest, and how the tables are brought to it; `flask db` runs Alembic.

Run as a program it migrates, and loads nothing if there is nothing to do, which saves three seconds of a start.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import click
import psycopg

from examapp.db.addresses import connect_arguments

if TYPE_CHECKING:
    from alembic.config import Config
    from flask.cli import ScriptInfo

_FOLDER = Path(__file__).parents[2] / "migrations"
_INI = _FOLDER / "alembic.ini"
_DEFAULT_REVISIONS = {"upgrade": "head", "stamp": "head", "downgrade": "-1"}


@click.command("db", context_settings={"ignore_unknown_options": True})
@click.argument("command")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def db_command(script: ScriptInfo, command: str, arguments: tuple[str, ...]) -> None:
    """Run a command of Alembic: upgrade, downgrade, current, heads, check, revision --autogenerate."""
    from alembic.config import main as run_alembic

    if not arguments and command in _DEFAULT_REVISIONS:
        arguments = (_DEFAULT_REVISIONS[command],)
    with script.load_app().app_context():
        run_alembic(["-c", str(_INI), command, *arguments], prog="flask db")


def migration_config() -> Config:
    """Build Alembic's configuration, for its Python functions; they need an application context."""
    from alembic.config import Config

    return Config(_INI)


@lru_cache(maxsize=1)
def newest_version() -> str | None:
    """Return the last revision that this program's migrations hold."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(_FOLDER).get_current_head()


def is_current(database_url: str) -> bool:
    """Return True if the tables are those of this program; False also if the database cannot be asked."""
    try:
        with psycopg.connect(**connect_arguments(database_url), connect_timeout=5) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except psycopg.Error:
        return False
    return [version for (version,) in found] == [newest_version()]


def main() -> None:
    """Migrate if needed: this process becomes the one that does it, and exits with its code."""
    if not is_current(os.environ["DATABASE_URL"]):
        os.execv(sys.executable, [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"])  # noqa: S606 – our own program, no shell


if __name__ == "__main__":
    main()
