"""Change the key under which personal data lies: seal everything again, batch by batch, and tell what still lies under an old one."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from examapp.db.session import EncryptedColumn, encrypted_columns
from examapp.platform.audit.actions import ActionContext, record
from examapp.security.ciphers import DecryptionError, FieldCipher

AUDIT_ACTS = {"people.check_keys": "核对加密数据", "people.rotate_keys": "更换数据密钥"}
AUDIT_OBJECTS = {"sealed_data": "加密数据"}
AUDIT_DETAILS = {"broken": "打不开的项数", "cipher": "加密算法", "left": "剩余项数"}


@dataclass(slots=True)
class Batch:
    """What one batch did: how many are sealed again, which cannot be opened, and the last row's number (None at the end)."""

    last: int | None = None
    done: int = 0
    broken: list[str] = field(default_factory=list)


def count_under_old_keys(session: Session, column: EncryptedColumn, *, cipher: FieldCipher) -> int:
    """Count the values of a column that another key or cipher sealed than the one that seals now."""
    statement = select(func.count()).select_from(column.column.class_).where(_is_old(column, cipher))
    return session.execute(statement).scalar_one()


def count_by_key(session: Session) -> dict[str, int]:
    """Count all sealed values by the head of their envelope: the key's id, with the cipher's name where it is not AES."""
    counts: dict[str, int] = {}
    for column in encrypted_columns:
        first = func.split_part(func.encode(func.substring(column.column, 1, 64), "escape"), "\\000", 1)
        rows = session.execute(select(first, func.count()).where(column.column.is_not(None)).group_by(first))
        for name, count in rows:
            counts[name] = counts.get(name, 0) + count
    return counts


def reencrypt_batch(session: Session, column: EncryptedColumn, *, cipher: FieldCipher, after: int, limit: int) -> Batch:
    """Seal up to `limit` values of a column again, with their blind indexes, from the row after a number on.

    What is done is known by the envelope's head alone, so a run that was cut off goes on where it stopped. A value that cannot be opened
    stays as it is.
    """
    rows = session.execute(
        select(column.key, column.bound_by, column.column)
        .where(_is_old(column, cipher), column.key > after)
        .order_by(column.key)
        .limit(limit)
        .with_for_update()
    ).all()
    batch = Batch(last=rows[-1][0] if rows else None)
    values = []
    for key, bound_by, encrypted in rows:
        associated_data = column.binding(bound_by)
        try:
            plain = cipher.decrypt(encrypted, associated_data=associated_data)
        except DecryptionError:
            batch.broken.append(associated_data)
            continue
        value = {column.key.key: key, column.column.key: cipher.seal(plain, associated_data=associated_data)}
        if column.index is not None:
            value[column.index.key] = cipher.blind_index(plain, purpose=column.purpose)
        values.append(value)
    if values:
        session.bulk_update_mappings(column.column.class_.__mapper__, values)
    batch.done = len(values)
    return batch


def note_rotation(context: ActionContext, *, cipher: FieldCipher, done: int, broken: int, left: int) -> None:
    """Write into the log that data were sealed again, by which key, and how far it came."""
    details = {"key": cipher.current, "cipher": str(cipher.cipher), "done": done, "broken": broken, "left": left}
    record(context, "people.rotate_keys", object_type="sealed_data", details=details)


def check_all(context: ActionContext, *, cipher: FieldCipher) -> tuple[int, list[str]]:
    """Open every sealed value and write the outcome into the log; gives how many there are, and the rows whose seal is broken."""
    total, broken = list_broken(context.session, cipher=cipher)
    details = {"count": total, "broken": len(broken)}
    record(context, "people.check_keys", object_type="sealed_data", details=details)
    return total, broken


def list_broken(session: Session, *, cipher: FieldCipher) -> tuple[int, list[str]]:
    """Open every sealed value; gives how many there are, and the rows whose seal is broken."""
    total, broken = 0, []
    for column in encrypted_columns:
        statement = select(column.bound_by, column.column).where(column.column.is_not(None)).order_by(column.key)
        for bound_by, encrypted in session.execute(statement.execution_options(yield_per=500)):
            total += 1
            associated_data = column.binding(bound_by)
            try:
                cipher.decrypt(encrypted, associated_data=associated_data)
            except DecryptionError:
                broken.append(associated_data)
    return total, broken


def _is_old(column: EncryptedColumn, cipher: FieldCipher) -> ColumnElement[bool]:
    head = cipher.current_head
    return column.column.is_not(None) & (func.substring(column.column, 1, len(head)) != head)
