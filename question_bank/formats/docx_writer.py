"""Questions written as a Word document: plain questions as paragraphs, cases as a table that reads back."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

from question_bank.formats.excel.writing import rows_of
from question_bank.formats.free_writer import lines_of
from question_bank.formats.losses import unsaid
from question_bank.formats.written import Written
from question_bank.model import Kind, Question
from question_bank.reading import Note

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'
    '<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/>'
    "</Relationships>"
)
_STYLES = (
    f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:styles xmlns:w="{_W}"><w:docDefaults><w:rPrDefault><w:rPr>'
    '<w:rFonts w:ascii="SimSun" w:hAnsi="SimSun" w:eastAsia="SimSun"/><w:sz w:val="24"/></w:rPr></w:rPrDefault></w:docDefaults></w:styles>'
)
_CASE_HEADS = (
    "编号",
    "题型",
    "题干",
    "答案",
    "解析",
    "难度",
    "知识点",
    "法律",
    "条文",
    "法律版本",
    "分值",
    "标签",
    "所属案例",
)
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_EPOCH = (2026, 1, 1, 0, 0, 0)


def write(questions: Sequence[Question]) -> Written:
    """Write a document; each plain question is read back, and one that reads differently is named."""
    lines, losses = lines_of([question for question in questions if question.kind is not Kind.CASE], "Word ")
    body = "".join(_paragraph(line) for line in lines)
    cases = [question for question in questions if question.kind is Kind.CASE]
    if cases:
        table, lost = _table(cases)
        body += _paragraph("案例题") + table + _paragraph("")
        losses += lost
    document = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="{_W}"><w:body>{body}'
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
        "</w:body></w:document>"
    )
    return Written(_packed(document), losses)


def _paragraph(text: str) -> str:
    runs = "<w:r><w:br/></w:r>".join(
        f'<w:r><w:t xml:space="preserve">{escape(_FORBIDDEN.sub("", line))}</w:t></w:r>' for line in text.split("\n")
    )  # fmt: skip
    return f"<w:p>{runs}</w:p>" if text else "<w:p/>"


def _table(cases: Sequence[Question]) -> tuple[str, list[Note]]:
    """Give the table of our own shape, with the options in columns of their own as far as there are any."""
    rows = list(rows_of(cases))
    letters = sorted({head for row in rows for head, cell in row.cells.items() if head.startswith("选项") and cell})
    heads = [*_CASE_HEADS[:3], *letters, *_CASE_HEADS[3:]]
    heads = [head for head in heads if head in _CASE_HEADS[:4] or any(row.cells.get(head) for row in rows)]
    losses = [Note(n.where, n.reason.replace("Excel", "Word"), n.code) for row in rows for n in row.losses]
    losses += [
        note
        for place, case in enumerate(cases, 1)
        for note in unsaid(f"案例第 {place} 题", case, "Word ", images=case.images)
    ]
    cells = [heads, *([row.cells.get(head, "") for head in heads] for row in rows)]
    border = "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>' for side in ("top", "left", "bottom", "right", "insideH", "insideV"))  # fmt: skip
    lines = "".join(
        "<w:tr>" + "".join(f"<w:tc><w:tcPr/>{_paragraph(cell) if cell else '<w:p/>'}</w:tc>" for cell in line) + "</w:tr>"
        for line in cells
    )  # fmt: skip
    grid = "<w:tblGrid>" + "<w:gridCol/>" * len(heads) + "</w:tblGrid>"
    return f"<w:tbl><w:tblPr><w:tblBorders>{border}</w:tblBorders></w:tblPr>{grid}{lines}</w:tbl>", losses


def _packed(document: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _RELATIONS.format(kind="officeDocument", target="word/document.xml")),
            ("word/_rels/document.xml.rels", _RELATIONS.format(kind="styles", target="styles.xml")),
            ("word/styles.xml", _STYLES),
            ("word/document.xml", document),
        ):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text, zipfile.ZIP_DEFLATED)
    return target.getvalue()
