"""Commands of the data keys: seal everything under the current key, tell which keys are in use, find what cannot be opened."""

from __future__ import annotations

import click
from flask import Blueprint, current_app

from examapp import clock
from examapp.db.session import EncryptedColumn, encrypted_columns, read_session, transaction
from examapp.organisation.data_keys import actions
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.audit.queries import count_links_by_key
from examapp.security.ciphers import FieldCipher

cli_blueprint = Blueprint("keys_cli", __name__, cli_group="keys")
_MAX_NAMED = 20


@cli_blueprint.cli.command("rotate")
@click.option("--batch", default=500, show_default=True, help="Values a transaction.")
def rotate(batch: int) -> None:
    """Seal all personal data again under the first key of DATA_KEYS and the cipher of DATA_CIPHER; may be stopped and started again."""
    cipher: FieldCipher = current_app.extensions["cipher"]
    done, broken = 0, list[str]()
    for column in encrypted_columns:
        column_done, column_broken = _rotate(column, cipher, batch)
        done, broken = done + column_done, broken + column_broken
    with transaction() as session:
        left = sum(actions.count_under_old_keys(session, column, cipher=cipher) for column in encrypted_columns)
        actions.note_rotation(
            ActionContext(session, SYSTEM, clock.now()), cipher=cipher, done=done, broken=len(broken), left=left
        )
    if broken:
        _reject(broken)
    if left:
        raise click.ClickException(
            f"仍有 {left} 项是旧密钥加密的：有程序还在用旧设置写入。请把所有进程换成新设置重启，再执行一次。"
        )
    click.echo(f"完成：{done} 项改由密钥 {cipher.current} 加密，没有遗留。能否移除旧密钥，请看 flask keys status。")


def _rotate(column: EncryptedColumn, cipher: FieldCipher, batch: int) -> tuple[int, list[str]]:
    total = actions.count_under_old_keys(read_session(), column, cipher=cipher)
    after, done, broken = 0, 0, list[str]()
    while True:
        with transaction() as session:
            step = actions.reencrypt_batch(session, column, cipher=cipher, after=after, limit=batch)
        if step.last is None:
            return done, broken
        after, done, broken = step.last, done + step.done, broken + step.broken
        click.echo(f"{column.label}：{done}/{total}")


@cli_blueprint.cli.command("status")
def status() -> None:
    """Tell what each key still opens, and which may be taken away."""
    cipher: FieldCipher = current_app.extensions["cipher"]
    encrypted, links = actions.count_by_key(read_session()), count_links_by_key(read_session())
    for head, count in sorted(encrypted.items()):
        is_known = head.rpartition(":")[2] in cipher.keys
        click.echo(
            f"密钥 {head}：{count} 项加密数据{'' if is_known else '，DATA_KEYS 中没有这个密钥，这些数据无法显示'}"
        )
    for key_id, count in sorted(links.items()):
        click.echo(
            f"密钥 {key_id}：{count} 条审计记录的校验值{'' if key_id in cipher.keys else '，缺少密钥，无法核对'}"
        )
    unused = set(cipher.keys) - {head.rpartition(":")[2] for head in encrypted} - set(links) - {cipher.current}
    for key_id in sorted(unused):
        click.echo(f"密钥 {key_id} 已不再使用，可以从 DATA_KEYS 中移除；旧备份仍要用它，请与旧备份一起封存。")


@cli_blueprint.cli.command("check")
def check() -> None:
    """Open every sealed value; exit with 1 and name the rows where that fails."""
    with transaction() as session:
        cipher: FieldCipher = current_app.extensions["cipher"]
        total, broken = actions.check_all(ActionContext(session, SYSTEM, clock.now()), cipher=cipher)
    if broken:
        _reject(broken)
    click.echo(f"完好：{total} 项加密数据都能打开。")


def _reject(broken: list[str]) -> None:
    """End with the rows that cannot be opened."""
    more = f" 等 {len(broken)} 项" if len(broken) > _MAX_NAMED else ""
    raise click.ClickException(
        f"{len(broken)} 项打不开，页面上显示为“无法显示”：{'、'.join(broken[:_MAX_NAMED])}{more}。"
        "请核对 DATA_KEYS 是否齐全；密钥齐全的，是数据被改动，请从备份中恢复，或由单位重新登记。"
    )
