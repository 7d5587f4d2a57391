"""Check the articles that question files cite against the texts of their laws; describe results as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from examapp.content.law_texts.rules import UnreadableLawError, article_labels, read_law_text
from examapp.documents.html import html_to_text
from examapp.points import as_text
from question_bank.formats import examtext
from question_bank.kinds.registry import kind_of
from question_bank.model import Note, ParseResult, Question, QuestionForReview, ReadQuestion

_SUFFIXES = frozenset({".txt", ".md", ".docx"})
_DAY = re.compile(r"[（(]\d{4}-\d{2}-\d{2}[)）]$")


def missing_articles(path: Path, laws: Path) -> Iterator[str]:
    """Yield the articles that a question file cites and its law's version does not have; nothing where the text is not available."""
    reading = examtext.read(path.read_bytes(), name=path.name)
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
    """Return the names of all articles of the texts of a version."""
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


def describe(question: Question) -> dict[str, Any]:
    """Return a question as JSON: texts without markup, beside them the HTML where there is any; the key by kind.

    `key`: option letters of choices, `["A"]` or `["B"]` of true/false, a list of variants a blank of fill-ins, the model answer of short
    answers, `[]` of cases, whose `parts` have their own.
    """
    described: dict[str, Any] = {
        "kind": str(question.kind),
        "stem": _plain(question.stem, question),
        "options": [_plain(option, question) for option in question.options],
        "key": kind_of(question.kind).key_json(question, plain=lambda text: _plain(text, question)),
        "explanation": _plain(question.explanation, question),
        "difficulty": question.difficulty,
        "points": as_text(question.points),
        "code": question.code,
        "knowledge_points": list(question.knowledge_points),
        "tags": list(question.tags),
        "images": len(question.images),
        "citation": None,
    }
    if question.citation:
        citation = question.citation
        described["citation"] = {"law": citation.law, "article": citation.article, "version": citation.version}
    if question.is_html:
        described |= {"stem_html": question.stem, "options_html": list(question.options)}
    if not kind_of(question.kind).is_part:
        described["parts"] = [describe(part) for part in question.parts]
    return described


def _plain(text: str, question: Question) -> str:
    return html_to_text(text) if question.is_html else text


def note_json(note: Note) -> dict[str, str]:
    """Return a loss or rejection as JSON."""
    return {"where": note.where, "reason": note.reason, "code": note.code}


def read_json(item: ReadQuestion) -> dict[str, Any]:
    """Return an imported question with its place and losses as JSON."""
    return {**describe(item.question), "where": item.where, "losses": [note_json(note) for note in item.dropped]}


def question_for_review_json(item: QuestionForReview) -> dict[str, Any]:
    """Return a question whose key is in doubt as JSON."""
    return {**note_json(item.note), "question": describe(item.question)}


def dropped_of(items: Iterable[ReadQuestion]) -> list[dict[str, str]]:
    """List all losses of imported questions."""
    return [note_json(note) for item in items for note in item.dropped]


def describe_reading(reading: ParseResult) -> dict[str, Any]:
    """Return a file's result as the command line prints it; the counts add up to `found`."""
    return {
        "format": reading.format,
        "found": reading.found,
        "imported": len(reading.imported),
        "loss": dropped_of(reading.imported),
        "doubtful": [question_for_review_json(item) for item in reading.needing_review],
        "refused": [note_json(note) for note in reading.rejected],
        "remarks": [note_json(note) for note in reading.remarks],
        "questions": [read_json(item) for item in reading.imported],
    }
