"""Open this database to the other side of a province, and take in what the other side sends, by PostgreSQL's own logical replication."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import Column, Table, text
from sqlalchemy.orm import Session

from examapp.db.addresses import connect_arguments
from examapp.db.schema import newest_version
from examapp.db.session import Base
from examapp.errors import ConflictError
from examapp.organisation.units.rules import CELL_RANGE
from examapp.platform.province import queries
from examapp.platform.province.rules import (
    OWN_NAMES,
    OWNERS,
    SENT,
    SHARED_KEYS,
    Direction,
    SentTable,
    local_keys,
    name_of_link,
)

READER = "examapp_replication"
"""The role that the other side connects as: it replicates, and may read the listed columns alone."""
_MAX_NAMED = 5
_SPARE_WORKERS = 2
"""Of the server's workers of replication, for first copies."""
_ORIGINS_A_LINK = 3
"""Places that the server keeps for one link: its own, and one for each of the two tables that PostgreSQL copies at once."""
_EMPTY = {"TEXT": "''", "JSONB": "'{}'", "ARRAY": "'{}'", "BYTEA": "''", "BOOLEAN": "false"}
_Connection = psycopg.Connection[tuple[Any, ...]]


def publish(connection: _Connection, direction: Direction) -> int:
    """Let the other side read the listed columns of this site's own rows; gives how many tables. Safe to repeat, and to be repeated after each upgrade.

    Raises ConflictError where the server keeps too little in its WAL.
    """
    if queries.find_setting(connection, "wal_level") != "logical":
        raise ConflictError("数据库的 wal_level 不是 logical。请在本站数据库设置 wal_level = logical 并重启数据库，再执行一次。")  # fmt: skip
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN REPLICATION").format(sql.Identifier(READER)))
    publication = f"examapp_{direction}"
    is_there = connection.execute("SELECT 1 FROM pg_publication WHERE pubname = %s", [publication]).fetchone()
    tables = ", ".join(_published(table, direction) for table in SENT[direction])
    options = "" if is_there else " WITH (publish = 'insert, update, delete')"
    verb = f"ALTER PUBLICATION {publication} SET" if is_there else f"CREATE PUBLICATION {publication} FOR"
    _run(connection, f"{verb} TABLE {tables}{options}")
    _run(connection, f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {READER}")
    _run(connection, f"GRANT USAGE ON SCHEMA public TO {READER}")
    _run(connection, f"GRANT SELECT ON alembic_version TO {READER}")
    for table in SENT[direction]:
        _run(connection, f"GRANT SELECT ({', '.join(table.columns)}) ON {table.name} TO {READER}")
    if direction is Direction.DOWN:
        _mark_sent_versions(connection)
    return len(SENT[direction])


def _run(connection: _Connection, statement: str) -> None:
    connection.execute(statement.encode())


def _published(table: SentTable, direction: Direction) -> str:
    condition = table.row_filter(direction)
    return f"{table.name} ({', '.join(table.columns)})" + (f" WHERE ({condition})" if condition else "")


def _mark_sent_versions(connection: _Connection) -> None:
    """Mark versions of active questions as used: a cell may have them in papers, which this database does not see."""
    used = "UPDATE question_versions SET used_at = now() WHERE used_at IS NULL AND id"
    _run(
        connection,
        f"""
        CREATE OR REPLACE FUNCTION mark_sent_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {used} = NEW.current_version_id; RETURN NULL; END $$;
        CREATE OR REPLACE TRIGGER mark_sent_version AFTER INSERT OR UPDATE OF state, current_version_id ON questions
        FOR EACH ROW WHEN (NEW.state = 'active') EXECUTE FUNCTION mark_sent_version();
        {used} IN (SELECT current_version_id FROM questions WHERE state = 'active')
        """,  # noqa: S608 – no value of anybody's
    )


def subscribe(connection: _Connection, address: str, direction: Direction, *, cell: int) -> int:
    """Take in what the site at this address publishes, beginning with a copy; gives the cell's number. The connection commits each statement.

    At the province `cell` is 0, and the cell is known by the range of its ids. Repeated, it brings the subscription to the present list.
    Raises ConflictError where the two sites do not fit together, OperationalError where the other does not answer.
    """
    conninfo = make_conninfo(**connect_arguments(address))
    with psycopg.connect(conninfo, connect_timeout=5, autocommit=True) as peer:
        theirs = queries.find_cell(peer)
        if issue := next(_list_peer_issues(connection, peer, direction, theirs), ""):
            raise ConflictError(issue)
    number = theirs or cell
    _prepare_tables(connection, direction)
    name = name_of_link(direction, number)
    if connection.execute("SELECT 1 FROM pg_subscription WHERE subname = %s", [name]).fetchone():
        connection.execute(
            sql.SQL("ALTER SUBSCRIPTION {} CONNECTION {}").format(sql.Identifier(name), sql.Literal(conninfo))
        )
        _run(connection, f"ALTER SUBSCRIPTION {name} REFRESH PUBLICATION")
        return number
    created = sql.SQL(
        "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH (failover = true, origin = none, streaming = parallel)"
    )
    publication = sql.Identifier(f"examapp_{direction}")
    connection.execute(created.format(sql.Identifier(name), sql.Literal(conninfo), publication))
    return number


def _list_peer_issues(connection: _Connection, peer: _Connection, direction: Direction, theirs: int) -> Iterator[str]:
    """Say in Chinese why two sites cannot be linked, one reason after the other."""
    if queries.find_version(peer) != newest_version():
        yield "两边的程序版本（数据库结构）不同，或对方还没有执行 flask province publish。升级的顺序是先省、后各分区，每一站升级后，两边再执行一次 publish 和 subscribe。"
    if queries.find_system_identifier(connection) == queries.find_system_identifier(peer):
        yield "两边是同一个数据库，或者一个是从另一个整库复制来的（系统标识相同），同步会互相覆盖。请核对地址；复制来的，请用 initdb 新建数据库集群后重新导入。"
    if direction is Direction.DOWN and theirs:
        yield f"这个地址是分区 {theirs} 的数据库，不是省级站的。请核对地址。"
    if direction is Direction.UP and not theirs:
        yield "对方还没有划定分区编号。请先在对方的空数据库上执行 flask cell begin 编号，再导入名册。"
    if missing := queries.list_missing_columns(peer, direction):
        yield f"对方没有发布 {'、'.join(missing[:_MAX_NAMED])}。请先在对方执行 flask province publish。"
    yield from _list_row_issues(connection, peer, direction, theirs)


def _list_row_issues(connection: _Connection, peer: _Connection, direction: Direction, theirs: int) -> Iterator[str]:
    if direction is Direction.DOWN:
        for table, column in OWN_NAMES:
            if names := queries.list_same_names(connection, peer, table, column):
                yield f"本站自己的 {table} 与省里的重名：{'、'.join(names[:_MAX_NAMED])}。请先改名或删去本站的，再执行一次。"
        return
    if foreign := queries.list_foreign_rows(peer, theirs):
        yield f"分区 {theirs} 的库里有别的分区的数据（{'、'.join(foreign[:_MAX_NAMED])}），汇总后会和别的县混在一起。请先清理或重建该分区的数据库。"
    links = queries.count_other_subscriptions(connection, name_of_link(direction, theirs))
    if links >= int(queries.find_setting(connection, "max_logical_replication_workers")) - _SPARE_WORKERS:
        yield f"本站已有 {links} 个分区，数据库的接收进程不够。请把 max_logical_replication_workers 和 max_worker_processes 调大（分区数加 8）并重启数据库。"
    if _ORIGINS_A_LINK * (links + 1) > queries.find_max_origins(connection):
        yield f"本站已有 {links} 个分区，再接一个，数据库记录接收进度的位置不够，数据会一直传不完。请把 {queries.ORIGINS_SETTING} 调大（分区数的 {_ORIGINS_A_LINK} 倍）并重启数据库。"


def _prepare_tables(connection: _Connection, direction: Direction) -> None:
    """Let rows from elsewhere in: what is marked for figures is marked for them too, and nobody here changes them. Safe to repeat."""
    for table in SENT[direction]:
        model = Base.metadata.tables[table.name]
        for column in _unsent_columns(model, table):
            _run(connection, f"ALTER TABLE {table.name} ALTER COLUMN {column.name} SET DEFAULT {_EMPTY.get(_type_of(column), '0')}")  # fmt: skip
        for (trigger,) in queries.list_row_marks(connection, table.name):
            _run(connection, f"ALTER TABLE {table.name} ENABLE ALWAYS TRIGGER {trigger}")
            _run(connection, f"ALTER FUNCTION invalidate_stats_of_{table.name}() SET search_path = public")
        _guard(connection, table, direction)
    for name, column_name in local_keys(direction):
        _drop_constraints(connection, name, column_name, "f")
    if direction is Direction.UP:
        for name, column_name in SHARED_KEYS:
            _drop_constraints(connection, name, column_name, "u")
            _run(connection, f"CREATE UNIQUE INDEX IF NOT EXISTS uq_own_{name}_{column_name} ON {name} ({column_name}) WHERE id < {CELL_RANGE}")  # fmt: skip
            _run(connection, f"CREATE INDEX IF NOT EXISTS ix_all_{name}_{column_name} ON {name} ({column_name})")
        _mark_received_results(connection)


def _unsent_columns(model: Table, table: SentTable) -> Iterator[Column[Any]]:
    """Give the columns that the other side does not send, must have a value, and have none by themselves."""
    for column in model.columns:
        if column.name not in table.columns and not column.nullable and column.server_default is None:
            yield column


def _type_of(column: Column[Any]) -> str:
    name = type(column.type).__name__.upper()
    return {"LARGEBINARY": "BYTEA", "STRING": "TEXT"}.get(name, name)


def _drop_constraints(connection: _Connection, table: str, column: str, kind: str) -> None:
    for (name,) in queries.list_constraints(connection, table, column, kind):
        _run(connection, f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def _guard(connection: _Connection, table: SentTable, direction: Direction) -> None:
    """Reject changes of received rows, and new parts of them, by this site; what comes by replication passes. Columns of a site's own may change."""
    if not table.range_column:
        return
    guarded = ", ".join(column for column in table.columns if column != "updated_at")
    sign = "<" if direction is Direction.DOWN else ">="
    by_row = f"OLD.{table.range_column} {sign} {CELL_RANGE}"
    by_owner = " OR ".join(f"NEW.{column} {sign} {CELL_RANGE}" for column in (table.range_column, OWNERS.get(table.name)) if column)  # fmt: skip
    _run(
        connection,
        """
        CREATE OR REPLACE FUNCTION reject_received() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'a row of % belongs to another site', TG_TABLE_NAME USING ERRCODE = 'QR001'; END $$
        """,
    )
    for name, events, is_theirs in (
        ("made", "INSERT", by_owner),
        ("changed", f"UPDATE OF {guarded}", by_row),
        ("deleted", "DELETE", by_row),
    ):
        _run(
            connection,
            f"CREATE OR REPLACE TRIGGER reject_received_{name} BEFORE {events} ON {table.name} FOR EACH ROW "
            f"WHEN ({is_theirs}) EXECUTE FUNCTION reject_received()",
        )


def _mark_received_results(connection: _Connection) -> None:
    """Mark figures by each received grade, since replication fires no trigger of statements; and exams with received results."""
    _run(
        connection,
        """
        CREATE OR REPLACE FUNCTION mark_received_grade() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
        BEGIN
          INSERT INTO stats_invalidations (person_id) SELECT person_id FROM attempts WHERE id = coalesce(NEW.attempt_id, OLD.attempt_id);
          RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER mark_received_grade AFTER INSERT OR UPDATE OR DELETE ON grades
        FOR EACH ROW EXECUTE FUNCTION mark_received_grade();
        ALTER TABLE grades ENABLE REPLICA TRIGGER mark_received_grade;
        CREATE OR REPLACE FUNCTION mark_exam_of_result() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
        BEGIN
          UPDATE exams SET has_external_results = true WHERE id = NEW.exam_id AND NOT has_external_results;
          RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER mark_exam_of_result AFTER INSERT ON external_results
        FOR EACH ROW EXECUTE FUNCTION mark_exam_of_result();
        ALTER TABLE external_results ENABLE REPLICA TRIGGER mark_exam_of_result;
        """,
    )


def follow_snapshot(session: Session, exam_id: int, cells: Sequence[int], *, now: datetime) -> bool:
    """Let the province's figures of an exam of its own stand on the frozen roster, once each of these cells has sent its own; False until then."""
    ready = {int(cell) for cell in session.scalars(_SNAPSHOT_CELLS, {"exam_id": exam_id, "span": CELL_RANGE})}
    if exam_id >= CELL_RANGE or not ready.issuperset(cells):
        return False
    session.execute(_SNAPSHOT_OWN_UNITS, {"exam_id": exam_id, "span": CELL_RANGE})
    session.execute(_FOLLOW, {"exam_id": exam_id, "now": now})
    return True


_SNAPSHOT_CELLS = text("SELECT DISTINCT unit_id / :span FROM roster_snapshot_units WHERE exam_id = :exam_id")
_SNAPSHOT_OWN_UNITS = text("""
INSERT INTO roster_snapshot_units (exam_id, unit_id, code, name, kind, parent_id, sector_parent_id, region_path, sector_path, closed_at)
SELECT :exam_id, id, code, name, kind, parent_id, sector_parent_id, region_path, sector_path, closed_at FROM units WHERE id < :span
ON CONFLICT DO NOTHING
""")
_FOLLOW = text(
    "UPDATE exams SET snapshot_created_at = :now, snapshot_due_at = coalesce(snapshot_due_at, closes_at), corrections = 0 WHERE id = :exam_id"
)
