"""Read Word documents of questions: paragraphs with their automatic numbers, tables, pictures."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import PurePath

from examapp.documents.archives import Archive, UnreadableFileError, holds_office, open_archive
from examapp.documents.decoding import clean_text, decode_text, read_count
from examapp.documents.embedded_pictures import EmbeddedPicture, picture_of
from examapp.documents.safe_xml import Element, parse_xml
from question_bank.formats.docx_emphasis import is_emphasised, mark_runs, styles_of
from question_bank.formats.docx_numbering import CIRCLED, Numbering, W
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.emphasis import emphasised, has_no_keys, read_by_emphasis, say_keys
from question_bank.formats.heuristics.resolving import resolve_questions
from question_bank.formats.heuristics.table_headers import find_header
from question_bank.formats.heuristics.table_names import Field
from question_bank.formats.heuristics.table_questions import QuestionTable, join_cases
from question_bank.formats.heuristics.table_rows import read_table
from question_bank.formats.heuristics.table_shapes import unify_shapes
from question_bank.formats.pictures import insert_pictures, picture_sign
from question_bank.formats.text import read_text
from question_bank.model import PICTURE, Note, ParseResult

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MAX_PARAGRAPHS = 200_000
MAX_PICTURES = 20_000
_NUMBER = "bank-picture"

_SYMBOLS = dict.fromkeys(("F0FC", "F0FE", "F050", "F0D6", "F052"), "√")
_SYMBOLS |= dict.fromkeys(("F0FB", "F0FD", "F04F", "F0B4", "F054"), "×")
"""Ticks and crosses of the fonts Wingdings and Symbol."""
_RAISED = re.compile(r"[0-9+\-n]{1,4}")
_SUPERSCRIPTS = str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
"""Raised figures as characters of their own: 10⁵ is not 105."""
_PICTURES = frozenset({f"{W}drawing", f"{W}pict", f"{W}object", f"{MATH}oMath", f"{MATH}oMathPara"})
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SKIPPED = frozenset({f"{W}del", f"{W}moveFrom", f"{W}pPr", f"{W}rPr", _FALLBACK})
_SIGNS = {f"{W}tab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}


@dataclass(slots=True)
class _Document:
    """The text of a document in reading order, with the tables that are question tables kept apart."""

    lines: list[str] = field(default_factory=list)
    paragraphs: list[int] = field(default_factory=list)
    """For each line the number of its paragraph."""
    tables: list[list[list[str]]] = field(default_factory=list)
    pictures: list[EmbeddedPicture] = field(default_factory=list)
    """Those whose signs in the text are numbered."""
    boxes: list[tuple[int, str]] = field(default_factory=list)
    """The words of text boxes beside paragraphs, with the number of the paragraph."""


_MAIN = re.compile(
    rb"wordprocessingml\.(?:document|template)\.main\+xml|ms-word\.\w+\.macroEnabled(?:Template)?\.main\+xml"
)


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the file is a Word document."""
    if content.startswith(b"PK\x03\x04"):
        return holds_office(content, folder="word/", main=_MAIN)
    return content.startswith(OLE) and PurePath(name).suffix.lower() in {".doc", ".docx", ".wps"}


def read(content: bytes, *, name: str, answers: tuple[bytes, str] | None = None) -> ParseResult:
    """Return all questions of a document; `answers` is a second document or text with the keys."""
    archive = _open(content)
    second = _second(*answers) if answers else None
    reading = _read_document(_load(archive, has_pictures=True), name=name, second=second)
    if second or not has_no_keys(reading):
        return reading
    return read_by_emphasis(
        reading, styles_of(archive),
        lambda style: _read_document(_load(archive, has_pictures=True, style=style), name=name, second=None),
    )  # fmt: skip


