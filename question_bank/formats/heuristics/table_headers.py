"""Recognise the headers of question tables: which column holds what, under the names that platforms give."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from question_bank.formats.heuristics.kind_names import codes_in, is_choice_name, kind_of
from question_bank.model import OPTION_LETTERS, ColumnNames, Kind

HEADER_ROWS = 10
"""The head stands in one of so many first rows."""
MAX_HEADER = 60
"""Characters of a head, its remarks included."""
LONGEST_HEADER = 1000
"""Characters of a cell that are looked at for a head: no head is longer, and endless ones would take minutes."""
MANY_COLUMNS = 3
"""So many headers in one row are no chance."""
MIN_SURE = 99
"""The rank of a name that is only built like one of its field's."""
SAID, REMEMBERED = -1, MIN_SURE + 1
"""The ranks of names that a person has given, for this file and for an earlier one."""
NO_NAMES = ColumnNames()


class Field(StrEnum):
    """What a column of a question table holds."""

    KIND = "kind"
    MULTI = "multi"
    STEM = "stem"
    MATERIAL = "material"
    OPTIONS = "options"
    OPTION = "option"
    ANSWER = "answer"
    ANSWER_N = "answer_n"
    RIGHT = "right"
    BLANK = "blank"
    EXPLANATION = "explanation"
    DIFFICULTY = "difficulty"
    KNOWLEDGE = "knowledge"
    LAW = "law"
    ARTICLE = "article"
    LAW_VERSION = "law_version"
    POINTS = "points"
    TAGS = "tags"
    CODE = "code"
    PARENT = "parent"
    ORDER = "order"


_NAMES: dict[Field, str] = {
    Field.KIND: "题型 题目类型 试题类型 题型名称 题类 题目题型 试题题型 题型类别 题目种类 问题类型 类型 questiontype type kind",
    Field.MULTI: "multichoice 是否多选",
    Field.STEM: "题干 试题题干 题目题干 题干内容 题目内容 试题内容 题目 试题 问题 题目名称 试题名称 题目描述 问题内容 问题描述 题目标题 试题标题 题面 题干描述 "
    "考题 题目正文 题文 标题 内容 question questiontext questiontitle questionstem stem input title",
    Field.MATERIAL: "材料 案例 材料内容 案例内容 背景材料 公共题干 共用题干 案例材料 题干材料 材料题干",
    Field.OPTIONS: "选项 备选项 备选答案 选项内容 候选项 试题选项 题目选项 可选项 所有选项 答案选项 全部选项 选择项 options choices",
    Field.ANSWER: "答案 正确答案 参考答案 标准答案 试题答案 题目答案 正确选项 答案内容 标答 正确答案选项 正确项 参考要点 answer output correctanswer",
    Field.RIGHT: "√ ✓ ✔ 是否正确 是否正确答案 是否为正确答案 是否为答案 是否答案 正确与否 正确标记 iscorrect isright",
    Field.EXPLANATION: "解析 答案解析 试题解析 题目解析 题解 解释 说明 分析 试题分析 答案说明 错误原因 错因 详解 答题解析 解题思路 解析内容 解析说明 参考解析 答案依据 依据 法律依据 "
    "explanation analysis",
    Field.DIFFICULTY: "难度 难易度 难易程度 试题难度 题目难度 难度等级 难度级别 难度系数 level difficulty",
    Field.KNOWLEDGE: "知识点 考点 所属知识点 知识点名称 知识要点 考核点 考查点",
    Field.LAW: "法律 法律名称 法律法规 法规名称 所属法律",
    Field.ARTICLE: "条文 法条 条款 法律条文 条文号",
    Field.LAW_VERSION: "法律版本 版本日期",
    Field.POINTS: "分值 分数 得分 每题分值 单题分数 题目分值 题目分数 试题分数 试题分值 单空分数 子题分值 本题分数 分 默认分值 score points",
    Field.TAGS: "标签 关键字 关键词 方向 章节 分类 类别 题目分类 试题分类 题目类别 试题类别 科目 专业 来源 出处 所属分类 分区 章节分区 所属章节 模块 tags tag source category topic",
    Field.CODE: "编号 题目编号 试题编号 试题guid guid id 题目id 试题id 题目标识 试题标识 题号 序号 题目序号 no no. number",
    Field.PARENT: "父题标识 所属案例 父题编号 父题id 父试题guid 父题 父题序号 父级标识 材料编号 大题编号 父试题编号 上级题目 主题编号 案例编号",
    Field.ORDER: "子题顺序 排序 顺序 排序号 子题序号 小题序号",
}
_BY_NAME = {name: (one, rank) for one, names in _NAMES.items() for rank, name in enumerate(names.split())}
_STEM_NAMES = re.compile("|".join(_NAMES[Field.STEM].split()))
_PERHAPS_KIND = frozenset({"类别", "分类", "题目分类", "试题分类", "题目类别", "试题类别"})
"""Heads that name the kind where all cells below them do."""
_MANY = frozenset({Field.EXPLANATION, Field.KNOWLEDGE, Field.TAGS, Field.POINTS, Field.RIGHT})
"""Fields that several columns may hold together."""

