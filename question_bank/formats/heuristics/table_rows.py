"""Read the rows of a question table, from a sheet or a csv file, into questions by the table's header."""

import itertools
import re

from examapp.documents.number_formats import cell_text, is_date, is_unsure_number
from question_bank.formats.heuristics import kind_names, stems, table_cells, table_questions, table_shapes
from question_bank.formats.heuristics.answers import is_by_number
from question_bank.formats.heuristics.keys import take_ticks
from question_bank.formats.heuristics.resolving import hint_kind
from question_bank.formats.heuristics.table_columns import column_remarks, describe_columns
from question_bank.formats.heuristics.table_groups import HEADING, group_rows, merge_rows
from question_bank.formats.heuristics.table_guess import guess_header
from question_bank.formats.heuristics.table_headers import (
    TEXT_FIELDS,
    HeaderColumn,
    TableHeader,
    find_further_header,
    find_header,
    hidden_columns,
    prefer_visible,
)
from question_bank.formats.heuristics.table_layouts import lay_out
from question_bank.formats.heuristics.table_names import Field
from question_bank.formats.heuristics.table_pictures import RowPictures
from question_bank.formats.heuristics.table_questions import QuestionTable, QuestionTableRow, TableResult
from question_bank.formats.heuristics.text_patterns import read_material
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import OPTION_LETTERS, Citation, Kind, Note
from question_bank.rich import Rich

_REMARK_ROW = re.compile(r"(?:填写)?(?:说明|备注|注意|注意事项|提示|注)\s*[:：]?")
_REQUIRED = frozenset({"必填", "选填", "非必填", "可选", "必选", "可不填", "条件必填"})
_MIN_MATERIAL, MAX_CASE_LABEL = 30, 6
"""Characters of a material in a row of its own at least, and of the number or name beside it at most."""
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
_EVIDENCE = (Field.ANSWER, Field.ANSWER_N, Field.RIGHT, Field.OPTION, Field.OPTIONS)
_ANSWER_LABEL = re.compile(r"^(?:参考)?答(?:案|复)?\s*[:：]\s*(?=\S)")
_SECTION = re.compile(r"^[一二三四五六七八九十\d]{0,3}[、.．]?\s*([^(（:：]{2,12}?)\s*(?:[(（:：].*)?$", re.DOTALL)
_CASE_PART = re.compile(r"案例(?:分析)?题?\s*[-—－_/·:：]\s*(.+)")


def read_table(table: QuestionTable) -> TableResult:
    """Return all question rows of a table, and remarks on what it holds beside."""
    table = lay_out(table)
    texts = [[cell_text(value) for value in row] for row in table.rows]
    table_shapes.fill_joined(texts, table.joined)
    table_shapes.unify_shapes(texts)
    header = find_header(texts, of_kind=table.kind_hint is not None, names=table.names)
    if header is None and not table.names.said:
        header = guess_header(texts)
    columns = describe_columns(table.place, texts, header, table.names)
    if header is None:
        return TableResult(None, columns=columns)
    prefer_visible(header, table.notes.hidden_columns)
    reader = _RowReader(table, header, texts)
    reader.read()
    place = table.place or "表格" if header.is_guessed else reader.place_of(header.row)
    reader.remarks += [Note(place, reason, code) for reason, code in column_remarks(header, columns)]
    return TableResult(header, reader.found, reader.remarks, columns)


