"""The county's circular (通报) on an exam: a Word template with named places, filled with the figures, and the same as PDF."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from examapp.clock import local, span_text
from examapp.documents.office_templates import open_document, rejecting_what_cannot_be_filled, same_bytes
from examapp.oversight.statistics_definitions.rules import SCOPE_NAMES, Counts, Scope, UnitStatsRow
from examapp.oversight.statistics_scope.queries import ReportContext

if TYPE_CHECKING:
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    from examapp.documents.pdf import Align, PdfDocument

NOTHING = "–"
UNIT_PLACES = (
    "编码",
    "单位",
    "名册人数",
    "免考",
    "缓考",
    "应考",
    "参考",
    "未参考",
    "合格",
    "良好",
    "优秀",
    "不合格",
    "参考率",
    "合格率",
    "通过率",
    "优秀率",
    "平均分",
)
"""What is known of each unit of the list 各单位, and of the whole."""
PLACES = (
    "考试名称", "年份", "考试日期", "开始日期", "结束日期", "统计时间", "名册", "口径", "统计范围", "数据说明", "主送单位", "落款单位", "落款日期",
    "待督促单位", "工作要求", *UNIT_PLACES[1:],
)  # fmt: skip
LIST_PLACE = "各单位"
_TITLE_PT = 442.0
"""The room between the margins of an official document, in points."""
_HALF = 0.55
"""How wide a letter or digit is, in Chinese characters."""
_SIZES = {"title": 22, "table": 9}


def text_of(
    report_context: ReportContext,
    rows: Sequence[UnitStatsRow],
    *,
    issuer: str,
    is_of_unit: bool = False,
    roster_label: str,
    filter_label: str = "",
) -> dict[str, Any]:
    """Give every named place its words: the whole's figures, and those of the units just below, by unit code; `filter_label` says of whom alone they are."""
    whole, below = rows[0], rows[1:]
    opens, closes, as_of = (
        local(report_context.exam.opens_at),
        local(report_context.exam.closes_at),
        local(report_context.as_of),
    )
    rate = whole.counts.participation_rate
    lagging = [
        row.unit.name
        for row in below
        if rate is not None and row.counts.participation_rate is not None and row.counts.participation_rate < rate
    ]
    return {
        **_unit_text(whole),
        "考试名称": report_context.exam.title,
        "年份": str(opens.year),
        "考试日期": span_text(opens.date(), closes.date()),
        "开始日期": _day(opens),
        "结束日期": _day(closes),
        "统计时间": _minute(as_of),
        "名册": roster_label,
        "口径": "，".join(part for part in (SCOPE_NAMES[report_context.scope], filter_label) if part),
        "统计范围": "，".join(
            part for part in (_SCOPES[report_context.scope], filter_label, f"数据截至{_minute(as_of)}") if part
        ),
        "数据说明": f"以上数据统计截至{_minute(as_of)}，人员以{_roster(report_context)}为准",
        "主送单位": _RECIPIENTS[is_of_unit],
        "落款单位": issuer or whole.unit.name,
        "落款日期": _day(as_of),
        "待督促单位": "、".join(lagging) or "无",
        "工作要求": demand_text(lagging, whole.counts.absent, issuer or whole.unit.name),
        LIST_PLACE: [_unit_text(row) for row in below or rows],
    }


def demand_text(lagging: Sequence[str], absent: int, issuer: str) -> str:
    """Say what a circular asks of the units: of those below the whole's rate by name, or of whoever has somebody absent, or of all to go on."""
    if lagging:
        return f"参考率低于总体水平的单位（{'、'.join(lagging)}）要查找原因，督促未参考人员按时参加考试或补考，并将情况报{issuer}。"
    if absent:
        return f"有未参考人员的单位要逐人核实原因，督促其按时参加考试或补考，并将情况报{issuer}。"
    return "各单位要巩固参考成果，继续组织好国家工作人员日常学法。"


