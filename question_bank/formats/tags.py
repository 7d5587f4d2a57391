"""What a foreign format has no field for, carried in its tags: knowledge points, difficulty and the law's article."""

from __future__ import annotations

import re
from dataclasses import dataclass

from question_bank.model import DIFFICULTY_NAMES, Citation, Difficulty, Question

_POINT = "知识点："
_DIFFICULTY = "难度："
_CITATION = "依据："
_CODE = "题号："
_PART = re.compile(r"小题(?P<part>\d+)｜(?P<tag>.+)", re.DOTALL)
_NAMES = {name: difficulty for difficulty, name in DIFFICULTY_NAMES.items()}


@dataclass(frozen=True, slots=True)
class TagFacts:
    """Tags taken apart."""

    tags: tuple[str, ...]
    knowledge_points: tuple[str, ...]
    difficulty: Difficulty | None
    citation: Citation | None


def encode_tags(question: Question) -> list[str]:
    """Tags that say all of a question's facts."""
    tags = [*question.tags, *(_POINT + point for point in question.knowledge_points)]
    if question.difficulty is not None:
        tags.append(_DIFFICULTY + DIFFICULTY_NAMES[question.difficulty])
    if question.citation is not None:
        citation = question.citation
        tags.append(_CITATION + "｜".join([citation.law, citation.article, citation.version or ""]).rstrip("｜"))
    return tags


def encode_part_tags(question: Question) -> list[str]:
    """Tags that say the facts of a case's parts, each with the part's number."""
    tags = []
    for place, part in enumerate(question.parts, start=1):
        codes = [_CODE + part.code] if part.code else []
        tags += [f"小题{place}｜{tag}" for tag in [*encode_tags(part), *codes]]
    return tags


def split_part_tags(tags: list[str]) -> tuple[list[str], dict[int, list[str]], dict[int, str]]:
    """The tags of the whole, those of each part (from 1), and the parts' own numbers."""
    whole: list[str] = []
    parts: dict[int, list[str]] = {}
    codes: dict[int, str] = {}
    for tag in tags:
        found = _PART.fullmatch(tag)
        if found is None:
            whole.append(tag)
        elif found.group("tag").startswith(_CODE):
            codes[int(found.group("part"))] = found.group("tag").removeprefix(_CODE)
        else:
            parts.setdefault(int(found.group("part")), []).append(found.group("tag"))
    return whole, parts, codes


def decode_tags(tags: list[str]) -> TagFacts:
    """The facts that tags say; a tag that says none stays a tag."""
    plain: list[str] = []
    points: list[str] = []
    difficulty: Difficulty | None = None
    citation: Citation | None = None
    for tag in (raw.strip() for raw in tags):
        if tag.startswith(_POINT):
            points.append(tag.removeprefix(_POINT))
        elif tag.startswith(_DIFFICULTY) and tag.removeprefix(_DIFFICULTY) in _NAMES:
            difficulty = _NAMES[tag.removeprefix(_DIFFICULTY)]
        elif tag.startswith(_CITATION) and "｜" in tag:
            law, article, *version = tag.removeprefix(_CITATION).split("｜")
            citation = Citation(law=law, article=article, version=version[0] if version else None)
        elif tag and tag not in plain:
            plain.append(tag)
    return TagFacts(tuple(plain), tuple(points), difficulty, citation)
