"""A table of questions before and after it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from question_bank.formats.drawn import Drawn, Placed
from question_bank.formats.raw import RawQuestion
from question_bank.formats.tables.heads import Head
from question_bank.model import Kind
from question_bank.parse_result import Note


@dataclass(slots=True)
class Table:
    """A table before it is read: its cells, where its rows stand, and what is known from outside about its kind."""

    place: str
    """How places in it begin: `工作表「单选」` or nothing for a csv file."""
    rows: Sequence[Sequence[object]]
    numbers: Sequence[int]
    """The number of each row as the reader of the file sees it."""
    kind_hint: Kind | None = None
    label_hint: str = ""
    """The sheet's or file's name where it names a kind that is not sat."""
    width: int = 0
    """Cells that a row may have where a divider alone tells them apart; 0 for tables whose cells have places of their own."""
    joined: Sequence[tuple[int, int, int, int]] = ()
    """Merged cells: first row, first column, last row, last column, from 0."""
    pictures: Sequence[Placed] = ()
    cell_pictures: Mapping[str, Drawn] = field(default_factory=dict)
    """Pictures that cells call by name, as WPS writes them."""


@dataclass(slots=True)
class TableRow:
    """A raw question with what ties it to other rows."""

    raw: RawQuestion
    parent: str = ""
    order: str = ""
    material: str = ""
    is_part: bool = False


@dataclass(slots=True)
class TableReading:
    """What a table holds; `head` is None when it is no question table."""

    head: Head | None
    rows: list[TableRow] = field(default_factory=list)
    remarks: list[Note] = field(default_factory=list)
