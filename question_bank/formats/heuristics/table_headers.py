"""Recognise the headers of question tables: which column holds what, under the names that platforms give."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from examapp.documents.workbook_notes import SheetNotes
from question_bank.formats.heuristics.kind_names import codes_in, is_choice_name, kind_of
from question_bank.formats.heuristics.table_names import (
    MAX_HEADER,
    MIN_SURE,
    STEM_TERMS,
    Field,
    field_known,
    normalise_header,
)
from question_bank.model import OPTION_LETTERS, ColumnNames, Kind

HEADER_ROWS = 20
"""The head stands in one of so many first rows."""
MANY_COLUMNS = 3
"""So many headers in one row are no chance."""
SAID, REMEMBERED = -1, MIN_SURE + 1
"""The ranks of names that a person has given, for this file and for an earlier one."""
NO_NAMES = ColumnNames()

_PERHAPS_KIND = frozenset({"类别", "分类", "题目分类", "试题分类", "题目类别", "试题类别"})
"""Heads that name the kind where all cells below them do."""
_MANY = frozenset({Field.EXPLANATION, Field.KNOWLEDGE, Field.TAGS, Field.POINTS, Field.RIGHT})
"""Fields that several columns may hold together."""

TEXT_FIELDS = {Field.CODE: "code"}
"""Fields whose cell is one text, with the attribute that holds it in `ParsedQuestion` and `Question`; a new one needs no other line for tables."""

_WEAK_STEMS = frozenset(
    {"标题", "内容", "title", "试题标题", "题目标题", "content", "text", "body", "desc", "description"}
)
"""Heads that name a stem only where answers or options stand beside."""


@dataclass(frozen=True, slots=True)
class HeaderColumn:
    """One column of the table: what it holds, its number among columns of the same field (options, blanks), its header as written."""

    index: int
    field: Field
    place: int
    header: str


@dataclass(slots=True)
class TableHeader:
    """The head of a table: its row and its columns by field."""

    row: int
    last_row: int
    columns: list[HeaderColumn]
    unknown: list[HeaderColumn | tuple[int, str]] = field(default_factory=list)
    codes: dict[str, Kind] = field(default_factory=dict)
    """Codes of kinds that the kind column's head explains."""
    is_from_zero: bool = False
    """Whether the options' columns are counted from 0."""
    is_shared_stem: bool = False
    """Whether the column of materials holds the stems of questions without sub-questions too (`大题题干`, `小题题干`)."""
    is_guessed: bool = False
    """Whether no row names the columns: what they hold was seen by their cells."""
    names: ColumnNames = NO_NAMES

    def of(self, wanted: Field) -> list[HeaderColumn]:
        """Return the columns that hold a field, in their order."""
        return [column for column in self.columns if column.field is wanted]


def find_header(
    rows: Sequence[Sequence[str]], *, of_kind: bool = False, names: ColumnNames = NO_NAMES
) -> TableHeader | None:
    """Return the head among the first rows, with a second row of option letters joined to it; None where there is no question table.

    `of_kind`: the table's name says of what kind its questions are, so that a column of stems is enough.
    """
    if any(key.startswith("#") and code == "stem:0" for key, code in names.said.items()):
        return _header_by_places(names)
    best: TableHeader | None = None
    for number, row in enumerate(rows[:HEADER_ROWS]):
        header = _read_header(number, row, of_kind=of_kind, names=names)
        if header and (best is None or len(header.columns) > len(best.columns)):
            best = header
    if best and best.row + 1 < len(rows):
        best = _with_second_row(best, rows[best.row], rows[best.row + 1])
        _take_longer_stem(best, rows)
        return _with_marks(_with_wide_options(_with_kind(_with_distractors(best), rows), rows), rows)
    return best


def _with_kind(header: TableHeader, rows: Sequence[Sequence[str]]) -> TableHeader:
    """Return a head in which a column `类别` holds the kind, where no other does and each of its cells names one."""
    named = [one for one in header.of(Field.TAGS) if normalise_header(one.header) in _PERHAPS_KIND]
    if header.of(Field.KIND) or len(named) != 1:
        return header
    cells = (row[named[0].index] for row in rows[header.last_row + 1 :] if named[0].index < len(row))
    filled = [cell for cell in cells if cell and field_named(cell) is None]
    if filled and all(kind_of(cell) or is_choice_name(cell) for cell in filled):
        header.columns = [replace(one, field=Field.KIND) if one is named[0] else one for one in header.columns]
    return header


def _header_by_places(names: ColumnNames) -> TableHeader:
    """Return the head of a table that has none, where a person has said what its columns hold; its row is -1."""
    codes = [(int(key[1:]), code) for key, code in names.said.items() if re.fullmatch(r"#\d{1,5}", key) and code]
    columns = [HeaderColumn(index, *field_of_code(code), f"第 {index + 1} 列") for index, code in sorted(codes)]
    columns.sort(key=lambda column: (column.field, column.place, column.index))
    return TableHeader(-1, -1, columns, names=names)


