"""Check questions of table rows for contradictions, and join rows to cases."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from examapp.documents.embedded_pictures import EmbeddedPicture, PlacedPicture
from examapp.documents.workbook_notes import SheetNotes
from question_bank.formats.heuristics import stems
from question_bank.formats.heuristics.answers import fold, read_letters, read_truth, same_answer
from question_bank.formats.heuristics.keys import choice_key
from question_bank.formats.heuristics.kind_names import is_choice_name
from question_bank.formats.heuristics.table_headers import HeaderColumn, TableHeader
from question_bank.formats.heuristics.table_names import Field
from question_bank.formats.heuristics.text_patterns import read_kind_label, take_kind_behind
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import OPTION_LETTERS, ColumnNames, Kind, Note, TableColumns
from question_bank.rich import Rich


@dataclass(slots=True)
class QuestionTable:
    """A table before it is read: its cells, where its rows stand, and what is known from outside about its kind."""

    place: str
    """How places in it begin: `工作表“单选”` or nothing for a csv file."""
    rows: Sequence[Sequence[object]]
    numbers: Sequence[int]
    """The number of each row as the reader of the file sees it."""
    kind_hint: Kind | None = None
    label_hint: str = ""
    """The sheet's or file's name where it names a kind that is not supported."""
    width: int = 0
    """Cells that a row may have where only a divider separates them (csv); 0 for other tables."""
    joined: Sequence[tuple[int, int, int, int]] = ()
    """Merged cells: first row, first column, last row, last column, from 0."""
    pictures: Sequence[PlacedPicture] = ()
    cell_pictures: Mapping[str, EmbeddedPicture] = field(default_factory=dict)
    """Pictures that cells call by name, as WPS writes them."""
    names: ColumnNames = field(default_factory=ColumnNames)
    notes: SheetNotes = field(default_factory=SheetNotes)
    """What the sheet shows beside the values of its cells."""
    sides: Sequence[int] = ()
    """Of each row which of the tables side by side it comes from, from 0; none where there is one alone."""


@dataclass(slots=True)
class QuestionTableRow:
    """A question, and what relates it to other rows."""

    question: ParsedQuestion
    parent: str = ""
    order: str = ""
    material: str = ""
    is_part: bool = False
    begins_section: bool = False
    """Whether a heading stands above it, which ends what material stood before."""


@dataclass(slots=True)
class TableResult:
    """What a table holds; `header` is None when it is no question table."""

    header: TableHeader | None
    rows: list[QuestionTableRow] = field(default_factory=list)
    remarks: list[Note] = field(default_factory=list)
    columns: TableColumns | None = None
    """None where the table has not even two columns."""


_TEXT_KINDS = frozenset({Kind.FILL_BLANK, Kind.SHORT_ANSWER, Kind.CASE})


def review_letters(parsed: ParsedQuestion) -> None:
    """Require a review where the options begin with letters of their own, in another order than their columns."""
    own = [stems.strip_mark(text)[0] for _, text in parsed.lettered]
    if len(own) > 1 and all(own) and sorted(own) == sorted(letter for letter, _ in parsed.lettered):
        reason = "选项文字里的字母和所在的列不一致，答案有两种读法。请核对选项后确定答案。"
        parsed.require_review("two_readings", reason)


MIN_ALIKE = 4
"""Rows with equally many options by which it is believed that a sign divides options alone."""


def note_softly_divided(questions: Iterable[ParsedQuestion]) -> None:
    """Note that the key may be shifted where a sign divides options that words may hold too, unless nine in ten of its kind have as many options."""
    by_kind: dict[Kind | None, list[ParsedQuestion]] = defaultdict(list)
    for parsed in questions:
        by_kind[parsed.kind].append(parsed)
    for alike in by_kind.values():
        usual, number = Counter(len(parsed.lettered) for parsed in alike).most_common(1)[0]
        is_known = number >= MIN_ALIKE and number >= 0.9 * len(alike)
        for parsed in alike:
            if not is_known or len(parsed.lettered) != usual:
                reason = f"选项没有字母，按换行、分号、斜线一类的符号分成了 {len(parsed.lettered)} 项；如果某个选项里本来有这个符号，答案会错位。请核对。"
                parsed.add_dropped("options_by_sign", reason)


def review_row(
    parsed: ParsedQuestion, row: list[str], unused: Sequence[HeaderColumn | tuple[int, str]], *, width: int
) -> None:
    """Check a question against the cells of its row that are not read, and against its table's width."""
    _review_second_columns(parsed, row, unused)
    _note_withdrawn(parsed, row, unused)
    _review_longer_row(parsed, width, row)