def _read_document(document: _Document, *, name: str, second: str | None) -> ParseResult:
    readings = [_read_table(table, number, name) for number, table in enumerate(document.tables, 1)]
    text = "\n".join(document.lines)
    if text.strip():
        try:
            wording = read_text(text, name=name, answers=second, format_name="docx")
            readings.append(_by_paragraph(wording, document.paragraphs))
        except UnreadableFileError:
            if not readings:
                raise
    if not readings:
        raise UnreadableFileError("Word 文件里没有文字。如果题目是图片，请先转成文字再导入。")
    whole = ParseResult("docx")
    for reading in readings:
        whole.imported.extend(reading.imported)
        whole.needing_review.extend(reading.needing_review)
        whole.rejected.extend(reading.rejected)
        whole.remarks.extend(reading.remarks)
    for number, text in document.boxes:
        reason = f"这一段旁边文本框里的“{' '.join(text.split())[:30]}”没有读入题目。请核对，如是题目内容请移到正文里。"
        whole.remarks.append(Note(f"第 {number} 段", reason, "text_box"))
    pictures = document.pictures
    whole.imported = [replace(one, question=insert_pictures(one.question, pictures)) for one in whole.imported]
    whole.needing_review = [
        replace(one, question=insert_pictures(one.question, pictures)) for one in whole.needing_review
    ]
    return whole


def document_lines(content: bytes) -> list[str]:
    """Return all the text of a Word document line by line, tables too, with the numbers that Word shows; a sign stands for each picture."""
    document = _load(_open(content))
    return document.lines + [" ".join(filter(None, row)) for table in document.tables for row in table]


def numbered_lines(content: bytes) -> tuple[list[tuple[int, str]], list[list[list[str]]]]:
    """Return the lines of a Word document, each with the number of its paragraph, and its tables of questions."""
    document = _load(_open(content))
    return list(zip(document.paragraphs, document.lines, strict=True)), document.tables


def _second(content: bytes, name: str) -> str:
    if content.startswith((b"PK\x03\x04", OLE)):
        if content.startswith(OLE) or looks_like(content, name):
            return "\n".join(_load(_open(content)).lines)
        raise UnreadableFileError("答案文件要用 Word（.docx）或文本文件。请另存后再导入。")
    return decode_text(content)


def _read_table(rows: list[list[str]], number: int, name: str) -> ParseResult:
    hint = kind_names.kind_in(PurePath(name).stem)
    result = read_table(QuestionTable(f"第 {number} 张题目表格", rows, range(1, len(rows) + 1), kind_hint=hint))
    reading = resolve_questions(join_cases(result.rows), format_name="docx")
    reading.remarks.extend(result.remarks)
    return reading


def _by_paragraph(reading: ParseResult, paragraphs: list[int]) -> ParseResult:
    """Return the places of a reading of lines said in paragraphs, as Word counts them."""

    def place(where: str) -> str:
        number = where.removeprefix("第 ").removesuffix(" 行")
        return f"第 {paragraphs[int(number) - 1]} 段" if number.isdigit() and int(number) <= len(paragraphs) else where

    def moved(notes: Iterable[Note]) -> list[Note]:
        return [replace(note, where=place(note.where)) for note in notes]

    imported = reading.imported
    reading.imported = [replace(one, where=place(one.where), dropped=tuple(moved(one.dropped))) for one in imported]
    reading.needing_review = [replace(one, note=moved([one.note])[0]) for one in reading.needing_review]
    reading.rejected, reading.remarks = moved(reading.rejected), moved(reading.remarks)
    return reading


def _open(content: bytes) -> Archive:
    if content.startswith(OLE):
        raise UnreadableFileError("这是旧版 .doc 文件或加了密码的文件。请用 Word 或 WPS 打开，另存为 .docx 后再导入。")
    if not content.startswith(b"PK\x03\x04"):
        raise UnreadableFileError("这不是 Word 文件，或者文件已损坏。请用 Word 或 WPS 打开，另存为 .docx 后再导入。")
    archive = open_archive(content)
    if "word/document.xml" not in archive:
        raise UnreadableFileError("这个压缩包不是 Word 文件。请确认文件类型。")
    if any(name.lower().endswith("vbaproject.bin") for name in archive.names):
        raise UnreadableFileError("Word 文件里有宏，为安全起见不予打开。请另存为不含宏的 .docx 后再导入。")
    return archive


def _load(archive: Archive, *, has_pictures: bool = False, style: str = "") -> _Document:
    """Return the text of a document; with a style of emphasis, a tick stands behind each option that has it."""
    body = parse_xml(archive.read("word/document.xml"), what="Word 文件").find(f"{W}body")
    document = _Document()
    if body is not None:
        if style:
            mark_runs(body, style)
        document.pictures = _number_pictures(archive, body) if has_pictures else []
        _walk(body, document, Numbering(_part(archive, "word/numbering.xml"), _part(archive, "word/styles.xml")))
    return document


