"""A Word document of questions as offices send them: sections by kind, numbers and letters that are Word's own lists, key and explanation below each question."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import pypdfium2
from docx import Document
from docx.document import Document as WordDocument
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt

from question_bank.formats.export import plain_question
from question_bank.model import Kind, Question

SECTIONS = {
    Kind.SINGLE_CHOICE: "单选题", Kind.MULTIPLE_CHOICE: "多选题", Kind.TRUE_FALSE: "判断题", Kind.FILL_BLANK: "填空题", Kind.SHORT_ANSWER: "简答题",
}  # fmt: skip
_NUMERALS = "一二三四五"
_LIST = 90
"""The number of the first list; each section has one of its own, so that its numbers begin at 1."""
_LEVELS = (
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/><w:pPr><w:ind w:left="0" w:firstLine="0"/></w:pPr></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="upperLetter"/><w:lvlText w:val="%2."/><w:pPr><w:ind w:left="0" w:firstLine="0"/></w:pPr></w:lvl>'
)


def write(questions: Sequence[Question]) -> bytes:
    """Return the document: A4, SimSun of 12 points, lines one and a half high."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(3.18)
    section.top_margin = section.bottom_margin = Cm(2.54)
    style = document.styles["Normal"]
    style.font.size, style.font.name = Pt(12), "SimSun"
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "SimSun")
    style.paragraph_format.line_spacing, style.paragraph_format.space_after = 1.5, Pt(0)
    document.add_heading("2026年国家工作人员学法用法题库", 0)
    ordered = sorted(questions, key=lambda one: list(SECTIONS).index(one.kind))
    for place, (kind, group) in enumerate(groupby(ordered, key=lambda one: one.kind)):
        _add_list(document, _LIST + place)
        document.add_heading(f"{_NUMERALS[place]}、{SECTIONS[kind]}", 1)
        for question in group:
            for text, level in _lines(plain_question(question)):
                _add(document, text, level, _LIST + place)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _lines(question: Question) -> Iterator[tuple[str, int | None]]:
    """Yield the paragraphs of a question, each with its level in the list where it has one."""
    yield question.stem.replace("\n", ""), 0
    if question.kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE}:
        yield from ((option, 1) for option in question.options)
    yield f"答案：{_key_of(question)}", None
    if question.explanation:
        yield "解析：" + question.explanation.replace("\n", ""), None


def _key_of(question: Question) -> str:
    if question.kind is Kind.TRUE_FALSE:
        return "正确" if question.key == ("A",) else "错误"
    if question.kind is Kind.FILL_BLANK:
        return "；".join(variants[0] for variants in question.blanks)
    return "".join(question.key).replace("\n", "")


def _add_list(document: WordDocument, number: int) -> None:
    numbering = document.part.numbering_part.element
    abstract = parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{number}">{_LEVELS}</w:abstractNum>')
    numbering.insert(0, abstract)
    numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="{number}"/></w:num>'))


def _add(document: WordDocument, text: str, level: int | None, number: int) -> None:
    paragraph = document.add_paragraph()
    label, colon, rest = text.partition("：")
    if level is None and colon:  # the label in bold, as a run of its own
        paragraph.add_run(f"{label}：").bold = True
        text = rest
    paragraph.add_run(text)
    if level is not None:
        properties = OxmlElement("w:numPr")
        for name, value in (("w:ilvl", level), ("w:numId", number)):
            element = OxmlElement(name)
            element.set(qn("w:val"), str(value))
            properties.append(element)
        paragraph.paragraph_format.element.get_or_add_pPr().append(properties)


def count_pages(content: bytes) -> int | None:
    """Count the pages as LibreOffice lays them out; None where it is not installed."""
    program = shutil.which("soffice")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "questions.docx")
        source.write_bytes(content)
        command = [program, "--headless", f"-env:UserInstallation={Path(folder, 'profile').as_uri()}"]
        command += ["--convert-to", "pdf", "--outdir", folder, str(source)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        with pypdfium2.PdfDocument(source.with_suffix(".pdf")) as pages:
            return len(pages)
