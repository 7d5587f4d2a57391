"""Commands of the frame: checks before a start, administrators, rehearsals, backups."""

from __future__ import annotations

import click
from flask import Blueprint, current_app
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError, ProgrammingError

from examapp import clock
from examapp.db.schema import newest_version
from examapp.db.session import read_session, transaction
from examapp.errors import DomainError
from examapp.organisation.access.rules import ROLE_NAMES, Role
from examapp.organisation.accounts.guards import cipher
from examapp.platform.cells.queries import list_sequences
from examapp.platform.cells.rules import find_cell_issue
from examapp.platform.setup import queries
from examapp.platform.setup.actions import Administrator, add_administrator
from examapp.platform.setup.rules import list_production_issues

cli_blueprint = Blueprint("admin_cli", __name__, cli_group=None)
_OLD_SCHEMA = "数据库结构还没有建立或不是最新的。请先运行 flask --app wsgi db upgrade。"


@cli_blueprint.cli.command("check-start")
def check_start() -> None:
    """Exit with 1 and the reasons in Chinese where a production start would be dangerous."""
    try:
        issues = _issues()
    except OperationalError:
        issues = ["连不上数据库。请检查 DATABASE_URL 和数据库服务。"]
    except ProgrammingError:
        issues = [_OLD_SCHEMA]
    for issue in issues:
        click.echo(f"不能启动：{issue}", err=True)
    if issues:
        raise SystemExit(1)
    click.echo("启动检查通过。")


def _issues() -> list[str]:
    session, settings = read_session(), current_app.config["SETTINGS"]
    if queries.schema_version(session) != newest_version():
        return [_OLD_SCHEMA]
    cell_issue = find_cell_issue(list_sequences(session, with_rows=settings.cell > 0), settings.cell)
    return ([cell_issue] if cell_issue else []) + list_production_issues(
        settings,
        queries.database_settings(session),
        has_demo_accounts=queries.has_demo_accounts(session),
        eviction_policy=_eviction_policy(settings.redis_url),
    )


def _eviction_policy(redis_url: str) -> str | None:
    """Ask Redis what it does when its memory is full; None where it does not answer, since the site works without it."""
    client = Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2, decode_responses=True)
    try:
        return str(client.config_get("maxmemory-policy").get("maxmemory-policy") or "") or None
    except RedisError:
        click.echo("提醒：暂时连不上 Redis，或它不允许查看设置；评分由巡检完成，会慢一些。", err=True)
        return None
    finally:
        client.close()


@cli_blueprint.cli.command("add-administrator")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@click.argument("login_name")
@click.argument("name")
@click.option("--unit", "unit_code", required=True, help="Code of the person's unit.")
def add_administrator_command(role: str, login_name: str, name: str, unit_code: str) -> None:
    """Make an account with a role, and print its first password once."""
    administrator = Administrator(name=name, login_name=login_name, role=Role(role))
    try:
        with transaction() as session:
            made = add_administrator(session, administrator, unit_code=unit_code, cipher=cipher(), now=clock.now())
    except DomainError as rejection:
        raise click.ClickException(rejection.text) from None
    click.echo(
        f"{ROLE_NAMES[made.role]} {made.name}：登录名 {made.login_name}，初始密码 {made.password}（首次登录须修改）"
    )
