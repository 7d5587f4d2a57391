"""Open untrusted archives and office files, only when their directory stays within the limits."""

from __future__ import annotations

import io
import posixpath
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass

MAX_UNPACKED = 100 * 1024 * 1024
MAX_ENTRIES = 2000
MAX_PACKAGE_ENTRIES = 20_000
"""A package of questions has a file for each: six of our own banks fit."""
MAX_RATIO = 100
RATIO_FREE = 1024 * 1024
"""Entries, and whole archives, that unpack to less than this may be packed as tightly as they like: they cannot hurt."""

RESAVE = "请用 Excel 或 WPS 打开，另存为 .xlsx 后再导入。"
_CONTENT_TYPES = "[Content_Types].xml"
_DAMAGED = "压缩包已损坏，打不开。请重新下载或重新导出后再上传。"


@dataclass(frozen=True, slots=True)
class Archive:
    """A checked archive: names to bytes, each read at most once over the limit."""

    zip_file: zipfile.ZipFile
    names: tuple[str, ...]
    known: frozenset[str]
    """The same names, found at once."""

    def __contains__(self, name: object) -> bool:
        """Return whether the archive holds that file."""
        return name in self.known

    def read(self, name: str) -> bytes:
        """Return the bytes of one file; UnreadableFileError when it is damaged or larger than its directory says."""
        info = self.zip_file.getinfo(name)
        try:
            with self.zip_file.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            EOFError,
            ValueError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise UnreadableFileError(f"压缩包里的“{name}”已损坏，读不出来。请重新导出后再上传。") from error
        if len(content) != info.file_size:
            reason = f"压缩包里的“{name}”实际大小和目录里写的不一致，为安全起见不予打开。请重新打包后再上传。"
            raise UnreadableFileError(reason)
        return content


def holds_office(content: bytes, *, folder: str, main: re.Pattern[bytes]) -> bool:
    """Return whether a zip is an office file with such a main part, by its [Content_Types].xml; a broken one counts by the folder's name."""
    if not content.startswith(ZIP):
        return False
    try:
        archive = open_archive(content)
        if _CONTENT_TYPES in archive:
            types = archive.read(_CONTENT_TYPES)
            return main.search(types) is not None or (
                b".main+xml" not in types and any(name.startswith(folder) for name in archive.names)
            )
    except UnreadableFileError:
        return folder.encode() in content
    return any(name.startswith(folder) for name in archive.names)


def open_archive(content: bytes, *, max_entries: int = MAX_ENTRIES) -> Archive:
    """Return the archive, when its directory keeps the limits (H08, H10); else UnreadableFileError with the reason."""
    try:
        zip_file = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError) as error:
        raise UnreadableFileError(_DAMAGED) from error
    entries = zip_file.infolist()
    _check_size(entries, len(content), max_entries)
    seen: set[str] = set()
    for entry in entries:
        _check_entry(entry)
        folded = posixpath.normpath(entry.filename).casefold()
        if folded in seen:
            raise UnreadableFileError(f"压缩包里有重名文件“{entry.filename}”，分不清该用哪一个。请删去多余的再打包。")
        seen.add(folded)
    names = tuple(e.filename for e in entries if not e.is_dir() and not e.filename.startswith("__MACOSX/"))
    return Archive(zip_file, names, frozenset(names))


def _check_size(entries: list[zipfile.ZipInfo], packed: int, max_entries: int) -> None:
    if len(entries) > max_entries:
        reason = f"压缩包里有 {len(entries)} 个文件，超过 {max_entries} 个的上限。请分成几个压缩包上传。"
        raise UnreadableFileError(reason)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED:
        reason = f"压缩包展开后有 {unpacked // 1024 // 1024} MB，超过 100 MB 的上限。请分成几个压缩包上传。"
        raise UnreadableFileError(reason)
    if unpacked > RATIO_FREE and unpacked > MAX_RATIO * packed:
        raise UnreadableFileError("压缩包的压缩比异常，为安全起见不予打开。请重新打包后再上传。")
    if sum(entry.compress_size for entry in entries) > packed:
        raise UnreadableFileError("压缩包里的文件互相重叠，为安全起见不予打开。请重新打包后再上传。")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename
    if "\x00" in name or not name.strip():
        raise UnreadableFileError("压缩包里有文件名不合法的文件。请改名后重新打包。")
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or (len(parts[0]) == 2 and parts[0][1] == ":"):
        raise UnreadableFileError(f"压缩包里的“{name}”指向压缩包以外的位置，不予打开。请重新打包后再上传。")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise UnreadableFileError(f"压缩包里的“{name}”是一个链接而不是文件，不予打开。请换成真正的文件再打包。")
    if entry.flag_bits & 0x1:
        raise UnreadableFileError("压缩包加了密码。请去掉密码后再上传。")
    if entry.file_size > RATIO_FREE and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        raise UnreadableFileError(f"压缩包里的“{name}”压缩比异常，为安全起见不予打开。")


class UnreadableFileError(Exception):
    """The file as a whole cannot be read; the message says why in Chinese and what to do next."""


ZIP = b"PK\x03\x04"


def check_contents(archive: Archive, *, may_hold_macros: bool = False) -> None:
    """Raise UnreadableFileError when the archive holds macros, archives or sheets in binary, or is no workbook."""
    names = [name.lower() for name in archive.names]
    if not may_hold_macros and any(name.endswith("vbaproject.bin") for name in names):
        raise UnreadableFileError("工作簿里有宏，为安全起见不予打开。请另存为不含宏的 .xlsx 后再导入。")
    if any(name.endswith((".zip", ".rar", ".7z", ".gz")) for name in names):
        raise UnreadableFileError("工作簿里还套着压缩包，为安全起见不予打开。请删去后再导入。")
    if any(name.startswith("xl/worksheets/") and name.endswith(".bin") for name in names):
        raise UnreadableFileError(f"这是二进制工作簿（.xlsb），不能导入。{RESAVE}")
    if not any(name.startswith("xl/") for name in names):
        raise UnreadableFileError("这个压缩包不是 Excel 工作簿。请确认文件类型。")