TEXT_FIELDS = {Field.CODE: "code"}
"""Fields whose cell is one text, with the attribute that holds it in `ParsedQuestion` and `Question`; a new one needs no other line for tables."""

_WEAK_STEMS = frozenset({"标题", "内容", "title", "试题标题", "题目标题"})
"""Heads that name a stem only where answers or options stand beside."""

_NOTES = re.compile(r"[(\[【<（].*?[)\]】>）]|必填项?|非必填|选填项?|勿删除?|请勿删|[\s*:：、#]+")
_LONE_LETTER = re.compile(r"[(\[【<]\s*([A-Za-z])\s*[)\]】>]")
_OPTION_HEADERS = "(?:试题|题目)?(?:答案选项|选项内容|选项|备选项|备选答案|候选项|候选答案|选择项|选择|option)"
_OPTION = re.compile(rf"{_OPTION_HEADERS}?[-_.]?([a-z])[-_.]?(?:选项|选择|项|答案|内容|选项内容)?")
_OPTION_NUMBER = re.compile(
    rf"{_OPTION_HEADERS}[-_]?(\d{{1,2}}|[一二三四五六七八九十])|第(\d{{1,2}}|[一二三四五六七八九十])个?选项"
)
_STEM_HEADERS = re.compile(
    r"(?:本题|题目|试题|考题|问题|题)(?:题干|题目|试题|问题|内容|正文|文本|描述|名称)(?:内容|文本|描述|正文)?"
)
_TICK_OF_OPTION = re.compile(r"(.{1,12}?)(?:是否正确(?:答案)?|是否为?(?:正确)?答案|正确与否|对错)")
"""Whether one option is right; the place is the option's, counted from 1."""
_OPTION_SPAN = re.compile(r"(?:选项)?a[-~至到][d-z]")
_ANSWER_NUMBER = re.compile(r"(?:答案|正确答案|参考答案|answer)[-_]?(\d{1,2}|[一二三四五六七八九十]|[a-z])")
_BLANK_NUMBER = re.compile(
    r"(?:空|填空|空格|空白|blank)[-_]?(\d{1,2}|[一二三四五六七八九十])(?:答案)?|第(\d{1,2}|[一二三四五六七八九十])空(?:答案)?"
)
_LEVELS = re.compile(r"(?:知识点|考点)[-_]?(?:[一二三四五六七八九十\d]+级?)|[一二三四五六七八九十]级知识点")
_CHINESE_DIGITS = "一二三四五六七八九十"


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
    names: ColumnNames = NO_NAMES

    def of(self, wanted: Field) -> list[HeaderColumn]:
        """Return the columns that hold a field, in their order."""
        return [column for column in self.columns if column.field is wanted]


def own_header(wanted: Field) -> str:
    """Return the header that our own tables have for a field."""
    return _NAMES[wanted].split()[0]


def normalise_header(text: str) -> str:
    """Return a head without remarks such as `（必填）` and without spaces, in half width and small letters."""
    return _NOTES.sub("", _LONE_LETTER.sub(r"\1", unicodedata.normalize("NFKC", text[:LONGEST_HEADER]))).strip().lower()


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
        return _with_wide_options(_with_kind(best, rows), rows)
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
    return any(len(cell) <= MAX_HEADER and _STEM_NAMES.search("".join(cell.split()).lower()) for cell in row)


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
    columns_read = found if names.said else _answer_beside_options(found)
    header = TableHeader(number, number, columns_read, unknown, is_from_zero=is_from_zero, names=names)
    kinds = header.of(Field.KIND)
    header.codes = codes_in(row[kinds[0].index]) if kinds else {}
    is_said = columns.get((Field.STEM, 0), (0, None))[0] == SAID
    return header if is_said or _is_header(header) or (of_kind and _has_stems(header)) else None