def _day(instant: datetime) -> str:
    return f"{instant.year}年{instant.month}月{instant.day}日"


_RECIPIENTS = {False: "各乡镇人民政府，各有关单位", True: "各内设机构，各所属单位"}
"""To whom a circular goes: of the county's office, and of a unit."""
_SCOPES = {Scope.THIS: "", Scope.FINAL: "含补考"}


def _minute(instant: datetime) -> str:
    return f"{_day(instant)}{instant:%H:%M}"


def _roster(report_context: ReportContext) -> str:
    due_at = report_context.snapshot_due_at
    return "当时在册名单" if due_at is None else f"{_minute(local(due_at))}冻结的名单"


def _unit_text(row: UnitStatsRow) -> dict[str, str]:
    c: Counts = row.counts
    rates = (c.participation_rate, c.pass_rate, c.pass_of_eligible_rate, c.excellence_rate)
    people = (c.roster, c.exempt, c.deferred, c.eligible, c.participated, c.absent)
    bands = (c.passed, c.good, c.excellent, c.failed)
    values = [row.unit.code, row.unit.name, *map(str, (*people, *bands)), *map(_rate, rates), _points(c.mean_points)]
    return dict(zip(UNIT_PLACES, values, strict=True))


def _rate(rate: Decimal | None) -> str:
    return NOTHING if rate is None else f"{rate}%"


def _points(points: Decimal | None) -> str:
    return NOTHING if points is None else str(points)


def shipped_template() -> bytes:
    """Give the form of a circular that comes with the product, with its named places, for filling or for changing."""
    from examapp.documents.docx import WordDocument

    docx = WordDocument(is_official=True)
    docx.title("关于{{ 考试名称 }}参考情况的通报")
    docx.paragraph("{{ 主送单位 }}：")
    docx.paragraph(
        "{{ 考试日期 }}，{{ 单位 }}组织开展了{{ 考试名称 }}。现将参考情况（{{ 统计范围 }}）通报如下。",
        is_indented=True,
    )
    docx.heading("一、总体情况")
    docx.paragraph(
        "名册人员{{ 名册人数 }}人，其中免考{{ 免考 }}人、缓考{{ 缓考 }}人，应考{{ 应考 }}人；参考{{ 参考 }}人，未参考{{ 未参考 }}人，参考率{{ 参考率 }}。"
        "参考人员中合格{{ 合格 }}人（其中良好{{ 良好 }}人、优秀{{ 优秀 }}人），不合格{{ 不合格 }}人，合格率{{ 合格率 }}，优秀率{{ 优秀率 }}；平均分{{ 平均分 }}。",
        is_indented=True,
    )
    docx.heading("二、各单位情况")
    docx.paragraph("各单位参考情况按单位编码排列如下：", is_indented=True)
    counts = ("应考", "参考", "未参考", "良好", "不合格")
    heads = [("单位", 20, False), *((name, 7.4, True) for name in counts)]
    rates = [(name, 10.6, True) for name in ("参考率", "合格率", "优秀率")]
    columns = [*heads, *rates]
    loop = ["{%tr for 行 in 各单位 %}", *[""] * (len(columns) - 1)]
    cells = [f"{{{{ 行.{name} }}}}" for name, _, _ in columns]
    docx.table(columns, [loop, cells, ["{%tr endfor %}", *[""] * (len(columns) - 1)]])
    docx.heading("三、有关要求")
    docx.paragraph(
        "{{ 工作要求 }}",
        is_indented=True,
    )
    docx.paragraph(
        "说明：{{ 数据说明 }}；参考率＝参考÷应考，合格率＝合格÷参考，优秀率＝优秀÷参考，平均分只按参考人员计算。",
        is_indented=True,
    )
    docx.paragraph("")
    docx.paragraph("{{ 落款单位 }}　　", align="right")
    docx.paragraph("{{ 落款日期 }}　　", align="right")
    return docx.to_bytes()


