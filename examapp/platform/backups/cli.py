"""The ledgers of a database up to an instant, as counts and checksums that do not move afterwards: what a restore is compared by."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask import current_app
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from examapp.clock import from_local, local
from examapp.db.addresses import database_address
from examapp.ops import backup
from examapp.ops.backup import HEAD_FILE, BackupError, BackupFolder
from examapp.platform.security_checklist.queries import backup_folder
from examapp.platform.setup.cli import cli_blueprint

_TABLES = (
    ("answer_history", "id, attempt_id, person_id, item, epoch, seq, response, saved_at", "saved_at"),
    ("attempts", "id, exam_id, person_id, number, paper_id, started_at", "started_at"),
    ("grades", "id, attempt_id, number, points, item_points, graded_at", "graded_at"),
    ("audit_events", "id, at, actor_id, act, object_type, object_id, details", "at"),
    ("persons", "id, staff_number, created_at", "created_at"),
    ("papers", "id, sections, created_at", "created_at"),
)
"""Table, the columns that never change once written, and when a row was written."""


@dataclass(frozen=True, slots=True)
class TableFingerprint:
    """A table's rows up to an instant: how many, and a sum over their contents."""

    table: str
    rows: int
    checksum: str


def read_ledger(database_url: str, until: datetime) -> list[TableFingerprint]:
    """Read the ledgers of a database, of rows written up to an instant."""
    engine = create_engine(database_address(database_url), pool_size=1)
    try:
        with engine.connect() as connection:
            connection.execute(text("SET timezone = 'UTC'"))
            return [
                TableFingerprint(
                    table, *connection.execute(text(_statement(table, columns, written)), {"until": until}).one()
                )
                for table, columns, written in _TABLES
            ]
    finally:
        engine.dispose()


def _statement(table: str, columns: str, written: str) -> str:
    return (
        "SELECT count(*), coalesce(sum(hashtextextended(one::text, 0)::numeric), 0)::text "  # noqa: S608 – names of this file
        f"FROM (SELECT {columns} FROM {table} WHERE {written} <= :until) AS one"
    )


_SETTLED = timedelta(seconds=5)
"""Rows of the last moments before the target may have been uncommitted at it, so they are not compared."""


@cli_blueprint.cli.group("backup")
def backups() -> None:
    """Back up the database, restore it, and drill both."""


def _rejecting(command: Callable[..., None]) -> Callable[..., None]:
    @wraps(command)
    def rejecting(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except OSError as error:
            raise click.ClickException(f"备份目录读写不了：{error.strerror} {error.filename or ''}") from None
        except BackupError as error:
            raise click.ClickException(str(error)) from None
        except SQLAlchemyError as error:
            raise click.ClickException(
                f"数据库没有应答或拒绝了：{str(getattr(error, 'orig', error)).strip()[:300]}"
            ) from None

    return rejecting


def _folder() -> BackupFolder:
    return backup_folder(current_app.config["SETTINGS"])


def _url() -> str:
    return str(current_app.config["SETTINGS"].database_url)


@backups.command("start")
@_rejecting
def start() -> None:
    """Begin to archive WAL continuously; no restart, safe to repeat."""
    seconds = backup.start_archiving(_url(), _folder())
    click.echo(
        f"连续归档已开始（第一段用时 {seconds:.1f} 秒）：{_folder().wal}。最多丢失约 {backup.ARCHIVE_TIMEOUT_S} 秒。"
    )
    click.echo("请接着执行 backup base，并把备份目录同步到另一台机器。SECRET_KEY 和 DATA_KEYS 不在备份里，请另行保管。")


@backups.command("base")
@_rejecting
def base() -> None:
    """Copy the whole database now; old copies go after a fortnight."""
    head = current_app.config["SETTINGS"].data_path / HEAD_FILE
    target = backup.make_noted_backup(_url(), _folder(), head=head)
    click.echo(f"基础备份完成：{target}（{backup.size_of(target) / 1e6:.0f} MB）")
    if _folder().head_of(target) is None:
        click.echo(f"提醒：没有读到审计链首文件 {head}，备份里没有它。", err=True)


@backups.command("restore")
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--at",
    "moment",
    type=click.DateTime(),
    help="County time, such as 2026-11-24T10:30:00; as late as the archive reaches where left out.",
)
@_rejecting
def restore(target: Path, moment: datetime | None) -> None:
    """Restore into a new directory as everything stood at a moment; the database that runs is not touched."""
    instant = from_local(moment) if moment else None
    found = backup.restore(_folder(), target.resolve(), moment=instant, programs=backup.find_programs(_url()))
    wording = f"{local(instant):%Y-%m-%d %H:%M:%S}" if instant else "归档的最后"
    click.echo(f"已恢复到{wording}：{found.target}，用时 {found.seconds:.0f} 秒。核对后即可用它启动数据库。")
    head = _folder().head_of(found.base)
    from_where = f"把 {head} 复制为新数据目录下的 {HEAD_FILE}" if head else "备份里没有链首文件"
    click.echo(
        f"审计链首：仍用原来的数据目录时，链首比恢复的数据新，启动后先执行 flask audit accept-head --reason 恢复的原因；"
        f"换了数据目录时，{from_where}{'' if head else '，同样执行 accept-head'}。再执行 flask audit verify。"
    )


@backups.command("restore-drill")
@click.option("--at", "moment", type=click.DateTime(), help="County time; this moment where left out.")
@_rejecting
def restore_drill(moment: datetime | None) -> None:
    """Restore to a moment beside the running database, compare the ledgers, print RPO and RTO; exit with 1 where anything differs."""
    folder, programs = _folder(), backup.find_programs(_url())
    noted, lag_s = backup.settle(_url(), folder)
    instant = from_local(moment) if moment else noted
    with tempfile.TemporaryDirectory(prefix="restore-drill-") as place:
        Path(place).chmod(0o755)
        target = Path(place) / "postgres"
        with backup.restored_server(folder, target, moment=instant, programs=programs) as (found, sockets):
            restored_url = _restored_url(sockets)
            until = instant - _SETTLED
            differences = _compare(read_ledger(_url(), until), read_ledger(restored_url, until))
        backup.check_files(programs, target)
    click.echo(f"基础备份 {found.base.name}，恢复到 {local(instant):%Y-%m-%d %H:%M:%S}，每一页的校验和都对。")
    click.echo(
        f"RPO（最多丢失）{lag_s:.0f} 秒，要求不超过 60 秒；RTO（恢复用时）{found.seconds:.0f} 秒，要求不超过 1800 秒。"
    )
    if differences or lag_s > 60 or found.seconds > 1800:
        click.echo("恢复演练没有通过。" + (f"不一致的表：{'、'.join(differences)}" if differences else ""))
        raise SystemExit(1)
    click.echo("恢复演练通过：账目与运行中的数据库完全一致。")


def _restored_url(sockets: str) -> str:
    name = make_url(_url()).database or "examapp"
    return f"postgresql+psycopg://{make_url(_url()).username or 'postgres'}@/{name}?host={sockets}"


def _compare(running: list[TableFingerprint], restored: list[TableFingerprint]) -> list[str]:
    differences = []
    for ours, theirs in zip(running, restored, strict=True):
        is_same = ours == theirs
        differences += [] if is_same else [ours.table]
        click.echo(f"{'一致　' if is_same else '不一致'}　{ours.table}：运行中 {ours.rows} 行，恢复后 {theirs.rows} 行")
    return differences
