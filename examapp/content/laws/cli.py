"""The law library on the command line: `flask --app wsgi laws import PATH…`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from flask import Blueprint

from examapp import clock
from examapp.content.laws.actions import LawImportSummary
from examapp.content.laws.rules import LAW_SUFFIXES, iter_law_files
from examapp.db.session import transaction
from examapp.documents.archives import UnreadableFileError
from examapp.platform.audit.actions import SYSTEM, ActionContext

cli_blueprint = Blueprint("laws_cli", __name__, cli_group="laws")
MAX_LISTED = 20
"""Of more laws only those with remarks are listed."""


@cli_blueprint.cli.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def import_laws(paths: tuple[Path, ...]) -> None:
    """Import texts of laws, folders and archives too, with one summary; exit code 0 only where every file held a law."""
    summary = import_folder(paths)
    for law in summary.laws if len(summary.laws) <= MAX_LISTED else ():
        click.echo(f"{law.name}（{law.version_on}）：新增 {law.added} 条，更正 {law.changed} 条，共 {law.total} 条")
    for law in summary.laws:
        for remark in law.remarks:
            click.echo(f"  {law.name}（{law.version_on}）：{remark}")
    for name, reason in summary.rejected:
        click.echo(f"{name}：没有导入。{reason}")
    click.echo(summary.text)
    sys.exit(1 if summary.rejected else 0)


def import_folder(paths: Iterable[Path]) -> LawImportSummary:
    """Import all texts below paths with a progress bar, each in a transaction of its own."""
    summary = LawImportSummary()
    with click.progressbar(list(_files(paths)), label="导入法律文本", show_pos=True) as files:
        for path in files:
            try:
                for name, content in iter_law_files(path.name, path.read_bytes()):
                    with transaction() as session:
                        summary.add_file(ActionContext(session, SYSTEM, clock.now()), name=name, content=content)
            except (UnreadableFileError, OSError) as error:
                summary.files += 1
                summary.rejected.append((path.name, str(error)))
    return summary


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files below paths, Markdown last: where a law is there twice, the edited text is kept."""
    for path in paths:
        if path.is_dir():
            found = [each for each in path.rglob("*") if each.suffix.lower() in {*LAW_SUFFIXES, ".zip"}]
            yield from sorted(found, key=lambda each: (each.suffix.lower() == ".md", each))
        else:
            yield path
