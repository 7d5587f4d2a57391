"""Reads about the office's own forms of reports."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from examapp.documents.office_templates import STUMBLES, UnfitTemplateError, broken_form, open_document, open_workbook
from examapp.errors import BadRequestError, NotFoundError
from examapp.oversight.report_templates import render_docx, render_xlsx
from examapp.oversight.report_templates.models import ReportTemplate
from examapp.oversight.report_templates.render_docx import LIST_PLACE, PLACES, UNIT_PLACES, sandbox
from examapp.oversight.report_templates.render_xlsx import EVIDENCE_PLACE, PLACE, ROW_NAME, ROW_PLACES
from examapp.oversight.statistics_definitions.rules import TEMPLATE_FORMATS
from examapp.platform.audit.actions import ActionContext, record
from examapp.uploads.models import FileKind
from examapp.uploads.rules import validate_content

AUDIT_ACTS = {"reports.add_template": "上传报表模板", "reports.use_template": "启用报表模板"}
AUDIT_OBJECTS = {"report_template": "报表模板"}


def current_template(session: Session, content: str, format_: str) -> ReportTemplate | None:
    """Give the office's own form of a report; None where the shipped one holds, or the format has no form."""
    if format_ not in TEMPLATE_FORMATS.get(content, ()):
        return None
    query = select(ReportTemplate).where(ReportTemplate.content == content, ReportTemplate.is_current)
    template = session.scalars(query).one_or_none()
    return template if template is not None and template.file is not None else None


def list_templates(session: Session) -> list[ReportTemplate]:
    """List all versions of all forms, the newest first."""
    return list(session.scalars(select(ReportTemplate).order_by(ReportTemplate.content, ReportTemplate.number.desc())))


def get_template(session: Session, template_id: int) -> ReportTemplate:
    """Get one version of a form; raises NotFoundError."""
    template = session.get(ReportTemplate, template_id)
    if template is None:
        raise NotFoundError
    return template


_SHAPE = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.For, nodes.If, nodes.Getattr)
_TESTS = (nodes.Const, nodes.Compare, nodes.Operand, nodes.Not, nodes.And, nodes.Or)
_FOOTNOTES = ".wordprocessingml.footnotes+xml"
_PROPERTIES = ("author", "comments", "identifier", "language", "subject", "title")
_MAX_NODES = 20_000
_MAX_LOOPED = 100_000
"""Characters that one more unit of the list may add to a circular: a row of twenty columns has some 15,000."""
_MAX_BYTES = 2 * 1024 * 1024


def validate_template(content: str, file: bytes) -> None:
    """Check a form: a sound file without macros, and only named places that exist; raises UnfitTemplateError, InvalidFileError."""
    if len(file) > _MAX_BYTES:
        raise UnfitTemplateError("模板文件超过 2 MB。请去掉图片等内容后重新上传。")
    kind = FileKind.DOCX if content == "circular" else FileKind.XLSX
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as part:
        part.write(file)
        part.flush()
        validate_content(kind, Path(part.name))
    (_validate_docx if kind is FileKind.DOCX else _validate_xlsx)(file)


def _validate_docx(file: bytes) -> None:
    found = False
    for source in _read_sources(file):
        try:
            tree = sandbox().parse(source)
        except (TemplateSyntaxError, RecursionError) as error:
            raise UnfitTemplateError(
                f"模板里的大括号写法不完整（{(getattr(error, 'message', '') or '层次过多')[:80]}）。占位名请写成 {{{{ 应考 }}}}，表格行请用 {{%tr for 行 in 各单位 %}} 和 {{%tr endfor %}}。"
            ) from error
        _validate_template_size(tree)
        names = _loop_names(tree)
        for node in tree.find_all(nodes.Node):
            found = found or isinstance(node, nodes.Name)
            _validate_node(node, names)
    if not found:
        raise UnfitTemplateError("模板里没有任何占位名，生成的文件不会有数字。请至少写入一个，如 {{ 应考 }}。")


def _read_sources(file: bytes) -> list[str]:
    """Read what a form holds; a package with parts missing or of another shape is rejected, whatever the library stumbles over."""
    try:
        return list(_sources(open_document(file)))
    except STUMBLES as error:
        raise broken_form("Word", ".docx") from error


