"""Reads of both sides of a link: what a server publishes, whose rows it holds, and how far each subscription has got."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from examapp.organisation.units.rules import CELL_RANGE
from examapp.platform.province.rules import CELL_BEAT, PROVINCE_BEAT, SENT, Direction, Link

_Connection = psycopg.Connection[tuple[Any, ...]]
ORIGINS_SETTING = "max_active_replication_origins"
"""PostgreSQL's limit of subscriptions and first copies whose progress it keeps; 10 where nobody sets it."""


def find_setting(connection: _Connection, name: str) -> str:
    """Give a setting of the server."""
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    return str(row[0]) if row else ""


def find_max_origins(connection: _Connection) -> int:
    """Give of how many origins the server keeps the progress; before PostgreSQL 18 the limit of slots was theirs too."""
    row = connection.execute(
        "SELECT coalesce(current_setting(%s, true), current_setting('max_replication_slots'))", [ORIGINS_SETTING]
    ).fetchone()
    return int(row[0]) if row else 0


def find_system_identifier(connection: _Connection) -> int:
    """Give the number that initdb gave the cluster; a copy of a cluster has the same."""
    row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    return int(row[0]) if row else 0


def find_cell(connection: _Connection) -> int:
    """Give the cell in whose range a database numbers its people; 0 for the province, or a site that is no cell."""
    row = connection.execute(
        "SELECT seqstart FROM pg_sequence WHERE seqrelid = pg_get_serial_sequence('persons', 'id')::regclass"
    ).fetchone()
    return int(row[0]) // CELL_RANGE if row else 0


def find_version(connection: _Connection) -> str | None:
    """Give a database's revision; None where it has none, or does not show it."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return None
    return str(row[0]) if row else None


def list_missing_columns(peer: _Connection, direction: Direction) -> list[str]:
    """List what should come this way, as table.column, and is not in the other side's publication."""
    rows = peer.execute(
        "SELECT tablename, attnames FROM pg_publication_tables WHERE pubname = %s", [f"examapp_{direction}"]
    )
    published = {f"{table}.{column}" for table, columns in rows for column in columns}
    return [
        name
        for table in SENT[direction]
        for column in table.columns
        if (name := f"{table.name}.{column}") not in published
    ]


def list_foreign_rows(peer: _Connection, cell: int) -> list[str]:
    """List the tables in which a cell holds rows of neither its own range nor, where it does not send them, the province's."""
    found = []
    for table in SENT[Direction.UP]:
        column = table.range_column
        if not column:
            continue
        own = f"{column} >= {cell * CELL_RANGE} AND {column} < {(cell + 1) * CELL_RANGE}"
        sent = "" if table.name in _OF_BOTH else f" OR {column} < {CELL_RANGE}"
        query = f"SELECT EXISTS (SELECT FROM {table.name} WHERE NOT ({own}) AND ({column} >= {CELL_RANGE}{sent}))"  # noqa: S608 – names of our own list
        row = peer.execute(query.encode()).fetchone()
        if row and row[0]:
            found.append(table.name)
    return found


_OF_BOTH = {table.name for table in SENT[Direction.DOWN]} | {"roster_snapshot_units"}
"""Tables in which a cell holds the province's rows too."""


def list_same_names(connection: _Connection, peer: _Connection, table: str, column: str) -> list[str]:
    """List the values of a unique column that the province sends and this cell has in a row of its own."""
    filters = ("TRUE", "TRUE") if table == "media" else (f"id < {CELL_RANGE}", f"id >= {CELL_RANGE}")
    theirs, ours = (f"SELECT {column} FROM {table} WHERE {condition}".encode() for condition in filters)  # noqa: S608 – names of our own list
    names = {name for (name,) in connection.execute(ours)}
    return sorted(names.intersection(name for (name,) in peer.execute(theirs))) if names else []


def count_other_subscriptions(connection: _Connection, name: str) -> int:
    """Count the subscriptions of this database but the named one."""
    query = "SELECT count(*) FROM pg_subscription WHERE subname LIKE 'examapp\\_%%' AND subname <> %s"
    row = connection.execute(query, [name]).fetchone()
    return int(row[0]) if row else 0


