"""Read web pages of questions, those too that carry the name of a Word or Excel file, and web archives (MHTML)."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

from examapp.documents.archives import UnreadableFileError
from examapp.documents.decoding import decode_text, read_count, text_head
from examapp.documents.safe_xml import Element, parse_html
from examapp.documents.workbooks import WorkbookSheet
from question_bank.formats.excel import read_sheets
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.emphasis import STYLES, emphasised, has_no_keys, read_by_emphasis, say_keys
from question_bank.formats.heuristics.resolving import resolve_questions
from question_bank.formats.heuristics.table_headers import NO_NAMES
from question_bank.formats.heuristics.table_questions import QuestionTable, join_cases
from question_bank.formats.heuristics.table_rows import read_table
from question_bank.formats.text import read_text
from question_bank.model import OPTION_LETTERS, PICTURE, ColumnNames, Note, ParseResult

_PAGE = re.compile(r"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|meta|style|body|table)\b", re.IGNORECASE | re.DOTALL)  # fmt: skip
_ARCHIVE = re.compile(r"^(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?content-type:\s*multipart/related", re.IGNORECASE)
_BLOCKS = frozenset(
    {"address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "form", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"hr", "html", "li", "main", "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)  # fmt: skip
_SKIPPED = frozenset(
    {"head", "script", "style", "template", "noscript", "xml", "title", "object", "iframe", "select", "nav", "footer"}
)
_BREAK = re.compile(r"(?<=[\u2e80-\uffef])[ \t]*\r?\n[ \t]*(?=[\u2e80-\uffef])")
_SPACES = re.compile(r"[ \t\r\n]+")
_SHEET_NAMES = frozenset({".xls", ".xlsx", ".xlsm", ".et", ".csv"})
_MAX_SPAN = 1000
"""Rows or columns over which a cell may be merged."""
_SHORT_CELL = 12
"""Characters of cells that stand beside each other in one line of text, where their table is no question table."""
_EMPTY = "网页里没有题目的文字。如果题目是图片，请先转成文字；如果网页要登录才能看，请在原系统导出 Excel 后再导入。"


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the bytes are a web page or a web archive, whatever the name says."""
    head = text_head(content, size=8000).lstrip("\ufeff \t\r\n")
    return _PAGE.match(head) is not None or _ARCHIVE.match(head.replace("\r\n", "\n")) is not None


@dataclass(slots=True)
class TextAndTables:
    """Lines of text, and the question tables that stood between them."""

    lines: list[str] = field(default_factory=list)
    tables: list[WorkbookSheet] = field(default_factory=list)
    remarks: list[Note] = field(default_factory=list)

    def add_table(self, rows: list[list[str]], joined: list[tuple[int, int, int, int]]) -> None:
        """Keep a question table apart; take another one as lines of text."""
        if read_table(QuestionTable("", rows, range(len(rows)), joined=joined)).header is not None:
            self.tables.append(
                WorkbookSheet(
                    f"表格{len(self.tables) + 1}", hidden=False, rows=[list(row) for row in rows], joined=joined
                )
            )
            return
        for row in rows:
            is_short = all(len(cell) <= _SHORT_CELL for cell in row)
            whole = "\t".join(cell.replace("\n", " ") for cell in row) if is_short else "\n".join(filter(None, row))
            self.lines.extend(whole.split("\n"))

    def read(self, *, name: str, format_name: str) -> ParseResult:
        """Return the questions of the tables and of the text; raises UnreadableFileError where there is neither."""
        hint = kind_names.kind_in(PurePath(name).stem)
        whole = ParseResult(format_name)
        for number, table in enumerate(self.tables, 1):
            place = f"第 {number} 张题目表格"
            rows = QuestionTable(place, table.rows, range(1, len(table.rows) + 1), kind_hint=hint, joined=table.joined)
            result = read_table(rows)
            _extend(whole, resolve_questions(join_cases(result.rows), format_name=format_name))
            whole.remarks.extend(result.remarks)
        try:
            if any(line.strip() for line in self.lines) or not self.tables:
                _extend(whole, read_text("\n".join(self.lines), name=name, format_name=format_name))
        except UnreadableFileError:
            if not self.tables:
                raise
        whole.remarks.extend(self.remarks)
        return whole


