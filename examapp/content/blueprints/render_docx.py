"""A drawn paper as Word documents, for those who write on paper: the paper, the answer sheet, the answers."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

from examapp.content.blueprints.queries import PaperBody, PaperItemBody, PaperSectionBody
from examapp.documents.html import html_to_text
from examapp.points import for_people

if TYPE_CHECKING:
    from examapp.documents.docx import WordDocument

_HEAD = "单位：________________　　姓名：____________　　工号：____________　　得分：________"
_A_ROW = 5
"""Questions in a row of the answer sheet."""
_LINE = "＿" * 30


def write_paper_files(paper: PaperBody, answers: Mapping[int, str], *, title: str) -> bytes:
    """Return a zip with the paper, its answer sheet and its answers; `answers` by item number. Pictures are left out, a word stands for each."""
    documents = {
        "试卷": _write_paper(paper, title),
        "答题纸": _write_answer_sheet(paper, title),
        "参考答案": _write_answers(paper, answers, title),
    }
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, document in documents.items():
            archive.writestr(f"{name}.docx", document.to_bytes())
    return buffer.getvalue()


def _begun(title: str) -> WordDocument:
    from examapp.documents.docx import WordDocument

    document = WordDocument()
    document.title(title)
    return document


def _write_paper(paper: PaperBody, title: str) -> WordDocument:
    document = _begun(title)
    document.paragraph(_HEAD, align="center")
    for section in paper["sections"]:
        _write_section_head(document, section)
        material = None
        for item in section["items"]:
            if item["material"] and item["material"] != material:
                document.paragraph(f"材料：{_text_of(item['material'])}")
            material = item["material"]
            lines = list(_lines_of(item))
            for number, line in enumerate(lines, 1):
                document.paragraph(line, has_next_beside=number < len(lines))
    return document


def _write_section_head(document: WordDocument, section: PaperSectionBody) -> None:
    points = sorted({item["points"] for item in section["items"]})
    each = f"，每题 {for_people(Decimal(points[0]))} 分" if len(points) == 1 else ""
    document.heading(f"{section['title']}（共 {len(section['items'])} 题{each}）")
    if section["instructions"]:
        document.paragraph(html_to_text(section["instructions"]))


def _lines_of(item: PaperItemBody) -> Iterator[str]:
    yield f"{item['item']}. {_text_of(item['stem'])}"
    for option in item["options"]:
        yield f"　　{option['key']}. {_text_of(option['text'])}"


def _text_of(fragment: str) -> str:
    return html_to_text(fragment.replace("<img", "（图）<img"))


def _write_answer_sheet(paper: PaperBody, title: str) -> WordDocument:
    """Write boxes for letters, five questions a row, and lines for words."""
    document = _begun(f"{title}　答题纸")
    document.paragraph(_HEAD, align="center")
    for section in paper["sections"]:
        _write_section_head(document, section)
        rows = []
        numbers = [str(item["item"]) for item in section["items"] if item["options"]]
        for start in range(0, len(numbers), _A_ROW):
            cells = [cell for number in numbers[start : start + _A_ROW] for cell in (number, "")]
            rows.append(cells + [""] * (2 * _A_ROW - len(cells)))
        if rows:
            document.table([("题号", 1, False), ("答案", 2, False)] * _A_ROW, rows)
        for item in section["items"]:
            if not item["options"]:
                document.paragraph(f"{item['item']}. {_LINE}" + f"\n{_LINE}" * ((item["blanks"] or 3) - 1))
    return document


def _write_answers(paper: PaperBody, answers: Mapping[int, str], title: str) -> WordDocument:
    document = _begun(f"{title}　参考答案（启封前保密）")
    for section in paper["sections"]:
        document.heading(section["title"])
        rows = [
            [str(item["item"]), answers[item["item"]], for_people(Decimal(item["points"]))] for item in section["items"]
        ]
        document.table([("题号", 1, False), ("答案", 6, False), ("分值", 1, True)], rows)
    return document
