"""The file of an edition, and what it changes in a bank; pure.

An edition is a zip: `edition.txt` with its name, `questions/*.txt`, `gists/*.txt` and `courses/*.md` in the project's own formats.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from examapp.content.questions.rules import prepare
from examapp.documents.archives import UnreadableFileError, open_archive
from question_bank.coursetext import CourseText, UnreadableCourseError, read_courses
from question_bank.formats import examtext
from question_bank.gists import UnreadableGistsError, read_gists
from question_bank.kinds.registry import kind_of, parts_of
from question_bank.model import OPTION_LETTERS, Question

NAME_FILE = "edition.txt"
_ENTRY = re.compile(r"(?:(questions|gists)/[^/\\]+\.txt|courses/[^/\\]+\.md)")
_MAX_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What an edition holds; `folder` has its files, questions at its top, for as long as it is open."""

    name: str
    folder: Path
    questions: list[Question]
    courses: list[CourseText]
    gist_count: int


@contextmanager
def open_edition(content: bytes) -> Iterator[Edition]:
    """Unpack and read an edition; raises UnreadableFileError with the file that is not sound."""
    archive = open_archive(content)
    with TemporaryDirectory() as opened:
        folder = Path(opened)
        for name in archive.names:
            if _ENTRY.fullmatch(name):
                target = folder / name.removeprefix("questions/")
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(archive.read(name))
        if NAME_FILE not in archive.names:
            raise UnreadableFileError("这不是年度更新文件：里面没有 edition.txt。请用 bank edition 生成的文件。")
        try:
            edition = Edition(
                name=archive.read(NAME_FILE).decode("utf-8-sig").strip()[:_MAX_NAME],
                folder=folder,
                questions=_read_questions(folder),
                courses=read_courses(folder / "courses"),
                gist_count=sum(len(one.by_label) for one in read_gists(folder / "gists")),
            )
        except (UnicodeDecodeError, UnreadableGistsError, UnreadableCourseError) as error:
            raise UnreadableFileError(f"更新文件有错，没有读入：{str(error)[:200]}") from error
        if not edition.questions and not edition.courses:
            raise UnreadableFileError("更新文件里没有题目，也没有课程。")
        yield edition


def _read_questions(folder: Path) -> list[Question]:
    """Read an edition's questions; raises UnreadableFileError with the place of the first that is not sound."""
    questions: list[Question] = []
    for path in sorted(folder.glob("*.txt")):
        reading = examtext.read(path.read_bytes(), name=path.name)
        for note in [*reading.rejected, *(item.note for item in reading.needing_review)]:
            raise UnreadableFileError(f"更新文件有错，没有读入：{path.name}，{note.where}：{note.reason}")
        questions += [item.question for item in reading.imported]
    return questions


def pack_edition(name: str, bank: Path) -> bytes:
    """Pack the content that ships with this program as an edition; the same content gives the same bytes."""
    packed = io.BytesIO()
    sources = [("questions", bank / "content", "*.txt"), ("gists", bank / "content" / "gists", "*.txt")]
    sources.append(("courses", bank / "courses", "*.md"))
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        files = [(NAME_FILE, f"{name}\n".encode())]
        files += [(f"{part}/{path.name}", path.read_bytes()) for part, folder, ends in sources for path in sorted(folder.glob(ends))]  # fmt: skip
        for inner, content in files:
            entry = zipfile.ZipInfo(inner, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredQuestion:
    """A question of the bank as the comparison needs it."""

    id: int
    question: Question
    is_shipped: bool
    """It came with the program or an earlier edition."""
    is_own_edit: bool
    """A person has edited it, corrected its key, or taken it out of use."""


@dataclass(slots=True, kw_only=True)
class EditionChanges:
    """What an edition changes, by code."""

    same: int = 0
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    own: list[dict[str, str]] = field(default_factory=list)
    """Differing ones that the county has edited: `{code, mine, theirs}` as texts."""
    withdrawn: list[str] = field(default_factory=list)


def compare_edition(questions: Iterable[Question], stored: Mapping[str, StoredQuestion]) -> EditionChanges:
    """Compare an edition's questions with those of a bank."""
    found = EditionChanges()
    codes = set()
    for theirs in questions:
        code = theirs.code or ""
        codes.add(code)
        mine = stored.get(code)
        if mine is None:
            found.new.append(code)
        elif _content(mine.question) == _content(theirs):
            found.same += 1
        elif mine.is_own_edit or not mine.is_shipped:
            found.own.append({"code": code, "mine": as_text(mine.question), "theirs": as_text(theirs)})
        else:
            found.changed.append(code)
    found.withdrawn = [code for code, one in stored.items() if one.is_shipped and not one.is_own_edit and code not in codes]  # fmt: skip
    return found


def _content(question: Question) -> tuple[Any, ...]:
    """Return what makes two questions the same: words, keys with explanations, citations, difficulty."""
    prepared = prepare(question, review_note="compared")
    cited = [(part.citation.law, part.citation.article, part.citation.version) if part.citation else None for part in parts_of(question)]  # fmt: skip
    return prepared.digest, prepared.key_parts, cited, question.difficulty


def as_text(question: Question) -> str:
    """Write a question for a person to compare."""
    lines = [question.stem] if question.parts else []
    for part in parts_of(question):
        lines += [part.stem, *(f"{letter}．{text}" for letter, text in zip(OPTION_LETTERS, part.options, strict=False))]
        lines += [f"答案：{line}" for line in kind_of(part.kind).key_lines(list(part.key), part.blanks)]
        lines.append(f"解析：{part.explanation}")
        if part.citation:
            lines.append(f"依据：《{part.citation.law}》（{part.citation.version}）{part.citation.article}")
    return "\n".join(lines)