def field_of_code(code: str) -> tuple[Field, int]:
    """Return the field and the place among its like that a code such as `option:0` names."""
    name, _, place = code.partition(":")
    return Field(name), int(place or 0)


def key_of(head: str, index: int) -> str:
    """Return by which name people speak of a column: its head, or its place where it has none."""
    return normalise_header(head)[:MAX_HEADER] or f"#{index}"


def _with_wide_options(header: TableHeader, rows: Sequence[Sequence[str]]) -> TableHeader:
    """Return a head `选项` over several columns, one an option: those behind it have no head of their own, but hold texts."""
    options = header.of(Field.OPTIONS)
    if len(options) != 1 or header.of(Field.OPTION):
        return header
    row, first = rows[header.row], options[0].index
    last = first
    while last + 1 < len(row) and row[last + 1] in {"", row[first]} and last - first < len(OPTION_LETTERS) - 1:
        last += 1
    below = [line for line in rows[header.last_row + 1 :] if any(line)]
    if last == first or not any(first + 1 < len(line) and line[first + 1] for line in below):
        return header
    wide = [HeaderColumn(index, Field.OPTION, index - first, options[0].header) for index in range(first, last + 1)]
    header.columns = [column for column in header.columns if column.field is not Field.OPTIONS] + wide
    header.unknown = [
        one for one in header.unknown if not (isinstance(one, HeaderColumn) and first < one.index <= last)
    ]
    return header


def find_further_header(header: TableHeader, number: int, rows: Sequence[Sequence[str]]) -> TableHeader | None:
    """Return the head that a row further down is, of a part with columns of its own, or the table's own head again."""
    if not _may_hold_stems(rows[number], header.names):
        return None
    said = {key: code for key, code in header.names.said.items() if not key.startswith("#")}
    names = replace(header.names, said=said)
    again = _read_header(number, rows[number], names=names)
    if again is None or len(again.columns) < min(MANY_COLUMNS, len(header.columns)):
        return None
    again = _with_second_row(again, rows[number], rows[number + 1]) if number + 1 < len(rows) else again
    known = {(column.field, column.place, column.index) for column in header.columns}
    repeated = sum((column.field, column.place, column.index) in known for column in again.columns)
    fields = {column.index: column.field for column in header.columns}
    is_same = repeated >= len(again.columns) - 1 and all(
        fields.get(column.index, column.field) is column.field for column in again.columns
    )
    return replace(header, row=again.row, last_row=again.last_row) if is_same else again


def _may_hold_stems(row: Sequence[str], names: ColumnNames) -> bool:
    """Return False, fast, where no cell of a row can be the head of the stems."""
    if names.said or names.remembered:
        return True
    return any(len(cell) <= MAX_HEADER and STEM_TERMS.search("".join(cell.split()).lower()) for cell in row)


def _read_header(
    number: int, row: Sequence[str], *, of_kind: bool = False, names: ColumnNames = NO_NAMES
) -> TableHeader | None:
    columns: dict[tuple[Field, int], tuple[int, HeaderColumn]] = {}
    shared: list[HeaderColumn] = []
    unknown: list[HeaderColumn | tuple[int, str]] = []
    for index, cell in enumerate(row):
        named = field_named(cell, names, index)
        if named is None:
            if cell:
                unknown.append((index, cell))
            continue
        wanted, place, rank = named
        column = HeaderColumn(index, wanted, place, " ".join(cell.split()))
        if wanted in _MANY:
            shared.append(column)
            continue
        known = columns.get((wanted, place))
        if known is None or rank < known[0]:
            if known:
                unknown.append(known[1])
            columns[(wanted, place)] = (rank, column)
        else:
            unknown.append(column)
    found = [column for _, column in columns.values()] + shared
    found.sort(key=lambda column: (column.field, column.place, column.index))
    is_from_zero = any(column.field is Field.OPTION and column.place < 0 for column in found)
    if is_from_zero:
        found = [replace(one, place=one.place + 1) if one.field is Field.OPTION else one for one in found]
        beyond = [one for one in found if one.field is Field.OPTION and one.place >= len(OPTION_LETTERS)]
        unknown += [(one.index, one.header) for one in beyond]  # a twenty-seventh option has no letter
        found = [one for one in found if one not in beyond]
    columns_read = found if names.said else _answer_beside_options(_with_series(found, unknown))
    header = TableHeader(number, number, columns_read, unknown, is_from_zero=is_from_zero, names=names)
    if not names.said:
        _part_stems(header)
    kinds = header.of(Field.KIND)
    header.codes = codes_in(row[kinds[0].index]) if kinds else {}
    is_said = columns.get((Field.STEM, 0), (0, None))[0] == SAID
    return header if is_said or _is_header(header) or (of_kind and _has_stems(header)) else None