def _review_second_columns(
    parsed: ParsedQuestion, row: list[str], unused: Iterable[HeaderColumn | tuple[int, str]]
) -> None:
    """Require a review where a second column for the answer, or for one of the options, has another text."""
    for column in unused:
        text = row[column.index] if isinstance(column, HeaderColumn) and column.index < len(row) else ""
        if not isinstance(column, HeaderColumn) or not text:
            continue
        if column.field is Field.ANSWER and parsed.kind not in _TEXT_KINDS and not _same_answer(parsed, text):
            reason = f"表里有两列答案，一列写“{parsed.answer[:20]}”，“{column.header}”列写“{text[:20]}”。请核对答案。"
            parsed.require_review("two_keys", reason)
        option = dict(parsed.lettered).get(OPTION_LETTERS[column.place], "") if column.field is Field.OPTION else text
        if fold(text) != fold(option):
            reason = f"表里有两列“{column.header}”，内容不一样，不知道答案指哪一个。请核对选项。"
            parsed.require_review("repeated_option", reason)


_STATE = re.compile(
    r"(?:题目|试题)?(?:使用|启用|审核)?状态|是否(?:启用|有效|可用|作废|删除)|(?:del|is_?del)(?:ete)?d?_?(?:flag)?|删除(?:标志|标记)|is_?enabled|enabled|status"
)
_WITHDRAWN = frozenset(
    {
        "停用",
        "已停用",
        "禁用",
        "已禁用",
        "作废",
        "已作废",
        "删除",
        "已删除",
        "无效",
        "下架",
        "已下架",
        "未启用",
        "disabled",
        "deleted",
    }
)
_ABOUT_DELETION = re.compile(r"del|删除|作废")


def _note_withdrawn(parsed: ParsedQuestion, row: list[str], unused: Iterable[HeaderColumn | tuple[int, str]]) -> None:
    """Note where a column of the other system's states, which is not read, says that a question is no longer in use."""
    for column in unused:
        index, name = (column.index, column.header) if isinstance(column, HeaderColumn) else column
        head, cell = name.strip().lower(), row[index].strip().lower() if index < len(row) else ""
        if not cell or not _STATE.fullmatch(head):
            continue
        signs = {"1", "是", "true", "y"} if _ABOUT_DELETION.search(head) else {"0", "否", "false", "n"}
        is_flag = head not in {"status", "状态"} and not head.endswith("状态")
        if cell in _WITHDRAWN or (is_flag and cell in signs):
            reason = f"“{name}”列写着“{row[index]}”，这道题在原系统里像是已不用，也读进来了。请核对。"
            parsed.add_dropped("withdrawn", reason)


def _review_longer_row(parsed: ParsedQuestion, width: int, row: list[str]) -> None:
    """Require a review of a row that a stray divider has made longer than its table: its cells may be shifted."""
    if 0 < width < len(row):
        reason = (
            f"这一行比表头多出 {len(row) - width} 格，可能有一格里的逗号没有加引号，后面的内容错了位。请核对这一行。"
        )
        parsed.require_review("row_too_long", reason)


def _same_answer(parsed: ParsedQuestion, text: str) -> bool:
    if same_answer(parsed.answer, text, count=None):
        return True
    keys = choice_key(parsed)[0], choice_key(replace(parsed, answer=text))[0]
    return bool(keys[0]) and keys[0] == keys[1]


_NUMBER_BEFORE = re.compile(r"\s*\d{1,4}\s*[.．、]\s*(?=[【\[(（])")


def take_kind_label(parsed: ParsedQuestion, *, is_stated: bool) -> None:
    """Take the kind that stands before or behind a stem (`1、【单选题】…`) out of it, but for one that the kind's column contradicts."""
    number = _NUMBER_BEFORE.match(parsed.stem_text)
    stem = parsed.stem_text[number.end() :] if number else parsed.stem_text
    kind, label, rest = read_kind_label(stem)
    if kind is None and not label:
        kind, rest = take_kind_behind(stem)
    if not rest.strip() or not (kind or label) or (is_stated and kind is not parsed.kind):
        return
    parsed.stem_text = rest
    if not is_stated:
        parsed.kind, parsed.kind_hint = kind, None
        parsed.kind_label = "" if is_choice_name(label) else label


_CHOICES = frozenset({Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, None})


