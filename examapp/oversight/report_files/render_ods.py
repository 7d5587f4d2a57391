"""Reports as OpenDocument spreadsheets (ISO/IEC 26300), for LibreOffice, WPS and Excel alike; written row by row."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from examapp.documents.safe_xml import clean
from examapp.documents.spreadsheets import Cell, SheetLayout, as_text
from examapp.oversight.report_files.rules import TABLE_CONTENTS, ReportRenderer, ReportTable

_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_CM_PER_CHARACTER = 0.2
_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office", "style": "style", "text": "text", "table": "table", "number": "datastyle", "meta": "meta",
        "fo": "xsl-fo-compatible", "manifest": "manifest",
    }.items()
)  # fmt: skip
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_MANIFEST = f"""{_DECLARATION}<manifest:manifest {_NAMESPACES} manifest:version="1.3">
<manifest:file-entry manifest:full-path="/" manifest:version="1.3" manifest:media-type="{_TYPE}"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
<manifest:file-entry manifest:full-path="styles.xml" manifest:media-type="text/xml"/>
<manifest:file-entry manifest:full-path="meta.xml" manifest:media-type="text/xml"/></manifest:manifest>"""
_BORDER = '<style:table-cell-properties fo:border="0.5pt solid #000000"'
_CELL_STYLES = f"""
<number:number-style style:name="two"><number:number number:decimal-places="2" number:min-decimal-places="2" number:min-integer-digits="1"/></number:number-style>
<style:style style:name="title" style:family="table-cell"><style:paragraph-properties fo:text-align="center"/>
<style:text-properties fo:font-size="16pt" fo:font-weight="bold" style:font-size-asian="16pt" style:font-weight-asian="bold"/></style:style>
<style:style style:name="remark" style:family="table-cell"><style:table-cell-properties fo:wrap-option="wrap"/></style:style>
<style:style style:name="header" style:family="table-cell">{_BORDER} fo:background-color="#e8eef7" fo:wrap-option="wrap"/>
<style:text-properties fo:font-weight="bold" style:font-weight-asian="bold"/></style:style>
<style:style style:name="cell" style:family="table-cell">{_BORDER}/></style:style>
<style:style style:name="points" style:family="table-cell" style:data-style-name="two">{_BORDER}/></style:style>
<style:style style:name="page" style:family="table" style:master-page-name="Default"/>"""


def _write_ods(path: Path, table: ReportTable) -> None:
    sheet = table.sheet
    made_at = f"{sheet.made_at:%Y-%m-%dT%H:%M:%S}" if sheet.made_at else ""
    meta = f"<office:meta><meta:creation-date>{made_at}</meta:creation-date></office:meta>" if made_at else ""
    with ZipFile(path, "w") as archive:
        archive.writestr(_entry("mimetype", ZIP_STORED), _TYPE)
        archive.writestr(_entry("META-INF/manifest.xml"), _MANIFEST)
        archive.writestr(_entry("meta.xml"), _document("document-meta", meta))
        archive.writestr(_entry("styles.xml"), _document("document-styles", _page_styles(sheet)))
        with archive.open(_entry("content.xml"), "w") as stream:
            content = io.TextIOWrapper(stream, "utf-8", write_through=False)
            content.writelines(_content(sheet, table.signatures))
            content.flush()


def _entry(name: str, compression: int = ZIP_DEFLATED) -> ZipInfo:
    """Return an entry of a fixed date, so that the same content makes the same bytes."""
    entry = ZipInfo(name)
    entry.compress_type = compression
    return entry


def _document(name: str, body: str) -> str:
    return f'{_DECLARATION}<office:{name} {_NAMESPACES} office:version="1.3">{body}</office:{name}>'


def _page_styles(sheet: SheetLayout) -> str:
    """Return A4 pages as wide as the table, with the watermark above and the page's number below."""
    width, height, orientation = (
        ("21cm", "29.7cm", "portrait") if sheet.is_portrait else ("29.7cm", "21cm", "landscape")
    )
    header = f"<style:header>{_paragraphs(sheet.watermark)}</style:header>" if sheet.watermark else ""
    return (
        '<office:automatic-styles><style:page-layout style:name="a4"><style:page-layout-properties '
        f'fo:page-width="{width}" fo:page-height="{height}" style:print-orientation="{orientation}" '
        'style:scale-to-X="1" style:scale-to-Y="0"/></style:page-layout></office:automatic-styles>'
        '<office:master-styles><style:master-page style:name="Default" style:page-layout-name="a4">'
        f"{header}<style:footer><text:p>第 <text:page-number/> 页，共 <text:page-count/> 页</text:p></style:footer>"
        "</style:master-page></office:master-styles>"
    )


def _content(sheet: SheetLayout, signatures: Sequence[str]) -> Iterator[str]:
    yield f'{_DECLARATION}<office:document-content {_NAMESPACES} office:version="1.3"><office:automatic-styles>{_CELL_STYLES}'
    for index, column in enumerate(sheet.columns):
        column_width = f"{column.width * _CM_PER_CHARACTER:.2f}cm"
        yield f'<style:style style:name="co{index}" style:family="table-column">'
        yield f'<style:table-column-properties style:column-width="{column_width}"/></style:style>'
    yield "</office:automatic-styles><office:body><office:spreadsheet>"
    yield f'<table:table table:name={quoteattr(sheet.name)} table:style-name="page">'
    yield from (f'<table:table-column table:style-name="co{index}"/>' for index in range(len(sheet.columns)))
    width = len(sheet.columns)
    if sheet.title:
        yield _wide_row(sheet.title, "title", width)
    yield from (_wide_row(remark, "remark", width) for remark in sheet.remarks)
    yield "<table:table-header-rows>"
    yield _row(_text_cell(column.head, "header") for column in sheet.columns)
    yield "</table:table-header-rows>"
    yield from (_row(map(_cell, cells)) for cells in sheet.rows)
    closing = [*sheet.closing, *signatures, *([sheet.watermark] if sheet.watermark else [])]
    yield from (_wide_row(line, "remark", width) for line in closing)
    yield "</table:table></office:spreadsheet></office:body></office:document-content>"


def _row(cells: Iterable[str]) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>\n"


def _wide_row(text: str, style: str, width: int) -> str:
    """Return a row of one cell over the whole width of the table."""
    covered = f'<table:covered-table-cell table:number-columns-repeated="{width - 1}"/>' if width > 1 else ""
    spanned = f' table:number-columns-spanned="{width}" table:number-rows-spanned="1"'
    return _row([_text_cell(text, style, spanned), covered])


def _cell(cell: Cell) -> str:
    if cell is None:
        return '<table:table-cell table:style-name="cell"/>'
    if isinstance(cell, int | Decimal):
        style, shown = ("points", f"{cell:.2f}") if isinstance(cell, Decimal) else ("cell", str(cell))
        number = f'<table:table-cell table:style-name="{style}" office:value-type="float" office:value="{cell}">'
        return f"{number}<text:p>{shown}</text:p></table:table-cell>"
    return _text_cell(as_text(cell), "cell")


def _text_cell(text: str, style: str, attributes: str = "") -> str:
    start = f'<table:table-cell table:style-name="{style}" office:value-type="string"{attributes}>'
    return f"{start}{_paragraphs(text)}</table:table-cell>"


def _paragraphs(text: str) -> str:
    return "".join(f"<text:p>{escape(clean(line))}</text:p>" for line in text.split("\n"))


ODS = ReportRenderer(
    code="ods", label="OpenDocument 表格（ods）", content_type=_TYPE, contents=TABLE_CONTENTS, write_table=_write_ods
)
