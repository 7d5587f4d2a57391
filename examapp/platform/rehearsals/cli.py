"""Hold a rehearsal from the command line, and write the synthetic county of its shadow database."""

from __future__ import annotations

import json
import secrets

import click

from examapp import clock
from examapp.db.session import transaction
from examapp.errors import DomainError
from examapp.organisation.accounts.guards import hasher
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.rehearsal_environment import actions as rehearsal_environment_actions
from examapp.platform.rehearsals import actions, tasks
from examapp.platform.setup.cli import cli_blueprint

_STEPS = (
    "",
    "建立演练专用库",
    "写入演练名册",
    "登录",
    "开考",
    "保存（全速）",
    "保存（实际速度）",
    "交卷",
    "评分",
    "判断",
)


@cli_blueprint.cli.command("rehearse")
@click.option("--roster", type=click.IntRange(1), help="Judge for so many candidates instead of the whole roster.")
def rehearse(roster: int | None) -> None:
    """Play a whole synthetic attempt on this deployment; exit with 0 for go, 1 for no-go."""
    try:
        with transaction() as session:
            rehearsal_id = actions.request_rehearsal(
                ActionContext(session, SYSTEM, clock.now()), roster=roster, is_published=False
            ).id
    except DomainError as rejection:
        raise click.ClickException(rejection.text) from None
    rehearsal = tasks.hold_rehearsal(rehearsal_id, say=lambda step: click.echo(f"[{step}] {_STEPS[step]}"))
    if rehearsal is None:
        raise click.ClickException("这次演练已由后台开始，请在网页“考试日”中查看结果。")
    for line in rehearsal.figures:
        mark = "够　" if line["is_enough"] else "不够"
        click.echo(f"{mark}　{line['title']}：测得 {line['measured']:g}，需要 {line['needed']:g}（{line['unit']}）")
    click.echo(rehearsal.message)
    if not rehearsal.is_done or not rehearsal.is_go:
        raise SystemExit(1)


@cli_blueprint.cli.command("rehearsal-county", hidden=True)
@click.argument("people", type=click.IntRange(1))
def rehearsal_county(people: int) -> None:
    """Write the synthetic county into a shadow database; rejects any other."""
    password = secrets.token_urlsafe(12)
    password_hash = hasher().hash(password)
    with transaction() as session:
        made = rehearsal_environment_actions.write_county(session, people, password_hash=password_hash, now=clock.now())
    while True:
        with transaction() as session:
            if not rehearsal_environment_actions.prepare(session, made.exam_id, now=clock.now()):
                break
    click.echo(json.dumps({"password": password, "login_names": made.login_names, "exam_id": made.exam_id}))
