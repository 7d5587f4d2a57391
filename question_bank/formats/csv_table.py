"""Make rows of the platform's own question table; read and write csv files, of any common encoding and divider."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from examapp.documents.archives import UnreadableFileError
from examapp.documents.decoding import decode_text
from question_bank.formats.export import ExportedFile
from question_bank.formats.heuristics import kind_names, table_shapes
from question_bank.formats.heuristics.resolving import resolve_questions
from question_bank.formats.heuristics.stems import take_letter_keys
from question_bank.formats.heuristics.table_columns import describe_columns
from question_bank.formats.heuristics.table_guess import guess_header
from question_bank.formats.heuristics.table_headers import HEADER_ROWS, NO_NAMES, TEXT_FIELDS, TableHeader, find_header
from question_bank.formats.heuristics.table_names import own_header
from question_bank.formats.heuristics.table_questions import QuestionTable, join_cases
from question_bank.formats.heuristics.table_rows import read_table
from question_bank.kinds.registry import KIND_NAMES, kind_of
from question_bank.model import (
    DIFFICULTY_NAMES,
    OPTION_LETTERS,
    TRUE_FALSE_OPTIONS,
    ColumnNames,
    Image,
    Kind,
    Note,
    ParseResult,
    Question,
    TableColumns,
)
from question_bank.rich import to_plain

SHEET = "题库"
OPTION_COLUMNS = 8
BEFORE_OPTIONS = ("编号", "题型", "题干")
AFTER_OPTIONS = ("答案", "解析", "难度", "知识点", "法律", "条文", "法律版本", "分值", "标签", "所属案例")
_BANK_PICTURE = re.compile(r"bank:([^\"']+)")
MAX_CELL = 32_767
"""Characters that Excel takes into one cell."""
PART_NAMES = {kind: f"案例-{name.removesuffix('题')}" for kind, name in KIND_NAMES.items()}


def columns(options: int = OPTION_COLUMNS) -> list[str]:
    """Return the headers of our own tables with that many option columns."""
    headers = [*BEFORE_OPTIONS, *(f"选项{letter}" for letter in OPTION_LETTERS[:options]), *AFTER_OPTIONS]
    return list(dict.fromkeys([*headers, *map(own_header, TEXT_FIELDS)]))


def columns_for(questions: Iterable[Question]) -> list[str]:
    """Return the headers of a table that holds these questions."""
    wide = max((len(one.options) for question in questions for one in (question, *question.parts)), default=0)
    return columns(max(OPTION_COLUMNS, min(wide, len(OPTION_LETTERS))))


@dataclass(slots=True)
class TableExportRow:
    """The cells of one row by header."""

    cells: dict[str, str]
    where: str = ""
    pictures: list[tuple[str, Image]] = field(default_factory=list)
    """Each with the header of its column."""
    dropped: list[Note] = field(default_factory=list)

    def note_long(self, number: int) -> None:
        """Note what is too long for a cell of a workbook's row."""
        for header, cell in self.cells.items():
            if len(cell) > MAX_CELL:
                reason = f"内容有 {len(cell)} 个字，超过 Excel 一个单元格的上限，后面的没有写入。"
                self.dropped.append(Note(f"工作表“{SHEET}”第 {number} 行“{header}”列", reason, "too_long"))


def rows_of(questions: Iterable[Question]) -> Iterator[TableExportRow]:
    """Yield the rows of our own shape, a case followed by its sub-questions."""
    used: set[str] = set()
    cases = 0
    for place, question in enumerate(questions, 1):
        row = _row(question, f"第 {place} 题", KIND_NAMES[question.kind])
        if question.kind is not Kind.CASE:
            yield row
            continue
        cases += 1
        code = question.code if question.code and question.code not in used else f"案例#{cases}"
        if question.code and code != question.code:
            reason = f"编号“{question.code}”与另一道案例题重复，没有写入。"
            row.dropped.append(Note(f"第 {place} 题", reason, "code_repeated"))
        used.add(code)
        row.cells["编号"] = code
        yield row
        for number, part in enumerate(question.parts, 1):
            part_row = _row(part, f"第 {place} 题第 {number} 小题", PART_NAMES[part.kind])
            part_row.cells["所属案例"] = code
            yield part_row


