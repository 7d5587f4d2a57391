"""Rows copied in by thousands: what the demo county has too much of to insert."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

NULL = r"\N"


def copy_rows(session: Session, target: str, lines: Iterable[str]) -> None:
    """Copy lines of PostgreSQL's text form, each with its line break, into a table's columns."""
    driver = session.connection().connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        copy.write("".join(lines))
