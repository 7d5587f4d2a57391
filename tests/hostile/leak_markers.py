"""Leak markers: the seed questions with a word in every key and explanation that stands nowhere else, and a search for it in whatever leaves the application."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pypdf

from examapp import clock
from examapp.content.question_intake.actions import load_seed_bank
from tests.attempts.candidate_clients import KINDS
from tests.factories import World

LAW = "宪法"
WORD = re.compile(r"canary7e41\d{4}")
_SEED = Path(__file__).parents[2] / "question_bank" / "content" / f"{LAW}.txt"
_KEPT = {str(kind): 3 * count for kind, count, _points in KINDS}
"""As many of a kind as keep the exams' pool narrow, so that practice holds all of it back."""
_KIND_LABELS = {"单选题": "single_choice", "多选题": "multiple_choice", "判断题": "true_false", "填空题": "fill_blank"}


def plant(folder: Path) -> int:
    """Write seed questions into a folder, each explanation and each text of a key with a leak marker; gives how many there are."""
    head, *questions = _SEED.read_text("utf-8-sig").split("\n## ")
    kept: Counter[str] = Counter()
    planted, written = 0, [head]

    def mark(line: str) -> str:
        nonlocal planted
        if not re.match(r"解析：|答案\d：", line):
            return line
        planted += 1
        return f"{line}{'|' if line.startswith('答案') else ''}canary7e41{planted:04d}"

    for question in questions:
        kind = _KIND_LABELS.get(question.split(maxsplit=2)[1])
        if kind is None or kept[kind] == _KEPT[kind]:
            continue
        kept[kind] += 1
        written.append("\n".join(map(mark, question.split("\n"))))
    (folder / f"{LAW}.txt").write_text("\n## ".join(written), "utf-8")
    return planted


class LeakMarkerWorld(World):
    """A world whose exams are over the planted questions and release no key before they close."""

    def __init__(self, app, session, folder: Path) -> None:
        super().__init__(app, session)
        plant(folder)
        load_seed_bank(session, folder, now=clock.now())

    def blueprint(self, sections=KINDS, **fields):
        made = super().blueprint(sections, **fields)
        for section in made.sections:
            section.laws = [LAW]
        return made

    def exam(self, blueprint=None, **fields):
        return super().exam(blueprint, **fields | {"keys_policy": "at_close"})


def leak_markers_in(content: bytes | str) -> set[str]:
    """Smell through a text, an archive's entries, a PDF's pages."""
    return set(WORD.findall("\n".join(_texts(content))))


def leak_markers_of(answer) -> set[str]:
    """Smell through an answer with its headers."""
    return leak_markers_in(str(answer.headers)) | leak_markers_in(answer.get_data())


def _texts(content: bytes | str) -> Iterator[str]:
    if isinstance(content, str):
        yield content
        return
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from _texts(archive.read(name))
    elif content.startswith(b"%PDF-1"):
        for page in pypdf.PdfReader(io.BytesIO(content)).pages:
            yield "".join(page.extract_text().replace("\0", "").split())
    yield content.decode("utf-8", "replace")
    yield content.decode("utf-16", "replace")
