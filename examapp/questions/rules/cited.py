"""Hold the articles that question files cite against the texts of their laws."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from examapp.laws.rules import UnreadableLawError, article_labels, read_law_text
from question_bank import textformat

_SUFFIXES = frozenset({".txt", ".md", ".docx"})
_DAY = re.compile(r"[（(]\d{4}-\d{2}-\d{2}[)）]$")


def missing_articles(path: Path, laws: Path) -> Iterator[str]:
    """Yield the articles that a question file cites and the text of its law's version does not have; nothing where no text is at hand."""
    reading = textformat.read(path.read_bytes(), name=path.name)
    questions = [item.question for item in reading.imported]
    known: dict[tuple[str, str], set[str]] = {}
    for question in questions:
        for part in (question, *question.parts):
            cited = part.citation
            if cited is None or cited.version is None:
                continue
            place = (cited.law, cited.version)
            if place not in known:
                known[place] = _labels(laws, *place)
            for label in article_labels(cited.article):
                if known[place] and label not in known[place]:
                    yield f"{question.code}：《{cited.law}》（{cited.version}）没有{label}"


def _labels(laws: Path, law: str, version: str) -> set[str]:
    """Give the names of all articles that the texts of a version have together."""
    found: set[str] = set()
    for text in sorted(laws.rglob("*")):
        if text.suffix not in _SUFFIXES or not text.is_file():
            continue
        name = _DAY.sub("", text.stem)
        if text.stem == f"{law}({version})" or law in {name if name == text.stem else "", text.parent.name}:
            found |= _labels_of(text, law, version)
    return found


def _labels_of(text: Path, law: str, version: str) -> set[str]:
    try:
        read = read_law_text(text.read_bytes(), f"{law}({version}){text.suffix}")
    except UnreadableLawError:
        return set()
    return {article.label for article in read.articles}
