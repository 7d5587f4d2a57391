"""Take a copy of what is held about oneself, as a file to read and as one for programs; written into the log."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.clock import local
from examapp.core.crypto import Sealer
from examapp.core.spreadsheets import Column, Sheet, write_xlsx
from examapp.privacy.queries import Held, iter_held
from examapp.privacy.rules import Terms, plain_value, register_rows, value_words

MOST_ROWS = 100_000
"""Rows of one table in an export; nobody has so many."""
_WIDEST = 60


class CopyFormat(StrEnum):
    """How a copy is written."""

    XLSX = "xlsx"
    JSON = "json"


def copy_own_data(
    session: Session, person_id: int, wanted: CopyFormat, *, terms: Terms, sealer: Sealer, actor: Actor, now: datetime
) -> bytes:
    """Give all that is held about a person, to that person; numbers whole, results as far as they are out."""
    held = list(iter_held(session, person_id, sealer=sealer, is_whole=True, now=now, most=MOST_ROWS))
    rows = sum(len(one.rows) for one in held)
    record(
        session,
        "privacy.copy_own_data",
        actor=actor,
        now=now,
        object_type="person",
        object_id=person_id,
        person_id=person_id,
        details={"format": str(wanted), "rows": rows},
    )
    return _as_json(held, now) if wanted is CopyFormat.JSON else _as_xlsx(held, terms, now)


def _as_json(held: list[Held], now: datetime) -> bytes:
    content = {
        "made_at": now.isoformat(),
        "holdings": [
            {
                "table": one.holding.table,
                "title": one.holding.title,
                "purpose": one.holding.purpose,
                "heads": dict(zip(one.columns, one.heads, strict=True)),
                "rows": [
                    {column: plain_value(value) for column, value in zip(one.columns, row, strict=True)}
                    for row in one.rows
                ],
            }
            for one in held
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _as_xlsx(held: list[Held], terms: Terms, now: datetime) -> bytes:
    heads = ("类别", "名称", "内容", "用途", "保存期限", "谁能看到")
    sheets = [
        Sheet(
            name="个人信息清单",
            title="平台保存的您的个人信息",
            remarks=[f"导出时间：{local(now):%Y-%m-%d %H:%M:%S}。成绩未公布的考试，成绩在公布后列出。"],
            columns=[Column(head=head, width=24) for head in heads],
            rows=register_rows(terms),
            made_at=now,
        )
    ]
    sheets += [
        Sheet(
            name=one.holding.title,
            title=one.holding.title,
            remarks=[f"用途：{one.holding.purpose}。保存期限：{terms.words(one.holding.term)}。"],
            columns=[Column(head=head, width=_width(one, index)) for index, head in enumerate(one.heads)],
            rows=[[value_words(column, v) for column, v in zip(one.columns, row, strict=True)] for row in one.rows],
            made_at=now,
        )
        for one in held
        if one.rows
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.xlsx"
        write_xlsx(path, sheets)
        return path.read_bytes()


def _width(one: Held, index: int) -> int:
    """Give a column's width by its longest value: a Chinese character is as wide as two digits."""
    texts = [one.heads[index], *(value_words(one.columns[index], row[index]) for row in one.rows[:200])]
    return min(_WIDEST, 3 + max(len(text.encode("gb18030")) for text in texts))