def _extend(whole: ParseResult, part: ParseResult) -> None:
    whole.imported.extend(part.imported)
    whole.needing_review.extend(part.needing_review)
    whole.rejected.extend(part.rejected)
    whole.remarks.extend(part.remarks)


def read(content: bytes, *, name: str, columns: ColumnNames = NO_NAMES) -> ParseResult:
    """Return all questions of a page: by its tables where it is one of tables alone or named as a workbook, else by its text."""
    root = parse_html(_page_of(content))
    if root is None:
        raise UnreadableFileError(_EMPTY)
    reading = _read_root(root, name=name, columns=columns)
    if not has_no_keys(reading):
        return reading
    styles = {style for style in STYLES if any(has_style(one, style) for one in root.iter())}
    return read_by_emphasis(reading, styles, lambda style: _read_root(root, name=name, columns=columns, style=style))


def _read_root(root: Element, *, name: str, columns: ColumnNames, style: str = "") -> ParseResult:
    """Return the questions of a page; with a style of emphasis, a tick stands behind each option that has it."""
    page = _PageWalker(style)
    page.walk(root)
    page.flush()
    if page.all_tables and (PurePath(name).suffix.lower() in _SHEET_NAMES or not any(page.found.lines)):
        reading = read_sheets(page.all_tables, name=name, columns=columns, format_name="web-page")
        reading.remarks.extend(page.found.remarks)
        return reading
    if not any(page.found.lines) and not page.found.tables:
        raise UnreadableFileError(_EMPTY)
    return page.found.read(name=name, format_name="web-page")


def _page_of(content: bytes) -> str:
    """Return the page's text, out of a web archive too."""
    if not _ARCHIVE.match(text_head(content, size=8000).lstrip("\ufeff \t\r\n").replace("\r\n", "\n")):
        return decode_text(content)
    message = email.message_from_bytes(content.lstrip(b"\xef\xbb\xbf \t\r\n"), policy=email.policy.compat32)
    for part in message.walk():
        payload = part.get_payload(decode=True) if part.get_content_type() == "text/html" else None
        if isinstance(payload, bytes) and payload.strip():
            return decode_text(payload)
    raise UnreadableFileError("这个网页存档（.mht）里没有网页正文。请用浏览器打开，复制题目后粘贴到导入页的文字框里。")


