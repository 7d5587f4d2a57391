"""Detect, read and write every format by its name."""

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import Any

from examapp.documents.archives import UnreadableFileError
from question_bank.formats import examtext
from question_bank.formats.export import ExportedFile
from question_bank.model import ColumnNames, Note, ParseResult, Question, UnknownColumnsError

AUTO = "auto"
MAX_BYTES = 64 * 1024 * 1024
TOO_LARGE = "文件超过 64 MB。请拆成几个文件再导入。"
Writer = Callable[[Sequence[Question]], ExportedFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: its name for programs and for people, the end of its files' names, and what can be done with it."""

    name: str
    label: str
    suffix: str
    looks_like: Callable[[bytes, str], bool]
    read: Callable[..., ParseResult]
    """Reads a file: `read(content, name=)`; raises UnreadableFileError."""
    write: Writer | None = None
    has_columns: bool = False
    """Whether `read` takes what people have said about columns: `columns=ColumnNames`."""
    read_pair: Callable[..., ParseResult] | None = None
    """Reads a file whose keys stand in a second one: `read_pair(content, name=, answers=(content, name))`."""


def _later(place: str) -> Callable[..., Any]:
    """Return a function of one format's module, loaded by the first call: a process that reads no file never pays 10 MB for the readers."""
    module, _, function = place.rpartition(".")

    def call(*arguments: Any, **named: Any) -> Any:
        return getattr(import_module(f"question_bank.formats.{module}"), function)(*arguments, **named)

    return call


FORMATS: tuple[Format, ...] = (
    Format(name="collection", label="几个题库文件的压缩包", suffix=".zip", looks_like=_later("collection.looks_like"), read=_later("collection.read")),
    Format(name="excel", label="Excel 工作簿", suffix=".xlsx", looks_like=_later("excel.looks_like"), read=_later("excel.read"), write=_later("excel.write"), has_columns=True),
    Format(name="ods", label="OpenDocument 表格", suffix=".ods", looks_like=_later("xml_sheets.looks_like_ods"), read=_later("xml_sheets.read_ods"), has_columns=True),
    Format(name="spreadsheet-xml", label="Excel 2003 XML 表格", suffix=".xml", looks_like=_later("xml_sheets.looks_like_spreadsheet_xml"), read=_later("xml_sheets.read_spreadsheet_xml"), has_columns=True),
    Format(name="pdf", label="PDF（有文字的）", suffix=".pdf", looks_like=_later("pdf_text.looks_like"), read=_later("pdf_text.read")),
    Format(name="docx", label="Word 文档", suffix=".docx", looks_like=_later("docx.looks_like"), read=_later("docx.read"), write=_later("free_text.write_docx"), read_pair=_later("docx.read")),
    Format(name="moodle-xml", label="Moodle XML", suffix=".xml", looks_like=_later("moodle_xml.looks_like"), read=_later("moodle_xml.read"), write=_later("moodle_xml.write")),
    Format(name="blackboard-6", label="Blackboard 6 以后", suffix=".dat", looks_like=_later("blackboard6.looks_like"), read=_later("blackboard6.read")),
    Format(name="qti-1.2", label="QTI 1.2（Canvas）", suffix=".zip", looks_like=_later("qti12.looks_like"), read=_later("qti12.read"), write=_later("qti12.write")),
    Format(name="qti", label="QTI 2.1、2.2、3.0", suffix=".zip", looks_like=_later("qti_reader.looks_like"), read=_later("qti_reader.read"), write=_later("qti_writer.write_qti30")),
    Format(name="qti-2.1", label="QTI 2.1", suffix=".zip", looks_like=_later("qti_reader.looks_like"), read=_later("qti_reader.read"), write=_later("qti_writer.write_qti21")),
    Format(name="qti-2.2", label="QTI 2.2", suffix=".zip", looks_like=_later("qti_reader.looks_like"), read=_later("qti_reader.read"), write=_later("qti_writer.write_qti22")),
    Format(name="qti-3.0", label="QTI 3.0", suffix=".zip", looks_like=_later("qti_reader.looks_like"), read=_later("qti_reader.read"), write=_later("qti_writer.write_qti30")),
    Format(name="blackboard", label="Blackboard", suffix=".dat", looks_like=_later("blackboard.looks_like"), read=_later("blackboard.read")),
    Format(name="blackboard-text", label="Blackboard 文本（用制表符分隔）", suffix=".txt", looks_like=_later("blackboard.looks_like_lines"), read=_later("blackboard.read_lines")),
    Format(name="csc-exam", label="CSC Exam JSON", suffix=".json", looks_like=_later("json_exchange.looks_like_csc_exam"), read=_later("json_exchange.read_csc_exam")),
    Format(name="json2qti", label="json2qti", suffix=".json", looks_like=_later("json_exchange.looks_like_json2qti"), read=_later("json_exchange.read_json2qti")),
    Format(name="json", label="JSON 题库", suffix=".json", looks_like=_later("json_bank.looks_like"), read=_later("json_bank.read"), has_columns=True),
    Format(name="web-page", label="网页", suffix=".html", looks_like=_later("web_page.looks_like"), read=_later("web_page.read"), has_columns=True),
    Format(name="examtext", label="本平台文本格式", suffix=".txt", looks_like=examtext.looks_like, read=examtext.read, write=examtext.write),
    Format(name="aiken", label="Aiken", suffix=".txt", looks_like=_later("moodle_text.looks_like_aiken"), read=_later("moodle_text.read_aiken"), write=_later("moodle_text.write_aiken")),
    Format(name="csv", label="csv 表格", suffix=".csv", looks_like=_later("csv_table.looks_like"), read=_later("csv_table.read"), write=_later("csv_table.write"), has_columns=True),
    Format(name="missingword", label="Moodle missing word", suffix=".txt", looks_like=_later("moodle_text.looks_like_missing_word"), read=_later("moodle_text.read_missing_word")),
    Format(name="moodle-cloze", label="Moodle cloze", suffix=".txt", looks_like=_later("moodle_text.looks_like_cloze"), read=_later("moodle_text.read_cloze")),
    Format(name="gift", label="GIFT", suffix=".gift", looks_like=_later("gift.looks_like"), read=_later("gift.read"), write=_later("gift.write")),
    Format(name="text", label="纯文本题库", suffix=".txt", looks_like=_later("text.looks_like"), read=_later("text.read"), write=_later("free_text.write_text"), read_pair=_later("text.read")),
)  # fmt: skip
"""In the order of detection: the most specific first."""

_BY_NAME = {each.name: each for each in FORMATS}


def load_readers() -> None:
    """Load every format's reader now, as a process does whose children are to find them there."""
    for each in FORMATS:
        each.looks_like(b"", "")


def detect(content: bytes, name: str) -> str | None:
    """Return the name of the format that a file is, None where it is none that is known."""
    lower = PurePath(name).name.lower()
    return next((each.name for each in FORMATS if each.looks_like(content, lower)), None)


def get_format(name: str) -> Format:
    """Return a format by its name; raises UnreadableFileError for a name that is none."""
    found = _BY_NAME.get(name)
    if found is None:
        raise UnreadableFileError(f"没有名为“{name}”的题库格式。可用的有：{'、'.join(_BY_NAME)}。")
    return found


def read_file(
    content: bytes,
    name: str,
    format: str = AUTO,  # noqa: A002 – the word that the command line uses
    *,
    answers: tuple[bytes, str] | None = None,
    columns: ColumnNames | None = None,
) -> ParseResult:
    """Read a file of questions, with its keys from a second file where one is given; raises UnreadableFileError with what to do next.

    `columns`: what people have said that the columns of tables hold; UnknownColumnsError where that would help.
    """
    if not content:
        raise UnreadableFileError("文件是空的。请检查是否选错了文件。")
    if len(content) > MAX_BYTES:
        raise UnreadableFileError(TOO_LARGE)
    content = _json_in_utf8(content)
    chosen = detect(content, name) if format == AUTO else format
    if chosen is None:
        return _checked(_read_unknown(content, name, columns), content)
    if answers is None and format == AUTO:
        return _checked(_read_by_signs(content, name, columns), content)
    if answers is None:
        return _checked(_read_by(get_format(chosen), content, name, columns), content)
    read_pair = get_format(chosen).read_pair
    if read_pair is None:
        raise UnreadableFileError("这种格式的答案在题目文件里，不用另附答案文件。请去掉答案文件后重试。")
    return _checked(read_pair(content, name=name, answers=answers), content)


def _json_in_utf8(content: bytes) -> bytes:
    """Return JSON in UTF-8 where it begins with the mark of UTF-16, as Windows' notepad saves it; all other bytes unchanged."""
    if not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content
    text = content.decode("utf-16", "replace")
    return text.encode() if text.lstrip().startswith(("[", "{")) and "\ufffd" not in text else content


def _read_by(chosen: Format, content: bytes, name: str, columns: ColumnNames | None) -> ParseResult:
    return chosen.read(content, name=name, **({"columns": columns} if columns and chosen.has_columns else {}))


def _read_by_signs(content: bytes, name: str, columns: ColumnNames | None) -> ParseResult:
    """Read a file by the first format that it looks like; by a further one where the first finds nothing or one question, and that one more."""
    lower = PurePath(name).name.lower()
    first, *others = [each for each in FORMATS if each.looks_like(content, lower)]
    others = [each for each in others if each.name in _ALSO_LIKE.get(first.name, frozenset())]
    try:
        result = _read_by(first, content, name, columns)
    except UnreadableFileError:
        if not others:
            raise
        return _read_by(others[0], content, name, columns)
    if result.found <= 1:
        for other in (_read_by(each, content, name, columns) for each in others):
            if len(other.imported) + len(other.needing_review) > result.found:
                return other
    return result


_ALSO_LIKE = {
    "moodle-cloze": frozenset({"gift"}),
    "missingword": frozenset({"gift"}),
    "aiken": frozenset({"gift", "text"}),
}
"""By format those within whose files its signs may stand."""


def _read_unknown(content: bytes, name: str, columns: ColumnNames | None) -> ParseResult:
    """Read a text in columns whose head is known from earlier files; raises UnknownColumnsError where it is not, UnreadableFileError for other files."""
    if _later("json_bank.looks_like_records")(content, name):
        return _read_by(get_format("json"), content, name, columns)
    reason = _why_unknown(content, name)
    csv_table, decoding = (
        import_module(one) for one in ("question_bank.formats.csv_table", "examapp.documents.decoding")
    )
    try:
        text = decoding.decode_text(content)
        table = csv_table.unknown_table(text)
    except UnreadableFileError:
        table = None
    if table is None:
        raise UnreadableFileError(reason)
    if columns and csv_table.divider_of(text, columns):
        return _read_by(get_format("csv"), content, name, columns)
    raise UnknownColumnsError(csv_table.NO_TABLE, format_name="csv", tables=[table])


def _why_unknown(content: bytes, name: str) -> str:
    """Return why a file is of no known format; raises UnreadableFileError for broken or unsafe XML."""
    safe_xml = import_module("examapp.documents.safe_xml")
    if safe_xml.looks_like_xml(content):
        root = safe_xml.local(safe_xml.parse_xml(content))
        return f"这个 XML 文件不是题库（最外层是 {root}）。请确认选对了文件，题库包请上传整个压缩包。"
    return str(_later("unknown.why_unknown")(content, name))


def _checked(result: ParseResult, content: bytes) -> ParseResult:
    """Return the reading with what looks read wrongly on review, and with the census; one without any question says so."""
    if not result.found and not result.remarks:
        result.remarks.append(Note("整个文件", "文件里没有题目。请核对是否选错了文件。", "no_questions"))
    checked: ParseResult = _later("self_check.check_reading")(_later("census.take_census")(result, content))
    return checked


def write_file(questions: Sequence[Question], format: str) -> ExportedFile:  # noqa: A002 – the word that the command line uses
    """Write questions in a format, with what it could not say; raises UnreadableFileError where it cannot be written."""
    chosen = get_format(format)
    if chosen.write is None:
        raise UnreadableFileError(f"“{chosen.label}”只能导入，不能导出。请换一种格式。")
    return chosen.write(questions)


def format_names(*, writable: bool = False) -> list[str]:
    """List the names of all formats, or of those that can be written."""
    return [each.name for each in FORMATS if each.write is not None or not writable]


def writable() -> list[Format]:
    """List the formats that can be written, each once: `qti` stands for its newest version by name."""
    return [each for each in FORMATS if each.write is not None and each.name != "qti"]