def _row(question: Question, where: str, kind_name: str) -> TableExportRow:
    plain, dropped = _plain(question, where)
    cells = {
        "题型": kind_name, "题干": plain.stem, "答案": _answer(plain), "解析": plain.explanation,
        "难度": DIFFICULTY_NAMES[plain.difficulty] if plain.difficulty else "",
        "知识点": "；".join(plain.knowledge_points), "标签": "；".join(plain.tags) + ("；" if len(plain.tags) == 1 and " " in plain.tags[0] else ""),
        "分值": str(plain.points) if plain.points is not None else "",
    }  # fmt: skip
    cells |= {own_header(field_): getattr(plain, name) or "" for field_, name in TEXT_FIELDS.items()}
    if plain.citation:
        cells |= {"法律": plain.citation.law, "条文": plain.citation.article, "法律版本": plain.citation.version or ""}
    dropped += _ambiguous(plain, where)
    options = TRUE_FALSE_OPTIONS if plain.kind is Kind.TRUE_FALSE else plain.options
    cells |= {f"选项{letter}": text for letter, text in zip(OPTION_LETTERS, options, strict=False)}
    texts = [("题干", question.stem), ("解析", question.explanation)]
    pairs = zip(OPTION_LETTERS, question.options, options, strict=False)
    texts += [(f"选项{letter}", text) for letter, text, _ in pairs]
    by_name = {image.name: image for image in question.images}
    found = ((header, name) for header, text in texts for name in _BANK_PICTURE.findall(text))
    named = [(header, by_name[name]) for header, name in found if name in by_name]
    unnamed = [image for image in question.images if all(image is not one for _, one in named)]
    return TableExportRow(cells, where, [*named, *(("题干", image) for image in unnamed)], dropped)


def _ambiguous(question: Question, where: str) -> list[Note]:
    """Note a stem whose brackets hold letters that are not the key: it needs a review when it is read again."""
    _, found = take_letter_keys(question.stem)
    if not kind_of(question.kind).has_letter_key or len(found) != 1 or tuple(found[0]) == question.key:
        return []
    reason = f"题干的括号里写着 {found[0]}，再导入时会当作另一个答案而列入待核对。请核对题干。"
    return [Note(where, reason, "ambiguous")]


def _plain(question: Question, where: str) -> tuple[Question, list[Note]]:
    """Return the question with plain texts only, and notes on what that cost."""
    dropped: list[Note] = []
    if not question.is_html:
        return question, dropped
    stem, *options = (to_plain(text) for text in (question.stem, *question.options))
    explanation = to_plain(question.explanation)
    lost = {name for _, name in (stem, explanation, *options)} - {"", "图片" if question.images else ""}
    if lost:
        dropped.append(Note(where, f"题里的{'、'.join(sorted(lost))}没有写入 Excel，只写入了文字。", "formatting"))
    texts = tuple(text for text, _ in options)
    return replace(question, stem=stem[0], options=texts, explanation=explanation[0], is_html=False), dropped


def _answer(question: Question) -> str:
    if question.kind is Kind.TRUE_FALSE:
        return {"A": TRUE_FALSE_OPTIONS[0], "B": TRUE_FALSE_OPTIONS[1]}.get("".join(question.key), "")
    if question.kind is Kind.FILL_BLANK:
        awkward = any(sign in text for blank in question.blanks for text in blank for sign in "|｜\n；;") or any(
            text != text.strip() or not text or text[0].isdigit() or text[0] in "([（①②③④⑤⑥⑦⑧⑨"
            for blank in question.blanks
            for text in blank
        )
        if awkward:
            return json.dumps([list(blank) for blank in question.blanks], ensure_ascii=False)
        return "\n".join("|".join(blank) for blank in question.blanks)
    return "".join(question.key)