def complete_from_stem(parsed: ParsedQuestion) -> None:
    """Take options and answer out of the stem's cell where their own cells are empty."""
    if not parsed.lettered and parsed.kind in _CHOICES:
        stem, options = stems.split_options(parsed.stem_text)
        if stem.strip() and len(options) >= 2:
            parsed.stem_text, parsed.lettered = stem, options
    if not parsed.answer and not any(parsed.blank_answers):
        parsed.stem_text, parsed.answer = _taken_answer(parsed)
    elif parsed.answer:
        _compare_answers(parsed)


def _compare_answers(parsed: ParsedQuestion) -> None:
    """Take the key out of the stem's brackets where the answer's cell has the same; require a review where it has another."""
    if parsed.lettered and parsed.kind in _CHOICES:
        stem, found = stems.take_letter_keys(parsed.stem_text)
        said = read_letters(found[0], count=len(parsed.lettered)) if len(found) == 1 else None
        letters, _ = choice_key(parsed)
    elif parsed.kind is Kind.TRUE_FALSE:
        stem, word = stems.take_truth(parsed.stem_text)
        said, letters = _as_letters(read_truth(word)), _as_letters(read_truth(parsed.answer))
    else:
        return
    if said and letters and said == letters:
        parsed.stem_text = stem
    elif said and letters and not (parsed.lettered and {*said} - {*OPTION_LETTERS[: len(parsed.lettered)], "对", "错"}):
        reason = f"题干的括号里写着 {''.join(said)}，答案却写 {''.join(letters)}，有两种读法。请核对答案。"
        parsed.require_review("two_readings", reason)


def _as_letters(truth: bool | None) -> tuple[str, ...]:
    return () if truth is None else ("对",) if truth else ("错",)


def _taken_answer(parsed: ParsedQuestion) -> tuple[str, str]:
    stem, answer = stems.take_inline_answer(parsed.stem_text)
    if answer:
        return stem, answer
    if parsed.lettered and parsed.kind in _CHOICES:
        stem, keys = stems.take_letter_keys(parsed.stem_text)
        return (stem, keys[0]) if len(keys) == 1 else (parsed.stem_text, "")
    return stems.take_truth(parsed.stem_text) if parsed.kind is Kind.TRUE_FALSE else (parsed.stem_text, "")


_TICKS = frozenset(
    ["√", "✓", "✔", "☑", "■", "●", "是", "对", "正确", "1", "1.0", "true", "yes", "y", "t", "正确答案", "答案"]
)
_NO_TICKS = frozenset(
    ["×", "✗", "✘", "x", "☐", "□", "○", "否", "错", "错误", "0", "0.0", "false", "no", "n", "f", "-", "—"]
) | {""}


def set_ticked(parsed: ParsedQuestion, ticks: Sequence[tuple[str, str]]) -> None:
    """Make the letters that are ticked the answer; require a review where a mark is neither a tick nor none."""
    marks = [(letter, mark.strip().lower()) for letter, mark in ticks]
    strange = next((mark for _, mark in marks if mark not in _TICKS | _NO_TICKS), "")
    if strange:
        parsed.require_review("two_readings", f"“是否正确”一栏写着“{strange[:10]}”，看不出是对还是错。请核对答案。")
        return
    parsed.answer = "".join(letter for letter, mark in marks if mark in _TICKS)


def note_shown(parsed: ParsedQuestion, notes: SheetNotes, rows: Sequence[int]) -> None:
    """Note what a question's rows show beside their values: that they are hidden, struck through, or have comments."""
    if not notes.hidden_rows.isdisjoint(rows):
        reason = "这一行在表格里是隐藏的或被筛选掉的，也读进来了。如不要这道题，请在表格里删去这一行后再导入。"
        parsed.add_dropped("hidden_row", reason)
    if not notes.struck_rows.isdisjoint(rows):
        reason = "这一行有划了删除线的文字，也读进来了。请核对哪些已经作废；整题作废的，请在表格里删去这一行后再导入。"
        parsed.require_review("struck_out", reason)
    if not notes.raised_rows.isdisjoint(rows):
        parsed.add_dropped("raised_lost", "这一行有上标（如 m² 的 2），读成了普通的字。请核对题干和选项。")
    texts = [text for row in rows for text in notes.texts.get(row, ())]
    if texts:
        parsed.add_dropped("comment", f"这一行的批注或文本框“{'；'.join(texts)}”没有导入，请核对。")


def unread_texts(notes: SheetNotes, read: Collection[int], *, above: int) -> Iterator[tuple[int, str]]:
    """Yield row and reason of comments and text boxes that stand at rows without a question, below the head: those at it say how to fill in."""
    for row, texts in sorted(notes.texts.items()):
        if row not in read and row > above:
            yield row, f"批注或文本框“{'；'.join(texts)}”没有导入。"


