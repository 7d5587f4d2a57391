"""Questions written as a Word document: plain questions as paragraphs, cases as a table that reads back."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

from question_bank.formats.docx_pictures import Pictures
from question_bank.formats.excel.writing import rows_of
from question_bank.formats.free_writer import lines_of
from question_bank.formats.written import Written
from question_bank.model import Kind, Question
from question_bank.parse_result import Note

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="png" ContentType="image/png"/><Default Extension="jpg" ContentType="image/jpeg"/>'
    '<Default Extension="jpeg" ContentType="image/jpeg"/><Default Extension="gif" ContentType="image/gif"/>'
    '<Default Extension="bmp" ContentType="image/bmp"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'
    '<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    "{inner}</Relationships>"
)
_RELATION = '<Relationship Id="{name}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/>'
_RUN = '<w:r><w:t xml:space="preserve">{}</w:t></w:r>'
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
    pictures = Pictures()
    taken = [pictures.take(question) for question in questions]
    lines, losses = lines_of([question for question in taken if question.kind is not Kind.CASE], "Word ")
    body = "".join(_paragraph(line, pictures) for line in lines)
    cases = [question for question in taken if question.kind is Kind.CASE]
    if cases:
        table, lost = _table(cases, pictures)
        body += _paragraph("案例题", pictures) + table + _paragraph("", pictures)
        losses += lost
    document = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="{_W}"><w:body>{body}'
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
        "</w:body></w:document>"
    )
    return Written(_packed(document, pictures), losses)


def _paragraph(text: str, pictures: Pictures) -> str:
    runs = "<w:r><w:br/></w:r>".join(
        pictures.runs(escape(_FORBIDDEN.sub("", line)), _RUN) for line in text.split("\n")
    )  # fmt: skip
    return f"<w:p>{runs}</w:p>" if text else "<w:p/>"


def _table(cases: Sequence[Question], pictures: Pictures) -> tuple[str, list[Note]]:
    """Give the table of our own shape, with the options in columns of their own as far as there are any."""
    rows = list(rows_of(cases))
    letters = sorted({head for row in rows for head, cell in row.cells.items() if head.startswith("选项") and cell})
    heads = [*_CASE_HEADS[:3], *letters, *_CASE_HEADS[3:]]
    heads = [head for head in heads if head in _CASE_HEADS[:4] or any(row.cells.get(head) for row in rows)]
    losses = [Note(n.where, n.reason.replace("Excel", "Word"), n.code) for row in rows for n in row.losses]
    losses += [
        Note(row.where, f"题里的图片“{image.name}”Word 不能显示，没有写入。", "image")
        for row in rows
        for _, image in row.pictures
    ]
    cells = [heads, *([row.cells.get(head, "") for head in heads] for row in rows)]
    border = "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>' for side in ("top", "left", "bottom", "right", "insideH", "insideV"))  # fmt: skip
    lines = "".join(
        "<w:tr>" + "".join(f"<w:tc><w:tcPr/>{_paragraph(cell, pictures)}</w:tc>" for cell in line) + "</w:tr>"
        for line in cells
    )  # fmt: skip
    grid = "<w:tblGrid>" + "<w:gridCol/>" * len(heads) + "</w:tblGrid>"
    return f"<w:tbl><w:tblPr><w:tblBorders>{border}</w:tblBorders></w:tblPr>{grid}{lines}</w:tbl>", losses


def _packed(document: str, pictures: Pictures) -> bytes:
    target = io.BytesIO()
    parts = pictures.parts()
    main = _RELATION.format(name="rId1", kind="officeDocument", target="word/document.xml")
    inner = _RELATION.format(name="rId1", kind="styles", target="styles.xml")
    inner += "".join(_RELATION.format(name=name, kind="image", target=part) for name, part, _ in parts)
    files: list[tuple[str, str | bytes]] = [
        ("[Content_Types].xml", _TYPES),
        ("_rels/.rels", _RELATIONS.format(inner=main)),
        ("word/_rels/document.xml.rels", _RELATIONS.format(inner=inner)),
        ("word/styles.xml", _STYLES),
        ("word/document.xml", document),
    ]
    files += [(f"word/{part}", content) for _, part, content in parts]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()
