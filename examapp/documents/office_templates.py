"""Open the office's own templates (Word, Excel) after their cells and parts were counted."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from jinja2 import TemplateError

from examapp.documents.archives import ZIP, Archive, UnreadableFileError, check_contents, open_archive
from examapp.documents.number_formats import column_number
from examapp.errors import DomainError

if TYPE_CHECKING:
    from openpyxl import Workbook

_EPOCH = (2026, 1, 1, 0, 0, 0)
_WHEN_SAVED = re.compile(rb"(<dcterms:(?:modified|created)[^>]*>)[^<]*(</dcterms:)")
_MAX_GRID = 200_000
"""Cells of the rectangles that a form's sheets span: each is looked at, and made where it is missing."""
STUMBLES = (
    AttributeError, IndexError, KeyError, TypeError, ValueError, OSError, SyntaxError, BadZipFile, RuntimeError,
)  # fmt: skip
"""What the libraries raise for a package with parts missing or of another shape."""


class UnfitTemplateError(DomainError):
    """A template that cannot be used; the message names the place and says what to do."""

    code = "unfit_template"
    status = 400
    message = "模板不能使用，请按说明修改后重新上传。"


def open_workbook(form: bytes) -> Workbook:
    """Open a workbook whose cells, empty ones counted, are few enough to be walked; raises UnfitTemplateError."""
    from openpyxl import load_workbook

    try:
        check_workbook(form)
        book = load_workbook(io.BytesIO(form))
    except UnreadableFileError as error:
        raise UnfitTemplateError(str(error)) from None
    except STUMBLES as error:
        raise broken_form("Excel", ".xlsx") from error
    if sum(page.max_row * page.max_column for page in book.worksheets) > _MAX_GRID:
        raise UnfitTemplateError("工作表的范围过大。请把需要的表格复制到新建的工作簿里，另存为 .xlsx 后再上传。")
    return book


def open_document(form: bytes) -> Any:
    """Open a Word template whose parts are small enough to be filled; raises UnfitTemplateError."""
    from docxtpl import DocxTemplate

    try:
        check_document(form)
        document = DocxTemplate(io.BytesIO(form))
        document.init_docx()
    except UnreadableFileError as error:
        raise UnfitTemplateError(str(error)) from None
    except STUMBLES as error:
        raise broken_form("Word", ".docx") from error
    return document


@contextmanager
def rejecting_what_cannot_be_filled() -> Iterator[None]:
    """Turn what the libraries raise while a form is filled into UnfitTemplateError."""
    try:
        yield
    except (TemplateError, *STUMBLES) as error:
        raise UnfitTemplateError(
            "模板填入数字时出错，生成不了文件。请检查 if 里的写法（占位名都是文字，数字要加引号），简化后重新上传。"
        ) from error


def broken_form(program: str, ending: str) -> UnfitTemplateError:
    """Return the error for a template that a library cannot read."""
    reason = f"这个 {program} 文件的内部结构不完整，打不开。请用 {program} 或 WPS 另存一份 {ending} 后重新上传。"
    return UnfitTemplateError(reason)