def sandbox() -> ImmutableSandboxedEnvironment:
    """Give the environment in which templates are filled: no attribute of a Python object is reached, an unknown name is an error."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    environment.globals.clear()
    return environment


def fill(template: bytes | None, text: dict[str, Any]) -> bytes:
    """Fill a template, the shipped one for None; the same words make the same bytes."""
    document = open_document(template or shipped_template())
    buffer = io.BytesIO()
    with rejecting_what_cannot_be_filled():
        document.render(text, jinja_env=sandbox(), autoescape=True)
        if template is None:
            _break_title(document)
        document.save(buffer)
    return same_bytes(buffer.getvalue())


def _break_title(document: Any) -> None:
    """Break the shipped form's title by its sense, as the PDF does."""
    from examapp.documents.pdf_font import break_title

    title = document.docx.paragraphs[0]
    title.runs[0].text = "\n".join(break_title(title.text, width=_TITLE_PT, size_pt=_SIZES["title"]))


def as_pdf(docx: bytes, *, made_at: datetime, watermark: str = "") -> bytes:
    """Set a filled circular as PDF: its paragraphs and tables in their order, so that both say the same."""
    from docx import Document
    from docx.table import Table

    from examapp.documents.pdf import OFFICIAL, PdfDocument
    from examapp.documents.pdf_font import SANS, has_all

    source = Document(io.BytesIO(docx))
    parts: list[Any] = list(_parts(source))
    title = next(
        (part.text.replace("\n", "") for part in parts if not isinstance(part, Table) and part.text.strip()),
        "通报",
    )
    is_song = has_all("".join(source.element.body.itertext()) + watermark, OFFICIAL.face)
    layout = OFFICIAL if is_song else replace(OFFICIAL, face=SANS)  # a rare name is not to become a box
    document = PdfDocument(title=title, made_at=made_at, layout=layout, watermark=watermark)
    has_title = False
    for part in parts:
        if isinstance(part, Table):
            _set_table(document, part)
        elif not has_title and part.text.strip():
            document.title(part.text.strip().replace("\n", ""))
            has_title = True
        else:
            _set_paragraph(document, part)
    content: bytes = document.to_bytes()
    return content


def _parts(source: Any) -> Iterator[Paragraph | Table]:
    from docx.oxml.ns import qn
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    for element in source.element.body.iterchildren():
        if element.tag == qn("w:p"):
            yield Paragraph(element, source)
        elif element.tag == qn("w:tbl"):
            yield Table(element, source)


def _set_paragraph(document: PdfDocument, part: Paragraph) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    aligns: dict[Any, Align] = {WD_ALIGN_PARAGRAPH.CENTER: "center", WD_ALIGN_PARAGRAPH.RIGHT: "right"}
    is_indented = bool(part.paragraph_format.first_line_indent)
    document.paragraph(part.text, align=aligns.get(part.alignment, "left"), is_indented=is_indented)


def _set_table(document: PdfDocument, table: Table) -> None:
    from examapp.documents.pdf import PdfColumn

    rows = [[cell.text for cell in row.cells] for row in table.rows]
    limit = max((len(row) for row in rows), default=0)
    rows = [row + [""] * (limit - len(row)) for row in rows]
    if not rows or not limit:
        return
    longest = [max(_length(row[index]) for row in rows) for index in range(limit)]
    numbers = [all(_is_number(row[index]) for row in rows[1:]) for index in range(limit)]
    heads = [
        PdfColumn(text=text, width=min(max(length, 3), 12) + 1.5, align="right" if is_number else "left")
        for text, length, is_number in zip(rows[0], longest, numbers, strict=True)
    ]
    document.table(heads, rows[1:], size=_SIZES["table"])


def _length(text: str) -> float:
    """Give about how many Chinese characters wide a text is."""
    return sum(_HALF if char.isascii() else 1.0 for char in text)


def _is_number(text: str) -> bool:
    return text == NOTHING or text.rstrip("%").replace(".", "", 1).isdigit()
