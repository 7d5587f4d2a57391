"""Is a file what its name says? By magic and structure; what was cut off is found out where the format can tell."""

from __future__ import annotations

import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from examapp.core.uploads.limits import FileRefusedError
from examapp.core.uploads.models import FileKind
from examapp.core.uploads.pdf_content import refuse_active

_MOST_ENTRIES = 2000
_MOST_UNPACKED = 100 * 1024 * 1024
_MOST_RATIO = 100
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


def refuse_other_content(kind: FileKind, path: Path) -> str:
    """Check a file against its kind (images apart, they are drawn anew); gives its media type, raises FileRefusedError."""
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
        raise FileRefusedError("这不是 PDF 文件。请另存为 PDF 后再上传。")
    tail = content[-2048:]
    if b"%%EOF" not in tail or b"startxref" not in tail:
        raise FileRefusedError(_CUT_OFF)
    refuse_active(content)
    return "application/pdf"


def _office(path: Path, kind: FileKind) -> str:
    wrong = f"这不是 {kind} 文件，或文件已损坏。请用 Office 或 WPS 打开检查，另存为 {kind} 后再上传。"
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise FileRefusedError(wrong) from error
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or _MAIN_PARTS[kind] not in names:
        raise FileRefusedError(wrong)
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_ENTRIES or unpacked > min(_MOST_UNPACKED, _MOST_RATIO * path.stat().st_size):
        raise FileRefusedError("文件解压后太大，不能上传。请精简内容后另存，再上传。")
    if any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise FileRefusedError(wrong)
    try:
        is_unsafe = _has_definitions(path)
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # damaged, or locked by a password
        raise FileRefusedError(wrong) from error
    if is_unsafe:
        raise FileRefusedError(
            f"文件里带有不安全的 XML 定义，不能上传。请用 Office 或 WPS 打开后另存为新的 {kind}，再上传。"
        )
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise FileRefusedError(f"文件里带有宏，不能上传。请另存为不带宏的 {kind} 后再上传。")
    family = "wordprocessingml.document" if kind is FileKind.DOCX else "spreadsheetml.sheet"
    return f"application/vnd.openxmlformats-officedocument.{family}"


def _has_definitions(path: Path) -> bool:
    """Tell whether a part defines entities: no office program writes that, and whoever reads it may be drowned by them."""
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
                raise FileRefusedError("这不是 MP3 文件。请转换为 MP3 后再上传。")
            position += length
            if position >= size:
                break
    if position > size:
        raise FileRefusedError(_CUT_OFF)
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
        raise FileRefusedError("这不是 MP4 文件。请转换为 MP4（H.264）后再上传。")
    if not {b"moov", b"mdat"} <= {name for name, _ in boxes}:
        raise FileRefusedError(_CUT_OFF)
    return "audio/mp4" if boxes[0][1] == b"M4A " else "video/mp4"


def _boxes(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Walk the outermost boxes, as (name, first four bytes of content); raises FileRefusedError where one goes past the end."""
    size, position = path.stat().st_size, 0
    with path.open("rb") as file:
        while position < size:
            file.seek(position)
            head = file.read(20)
            if len(head) < 8:
                raise FileRefusedError(_CUT_OFF)
            length, name = struct.unpack(">I4s", head[:8])
            first, least = head[8:12], 8
            if length == 1 and len(head) >= 16:
                (length,), first, least = struct.unpack(">Q", head[8:16]), head[16:20], 16
            elif length == 0:
                length = size - position
            if position == 0 and name != b"ftyp":
                return
            if length < least or position + length > size:
                raise FileRefusedError(_CUT_OFF)
            yield name, first
            position += length


def flush_to_disk(file: BinaryIO) -> None:
    """Make sure that what was written survives a power cut."""
    file.flush()
    os.fsync(file.fileno())
