"""What a report request and a format of reports are; the registry of formats is `actions.RENDERERS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from examapp.documents.spreadsheets import Cell, SheetLayout, as_text
from examapp.errors import DomainError
from examapp.organisation.units.models import Tree
from examapp.oversight.statistics_definitions.rules import PiiDisclosure, Scope
from examapp.oversight.statistics_scope.rules import NO_FILTER, ReportFilter

MAX_REASON = 200
"""Characters of a reason that are kept."""
TABLE_CONTENTS = frozenset({"scores", "participation", "absent", "score_sheet"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """A report as it was asked for by a form, a call, a schedule or an approval, and as the row of its export keeps it."""

    exam_id: int
    unit_id: int
    content: str
    """A key of `CONTENT_NAMES`."""
    format: str
    """A key of `RENDERERS`."""
    tree: Tree = Tree.REGION
    scope: Scope | None = None
    """None for the usual one of the exam."""
    filters: ReportFilter = NO_FILTER
    numbers: PiiDisclosure = PiiDisclosure.NONE
    reason: str = ""

    @property
    def holds_whole_numbers(self) -> bool:
        """Whether whole ID numbers and mobiles would be in the file; only the list of scores has any."""
        return self.content == "scores" and self.numbers is PiiDisclosure.WHOLE

    def settled(self, scope: Scope) -> ReportRequest:
        """Return the request with its scope, and without what its content does not know."""
        return replace(
            self,
            scope=scope,
            filters=self.filters.of_content(self.content),
            numbers=self.numbers if self.content == "scores" else PiiDisclosure.NONE,
            reason=self.reason.strip()[:MAX_REASON],
        )

    def to_row(self) -> dict[str, Any]:
        """Return the values of the columns of these names."""
        return {name: getattr(self, name) for name in REQUEST_FIELDS} | {"filters": self.filters.as_json()}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> ReportRequest:
        """Return the request that `to_row` wrote; other values of the row are left aside."""
        kept = {name: row[name] for name in REQUEST_FIELDS if name in row}
        return cls(
            **kept
            | {
                "tree": Tree(kept["tree"]),
                "scope": Scope(kept["scope"]),
                "filters": ReportFilter.of_json(kept.get("filters", {})),
                "numbers": PiiDisclosure(kept["numbers"]),
            }
        )


REQUEST_FIELDS = tuple(field.name for field in fields(ReportRequest))


class TooLongForPaperError(DomainError):
    """More rows than a file of this format can have."""

    code = "too_long_for_paper"
    message = "人数太多，不宜做成一份可打印的文件。请选择 Excel 格式，或到下级单位分别导出。"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """A table to write: the sheet, the signature lines below it, and what each row says at its end where only rows are kept."""

    sheet: SheetLayout
    signatures: Sequence[str] = ()
    row_stamp: Mapping[str, Cell]
    part_of: Mapping[str, str]
    """By unit code the part in which a unit's people stand where a file has parts: the code and name of the unit below the table's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circular:
    """A circular (通报) to write: the filled Word template."""

    docx: bytes
    made_at: datetime
    header: str
    """The line at the head of each page: whom alone it is about. Who exported it stands in the audit log, not on what is sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRenderer:
    """One format of reports."""

    code: str
    """Also the suffix of file names."""
    label: str
    content_type: str
    contents: frozenset[str]
    """Keys of `CONTENT_NAMES` that the format can hold."""
    write_table: Callable[[Path, ReportTable], None]
    write_circular: Callable[[Path, Circular], None] | None = None
    max_rows: int | None = None

    def ensure_fits(self, count: int) -> None:
        """Raise TooLongForPaperError when a table has more rows than the format can have."""
        if self.max_rows is not None and count > self.max_rows:
            raise TooLongForPaperError


def file_name_of(text: str) -> str:
    """Return a text as a file's name, without what file systems reject."""
    return "".join("_" if c in '\\/:*?"<>|\r\n\t' else c for c in text)


def cell_text(cell: Cell) -> str:
    """Return a cell as printed: points and rates with two places, nothing for None."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:.2f}"
    return str(cell) if isinstance(cell, int) else as_text(cell)


def form_value(cell: Cell) -> str | int | Decimal | None:
    """Return a cell for a workbook: numbers as numbers, all else as text."""
    return cell if cell is None or isinstance(cell, int | Decimal) else as_text(cell)


def iter_texts(sheet: SheetLayout) -> Iterator[list[str]]:
    """Iterate over the rows as printed."""
    return ([cell_text(cell) for cell in cells] for cells in sheet.rows)
