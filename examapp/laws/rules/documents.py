"""The lines of a law's file, whether it is plain text, Markdown or a Word document of the national database."""

from __future__ import annotations

import io
import re
import zipfile

from examapp.core.html import normalise
from examapp.core.lazily import Lazy
from question_bank.parse_result import PICTURE, UnreadableFileError

__all__ = ["PICTURE", "UnreadableDocumentError", "document_lines"]

docx = Lazy("question_bank.formats.docx")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_MOST_UNPACKED = 24 * 1024 * 1024
"""The longest code has half a million characters, and its document unpacks to 8 MB."""


class UnreadableDocumentError(Exception):
    """A file without text that can be read; the message says in Chinese what to do."""


def document_lines(content: bytes) -> list[str]:
    """Give the lines of a file, made canonical and visible; raises UnreadableDocumentError."""
    if content.startswith((_ZIP, _OLE)):
        return [normalise(part) for line in _word_lines(content) for part in line.split("\n")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", "replace")
    return _COMMENT.sub("", normalise(text.replace("\r\n", "\n").replace("\r", "\n"))).split("\n")


def _word_lines(content: bytes) -> list[str]:
    try:
        if content.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > _MOST_UNPACKED:
                    raise UnreadableDocumentError("Word 文件太大，不像一部法律的文本。请删去图片后再导入。")
        return list(docx.document_lines(content))
    except UnreadableFileError as error:
        raise UnreadableDocumentError(str(error)) from error
    except zipfile.BadZipFile as error:
        raise UnreadableDocumentError("Word 文件已损坏。请重新下载后再导入。") from error
