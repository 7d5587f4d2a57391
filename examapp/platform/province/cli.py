"""Commands of a province: `flask province publish | subscribe | status`, on the province's site and on each cell's alike."""

from __future__ import annotations

import click
import psycopg
from flask import current_app

from examapp import clock
from examapp.clock import local
from examapp.config import Settings
from examapp.db.addresses import connect_arguments
from examapp.db.session import read_session
from examapp.errors import ConflictError
from examapp.platform.province.actions import READER
from examapp.platform.province.actions import publish as publish_tables
from examapp.platform.province.actions import subscribe as subscribe_to
from examapp.platform.province.queries import list_links, list_shared_numbers, list_slots
from examapp.platform.province.rules import Direction, Link
from examapp.platform.security_checklist.queries import find_site_points
from examapp.platform.security_checklist.rules import Level
from examapp.platform.setup.cli import cli_blueprint

_BYTES = 1024 * 1024


@cli_blueprint.cli.group("province")
def province_group() -> None:
    """A province and its cells: what goes down, what comes up, and how it stands."""


@province_group.command("publish")
def publish() -> None:
    """Let the other side read this site's listed columns; run it as the owner, once and after each upgrade."""
    settings = _part_of_province()
    direction = Direction.UP if settings.cell else Direction.DOWN
    try:
        with psycopg.connect(**connect_arguments(settings.database_url)) as connection:
            count = publish_tables(connection, direction)
    except (ConflictError, psycopg.Error) as error:
        raise click.ClickException(_text_of(error)) from None
    click.echo(
        f"已发布 {count} 张表。对方以数据库账号 {READER} 连接：请设置口令（ALTER ROLE {READER} PASSWORD '…'），"
        "在 pg_hba.conf 中只对对方的地址放行它连这个数据库（不要放行 replication），再在对方执行 flask province subscribe。"
    )


@province_group.command("subscribe")
@click.argument("address", envvar="PROVINCE_PEER")
def subscribe(address: str) -> None:
    """Take in what the site at ADDRESS publishes (written like DATABASE_URL; or set PROVINCE_PEER); run it as the owner."""
    settings = _part_of_province()
    direction = Direction.DOWN if settings.cell else Direction.UP
    try:
        with psycopg.connect(**connect_arguments(settings.database_url), autocommit=True) as connection:
            cell = subscribe_to(connection, address, direction, cell=settings.cell)
    except (ConflictError, psycopg.Error) as error:
        raise click.ClickException(_text_of(error)) from None
    source = "省级站" if settings.cell else f"分区 {cell}"
    click.echo(f"已订阅{source}，正在复制已有的数据。用 flask province status 查看进度。")


def _part_of_province() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    if not settings.cell and not settings.province:
        raise click.ClickException(
            "本站还不是省的一部分：省级站请设 PROVINCE=1，县或地市请设 CELL=分区编号，再执行一次。"
        )
    return settings


def _text_of(error: Exception) -> str:
    return (
        error.text
        if isinstance(error, ConflictError)
        else f"数据库没有接受：{str(error).strip()}。请核对地址、账号和网络。"
    )


@province_group.command("status")
def status() -> None:
    """Show how far each subscription has got and what is wrong, with a link or with this site itself; exits with 1 where anything is."""
    session, now = read_session(), clock.now()
    links, is_well = list_links(session), True
    if not links:
        click.echo("本站没有订阅别的站。", err=True)
    for link in links:
        issues = list(link.list_issues(now))
        is_well = is_well and not issues
        click.echo(f"{'正常' if not issues else '异常'}　{_describe(link)}")
        for issue in issues:
            click.echo(f"　　{issue}", err=True)
    for name, is_active, wal_status, waiting in list_slots(session):
        is_sound = is_active and wal_status in ("reserved", "extended")
        is_well = is_well and is_sound
        found = "对方在读" if is_active else "对方没有在读"
        lost = "；所需日志已丢失，对方须重新订阅" if wal_status == "lost" else ""
        click.echo(
            f"{'正常' if is_sound else '异常'}　发出 {name}：{found}，还有 {waiting / _BYTES:.1f} MB 没有读{lost}"
        )
    for number, cells in list_shared_numbers(session):
        click.echo(f"提示　工号 {number} 在分区 {'、'.join(map(str, cells))} 都有；各自有效，汇总时是不同的人。")
    if not _is_site_well() or not links or not is_well:
        raise SystemExit(1)


def _is_site_well() -> bool:
    """Say what is wrong with this very site: its database's hosts and clocks, its ids, its certificate."""
    points = find_site_points(read_session(), current_app.config["SETTINGS"], now=clock.now())
    bad = [point for point in points if point.level is Level.BAD]
    for point in bad:
        click.echo(f"异常　本站 {point.name}：{point.found}。{point.advice}", err=True)
    return not bad


def _describe(link: Link) -> str:
    lag = link.lag(clock.now())
    as_of = f"数据截至 {local(link.beat_at):%Y-%m-%d %H:%M:%S}（{max(lag.total_seconds(), 0):.0f} 秒前）" if link.beat_at and lag else "还没有收到数据"  # fmt: skip
    last = f"{local(link.received_at):%H:%M:%S}" if link.received_at else "无"
    return f"{link.label}：{as_of}，最近收到 {last}，出错 {link.errors} 次，其中重复 {link.conflicts} 次"