def _sources(template: Any) -> Iterator[str]:
    """Give the text of everything that the template engine renders: body, heads, feet, footnotes and the document's properties."""
    yield template.patch_xml(template.get_xml())
    for uri in (template.HEADER_URI, template.FOOTER_URI):
        for _, part in template.get_headers_footers(uri):
            yield template.patch_xml(template.get_part_xml(part))
    for part in template.docx.part.package.parts:
        if part.content_type.endswith(_FOOTNOTES):
            yield template.patch_xml(part.blob.decode("utf-8"))
    properties = template.docx.core_properties
    yield from (getattr(properties, name) for name in _PROPERTIES)


def _validate_template_size(tree: nodes.Template) -> None:
    """Reject what grows without bound when it is filled: a loop within a loop, and loops about very much text."""
    loops = list(tree.find_all(nodes.For))
    if any(inner is not loop for loop in loops for inner in loop.find_all(nodes.For)):
        raise UnfitTemplateError(
            f"模板里的循环套了循环。“{LIST_PLACE}”循环一次就列出全部单位，请去掉里层的 for 和 endfor 后重新上传。"
        )
    looped = sum(len(text.data) for loop in loops for text in loop.find_all(nodes.TemplateData))
    if looped > _MAX_LOOPED or len(list(tree.find_all(nodes.Node))) > _MAX_NODES:
        raise UnfitTemplateError(
            "模板里循环的内容太多，生成的文件会非常大。每个单位请只写一行表格，去掉循环里的图片和大段文字后重新上传。"
        )


def _loop_names(tree: nodes.Template) -> set[str]:
    return {loop.target.name for loop in tree.find_all(nodes.For) if isinstance(loop.target, nodes.Name)}


def _validate_node(node: nodes.Node, loop_names: set[str]) -> None:
    if not isinstance(node, _SHAPE + _TESTS):
        raise UnfitTemplateError(
            f"模板里用了不支持的写法（{type(node).__name__}）。只能写占位名、如果（if）和按单位循环（for）。"
        )
    if isinstance(node, nodes.For) and not (isinstance(node.iter, nodes.Name) and node.iter.name == LIST_PLACE):
        raise UnfitTemplateError(f"表格只能按“{LIST_PLACE}”循环，请写 {{%tr for 行 in {LIST_PLACE} %}}。")
    if isinstance(node, nodes.Getattr):
        if not isinstance(node.node, nodes.Name) or node.node.name not in loop_names:
            raise UnfitTemplateError(f"模板里的“{node.attr}”前面只能是循环的名称，如 行.{node.attr}。")
        _validate_placeholder(node.attr, UNIT_PLACES)
    elif isinstance(node, nodes.Name) and node.name not in loop_names and node.name != LIST_PLACE:
        _validate_placeholder(node.name, PLACES)


