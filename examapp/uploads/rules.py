"""Which kinds of file come in, how large they may be, and what they are called."""

from __future__ import annotations

import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePath
from typing import BinaryIO

from examapp.documents.archives import MAX_ENTRIES, MAX_RATIO, MAX_UNPACKED
from examapp.documents.html import normalise
from examapp.errors import DomainError
from examapp.uploads.models import FileKind

_MB = 1024 * 1024
MAX_BYTES = {
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
_KIND_LABELS = {
    FileKind.IMAGE: "图片（PNG、JPEG、GIF、WebP）",
    FileKind.PDF: "PDF",
    FileKind.DOCX: "Word（docx）",
    FileKind.XLSX: "Excel（xlsx）",
    FileKind.MP3: "MP3 音频",
    FileKind.MP4: "MP4 视频或音频",
}
_MAX_NAME_LENGTH = 100


class InvalidFileError(DomainError):
    """A file that may not come in; the message says why, and what to do."""

    code = "file_refused"
    status = 422
    message = "这个文件不能上传。"


class WrongOffsetError(DomainError):
    """A piece that does not go on where the last one ended; `received` says where to go on."""

    code = "wrong_offset"
    message = "这一段不是接着上一段的，将从断开的地方继续。"


def text_of(kinds: Collection[FileKind]) -> str:
    """Name kinds of file for people, as `PDF、MP3 音频`."""
    return "、".join(text for kind, text in _KIND_LABELS.items() if kind in kinds)


def promised_kind(name: str, kinds: Collection[FileKind]) -> FileKind:
    """Give the kind that a name's ending promises; raises InvalidFileError where it is none of these."""
    kind = _ENDINGS.get(PurePath(name).suffix.lower())
    if kind is None or kind not in kinds:
        raise InvalidFileError(f"不能上传这种文件。可以上传：{text_of(kinds)}。请转换后再上传。")
    return kind


def validate_size(kind: FileKind, size: int) -> None:
    """Raise InvalidFileError for an empty file and one over its kind's limit, before a byte of it is read."""
    if size <= 0:
        raise InvalidFileError("文件是空的。请重新选择文件后再上传。")
    if size > MAX_BYTES[kind]:
        raise InvalidFileError(
            f"{_KIND_LABELS[kind]}文件不能超过 {MAX_BYTES[kind] // _MB} MB，这个文件有 {size // _MB} MB。请压缩或分成几个后再上传。"
        )


def display_name(name: str, ending: str) -> str:
    """Give a file's name as people see it: no path, nothing invisible, its true ending."""
    bare = normalise(name).replace("\\", "/").rsplit("/", 1)[-1].replace("\n", " ").replace("\t", " ")
    stem = PurePath(bare).stem.strip(" .")[:_MAX_NAME_LENGTH].strip()
    return (stem or "附件") + ending


_ACTIVE = ("JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "XFA")
_MAX_INFLATED = 64 * 1024 * 1024
"""Of all object streams of a file together; those of a thousand pages have some 5 MB."""
_MAX_STREAMS = 20_000
_CHUNK = 64 * 1024
_HEAD = 256
_PRINT_AGAIN = "请打印为新的 PDF 后再上传。"


def _name(name: str) -> bytes:
    """Give the pattern of a name after its slash, of which each character may be written as # and two hexadecimal digits."""
    signs = (f"(?:{re.escape(sign)}|#{ord(sign) >> 4:x}(?i:{ord(sign) & 15:x}))" for sign in name)
    return f"{''.join(signs)}(?=[\\s\\x00()<>\\[\\]{{}}/%]|$)".encode()


# The value behind /JS too: three characters alone stand in many a picture by chance.
_JS_VALUE = rb"[\s\x00]{0,99}(?:[(<]|\d{1,10}[\s\x00]{1,99}\d{1,5}[\s\x00]{1,99}R)"
_ACTS = re.compile(b"/(?:" + b"|".join([*map(_name, _ACTIVE), _name("JS") + _JS_VALUE]) + b")")
_LOCKED = re.compile(b"/" + _name("Encrypt"))
_STREAM = re.compile(rb"stream(\r\n|\n|\r)")
_OBJECTS = re.compile(b"/" + _name("ObjStm"))
_FIRST, _COUNT = re.compile(b"/" + _name("First")), re.compile(b"/" + _name("N"))
_ODD_PACKING = re.compile(
    b"/(?:"
    + b"|".join(
        _name(name)
        for name in (
            "LZWDecode", "ASCIIHexDecode", "ASCII85Decode", "RunLengthDecode", "Crypt", "DecodeParms", "DP", "F", "FFilter",
            "LZW", "AHx", "A85", "RL",
        )
    )
    + b")"
)  # fmt: skip
_UNCLEAR = f"这个 PDF 的内部结构看不清楚，不能上传。{_PRINT_AGAIN}"
_TOO_LARGE = f"这个 PDF 的内部结构过于庞大，不能上传。{_PRINT_AGAIN}"
_PAIRS = re.compile(rb"[\s\x00]{0,99}(?:%|[+-]?\d{1,10}[\s\x00]{1,99}[+-]?\d)")


def validate_pdf(content: bytes) -> None:
    """Raise InvalidFileError for a PDF that acts by itself, carries files, is locked, or packs objects so that this cannot be seen."""
    if _LOCKED.search(content):
        raise InvalidFileError(f"这个 PDF 加了密码或限制，看不出里面有什么，不能上传。{_PRINT_AGAIN}")
    if _ACTS.search(content) or any(_ACTS.search(objects) for objects in _packed_objects(content)):
        raise InvalidFileError(f"这个 PDF 里带有脚本、动态表单或内嵌文件，不能上传。{_PRINT_AGAIN}")


def _packed_objects(content: bytes) -> Iterator[bytes]:
    """Unpack the streams that say that they hold objects, and those that begin as such do; raises InvalidFileError."""
    before = said = 0
    left = _MAX_INFLATED
    for number, match in enumerate(_STREAM.finditer(content)):
        if number > 2 * _MAX_STREAMS:
            raise InvalidFileError(_TOO_LARGE)
        if content[max(match.start() - 3, 0) : match.start()] == b"end":
            before = match.end()
            continue
        own = content[max(before, content.rfind(b"endobj", before, match.start())) : match.start()]
        before = match.end()
        is_said = bool(_OBJECTS.search(own) or (_FIRST.search(own) and _COUNT.search(own)))
        said += len(_OBJECTS.findall(own))
        head = _unpacked(content[match.end() : match.end() + 4 * _HEAD], 0, limit=_HEAD)
        if is_said and (not head or _ODD_PACKING.search(own)):
            raise InvalidFileError(_UNCLEAR)
        if is_said or _PAIRS.match(head):
            unpacked = _unpacked(content, match.end(), limit=left + 1)
            left -= len(unpacked)
            if left < 0:
                raise InvalidFileError(_TOO_LARGE)
            yield unpacked
    if said != len(_OBJECTS.findall(content)):
        raise InvalidFileError(_UNCLEAR)


def _unpacked(content: bytes, start: int, *, limit: int) -> bytes:
    """Unpack what was deflated, as far as it goes: readers show what stands before a fault."""
    unpacking, found, size = zlib.decompressobj(), [], 0
    step = _CHUNK
    rest = b""
    while size < limit and not unpacking.eof and (rest or start < len(content)):
        if not rest:
            rest, start = content[start : start + _CHUNK], start + _CHUNK
        before = unpacking.copy()
        try:
            found.append(unpacking.decompress(rest, min(limit - size, step)))
        except zlib.error:
            if step == 1:
                break
            unpacking, step = before, max(1, step // 16)
            continue
        rest = unpacking.unconsumed_tail
        size += len(found[-1])
    return b"".join(found)


_DEFINITION = re.compile(
    b"|".join(
        re.escape(word.encode(coding))
        for word in ("<!DOCTYPE", "<!ENTITY")
        for coding in ("utf-8", "utf-16-le", "utf-16-be")
    )
)
_MAIN_PARTS = {FileKind.DOCX: "word/document.xml", FileKind.XLSX: "xl/workbook.xml"}
_BIT_RATES = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_FRAMES_SEEN = 4
_CUT_OFF = "文件不完整，可能在传输或导出时被截断。请用播放器检查原文件，重新导出后再上传。"


def validate_content(kind: FileKind, path: Path) -> str:
    """Check a file against its kind (images apart, they are drawn again); gives its media type, raises InvalidFileError."""
    check: Callable[[Path], str] = {
        FileKind.PDF: _pdf,
        FileKind.DOCX: lambda file: _office(file, FileKind.DOCX),
        FileKind.XLSX: lambda file: _office(file, FileKind.XLSX),
        FileKind.MP3: _mp3,
        FileKind.MP4: _mp4,
    }[kind]
    return check(path)


def _pdf(path: Path) -> str:
    content = path.read_bytes()
    if not re.match(rb"%PDF-[12]\.\d", content):
        raise InvalidFileError("这不是 PDF 文件。请另存为 PDF 后再上传。")
    tail = content[-2048:]
    if b"%%EOF" not in tail or b"startxref" not in tail:
        raise InvalidFileError(_CUT_OFF)
    validate_pdf(content)
    return "application/pdf"


def _office(path: Path, kind: FileKind) -> str:
    wrong = f"这不是 {kind} 文件，或文件已损坏。请用 Office 或 WPS 打开检查，另存为 {kind} 后再上传。"
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InvalidFileError(wrong) from error
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or _MAIN_PARTS[kind] not in names:
        raise InvalidFileError(wrong)
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or unpacked > min(MAX_UNPACKED, MAX_RATIO * path.stat().st_size):
        raise InvalidFileError("文件解压后太大，不能上传。请精简内容后另存，再上传。")
    if any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise InvalidFileError(wrong)
    try:
        is_unsafe = _has_definitions(path)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError) as error:
        # Damaged, or locked by a password.
        raise InvalidFileError(wrong) from error
    if is_unsafe:
        raise InvalidFileError(
            f"文件里带有不安全的 XML 定义，不能上传。请用 Office 或 WPS 打开后另存为新的 {kind}，再上传。"
        )
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise InvalidFileError(f"文件里带有宏，不能上传。请另存为不带宏的 {kind} 后再上传。")
    family = "wordprocessingml.document" if kind is FileKind.DOCX else "spreadsheetml.sheet"
    return f"application/vnd.openxmlformats-officedocument.{family}"


def _has_definitions(path: Path) -> bool:
    """Tell whether a part defines entities: no office program writes that, and anyone who reads it may be drowned by them."""
    with zipfile.ZipFile(path) as archive:
        parts = (one for one in archive.infolist() if one.filename.lower().endswith((".xml", ".rels", ".vml")))
        return any(_DEFINITION.search(archive.read(one)) for one in parts)


def _mp3(path: Path) -> str:
    with path.open("rb") as file:
        position, size = _after_id3(file), path.stat().st_size
        for _ in range(_FRAMES_SEEN):
            file.seek(position)
            length = _frame_length(file.read(4))
            if not length:
                raise InvalidFileError("这不是 MP3 文件。请转换为 MP3 后再上传。")
            position += length
            if position >= size:
                break
    if position > size:
        raise InvalidFileError(_CUT_OFF)
    return "audio/mpeg"


def _after_id3(file: BinaryIO) -> int:
    head = file.read(10)
    if not head.startswith(b"ID3") or len(head) < 10:
        return 0
    high, middle, low, lowest = head[6:10]
    return 10 + ((high & 127) << 21 | (middle & 127) << 14 | (low & 127) << 7 | (lowest & 127))


def _frame_length(head: bytes) -> int:
    """Give the length of an MPEG audio frame of layer 3 by its header; 0 for anything else."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate, sample = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer != 1 or rate in {0, 15} or sample == 3:
        return 0
    kilobits = _BIT_RATES[1 if version == 3 else 2][rate]
    samples_by_8 = 144 if version == 3 else 72
    return samples_by_8 * kilobits * 1000 // _SAMPLE_RATES[version][sample] + (head[2] >> 1 & 1)


def _mp4(path: Path) -> str:
    boxes = list(_boxes(path))
    if not boxes or boxes[0][0] != b"ftyp":
        raise InvalidFileError("这不是 MP4 文件。请转换为 MP4（H.264）后再上传。")
    if not {b"moov", b"mdat"} <= {name for name, _ in boxes}:
        raise InvalidFileError(_CUT_OFF)
    return "audio/mp4" if boxes[0][1] == b"M4A " else "video/mp4"


def _boxes(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Walk the outermost boxes, as (name, first four bytes of content); raises InvalidFileError where one goes past the end."""
    size, position = path.stat().st_size, 0
    with path.open("rb") as file:
        while position < size:
            file.seek(position)
            head = file.read(20)
            if len(head) < 8:
                raise InvalidFileError(_CUT_OFF)
            length, name = struct.unpack(">I4s", head[:8])
            first, minimum = head[8:12], 8
            if length == 1 and len(head) >= 16:
                (length,), first, minimum = struct.unpack(">Q", head[8:16]), head[16:20], 16
            elif length == 0:
                length = size - position
            if position == 0 and name != b"ftyp":
                return
            if length < minimum or position + length > size:
                raise InvalidFileError(_CUT_OFF)
            yield name, first
            position += length


def flush_to_disk(file: BinaryIO) -> None:
    """Make sure that what was written survives a power cut."""
    file.flush()
    os.fsync(file.fileno())
