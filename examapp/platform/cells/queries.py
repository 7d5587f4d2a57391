"""Reads of the sequences behind identity columns."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from examapp.organisation.units.rules import CELL_RANGE
from examapp.platform.cells.rules import IdSequence
from examapp.platform.province.rules import received_tables

_SEQUENCES = text("""
SELECT t.relname AS name, a.attname AS column_name, s.relname AS sequence,
  coalesce(pg_sequence_last_value(s.oid) + 1, q.seqstart) AS next_id
FROM pg_attribute AS a
JOIN pg_class AS t ON t.oid = a.attrelid AND t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace
JOIN pg_depend AS d ON d.refobjid = t.oid AND d.refobjsubid = a.attnum AND d.deptype = 'i' AND d.classid = 'pg_class'::regclass
JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_sequence AS q ON q.seqrelid = s.oid
WHERE a.attidentity <> '' ORDER BY t.relname
""")


def list_sequences(session: Session, *, with_rows: bool = False) -> list[IdSequence]:
    """List the sequences of all identity columns, by table; with the lowest and the highest id that each column holds where asked for.

    What the province has sent to this cell is left out of account.
    """
    found, received = [], _received(session) if with_rows else frozenset()
    for row in session.execute(_SEQUENCES).all():
        limits: tuple[int | None, int | None] = (None, None)
        if with_rows:
            column, lowest = f'"{row.column_name}"', CELL_RANGE if row.name in received else 0
            wanted = f'SELECT min({column}), max({column}) FROM "{row.name}" WHERE {column} >= {lowest}'  # noqa: S608 – names of the catalogue
            limits = tuple(session.execute(text(wanted)).one())
        found.append(IdSequence(row.name, row.column_name, row.sequence, row.next_id, *limits))
    return found


def _received(session: Session) -> frozenset[str]:
    is_linked = session.scalar(text("SELECT EXISTS (SELECT FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND subname LIKE 'examapp_down_%')"))  # fmt: skip
    return received_tables(is_province=False) if is_linked else frozenset()
