"""Read two JSON formats of other programs: exports of EXAM by CSC, and json2qti."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from html import unescape
from typing import Any

from examapp.documents.archives import UnreadableFileError
from examapp.documents.decoding import decode_plain_text, text_head
from question_bank.formats.parsed import Gap, ParsedQuestion, number, parse_points, place_gaps, token, unsupported_kind
from question_bank.formats.pictures import attach_images, no_files
from question_bank.model import Kind, Note, Outcome, ParseResult
from question_bank.rich import Rich, guessed, html_to_text

_TYPE = re.compile(r'"type"\s*:\s*"(?:Essay|MultipleChoice|WeightedMultipleChoice|ClaimChoice|ClozeTest)Question"')
_SPAN = re.compile(
    r"<span\b(?P<attributes>[^>]*\bcloze\s*=\s*[\"']true[\"'][^>]*)>(?P<answer>.*?)</span>", re.DOTALL | re.IGNORECASE
)


def looks_like_csc_exam(content: bytes, name: str) -> bool:
    """Return whether the JSON names EXAM's kinds of question."""
    head = text_head(content, size=100_000)
    return head.lstrip().startswith(("{", "[")) and _TYPE.search(head) is not None


def read_csc_exam(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of an EXAM export."""
    questions = _csc_questions(content)
    result = ParseResult("csc-exam")
    for place, entry in enumerate(questions, start=1):
        where = f"第 {place} 题（questions[{place - 1}]）"
        is_question = isinstance(entry, dict)
        malformed = Note(where, "这一项不是题目。请在原系统重新导出。", "malformed")
        result.add(_csc_outcome(entry, where) if is_question else malformed)
    return result


def load_json(content: bytes) -> Any:
    """Return the JSON value; UnreadableFileError with line and column when it is broken or too deep."""
    try:
        return json.loads(decode_plain_text(content))
    except json.JSONDecodeError as error:
        reason = f"不是合法的 JSON：第 {error.lineno} 行第 {error.colno} 列有错。请在原系统重新导出。"
        raise UnreadableFileError(reason) from error
    except (RecursionError, ValueError) as error:
        raise UnreadableFileError("JSON 嵌套太深或数字太长，读不出来。请在原系统重新导出。") from error


def _csc_questions(content: bytes) -> list[Any]:
    data = load_json(content)
    questions = data.get("questions") if isinstance(data, dict) else data
    if not isinstance(questions, list):
        raise UnreadableFileError("JSON 里没有 questions 列表，不是 EXAM 导出的题库。请确认选对了文件。")
    return questions


def _csc_outcome(entry: dict[str, Any], where: str) -> Outcome:
    kind = str(entry.get("type") or "")
    filler = _FILLERS.get(kind)
    if filler is None:
        return unsupported_kind(where, kind or "没有写明题型的题")
    parsed = ParsedQuestion(where=where, kind=Kind.SHORT_ANSWER)
    parsed.stem = attach_images(parsed, guessed(str(entry.get("question") or "").strip()), no_files)
    parsed.points = parse_points(str(entry.get("defaultMaxScore") or ""))
    parsed.code = str(entry["id"]) if entry.get("id") is not None else None
    parsed.set_tags([str(tag.get("name") or "") for tag in _dicts(entry.get("tags"))])
    if entry.get("attachment"):
        parsed.add_dropped("attachment_dropped", "题目所附的文件没有保留。")
    return filler(parsed, entry, _dicts(entry.get("options"))) or parsed.validate()


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _set_options(parsed: ParsedQuestion, options: list[dict[str, Any]]) -> list[Decimal]:
    """Set the options; return their scores."""
    texts = (guessed(str(option.get("option") or "").strip()) for option in options)
    parsed.options = [attach_images(parsed, text, no_files) for text in texts]
    return [number(str(option.get("defaultScore") or "0")) or Decimal(0) for option in options]


def _fill_choice(parsed: ParsedQuestion, _entry: dict[str, Any], options: list[dict[str, Any]]) -> None:
    parsed.kind = Kind.SINGLE_CHOICE
    _set_options(parsed, options)
    parsed.right = [place for place, option in enumerate(options) if option.get("correctOption") is True]


def _fill_weighted(parsed: ParsedQuestion, _entry: dict[str, Any], options: list[dict[str, Any]]) -> None:
    parsed.kind = Kind.MULTIPLE_CHOICE
    scores = _set_options(parsed, options)
    parsed.right = [place for place, score in enumerate(scores) if score > 0]
    if len({score for score in scores if score > 0}) > 1:
        parsed.add_dropped("partial_credit", "各正确选项原来的分值不等，导入后按本平台的多选题规则计分。")
    if any(score < 0 for score in scores):
        parsed.add_dropped("negative_marks", "错选倒扣分没有保留。")


def _fill_claim(parsed: ParsedQuestion, _entry: dict[str, Any], options: list[dict[str, Any]]) -> None:
    parsed.kind = Kind.SINGLE_CHOICE
    kept = [option for option in options if option.get("claimChoiceType") != "SkipOption"]
    if len(kept) < len(options):
        parsed.add_dropped("skip_option", "“不作答”选项没有保留。")
    if any(score < 0 for score in _set_options(parsed, kept)):
        parsed.add_dropped("negative_marks", "错选倒扣分没有保留。")
    parsed.right = [place for place, option in enumerate(kept) if option.get("claimChoiceType") == "CorrectOption"]


def _fill_cloze(parsed: ParsedQuestion, entry: dict[str, Any], options: list[dict[str, Any]]) -> Note | None:
    gaps: list[Gap] = []
    ranges: list[str] = []

    def replace(match: re.Match[str]) -> str:
        gaps.append(_gap(match, parsed, ranges))
        return token(len(gaps) - 1)

    stem = _SPAN.sub(replace, str(entry.get("question") or ""))
    if ranges:
        return unsupported_kind(parsed.where, "数值范围题")
    if not gaps:
        parsed.kind = Kind.FILL_BLANK
        return None
    place_gaps(parsed, attach_images(parsed, Rich(stem, is_html=True), no_files), gaps)
    return None


def _gap(match: re.Match[str], parsed: ParsedQuestion, ranges: list[str]) -> Gap:
    attributes = unescape(match.group("attributes"))
    answer = html_to_text(match.group("answer"))
    precision = re.search(r"precision\s*=\s*[\"']([^\"']*)", attributes)
    if re.search(r"numeric\s*=\s*[\"']true", attributes):
        if precision and number(precision.group(1)) not in {None, Decimal(0)}:
            ranges.append(answer)
        parsed.add_dropped("numeric_as_text", "数值题改成了填空题，答案按文字比对，不再按数值比对。")
    variants = [re.sub(r"\\([|*])", r"\1", part).strip() for part in re.split(r"(?<!\\)\|", answer)]
    gap = Gap(variants=tuple(dict.fromkeys(variant for variant in variants if variant)))
    if re.search(r"(?<!\\)\*", answer):
        gap.review = ("wildcard_answer", "答案里有通配符 *，本平台不支持。请写出具体的答案。")
    elif not gap.variants:
        gap.review = ("no_key", "有空没有写明答案。请补上答案。")
    return gap


def _fill_essay(parsed: ParsedQuestion, entry: dict[str, Any], _options: list[dict[str, Any]]) -> None:
    parsed.answer = html_to_text(str(entry.get("defaultEvaluationCriteria") or ""))
    if entry.get("defaultAnswerInstructions"):
        parsed.explanation.append(guessed(str(entry["defaultAnswerInstructions"])))


_FILLERS: dict[str, Callable[[ParsedQuestion, dict[str, Any], list[dict[str, Any]]], Note | None]] = {
    "MultipleChoiceQuestion": _fill_choice,
    "WeightedMultipleChoiceQuestion": _fill_weighted,
    "ClaimChoiceQuestion": _fill_claim,
    "ClozeTestQuestion": _fill_cloze,
    "EssayQuestion": _fill_essay,
}


def looks_like_json2qti(content: bytes, name: str) -> bool:
    """Return whether the JSON is quizzes of questions with lists of words, and nothing else."""
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
    lists = [options for quiz in data.values() for options in quiz.values()]
    return all(
        isinstance(options, list) and all(type(one) in {str, int, float} for one in options) for options in lists
    )


def read_json2qti(content: bytes, *, name: str) -> ParseResult:
    """Return all questions; the format's rule that the first option is right is named as a remark."""
    data = load_json(content)
    if not _is_quizzes(data):
        raise UnreadableFileError("不是 json2qti 的题库（应为：测验名 → 题干 → 选项列表）。请确认选对了文件。")
    result = ParseResult("json2qti")
    for title, quiz in data.items():
        note = "按 json2qti 的规定，每题的第一个选项是正确答案。请抽查几题。"
        result.remarks.append(Note(str(title), note, "first_is_right"))
        for place, (stem, options) in enumerate(quiz.items(), start=1):
            parsed = ParsedQuestion(where=f"“{title}”第 {place} 题", kind=Kind.SINGLE_CHOICE, stem=guessed(str(stem)))
            parsed.options = [guessed(option) if isinstance(option, str) else Rich(str(option)) for option in options]
            parsed.right = [0] if options else []
            result.add(parsed.validate())
    return result