def _validate_placeholder(name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise UnfitTemplateError(f"模板里的“{name}”不是可用的占位名。可用的有：{'、'.join(known)}。")


def _validate_xlsx(file: bytes) -> None:
    rows = 0
    for text in _texts(file):
        for name in PLACE.findall(text):
            row_name, _, field = name.partition(".")
            if field:
                if row_name != ROW_NAME:
                    raise UnfitTemplateError(f"模板里的“{name}”不能用，人员行请写成 {ROW_NAME}.姓名。")
                _validate_placeholder(field, ROW_PLACES)
                rows += 1
            else:
                _validate_placeholder(name, (*PLACES, EVIDENCE_PLACE))
        rest = PLACE.sub("", text)
        if re.search(r"\{\{|\}\}|\{%", rest):
            raise UnfitTemplateError(f"模板里“{text[:30]}”的大括号写法不对，请写成 {{{{ 单位 }}}}。")
    if not rows:
        raise UnfitTemplateError(
            f"模板里没有人员行。请在表格的一行里写 {{{{ {ROW_NAME}.姓名 }}}} 等占位名，每人会占一行。"
        )


def _texts(file: bytes) -> Iterator[str]:
    book = open_workbook(file)
    for page in book.worksheets:
        for row in page.iter_rows():
            yield from (cell.value for cell in row if isinstance(cell.value, str))


_LOCK = 0x7265_7074


def add_template(context: ActionContext, *, content: str, file: bytes, file_name: str, note: str) -> ReportTemplate:
    """Take in a new version of a form, not yet in use; raises UnfitTemplateError naming what is wrong."""
    if content not in TEMPLATE_FORMATS:
        raise BadRequestError
    validate_template(content, file)
    _fill_with_example(content, file)
    return _enter(context, content, file, file_name=file_name, note=note)


def use_template(context: ActionContext, template_id: int) -> ReportTemplate:
    """Put a version into use from now on, instead of the one before; a second press changes nothing."""
    session = context.session
    template = get_template(session, template_id)
    _lock(session)
    session.refresh(template)
    if not template.is_current:
        _set_current(session, template)
        _record(context, "reports.use_template", template)
    return template


def use_shipped(context: ActionContext, content: str) -> ReportTemplate:
    """Go back to the shipped form, as a version of its own."""
    session = context.session
    if content not in TEMPLATE_FORMATS:
        raise BadRequestError
    _lock(session)
    query = select(ReportTemplate).where(ReportTemplate.content == content, ReportTemplate.is_current)
    current = session.scalars(query).one_or_none()
    if current is not None and current.file is None:
        return current
    template = _enter(context, content, None, file_name="", note="改回随产品提供的样式")
    _set_current(session, template)
    return template


def form_file(template: ReportTemplate | None, content: str) -> bytes:
    """Give a form as a file for changing; the shipped one for None."""
    if template is not None and template.file is not None:
        return template.file
    return render_docx.shipped_template() if content == "circular" else render_xlsx.shipped_form()


def preview(template: ReportTemplate | None, content: str) -> bytes:
    """Fill a form with made-up figures, to be looked at before it is put into use."""
    return _fill_with_example(content, form_file(template, content))


def _fill_with_example(content: str, form: bytes) -> bytes:
    if content == "circular":
        return render_docx.fill(form, _EXAMPLE)
    people = [[n, f"示例{n}", "示例单位", "科员", None, "", "未开始"] for n in range(1, 4)]
    return render_xlsx.fill_form(form, _EXAMPLE, people)


def _example() -> dict[str, Any]:
    counts = (
        "120",
        "2",
        "1",
        "117",
        "110",
        "7",
        "104",
        "30",
        "50",
        "6",
        "94.02%",
        "94.55%",
        "88.89%",
        "45.45%",
        "86.50",
    )
    unit = dict(zip(render_docx.UNIT_PLACES, ("001", "示例单位", *counts), strict=True))
    text = dict.fromkeys((*render_docx.PLACES, EVIDENCE_PLACE), "示例") | unit
    dates = {
        "考试日期": "2026年11月1日至11月30日",
        "开始日期": "2026年11月1日",
        "结束日期": "2026年11月30日",
        "主送单位": "各有关单位",
        "落款日期": "2026年12月4日",
    }
    return (
        text | dates | {"考试名称": "示例考试", "年份": "2026", render_docx.LIST_PLACE: [unit, unit | {"编码": "002"}]}
    )


_EXAMPLE = _example()


def _enter(context: ActionContext, content: str, file: bytes | None, *, file_name: str, note: str) -> ReportTemplate:
    session = context.session
    _lock(session)
    last = session.scalar(select(func.max(ReportTemplate.number)).where(ReportTemplate.content == content)) or 0
    template = ReportTemplate(
        content=content,
        number=last + 1,
        file=file,
        file_name=file_name[:200],
        note=note[:200],
        created_by_id=context.actor.person_id,
        created_at=context.now,
        is_current=False,
    )
    session.add(template)
    session.flush()
    _record(context, "reports.add_template", template)
    return template


def _set_current(session: Session, template: ReportTemplate) -> None:
    others = (ReportTemplate.content == template.content, ReportTemplate.is_current)
    session.execute(update(ReportTemplate).where(*others).values(is_current=False))
    template.is_current = True
    session.flush()


def _lock(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _record(context: ActionContext, act: str, template: ReportTemplate) -> None:
    details = {"content": template.content, "number": template.number}
    record(context, act, object_type="report_template", object_id=template.id, details=details)