def field_named(cell: str, names: ColumnNames = NO_NAMES, index: int = -1) -> tuple[Field, int, int] | None:
    """Return the field that a head names, as a person has said or by itself, and the rank of the name (lower is surer)."""
    key = key_of(cell, index)
    if key in names.said:
        return (*field_of_code(names.said[key]), SAID) if names.said[key] else None
    found = field_known(cell)
    code = names.remembered.get(key, "")
    return (*field_of_code(code), REMEMBERED) if found is None and cell and code else found


_SERIES = ("123456789", "一二三四五六七八九", "甲乙丙丁戊己庚")
"""What options are called where their heads are no letters: `①` is 1 in half width."""


def _with_series(columns: list[HeaderColumn], unknown: list[HeaderColumn | tuple[int, str]]) -> list[HeaderColumn]:
    """Return the columns with those of options headed `①` `②` `③` or `甲` `乙` `丙`, side by side, where no other holds options."""
    if any(column.field in {Field.OPTION, Field.OPTIONS} for column in columns):
        return columns
    heads = {one[0]: normalise_header(one[1]) for one in unknown if not isinstance(one, HeaderColumn)}
    for series in _SERIES:
        first = next((index for index, head in heads.items() if head == series[0]), None)
        run = [] if first is None else [at for at in range(len(series)) if heads.get(first + at) == series[at]]
        if first is not None and len(run) > 2 and run == list(range(len(run))):
            texts = {one[0]: one[1] for one in unknown if not isinstance(one, HeaderColumn)}
            unknown[:] = [one for one in unknown if isinstance(one, HeaderColumn) or one[0] - first not in run]
            return columns + [HeaderColumn(first + at, Field.OPTION, at, texts[first + at]) for at in run]
    return columns


_SUB = re.compile(r"[小子]题")


def _part_stems(header: TableHeader) -> None:
    """Make a second column of stems that of materials where one names sub-questions: `大题题干` beside `小题题干`; so for their kinds."""
    for wanted in (Field.STEM, Field.KIND):
        twins = [one for one in header.unknown if isinstance(one, HeaderColumn) and one.field is wanted]
        known = header.of(wanted)
        subs = [one for one in (*known, *twins) if _SUB.match(normalise_header(one.header))]
        if len(known) != 1 or len(twins) != 1 or len(subs) != 1:
            continue
        whole = next(one for one in (*known, *twins) if one is not subs[0])
        if wanted is Field.STEM and header.of(Field.MATERIAL):
            continue
        if wanted is Field.STEM:
            whole, header.is_shared_stem = replace(whole, field=Field.MATERIAL), True
        header.columns = [one for one in header.columns if one is not known[0]] + [subs[0], whole]
        header.unknown.remove(twins[0])


def _take_longer_stem(header: TableHeader, rows: Sequence[Sequence[str]]) -> None:
    """Take of two columns of stems, as `title` and `content` are, the one whose texts are twice as long as those of the other."""
    stem = header.of(Field.STEM)[0]
    twins = [one for one in header.unknown if isinstance(one, HeaderColumn) and one.field is Field.STEM]
    below = rows[header.last_row + 1 :]
    lengths = {one.index: sum(len(row[one.index]) for row in below if one.index < len(row)) for one in (stem, *twins)}
    longest = max((stem, *twins), key=lambda one: lengths[one.index])
    if not header.names.said and lengths[longest.index] > 2 * lengths[stem.index]:
        header.columns = [longest if one is stem else one for one in header.columns]
        header.unknown = [stem if one is longest else one for one in header.unknown]


def _with_distractors(header: TableHeader) -> TableHeader:
    """Return a head in which the answer's own text is the first option, where the columns beside hold only wrong ones (`干扰项1`)."""
    wrong = [one for one in header.of(Field.OPTION) if _DISTRACTOR.fullmatch(normalise_header(one.header))]
    answers = header.of(Field.ANSWER)
    if not wrong or len(answers) != 1 or len(wrong) != len(header.of(Field.OPTION)):
        return header
    right = replace(answers[0], field=Field.OPTION, place=0)
    options = [replace(one, place=place) for place, one in enumerate(sorted(wrong, key=lambda one: one.index), 1)]
    header.columns = [one for one in header.columns if one.field is not Field.OPTION] + [right, *options]
    return header


_DISTRACTOR = re.compile(r"(?:干扰|错误)(?:项|选项|答案)[-_]?(?:\d|[一二三四五六七八九])?")
_GIVEN = re.compile(r"(?:我的|考生|用户|学员|个人|本人|所选|提交).{0,2}(?:答案|选项)|作答|回答|得分")
_MARKS = frozenset({"", "0", "1", "√", "×", "✓", "是", "否", "对", "错", "true", "false", "y", "n"})


