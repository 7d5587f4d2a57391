"""The law library on the command line: `flask --app wsgi laws import PATH…`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from flask import Blueprint

from examapp import clock
from examapp.content.law_texts.rules import UnreadableLawError, read_law_text
from examapp.content.laws.actions import import_law_text
from examapp.db.session import transaction
from examapp.platform.audit.actions import SYSTEM, ActionContext

cli_blueprint = Blueprint("laws_cli", __name__, cli_group="laws")


@cli_blueprint.cli.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def import_laws(paths: tuple[Path, ...]) -> None:
    """Import texts of laws, folders too; exit code 0 only where every file held one."""
    rejected = 0
    for path in _files(paths):
        try:
            text = read_law_text(path.read_bytes(), path.name)
        except UnreadableLawError as error:
            click.echo(f"{path}：没有导入。{error.text}")
            rejected += 1
            continue
        with transaction() as session:
            done = import_law_text(ActionContext(session, SYSTEM, clock.now()), text=text)
        click.echo(
            f"{done.name}（{done.version_on}）：新增 {done.added} 条，更正 {done.changed} 条，共 {done.total} 条"
        )
        for remark in done.remarks:
            click.echo(f"  {remark}")
    sys.exit(1 if rejected else 0)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (each for each in sorted(path.rglob("*")) if each.suffix in {".txt", ".md", ".docx"})
        else:
            yield path
