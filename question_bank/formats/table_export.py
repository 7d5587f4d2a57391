"""Questions as rows of the platform's own table, for every format that writes tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from question_bank.formats.heuristics.stems import take_letter_keys
from question_bank.formats.heuristics.table_headers import TEXT_FIELDS, own_header
from question_bank.kinds.registry import KIND_NAMES, kind_of
from question_bank.model import DIFFICULTY_NAMES, OPTION_LETTERS, TRUE_FALSE_OPTIONS, Image, Kind, Question
from question_bank.parse_result import Note
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


@dataclass(slots=True)
class Row:
    """The cells of one row by header."""

    cells: dict[str, str]
    where: str = ""
    pictures: list[tuple[str, Image]] = field(default_factory=list)
    """Each with the header of its column."""
    losses: list[Note] = field(default_factory=list)

    def note_long(self, number: int) -> None:
        """Note what is too long for a cell of a workbook's row."""
        for header, cell in self.cells.items():
            if len(cell) > MAX_CELL:
                reason = f"内容有 {len(cell)} 个字，超过 Excel 一个单元格的上限，后面的没有写入。"
                self.losses.append(Note(f"工作表「{SHEET}」第 {number} 行「{header}」列", reason, "too_long"))


def rows_of(questions: Iterable[Question]) -> Iterator[Row]:
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
            row.losses.append(
                Note(f"第 {place} 题", f"编号“{question.code}”与另一道案例题重复，没有写入。", "code_repeated")
            )
        used.add(code)
        row.cells["编号"] = code
        yield row
        for number, part in enumerate(question.parts, 1):
            part_row = _row(part, f"第 {place} 题第 {number} 小题", PART_NAMES[part.kind])
            part_row.cells["所属案例"] = code
            yield part_row


def _row(question: Question, where: str, kind_name: str) -> Row:
    plain, losses = _plain(question, where)
    cells = {
        "题型": kind_name, "题干": plain.stem, "答案": _answer(plain), "解析": plain.explanation,
        "难度": DIFFICULTY_NAMES[plain.difficulty] if plain.difficulty else "",
        "知识点": "；".join(plain.knowledge_points), "标签": "；".join(plain.tags) + ("；" if len(plain.tags) == 1 and " " in plain.tags[0] else ""),
        "分值": str(plain.points) if plain.points is not None else "",
    }  # fmt: skip
    cells |= {own_header(field_): getattr(plain, name) or "" for field_, name in TEXT_FIELDS.items()}
    if plain.citation:
        cells |= {"法律": plain.citation.law, "条文": plain.citation.article, "法律版本": plain.citation.version or ""}
    losses += _ambiguous(plain, where)
    options = TRUE_FALSE_OPTIONS if plain.kind is Kind.TRUE_FALSE else plain.options
    cells |= {f"选项{letter}": text for letter, text in zip(OPTION_LETTERS, options, strict=False)}
    return Row(cells, where, _pictures(question, options), losses)


def _pictures(question: Question, options: Sequence[str]) -> list[tuple[str, Image]]:
    """Return a question's pictures with the heads of the columns in whose texts they stand."""
    texts = [("题干", question.stem), ("解析", question.explanation)]
    texts += [
        (f"选项{letter}", text) for letter, text, _ in zip(OPTION_LETTERS, question.options, options, strict=False)
    ]
    by_name = {image.name: image for image in question.images}
    named = [
        (header, by_name[name]) for header, text in texts for name in _BANK_PICTURE.findall(text) if name in by_name
    ]
    unnamed = [image for image in question.images if all(image is not one for _, one in named)]
    return [*named, *(("题干", image) for image in unnamed)]


def _ambiguous(question: Question, where: str) -> list[Note]:
    """Note a stem whose brackets hold letters that are not the key: it needs a review when it is read again."""
    _, found = take_letter_keys(question.stem)
    if not kind_of(question.kind).has_letter_key or len(found) != 1 or tuple(found[0]) == question.key:
        return []
    reason = f"题干的括号里写着 {found[0]}，再导入时会当作另一个答案而列入待核对。请核对题干。"
    return [Note(where, reason, "ambiguous")]


def _plain(question: Question, where: str) -> tuple[Question, list[Note]]:
    """Return the question with plain texts only, and notes on what that cost."""
    losses: list[Note] = []
    if not question.is_html:
        return question, losses
    stem, *options = (to_plain(text) for text in (question.stem, *question.options))
    explanation = to_plain(question.explanation)
    lost = sorted(
        {name for _, name in (stem, explanation, *options) if name} - ({"图片"} if question.images else set())
    )
    if lost:
        losses.append(Note(where, f"题里的{'、'.join(lost)}没有写入 Excel，只写入了文字。", "formatting"))
    texts = tuple(text for text, _ in options)
    return replace(question, stem=stem[0], options=texts, explanation=explanation[0], is_html=False), losses


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
