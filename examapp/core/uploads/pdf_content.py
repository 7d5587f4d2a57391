"""What a PDF may do when it is opened: scripts, programs and files within it, also under escaped names and in packed object streams."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from examapp.core.uploads.limits import FileRefusedError

_ACTIVE = ("JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "XFA")
_MOST_INFLATED = 64 * 1024 * 1024
"""Of all object streams of a file together; those of a thousand pages have some 5 MB."""
_MOST_STREAMS = 20_000
_CHUNK = 64 * 1024
_HEAD = 256
_PRINT_ANEW = "请打印为新的 PDF 后再上传。"


def _name(name: str) -> bytes:
    """Give the pattern of a name after its slash, of which each character may be written as # and two hexadecimal digits."""
    signs = (f"(?:{re.escape(sign)}|#{ord(sign) >> 4:x}(?i:{ord(sign) & 15:x}))" for sign in name)
    return f"{''.join(signs)}(?=[\\s\\x00()<>\\[\\]{{}}/%]|$)".encode()


_ACTS = re.compile(
    b"/(?:"
    + b"|".join(
        [*map(_name, _ACTIVE), _name("JS") + rb"[\s\x00]{0,99}(?:[(<]|\d{1,10}[\s\x00]{1,99}\d{1,5}[\s\x00]{1,99}R)"]
    )
    + b")"
)  # three characters alone stand in many a picture by chance
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
_UNCLEAR = f"这个 PDF 的内部结构看不清楚，不能上传。{_PRINT_ANEW}"
_TOO_LARGE = f"这个 PDF 的内部结构过于庞大，不能上传。{_PRINT_ANEW}"
_PAIRS = re.compile(rb"[\s\x00]{0,99}(?:%|[+-]?\d{1,10}[\s\x00]{1,99}[+-]?\d)")


def refuse_active(content: bytes) -> None:
    """Raise FileRefusedError for a PDF that acts by itself, carries files, is locked, or packs objects so that this cannot be seen."""
    if _LOCKED.search(content):
        raise FileRefusedError(f"这个 PDF 加了密码或限制，看不出里面有什么，不能上传。{_PRINT_ANEW}")
    if _ACTS.search(content) or any(_ACTS.search(objects) for objects in _packed_objects(content)):
        raise FileRefusedError(f"这个 PDF 里带有脚本、动态表单或内嵌文件，不能上传。{_PRINT_ANEW}")


def _packed_objects(content: bytes) -> Iterator[bytes]:
    """Unpack the streams that say that they hold objects, and those that begin as such do; raises FileRefusedError."""
    before = said = 0
    left = _MOST_INFLATED
    for number, match in enumerate(_STREAM.finditer(content)):
        if number > 2 * _MOST_STREAMS:
            raise FileRefusedError(_TOO_LARGE)
        if content[max(match.start() - 3, 0) : match.start()] == b"end":
            before = match.end()
            continue
        own = content[max(before, content.rfind(b"endobj", before, match.start())) : match.start()]
        before = match.end()
        is_said = bool(_OBJECTS.search(own) or (_FIRST.search(own) and _COUNT.search(own)))
        said += len(_OBJECTS.findall(own))
        head = _unpacked(content[match.end() : match.end() + 4 * _HEAD], 0, most=_HEAD)
        if is_said and (not head or _ODD_PACKING.search(own)):
            raise FileRefusedError(_UNCLEAR)
        if is_said or _PAIRS.match(head):
            unpacked = _unpacked(content, match.end(), most=left + 1)
            left -= len(unpacked)
            if left < 0:
                raise FileRefusedError(_TOO_LARGE)
            yield unpacked
    if said != len(_OBJECTS.findall(content)):
        raise FileRefusedError(_UNCLEAR)


def _unpacked(content: bytes, start: int, *, most: int) -> bytes:
    """Unpack what was deflated, as far as it goes: readers show what stands before a fault."""
    unpacking, found, size = zlib.decompressobj(), [], 0
    step = _CHUNK
    rest = b""
    while size < most and not unpacking.eof and (rest or start < len(content)):
        if not rest:
            rest, start = content[start : start + _CHUNK], start + _CHUNK
        before = unpacking.copy()
        try:
            found.append(unpacking.decompress(rest, min(most - size, step)))
        except zlib.error:
            if step == 1:
                break
            unpacking, step = before, max(1, step // 16)
            continue
        rest = unpacking.unconsumed_tail
        size += len(found[-1])
    return b"".join(found)
