"""Commands about units: `flask org import-units FILE`."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Blueprint

from examapp import clock
from examapp.db.session import transaction
from examapp.documents.tables import read_grids
from examapp.errors import DomainError
from examapp.organisation.units.actions import import_units
from examapp.organisation.units.rules import UNIT_HEADS
from examapp.platform.audit.actions import SYSTEM, ActionContext

cli_blueprint = Blueprint("org_cli", __name__, cli_group="org")


@cli_blueprint.cli.command("import-units")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_units_from(file: Path) -> None:
    """Take over units from a workbook or csv file: all of it, or nothing with the reasons row by row."""
    try:
        grids = read_grids(file.read_bytes(), name=file.name, aliases=UNIT_HEADS)
        with transaction() as session:
            counts = import_units(ActionContext(session, SYSTEM, clock.now()), grids)
    except DomainError as rejection:
        raise click.ClickException(rejection.text) from None
    click.echo(f"已新增 {counts['new']} 个单位，更新 {counts['changed']} 个。")
