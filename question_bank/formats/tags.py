"""What a foreign format has no field for, carried in its tags: knowledge points, difficulty and the law's article."""

from __future__ import annotations

from dataclasses import dataclass

from question_bank.model import DIFFICULTY_NAMES, Citation, Difficulty, Question

_POINT = "知识点："
_DIFFICULTY = "难度："
_CITATION = "依据："
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
