"""Is a form that the office brings in fit for use? Only named places that exist, no other expression, filled in a sandbox."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from examapp.core.errors import DomainError
from examapp.core.lazily import Lazy
from examapp.core.uploads.models import FileKind
from examapp.core.uploads.structure import refuse_other_content
from examapp.reports.operations.circular import LIST_PLACE, PLACES, UNIT_PLACES, sandbox
from examapp.reports.operations.sheet_form import PLACE, ROW_NAME, ROW_PLACES

docxtpl, openpyxl = Lazy("docxtpl"), Lazy("openpyxl")
_SHAPE = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.For, nodes.If, nodes.Getattr)
_TESTS = (nodes.Const, nodes.Compare, nodes.Operand, nodes.Not, nodes.And, nodes.Or)
_MOST_BYTES = 2 * 1024 * 1024


class UnfitTemplateError(DomainError):
    """A form that cannot be used; the message names the place and says what to do."""

    code = "unfit_template"
    status = 400
    message = "模板不能使用，请按说明修改后重新上传。"


def refuse_unfit(content: str, file: bytes) -> None:
    """Check a form: a sound file without macros, and only named places that exist; raises UnfitTemplateError, FileRefusedError."""
    if len(file) > _MOST_BYTES:
        raise UnfitTemplateError("模板文件超过 2 MB。请去掉图片等内容后重新上传。")
    kind = FileKind.DOCX if content == "circular" else FileKind.XLSX
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as part:
        part.write(file)
        part.flush()
        refuse_other_content(kind, Path(part.name))
    (_refuse_docx if kind is FileKind.DOCX else _refuse_xlsx)(file)


def _refuse_docx(file: bytes) -> None:
    found = False
    for source in _read_sources(file):
        try:
            tree = sandbox().parse(source)
        except TemplateSyntaxError as error:
            raise UnfitTemplateError(
                f"模板里的大括号写法不完整（{(error.message or '')[:80]}）。占位名请写成 {{{{ 应考 }}}}，表格行请用 {{%tr for 行 in 各单位 %}} 和 {{%tr endfor %}}。"
            ) from error
        for node in tree.find_all(nodes.Node):
            found = found or isinstance(node, nodes.Name)
            _refuse_node(node, _loop_names(tree))
    if not found:
        raise UnfitTemplateError("模板里没有任何占位名，生成的文件不会有数字。请至少写入一个，如 {{ 应考 }}。")


def _read_sources(file: bytes) -> list[str]:
    """Read what a form holds; a package with parts missing or of another shape is refused, whatever the library stumbles over."""
    try:
        return list(_sources(file))
    except (AttributeError, KeyError, TypeError, ValueError, OSError, SyntaxError) as error:
        raise UnfitTemplateError(
            "这个 Word 文件的内部结构不完整，打不开。请用 Word 或 WPS 另存一份 .docx 后重新上传。"
        ) from error


def _sources(file: bytes) -> Iterator[str]:
    """Give the text of the body, heads and feet as the template engine sees it."""
    template: Any = docxtpl.DocxTemplate(io.BytesIO(file))
    template.init_docx()
    yield template.patch_xml(template.get_xml())
    for uri in (template.HEADER_URI, template.FOOTER_URI):
        for _, part in template.get_headers_footers(uri):
            yield template.patch_xml(template.get_part_xml(part))


def _loop_names(tree: nodes.Template) -> set[str]:
    return {loop.target.name for loop in tree.find_all(nodes.For) if isinstance(loop.target, nodes.Name)}


def _refuse_node(node: nodes.Node, loop_names: set[str]) -> None:
    if not isinstance(node, _SHAPE + _TESTS):
        raise UnfitTemplateError(
            f"模板里用了不支持的写法（{type(node).__name__}）。只能写占位名、如果（if）和按单位循环（for）。"
        )
    if isinstance(node, nodes.For) and not (isinstance(node.iter, nodes.Name) and node.iter.name == LIST_PLACE):
        raise UnfitTemplateError(f"表格只能按「{LIST_PLACE}」循环，请写 {{%tr for 行 in {LIST_PLACE} %}}。")
    if isinstance(node, nodes.Getattr):
        if not isinstance(node.node, nodes.Name) or node.node.name not in loop_names:
            raise UnfitTemplateError(f"模板里的「{node.attr}」前面只能是循环的名称，如 行.{node.attr}。")
        _refuse_unknown(node.attr, UNIT_PLACES)
    elif isinstance(node, nodes.Name) and node.name not in loop_names and node.name != LIST_PLACE:
        _refuse_unknown(node.name, PLACES)


def _refuse_unknown(name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise UnfitTemplateError(f"模板里的「{name}」不是可用的占位名。可用的有：{'、'.join(known)}。")


def _refuse_xlsx(file: bytes) -> None:
    rows = 0
    for text in _texts(file):
        for name in PLACE.findall(text):
            row_name, _, field = name.partition(".")
            if field:
                if row_name != ROW_NAME:
                    raise UnfitTemplateError(f"模板里的「{name}」不能用，人员行请写成 {ROW_NAME}.姓名。")
                _refuse_unknown(field, ROW_PLACES)
                rows += 1
            else:
                _refuse_unknown(name, PLACES)
        rest = PLACE.sub("", text)
        if re.search(r"\{\{|\}\}|\{%", rest):
            raise UnfitTemplateError(f"模板里「{text[:30]}」的大括号写法不对，请写成 {{{{ 单位 }}}}。")
    if not rows:
        raise UnfitTemplateError(
            f"模板里没有人员行。请在表格的一行里写 {{{{ {ROW_NAME}.姓名 }}}} 等占位名，每人会占一行。"
        )


def _texts(file: bytes) -> Iterator[str]:
    book = openpyxl.load_workbook(io.BytesIO(file))
    for page in book.worksheets:
        for row in page.iter_rows():
            yield from (cell.value for cell in row if isinstance(cell.value, str))