MAX_COLUMNS = 1000
"""Columns of a row, empty ones at its end apart."""
MAX_ROWS = 100_000
DIVIDERS = (",", "\t", ";", "|", "，")

_QUOTED_FORMULA = re.compile(r"^'(?=[=+\-@＝＋－＠])")
"""The apostrophe that keeps a spreadsheet from taking a text for a formula."""
_RULER = re.compile(r"\s*(?::?-{2,}:?)?\s*")
"""A cell of the line between head and body of a Markdown table."""
_MARK = re.compile(r"sep=(.)\n", re.IGNORECASE)
NO_TABLE = (
    "没有找到题目表格：前二十行里没有同时写着“题干”和“答案”“选项”或“题型”的表头。"
    "请核对是否选错了文件，或按“下载模板”里的表头整理后再导入。"
)


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the file's first rows have the head of a question table."""
    if PurePath(name).suffix.lower() not in {".csv", ".tsv", ".txt", ".md", ""}:
        return False
    try:
        text = decode_text(content)
    except UnreadableFileError:
        return False
    return divider_of(text) is not None


def divider_of(text: str, names: ColumnNames = NO_NAMES) -> str | None:
    """Return the sign that divides the columns of a question table; None when the text holds no such table."""
    if any(key.startswith("#") for key in names.said):
        return even_divider_of(text)
    header = _MARK.sub("", text[:20_000], count=1)
    best: tuple[int, str] | None = None
    for divider in DIVIDERS:
        try:
            found = _header_of([row for row, _ in _rows(header, divider, limit=HEADER_ROWS)], names)
        except (csv.Error, UnreadableFileError):
            continue
        if found and (best is None or len(found.columns) > best[0]):
            best = (len(found.columns), divider)
    return best[1] if best else None


def even_divider_of(text: str) -> str | None:
    """Return the sign that divides a text into rows of one width, whatever its head; None where none does."""
    best: tuple[int, str] | None = None
    for divider in DIVIDERS:
        try:
            rows = [row for row, _ in _rows(_MARK.sub("", text[:20_000], count=1), divider, limit=20) if row]
        except (csv.Error, UnreadableFileError):
            continue
        widths = [len(row) for row in rows if len(row) > 1]
        width = max(widths, default=0)
        even = sum(each in {width, width - 1} for each in widths)
        is_even = even * 5 >= max(len(widths) * 4, len(rows) * 3)
        is_wide = width >= 2 if divider == "\t" else width > 2 and len(rows) > 2
        if is_even and len(rows) > 1 and is_wide and (best is None or width > best[0]):
            best = (width, divider)
    return best[1] if best else None


def unknown_table(text: str) -> TableColumns | None:
    """Return the columns of a table whose head is not recognised; None where the text is no table."""
    divider = even_divider_of(text)
    if divider is None:
        return None
    rows = [[cell.strip() for cell in row] for row, _ in _rows(_MARK.sub("", text, count=1), divider, limit=20)]
    return describe_columns("", rows, None, NO_NAMES)


def _header_of(rows: list[list[str]], names: ColumnNames = NO_NAMES) -> TableHeader | None:
    texts = [[cell.strip() for cell in row] for row in rows]
    if (header := find_header(texts, names=names)) is not None or names.said:
        return header
    table_shapes.unify_shapes(texts)
    return find_header(texts, names=names) or guess_header(texts)


def read(content: bytes, *, name: str, columns: ColumnNames = NO_NAMES) -> ParseResult:
    """Return all questions of a csv file; UnreadableFileError when it holds no question table."""
    return read_csv_text(decode_text(content), name=name, format_name="csv", columns=columns)


