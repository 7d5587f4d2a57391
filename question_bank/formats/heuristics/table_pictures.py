"""Take the pictures of a table's rows into its questions: those laid over cells, and those that cells call by name."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from examapp.documents.embedded_pictures import EmbeddedPicture
from question_bank.formats.heuristics.table_headers import HeaderColumn
from question_bank.formats.heuristics.table_names import Field
from question_bank.formats.heuristics.table_questions import QuestionTable
from question_bank.formats.parsed import ParsedQuestion
from question_bank.formats.pictures import EXPLANATION, ONLY_PICTURE, STEM
from question_bank.model import OPTION_LETTERS

_CELL_PICTURE = re.compile(r"=?(?:_xlfn\.)?DISPIMG\(\"?([^\",)]*)[^)]*\)")

Columns = Mapping[Field, Sequence[HeaderColumn]]


class RowPictures:
    """The pictures of one table, taken question by question."""

    def __init__(self, table: QuestionTable) -> None:
        self.table = table
        self.over: dict[int, list[tuple[int, EmbeddedPicture | None]]] = defaultdict(list)
        for one in table.pictures:
            self.over[one.row].append((one.column, one.picture))
        self.found: list[tuple[int, EmbeddedPicture | None]] = []
        """The pictures of the question that is being read, with their columns."""
        self.numbers: list[int] = []
        self.used: set[int] = set()
        """Rows of questions."""

    def take(self, row: list[str], numbers: list[int]) -> list[str]:
        """Return a question's cells without the calls of pictures, which are kept with those over its rows."""
        over = [one for number in numbers for one in self.over.get(number, ())]
        called = ((index, name) for index, text in enumerate(row) for name in _CELL_PICTURE.findall(text))
        self.found = over + [(index, self.table.cell_pictures.get(name)) for index, name in called]
        self.numbers = numbers
        return [_CELL_PICTURE.sub("", text).strip() for text in row]

    def name_cells(self, row: list[str], columns: Columns) -> None:
        """Put words into the cells of a stem or option that are a picture alone."""
        alone = {column for column, picture in self.found if picture is not None}
        for column in (*columns[Field.STEM][:1], *columns[Field.OPTION]):
            if column.index in alone and column.index < len(row) and not row[column.index]:
                row[column.index] = ONLY_PICTURE

    def attach(self, parsed: ParsedQuestion, columns: Columns) -> None:
        """Attach pictures to the texts of their columns, to the stem where the column has none; note unreadable ones as lost."""
        self.used.update(self.numbers)
        places = {column.index: EXPLANATION for column in columns[Field.EXPLANATION]}
        options = (column for column in columns[Field.OPTION] if column.place < len(parsed.lettered))
        places |= {column.index: OPTION_LETTERS[column.place] for column in options}
        for column, picture in self.found:
            if picture is not None:
                parsed.pictures.append((places.get(column, STEM), picture))
        if any(picture is None for _, picture in self.found):
            parsed.add_dropped("image", "这一行有图片读不出来，没有导入。请导入后在编辑页补上图片。")

    def unused_rows(self) -> list[int]:
        """Return the rows with pictures over them that belong to no question."""
        return sorted(self.over.keys() - self.used)