class _PageWalker:
    """Walks a page and gathers its lines and tables in reading order."""

    def __init__(self, style: str = "") -> None:
        self.found = TextAndTables()
        self._style = style
        self.all_tables: list[WorkbookSheet] = []
        self._line = ""
        self._remarked: set[str] = set()

    def flush(self) -> None:
        """End the current line."""
        for line in say_keys(self._line).replace("\xa0", " ").split("\n"):
            self.found.lines.append(line.strip())
        self._line = ""

    def walk(self, node: Element) -> None:
        """Take in an element with all that is in it."""
        tag = node.tag if isinstance(node.tag, str) else ""
        if tag in _SKIPPED or not tag or (tag == "div" and node.get("title") in {"header", "footer"}):
            return
        if tag == "table" and node.find(".//table") is None:
            self.flush()
            self._take_table(node)
            return
        if tag in _BLOCKS:
            self._end_block()
        self._take_inside(node, tag)
        if tag in _BLOCKS:
            self._end_block()

    def _end_block(self) -> None:
        if self._line.strip():
            self.flush()
        self._line = ""

    def _take_inside(self, node: Element, tag: str) -> None:
        start = len(self._line)
        if tag == "br":
            self._line += "\n"
        elif tag == "img":
            self._line += PICTURE
        elif tag in {"sub", "sup"}:
            self._remark("上标、下标、注音只保留了文字，请核对。", "formatting")
        elif tag == "li":
            self._line += _label(node)
        self._add(node.text, tag)
        for child in node:
            self.walk(child)
            self._add(child.tail, tag)
        start = min(start, len(self._line))
        inside = self._line[start:]
        if len(inside) > 1 and not inside.strip() and "\n" not in inside and has_style(node, "underline"):
            self._line = f"{self._line[:start]}____"
        elif self._style and inside.strip() and has_style(node, self._style):
            self._line = self._line[:start] + emphasised(inside)

    def _add(self, text: str | None, tag: str) -> None:
        if text:
            self._line += text if tag == "pre" else _SPACES.sub(" ", _BREAK.sub("", text))

    def _remark(self, reason: str, code: str) -> None:
        if code not in self._remarked:
            self._remarked.add(code)
            self.found.remarks.append(Note("整个文件", reason, code))

    def _take_table(self, table: Element) -> None:
        rows: list[list[str]] = []
        joined: list[tuple[int, int, int, int]] = []
        taken: set[tuple[int, int]] = set()
        for number, row in enumerate(table.iter("tr")):
            texts: list[str] = []
            for cell in row.iterchildren("td", "th"):
                while (number, len(texts)) in taken:
                    texts.append("")
                down, right = _span(cell, "rowspan"), _span(cell, "colspan")
                if down > 1:
                    joined.append((number, len(texts), number + down - 1, len(texts) + right - 1))
                    taken |= {(number + n, len(texts) + m) for n in range(1, down) for m in range(right)}
                texts += [self._cell_text(cell), *[""] * (right - 1)]
            rows.append(texts)
        self.all_tables.append(
            WorkbookSheet(
                f"表格{len(self.all_tables) + 1}", hidden=False, rows=[list(row) for row in rows], joined=joined
            )
        )
        self.found.add_table(rows, joined)

    def _cell_text(self, cell: Element) -> str:
        inner = _PageWalker(self._style)
        inner._remarked = self._remarked
        inner._take_inside(cell, "td")
        inner.flush()
        self.found.remarks.extend(inner.found.remarks)
        return "\n".join(filter(None, inner.found.lines))


_COLOUR = re.compile(r"(?<![-\w])color\s*:\s*(?!black|windowtext|inherit|#000|rgb\(0, ?0, ?0\))", re.IGNORECASE)
_MARKED = re.compile(
    r"background(?:-color)?\s*:\s*(?!white|transparent|none|inherit|#fff|rgb\(255, ?255, ?255\))", re.IGNORECASE
)
_BOLD = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_UNDERLINED = re.compile(r"text-decoration(?:-line)?\s*:\s*underline", re.IGNORECASE)
_BY_CSS = {"color": _COLOUR, "highlight": _MARKED, "bold": _BOLD, "underline": _UNDERLINED}
_BY_TAG = {"highlight": {"mark"}, "bold": {"b", "strong"}, "underline": {"u", "ins"}}
_BLACK = frozenset({"", "black", "#000000", "#000", "windowtext"})


def has_style(node: Element, style: str) -> bool:
    """Return whether an element sets its words apart in this style."""
    tag, css = node.tag, _BY_CSS.get(style)
    if not isinstance(tag, str) or css is None:
        return False
    is_coloured = style == "color" and tag == "font" and node.get("color", "").lower() not in _BLACK
    return is_coloured or tag in _BY_TAG.get(style, ()) or css.search(node.get("style", "")) is not None


def _span(cell: Element, name: str) -> int:
    return min(read_count(cell.get(name)), _MAX_SPAN) or 1


def _label(item: Element) -> str:
    """Return the number that a browser shows before an item of a numbered list."""
    parent = item.getparent()
    if parent is None or parent.tag != "ol":
        return ""
    number = read_count(parent.get("start"), 1) + sum(1 for _ in _items_before(item))
    if parent.get("type") in {"A", "a"} and number <= len(OPTION_LETTERS):
        return f"{OPTION_LETTERS[number - 1]}. "
    return f"{number}. "


def _items_before(item: Element) -> Iterator[Element]:
    return item.itersiblings("li", preceding=True)
