"""Write questions as plain text and Word, in a form that the readers here read back."""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape

from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.image import Image as SizedImage

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.csv_table import AFTER_OPTIONS, BEFORE_OPTIONS, rows_of
from question_bank.formats.export import ExportedFile, not_exported, plain_question, unsupported_fields
from question_bank.formats.pictures import picture_sign
from question_bank.formats.text import read_text
from question_bank.kinds.registry import KIND_NAMES, kind_of
from question_bank.model import (
    DIFFICULTY_NAMES,
    FIRST_NUMBERED,
    NUMBERED,
    OPTION_LETTERS,
    PICTURE,
    TRUE_FALSE_OPTIONS,
    Image,
    Kind,
    Note,
    Question,
)
from question_bank.rich import to_plain

_IMG = re.compile(r"<img\b[^<>]*?\bsrc\s*=\s*([\"'])bank:(?P<name>[^\"'<>]+)\1[^<>]*>", re.IGNORECASE)
_SIGN = re.compile(f"{PICTURE}({NUMBERED})")
_EMU = 9525
"""English Metric Units a pixel, as Office counts them (ECMA-376 part 1, 20.1.10.16)."""
WIDEST, TALLEST = 560, 700
"""Pixels that a page of A4 has room for."""
_DRAWING = (
    '<w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing">'
    '<wp:extent cx="{width}" cy="{height}"/><wp:docPr id="{number}" name="图{number}"/>'
    '<a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture">'
    '<pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:nvPicPr>'
    '<pic:cNvPr id="{number}" name="图{number}"/><pic:cNvPicPr/></pic:nvPicPr>'
    '<pic:blipFill><a:blip xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:embed="picture{number}"/>'
    '<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'
    '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>'
)


@dataclass(slots=True)
class Pictures:
    """The pictures of a document in the order of their signs, each with the size at which it is drawn."""

    images: list[Image] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)

    def take(self, question: Question) -> Question:
        """Return the question with signs for its pictures; one that Word cannot show stays among its images."""
        parts = tuple(self.take(part) for part in question.parts)
        if not question.is_html or not question.images:
            return replace(question, parts=parts)
        by_name = {image.name: image for image in question.images}
        taken: dict[str, int] = {}

        def sign(match: re.Match[str]) -> str:
            name = match["name"]
            if name not in taken and name in by_name and (size := _size(by_name[name])):
                taken[name] = len(self.images)
                self.images.append(by_name[name])
                self.sizes.append(size)
            return picture_sign(taken[name]) if name in taken else match[0]

        return replace(
            question,
            stem=_IMG.sub(sign, question.stem),
            options=tuple(_IMG.sub(sign, option) for option in question.options),
            explanation=_IMG.sub(sign, question.explanation),
            parts=parts,
            images=tuple(image for image in question.images if image.name not in taken),
        )

    def runs(self, text: str, run: str) -> str:
        """Return the runs of a line of text, drawings where its signs stand; `run` has a place for words."""
        pieces = _SIGN.split(text)
        wording = [run.format(piece) if piece else "" for piece in pieces[::2]]
        drawings = [self._drawing(ord(sign) - FIRST_NUMBERED) for sign in pieces[1::2]]
        return "".join(piece for pair in zip(wording, [*drawings, ""], strict=True) for piece in pair)

    def _drawing(self, number: int) -> str:
        width, height = self.sizes[number]
        return _DRAWING.format(number=number + 1, width=width * _EMU, height=height * _EMU)

    def parts(self) -> list[tuple[str, str, bytes]]:
        """Return for each picture its relationship id, the path of its part and its bytes."""
        names = [f"picture{number}" for number in range(1, len(self.images) + 1)]
        paths = (
            f"media/{name}{posixpath.splitext(image.name)[1]}" for name, image in zip(names, self.images, strict=True)
        )
        return list(zip(names, paths, (image.content for image in self.images), strict=True))


def _size(image: Image) -> tuple[int, int] | None:
    """Return width and height in pixels, scaled down to fit the page; None for a picture that Word cannot show."""
    try:
        drawn = SizedImage(io.BytesIO(image.content))
    except XlsxWriterException:
        return None
    scale = min(1, WIDEST / max(drawn.width, 1), TALLEST / max(drawn.height, 1))
    return max(1, round(drawn.width * scale)), max(1, round(drawn.height * scale))


_NUMERALS = "一二三四五六七八九十"


def write_text(questions: Sequence[Question]) -> ExportedFile:
    """Write plain text, grouped by kind; each question is read back, and one that reads differently is named."""
    lines, dropped = lines_of([q for q in questions if q.kind is not Kind.CASE], "纯文本")
    dropped += [not_exported(f"第 {n} 题", q, "纯文本") for n, q in enumerate(questions, 1) if q.kind is Kind.CASE]
    return ExportedFile(("\ufeff" + "\r\n".join(lines) + "\r\n").encode(), dropped)


def lines_of(questions: Sequence[Question], format_name: str) -> tuple[list[str], list[Note]]:
    """Return the lines of plain questions, with what they cannot say."""
    lines: list[str] = []
    dropped: list[Note] = []
    kinds = [kind for kind in KIND_NAMES if any(question.kind is kind for question in questions)]
    number = 0
    for place, kind in enumerate(kinds):
        heading = f"{_NUMERALS[place]}、{KIND_NAMES[kind]}"
        lines += [heading, ""]
        for question in (each for each in questions if each.kind is kind):
            number += 1
            own = list(_lines(plain_question(question), number))
            dropped += _dropped_content(question, f"第 {number} 题", format_name)
            if not _reads_back(question, [heading, *own]):
                stem = plain_question(question).stem[:20]
                reason = f"{format_name}写法有歧义，再导入时可能读成别的样子，请核对（题干：{stem}）。"
                dropped.append(Note(f"第 {number} 题", reason, "ambiguous"))
            lines += [*own, ""]
    return lines, dropped