def _number_pictures(archive: Archive, body: Element) -> list[EmbeddedPicture]:
    """Number the drawings that are one picture of the document's own, for the signs in the text; gives the pictures."""
    relations = _part(archive, "word/_rels/document.xml.rels")
    if relations is None:
        return []
    files = {
        one.get("Id", ""): posixpath.normpath(f"word/{one.get('Target', '')}")
        for one in relations.iter("{*}Relationship")
        if one.get("Type", "").endswith("/image") and one.get("TargetMode") != "External"
    }
    found: list[EmbeddedPicture] = []
    for element in body.iter(f"{W}drawing", f"{W}pict"):
        names = [blip.get(f"{R}embed", "") for blip in element.iter("{*}blip")]
        names += [image.get(f"{R}id", "") for image in element.iter("{*}imagedata")]
        path = files.get(names[0], "") if len(names) == 1 else ""
        picture = picture_of(path, archive.read(path)) if path in archive else None
        if picture is not None and len(found) < MAX_PICTURES:
            element.set(_NUMBER, str(len(found)))
            found.append(picture)
    return found


def _part(archive: Archive, name: str) -> Element | None:
    return parse_xml(archive.read(name), what="Word 文件") if name in archive else None


def _walk(body: Element, document: _Document, numbering: Numbering) -> None:
    number = 0
    for element in _blocks(body):
        if element.tag == f"{W}p":
            number += 1
            if number > MAX_PARAGRAPHS:
                raise UnreadableFileError(f"Word 文件超过 {MAX_PARAGRAPHS} 段。请拆成几个文件再导入。")
            boxes: list[str] = []
            _add(document, say_keys(numbering.label(element) + paragraph_text(element, boxes)), number)
            document.boxes += [(number, text) for text in boxes]
            continue
        rows = _table_rows(element)
        turned = [list(column) for column in zip_longest(*rows, fillvalue="")]
        table = rows if _has_header(rows) else turned if _is_upright(turned) else None
        if table is not None:
            document.tables.append(table)
            continue
        for row in _table_rows(element, numbering):
            is_short = all(len(cell) <= 12 for cell in row)
            _add(document, "\t".join(cell.replace("\n", " ") for cell in row) if is_short else "\n".join(row), number)


def _has_header(rows: list[list[str]]) -> bool:
    """Return whether a table has the head of a question table, as it stands or once two columns of ticks are written as one of answers."""
    if find_header(rows):
        return True
    usual = [list(row) for row in rows]
    unify_shapes(usual)
    return find_header(usual) is not None


def _is_upright(turned: list[list[str]]) -> bool:
    """Return whether a table's first column has the names of a question's fields, and the columns beside it their texts."""
    header = find_header(turned[:2]) if len(turned) > 1 else None
    stem = header.of(Field.STEM)[0].index if header and header.row == 0 else None
    return stem is not None and len(re.findall(r"[\u4e00-\u9fff]", turned[1][stem])) > 3


def _blocks(body: Element) -> Iterator[Element]:
    """Yield paragraphs and tables in order, those within content controls too."""
    for element in body:
        if element.tag in {f"{W}p", f"{W}tbl"}:
            yield element
        elif element.tag in {f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}smartTag", f"{W}customXml"}:
            yield from _blocks(element)


def _add(document: _Document, text: str, number: int) -> None:
    for line in text.split("\n"):
        document.lines.append(line)
        document.paragraphs.append(number)


_BOX = re.compile("\uf106([^\uf107]*)\uf107")
"""The words of a text box within a paragraph's text."""
_FIELD = re.compile("\uf102([^\uf103]*)\uf103")
"""The instructions of a field within a paragraph's text."""
_ENCLOSED = re.compile(
    r"\\o\s*(?:\\a[clr]\s*)?\(\s*[○◯〇]\s*[,，;；]\s*(\d{1,2})\s*\)|\\o\s*(?:\\a[clr]\s*)?\(\s*(\d{1,2})\s*[,，;；]\s*[○◯〇]\s*\)"
)


def paragraph_text(paragraph: Element, boxes: list[str] | None = None) -> str:
    """Return the words of a paragraph as they are seen: deletions left out, underlined gaps as `____`, a sign for pictures and formulas.

    Text boxes that stand beside its own words go to `boxes`; a paragraph that is nothing but a box has the box's words.
    """
    pieces: list[str] = []
    _collect(paragraph, pieces)
    text = "".join(pieces)
    if _BOX.search(text):
        own = _BOX.sub("", text)
        if own.strip() and boxes is not None:
            boxes.extend(filter(None, (found.strip() for found in _BOX.findall(text))))
        text = own if own.strip() else "\n".join(_BOX.findall(text))
    return _FIELD.sub(_field_text, text.replace("\uf103\uf102", "")) if "\uf102" in text else text


