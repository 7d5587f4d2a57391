"""Setting in what name a unit issues its papers."""

from __future__ import annotations

from sqlalchemy import select

from examapp.organisation.units.actions import InvalidUnitError
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"org.set_issuer_name": "修改单位落款"}
AUDIT_DETAILS = {"issuer_name": "落款"}


def set_issuer_name(context: ActionContext, unit: Unit, name: str) -> None:
    """Set in what name a unit issues its papers, its own for an empty one; raises InvalidUnitError for the name of another unit."""
    session = context.session
    if session.scalar(select(Unit.id).where(Unit.name == name, Unit.id != unit.id).limit(1)):
        raise InvalidUnitError("issuer_name", f"“{name}”是另一个单位的名称，不能用作本单位的落款。")
    unit.issuer_name = None if name in {"", unit.name} else name
    details = {"issuer_name": unit.issuer}
    record(context, "org.set_issuer_name", object_type="unit", object_id=unit.id, details=details)
