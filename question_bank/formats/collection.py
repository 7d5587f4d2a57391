"""Read a zip of several question files, each by its own reader; the places say in which file a question stands."""

from dataclasses import replace
from pathlib import PurePath

from examapp.documents.archives import MAX_PACKAGE_ENTRIES, ZIP, Archive, UnreadableFileError, open_archive
from question_bank.model import Note, ParseResult

_QUESTION_FILES = frozenset(
    {
        ".docx",
        ".xlsx",
        ".xlsm",
        ".xls",
        ".et",
        ".csv",
        ".tsv",
        ".txt",
        ".md",
        ".gift",
        ".json",
        ".jsonl",
        ".ndjson",
        ".ods",
        ".html",
        ".htm",
        ".mht",
    }
    | {".doc", ".wps", ".rtf", ".odt", ".pdf", ".ppt", ".pptx", ".png", ".jpg", ".jpeg"}
)
"""Ends of the names of what people put together; the last ones cannot be read here, which is said."""
_READABLE = frozenset({".docx", ".xlsx", ".xlsm", ".xls", ".et", ".csv", ".tsv", ".txt", ".md", ".gift", ".json", ".jsonl", ".ndjson", ".ods", ".html", ".htm", ".mht", ".pdf"})  # fmt: skip
_HIDDEN = (".", "~$", "Thumbs.db", "desktop.ini")
MAX_FILES = 100


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the bytes are a zip of documents and of nothing else: no office file, no package of another program."""
    if not content.startswith(ZIP):
        return False
    try:
        names = _files(open_archive(content, max_entries=MAX_PACKAGE_ENTRIES))
    except UnreadableFileError:
        return False
    suffixes = {PurePath(entry).suffix.lower() for entry in names}
    return bool(suffixes & _READABLE) and suffixes <= _QUESTION_FILES and "mimetype" not in names


def read(content: bytes, *, name: str) -> ParseResult:
    """Return the questions of all files; those that cannot be read are remarks, with the reason. UnreadableFileError where none can."""
    archive = open_archive(content, max_entries=MAX_PACKAGE_ENTRIES)
    names = _files(archive)
    if len(names) > MAX_FILES:
        raise UnreadableFileError(f"压缩包里有 {len(names)} 个文件，超过 {MAX_FILES} 个。请分成几个压缩包上传。")
    whole = ParseResult("collection")
    unread: list[Note] = []
    for entry in sorted(names):
        shown = shown_name(entry)
        inner = archive.read(entry)
        try:
            _extend(whole, _read_entry(inner, shown), shown)
        except UnreadableFileError as error:
            unread.append(Note(shown, f"这个文件没有读入：{error}", "file_unreadable"))
    if not whole.found:
        reasons = "；".join(f"{note.where}：{note.reason}" for note in unread[:3])
        raise UnreadableFileError(f"压缩包里的文件都没有读到题目。{reasons}")
    whole.remarks[:0] = unread
    return whole


def _read_entry(content: bytes, name: str) -> ParseResult:
    from question_bank.formats.registry import read_file  # the registry names this reader

    if looks_like(content, name):
        raise UnreadableFileError("压缩包里又有压缩包，没有读。请解压后单独上传。")
    return read_file(content, name)


def _files(archive: Archive) -> list[str]:
    return [entry for entry in archive.names if not PurePath(entry).name.startswith(_HIDDEN)]


def shown_name(entry: str) -> str:
    """Return an entry's name as its author wrote it: Windows writes Chinese names in GBK without saying so."""
    try:
        return entry.encode("cp437").decode("gb18030")
    except UnicodeError:
        return entry


def _extend(whole: ParseResult, part: ParseResult, name: str) -> None:
    """Add the reading of one file, its places prefixed with its name."""

    def moved(note: Note) -> Note:
        return replace(note, where=f"{name}：{note.where}")

    counted = part.census if part.differs_from_census else part.found
    whole.census = (whole.census or 0) + (counted or 0)
    whole.imported += [
        replace(one, where=f"{name}：{one.where}", dropped=tuple(map(moved, one.dropped))) for one in part.imported
    ]
    whole.needing_review += [replace(one, note=moved(one.note)) for one in part.needing_review]
    whole.rejected += map(moved, part.rejected)
    whole.remarks += map(moved, part.remarks)
