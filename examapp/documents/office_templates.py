"""The office's own forms opened by the libraries that fill them, each time only after their cells and parts were counted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from jinja2 import TemplateError

from examapp.errors import DomainError
from examapp.lazy_import import LazyModule
from question_bank.parse_result import UnreadableFileError

if TYPE_CHECKING:
    from openpyxl import Workbook


fillable, openpyxl, docxtpl = (
    LazyModule("question_bank.formats.fillable"),
    LazyModule("openpyxl"),
    LazyModule("docxtpl"),
)
_MAX_GRID = 200_000
"""Cells of the rectangles that a form's sheets span: each is looked at, and made where it is missing."""
STUMBLES = (
    AttributeError, IndexError, KeyError, TypeError, ValueError, OSError, SyntaxError, BadZipFile, RuntimeError,
)  # fmt: skip
"""What the libraries raise for a package with parts missing or of another shape."""


class UnfitTemplateError(DomainError):
    """A form that cannot be used; the message names the place and says what to do."""

    code = "unfit_template"
    status = 400
    message = "模板不能使用，请按说明修改后重新上传。"


def open_workbook(form: bytes) -> Workbook:
    """Open a workbook whose cells, empty ones counted, are few enough to be walked; raises UnfitTemplateError."""
    try:
        fillable.check_workbook(form)
        book: Workbook = openpyxl.load_workbook(io.BytesIO(form))
    except UnreadableFileError as error:
        raise UnfitTemplateError(str(error)) from None
    except STUMBLES as error:
        raise broken_form("Excel", ".xlsx") from error
    if sum(page.max_row * page.max_column for page in book.worksheets) > _MAX_GRID:
        raise UnfitTemplateError("工作表的范围过大。请把需要的表格复制到新建的工作簿里，另存为 .xlsx 后再上传。")
    return book


def open_document(form: bytes) -> Any:
    """Open a Word template whose parts are small enough to be filled; raises UnfitTemplateError."""
    try:
        fillable.check_document(form)
        document = docxtpl.DocxTemplate(io.BytesIO(form))
        document.init_docx()
    except UnreadableFileError as error:
        raise UnfitTemplateError(str(error)) from None
    except STUMBLES as error:
        raise broken_form("Word", ".docx") from error
    return document


@contextmanager
def refusing_what_cannot_be_filled() -> Iterator[None]:
    """Turn what the libraries raise while a form is filled into UnfitTemplateError."""
    try:
        yield
    except (TemplateError, *STUMBLES) as error:
        raise UnfitTemplateError(
            "模板填入数字时出错，生成不了文件。请检查 if 里的写法（占位名都是文字，数字要加引号），简化后重新上传。"
        ) from error


def broken_form(program: str, ending: str) -> UnfitTemplateError:
    """Make the refusal of a form that a library cannot read."""
    return UnfitTemplateError(
        f"这个 {program} 文件的内部结构不完整，打不开。请用 {program} 或 WPS 另存一份 {ending} 后重新上传。"
    )
