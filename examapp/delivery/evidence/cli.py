"""Make evidence packs at the command line, and check them."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import click
from flask import Blueprint, current_app

from examapp.db.session import transaction
from examapp.delivery.evidence import actions
from examapp.errors import DomainError

cli_blueprint = Blueprint("evidence_cli", __name__, cli_group="evidence")


@cli_blueprint.cli.command("make")
@click.argument("exam_id", type=int)
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--names", is_flag=True, help="Say whose the attempts are.")
def make(exam_id: int, path: Path, names: bool) -> None:
    """Make the evidence pack of an exam as a file; the operator's way beside the page's two persons."""
    signer = actions.signer_from(current_app.config["SETTINGS"])
    try:
        with transaction() as session:
            digest = actions.make_pack(session, exam_id, path, signer=signer, has_names=names)
    except DomainError as error:
        raise click.ClickException(error.text) from error
    click.echo(f"已写入 {path}。清单校验值：{digest}\n公钥：{signer.public_key().public_bytes_raw().hex()}")


@cli_blueprint.cli.command("verify", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, required=True)
def verify(arguments: tuple[str, ...]) -> None:
    """Check a pack by the script that lies in every pack; takes its arguments: PACK.zip [--key HEX] [--attempt NUMBER]."""
    sys.argv = ["verify.py", *arguments]
    runpy.run_path(str(actions.ENCLOSED / "verify.py"), run_name="__main__")