def read_csv_text(text: str, *, name: str, format_name: str, columns: ColumnNames = NO_NAMES) -> ParseResult:
    """Return all questions of a table that stands in a text."""
    divider = divider_of(text, columns)
    if divider is None:
        raise UnreadableFileError(NO_TABLE)
    try:
        lines = list(_rows(_MARK.sub("\n", text, count=1), divider, limit=MAX_ROWS + 1))
    except csv.Error as error:
        reason = "csv 文件的引号不配对，读不出来。请用 Excel 或 WPS 打开后另存为 .xlsx 再导入。"
        raise UnreadableFileError(reason) from error
    if len(lines) > MAX_ROWS:
        raise UnreadableFileError(f"csv 文件超过 {MAX_ROWS} 行。请拆成几个文件再导入。")
    hint = kind_names.kind_in(PurePath(name).stem)
    rows = [row for row, _ in lines]
    numbers = [number for _, number in lines]
    table = QuestionTable("", rows, numbers, kind_hint=hint, width=_width(rows, columns), names=columns)
    result = read_table(table)
    reading = resolve_questions(join_cases(result.rows), format_name=format_name)
    reading.remarks.extend(result.remarks)
    reading.remarks.extend(_open_quote(lines, text.count("\n") + 1, divider))
    if format_name == "csv" and result.columns:
        reading.tables.append(result.columns)
    return reading


def _width(rows: list[list[str]], names: ColumnNames) -> int:
    """Return how many cells most rows have at most, the head's at least: a column without a head is no stray divider."""
    header = _header_of(rows[:HEADER_ROWS], names)
    own = len(rows[max(header.row, 0)]) if header else 0
    longer = [len(row) for row in rows if len(row) > own]
    return own if len(longer) * 2 <= len(rows) else max(longer, default=own)


def _open_quote(lines: list[tuple[list[str], int]], height: int, divider: str) -> list[Note]:
    """Note where a quote that is never closed has swallowed rows below it, and how many."""
    row, begin = lines[-1] if lines else ([], 1)
    swallowed = row[-1].rstrip().count("\n") if row else 0
    if swallowed < 1 or begin + swallowed < height - 1 or row[-1].count(divider) < swallowed:
        return []
    reason = f"这一行有一个引号没有关上，下面 {swallowed} 行都并进了这一行，没有读成题目。请补上引号后重新导入。"
    return [Note(f"第 {begin} 行", reason, "open_quote")]


def _rows(text: str, divider: str, *, limit: int) -> list[tuple[list[str], int]]:
    """Return rows with the number of the line on which each begins."""
    csv.field_size_limit(10_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider)
    rows: list[tuple[list[str], int]] = []
    begin = 1
    for row in reader:
        row[:] = [_QUOTED_FORMULA.sub("", cell) for cell in row]
        while row and not row[-1].strip():
            row.pop()
        if divider == "|" and row and all(_RULER.fullmatch(cell) for cell in row):
            row.clear()
        if len(row) > MAX_COLUMNS:
            raise UnreadableFileError(f"csv 文件有一行超过 {MAX_COLUMNS} 列，不像题目表格。请删去多余的列再导入。")
        rows.append((row, begin))
        begin = reader.line_num + 1
        if len(rows) >= limit:
            break
    return rows


_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def write(questions: Sequence[Question]) -> ExportedFile:
    """Write UTF-8 with a byte order mark, which Excel and WPS read; put an apostrophe before what they would take for a formula."""
    headers = columns_for(questions)
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(headers)
    dropped: list[Note] = []
    for number, row in enumerate(rows_of(questions), 2):
        dropped += [Note(note.where, note.reason.replace("Excel", "csv"), note.code) for note in row.dropped]
        if row.pictures:
            dropped.append(Note(row.where, "题里的图片没有写入 csv。", "image"))
        cells = [row.cells.get(header, "") for header in headers]
        for header, cell in zip(headers, cells, strict=True):
            if cell.startswith(_FORMULA):
                reason = f"内容以“{cell[0]}”开头，前面加了单引号，以免被当作公式。"
                dropped.append(Note(f"第 {number} 行“{header}”列", reason, "formula"))
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return ExportedFile(("\ufeff" + target.getvalue()).encode(), dropped)
