"""Lay out the characters of a page of a PDF file: lines of text, and the cells of tables that rules divide."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

MAX_RULES, MAX_COLUMNS, MAX_GRID_ROWS = 4000, 60, 400
"""Of a page with more no tables are looked for."""
_NEAR = 3.0
"""Points within which two rules stand at one place."""
_WIDE_GAP = 1.2
"""Heights of a line over which a gap parts two texts."""
_GAPS = (0.2, 0.24, 0.7)
"""Heights of a line over which a gap is a space: between narrow signs, a narrow and a wide one, wide ones."""
_FULL = 2.5
"""Characters that may lack at the end of a line that goes on in the next."""
_BEGINS = re.compile(r"\s*(?:[A-Za-z\d]{1,3}\s*[.、．:：)）]|[(（]\s*[A-Za-z\d]{1,3}\s*[)）]|[\[【①-⑳])")
"""How a line of a cell begins that does not go on the one above."""


@dataclass(frozen=True, slots=True)
class PdfGlyph:
    """A character with its place in points: from left to right, its base line and the height of its line."""

    sign: str
    left: float
    right: float
    y: float
    size: float


@dataclass(slots=True)
class TextSpan:
    """A piece of a line with its place in points."""

    text: str
    left: float
    right: float
    y: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A thin line: its bounds in points."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(slots=True)
class PageTable:
    """A table of a page: its cells row by row, the cells merged downward, where its columns stand, and before which line it stands."""

    rows: list[list[str]]
    joined: list[tuple[int, int, int, int]] = field(default_factory=list)
    columns: tuple[float, ...] = ()
    top: float = 0.0
    line: int = 0


def lines_of(glyphs: Sequence[PdfGlyph]) -> list[list[PdfGlyph]]:
    """Return characters by lines: those that follow each other on one base line, from left to right."""
    lines: list[list[PdfGlyph]] = []
    for glyph in glyphs:
        if lines and abs(lines[-1][0].y - glyph.y) < min(glyph.size, lines[-1][0].size) / 3:
            lines[-1].append(glyph)
        else:
            lines.append([glyph])
    return [sorted(line, key=lambda one: one.left) for line in lines if any(one.sign.strip() for one in line)]


def spans_of(line: Sequence[PdfGlyph]) -> list[TextSpan]:
    """Return the pieces of a line that wide gaps part, with spaces where there are narrow ones."""
    spans: list[TextSpan] = []
    before: PdfGlyph | None = None
    for glyph in line:
        if not glyph.sign.strip():
            if spans:
                spans[-1].text += glyph.sign
            continue
        gap = (glyph.left - before.right) / glyph.size if before else 0.0
        if before is None or gap > _WIDE_GAP:
            spans.append(TextSpan("", glyph.left, glyph.right, glyph.y))
        elif spans[-1].text[-1:].strip():
            wide = (before.sign > "\u2e80") + (glyph.sign > "\u2e80")
            spans[-1].text += " " if gap > _GAPS[wide] else ""
        spans[-1].text += glyph.sign
        spans[-1].right = glyph.right
        before = glyph
    for span in spans:
        span.text = span.text.rstrip().encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return spans


def text_of(line: Sequence[PdfGlyph]) -> str:
    """Return the text of a line."""
    return "  ".join(span.text for span in spans_of(line))


def take_tables(glyphs: Sequence[PdfGlyph], rules: Sequence[Rule]) -> tuple[list[PdfGlyph], list[PageTable]]:
    """Return the characters outside all tables, and the tables from top to bottom."""
    tables: list[PageTable] = []
    left = list(glyphs)
    for group in _groups(rules) if len(rules) <= MAX_RULES else ():
        if (grid := _grid_of(group)) is None:
            continue
        inside = [one for one in left if grid.holds(one)]
        table = grid.table(inside)
        if table is not None:
            left = [one for one in left if not grid.holds(one)]
            tables.append(table)
    return left, sorted(tables, key=lambda table: -table.top)


def _groups(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Return the rules that touch each other, directly or by others."""
    groups: list[tuple[Rule, list[Rule]]] = []
    for rule in sorted(rules, key=lambda one: -one.top):
        bounds, members, apart = rule, [rule], []
        for other, inner in groups:
            if _touch(bounds, other):
                bounds, members = _around(bounds, other), [*inner, *members]
            else:
                apart.append((other, inner))
        groups = [*apart, (bounds, members)]
    return [members for _, members in groups]


def _touch(one: Rule, other: Rule) -> bool:
    across = one.left <= other.right + _NEAR and other.left <= one.right + _NEAR
    return across and one.bottom <= other.top + _NEAR and other.bottom <= one.top + _NEAR


def _around(one: Rule, other: Rule) -> Rule:
    return Rule(
        min(one.left, other.left), min(one.bottom, other.bottom),
        max(one.right, other.right), max(one.top, other.top),
    )  # fmt: skip