class _RowReader:
    """Reads the rows in one pass, keeping the kind of the current section."""

    def __init__(self, table: QuestionTable, header: TableHeader, texts: list[list[str]]) -> None:
        self.table, self.texts = table, texts
        self.kind: Kind | None = None
        """The kind of the section that a row names."""
        self.label = table.label_hint
        self.material = ""
        """The material above, in a table whose column of materials holds stems too."""
        self.shared = ""
        """The material that a row of its own holds, for the questions below it."""
        self.is_new = False
        """Whether a heading stands between the last question and the next."""
        self.found: list[QuestionTableRow] = []
        self.remarks: list[Note] = []
        self._set_header(header)
        cells = [self._text(row, Field.DIFFICULTY) for row in self.texts[self.header.last_row + 1 :]]
        self.top = 5 if any(text in {"4", "5"} for text in cells) else 3
        kinds = (self._text(row, Field.KIND) for row in self.texts[self.header.last_row + 1 :])
        self.is_multiple_open = kind_names.is_multiple_open(kinds)
        self.pictures = RowPictures(table)
        self.softly_divided: list[ParsedQuestion] = []
        """Questions whose options only line ends, semicolons or slashes part."""

    def _set_header(self, header: TableHeader) -> None:
        self.header = header
        self.stem = header.of(Field.STEM)[0]
        self.columns = {one: header.of(one) for one in Field}

    def read(self) -> None:
        for numbers in group_rows(self.texts, self.header, self.table.joined):
            self._read_row(numbers[0], merge_rows(self.texts, numbers), numbers)
        table_questions.note_softly_divided(self.softly_divided)
        self._remark_unknown()
        notes, last = self.table.notes, self.header.last_row
        for row, reason in table_questions.unread_texts(notes, self.pictures.used, above=last):
            where = self.place_of(row) if row < len(self.texts) else self.table.place
            self.remarks.append(Note(where, reason, "comment"))
        for reason in hidden_columns(self.header, notes):
            self.remarks.append(Note(self.table.place, reason, "hidden_column"))
        for row in self.pictures.unused_rows():
            where = self.place_of(row) if row < len(self.texts) else self.table.place
            self.remarks.append(Note(where, "题目以外有图片，没有导入。", "image"))

    def place_of(self, number: int, column: HeaderColumn | None = None) -> str:
        """Return where a row stands, or its cell in a column, as people find it."""
        side = self.table.sides[number] if self.table.sides else 0
        row = f"第 {self.table.numbers[number]} 行" + (f"第 {side + 1} 栏" if side else "")
        named = f"“{column.header}”列" if column and column.header else ""
        return f"{self.table.place} {row}{named}".strip() if self.table.place else f"{row}{named}"

    def _places(self, number: int) -> dict[str, str]:
        """Return where the row's kind, stem and options stand."""
        named = {"kind": Field.KIND, "stem": Field.STEM, "options": Field.OPTIONS}
        columns = {name: next(iter(self.columns[wanted]), None) for name, wanted in named.items()}
        places = {name: self.place_of(number, column) for name, column in columns.items() if column}
        options = self.columns[Field.OPTION]
        if options and options[0].header != options[-1].header:
            places["options"] = f"{self.place_of(number)}“{options[0].header}”至“{options[-1].header}”列"
        return places

    def _read_row(self, number: int, row: list[str], numbers: list[int]) -> None:
        filled = [text for text in row if text]
        if not filled or set(filled) <= _REQUIRED or self._takes_header(number):
            return
        if len(set(filled)) == 1 and self._is_section(filled[0]):
            return
        row = self.pictures.take(row, numbers)
        self.pictures.name_cells(row, self.columns)
        where, (stem, material) = self.place_of(number), self._stem_and_material(row)
        if self._takes_material(row, filled):
            return
        if self._is_stray(row, stem, filled):
            self.remarks.append(Note(where, f"这一行不像题目，没有导入：{filled[0][:40]}", "not_a_question"))
            return
        parsed = ParsedQuestion(where=where, stem=Rich(stem), group=self.table.place, places=self._places(number))
        part = self._set_kind(parsed, row)
        is_stated = bool(self._text(row, Field.KIND) or self._text(row, Field.MULTI))
        table_questions.take_kind_label(parsed, is_stated=is_stated)
        self._set_options(parsed, row, is_joined=len(numbers) > 1)
        self._set_answer(parsed, row, number)
        self._set_ticked(parsed, row, numbers)
        table_questions.review_row(parsed, row, self.header.unknown, width=self.table.width)
        table_questions.complete_from_stem(parsed)
        take_ticks(parsed)
        table_questions.review_option_stem(parsed)
        self._set_rest(parsed, row)
        if len({self._text(self.texts[one], Field.STEM) for one in numbers} - {""}) > 1:
            parsed.stem_text = parsed.stem_text.replace("\n", "")
            parsed.require_review("stem_in_rows", "题干在表格里分成了几行，已接在一起。请核对题干后确定答案。")
        self._note_altered(parsed, numbers)
        table_questions.note_shown(parsed, self.table.notes, numbers)
        self.pictures.attach(parsed, self.columns)
        parent, order = self._text(row, Field.PARENT), self._text(row, Field.ORDER)
        if self.shared and not material and not parent:
            material = self.shared
            reason = "材料写在上面单独的一行，已按共用材料的小题导入，请核对这道题是否属于它。"
            parsed.add_dropped("material_shared", reason)
        self.found.append(QuestionTableRow(parsed, parent, order, material, is_part=part, begins_section=self.is_new))
        self.is_new = False

    def _takes_header(self, number: int) -> bool:
        """Return whether a row is a head: the same again, or that of a further part with columns of its own."""
        header = find_further_header(self.header, number, self.texts)
        if header is None:
            return False
        if header.columns != self.header.columns:
            self._remark_unknown()
        self._set_header(header)
        self.shared, self.is_new = "", True
        return True

    def _is_section(self, text: str) -> bool:
        match = _SECTION.match(text)
        name = match[1] if match else text
        kind = kind_names.kind_of(name)
        if kind is None and not kind_names.is_choice_name(name) and not (match and kind_names.unsupported_name(name)):
            return False
        self.kind, self.label, self.shared, self.is_new = kind, "" if kind else name, "", True
        return True

    def _takes_material(self, row: list[str], filled: list[str]) -> bool:
        """Return whether a row holds nothing but a case's material (`案例一：…`), for the questions in the rows below."""
        text = max(filled, key=len)
        if len(text) < _MIN_MATERIAL or any(len(one) > MAX_CASE_LABEL for one in set(filled) - {text}):
            return False
        named = read_material(text) if any(self.columns[one] for one in _EVIDENCE) else None
        if named is None or any(self._text(row, one) for one in (Field.ANSWER, Field.ANSWER_N, Field.BLANK)):
            return False
        self.shared = named[2] or text
        return True

    def _is_stray(self, row: list[str], stem: str, filled: list[str]) -> bool:
        answered = any(self._text(row, wanted) for wanted in (Field.ANSWER, Field.ANSWER_N, Field.BLANK))
        options = [text for text in self._values(row, Field.OPTION) + self._values(row, Field.OPTIONS) if text]
        if not stem:
            return not answered and len(options) < 2
        if (
            not answered
            and not options
            and len(filled) == 1
            and HEADING.match(stem)
            and any(self.columns[one] for one in _EVIDENCE)
        ):
            return True
        is_remark = bool(_REMARK_ROW.match(stem)) or not any(sign.isalpha() for sign in stem)
        return not answered and not options and is_remark and len(filled) <= 2

    def _values(self, row: list[str], wanted: Field) -> list[str]:
        return [row[column.index] if column.index < len(row) else "" for column in self.columns[wanted]]

    def _stem_and_material(self, row: list[str]) -> tuple[str, str]:
        """Return a row's stem and its case's material; where one column holds the stems of both, that above stands for sub-questions without."""
        stem, material = self._text(row, Field.STEM), self._text(row, Field.MATERIAL)
        if not self.header.is_shared_stem:
            return stem, material
        self.material = material or (self.material if stem else "")
        return (stem, self.material) if stem else (material, "")

    def _text(self, row: list[str], wanted: Field) -> str:
        return next((text for text in self._values(row, wanted) if text), "")

    def _set_kind(self, parsed: ParsedQuestion, row: list[str]) -> bool:
        """Set the kind; True where the row says that it is part of a case."""
        cell, multi = self._text(row, Field.KIND), self._text(row, Field.MULTI)
        if self.is_multiple_open and kind_names.is_multiple_choice(cell):
            cell = kind_names.CHOICE
        part = _CASE_PART.fullmatch(cell)
        name = part[1] if part else cell
        if name:
            code = name.removesuffix(".0")
            parsed.kind = self.header.codes.get(code) or kind_names.kind_of(name)
            parsed.kind_label = "" if parsed.kind else name
            if parsed.kind is None and (kind_names.is_choice_name(name) or code.isdigit()):
                parsed.kind_label = "" if not code.isdigit() else f"{name}（表头没有说明这个代码）"
        elif multi:
            is_multiple = multi.lower() in {"true", "1", "是", "yes", "y"}
            parsed.kind = Kind.MULTIPLE_CHOICE if is_multiple else Kind.SINGLE_CHOICE
        else:
            parsed.kind, parsed.kind_label = self.kind, "" if kind_names.is_choice_name(self.label) else self.label
            if self.kind is None and not self.label:
                texts = self._values(row, Field.OPTION) + self._values(row, Field.OPTIONS)
                stem = stems.split_options(self._text(row, Field.STEM))
                options = table_cells.read_options(self._text(row, Field.OPTIONS)) or stem[1] or enumerate(texts)
                answer = self._text(row, Field.ANSWER) or self._text(row, Field.ANSWER_N)
                hint_kind(parsed, self.table.kind_hint, [text for _, text in options if text], answer)
        return part is not None

    def _set_options(self, parsed: ParsedQuestion, row: list[str], *, is_joined: bool) -> None:
        columns = self.columns[Field.OPTION] or (self._answers_are_options() and self.columns[Field.ANSWER_N]) or []
        texts = [(column.place, row[column.index]) for column in columns if column.index < len(row)]
        filled = [text for _, text in texts if text]
        if filled:
            parsed.lettered = table_cells.letter_columns(texts, filled)
            if len(filled) == 1 < len(parsed.lettered) and table_cells.is_softly_divided(filled[0]):
                self.softly_divided.append(parsed)
            table_questions.review_letters(parsed)
            return
        cell = self._text(row, Field.OPTIONS)
        parsed.lettered = table_cells.read_options(cell)
        if parsed.lettered and not (is_joined and "\n" in cell) and table_cells.is_softly_divided(cell):
            self.softly_divided.append(parsed)
        if cell and not parsed.lettered and parsed.kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, None}:
            parsed.lettered = table_cells.read_unsure_options(cell) or [("A", cell)]
            if len(parsed.lettered) > 1:
                reason = "选项挤在一个格里，只能按逗号、顿号或空格分开，可能分错。请核对选项后确定答案。"
                parsed.require_review("options_unsure", reason)

    def _answers_are_options(self) -> bool:
        return bool(self.columns[Field.ANSWER]) and not self.columns[Field.OPTION] and not self.columns[Field.OPTIONS]

    def _set_answer(self, parsed: ParsedQuestion, row: list[str], number: int) -> None:
        column = next(iter(self.columns[Field.ANSWER] or self.columns[Field.ANSWER_N]), None)
        parsed.places["answer"] = self.place_of(number, column)
        parsed.answer = _ANSWER_LABEL.sub("", self._text(row, Field.ANSWER))
        if self.header.is_from_zero and is_by_number(parsed.answer) and parsed.kind is not Kind.TRUE_FALSE:
            reason = f"表头的选项从 0 数起，看不出答案“{parsed.answer[:10]}”从几数起。请写明选项字母。"
            parsed.require_review("two_readings", reason)
        parsed.blank_answers = self._values(row, Field.BLANK)
        several = [] if parsed.answer or self._answers_are_options() else self._values(row, Field.ANSWER_N)
        if any(several) and parsed.kind is Kind.FILL_BLANK:
            parsed.blank_answers = several
        elif any(several):
            parsed.answer = "\n".join(filter(None, several))

    def _set_ticked(self, parsed: ParsedQuestion, row: list[str], numbers: list[int]) -> None:
        """Take the answer from the ticks beside the options, each in a column or a row of its own, where no column holds an answer."""
        ticks, options = self.columns[Field.RIGHT], self.columns[Field.OPTION]
        if not ticks or parsed.answer or not parsed.lettered:
            return
        parsed.places["answer"] = self.place_of(numbers[0], ticks[0])
        if options:
            lefts = (
                max((one for one in options if one.index < tick.index), key=lambda one: one.index, default=None)
                for tick in ticks
            )
            owners = [
                tick.place - 1 if tick.place else left.place if left else -1
                for tick, left in zip(ticks, lefts, strict=True)
            ]
            found = [
                (OPTION_LETTERS[owner], _cell(row, tick))
                for owner, tick in zip(owners, ticks, strict=True)
                if owner >= 0
            ]
            distinct = len({letter for letter, _ in found}) == len(found) == len(ticks)
        else:
            cell = self.columns[Field.OPTIONS][0] if self.columns[Field.OPTIONS] else None
            rows = [self.texts[number] for number in numbers if cell and _cell(self.texts[number], cell)]
            found = [
                (OPTION_LETTERS[place], _cell(one, ticks[0])) for place, one in enumerate(rows[: len(OPTION_LETTERS)])
            ]
            distinct = len(rows) == len(parsed.lettered) and len(ticks) == 1
        if distinct:
            table_questions.set_ticked(parsed, found)
        else:
            parsed.require_review("two_readings", "看不出“是否正确”一栏的标记各属于哪个选项。请核对答案。")

    def _set_rest(self, parsed: ParsedQuestion, row: list[str]) -> None:
        parsed.explanation_text = "\n".join(dict.fromkeys(filter(None, self._values(row, Field.EXPLANATION))))
        points = (point for text in self._values(row, Field.KNOWLEDGE) for point in table_cells.read_phrases(text))
        parsed.knowledge_points = tuple(dict.fromkeys(points))
        tags: list[str] = []
        for column, text in zip(self.columns[Field.TAGS], self._values(row, Field.TAGS), strict=True):
            loose = any(word in column.header.lower() for word in ("标签", "关键", "tags"))
            tags.extend(table_cells.read_list(text) if loose else table_cells.read_phrases(text))
        parsed.tags = tuple(dict.fromkeys(tags))
        for text_field, attribute in TEXT_FIELDS.items():
            setattr(parsed, attribute, self._text(row, text_field))
        law, article = self._text(row, Field.LAW), self._text(row, Field.ARTICLE)
        if law or article:
            parsed.citation = Citation(law=law, article=article, version=self._text(row, Field.LAW_VERSION) or None)
        text = self._text(row, Field.DIFFICULTY)
        parsed.difficulty = table_cells.read_difficulty(text, top=self.top)
        if text and parsed.difficulty is None:
            parsed.add_dropped("difficulty_unknown", f"难度“{text[:20]}”不认识，没有导入。请写易、中、难。")
        text = self._text(row, Field.POINTS)
        parsed.points = table_cells.read_points(text)
        if text and parsed.points is None:
            parsed.add_dropped("points_unknown", f"分值“{text[:20]}”不是大于零的数，没有导入。")

    def _note_altered(self, parsed: ParsedQuestion, numbers: list[int]) -> None:
        """Note cells whose value Excel may have altered (dates made of answers such as `3-5`) or whose number format is unknown."""
        wanted = (Field.STEM, Field.OPTION, Field.OPTIONS, Field.ANSWER, Field.ANSWER_N, Field.BLANK)
        columns = [column for one in wanted for column in self.columns[one]]
        for number, column in itertools.product(numbers, columns):
            values = self.table.rows[number]
            value = values[column.index] if column.index < len(values) else None
            where = self.place_of(number, column)
            if str(value).strip() in _ERRORS:
                parsed.require_review("error_cell", f"这个单元格是表格的错误值“{value}”，原来的内容丢了。请核对原文。")
            elif is_date(value):
                reason = "这个单元格是日期，可能被 Excel 改写过，请核对原文。"
                parsed.dropped.append(Note(where, reason, "date_cell"))
            elif is_unsure_number(value):
                reason = f"这个单元格的数字有特别的显示格式，读成了“{cell_text(value)}”，请核对原文。"
                parsed.dropped.append(Note(where, reason, "number_cell"))

    def _remark_unknown(self) -> None:
        for column in self.header.unknown:
            index, name = (column.index, column.header) if isinstance(column, HeaderColumn) else column
            if any(index < len(row) and row[index] for row in self.texts[self.header.last_row + 1 :]):
                reason = f"“{' '.join(name.split())[:20]}”列不认识，没有导入。"
                self.remarks.append(Note(self.place_of(self.header.row), reason, "column_not_kept"))


def _cell(row: list[str], column: HeaderColumn) -> str:
    return row[column.index] if column.index < len(row) else ""
