"""Parse untrusted XML, find elements in it by local names, and name where they are."""

from __future__ import annotations

import codecs
import re
from typing import TypeAlias

from lxml import etree

from examapp.documents.archives import UnreadableFileError

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no public name for it

MAX_ATTRIBUTE = 500_000
_ENCODINGS = frozenset(
    {
        "utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "gbk", "gb2312", "gb18030", "big5",
        "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252", "cp1252",
    }
)  # fmt: skip
_DECLARATION = re.compile(r"<\?xml\b[^>]*?\?>")
_ENCODING = re.compile(r"""encoding\s*=\s*["']([^"']*)["']""")
_BLANKS = re.compile(r"(?:\s+|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_QTI1_DOCTYPE = re.compile(
    r"""<!DOCTYPE\s+questestinterop\s+SYSTEM\s+["']ims_qtiasiv1p\d(?:p\d)?\.dtd["']\s*(?:\[(?P<inner>[^\]]*)\]\s*)?>"""
)
_INCLUDE = "{http://www.w3.org/2001/XInclude}*"
_INCLUDE_OLD = "{http://www.w3.org/2003/XInclude}*"


class XIncludeError(UnreadableFileError):
    """The XML includes another file, which is not supported."""


def parse_xml(content: bytes, *, what: str = "文件") -> Element:
    """Return the root element; UnreadableFileError (“不支持的 XML…” or the broken line) for anything unsafe or not well formed."""
    text = _without_doctype(_decode(content, what), what)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, encoding="utf-8",
        remove_pis=True, remove_comments=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableFileError(_malformed(what, error)) from error
    except (ValueError, UnicodeError) as error:
        raise UnreadableFileError(f"{what}里有 XML 不允许的字符，读不出来。请在原系统重新导出。") from error
    _check_tree(root, what)
    return root


def parse_html(text: str) -> Element | None:
    """Return the root element of a web page, read as a browser reads it and without what it refers to; UnreadableFileError where nothing can be made of it."""
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, encoding="utf-8")
    text = re.sub(r"^\s*<\?xml[^>]*>", "", text).replace("\x00", "")
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableFileError("网页已损坏，读不出来。请用浏览器打开，复制题目后粘贴到导入页的文字框里。") from error


def looks_like_xml(content: bytes) -> bool:
    """Return whether the bytes begin as XML does, in any of the encodings that are read."""
    head = content[:200]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "ignore").lstrip().startswith("<")
    return head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<")


_ROOT = re.compile(
    r"(?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?>)*+<(?:[\w.-]+:)?(?P<name>[\w.-]+)", re.DOTALL
)


def root_name(content: bytes) -> str:
    """Return the name of the outermost element without its prefix, from the first 20 kB, nothing parsed; empty where the bytes are no XML."""
    head = content[:20_000]
    is_wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    match = _ROOT.match(
        (head.decode("utf-16", "ignore") if is_wide else head.decode("utf-8", "ignore")).lstrip("\ufeff")
    )
    return match["name"] if match else ""


def _malformed(what: str, error: etree.XMLSyntaxError) -> str:
    line, column = error.position
    if not line:
        return f"{what}不是合法的 XML（内容不完整）。请在原系统重新导出。"
    detail = str(error.msg).split(", line", maxsplit=1)[0]
    return f"{what}不是合法的 XML：第 {line} 行第 {column} 列有错（{detail}）。请改正这一处，或在原系统重新导出。"


def _decode(content: bytes, what: str) -> str:
    if not content.strip():
        raise UnreadableFileError(f"{what}是空的。请重新导出后再上传。")
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, b"+/v", b"\x00\x00")):
        raise UnreadableFileError(f"不支持的 XML 编码：{what}请另存为 UTF-8 后再上传。")
    encoding = _encoding(content, what)
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableFileError(f"{what}的内容和它写明的编码 {encoding} 不符。请另存为 UTF-8 后再上传。") from error


