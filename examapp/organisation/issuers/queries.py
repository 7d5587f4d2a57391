"""In whose name a paper goes out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from examapp.clock import local
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import AREA_KINDS

_ISSUERS = text("""
SELECT coalesce(top.issuer_name, top.name) AS name, top.issuer_name IS NOT NULL AS is_set, top.kind
FROM units AS top LEFT JOIN units AS u ON u.id = :unit_id
WHERE top.id = ANY(:tops)
ORDER BY (starts_with(u.region_path, top.region_path) OR starts_with(u.sector_path, top.sector_path)) DESC NULLS LAST, length(top.region_path) DESC, top.id
LIMIT 1
""")


def find_issuer(session: Session, access: AccessScope, unit_id: int | None) -> str | None:
    """Find in whose name who holds an access scope issues a paper on a unit: the lowest unit of the access scope that stands at or above it, or its lowest unit where the paper is about no single one.

    None where the county's office issues it: for who reaches everything, and of a county's subtree that has set no name of its own.
    """
    if access.is_everything:
        return None
    tops = [int(path.strip("/").rsplit("/", 1)[-1]) for path in (*access.region_paths, *access.sector_paths)]
    rows = session.connection().execute(_ISSUERS, {"unit_id": unit_id, "tops": tops}).all()
    issuer = rows[0] if rows else None
    return None if issuer is None or (issuer.kind in AREA_KINDS and not issuer.is_set) else str(issuer.name)


def issuer_line(issuer: str, at: datetime) -> str:
    """Say at a table's end in whose name it was made, and on which day."""
    return f"制表单位：{issuer}　　制表日期：{local(at):%Y年%-m月%-d日}"
