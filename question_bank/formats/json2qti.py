"""json2qti's JSON: titles of quizzes, their questions, and the options of each, of which the first is right."""

from __future__ import annotations

from typing import Any

from question_bank.formats.csc_exam import load_json
from question_bank.formats.parsed import ParsedQuestion, add_outcome, validate_parsed
from question_bank.formats.plain_text import text_head
from question_bank.model import Kind
from question_bank.parse_result import Note, ParseResult, UnreadableFileError
from question_bank.rich import Rich, guessed


def looks_like(content: bytes, name: str) -> bool:
    """Whether the JSON is quizzes of questions with lists of words, and nothing else."""
    del name
    if not text_head(content, size=200).lstrip().startswith("{") or len(content) > 5_000_000:
        return False
    try:
        data = load_json(content)
    except UnreadableFileError:
        return False
    return _is_quizzes(data)


def _is_quizzes(data: Any) -> bool:
    if not isinstance(data, dict) or not data or not all(isinstance(quiz, dict) and quiz for quiz in data.values()):
        return False
    return all(_is_words(options) for quiz in data.values() for options in quiz.values())


def _is_words(options: Any) -> bool:
    return isinstance(options, list) and all(
        isinstance(one, str | int | float) and not isinstance(one, bool) for one in options
    )


def read(content: bytes, *, name: str) -> ParseResult:
    """All questions; the format's rule that the first option is right is named as a remark."""
    del name
    data = load_json(content)
    if not _is_quizzes(data):
        raise UnreadableFileError("不是 json2qti 的题库（应为：测验名 → 题干 → 选项列表）。请确认选对了文件。")
    reading = ParseResult("json2qti")
    for title, quiz in data.items():
        reading.remarks.append(
            Note(str(title), "按 json2qti 的规定，每题的第一个选项是正确答案。请抽查几题。", "first_is_right")
        )
        for place, (stem, options) in enumerate(quiz.items(), start=1):
            draft = ParsedQuestion(where=f"“{title}”第 {place} 题", kind=Kind.SINGLE_CHOICE, stem=guessed(str(stem)))
            draft.options = [
                Rich(str(option)) if not isinstance(option, str) else guessed(option) for option in options
            ]
            draft.right = [0] if options else []
            add_outcome(reading, validate_parsed(draft))
    return reading
