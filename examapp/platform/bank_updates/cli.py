"""Commands: `flask --app wsgi bank update | edition`."""

from __future__ import annotations

from pathlib import Path

import click

from examapp import clock
from examapp.content.question_imports.cli import blueprint as bank_commands
from examapp.db.session import transaction
from examapp.documents.archives import UnreadableFileError
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.bank_updates import actions
from examapp.platform.bank_updates.rules import compare_edition, open_edition, pack_edition

_BANK = Path(__file__).parents[3] / "question_bank"


@bank_commands.cli.command("edition")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", default="", help="版次的名称，如“2027 年版”；默认为今年。")
def write_edition(out: Path, name: str) -> None:
    """Write the content that ships with this program as the file of an edition."""
    out.write_bytes(pack_edition(name or f"{clock.today().year} 年版", _BANK))
    click.echo(f"已写入 {out}。")


@bank_commands.cli.command("update")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--apply", "applies", is_flag=True, help="更新；不加这一项只预览。")
@click.option(
    "--overwrite", "overwritten", multiple=True, help="放弃本县对这道题的修改，改用新版；逐题写编号，可重复。"
)
@click.option("--withdraw", "withdraws", is_flag=True, help="停用新版没有的题。")
def update_bank(file: Path, applies: bool, overwritten: tuple[str, ...], withdraws: bool) -> None:
    """Preview a yearly edition of questions, gists and courses, or bring it in; the county's own edits are kept save the named ones."""
    try:
        with open_edition(file.read_bytes()) as edition:
            with transaction() as session:
                stored = actions.load_stored(session)
            changes = compare_edition(edition.questions, stored)
            click.echo(f"{edition.name}：新增 {len(changes.new)} 题，有修改 {len(changes.changed)} 题，相同 {changes.same} 题，新版没有的 {len(changes.withdrawn)} 题。")  # fmt: skip
            for entry in changes.own:
                word = "改用新版" if entry["code"] in overwritten else "保留本县修改"
                click.echo(f"  {entry['code']}：本县改过，与新版不同，{word}")
            if not applies:
                click.echo("只是预览，没有改动。加 --apply 更新。")
                return
            steps = list(actions.iter_steps(edition, changes, stored, overwritten=overwritten, withdraws=withdraws))
            for number, step in enumerate(steps, 1):
                with transaction() as session:
                    step(ActionContext(session, SYSTEM, clock.now()))
                click.echo(f"  第 {number} / {len(steps)} 步完成")
            click.echo(actions.describe_update(changes, overwritten, withdraws=withdraws))
    except UnreadableFileError as error:
        raise click.ClickException(str(error)) from error
