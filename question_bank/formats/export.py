"""What writing a file of questions gives: its bytes, what the format could not say, and the tags that carry a question's fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import DIFFICULTY_NAMES, Citation, Difficulty, Kind, Note, Question
from question_bank.rich import Rich, to_plain


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """The file's bytes, and by name what of the questions the format could not say."""

    content: bytes
    losses: list[Note] = field(default_factory=list)


_FIELD_NAMES = {
    "points": "分值",
    "images": "图片",
    "model_answer": "参考答案",
    "explanation": "解析",
    "citation": "依据条文",
    "knowledge_points": "知识点",
    "difficulty": "难度",
    "tags": "标签",
    "code": "题号",
    "markup": "排版",
}


def not_exported(where: str, question: Question, format_name: str) -> Note:
    """Return the note on a question that the format cannot say at all."""
    reason = f"{format_name} 格式写不下这道{KIND_NAMES[question.kind]}，没有导出。请改用 QTI 3.0 或 Excel 格式导出。"
    return Note(where, f"{reason}题干：{Rich(question.stem, question.is_html).plain[:30]}", "not_written")


def unsupported_fields(where: str, question: Question, format_name: str, **fields: object) -> list[Note]:
    """Return one note that names those fields that hold something and that the format has no place for."""
    names = [_FIELD_NAMES[name] for name, value in fields.items() if value]
    if not names:
        return []
    stem = Rich(question.stem, question.is_html).plain[:20]
    return [Note(where, f"{format_name} 格式写不下：{'、'.join(names)}（题干：{stem}）。", "fields_not_written")]


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
    """Return tags that say all of a question's facts."""
    tags = [*question.tags, *(_POINT + point for point in question.knowledge_points)]
    if question.difficulty is not None:
        tags.append(_DIFFICULTY + DIFFICULTY_NAMES[question.difficulty])
    if question.citation is not None:
        citation = question.citation
        tags.append(_CITATION + "｜".join([citation.law, citation.article, citation.version or ""]).rstrip("｜"))
    return tags


def encode_part_tags(question: Question) -> list[str]:
    """Return tags that say the facts of a case's parts, each with the part's number."""
    tags = []
    for place, part in enumerate(question.parts, start=1):
        codes = [_CODE + part.code] if part.code else []
        tags += [f"小题{place}｜{tag}" for tag in [*encode_tags(part), *codes]]
    return tags


def split_part_tags(tags: list[str]) -> tuple[list[str], dict[int, list[str]], dict[int, str]]:
    """Return the tags of the whole, those of each part (from 1), and the parts' own numbers."""
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
    """Return the facts that tags say; a tag that says none stays a tag."""
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


def plain_question(question: Question) -> Question:
    """Return a question with plain texts only."""
    if not question.is_html:
        return question
    texts: Callable[[str], str] = lambda text: to_plain(text)[0]  # noqa: E731 – one word used three times
    options = tuple(texts(option) for option in question.options)
    key = tuple(texts(text) for text in question.key) if question.kind is Kind.SHORT_ANSWER else question.key
    return replace(
        question, stem=texts(question.stem), options=options, key=key, explanation=texts(question.explanation), is_html=False
    )  # fmt: skip
