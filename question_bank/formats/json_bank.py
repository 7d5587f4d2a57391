"""Read question banks in JSON: the plain lists that apps export, EXAM by CSC, json2qti."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from html import unescape
from pathlib import PurePath
from typing import Any

from examapp.documents.archives import UnreadableFileError
from examapp.documents.decoding import decode_plain_text, decode_text, text_head
from examapp.documents.number_formats import cell_text
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.keys import choice_key, is_by_text
from question_bank.formats.heuristics.resolving import hint_kind, resolve_questions
from question_bank.formats.heuristics.table_cells import options_from_json, read_difficulty, read_points
from question_bank.formats.parsed import Gap, ParsedQuestion, number, parse_points, place_gaps, token, unsupported_kind
from question_bank.formats.pictures import attach_images, no_files
from question_bank.model import OPTION_LETTERS, Kind, Note, Outcome, ParseResult
from question_bank.rich import Rich, guessed, html_to_text

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
    is_json = content[:64].lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"[", b"{"))
    if PurePath(name).suffix.lower() not in {".json", ".txt", ""} or not is_json:
        return False
    names = ({f'"{one}"'.encode() for one in group} for group in (_STEMS, (*_ANSWERS, "answerText")))
    return all(any(one in content[:200_000] for one in group) for group in names)


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
            is_bank = isinstance(item, dict) and any(isinstance(item.get(one), list) for one in _LISTS)
            if is_bank and not _first(item, _STEMS):
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
    parsed.lettered = options_from_json(_first(item, _OPTIONS)) or _lettered(item)
    _set_kind(parsed, item, hint)
    blanks = item.get("blankAnswers") or item.get("blanks")
    if isinstance(blanks, list) and blanks:
        parsed.kind = parsed.kind or Kind.FILL_BLANK
        parsed.blank_answers = ["|".join(_texts(blank)) for blank in blanks]
    parsed.answer = "\n".join(_texts(_first(item, _ANSWERS)))
    _check_index_base(parsed, _first(item, _ANSWERS))
    _compare_text(parsed, _texts(item.get("answerText")))
    parsed.explanation_text = _text(_first(item, _EXPLANATIONS))
    parsed.points = read_points(_text(_first(item, _POINTS)))
    parsed.difficulty = read_difficulty(_text(item.get("difficulty", item.get("难度", ""))), top=3)
    parsed.code = _text(_first(item, _CODES)) or None
    parsed.knowledge_points = tuple(dict.fromkeys(_texts(_first(item, _KNOWLEDGE))))
    tags = (tag for one in _TAGS for tag in _texts(item.get(one)))
    parsed.tags = tuple(dict.fromkeys(tag for tag in tags if tag not in parsed.knowledge_points))
    if any(item.get(one) for one in _IMAGES):
        parsed.add_dropped("image", "题里的图片没有导入，只保留了文字。")
    parts = _first(item, _PARTS)
    if isinstance(parts, list) and parts:
        parsed.parts = [_raw(part, f"{where}.{index}", None) for index, part in enumerate(parts)]
    return parsed


def _lettered(item: dict[str, Any]) -> list[tuple[str, str]]:
    """Return options that each have a name of their own: `optionA`, `选项A`, `A`."""
    named = {match[1].upper(): _text(text) for name, text in item.items() if (match := _OPTION.fullmatch(name))}
    last = max((OPTION_LETTERS.index(letter) for letter, text in named.items() if text), default=-1)
    return [(letter, named.get(letter, "")) for letter in OPTION_LETTERS[: last + 1]]


def _compare_text(parsed: ParsedQuestion, text: list[str]) -> None:
    """Hold the answer's words, where a bank gives them beside its keys, against the options; they are the answer where there are no keys."""
    if not parsed.answer and not any(parsed.blank_answers):
        parsed.answer = "\n".join(text)
    if not text or not parsed.lettered:
        return
    key, named = choice_key(parsed)[0], choice_key(replace(parsed, answer="\n".join(text)))[0]
    if key and named and key != named:
        reason = f"答案字母是 {''.join(key)}，答案文字却是选项 {''.join(named)} 的内容，两者不一致。请核对答案。"
        parsed.require_review("two_keys", reason)


def _check_index_base(parsed: ParsedQuestion, answer: Any) -> None:
    """Require a review where the answer is a bare number: an index, which programs count from 0 and people from 1."""
    is_index = any(type(one) is int for one in (answer if isinstance(answer, list) else [answer]))
    if is_index and len(parsed.lettered) >= 2 and parsed.kind is not Kind.TRUE_FALSE and not is_by_text(parsed):
        reason = f"答案是数字 {parsed.answer[:10]}，看不出从 0 还是从 1 数起。请写明选项字母。"
        parsed.require_review("two_readings", reason)


def _set_kind(parsed: ParsedQuestion, item: dict[str, Any], hint: Kind | None) -> None:
    names = [_text(item.get(one)) for one in _KINDS if item.get(one) not in (None, "")]
    parsed.kind = next((kind for kind in map(kind_names.kind_of, names) if kind), None)
    if parsed.kind is None and names:
        label = next((name for name in reversed(names) if kind_names.unsupported_name(name)), names[0])
        parsed.kind_label = "" if kind_names.is_choice_name(label) else label
    elif not names:
        hint_kind(parsed, hint, [text for _, text in parsed.lettered], "".join(_texts(_first(item, _ANSWERS))))


def _first(item: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((item[one] for one in names if item.get(one) not in (None, "", [])), None)


def _text(value: Any) -> str:
    return "" if isinstance(value, (dict, list)) else cell_text(value)


def _texts(value: Any) -> list[str]:
    return [text for item in (value if isinstance(value, list) else [value]) if (text := _text(item))]


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
