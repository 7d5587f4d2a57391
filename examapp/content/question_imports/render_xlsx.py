"""Write what a file's sender has to put right: its doubtful questions in the rows of our template, with place and reason, and all other remarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from examapp.documents.spreadsheets import SheetColumn, SheetLayout, write_xlsx
from question_bank.formats.csv_table import columns_for, rows_of
from question_bank.kinds.registry import kind_of
from question_bank.model import Citation, Difficulty, Kind, Question

_LISTS = (
    ("不能导入", "refused"),
    ("没有保留", "losses"),
    ("题目以外", "remarks"),
    ("重复", "duplicates"),
)
_WIDE = {"题干": 40, "解析": 30, "核对意见": 40}


def write_for_sender(path: Path, summary: Mapping[str, Any], *, file_name: str) -> None:
    """Write the workbook; filled in, it can be uploaded as it is: the two columns in front are not read."""
    to_review = [note for note in summary.get("doubtful", []) if note.get("question")]
    questions = [_question(note["question"]) for note in to_review]
    heads = columns_for(questions)
    sheets = [
        SheetLayout(
            name="待补正的题",
            columns=[SheetColumn(head=head, width=_WIDE.get(head, 14)) for head in ("位置", "核对意见", *heads)],
            rows=list(_rows(to_review, questions, heads)),
        ),
        SheetLayout(
            name="其他意见",
            title=f"{file_name}：导入时的其他意见",
            columns=[SheetColumn(head="结果"), SheetColumn(head="位置", width=30), SheetColumn(head="原因", width=70)],
            rows=[(word, note["where"], note["reason"]) for word, name in _LISTS for note in summary.get(name, [])],
        ),
    ]
    wanted = [sheet for sheet in sheets if sheet.rows]
    write_xlsx(path, wanted or sheets[1:])


def _rows(
    to_review: Sequence[Mapping[str, Any]], questions: Sequence[Question], heads: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the questions, place and reason before the first row of each."""
    notes = iter(to_review)
    for row in rows_of(questions):
        note = {"where": "", "reason": ""} if row.cells.get("所属案例") else next(notes)
        yield (note["where"], note["reason"], *(row.cells.get(head, "") for head in heads))


def _question(described: Mapping[str, Any]) -> Question:
    """Return a question from what `describe` says of it, its texts plain."""
    kind = Kind(described["kind"])
    key = described["key"]
    has_blanks = kind_of(kind).has_blanks
    citation = described.get("citation")
    return Question(
        kind=kind,
        stem=described["stem"],
        options=tuple(described["options"]),
        key=() if has_blanks else tuple(key),
        blanks=tuple(tuple(variants) for variants in key) if has_blanks else (),
        parts=tuple(_question(part) for part in described.get("parts", [])),
        explanation=described.get("explanation") or "",
        citation=Citation(**citation) if citation else None,
        knowledge_points=tuple(described.get("knowledge_points", [])),
        difficulty=Difficulty(described["difficulty"]) if described.get("difficulty") else None,
        points=Decimal(described["points"]) if described.get("points") else None,
        code=described.get("code"),
        tags=tuple(described.get("tags", [])),
    )
