"""Find the question tables on the pages of a PDF file: those that rules divide, and those whose columns a head without rules names."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from examapp.documents.pdf_pages import PageText
from examapp.documents.pdf_tables import PageTable, TextSpan, join_lines
from question_bank.formats.heuristics.table_headers import find_header
from question_bank.formats.heuristics.table_names import Field

_NEAR = 4.0
"""Points within which two columns stand at one place."""
_FULL = 24.0
"""Points that may lack at the end of a cell's line that goes on in the next."""
_MIN_COLUMNS = 3
MAX_SHORT_CELL = 12
"""Characters of cells that stand beside each other in one line of text, where their table is no question table."""


@dataclass(slots=True)
class PlacedTable:
    """A question table with its first page, where its columns stand, and whether rules divide it."""

    page: int
    rows: list[list[str]]
    columns: tuple[float, ...]
    is_ruled: bool
    joined: list[tuple[int, int, int, int]] = field(default_factory=list)


class TableFinder:
    """Takes the question tables out of pages, one page after the other; a table may go on on the next page."""

    def __init__(self) -> None:
        self.found: list[PlacedTable] = []
        self._open: PlacedTable | None = None
        """The table that the last page ended with."""

    def take(self, page: PageText, number: int, dropped: Collection[int]) -> list[tuple[int, str]]:
        """Return the lines of a page outside its question tables and its dropped lines, with their numbers from 1."""
        lines: list[tuple[int, str]] = []
        tables = sorted(page.tables, key=lambda table: table.line)
        at = 0
        while at < len(page.lines):
            while tables and tables[0].line <= at:
                self._take_ruled(tables.pop(0), number, lines, at)
            if at in dropped or not page.lines[at].strip():
                at += 1
                continue
            end = self._take_by_head(page, at, number, dropped)
            if end == at:
                self._open = None
                lines.append((at + 1, page.lines[at]))
                end += 1
            at = end
        for table in tables:
            self._take_ruled(table, number, lines, at)
        return lines

    def _take_ruled(self, table: PageTable, number: int, lines: list[tuple[int, str]], at: int) -> None:
        """Take in a table that rules divide: on with the last page's, as a new one, or as lines where it is no question table."""
        open_ = self._open
        if open_ and open_.is_ruled and number != open_.page and _are_alike(open_.columns, table.columns):
            _extend(open_, table.rows, table.joined)
        elif find_header(table.rows):
            self._open = PlacedTable(number, table.rows, table.columns, is_ruled=True, joined=table.joined)
            self.found.append(self._open)
        else:
            self._open = None
            for row in table.rows:
                is_short = all(len(cell) <= MAX_SHORT_CELL for cell in row)
                whole = "\t".join(cell.replace("\n", " ") for cell in row) if is_short else "\n".join(filter(None, row))
                lines.extend((at + 1, text) for text in whole.split("\n"))

    def _take_by_head(self, page: PageText, at: int, number: int, dropped: Collection[int]) -> int:
        """Take in a table without rules that begins or goes on with this line; return the line behind it, or the same line."""
        if len(page.spans) != len(page.lines):
            return at
        texts = [span.text for span in page.spans[at]]
        open_ = self._open
        if len(texts) >= _MIN_COLUMNS and (header := find_header([texts])) and header.of(Field.CODE):
            if header.of(Field.CODE)[0].index:
                return at
            if open_ is None or open_.is_ruled or open_.rows[0] != texts:
                open_ = PlacedTable(number, [texts], tuple(span.left for span in page.spans[at]), is_ruled=False)
            rows, end = _rows_below(page, at + 1, open_, dropped)
        elif open_ and not open_.is_ruled:
            rows, end = _rows_below(page, at, open_, dropped)
        else:
            return at
        if not rows:
            return at
        if open_ is not self._open:
            self.found.append(open_)
        self._open = open_
        _extend(open_, rows, [])
        return end


def _rows_below(page: PageText, at: int, table: PlacedTable, dropped: Collection[int]) -> tuple[list[list[str]], int]:
    """Return the rows that stand in a table's columns from a line on, and the line behind them; a number opens each row but the first."""
    cells: list[list[list[TextSpan]]] = []
    edges = [0.0] * len(table.columns)
    while at < len(page.lines):
        if at in dropped or not page.spans[at]:
            at += 1
            continue
        placed = [(_column_of(span, table.columns), span) for span in page.spans[at]]
        if any(column is None or (column == 0 and not span.text.rstrip(".．、").isdigit()) for column, span in placed):
            break
        for column, span in placed:
            if column == 0 or not cells:
                cells.append([[] for _ in table.columns])
            cells[-1][column or 0].append(span)
            edges[column or 0] = max(edges[column or 0], span.right)
        at += 1
    rows = [
        [
            join_lines([(span.text, span.right > edge - _FULL) for span in spans])
            for spans, edge in zip(row, edges, strict=True)
        ]
        for row in cells
    ]
    return rows, at


def _column_of(span: TextSpan, columns: Sequence[float]) -> int | None:
    """Return in which column a piece of a line stands; None where it reaches over the next."""
    place = sum(left <= span.left + _NEAR for left in columns) - 1
    reaches = place + 1 < len(columns) and span.right > columns[place + 1] + _NEAR
    return None if place < 0 or reaches else place


def _are_alike(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= _NEAR for a, b in zip(one, other, strict=True))


def _extend(table: PlacedTable, rows: list[list[str]], joined: list[tuple[int, int, int, int]]) -> None:
    """Add the rows of a further page; the first one goes on with the last row where nothing stands in its first cell and its cells end none."""
    if rows and table.rows and not rows[0][0] and any(rows[0]):
        last = table.rows[-1]
        for place, text in enumerate(rows[0]):
            last[place] = (
                join_lines([(last[place], True), (text, True)]) if last[place] and text else last[place] or text
            )
        rows = rows[1:]
        shift = -1
    else:
        shift = 0
    above = len(table.rows) + shift
    table.joined += [
        (top + above, left, bottom + above, right) for top, left, bottom, right in joined if top + shift >= 0
    ]
    table.rows += rows
