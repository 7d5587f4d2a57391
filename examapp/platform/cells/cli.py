"""Commands of cells: give a new site its range of ids."""

from __future__ import annotations

import click
from flask import current_app

from examapp import clock
from examapp.db.session import transaction
from examapp.errors import ConflictError
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.cells.actions import begin_cell
from examapp.platform.cells.rules import MAX_CELL, first_id
from examapp.platform.setup.cli import cli_blueprint


@cli_blueprint.cli.group("cell")
def cell_group() -> None:
    """A site of a province, with ids of its own range."""


@cell_group.command("begin")
@click.argument("number", type=click.IntRange(1, MAX_CELL))
def begin(number: int) -> None:
    """Let all ids of an empty database lie in the range of this cell; run it as the owner, once, before anything is entered."""
    setting = current_app.config["SETTINGS"].cell
    if setting and setting != number:
        raise click.ClickException(f"CELL 设为 {setting}，与 {number} 不同。请先改正设置，再执行。")
    try:
        with transaction() as session:
            count = begin_cell(ActionContext(session, SYSTEM, clock.now()), number)
    except ConflictError as rejection:
        raise click.ClickException(rejection.text) from None
    click.echo(
        f"分区 {number} 的编号从 {first_id(number)} 开始（{count} 个序列）。请在设置中写 CELL={number}，再启动各部分。"
    )
