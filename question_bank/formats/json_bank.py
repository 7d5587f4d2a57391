"""Question banks in the plain JSON that apps give: a list of questions, a bank with `questions`, or several banks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from examapp.documents.archives import UnreadableFileError
from examapp.documents.decoding import decode_text
from examapp.documents.number_formats import cell_text
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.keys import choice_key, is_by_words
from question_bank.formats.heuristics.resolving import resolve_questions
from question_bank.formats.heuristics.table_cells import options_from_json, read_difficulty, read_points
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import OPTION_LETTERS, Kind
from question_bank.parse_result import Note, ParseResult

MAX_QUESTIONS = 50_000

_LISTS = ("questions", "items", "data", "list", "banks", "题目", "试题")
_STEMS = ("question", "stem", "title", "content", "题干", "题目", "题面", "topicContent")
_ANSWERS = ("answerKeys", "answer", "answers", "correctAnswer", "correctAnswers", "答案", "正确答案")
_OPTIONS = ("options", "choices", "选项")
_KINDS = ("type", "kind", "typeLabel", "questionType", "题型")
_EXPLANATIONS = ("analysis", "explanation", "解析", "explain")
_POINTS = ("score", "points", "分值", "分数")
_CODES = ("id", "code", "number", "编号", "题号")
_KNOWLEDGE = ("knowledgePoints", "知识点", "topic")
_TAGS = ("tags", "标签", "category", "subject")
_PARTS = ("children", "subQuestions", "parts", "小题")
_IMAGES = ("images", "image", "pictures", "图片")
_OPTION = re.compile(r"(?:option|choice|opt|选项)?[_\-]?([A-Ha-h])", re.IGNORECASE)
_NO_QUESTIONS = "JSON 里没有找到题目。题目应是一个列表，每道题有 question（题干）、options（选项）和 answer（答案）。"


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the file is JSON with questions in it, by its first signs and its names."""
    if PurePath(name).suffix.lower() not in {".json", ".txt", ""} or content[:64].lstrip(b"\xef\xbb\xbf \r\n\t")[
        :1
    ] not in {b"[", b"{"}:
        return False
    head = content[:200_000]
    return any(f'"{one}"'.encode() in head for one in _STEMS) and any(
        f'"{one}"'.encode() in head for one in (*_ANSWERS, "answerText")
    )


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a JSON file; UnreadableFileError when it is no JSON or holds no question."""
    text = decode_text(content)
    try:
        value = json.loads(text, parse_float=str)
    except RecursionError as error:
        raise UnreadableFileError("JSON 嵌套太深，读不出来。请在原系统重新导出。") from error
    except ValueError as error:
        line = text.count("\n", 0, getattr(error, "pos", 0)) + 1
        raise UnreadableFileError(f"JSON 第 {line} 行有错，读不出来。请在原系统重新导出。") from error
    found = list(_questions(value, "$", 0))
    if not found:
        raise UnreadableFileError(_NO_QUESTIONS)
    if len(found) > MAX_QUESTIONS:
        raise UnreadableFileError(f"JSON 里超过 {MAX_QUESTIONS} 道题。请拆成几个文件再导入。")
    hint = kind_names.kind_in(PurePath(name).stem)
    return resolve_questions([_raw(item, where, hint) for where, item in found], format_name="json")


def _questions(value: Any, where: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield each question with its JSON path, out of lists and banks within banks."""
    if depth > 6:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            if (
                isinstance(item, dict)
                and any(isinstance(item.get(one), list) for one in _LISTS)
                and not _first(item, _STEMS)
            ):
                yield from _questions(item, f"{where}[{index}]", depth + 1)
            else:
                yield f"{where}[{index}]", item
    elif isinstance(value, dict):
        for one in _LISTS:
            if isinstance(value.get(one), (list, dict)):
                yield from _questions(value[one], f"{where}.{one}", depth + 1)