def _with_marks(header: TableHeader, rows: Sequence[Sequence[str]]) -> TableHeader:
    """Return a head in which columns `答案A` … beside the options hold marks, and a lone `是否正确` without options the answer."""
    options, numbered, ticks = (header.of(one) for one in (Field.OPTION, Field.ANSWER_N, Field.RIGHT))
    below = rows[header.last_row + 1 :]
    if numbered and not header.of(Field.ANSWER) and not ticks and _are_places(options, numbered):
        cells = {row[one.index].lower() for row in below for one in numbered if one.index < len(row)}
        if len(cells) > 1 and cells <= _MARKS:
            marks = [replace(one, field=Field.RIGHT, place=one.place + 1) for one in numbered]
            header.columns = [one for one in header.columns if one.field is not Field.ANSWER_N] + marks
    elif len(ticks) == 1 and not (options or header.of(Field.OPTIONS) or header.of(Field.ANSWER) or numbered):
        heads = (cell for row in rows[header.row : header.last_row + 1] for cell in row)
        if any(map(_GIVEN.search, heads)):
            return header  # what one person answered, and whether that was right
        header.columns = [replace(one, field=Field.ANSWER) if one is ticks[0] else one for one in header.columns]
    return header


def _are_places(one: Sequence[HeaderColumn], other: Sequence[HeaderColumn]) -> bool:
    return len(one) > 1 and [column.place for column in one] == [column.place for column in other]


def _answer_beside_options(columns: list[HeaderColumn]) -> list[HeaderColumn]:
    """Return the columns; one named `答案选项` holds the answer where the options have columns of their own."""
    fields = [column.field for column in columns]
    if Field.ANSWER in fields or fields.count(Field.OPTION) < 2:
        return columns
    return [
        replace(column, field=Field.ANSWER)
        if column.field is Field.OPTIONS and normalise_header(column.header).startswith("答案")
        else column
        for column in columns
    ]


def _is_header(header: TableHeader) -> bool:
    fields = {column.field for column in header.columns if column.field is not Field.OPTION or column.place == 0}
    evidence = {Field.ANSWER, Field.ANSWER_N, Field.BLANK, Field.OPTION, Field.OPTIONS, Field.KIND, Field.RIGHT}
    is_weak = fields & evidence == {Field.KIND} and not _has_stems(header)
    return Field.STEM in fields and bool(fields & evidence) and not is_weak


def _has_stems(header: TableHeader) -> bool:
    stems = header.of(Field.STEM)
    return bool(stems) and normalise_header(stems[0].header) not in _WEAK_STEMS


def _with_second_row(header: TableHeader, first: Sequence[str], second: Sequence[str]) -> TableHeader:
    """Return a head of two rows: `选项` above, its letters A B C D in the row below."""
    names = [normalise_header(cell).upper() for cell in second]
    letters = [
        HeaderColumn(index, Field.OPTION, OPTION_LETTERS.index(name), second[index])
        for index, name in enumerate(names)
        if len(name) == 1 and name in OPTION_LETTERS
    ]
    if not letters and header.of(Field.OPTIONS):
        first_number = next((index for index, name in enumerate(names) if name == "1"), -1)
        run = [index for index, name in enumerate(names) if name == str(index - first_number + 1)]
        letters = [HeaderColumn(index, Field.OPTION, index - first_number, second[index]) for index in run]
    known = {column.index for column in header.columns if column.field is not Field.OPTIONS}
    stem = header.of(Field.STEM)[0]
    if len(letters) < 2 or known & {letter.index for letter in letters}:
        return header
    if stem.index < len(second) and second[stem.index] not in {"", first[stem.index]}:
        return header
    header.columns = [column for column in header.columns if column.field is not Field.OPTIONS] + letters
    header.last_row = header.row + 1
    return header


def prefer_visible(header: TableHeader, hidden: frozenset[int]) -> None:
    """Take a field's visible column where a hidden one of the same field stands first."""
    for place, column in enumerate(header.columns):
        twins = [
            one
            for one in header.unknown
            if isinstance(one, HeaderColumn) and (one.field, one.place) == (column.field, column.place)
        ]
        visible = next((one for one in twins if one.index not in hidden), None)
        if column.index in hidden and visible is not None:
            header.columns[place] = visible
            header.unknown[header.unknown.index(visible)] = column


def hidden_columns(header: TableHeader, notes: SheetNotes) -> Iterator[str]:
    """Yield for each hidden column of a header that it was read all the same."""
    for column in header.columns:
        if column.index in notes.hidden_columns:
            yield f"“{column.header}”列在表格里是隐藏的，也读进来了。请核对；如不要这一列，请删去后再导入。"
