"""Text files of unknown encoding, read as text or refused as not text at all."""

from __future__ import annotations

import codecs

from question_bank.parse_result import UnreadableFileError

MAX_BYTES = 50 * 1024 * 1024


def decode_text(content: bytes) -> str:
    """The text with LF line ends (UTF-8, UTF-16 by its mark, else GB18030); UnreadableFileError when it is none."""
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
    """The beginning as text for guesses at the format; broken characters are skipped."""
    head = content[:size]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "ignore")
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return head.decode("utf-8-sig", "ignore") if error.start > size - 8 else head.decode("gb18030", "ignore")