def _encoding(content: bytes, what: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if content.startswith(b"<\x00"):
        return "utf-16-le"
    if content.startswith(b"\x00<"):
        return "utf-16-be"
    declaration = _DECLARATION.match(content[:400].decode("latin-1").removeprefix("ï»¿").lstrip())
    found = _ENCODING.search(declaration.group()) if declaration else None
    encoding = found.group(1).strip().lower() if found else "utf-8"
    if encoding not in _ENCODINGS:
        raise UnreadableFileError(f"不支持的 XML 编码“{encoding[:20]}”：{what}请另存为 UTF-8 后再上传。")
    if encoding.startswith("utf-16"):
        return "utf-8"  # without the marks of UTF-16 the declaration is wrong; real files are UTF-8 then
    return "gb18030" if encoding in {"gbk", "gb2312"} else encoding


def _without_doctype(text: str, what: str) -> str:
    declaration = _DECLARATION.match(text.lstrip())
    if declaration and _ENCODING.search(declaration.group()):
        plain = _ENCODING.sub('encoding="utf-8"', declaration.group())
        text = text.lstrip().replace(declaration.group(), plain, 1)
    blanks = _BLANKS.match(text)
    start = blanks.end() if blanks else 0
    if not text.startswith("<!DOCTYPE", start):
        return text
    known = _QTI1_DOCTYPE.match(text, start)
    if known is None or "<!ENTITY" in (known.group("inner") or ""):
        line = text.count("\n", 0, start) + 1
        raise UnreadableFileError(
            f"不支持的 XML：{what}第 {line} 行带有 DOCTYPE（文档类型声明），可能引用外部文件。请删去这段声明后再上传。"
        )
    return text[:start] + "\n" * known.group().count("\n") + text[known.end() :]


def _check_tree(root: Element, what: str) -> None:
    if next(root.iter(_INCLUDE, _INCLUDE_OLD), None) is not None:
        raise XIncludeError(f"不支持的 XML：{what}用 XInclude 引用了别的文件。请把内容合并成一个文件后再上传。")
    for element in root.iter():
        if element.tag is etree.Entity:
            raise UnreadableFileError(f"不支持的 XML：{what}用到了自定义实体“{element.text}”。请换成普通文字后再上传。")
        for value in element.attrib.values():
            if len(value) > MAX_ATTRIBUTE:
                reason = f"不支持的 XML：{what}第 {element.sourceline} 行有一个过长的属性。请去掉后再上传。"
                raise UnreadableFileError(reason)


def local(element: Element) -> str:
    """Return an element's name without its namespace; empty for what is no element."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def place_of(element: Element, file_name: str = "") -> str:
    """Return the XML path with counts and the line, behind the file's name in its package when there is one."""
    parts: list[str] = []
    current: Element | None = element
    while current is not None:
        same = [other for other in current.itersiblings(preceding=True) if other.tag == current.tag]
        more = bool(same) or next(current.itersiblings(current.tag), None) is not None
        parts.append(f"{local(current)}[{len(same) + 1}]" if more else local(current))
        current = current.getparent()
    path = "/" + "/".join(reversed(parts))
    line = f"（第 {element.sourceline} 行）" if element.sourceline is not None else ""
    return f"{file_name}：{path}{line}" if file_name else path + line


def child_text(element: Element, *names: str) -> str:
    """Return the text of the first child along the names, whatever the namespace; empty when there is none."""
    current: Element = element
    for name in names:
        found = next((child for child in current if local(child) == name), None)
        if found is None:
            return ""
        current = found
    return text_of(current)


def children(element: Element, name: str) -> list[Element]:
    """Return the children of that name, whatever the namespace."""
    return [child for child in element if local(child) == name]


def text_of(element: Element) -> str:
    """Return all text within an element."""
    return "".join(str(part) for part in element.itertext())


_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Return the text without the control characters that XML forbids."""
    return _FORBIDDEN.sub("", text)