def list_row_marks(connection: _Connection, table: str) -> Sequence[tuple[Any, ...]]:
    """List the triggers of rows that mark figures of a table as outdated."""
    return connection.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgfoid = to_regproc(%s) AND tgtype & 1 = 1 ORDER BY tgname",
        [table, f"invalidate_stats_of_{table}"],
    ).fetchall()


def list_constraints(connection: _Connection, table: str, column: str, kind: str) -> Sequence[tuple[Any, ...]]:
    """List the constraints of a kind (`f` foreign key, `u` unique) over one column alone."""
    return connection.execute(
        "SELECT conname FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]"
        " WHERE c.conrelid = %s::regclass AND a.attname = %s AND c.contype::text = %s",
        [table, column, kind],
    ).fetchall()


_LINKS = text(r"""
SELECT s.subname AS name, s.subenabled AS is_enabled, w.pid IS NOT NULL AS is_working, w.last_msg_receipt_time AS received_at,
  coalesce(e.apply_error_count + e.sync_error_count, 0) AS errors,
  coalesce(e.confl_insert_exists + e.confl_update_exists + e.confl_multiple_unique_conflicts, 0) AS conflicts,
  (SELECT count(*) FROM pg_subscription_rel AS r WHERE r.srsubid = s.oid AND r.srsubstate <> 'r') AS waiting_tables,
  (SELECT b.beat_at FROM heartbeats AS b WHERE b.name = CASE WHEN s.subname LIKE 'examapp\_up\_%' THEN CAST(:cell_beat AS text) || c.number ELSE CAST(:province_beat AS text) END) AS beat_at,
  c.number AS cell,
  (SELECT u.name FROM units AS u WHERE u.id >= c.number * :span AND u.id < (c.number + 1) * :span ORDER BY length(u.region_path), u.id LIMIT 1) AS unit
FROM pg_subscription AS s
CROSS JOIN LATERAL (SELECT substring(s.subname FROM '\d+$')::bigint AS number) AS c
LEFT JOIN pg_stat_subscription AS w ON w.subid = s.oid AND w.worker_type = 'apply'
LEFT JOIN pg_stat_subscription_stats AS e ON e.subid = s.oid
WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.subname ~ '^examapp_(up|down)_\d+$'
ORDER BY c.number
""")


def list_links(session: Session) -> list[Link]:
    """List the subscriptions of this database; none where it is no part of a province."""
    given = {"cell_beat": CELL_BEAT, "province_beat": PROVINCE_BEAT, "span": CELL_RANGE}
    links = []
    for row in session.execute(_LINKS, given).mappings():
        fields = {name: value for name, value in row.items() if name != "unit"}
        is_down = row["name"].startswith(f"examapp_{Direction.DOWN}")
        label = "省级站" if is_down else f"{row['unit'] or '还没有单位'}（分区 {row['cell']}）"
        links.append(Link(**fields, label=label))
    return links


_SLOTS = text(
    "SELECT slot_name AS name, active, wal_status, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint AS bytes"
    " FROM pg_replication_slots WHERE database = current_database() AND slot_name ~ '^examapp_(up|down)_[0-9]+$' ORDER BY slot_name"
)


def list_slots(session: Session) -> list[tuple[str, bool, str, int]]:
    """List the slots from which others read: name, whether somebody reads, what has become of its WAL, bytes still to be read."""
    return [(row.name, row.active, row.wal_status, row.bytes or 0) for row in session.execute(_SLOTS)]


_SHARED = text("""
SELECT staff_number, array_agg(DISTINCT id / :span ORDER BY id / :span) AS cells FROM persons
GROUP BY staff_number HAVING count(DISTINCT id / :span) > 1 ORDER BY staff_number LIMIT 5
""")


def list_shared_numbers(session: Session) -> list[tuple[str, list[int]]]:
    """List the first staff numbers that stand in more than one cell, with the cells."""
    return [(row.staff_number, row.cells) for row in session.execute(_SHARED, {"span": CELL_RANGE})]
