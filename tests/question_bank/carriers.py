"""One question in a file of every format, with the texts that a test gives it: what every hazard is sent through."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from xml.sax.saxutils import escape

from question_bank.formats.registry import write_file
from question_bank.model import Image, Kind, Question
from tests.helpers.questions import picture
from tests.question_bank.books import word

NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)
SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
TYPE = "application/vnd.oasis.opendocument."
HEADS = ["题型", "题干", "选项A", "选项B", "答案"]
STEM, OPTION = "谁作出决定？", "县政府"
_STEM_HERE, _OPTION_HERE = "题干写在此处", "选项写在此处"
PICTURE = picture((7, 5))
Carrier = Callable[[str, str], tuple[bytes, str]]
"""Makes a file of one single choice with this stem, this first option and the second one right; gives its bytes and name."""


def rows(stem: str = STEM, option: str = OPTION) -> list[list[str]]:
    return [HEADS, ["单选题", stem, option, "乡政府", "B"]]


def packed(*entries: tuple[str | zipfile.ZipInfo, str | bytes], into: bytes = b"") -> bytes:
    """Return a package with these entries, behind those that it has."""
    target = io.BytesIO(into)
    with zipfile.ZipFile(target, "a" if into else "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return target.getvalue()


def ods_xml(table: Sequence[Sequence[str]]) -> str:
    cells = "".join(
        f"<table:table-row>{''.join(f'<table:table-cell><text:p>{cell}</text:p></table:table-cell>' for cell in row)}</table:table-row>"
        for row in table
    )
    return f'<office:document-content {NAMES}><office:body><office:spreadsheet><table:table table:name="题">{cells}</table:table></office:spreadsheet></office:body></office:document-content>'


def ods(content: str | bytes) -> bytes:
    return packed(("mimetype", TYPE + "spreadsheet"), ("content.xml", content))


def sheet_xml(table: Sequence[Sequence[str]]) -> str:
    cells = "".join(f"<Row>{''.join(f'<Cell><Data>{cell}</Data></Cell>' for cell in row)}</Row>" for row in table)
    return f'<Workbook xmlns="{SPREADSHEET}" xmlns:ss="{SPREADSHEET}"><Worksheet ss:Name="题"><Table>{cells}</Table></Worksheet></Workbook>'


def page(table: Sequence[Sequence[str]]) -> str:
    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in table)
    return f'<html><head><meta charset="utf-8"></head><body><table>{cells}</table></body></html>'


def _escaped(stem: str, option: str) -> list[list[str]]:
    return [[escape(cell) for cell in row] for row in rows(stem, option)]


def pool(stem: str, option: str) -> bytes:
    """Return a pool of the older Blackboard."""
    answers = "".join(f'<ANSWER id="a{n}"><TEXT>{escape(text)}</TEXT></ANSWER>' for n, text in enumerate((option, "乡政府")))  # fmt: skip
    question = f'<QUESTION_MULTIPLECHOICE id="q"><BODY><TEXT>{escape(stem)}</TEXT></BODY>{answers}<GRADABLE><CORRECTANSWER answer_id="a1"/></GRADABLE></QUESTION_MULTIPLECHOICE>'
    return f'<POOL><QUESTIONLIST><QUESTION id="q" class="QUESTION_MULTIPLECHOICE"/></QUESTIONLIST>{question}</POOL>'.encode()


def pool6(stem: str, option: str) -> bytes:
    """Return a pool of Blackboard 6 and later."""

    def material(text: str) -> str:
        return f"<flow class='FORMATTED_TEXT_BLOCK'><material><mat_extension><mat_formattedtext type='HTML'>{escape(text)}</mat_formattedtext></mat_extension></material></flow>"

    labels = "".join(f"<flow_label class='Block'><response_label ident='a{n}'><flow_mat>{material(text)}</flow_mat></response_label></flow_label>" for n, text in enumerate((option, "乡政府")))  # fmt: skip
    item = (
        "<item><itemmetadata><bbmd_questiontype>Multiple Choice</bbmd_questiontype></itemmetadata>"
        f"<presentation><flow class='Block'><flow class='QUESTION_BLOCK'>{material(stem)}</flow><flow class='RESPONSE_BLOCK'><response_lid ident='response'><render_choice>{labels}</render_choice></response_lid></flow></flow></presentation>"
        "<resprocessing><respcondition title='correct'><conditionvar><varequal respident='response'>a1</varequal></conditionvar></respcondition></resprocessing></item>"
    )
    return (
        f"<questestinterop><assessment title='题库'><section>{item}</section></assessment></questestinterop>".encode()
    )


def _csc_exam(stem: str, option: str) -> bytes:
    options = [{"option": option, "correctOption": False}, {"option": "乡政府", "correctOption": True}]
    return json.dumps({"questions": [{"type": "MultipleChoiceQuestion", "question": stem, "options": options}]}).encode()  # fmt: skip


def _records(stem: str, option: str) -> bytes:
    return json.dumps([{"题干": stem, "选项": [option, "乡政府"], "答案": "B"}]).encode()


def _csv(stem: str, option: str) -> bytes:
    cells = ('"' + cell.replace('"', '""') + '"' for row in rows(stem, option) for cell in row)
    lines = list(cells)
    return "\n".join([",".join(lines[:5]), ",".join(lines[5:])]).encode()


def _text(stem: str, option: str) -> bytes:
    return f"1. {stem}\nA. {option}\nB. 乡政府\n答案：B\n".encode()


@cache
def _template(form: str) -> bytes:
    question = Question(kind=Kind.SINGLE_CHOICE, stem=_STEM_HERE, options=(_OPTION_HERE, "乡政府"), key=("B",))
    return write_file([question], form).content


def _written(form: str, suffix: str, encode: Callable[[str], str] = escape) -> Carrier:
    """Return a carrier of a format that we write ourselves, its texts put in afterwards, so that the writer cleans nothing of them."""

    def make(stem: str, option: str) -> tuple[bytes, str]:
        return replaced(_template(form), {_STEM_HERE: encode(stem), _OPTION_HERE: encode(option)}), f"a{suffix}"

    return make


def replaced(content: bytes, texts: dict[str, str]) -> bytes:
    """Return a file with texts replaced, in every part where it is a package."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return packed(*((name, replaced(archive.read(name), texts)) for name in archive.namelist()))
    for old, new in texts.items():
        content = content.replace(old.encode(), new.encode("utf-8", "surrogatepass"))
    return content


