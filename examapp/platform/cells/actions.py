"""Give a site its range of ids."""

from __future__ import annotations

from sqlalchemy import text

from examapp.errors import ConflictError
from examapp.platform.audit.actions import ActionContext, record
from examapp.platform.cells.queries import list_sequences
from examapp.platform.cells.rules import first_id, list_foreign_tables, name_tables

AUDIT_ACTS = {"cells.begin": "划定分区编号"}
AUDIT_OBJECTS = {"cell": "分区"}
AUDIT_DETAILS = {"sequences": "编号序列数"}


def begin_cell(context: ActionContext, cell: int) -> int:
    """Let every identity column go on in a cell's range; gives how many. Run it as the owner of the tables.

    Raises ConflictError once any table holds rows of another range. Safe to repeat: a sequence that is in its range stays as it is.
    """
    session = context.session
    sequences = list_sequences(session, with_rows=True)
    if foreign := list_foreign_tables(sequences, cell):
        raise ConflictError(
            f"库里已有别的分区的数据（{name_tables(foreign)}），没有改动。分区编号只能在空数据库上划定：请新建数据库，执行 migrate，"
            f"再执行 flask cell begin {cell}，然后导入名册。"
        )
    first = first_id(cell)
    waiting = [found for found in sequences if not first <= found.next_id < first_id(cell + 1)]
    for found in waiting:
        # meant: names of the catalogue and a number.
        restart = text(f'ALTER TABLE "{found.table}" ALTER COLUMN "{found.column}" SET START WITH {first} RESTART')
        session.execute(restart)
    record(context, "cells.begin", object_type="cell", object_id=cell, details={"sequences": len(waiting)})
    return len(waiting)
