"""Read question banks in JSON: the lists of records that apps export, one value a file or one a line."""

import itertools
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
from question_bank.formats.heuristics.keys import choice_key, is_by_text
from question_bank.formats.heuristics.resolving import hint_kind, resolve_questions
from question_bank.formats.heuristics.stems import split_options
from question_bank.formats.heuristics.table_cells import options_from_json, read_difficulty, read_points
from question_bank.formats.heuristics.table_columns import MAX_SAMPLE
from question_bank.formats.heuristics.table_headers import NO_NAMES, key_of
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import (
    OPTION_LETTERS,
    ColumnNames,
    Kind,
    Note,
    ParseResult,
    TableColumns,
    UnknownColumnsError,
)

MAX_QUESTIONS = 50_000

_LISTS = (
    "questions",
    "items",
    "data",
    "list",
    "banks",
    "rows",
    "records",
    "result",
    "results",
    "questionList",
    "题目",
    "试题",
)
_STEMS = ("question", "stem", "title", "content", "题干", "题目", "题面", "topicContent", "questionText", "question_text",
          "questionContent", "question_content", "questionTitle", "problem", "prompt", "题干内容", "题目内容", "试题内容", "试题", "问题", "instruction")  # fmt: skip
_ANSWERS = ("answerKeys", "answer", "answers", "correctAnswer", "correctAnswers", "答案", "正确答案", "correct_answer", "correct_answers",
            "rightAnswer", "right_answer", "answer_key", "answerKey", "参考答案", "标准答案", "试题答案", "output")  # fmt: skip