def _grid_of(rules: Sequence[Rule]) -> "_Grid | None":
    """Return the grid of rules; None where they make fewer than two columns and two rows' borders."""
    upright = [rule for rule in rules if rule.top - rule.bottom > max(rule.right - rule.left, _NEAR)]
    level = [rule for rule in rules if rule.right - rule.left > max(rule.top - rule.bottom, _NEAR)]
    columns = _places((rule.left + rule.right) / 2 for rule in upright)
    rows = _places((rule.bottom + rule.top) / 2 for rule in level)[::-1]
    return (
        _Grid(columns, rows, upright, level)
        if 2 < len(columns) <= MAX_COLUMNS and 1 < len(rows) <= MAX_GRID_ROWS
        else None
    )


def _places(values: Iterable[float]) -> list[float]:
    """Return the places of rules from low to high, near ones taken as one."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > _NEAR:
            found.append(value)
    return found


@dataclass(frozen=True, slots=True)
class _Grid:
    columns: list[float]
    """From left to right."""
    rows: list[float]
    """From top to bottom."""
    upright: list[Rule]
    level: list[Rule]

    def holds(self, glyph: PdfGlyph) -> bool:
        """Return whether a character stands within the grid."""
        middle = (glyph.left + glyph.right) / 2
        return self.columns[0] < middle < self.columns[-1] and self.rows[-1] < glyph.y + glyph.size / 4 < self.rows[0]

    def table(self, glyphs: Sequence[PdfGlyph]) -> PageTable | None:
        """Return the table with the characters in its cells; None where a single cell holds them all."""
        owners = self._owners()
        cells: dict[tuple[int, int], list[PdfGlyph]] = {}
        for glyph in glyphs:
            place = (_between(self.rows, glyph.y + glyph.size / 4, falls=True), _between(self.columns, (glyph.left + glyph.right) / 2))  # fmt: skip
            cells.setdefault(owners[place], []).append(glyph)
        if len(cells) < 2:
            return None
        last: dict[tuple[int, int], tuple[int, int]] = {}
        for place, owner in owners.items():
            last[owner] = max(last.get(owner, place), place)
        rows = [[""] * (len(self.columns) - 1) for _ in self.rows[1:]]
        for owner, inside in cells.items():
            rows[owner[0]][owner[1]] = _cell_text(inside, right=self.columns[last[owner][1] + 1])
        joined = [(*owner, *end) for owner, end in sorted(last.items()) if end[0] > owner[0]]
        return PageTable(rows, joined, tuple(self.columns), self.rows[0])

    def _owners(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Return for each field of the grid the one that begins its cell: where no rule parts it from the field above or beside."""
        owners: dict[tuple[int, int], tuple[int, int]] = {}
        for row in range(len(self.rows) - 1):
            for column in range(len(self.columns) - 1):
                owner = (row, column)
                if column and not self._is_parted_left(row, column):
                    owner = owners[row, column - 1]
                elif row and not self._is_parted_above(row, column):
                    owner = owners[row - 1, column]
                owners[row, column] = owner
        return owners

    def _is_parted_left(self, row: int, column: int) -> bool:
        place, middle = self.columns[column], (self.rows[row] + self.rows[row + 1]) / 2
        return any(
            abs((rule.left + rule.right) / 2 - place) <= _NEAR and rule.bottom <= middle <= rule.top
            for rule in self.upright
        )

    def _is_parted_above(self, row: int, column: int) -> bool:
        place, middle = self.rows[row], (self.columns[column] + self.columns[column + 1]) / 2
        return any(
            abs((rule.bottom + rule.top) / 2 - place) <= _NEAR and rule.left <= middle <= rule.right
            for rule in self.level
        )


def _between(places: Sequence[float], value: float, *, falls: bool = False) -> int:
    """Return between which places a value stands, counted from 0."""
    after = sum((place > value) if falls else (place < value) for place in places)
    return min(max(after - 1, 0), len(places) - 2)


def _cell_text(glyphs: Sequence[PdfGlyph], *, right: float) -> str:
    """Return the text of a cell that ends at this place."""
    lines = lines_of(sorted(glyphs, key=lambda one: (-one.y, one.left)))
    return join_lines([(text_of(line).strip(), line[-1].right > right - _FULL * line[-1].size) for line in lines])


def join_lines(lines: Sequence[tuple[str, bool]]) -> str:
    """Return the lines of a cell as one text; one that is said to be full goes on in the next."""
    pieces: list[str] = []
    goes_on = True
    for text, is_full in lines:
        pieces.append(text if not pieces or (goes_on and not _BEGINS.match(text)) else f"\n{text}")
        goes_on = is_full
    return "".join(pieces)