def _raw(text: str) -> str:
    return text


CARRIERS: dict[str, Carrier] = {
    "collection": lambda stem, option: (packed(("甲.txt", _text(stem, option)), ("乙.csv", _csv(f"又，{stem}", option))), "a.zip"),
    "excel": _written("excel", ".xlsx"),
    "ods": lambda stem, option: (ods(ods_xml(_escaped(stem, option))), "a.ods"),
    "spreadsheet-xml": lambda stem, option: (sheet_xml(_escaped(stem, option)).encode(), "a.xml"),
    "docx": lambda stem, option: (word([rows(stem, option)]), "a.docx"),
    "docx, paragraphs": lambda stem, option: (word(_text(stem, option).decode().split("\n")), "a.docx"),
    "moodle-xml": _written("moodle-xml", ".xml", _raw),
    "blackboard-6": lambda stem, option: (pool6(stem, option), "a.dat"),
    "qti-1.2": _written("qti-1.2", ".zip"),
    "qti-2.1": _written("qti-2.1", ".zip", _raw),
    "qti-2.2": _written("qti-2.2", ".zip", _raw),
    "qti-3.0": _written("qti-3.0", ".zip", _raw),
    "blackboard": lambda stem, option: (pool(stem, option), "a.dat"),
    "blackboard-text": lambda stem, option: (f"MC\t{stem}\t{option}\tincorrect\t乡政府\tcorrect\n".encode("utf-8", "surrogatepass"), "a.txt"),
    "csc-exam": lambda stem, option: (_csc_exam(stem, option), "a.json"),
    "json2qti": lambda stem, option: (json.dumps({"测验": {stem: ["乡政府", option, "村委会"]}}).encode(), "a.json"),
    "json": lambda stem, option: (_records(stem, option), "a.json"),
    "web-page": lambda stem, option: (page(_escaped(stem, option)).encode(), "a.html"),
    "examtext": lambda stem, option: (f"## x-0001 单选题 易\n题干：{stem}\nA：{option}\nB：乡政府\n答案：B\n解析：见条文。\n".encode(), "a.txt"),
    "aiken": lambda stem, option: (f"{stem}\nA. {option}\nB. 乡政府\nANSWER: B\n".encode(), "a.txt"),
    "csv": lambda stem, option: (_csv(stem, option), "a.csv"),
    "missingword": lambda stem, option: (f"{stem}由{{=乡政府 ~{option}}}决定。\n".encode(), "a.txt"),
    "moodle-cloze": lambda stem, option: (f"{stem}{{1:MULTICHOICE:{option}~=乡政府}}\n".encode(), "a.txt"),
    "gift": lambda stem, option: (f"::a::{stem}{{~{option} =乡政府}}\n".encode(), "a.gift"),
    "text": lambda stem, option: (_text(stem, option), "a.txt"),
}  # fmt: skip
"""By the name of the format. A PDF is read as text line by line once its words are taken out of it."""


def pictured(form: str, picture: bytes) -> tuple[bytes, str]:
    """Return a file of a format that keeps pictures, with these bytes in the place of the stem's picture."""
    suffix = {"excel": ".xlsx", "docx": ".docx", "moodle-xml": ".xml"}.get(form, ".zip")
    content = _pictured(form)
    if not content.startswith(b"PK"):
        return content.replace(base64.b64encode(PICTURE), base64.b64encode(picture)), f"a{suffix}"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    return packed(*((name, picture if data == PICTURE else data) for name, data in entries)), f"a{suffix}"


@cache
def _pictured(form: str) -> bytes:
    image = Image(name="a.png", media_type="image/png", content=PICTURE)
    question = Question(
        kind=Kind.SINGLE_CHOICE, stem=f'<p>{STEM}<img src="bank:a.png"></p>', options=(OPTION, "乡政府"), key=("B",), is_html=True, images=(image,),
    )  # fmt: skip
    return write_file([question], form).content
