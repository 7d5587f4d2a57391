"""Find the records of questions in JSON, whatever lists they stand in, and bring their fields under the names that the reader knows."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from examapp.documents.archives import UnreadableFileError
from examapp.documents.number_formats import cell_text
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.table_columns import MAX_SAMPLE
from question_bank.formats.heuristics.table_headers import key_of
from question_bank.formats.heuristics.table_names import field_known
from question_bank.model import OPTION_LETTERS, ColumnNames, TableColumns

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
STEMS = ("question", "stem", "title", "content", "题干", "题目", "题面", "topicContent", "questionText", "question_text",
          "questionContent", "question_content", "questionTitle", "problem", "prompt", "题干内容", "题目内容", "试题内容", "试题", "问题", "instruction")  # fmt: skip
ANSWERS = ("answerKeys", "answer", "answers", "correctAnswer", "correctAnswers", "答案", "正确答案", "correct_answer", "correct_answers",
            "rightAnswer", "right_answer", "answer_key", "answerKey", "参考答案", "标准答案", "试题答案", "output")  # fmt: skip
INDEXES = ("correctIndex", "correct_index", "answerIndex", "answer_index", "rightIndex", "correctOptionIndex")
"""Names of the right option's place among the options, or of several places."""
OPTIONS = (
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
KINDS = (
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
EXPLANATIONS = (
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
POINTS = ("score", "points", "分值", "分数")
CODES = ("id", "code", "number", "编号", "题号")
KNOWLEDGE = ("knowledgePoints", "知识点", "topic")
TAGS = ("tags", "标签", "category", "subject")
PARTS = ("children", "subQuestions", "parts", "小题")
IMAGES = ("images", "image", "pictures", "图片")
OPTION_NAME = re.compile(r"(?:option|choice|opt|选项)?[_\-]?([A-Ha-h])", re.IGNORECASE)
RIGHT_FLAGS = (
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
_CANONICAL = {
    "stem": "question", "options": "options", "answer": "answer", "kind": "type", "explanation": "analysis", "points": "score",
    "code": "id", "knowledge": "knowledgePoints", "tags": "tags", "difficulty": "difficulty",
}  # fmt: skip
"""The names under which the reader knows what a person says that a field of a record holds."""
SHORT_NAMES = {"q": "question", "a": "a", "b": "b", "ans": "answer"}
"""Names of one letter, known only where all of them stand together."""
SCRIPT = re.compile(
    rb"\s*(?:(?:export\s+)?(?:var|let|const)\s+\w+\s*=|export\s+default|module\.exports\s*=|window\.\w+\s*=)\s*(?=[\[{])"
)
"""What stands before the JSON in a script that holds nothing else."""
_OWN = frozenset({"answerText", "blankAnswers", "blanks", "input", *RIGHT_FLAGS, *INDEXES, *PARTS, *IMAGES})
"""Names with a meaning of their own, which is that of no table's head."""
_GROUPS = (STEMS, ANSWERS, OPTIONS, KINDS, EXPLANATIONS, POINTS, CODES, KNOWLEDGE, TAGS)
_EXACT = frozenset(itertools.chain.from_iterable(_GROUPS))
MAX_DEPTH = 8
MIN_CASE = 30
"""Characters of a stem above questions by which it is a case's, and no bank's title."""


@dataclass(slots=True)
class JsonRecord:
    """One question as the file has it: its JSON path, its fields, the kind that the list around it is named after, its sub-questions."""

    where: str
    item: Any
    kind_name: str = ""
    parts: list["JsonRecord"] = field(default_factory=list)


def find_records(value: Any, where: str = "$", kind_name: str = "", depth: int = 0) -> Iterator[JsonRecord]:
    """Yield each question with its JSON path, out of lists, banks within banks, and lists by kind or number."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find_in(item, f"{where}[{index}]", kind_name, depth)
    elif isinstance(value, dict):
        named = _text_of(first_of(value, KINDS)) or kind_name
        for name, one in value.items():
            place = f"{where}.{name}"
            if name in _LISTS and isinstance(one, list):
                yield from find_records(one, place, named, depth + 1)
            elif isinstance(one, (list, dict)) and not OPTION_LIST.search(name) and holds_records(one, depth + 1):
                said = name if kind_names.kind_of(name) or kind_names.is_choice_name(name) else named
                if isinstance(one, dict) and is_record(one):
                    yield from _find_in(one, place, said, depth + 1)
                else:
                    yield from find_records(one, place, said, depth + 1)


def _find_in(item: Any, where: str, kind_name: str, depth: int) -> Iterator[JsonRecord]:
    """Yield a member of a list: a question, a case with its questions, or the questions of a bank."""
    inner = list(find_records(item, where, kind_name, depth + 1)) if isinstance(item, dict) else []
    inner = inner if any(isinstance(one.item, dict) and is_record(one.item) for one in inner) else []
    if not inner or is_record(item) or first_of(item, PARTS) is not None:
        yield JsonRecord(where, item, kind_name)
    elif len(stem_of(item)) >= MIN_CASE:
        yield JsonRecord(where, item, kind_name, inner)
    else:
        yield from inner


def holds_records(value: Any, depth: int = 0) -> bool:
    """Return whether a value is or holds a record of a question."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return is_record(value) or any(
            holds_records(one, depth + 1) for name, one in value.items() if not OPTION_LIST.search(name)
        )
    return isinstance(value, list) and any(holds_records(one, depth + 1) for one in value)


def is_record(item: Any) -> bool:
    """Return whether a value has the fields of a question: a stem, and an answer or options."""
    if not isinstance(item, dict) or not stem_of(item):
        return False
    fields = {_field_of(head).partition(":")[0] for head, value in item.items() if value not in (None, "", [])}
    return bool(fields & {"answer", "options", "option"}) or any(
        name in item for name in (*INDEXES, *RIGHT_FLAGS, "answerText", "blankAnswers")
    )


def stem_of(item: dict[str, Any]) -> str:
    """Return the text of a record's stem; empty where it has none."""
    known = _text_of(first_of(item, STEMS))
    built = (_text_of(value) for head, value in item.items() if _field_of(head) == "stem:0")
    return known or next(filter(None, built), "")


def first_of(item: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first field among names that holds something."""
    return next((item[one] for one in names if item.get(one) not in (None, "", [])), None)


def _text_of(value: Any) -> str:
    return "" if isinstance(value, (dict, list)) else cell_text(value)


def read_embedded(value: Any) -> list[Any] | None:
    """Return the list of options that stands in a field as JSON, each of which says whether it is right; None for anything else."""
    if not isinstance(value, str) or not value.startswith("[{"):
        return None
    try:
        found = json.loads(value, parse_float=str)
    except (ValueError, RecursionError):
        return None
    lowered = [{name.lower(): one for name, one in item.items()} for item in found if isinstance(item, dict)]
    flags = [flag for flag in RIGHT_FLAGS if all(flag.lower() in item for item in lowered)]
    if len(lowered) < 2 or len(lowered) != len(found) or not flags:
        return None
    return [{**item, flags[0]: item[flags[0].lower()]} for item in lowered]


def is_of_questions(head: bytes) -> bool:
    """Return whether the names in the beginning of a JSON file are those of questions."""
    names = {name.decode("utf-8", "replace") for name in _NAME.findall(head)}
    if names >= SHORT_NAMES.keys():
        return True
    fields = {_field_of(name).partition(":")[0] for name in names}
    return "stem" in fields and ("answer" in fields or not names.isdisjoint({"answerText", *RIGHT_FLAGS, *INDEXES}))


_NAME = re.compile(rb'"([^"\\\r\n]{1,60})"\s*:')
OPTION_LIST = re.compile(r"option|choice|选项|备选", re.IGNORECASE)
"""Names of what holds a record's options, which are no records of questions."""


def decode_json(text: str) -> Any:
    """Decode JSON, or one JSON value a line."""
    text = text.removeprefix("\ufeff")
    if script := SCRIPT.match(text.encode()):
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


def describe_fields(records: Iterable[JsonRecord], names: ColumnNames) -> TableColumns | None:
    """Return the fields of records as the columns of a table; None where there are not two fields."""
    items = [record.item for record in itertools.islice(records, 20) if isinstance(record.item, dict)]
    heads = list(dict.fromkeys(key for item in items for key in item))[:MAX_SAMPLE]
    if len(heads) < 2:
        return None
    rows = tuple(tuple(_sample(item.get(head)) for head in heads) for item in items[:3])
    keys = tuple(key_of(head, index) for index, head in enumerate(heads))
    fields = tuple(names.said.get(key) or _field_of(head) for key, head in zip(keys, heads, strict=True))
    is_known = any(code == "stem:0" for code in fields)
    return TableColumns("JSON 记录", tuple(head[:MAX_SAMPLE] for head in heads), keys, fields, rows, (), is_known)


def _sample(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:MAX_SAMPLE]


_KNOWN: dict[str, frozenset[str]] = {
    code: frozenset(itertools.chain(names, map(str.lower, names)))
    for code, names in {
        "stem": STEMS, "answer": ANSWERS, "options": OPTIONS, "kind": KINDS, "explanation": EXPLANATIONS,
        "points": POINTS, "code": CODES, "knowledge": KNOWLEDGE, "tags": TAGS,
    }.items()
}  # fmt: skip


_LIKELY = re.compile(
    r"[\u4e00-\u9fff]|question|answer|stem|statement|title|content|text|option|choice|type|kind|analysis|expla|difficult|level|score|point|problem|prompt|correct",
    re.IGNORECASE,
)
"""Letters of which a name that may mean a field has some: the others need no closer look."""


@lru_cache(maxsize=4096)
def _field_of(head: str) -> str:
    """Return the code of the field that a name means: one of the names above, in small letters or large, or one built as a table's head; else nothing."""
    match = OPTION_NAME.fullmatch(head)
    if match:
        return f"option:{OPTION_LETTERS.index(match[1].upper())}"
    if head in _OWN:
        return ""
    for code, names in _KNOWN.items():
        if head in names or head.lower() in names:
            return f"{code}:0"
    named = field_known(head) if _LIKELY.search(head) else None
    return f"{named[0]}:0" if named and str(named[0]) in _CANONICAL and not named[1] else ""


def rename_fields(item: Any, names: ColumnNames) -> Any:
    """Return a record with its fields under the names that the reader knows, as people have said, or as their names are built."""
    if isinstance(item, dict) and item.keys() >= SHORT_NAMES.keys() and not names.said:
        return {SHORT_NAMES.get(head, head): value for head, value in item.items()}
    if not isinstance(item, dict):
        return item
    renamed: dict[str, Any] = {}
    built: dict[str, Any] = {}
    for index, (head, value) in enumerate(item.items()):
        key = key_of(head, index)
        own = _field_of(head)
        code = names.said.get(key, own or names.remembered.get(key, ""))
        wanted, _, place = code.partition(":")
        name = f"option{OPTION_LETTERS[int(place)]}" if wanted == "option" else _CANONICAL.get(wanted, "")
        if code == own and own and head not in _EXACT and wanted != "option":
            built.setdefault(name, value)
        elif code == own or (key not in names.said and not name):
            renamed.setdefault(head, value)
        elif name:
            renamed[name] = value
    said = {_field_of(head) for head, value in renamed.items() if value not in (None, "", [])}
    return renamed | {name: value for name, value in built.items() if _field_of(name) not in said}