_OPTION_STEM = re.compile(r"[(（【]\s*[A-H]\s*[)）】]|[A-H]\s*(?:[.．:：)）]|、(?![A-Za-z]))")


def review_option_stem(parsed: ParsedQuestion) -> None:
    """Require a review of a question without options whose stem begins as an option does: perhaps it is one of the question above."""
    if not parsed.lettered and _OPTION_STEM.match(parsed.stem_text):
        parsed.require_review("option_as_stem", "题干以选项字母开头，可能是上一题的选项。请核对。")


_NAMED_CASE = re.compile(r"案例#\d+")


def join_cases(rows: list[QuestionTableRow]) -> list[ParsedQuestion]:
    """Return the questions of the rows: parts under their case by number, or under the case row above them."""
    parents = {row.question.code: row for row in rows if row.question.code and not _is_part(row)}
    found: list[ParsedQuestion] = []
    parts: dict[int, list[QuestionTableRow]] = {}
    above: QuestionTableRow | None = None
    for row in rows:
        if not _is_part(row):
            above = row if row.question.kind is Kind.CASE else None
            found.append(row.question)
            continue
        parent = parents.get(row.parent) if row.parent else above
        if parent is None or parent is row:
            row.question.rejection = Note(row.question.where, _orphan(row), "case_missing")
            found.append(row.question)
            continue
        parts.setdefault(id(parent.question), []).append(row)
    for parsed in found:
        if id(parsed) in parts:
            parsed.parts = [row.question for row in sorted(parts[id(parsed)], key=_order)]
    for row in rows:
        code = row.question.code
        row.question.code = None if code and _NAMED_CASE.fullmatch(code) else code
    return _with_materials(rows, found)


def _is_part(row: QuestionTableRow) -> bool:
    return row.is_part or (bool(row.parent) and row.parent not in {"0", "-1", row.question.code or ""})


def _orphan(row: QuestionTableRow) -> str:
    if row.parent:
        return f"所属的案例“{row.parent[:20]}”在同一工作表里找不到，没有导入。请补上案例题那一行，或改正编号。"
    return "这一行是案例题的小题，上面却没有案例题。请补上案例题那一行，或写明所属案例的编号。"


def _order(row: QuestionTableRow) -> tuple[int, int]:
    return (0, int(row.order[:9])) if row.order.isascii() and row.order.isdigit() else (1, 0)


def _with_materials(rows: list[QuestionTableRow], found: list[ParsedQuestion]) -> list[ParsedQuestion]:
    """Make a case of neighbouring rows with the same material, which becomes the common text."""
    materials = {id(row.question): row.material for row in rows if row.material and not row.question.parts}
    begun = {id(row.question) for row in rows if row.begins_section}
    if not materials:
        return found
    joined: list[ParsedQuestion] = []
    case, current, since = ParsedQuestion(where=""), "", 0
    for parsed in found:
        material = materials.get(id(parsed), "")
        current = "" if id(parsed) in begun else current
        since = 0 if material else since + 1
        is_shared = bool(current) and not material and _refers(parsed.stem_text, current)
        if is_shared:
            reason = "材料只写在上面的一行，这一行提到材料里的内容，已按共用材料的小题导入，请核对。"
            parsed.add_dropped("material_shared", reason)
        elif current and not material and since <= MAX_UNSURE and parsed.kind is not Kind.CASE:
            reason = "上面一行有材料，这一行没有，已按独立的题导入。如共用材料，请把材料也填到这一行后再导入。"
            parsed.add_dropped("material_unsure", reason)
        if (material and material == current) or is_shared:
            case.parts.append(parsed)
            continue
        if material:
            case = ParsedQuestion(where=parsed.where, stem=Rich(material), kind=Kind.CASE, group=parsed.group)
            case.parts.append(parsed)
        joined.append(case if material else parsed)
        current = material or ("" if since > MAX_UNSURE else current)
    return joined


MAX_UNSURE = 5
"""Rows below a material of which it is noted that they have none."""
_OF_MATERIAL = re.compile(r"本案|该案|此案|上述|材料|案例|案情")
_PARTY = re.compile(
    r"(?=([\u4e00-\u9fff]某[某甲乙丙]?|某[\u4e00-\u9fff]{2}|[甲乙丙丁](?:公司|县|市|局|乡|镇|村|厂|方)))"
)
"""Persons and bodies as cases name them."""


def _refers(stem: str, material: str) -> bool:
    """Return whether a stem speaks of a material above it, by its parties or by its name."""
    return bool(_OF_MATERIAL.search(stem)) or any(party in stem for party in _PARTY.findall(material))