def _field_text(match: re.Match[str]) -> str:
    """Return what an EQ field shows: a number in a circle, else the sign for a formula; nothing for fields of other kinds, whose result follows."""
    instruction = match[1].strip()
    if not instruction.upper().startswith("EQ"):
        return ""
    found = _ENCLOSED.search(instruction)
    number = int(found[1] or found[2]) if found else 0
    return CIRCLED[number - 1] if 0 < number <= len(CIRCLED) else PICTURE


def _collect(element: Element, pieces: list[str]) -> None:
    for child in element:
        tag = child.tag
        if tag in _SKIPPED:
            continue
        if tag in _PICTURES:
            pieces.append(_drawing_text(child))
        elif tag == f"{W}r":
            pieces.append(_run_text(child))
        else:
            _collect(child, pieces)


def _drawing_text(element: Element) -> str:
    """Return the text in a drawing's box, else the sign that stands in the text for a picture."""
    if text := "\n".join(paragraph_text(inner) for inner in element.iter(f"{W}p")):
        return f"\uf106{text}\uf107"
    return picture_sign(next((read_count(each.get(_NUMBER), -1) for each in element.iter() if each.get(_NUMBER)), -1))


def _run_text(run: Element) -> str:
    pieces: list[str] = []
    for child in run:
        if child.tag == f"{W}t":
            pieces.append(child.text or "")
        elif child.tag in _SIGNS:
            pieces.append(_SIGNS[child.tag])
        elif child.tag == f"{W}instrText":
            pieces.append(f"\uf102{child.text or ''}\uf103")
        elif child.tag == f"{W}ruby":
            pieces.append(_ruby_text(child))
        elif child.tag == f"{W}sym":
            pieces.append(_SYMBOLS.get(child.get(f"{W}char", "").upper(), PICTURE))
        elif child.tag in _PICTURES or child.tag.endswith("}AlternateContent"):
            for old in child.findall(_FALLBACK):
                child.remove(old)
            pieces.append(_drawing_text(child))
    text = "".join(pieces)
    text = text.translate(_SUPERSCRIPTS) if _is_raised(run) and _RAISED.fullmatch(text) else text
    mark = run.find(f"{W}rPr/{W}u")
    if (mark is not None and mark.get(f"{W}val", "single") != "none") and len(text) >= 2 and not clean_text(text):
        return "____"
    return emphasised(text) if is_emphasised(run) else text


def _is_raised(run: Element) -> bool:
    raised = run.find(f"{W}rPr/{W}vertAlign")
    return raised is not None and raised.get(f"{W}val") == "superscript"


def _ruby_text(ruby: Element) -> str:
    """Return the characters of an annotated text with the annotation in brackets behind them."""
    base, above = (
        "".join(text.text or "" for part in ruby.iterchildren(f"{W}{name}") for text in part.iter(f"{W}t"))
        for name in ("rubyBase", "rt")
    )
    return f"{base}（{above}）" if above else base


def _table_rows(table: Element, numbering: Numbering | None = None) -> list[list[str]]:
    """Return the cells of a table, with the automatic numbers where they are asked for; a cell that goes on from the row above repeats its text."""
    rows: list[list[str]] = []
    for row in table.iterchildren(f"{W}tr"):
        cells: list[str] = []
        for cell in row.iterchildren(f"{W}tc"):
            labelled = ((numbering.label(one) if numbering else "") + paragraph_text(one) for one in cell.iter(f"{W}p"))
            text = "\n".join(map(say_keys, labelled)).strip()
            span = cell.find(f"{W}tcPr/{W}gridSpan")
            merge = cell.find(f"{W}tcPr/{W}vMerge")
            if merge is not None and merge.get(f"{W}val") != "restart" and rows and len(cells) < len(rows[-1]):
                text = text or rows[-1][len(cells)]
            wide = read_count(span.get(f"{W}val"), 1) if span is not None else 1
            cells.extend([text, *[""] * (min(wide, 64) - 1)])
        rows.append(cells)
    return rows