def _raw(item: Any, where: str, hint: Kind | None) -> ParsedQuestion:
    parsed = ParsedQuestion(where=where)
    if not isinstance(item, dict):
        parsed.rejection = Note(where, "这一项不是题目。请核对文件。", "not_a_question")
        return parsed
    parsed.stem_text = _text(_first(item, _STEMS))
    _set_kind(parsed, item, hint)
    parsed.lettered = options_from_json(_first(item, _OPTIONS)) or _lettered(item)
    blanks = item.get("blankAnswers") or item.get("blanks")
    if isinstance(blanks, list) and blanks:
        parsed.kind = parsed.kind or Kind.FILL_BLANK
        parsed.blank_answers = ["|".join(_texts(blank)) for blank in blanks]
    parsed.answer = "\n".join(_texts(_first(item, _ANSWERS)))
    _doubt_index(parsed, _first(item, _ANSWERS))
    _compare_words(parsed, _texts(item.get("answerText")))
    parsed.explanation_text = _text(_first(item, _EXPLANATIONS))
    parsed.points = read_points(_text(_first(item, _POINTS)))
    parsed.difficulty = read_difficulty(_text(item.get("difficulty", item.get("难度", ""))), top=3)
    parsed.code = _text(_first(item, _CODES)) or None
    parsed.knowledge_points = tuple(dict.fromkeys(_texts(_first(item, _KNOWLEDGE))))
    parsed.tags = tuple(
        dict.fromkeys(tag for one in _TAGS for tag in _texts(item.get(one)) if tag not in parsed.knowledge_points)
    )
    if any(item.get(one) for one in _IMAGES):
        parsed.add_loss("image", "题里的图片没有导入，只保留了文字。")
    parts = _first(item, _PARTS)
    if isinstance(parts, list) and parts:
        parsed.parts = [_raw(part, f"{where}.{index}", None) for index, part in enumerate(parts)]
    return parsed


def _lettered(item: dict[str, Any]) -> list[tuple[str, str]]:
    """Return options that each have a name of their own: `optionA`, `选项A`, `A`."""
    named = {match[1].upper(): _text(text) for name, text in item.items() if (match := _OPTION.fullmatch(name))}
    last = max((OPTION_LETTERS.index(letter) for letter, text in named.items() if text), default=-1)
    return [(letter, named.get(letter, "")) for letter in OPTION_LETTERS[: last + 1]]


def _compare_words(parsed: ParsedQuestion, words: list[str]) -> None:
    """Hold the answer's words, where a bank gives them beside its keys, against the options; they are the answer where there are no keys."""
    if not parsed.answer and not any(parsed.blank_answers):
        parsed.answer = "\n".join(words)
    if not words or not parsed.lettered:
        return
    key, named = choice_key(parsed)[0], choice_key(replace(parsed, answer="\n".join(words)))[0]
    if key and named and key != named:
        reason = f"答案字母是 {''.join(key)}，答案文字却是选项 {''.join(named)} 的内容，两者不一致。请核对答案。"
        parsed.require_review("two_keys", reason)


def _doubt_index(parsed: ParsedQuestion, answer: Any) -> None:
    """A bare number is an index, which programs count from 0 and people from 1."""
    is_index = any(type(one) is int for one in (answer if isinstance(answer, list) else [answer]))
    if is_index and len(parsed.lettered) >= 2 and parsed.kind is not Kind.TRUE_FALSE and not is_by_words(parsed):
        parsed.require_review(
            "two_readings", f"答案是数字 {parsed.answer[:10]}，看不出从 0 还是从 1 数起。请写明选项字母。"
        )


def _set_kind(parsed: ParsedQuestion, item: dict[str, Any], hint: Kind | None) -> None:
    names = [_text(item.get(one)) for one in _KINDS if item.get(one) not in (None, "")]
    parsed.kind = next((kind for kind in map(kind_names.kind_of, names) if kind), None)
    if parsed.kind is None and names:
        label = next((name for name in reversed(names) if kind_names.unsupported_name(name)), names[0])
        parsed.kind_label = "" if kind_names.is_choice_name(label) else label
    elif not names:
        parsed.kind = hint


def _first(item: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((item[one] for one in names if item.get(one) not in (None, "", [])), None)


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return ""
    return cell_text(value)


def _texts(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [_text(item) for item in value if _text(item)]
    return [_text(value)] if _text(value) else []
