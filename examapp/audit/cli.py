"""Commands of the audit log: tell whether it is as it was written."""

from __future__ import annotations

from functools import partial

import click
from flask import Blueprint, current_app

from examapp.audit.queries import ChainCheck, check_chain
from examapp.core import clock
from examapp.core.db import reading

cli_blueprint = Blueprint("audit_cli", __name__, cli_group="audit")


@cli_blueprint.cli.command("verify")
@click.option("--head", "head", help="NUMBER:DIGEST as an earlier check printed it, kept outside the database.")
def verify(head: str | None) -> None:
    """Check the chain over the log; exit with 1 and name every changed, removed or inserted line."""
    mac = partial(current_app.extensions["sealer"].blind_index, purpose="audit_chain")
    found = check_chain(reading(), mac=mac, head=_head(head), now=clock.now())
    for fault in found.faults:
        click.echo(fault, err=True)
    if found.faults:
        raise click.ClickException(
            f"审计记录校验不通过，发现 {len(found.faults)} 处问题。请保留数据库现状，并与备份核对。"
        )
    click.echo(_words(found))


def _head(head: str | None) -> tuple[int, bytes] | None:
    if not head:
        return None
    number, _, digest = head.partition(":")
    try:
        return int(number), bytes.fromhex(digest)
    except ValueError:
        raise click.BadParameter("应写作“编号:校验值”，照上次校验的输出填写。") from None


def _words(found: ChainCheck) -> str:
    waiting = f"另有 {found.unsealed} 条等待加入。" if found.unsealed else ""
    return f"审计记录完好：共 {found.count} 条。{waiting}链尾 {found.count}:{found.head.hex()}（请抄存在别处，下次用 --head 核对）"
