"""Decode text files of unknown encoding."""

from __future__ import annotations

import codecs
import re

from examapp.documents.archives import UnreadableFileError

MAX_TEXT = 30 * 1024 * 1024
"""Bytes of a text file that is read at all."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ue000-\uf8ff\ufdd0-\ufdef]"
)
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")


def decode_text(content: bytes) -> str:
    """Return the text with plain line ends; UnreadableFileError when it is empty, too large or in no known encoding."""
    if not content.strip(b"\x00 \r\n\t"):
        raise UnreadableFileError("文件是空的。请检查是否选错了文件。")
    if len(content) > MAX_TEXT:
        raise UnreadableFileError("文本文件超过 30 MB，请拆成几个文件再导入。")
    text = _decode(content)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def clean_text(text: str) -> str:
    """Return the text without control, zero-width and direction-changing characters, odd spaces made plain (H12)."""
    return _SPACES.sub(" ", _INVISIBLE.sub("", text)).strip()


def read_count(text: str | None, default: int = 0) -> int:
    """Return the whole number of up to seven ASCII digits that a file holds, else the default: `int` fails on `²` and on 4,300 digits."""
    text = (text or "").strip()
    return int(text) if len(text) < 8 and text.isascii() and text.isdigit() else default


def _decode(content: bytes) -> str:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _strictly(content[len(mark) :], encoding)
    wide = _guess_utf16(content[:4000])
    if wide:
        return _strictly(content, wide)
    if b"\x00" in content:
        raise UnreadableFileError("这不是文本文件。请确认文件类型，或用 Excel、WPS 打开后另存为 .xlsx 再导入。")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _gb18030(content)


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"文件开头写明是 {encoding} 编码，内容却不是。请另存为 UTF-8 编码的文件再导入。"
        ) from error


def _guess_utf16(head: bytes) -> str | None:
    """Return the byte order of UTF-16 without a mark, by the zero bytes of ASCII characters; None for other texts."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 20 and even <= odd // 10:
        return "utf-16-le"
    if even > len(head) // 20 and odd <= even // 10:
        return "utf-16-be"
    return None


def _gb18030(content: bytes) -> str:
    text = content.decode("gb18030", errors="replace")
    broken = text.count("\ufffd")
    if broken * 1000 > len(text):
        raise UnreadableFileError("认不出文件的文字编码。请用记事本打开，另存为 UTF-8 编码后再导入。")
    return text


MAX_BYTES = 50 * 1024 * 1024


def decode_plain_text(content: bytes) -> str:
    """Return the text with LF line ends (UTF-8, UTF-16 by its mark, else GB18030); UnreadableFileError when it is none."""
    if len(content) > MAX_BYTES:
        raise UnreadableFileError("文件超过 50 MB。请分成几个文件上传。")
    text = _decoded(content)
    if not text.strip():
        raise UnreadableFileError("文件是空的。请重新导出后再上传。")
    if "\x00" in text:
        raise UnreadableFileError("这不是文本文件。请确认选对了文件，或在原系统重新导出。")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFileError("认不出文件的文字编码。请用记事本另存为 UTF-8 后再上传。")


def text_head(content: bytes, *, size: int = 20000) -> str:
    """Return the beginning as text for guesses at the format; broken characters are skipped."""
    head = content[:size]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "ignore")
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return head.decode("utf-8-sig", "ignore") if error.start > size - 8 else head.decode("gb18030", "ignore")
