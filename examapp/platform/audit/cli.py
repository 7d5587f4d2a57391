"""Commands of the audit log: tell whether it is as it was written."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Blueprint, current_app

from examapp import clock
from examapp.db import program_role
from examapp.db.session import transaction
from examapp.errors import NotFoundError
from examapp.platform.audit import actions
from examapp.platform.audit.queries import ChainCheck
from examapp.platform.audit_chain import actions as audit_chain_actions

cli_blueprint = Blueprint("audit_cli", __name__, cli_group="audit")


@cli_blueprint.cli.command("verify")
@click.option("--head", "head", help="NUMBER:DIGEST as an earlier check printed it, kept outside the database.")
def verify(head: str | None) -> None:
    """Check the chain over the log; exit with 1 and name every changed, removed or inserted line."""
    cipher = current_app.extensions["cipher"]
    with transaction() as session:
        has_accounts = current_app.extensions["has_accounts"](session)
        found = audit_chain_actions.verify(
            session, cipher=cipher, folder=_folder(), head=_head(head), now=clock.now(), has_accounts=has_accounts
        )
    for issue in found.issues:
        click.echo(issue, err=True)
    if found.issues:
        raise click.ClickException(
            f"审计记录校验不通过，发现 {len(found.issues)} 处问题。请保留数据库现状，并与备份核对。"
        )
    click.echo(_text(found))


@cli_blueprint.cli.command("accept-head")
@click.option("--reason", required=True, help="Why the kept head no longer holds, as it will stand in the log.")
def accept_head(reason: str) -> None:
    """Keep the head of the chain as the database holds it now: after a restore, or where the file is lost. Stands in the log."""
    cipher = current_app.extensions["cipher"]
    with transaction() as session:
        head = audit_chain_actions.accept_head(
            session, cipher=cipher, folder=_folder(), reason=_reason(reason), now=clock.now()
        )
    click.echo(f"已认可现在的链首 {head}，原来的文件改名保留在 {_folder()}。请再执行一次 flask audit verify。")


@cli_blueprint.cli.command("accept-line")
@click.argument("event_id", type=int)
@click.option("--reason", required=True, help="How the line came about, as it will stand in the log.")
def accept_line(event_id: int, reason: str) -> None:
    """Account for a line that the check names as inserted, where it is not: a clock that ran wrong. Stands in the log."""
    cipher = current_app.extensions["cipher"]
    try:
        with transaction() as session:
            audit_chain_actions.accept_line(session, event_id, cipher=cipher, reason=_reason(reason), now=clock.now())
    except NotFoundError as rejection:
        raise click.ClickException(rejection.text) from None
    click.echo(f"已认可链外的记录 {event_id}，原因记入审计日志；这条记录再被改动，校验仍会指出。")


@cli_blueprint.cli.command("archive")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--drop", is_flag=True, help="Take the written lines out of the database; needs the owner's account.")
def archive(folder: Path, drop: bool) -> None:
    """Write lines older than KEEP_AUDIT_DAYS into a signed file; with --drop, take them out of the database after checking the file."""
    cipher, days = current_app.extensions["cipher"], current_app.config["SETTINGS"].keep_audit_days
    with transaction() as session:
        path = actions.write_archive(session, folder, cipher=cipher, days=days, now=clock.now())
        if path is None:
            click.echo(f"没有超过 {days} 天的审计记录。")
            return
        found = actions.check_file(path, cipher=cipher)
        click.echo(f"已写入 {path}：第 {found.first} 至 {found.last} 环，SHA-256 {found.sha256}")
        if drop:
            count = actions.drop_archived(session, path, cipher=cipher, days=days, now=clock.now())
            click.echo(f"已从数据库清除 {count} 条。请把文件存到另一台机器。")


@cli_blueprint.cli.command("verify-file")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify_file(paths: tuple[Path, ...]) -> None:
    """Check archived files, in their order: signatures, links, and that each follows the one before; exit with 1 on any fault."""
    before, issues = None, list[str]()
    for path in paths:
        found = actions.check_file(path, cipher=current_app.extensions["cipher"])
        issues += [f"{path.name}：{issue}" for issue in found.issues]
        if before is not None and (found.previous_sha256 != before.sha256 or found.previous_digest != before.digest):
            issues.append(f"{path.name}：与前一个文件接不上，中间的文件缺失或被替换。")
        before = found
        click.echo(f"{path.name}：第 {found.first} 至 {found.last} 环")
    if issues:
        raise click.ClickException("归档核对不通过：" + "；".join(issues))
    click.echo("归档完好。")


@cli_blueprint.cli.command("sign-archives")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def sign_archives(paths: tuple[Path, ...]) -> None:
    """Sign what the database says of pieces that were archived before this was signed, each proved by its file; needs the owner's account."""
    try:
        with transaction() as session:
            for path in paths:
                actions.sign_archive(session, path, cipher=current_app.extensions["cipher"])
    except actions.InvalidArchiveError as rejection:
        raise click.ClickException(rejection.text) from None
    click.echo(f"已补签 {len(paths)} 个归档的登记。")


@cli_blueprint.cli.command("restrict")
@click.argument("role", required=False)
@click.option(
    "--program-url",
    envvar="PROGRAM_DATABASE_URL",
    help="DATABASE_URL of the program: its role is made where it is not there.",
)
def restrict(role: str | None, program_url: str | None) -> None:
    """Give a role of the database what the program needs, but no right to change or delete the log; run it as the owner."""
    owner_url = current_app.config["SETTINGS"].database_url
    try:
        if role:
            program_role.restrict(owner_url, role)
        elif program_url:
            role = program_role.restrict_role_of(program_url, owner_url=owner_url)
        else:
            raise click.UsageError("请写明程序账号，或用 --program-url 给出程序的 DATABASE_URL。")
    except program_role.SameRoleError:
        raise click.ClickException(
            "程序账号就是表的属主，收不回它改审计记录的权限。请为程序另建一个账号（运维手册，审计记录防篡改）。"
        ) from None
    click.echo(f"账号 {role} 已可运行程序；审计记录只能添加，不能修改和删除。")


def _folder() -> Path:
    path: Path = current_app.config["SETTINGS"].data_path
    return path


def _reason(reason: str) -> str:
    if not reason.strip():
        raise click.BadParameter("请写明原因，它会记入审计日志。")
    return reason.strip()[:500]


def _head(head: str | None) -> tuple[int, bytes] | None:
    if not head:
        return None
    try:
        return audit_chain_actions.read_head(head)
    except ValueError:
        raise click.BadParameter("应写作“编号:校验值”，照上次校验的输出填写。") from None


def _text(found: ChainCheck) -> str:
    waiting = f"另有 {found.unchained} 条等待加入。" if found.unchained else ""
    return f"审计记录完好：共 {found.count} 条。{waiting}链尾 {found.count}:{found.head.hex()}（请抄存在别处，下次用 --head 核对）"