def field_named(cell: str, names: ColumnNames = NO_NAMES, index: int = -1) -> tuple[Field, int, int] | None:
    """Return the field that a head names, as a person has said or by itself, and the rank of the name (lower is surer)."""
    key = key_of(cell, index)
    if key in names.said:
        return (*field_of_code(names.said[key]), SAID) if names.said[key] else None
    found = _field_known(cell)
    code = names.remembered.get(key, "")
    return (*field_of_code(code), REMEMBERED) if found is None and cell and code else found


def _field_known(cell: str) -> tuple[Field, int, int] | None:
    """Return the field that a head names: as a whole, in its first line, or by two names for one thing (`题干/问题`)."""
    if not cell or len(cell) > MAX_HEADER:
        return None
    lines = [line for line in cell.splitlines() if normalise_header(line)]
    ticked = _TICK_OF_OPTION.fullmatch(normalise_header(cell))
    option = _field_of(ticked[1]) if ticked else None
    if option and option[0] is Field.OPTION:
        return Field.RIGHT, option[1] + 1, 0
    for text in (cell, *lines[:1]):
        named = _field_of(normalise_header(text))
        if named:
            return named
    several = [_field_of(normalise_header(part)) for part in re.split(r"[/／或]", cell)]
    explaining = [one for one in several if one and one[0] is Field.EXPLANATION]
    if len(several) == 2 and explaining and all(one and one[0] in {Field.EXPLANATION, Field.TAGS} for one in several):
        return explaining[0]  # `出处/解析`
    return several[0] if len(several) == 2 and several[0] and several[1] and several[0][0] is several[1][0] else None


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
    evidence = {Field.ANSWER, Field.ANSWER_N, Field.BLANK, Field.OPTION, Field.OPTIONS, Field.KIND}
    is_weak = fields & evidence == {Field.KIND} and not _has_stems(header)
    return Field.STEM in fields and bool(fields & evidence) and not is_weak


def _has_stems(header: TableHeader) -> bool:
    stems = header.of(Field.STEM)
    return bool(stems) and normalise_header(stems[0].header) not in _WEAK_STEMS


def _field_of(name: str) -> tuple[Field, int, int] | None:
    """Return the field, the place among its like and the rank of the name (lower is surer)."""
    if name in _BY_NAME:
        wanted, rank = _BY_NAME[name]
        return wanted, 0, rank
    if _OPTION_SPAN.fullmatch(name):
        return Field.OPTIONS, 0, 0
    match = _OPTION.fullmatch(name)
    if match:
        return Field.OPTION, OPTION_LETTERS.index(match[1].upper()), 0
    for pattern, wanted in (
        (_OPTION_NUMBER, Field.OPTION),
        (_ANSWER_NUMBER, Field.ANSWER_N),
        (_BLANK_NUMBER, Field.BLANK),
    ):
        match = pattern.fullmatch(name)
        if match:
            place = _number(next(group for group in match.groups() if group)) - 1
            lowest = -1 if wanted is Field.OPTION else 0
            return (wanted, place, 0) if lowest <= place < len(OPTION_LETTERS) else None
    if _LEVELS.fullmatch(name):
        return Field.KNOWLEDGE, 0, 0
    return (Field.STEM, 0, MIN_SURE) if _STEM_HEADERS.fullmatch(name) else None


def _number(text: str) -> int:
    if text.isdigit():
        return int(text)
    letter = text.upper()
    return OPTION_LETTERS.index(letter) + 1 if letter in OPTION_LETTERS else _CHINESE_DIGITS.index(text) + 1


def _with_second_row(header: TableHeader, first: Sequence[str], second: Sequence[str]) -> TableHeader:
    """Return a head of two rows: `选项` above, its letters A B C D in the row below."""
    letters = [
        HeaderColumn(index, Field.OPTION, OPTION_LETTERS.index(normalise_header(cell).upper()), cell)
        for index, cell in enumerate(second)
        if len(normalise_header(cell)) == 1 and normalise_header(cell).upper() in OPTION_LETTERS
    ]
    known = {column.index for column in header.columns if column.field is not Field.OPTIONS}
    stem = header.of(Field.STEM)[0]
    if len(letters) < 2 or known & {letter.index for letter in letters}:
        return header
    if stem.index < len(second) and second[stem.index] not in {"", first[stem.index]}:
        return header
    header.columns = [column for column in header.columns if column.field is not Field.OPTIONS] + letters
    header.last_row = header.row + 1
    return header
