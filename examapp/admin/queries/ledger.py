"""The ledgers of a database up to an instant, as counts and checksums that do not move afterwards: what a restore is compared by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import create_engine, text

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
class Account:
    """A table's rows up to an instant: how many, and a sum over their contents."""

    table: str
    rows: int
    checksum: str


def read_ledger(database_url: str, until: datetime) -> list[Account]:
    """Read the ledgers of a database, of rows written up to an instant."""
    engine = create_engine(database_url, pool_size=1)
    try:
        with engine.connect() as connection:
            connection.execute(text("SET timezone = 'UTC'"))
            return [
                Account(table, *connection.execute(text(_statement(table, columns, written)), {"until": until}).one())
                for table, columns, written in _TABLES
            ]
    finally:
        engine.dispose()


def _statement(table: str, columns: str, written: str) -> str:
    return (
        "SELECT count(*), coalesce(sum(hashtextextended(one::text, 0)::numeric), 0)::text "  # noqa: S608 – names of this file
        f"FROM (SELECT {columns} FROM {table} WHERE {written} <= :until) AS one"
    )
