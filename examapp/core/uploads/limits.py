"""Which kinds of file come in, how large they may be, and what they are called."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath

from examapp.core.errors import DomainError
from examapp.core.html import normalise
from examapp.core.uploads.models import FileKind

_MB = 1024 * 1024
MOST_BYTES = {
    FileKind.IMAGE: 8 * _MB,
    FileKind.PDF: 50 * _MB,
    FileKind.DOCX: 20 * _MB,
    FileKind.XLSX: 20 * _MB,
    FileKind.MP3: 100 * _MB,
    FileKind.MP4: 500 * _MB,
}
EVERY_KIND = frozenset(FileKind)
_ENDINGS = {
    ".png": FileKind.IMAGE,
    ".jpg": FileKind.IMAGE,
    ".jpeg": FileKind.IMAGE,
    ".gif": FileKind.IMAGE,
    ".webp": FileKind.IMAGE,
    ".pdf": FileKind.PDF,
    ".docx": FileKind.DOCX,
    ".xlsx": FileKind.XLSX,
    ".mp3": FileKind.MP3,
    ".mp4": FileKind.MP4,
    ".m4v": FileKind.MP4,
    ".m4a": FileKind.MP4,
}
_WORDS = {
    FileKind.IMAGE: "图片（PNG、JPEG、GIF、WebP）",
    FileKind.PDF: "PDF",
    FileKind.DOCX: "Word（docx）",
    FileKind.XLSX: "Excel（xlsx）",
    FileKind.MP3: "MP3 音频",
    FileKind.MP4: "MP4 视频或音频",
}
_LONGEST_NAME = 100


class FileRefusedError(DomainError):
    """A file that may not come in; the message says why, and what to do."""

    code = "file_refused"
    status = 422
    message = "这个文件不能上传。"


class WrongOffsetError(DomainError):
    """A piece that does not go on where the last one ended; `received` says where to go on."""

    code = "wrong_offset"
    message = "这一段不是接着上一段的，将从断开的地方继续。"


def words_of(kinds: Collection[FileKind]) -> str:
    """Name kinds of file for people, as `PDF、MP3 音频`."""
    return "、".join(words for kind, words in _WORDS.items() if kind in kinds)


def promised_kind(name: str, kinds: Collection[FileKind]) -> FileKind:
    """Give the kind that a name's ending promises; raises FileRefusedError where it is none of these."""
    kind = _ENDINGS.get(PurePath(name).suffix.lower())
    if kind is None or kind not in kinds:
        raise FileRefusedError(f"不能上传这种文件。可以上传：{words_of(kinds)}。请转换后再上传。")
    return kind


def refuse_size(kind: FileKind, size: int) -> None:
    """Raise FileRefusedError for an empty file and one over its kind's limit, before a byte of it is read."""
    if size <= 0:
        raise FileRefusedError("文件是空的。请重新选择文件后再上传。")
    if size > MOST_BYTES[kind]:
        raise FileRefusedError(
            f"{_WORDS[kind]}文件不能超过 {MOST_BYTES[kind] // _MB} MB，这个文件有 {size // _MB} MB。请压缩或分成几个后再上传。"
        )


def display_name(name: str, ending: str) -> str:
    """Give a file's name as people see it: no path, nothing invisible, its true ending."""
    bare = normalise(name).replace("\\", "/").rsplit("/", 1)[-1].replace("\n", " ").replace("\t", " ")
    stem = PurePath(bare).stem.strip(" .")[:_LONGEST_NAME].strip()
    return (stem or "附件") + ending