def same_bytes(office_file: bytes, *, fallback_fonts: Mapping[str, str] | None = None) -> bytes:
    """Write an office file's parts again with a fixed date, so that the same content is the same file.

    `fallback_fonts` are written into a Word document's font table: which font replaces one that a computer has not.
    """
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        for name, other in (fallback_fonts or {}).items()
    )
    buffer = io.BytesIO()
    with ZipFile(io.BytesIO(office_file)) as source, ZipFile(buffer, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = ZipInfo(name, _EPOCH)
            entry.compress_type = ZIP_DEFLATED
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _WHEN_SAVED.sub(rb"\g<1>2026-01-01T00:00:00Z\g<2>", content)
            elif name == "word/fontTable.xml":
                content = content.replace(b"</w:fonts>", fonts.encode() + b"</w:fonts>")
            target.writestr(entry, content)
    return buffer.getvalue()


MAX_XML_BYTES = 8 * 1024 * 1024
"""All parts but pictures, unpacked."""
MAX_CELLS = 50_000
"""Cells and rows with something in them or with a format, and the cells of merged and linked areas, times the sheets."""
MAX_ROWS, MAX_COLUMNS, MAX_SHEETS = 2_000, 200, 20
MAX_SPAN = 200

_TAG = re.compile(
    rb"""<(?:[^\s<>/:="']+:)?(c|row|mergeCell|hyperlink|comment|sheet)(?=[\s/>])((?:[^>"']|"[^"]*"|'[^']*')*)>"""
)
_ATTRIBUTE = re.compile(rb"""([^\s=<>"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_AREA = re.compile(rb"([A-Z]{0,3})([0-9]{0,7})(?::([A-Z]{0,3})([0-9]{0,7}))?")
_SPAN = re.compile(rb"""<(?:[\w.-]+:)?(?:gridSpan|gridBefore|gridAfter)\s[^>]*?val\s*=\s*["']\s*([^"']*?)\s*["']""")
_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
_RESAVE = "请用 Excel 或 WPS 打开，把需要的表格复制到新建的工作簿里，另存为 .xlsx 后再上传。"
_RESAVE_WORD = "请用 Word 或 WPS 打开，把需要的内容复制到新建的文档里，另存为 .docx 后再上传。"


def check_workbook(content: bytes) -> None:
    """Raise UnreadableFileError when a workbook is damaged or has more cells, rows or columns, empty ones counted, than a form needs."""
    archive = _opened(content, _RESAVE)
    check_contents(archive)
    cells = sheets = 0
    for part in _parts(archive, _RESAVE):
        rows = 0
        for match in _TAG.finditer(part):
            name = match[1]
            sheets += name == b"sheet"
            rows += name == b"row"
            cells += _cells_of(name, match[2])
            if rows > MAX_ROWS:
                raise _too_far(rows, 1)
            if cells * max(sheets, 1) > MAX_CELLS or sheets > MAX_SHEETS:
                reason = f"工作簿里的单元格（包括只设了格式的空格子和合并的格子）过多，不像一张表的样式。{_RESAVE}"
                raise UnreadableFileError(reason)


def _cells_of(name: bytes, attributes: bytes) -> int:
    """Count the cells that an element makes; raises UnreadableFileError when one lies too far out."""
    if name == b"sheet":
        return 0
    wanted = b"r" if name in {b"c", b"row"} else b"ref"
    place = next((m[2] or m[3] or b"" for m in _ATTRIBUTE.finditer(attributes) if m[1] == wanted), None)
    if place is None:
        return 1
    top, left, bottom, right = _ends(place.strip(), is_row=name == b"row")
    if max(top, bottom) > MAX_ROWS or max(left, right) > MAX_COLUMNS:
        raise _too_far(max(top, bottom), max(left, right))
    return (abs(bottom - top) + 1) * (abs(right - left) + 1)


def _too_far(row: int, column: int) -> UnreadableFileError:
    reason = f"工作表到第 {row} 行、第 {column} 列还有内容或格式，表样最多 {MAX_ROWS:,} 行、{MAX_COLUMNS} 列。{_RESAVE}"
    return UnreadableFileError(reason)


def check_document(content: bytes) -> None:
    """Raise UnreadableFileError when a Word file is damaged, has more text than a form needs, or cells over very many columns."""
    for part in _parts(_opened(content, _RESAVE_WORD), _RESAVE_WORD):
        for match in _SPAN.finditer(part):
            if not re.fullmatch(rb"[0-9]{1,3}", match[1]) or int(match[1]) > MAX_SPAN:
                raise UnreadableFileError(f"文档的表格里有跨度过大的单元格。{_RESAVE_WORD}")


def _opened(content: bytes, advice: str) -> Archive:
    if not content.startswith(ZIP):
        raise UnreadableFileError(f"这不是 Office 文件，或者文件已损坏。{advice}")
    return open_archive(content)


def _parts(archive: Archive, advice: str) -> list[bytes]:
    """Return all parts but pictures; any of them may be declared a sheet, whatever its name."""
    sizes = {info.filename: info.file_size for info in archive.zip_file.infolist()}
    parts: list[bytes] = []
    total = 0
    for name in archive.names:
        if sizes[name] > MAX_XML_BYTES:
            raise UnreadableFileError(f"文件解压后太大，不像一张表的样式。{advice}")
        part = archive.read(name)
        if part.startswith(_PICTURES):
            continue
        total += len(part)
        if total > MAX_XML_BYTES:
            raise UnreadableFileError(f"文件解压后太大，不像一张表的样式。{advice}")
        declared = _DECLARED.match(part.removeprefix(b"\xef\xbb\xbf"))
        is_odd = declared is not None and declared[1].lower() not in {b"utf-8", b"utf8", b"us-ascii", b"ascii"}
        if (
            is_odd
            or part.startswith((b"\xff\xfe", b"\xfe\xff"))
            or (b"\x00" in part and name.endswith((".xml", ".rels")))
        ):
            raise UnreadableFileError(f"文件里有编码异常的内容，为安全起见不予打开。{advice}")
        parts.append(part)
    return parts


def _ends(place: bytes, *, is_row: bool) -> tuple[int, int, int, int]:
    """Read a reference as top, left, bottom, right; one that names a whole row or column is as long as that."""
    match = re.fullmatch(rb"()([0-9]{1,9})", place) if is_row else _AREA.fullmatch(place.upper().replace(b"$", b""))
    if match is None or not place:
        raise UnreadableFileError(f"工作表里有写法不对的单元格位置，为安全起见不予打开。{_RESAVE}")
    if is_row:
        return int(match[2]), 1, int(match[2]), 1
    is_area = b":" in place
    last_column, last_row = (match[3], match[4]) if is_area else (match[1], match[2])
    return (
        int(match[2] or (1 if is_area else 1_048_576)),
        column_number(match[1]) or 1,
        int(last_row or 1_048_576),
        column_number(last_column) or 16_384,
    )
