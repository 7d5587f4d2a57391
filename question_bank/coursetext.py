"""Read the shipped courses: a law explained to officials, chapter by chapter, with the articles that each chapter cites.

A file is Markdown: `# title`, lines `法律：`, `版本：`, `学分：`, `简介：`; then chapters `## title` with `依据：第…条、第…条` and
`练习：5 题，答对 3 题` above their text.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parent / "courses"
_FIELD = re.compile(r"^(法律|版本|学分|简介|依据|练习)：(.+)$")
_EXERCISE = re.compile(r"(\d+) 题，答对 (\d+) 题")


class UnreadableCourseError(Exception):
    """A course's file has another form; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterText:
    """A chapter: its articles as labels of the course's law, its exercise, its Markdown."""

    title: str
    articles: tuple[str, ...]
    exercise_count: int
    pass_count: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseText:
    """A course on one law in one version."""

    title: str
    law: str
    version_on: date
    credits: int
    summary: str
    chapters: tuple[ChapterText, ...]


def read_courses(folder: Path = FOLDER) -> list[CourseText]:
    """Read all courses of a folder, the constitution's first, then in the order of their files' names; raises UnreadableCourseError."""
    paths = sorted(folder.glob("*.md"), key=lambda path: (path.stem != "宪法", path.name))
    return [read_course(path.read_text("utf-8"), path.name) for path in paths]


def read_course(text: str, name: str) -> CourseText:
    """Read a course; raises UnreadableCourseError."""
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    title = head.splitlines()[0].removeprefix("# ").strip() if head.startswith("# ") else ""
    fields, _ = _fields_of(head)
    try:
        return CourseText(
            title=title,
            law=fields["法律"],
            version_on=date.fromisoformat(fields["版本"]),
            credits=int(fields["学分"]),
            summary=fields["简介"],
            chapters=tuple(_read_chapter(part, name) for part in parts),
        )
    except (KeyError, ValueError) as error:
        raise UnreadableCourseError(f"{name}: {error}") from error


def _read_chapter(part: str, name: str) -> ChapterText:
    title, _, rest = part.partition("\n")
    fields, body = _fields_of(rest)
    exercise = _EXERCISE.fullmatch(fields.get("练习", ""))
    if exercise is None or "依据" not in fields:
        raise UnreadableCourseError(f"{name}: {title}: 依据 and 练习 are wanted")
    return ChapterText(
        title=title.strip(),
        articles=tuple(fields["依据"].split("、")),
        exercise_count=int(exercise[1]),
        pass_count=int(exercise[2]),
        text=body,
    )


def _fields_of(text: str) -> tuple[dict[str, str], str]:
    """Take the field lines off the top; give them and what is left."""
    fields: dict[str, str] = {}
    lines = text.splitlines()
    while lines:
        match = _FIELD.match(lines[0])
        if match is None and lines[0].strip() and not lines[0].startswith("# "):
            break
        if match is not None:
            fields[match[1]] = match[2].strip()
        lines.pop(0)
    return fields, "\n".join(lines).strip()