_INDEXES = ("correctIndex", "correct_index", "answerIndex", "answer_index", "rightIndex", "correctOptionIndex")
"""Names of the right option's place among the options, or of several places."""
_OPTIONS = (
    "options",
    "choices",
    "选项",
    "optionList",
    "option_list",
    "choiceList",
    "candidates",
    "answerOptions",
    "备选项",
)
_KINDS = (
    "type",
    "kind",
    "typeLabel",
    "questionType",
    "题型",
    "question_type",
    "typeName",
    "type_name",
    "试题类型",
    "题目类型",
    "类型",
)
_EXPLANATIONS = (
    "analysis",
    "explanation",
    "解析",
    "explain",
    "answerAnalysis",
    "answer_analysis",
    "rationale",
    "答案解析",
    "试题解析",
    "依据",
)
_POINTS = ("score", "points", "分值", "分数")
_CODES = ("id", "code", "number", "编号", "题号")
_KNOWLEDGE = ("knowledgePoints", "知识点", "topic")
_TAGS = ("tags", "标签", "category", "subject")
_PARTS = ("children", "subQuestions", "parts", "小题")
_IMAGES = ("images", "image", "pictures", "图片")
_OPTION = re.compile(r"(?:option|choice|opt|选项)?[_\-]?([A-Ha-h])", re.IGNORECASE)
_RIGHT_FLAGS = (
    "isCorrect",
    "is_correct",
    "isRight",
    "is_right",
    "isAnswer",
    "is_answer",
    "correct",
    "right",
    "是否正确",
    "正确",
)
"""Names by which an option itself says that it is right."""
_TRUE = frozenset({"true", "1", "是", "对", "√", "✓", "yes", "y"})
_CANONICAL = {
    "stem": "question", "options": "options", "answer": "answer", "kind": "type", "explanation": "analysis", "points": "score",
    "code": "id", "knowledge": "knowledgePoints", "tags": "tags", "difficulty": "difficulty",
}  # fmt: skip
"""The names under which the reader knows what a person says that a field of a record holds."""
_SHORT_NAMES = {"q": "question", "a": "a", "b": "b", "ans": "answer"}
"""Names of one letter, known only where all of them stand together."""
_SCRIPT = re.compile(
    rb"\s*(?:(?:export\s+)?(?:var|let|const)\s+\w+\s*=|export\s+default|module\.exports\s*=|window\.\w+\s*=)\s*(?=[\[{])"
)
"""What stands before the JSON in a script that holds nothing else."""
_NO_QUESTIONS = "JSON 里没有找到题目。题目应是一个列表，每道题有 question（题干）、options（选项）和 answer（答案）。"


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the file is JSON with questions in it, by its first signs and its names."""
    is_json = content[:64].lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"[", b"{")) or _SCRIPT.match(content[:200])
    if PurePath(name).suffix.lower() not in {".json", ".jsonl", ".ndjson", ".js", ".txt", ""} or not is_json:
        return False
    answers = (*_ANSWERS, "answerText", *_RIGHT_FLAGS, *_INDEXES)
    if all(f'"{one}"'.encode() in content[:200_000] for one in _SHORT_NAMES):
        return True
    names = ({f'"{one}"'.encode() for one in group} for group in (_STEMS, answers))
    return all(any(one in content[:200_000] for one in group) for group in names)


def read(content: bytes, *, name: str, columns: ColumnNames = NO_NAMES) -> ParseResult:
    """Return all questions of a JSON file, or of one with a record a line; UnreadableFileError when it is no JSON or holds no question.

    Raises UnknownColumnsError where records hold no field that is known as a stem.
    """
    value = _decode(decode_text(content))
    found = [(where, _renamed(item, columns)) for where, item in _questions(value, "$", 0)]
    if not found:
        raise UnreadableFileError(_NO_QUESTIONS)
    if len(found) > MAX_QUESTIONS:
        raise UnreadableFileError(f"JSON 里超过 {MAX_QUESTIONS} 道题。请拆成几个文件再导入。")
    table = _describe(_questions(value, "$", 0), columns)
    if table and not any(isinstance(item, dict) and _first(item, _STEMS) for _, item in found):
        raise UnknownColumnsError(_UNKNOWN_FIELDS, format_name="json", tables=[table])
    hint = kind_names.kind_in(PurePath(name).stem)
    questions = [_raw(item, where, hint) for where, item in found]
    _answer_by_index(questions, [item for _, item in found])
    reading = resolve_questions(questions, format_name="json")
    reading.tables = [table] if table else []
    return reading


def looks_like_records(content: bytes, name: str) -> bool:
    """Return whether the file is JSON with records in it, whatever their fields are called."""
    if not content[:64].lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"[", b"{")):
        return False
    try:
        return _describe(_questions(_decode(decode_text(content)), "$", 0), NO_NAMES) is not None
    except UnreadableFileError:
        return False


def _decode(text: str) -> Any:
    """Decode JSON, or one JSON value a line."""
    text = text.removeprefix("\ufeff")
    if script := _SCRIPT.match(text.encode()):
        text = text.encode()[script.end() :].decode().rstrip().removesuffix(";")
    try:
        return json.loads(text, parse_float=str)
    except RecursionError as error:
        raise UnreadableFileError("JSON 嵌套太深，读不出来。请在原系统重新导出。") from error
    except ValueError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        try:
            if len(lines) > 1 and isinstance(json.loads(lines[0]), dict):
                return [_record(line, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        except (ValueError, RecursionError):
            pass
        line = text.count("\n", 0, getattr(error, "pos", 0)) + 1
        raise UnreadableFileError(f"JSON 第 {line} 行有错，读不出来。请在原系统重新导出。") from error


def _record(line: str, number: int) -> Any:
    """Decode one line; raises UnreadableFileError with its number."""
    try:
        return json.loads(line, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"JSON 第 {number} 行有错，读不出来。请改正这一行，或在原系统重新导出。") from error


_UNKNOWN_FIELDS = (
    "这是 JSON 文件，里面有记录，但认不出哪个字段是题干。请在预览里说明各字段是什么，"
    "或把字段改名为 question（题干）、options（选项）、answer（答案）。"
)


def _describe(questions: Iterator[tuple[str, Any]], names: ColumnNames) -> TableColumns | None:
    """Return the fields of records as the columns of a table; None where there are not two fields."""
    records = [item for _, item in itertools.islice(questions, 20) if isinstance(item, dict)]
    heads = list(dict.fromkeys(key for record in records for key in record))[:MAX_SAMPLE]
    if len(heads) < 2:
        return None
    rows = tuple(tuple(_sample(record.get(head)) for head in heads) for record in records[:3])
    keys = tuple(key_of(head, index) for index, head in enumerate(heads))
    fields = tuple(names.said.get(key) or _field_of(head) for key, head in zip(keys, heads, strict=True))
    is_known = any(code == "stem:0" for code in fields)
    return TableColumns("JSON 记录", tuple(head[:MAX_SAMPLE] for head in heads), keys, fields, rows, (), is_known)


def _sample(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:MAX_SAMPLE]


def _field_of(head: str) -> str:
    known = {
        "stem": _STEMS, "answer": _ANSWERS, "options": _OPTIONS, "kind": _KINDS, "explanation": _EXPLANATIONS,
        "points": _POINTS, "code": _CODES, "knowledge": _KNOWLEDGE, "tags": _TAGS,
    }  # fmt: skip
    match = _OPTION.fullmatch(head)
    if match:
        return f"option:{OPTION_LETTERS.index(match[1].upper())}"
    return next((f"{field}:0" for field, names in known.items() if head in names), "")


def _renamed(item: Any, names: ColumnNames) -> Any:
    """Return a record with its fields under the names that the reader knows, as people have said."""
    if isinstance(item, dict) and item.keys() >= _SHORT_NAMES.keys() and not names.said:
        return {_SHORT_NAMES.get(head, head): value for head, value in item.items()}
    if not isinstance(item, dict) or not (names.said or names.remembered):
        return item
    renamed: dict[str, Any] = {}
    for index, (head, value) in enumerate(item.items()):
        key = key_of(head, index)
        own = _field_of(head)
        code = names.said.get(key, own or names.remembered.get(key, ""))
        field, _, place = code.partition(":")
        name = f"option{OPTION_LETTERS[int(place)]}" if field == "option" else _CANONICAL.get(field, "")
        if code == own or (key not in names.said and not name):
            renamed.setdefault(head, value)
        elif name:
            renamed[name] = value
    return renamed


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
    if item.get("instruction") == parsed.stem_text and _text(item.get("input")):
        parsed.stem_text = f"{parsed.stem_text}\n{_text(item.get('input'))}"
    parsed.lettered = options_from_json(_first(item, _OPTIONS)) or _lettered(item)
    if not parsed.lettered:
        parsed.stem_text, parsed.lettered = split_options(parsed.stem_text)
    _set_kind(parsed, item, hint)
    blanks = item.get("blankAnswers") or item.get("blanks")
    if isinstance(blanks, list) and blanks:
        parsed.kind = parsed.kind or Kind.FILL_BLANK
        parsed.blank_answers = ["|".join(_texts(blank)) for blank in blanks]
    parsed.answer = "\n".join(_texts(_first(item, _ANSWERS))) or _flagged(_first(item, _OPTIONS), parsed)
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


def _answer_by_index(questions: list[ParsedQuestion], items: list[Any]) -> None:
    """Take the answers of questions without another from the right options' places: counted from 0 where one is 0, from 1 where one is beyond the last."""
    given: list[tuple[ParsedQuestion, list[int]]] = []
    for parsed, item in zip(questions, items, strict=True):
        places = _first(item, _INDEXES) if isinstance(item, dict) else None
        listed = places if isinstance(places, list) else [places]
        if parsed.lettered and not parsed.answer and all(type(one) is int for one in listed):
            given.append((parsed, [one for one in listed if isinstance(one, int)]))
    is_from_zero = any(0 in places for _, places in given)
    is_from_one = any(len(parsed.lettered) in places for parsed, places in given)
    for parsed, places in given:
        at = [place - (not is_from_zero) for place in places]
        if is_from_zero == is_from_one or not all(0 <= place < len(parsed.lettered) for place in at):
            reason = f"答案是选项的序号 {places[0]}，看不出从 0 还是从 1 数起。请写明选项字母。"
            parsed.require_review("two_readings", reason)
        else:
            parsed.answer = "".join(parsed.lettered[place][0] for place in sorted(at))


def _flagged(options: Any, parsed: ParsedQuestion) -> str:
    """Return the letters of the options that say themselves that they are right; nothing where one does not say."""
    if not isinstance(options, list) or len(options) != len(parsed.lettered):
        return ""
    flags = [_first(option, _RIGHT_FLAGS) if isinstance(option, dict) else None for option in options]
    pairs = zip(parsed.lettered, flags, strict=True)
    return "".join(letter for (letter, _), flag in pairs if str(flag).strip().lower() in _TRUE)


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