def _lines(question: Question, number: int) -> Iterator[str]:
    first, *more = question.stem.strip().splitlines() or [""]
    yield f"{number}. {first}"
    yield from more
    if kind_of(question.kind).has_options:
        pairs = zip(OPTION_LETTERS, question.options, strict=False)
        yield from (f"{letter}. {_one_line(text)}" for letter, text in pairs)
    yield f"答案：{_answer(question)}"
    if question.explanation:
        yield f"解析：{_one_line(question.explanation)}"
    if question.difficulty:
        yield f"难度：{DIFFICULTY_NAMES[question.difficulty]}"
    if question.knowledge_points:
        yield f"知识点：{'；'.join(question.knowledge_points)}"
    if question.points is not None:
        yield f"分值：{question.points}"


def _answer(question: Question) -> str:
    if question.kind is Kind.TRUE_FALSE:
        return TRUE_FALSE_OPTIONS[0] if question.key == ("A",) else TRUE_FALSE_OPTIONS[1]
    if question.kind is Kind.FILL_BLANK:
        return "；".join("|".join(variants) for variants in question.blanks)
    return "\n".join(question.key) if question.kind is Kind.SHORT_ANSWER else "".join(question.key)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _dropped_content(question: Question, where: str, format_name: str) -> list[Note]:
    has_markup = question.is_html and any(to_plain(text)[1] for text in (question.stem, *question.options))
    return unsupported_fields(where, question, format_name, "citation", "tags", "code", "images", markup=has_markup)


def _reads_back(question: Question, lines: Iterable[str]) -> bool:
    """Return whether our own reader makes the same question of the lines."""
    try:
        found = read_text("\n".join(lines), name="", format_name="text")
    except UnreadableFileError:
        return False
    if len(found.imported) != 1 or found.needing_review or found.rejected:
        return False
    return _said(plain_question(found.imported[0].question)) == _said(plain_question(question))


def _said(question: Question) -> tuple[object, ...]:
    """Return what must come back: spaces apart."""
    texts = (question.stem, *question.options, question.explanation, "", *question.key)
    blanks = tuple(frozenset(variants) for variants in question.blanks)
    bare = tuple("".join(text.split()) for text in texts)
    return question.kind, len(question.options), bare, blanks, question.difficulty, question.points


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
_CASE_HEADS = (*BEFORE_OPTIONS, *AFTER_OPTIONS)
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_EPOCH = (2026, 1, 1, 0, 0, 0)


def write_docx(questions: Sequence[Question]) -> ExportedFile:
    """Write a document; each plain question is read back, and one that reads differently is named."""
    pictures = Pictures()
    taken = [pictures.take(question) for question in questions]
    lines, dropped = lines_of([question for question in taken if question.kind is not Kind.CASE], "Word ")
    body = "".join(_paragraph(line, pictures) for line in lines)
    cases = [question for question in taken if question.kind is Kind.CASE]
    if cases:
        table, lost = _table(cases, pictures)
        body += _paragraph("案例题", pictures) + table + _paragraph("", pictures)
        dropped += lost
    document = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="{_W}"><w:body>{body}'
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
        "</w:body></w:document>"
    )
    return ExportedFile(_packed(document, pictures), dropped)


def _paragraph(text: str, pictures: Pictures) -> str:
    runs = "<w:r><w:br/></w:r>".join(
        pictures.runs(escape(_FORBIDDEN.sub("", line)), _RUN) for line in text.split("\n")
    )  # fmt: skip
    return f"<w:p>{runs}</w:p>" if text else "<w:p/>"


def _table(cases: Sequence[Question], pictures: Pictures) -> tuple[str, list[Note]]:
    """Return the table of our own shape, with the options in columns of their own as far as there are any."""
    rows = list(rows_of(cases))
    letters = sorted({head for row in rows for head, cell in row.cells.items() if head.startswith("选项") and cell})
    heads = [*_CASE_HEADS[:3], *letters, *_CASE_HEADS[3:]]
    heads = [head for head in heads if head in _CASE_HEADS[:4] or any(row.cells.get(head) for row in rows)]
    dropped = [Note(n.where, n.reason.replace("Excel", "Word"), n.code) for row in rows for n in row.dropped]
    lost = ((row.where, image.name) for row in rows for _, image in row.pictures)
    dropped += [Note(where, f"题里的图片“{name}”Word 不能显示，没有写入。", "image") for where, name in lost]
    cells = [heads, *([row.cells.get(head, "") for head in heads] for row in rows)]
    border = "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>' for side in ("top", "left", "bottom", "right", "insideH", "insideV"))  # fmt: skip
    lines = "".join(
        "<w:tr>" + "".join(f"<w:tc><w:tcPr/>{_paragraph(cell, pictures)}</w:tc>" for cell in line) + "</w:tr>"
        for line in cells
    )  # fmt: skip
    grid = "<w:tblGrid>" + "<w:gridCol/>" * len(heads) + "</w:tblGrid>"
    return f"<w:tbl><w:tblPr><w:tblBorders>{border}</w:tblBorders></w:tblPr>{grid}{lines}</w:tbl>", dropped


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
