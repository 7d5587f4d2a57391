"""The chain's head in a file of the data folder: whoever can write the database alone can neither change it nor set it back."""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from examapp.audit.rules import HEAD_PURPOSE, Head
from examapp.core.backup import HEAD_FILE as FILE_NAME
from examapp.core.crypto import Sealer
from examapp.core.errors import DomainError

_FORMAT = "examapp-audit-head-1"
_ACCEPT = "flask audit accept-head --reason 原因"


class HeadFaultError(DomainError):
    """The kept head is missing, is not ours, or is not on the chain; the message says what to do."""

    code = "audit_head_fault"


def read_kept(folder: Path, *, sealer: Sealer) -> Head:
    """Read the head that the data folder keeps; raises HeadFaultError where it is missing or not ours."""
    path = folder / FILE_NAME
    try:
        text = path.read_text("utf-8")
    except OSError:
        raise HeadFaultError(
            f"链首文件 {path} 不在或读不出，没有凭据证明审计记录完整。请从备份目录的 heads 或原数据目录取回；"
            f"确已丢失、或数据库是从别处恢复的，核对记录后执行 {_ACCEPT}。"
        ) from None
    try:
        head, key_id, mac = _parse(json.loads(text))
    except (ValueError, KeyError, TypeError):
        raise HeadFaultError(
            f"链首文件 {path} 已损坏或被改动。请从备份取回；无法取回的，核对记录后执行 {_ACCEPT}。"
        ) from None
    if key_id not in sealer.keys:
        raise HeadFaultError(f"链首文件由密钥 {key_id} 生成，DATA_KEYS 中没有这个密钥。请补上后重新校验。")
    if not hmac.compare_digest(_mac(head, sealer, key_id), mac):
        raise HeadFaultError(
            f"链首文件 {path} 不是本程序写的，或已被改动。请从备份取回；无法取回的，核对记录后执行 {_ACCEPT}。"
        )
    return head


def _parse(content: Any) -> tuple[Head, str, str]:
    if content["format"] != _FORMAT:
        raise ValueError(content["format"])
    at = content["newest_at"]
    newest_at = None if at is None else datetime.fromisoformat(at).astimezone(UTC)
    return (
        Head(int(content["count"]), bytes.fromhex(content["digest"]), newest_at),
        str(content["key_id"]),
        str(content["mac"]),
    )


def advance(folder: Path, head: Head, *, sealer: Sealer) -> None:
    """Keep a further head; one that is not further than the kept one changes nothing, whoever else writes at the same time.

    The same head is written again where an older key made it, so that the older can be put away. Raises HeadFaultError where none is kept, and OSError where it can't be written.
    """
    with _locked(folder):
        kept = read_kept(folder, sealer=sealer)
        is_by_older_key = json.loads((folder / FILE_NAME).read_text("utf-8"))["key_id"] != sealer.current
        if kept.count < head.count or (kept == head and is_by_older_key):
            _write(folder, head, sealer)


def begin(folder: Path, head: Head, *, sealer: Sealer) -> bool:
    """Keep a first head where none is kept yet; tells whether it did."""
    with _locked(folder):
        if (folder / FILE_NAME).exists():
            return False
        _write(folder, head, sealer)
    return True


def replace(folder: Path, head: Head, *, sealer: Sealer, now: datetime) -> None:
    """Keep this head whatever is kept; the former file stays beside it under the time of its end."""
    with _locked(folder):
        if (path := folder / FILE_NAME).exists():
            path.replace(path.with_name(f"audit-head-until-{now.astimezone(UTC):%Y%m%d-%H%M%S-%f}.json"))
        _write(folder, head, sealer)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    path = folder / f"{FILE_NAME}.lock"
    with path.open("a") as file:
        _give_to_owner_of(folder, path)
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _give_to_owner_of(folder: Path, path: Path) -> None:
    """Let a file that root made belong to the account of the program, which goes on with it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _write(folder: Path, head: Head, sealer: Sealer) -> None:
    content = _content(head) | {"key_id": sealer.current, "mac": _mac(head, sealer, sealer.current)}
    unfinished = folder / f"{FILE_NAME}.part"
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.chmod(0o644)  # no secret: the account that makes backups copies it
    _give_to_owner_of(folder, unfinished)
    unfinished.replace(folder / FILE_NAME)
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _content(head: Head) -> dict[str, Any]:
    at = None if head.newest_at is None else head.newest_at.astimezone(UTC).isoformat(timespec="microseconds")
    return {"format": _FORMAT, "count": head.count, "digest": head.digest.hex(), "newest_at": at}


def _mac(head: Head, sealer: Sealer, key_id: str) -> str:
    text = json.dumps(_content(head), sort_keys=True, separators=(",", ":"))
    return sealer.blind_index(text, purpose=HEAD_PURPOSE, key_id=key_id).hex()
