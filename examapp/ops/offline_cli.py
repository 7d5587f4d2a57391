"""The program in a shell without a database: commands that only read files run there, all else is told which setting is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import click
from flask import Flask
from flask.cli import FlaskGroup

from examapp.config import Settings, SettingsError

NO_DATABASE = "postgresql+psycopg://"
NO_ASSETS = ("", Path())
"""Version and folder of the assets where no page is ever shown: nothing is written into the data folder."""


def is_offline(settings: Settings) -> bool:
    """Tell whether the command line looks up a command of ours and no database is set; a server that starts is never bare."""
    context = click.get_current_context(silent=True)
    is_command = context is not None and isinstance(context.command, FlaskGroup)
    return is_command and not settings.database_url and not settings.redis_url


def engine_options(settings: Settings) -> dict[str, Any]:
    """Options of an engine that says which setting is missing as soon as somebody wants a connection."""
    return {"creator": lambda: _refuse(settings)}


def reject_requests(app: Flask, settings: Settings) -> None:
    """Let no request in: such an application has nothing to answer with."""
    app.wsgi_app = lambda *_: _refuse(settings)  # type: ignore[method-assign]  # Flask means it to be wrapped so


def _refuse(settings: Settings) -> NoReturn:
    try:
        settings.check()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    raise SettingsError("没有数据库。请设置 DATABASE_URL 和 REDIS_URL。")
