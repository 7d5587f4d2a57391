"""Represent an exported file, note what a format cannot say, and encode a question's fields as tags."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import DIFFICULTY_NAMES, Citation, Difficulty, Kind, Note, Question
from question_bank.rich import Rich, to_plain


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """The file's bytes, and by name what of the questions the format could not say."""

    content: bytes
    dropped: list[Note] = field(default_factory=list)


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


def writable(
    questions: Iterable[Question], format_name: str, can_say: Callable[[Question], bool], dropped: list[Note]
) -> Iterator[tuple[int, str, Question]]:
    """Yield number, place and question of those that a format can say; note the others as lost."""
    for number, question in enumerate(questions, start=1):
        if can_say(question):
            yield number, f"第 {number} 题", question
        else:
            dropped.append(not_exported(f"第 {number} 题", question, format_name))


def is_keyed(question: Question) -> bool:
    """Return whether a question has a key, or needs none."""
    return bool(question.key or question.blanks) or question.kind is Kind.SHORT_ANSWER


def not_exported(where: str, question: Question, format_name: str) -> Note:
    """Return the note on a question that the format cannot say at all."""
    kind = KIND_NAMES[question.kind]
    reason = f"{format_name} 格式写不下这道{kind}，没有导出。请改用 QTI 3.0 或 Excel 格式导出。"
    if not all(map(is_keyed, question.parts or (question,))):
        reason = f"这道{kind}还没有答案，{format_name} 格式写不下，没有导出。请先补上答案，或改用 Excel 格式导出。"
    return Note(where, f"{reason}题干：{Rich(question.stem, question.is_html).plain[:30]}", "not_written")


def unsupported_fields(where: str, question: Question, format_name: str, *fields: str, **values: object) -> list[Note]:
    """Return one note that names those fields that hold something and that the format has no place for.

    `values` are given where a field of the question is not the value itself, such as `markup`.
    """
    values = {name: getattr(question, name) for name in fields} | values
    names = [_FIELD_NAMES[name] for name, value in values.items() if value]
    if not names:
        return []
    stem = Rich(question.stem, question.is_html).plain[:20]
    return [Note(where, f"{format_name} 格式写不下：{'、'.join(names)}（题干：{stem}）。", "fields_not_written")]


_LINE = re.compile("_{2,}")


def fill_lines(stem: str, gaps: Iterable[str]) -> str:
    """Return a stem with each run of underscores replaced by a gap, in order; gaps that find none follow the stem."""
    left = iter(gaps)
    placed = _LINE.sub(lambda match: next(left, match.group()), stem)
    return " ".join([placed, *left])


_POINT = "知识点："
_DIFFICULTY = "难度："
_CITATION = "依据："
_CODE = "题号："
_PART = re.compile(r"小题(?P<part>\d{1,4})｜(?P<tag>.+)", re.DOTALL)
_NAMES = {name: difficulty for difficulty, name in DIFFICULTY_NAMES.items()}


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


def decode_tags(tags: list[str]) -> tuple[tuple[str, ...], tuple[str, ...], Difficulty | None, Citation | None]:
    """Return tags, knowledge points, difficulty and citation that tags say; a tag that says none stays a tag."""
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
    return tuple(plain), tuple(points), difficulty, citation


def plain_question(question: Question) -> Question:
    """Return a question with plain texts only."""
    if not question.is_html:
        return question
    options = tuple(to_plain(option)[0] for option in question.options)
    key = tuple(to_plain(text)[0] for text in question.key) if question.kind is Kind.SHORT_ANSWER else question.key
    stem, explanation = to_plain(question.stem)[0], to_plain(question.explanation)[0]
    return replace(question, stem=stem, options=options, key=key, explanation=explanation, is_html=False)
