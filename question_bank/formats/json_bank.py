"""Read question banks in JSON: the lists of records that apps export, one value a file or one a line."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from examapp.documents.archives import UnreadableFileError
from examapp.documents.decoding import decode_text
from examapp.documents.number_formats import cell_text
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.answers import fold
from question_bank.formats.heuristics.keys import choice_key, is_by_text
from question_bank.formats.heuristics.resolving import hint_kind, resolve_questions
from question_bank.formats.heuristics.stems import split_options
from question_bank.formats.heuristics.table_cells import options_from_json, read_difficulty, read_options, read_points
from question_bank.formats.heuristics.table_headers import NO_NAMES
from question_bank.formats.json_records import (
    ANSWERS,
    CODES,
    EXPLANATIONS,
    IMAGES,
    INDEXES,
    KINDS,
    KNOWLEDGE,
    OPTION_NAME,
    OPTIONS,
    PARTS,
    POINTS,
    RIGHT_FLAGS,
    SCRIPT,
    STEMS,
    TAGS,
    JsonRecord,
    decode_json,
    describe_fields,
    find_records,
    first_of,
    is_of_questions,
    read_embedded,
    rename_fields,
)
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import OPTION_LETTERS, ColumnNames, Kind, Note, ParseResult, UnknownColumnsError

MAX_QUESTIONS = 50_000
_TRUE = frozenset({"true", "1", "是", "对", "√", "✓", "yes", "y"})
_PLACE = re.compile(r"\d{1,2}")
_NO_QUESTIONS = "JSON 里没有找到题目。题目应是一个列表，每道题有 question（题干）、options（选项）和 answer（答案）。"


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the file is JSON with questions in it, by its first signs and its names."""
    is_json = content[:64].lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"[", b"{")) or SCRIPT.match(content[:200])
    if PurePath(name).suffix.lower() not in {".json", ".jsonl", ".ndjson", ".js", ".txt", ""} or not is_json:
        return False
    return is_of_questions(content[:200_000])


def read(content: bytes, *, name: str, columns: ColumnNames = NO_NAMES) -> ParseResult:
    """Return all questions of a JSON file, or of one with a record a line; UnreadableFileError when it is no JSON or holds no question.

    Raises UnknownColumnsError where records hold no field that is known as a stem.
    """
    value = decode_json(decode_text(content))
    found = [_renamed(record, columns) for record in find_records(value)]
    if not found:
        raise UnreadableFileError(_NO_QUESTIONS)
    if len(found) > MAX_QUESTIONS:
        raise UnreadableFileError(f"JSON 里超过 {MAX_QUESTIONS} 道题。请拆成几个文件再导入。")
    table = describe_fields(find_records(value), columns)
    if table and not any(isinstance(record.item, dict) and first_of(record.item, STEMS) for record in found):
        raise UnknownColumnsError(_UNKNOWN_FIELDS, format_name="json", tables=[table])
    hint = kind_names.kind_in(PurePath(name).stem)
    _open_multiple(found)
    questions = [_raw(record, hint) for record in found]
    _answer_by_index(questions, [record.item for record in found])
    reading = resolve_questions(questions, format_name="json")
    reading.tables = [table] if table else []
    return reading


def _renamed(record: JsonRecord, names: ColumnNames) -> JsonRecord:
    parts = [_renamed(part, names) for part in record.parts]
    return replace(record, item=rename_fields(record.item, names), parts=parts)


def _open_multiple(records: Sequence[JsonRecord]) -> None:
    """Leave open whether one option is right or several where records say `multiple choice`, which in English may mean one, and none says single."""
    items = [record.item for record in records if isinstance(record.item, dict)]
    names = {_text(item[one]) for item in items for one in KINDS if item.get(one)}
    if kind_names.is_multiple_open(names):
        for item in items:
            for one in KINDS:
                if kind_names.is_multiple_choice(_text(item.get(one))):
                    item[one] = kind_names.CHOICE


def looks_like_records(content: bytes, name: str) -> bool:
    """Return whether the file is JSON with records in it, whatever their fields are called."""
    if not content[:64].lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"[", b"{")):
        return False
    try:
        return describe_fields(find_records(decode_json(decode_text(content))), NO_NAMES) is not None
    except UnreadableFileError:
        return False


_UNKNOWN_FIELDS = (
    "这是 JSON 文件，里面有记录，但认不出哪个字段是题干。请在预览里说明各字段是什么，"
    "或把字段改名为 question（题干）、options（选项）、answer（答案）。"
)


def _raw(record: JsonRecord, hint: Kind | None) -> ParsedQuestion:
    item, where = record.item, record.where
    parsed = ParsedQuestion(where=where)
    if not isinstance(item, dict):
        parsed.rejection = Note(where, "这一项不是题目。请核对文件。", "not_a_question")
        return parsed
    parsed.stem_text = _text(first_of(item, STEMS))
    if item.get("instruction") == parsed.stem_text and _text(item.get("input")):
        parsed.stem_text = f"{parsed.stem_text}\n{_text(item.get('input'))}"
    options, answer = _options_and_answer(item)
    parsed.lettered = (read_options(options) if isinstance(options, str) else options_from_json(options)) or _lettered(
        item
    )
    if not parsed.lettered:
        parsed.stem_text, parsed.lettered = split_options(parsed.stem_text)
    if record.kind_name and not any(item.get(one) for one in KINDS):
        item = {**item, "type": record.kind_name}
    _set_kind(parsed, item, hint)
    blanks = item.get("blankAnswers") or item.get("blanks")
    if isinstance(blanks, list) and blanks:
        parsed.kind = parsed.kind or Kind.FILL_BLANK
        parsed.blank_answers = ["|".join(_texts(blank)) for blank in blanks]
    _set_answer(parsed, options, answer)
    _compare_text(parsed, _texts(item.get("answerText")))
    parsed.explanation_text = _text(first_of(item, EXPLANATIONS))
    parsed.points = read_points(_text(first_of(item, POINTS)))
    parsed.difficulty = read_difficulty(_text(item.get("difficulty", item.get("难度", ""))), top=3)
    parsed.code = _text(first_of(item, CODES)) or None
    parsed.knowledge_points = tuple(dict.fromkeys(_texts(first_of(item, KNOWLEDGE))))
    tags = (tag for one in TAGS for tag in _texts(item.get(one)))
    parsed.tags = tuple(dict.fromkeys(tag for tag in tags if tag not in parsed.knowledge_points))
    if any(item.get(one) for one in IMAGES):
        parsed.add_dropped("image", "题里的图片没有导入，只保留了文字。")
    parts = first_of(item, PARTS)
    if record.parts:
        parsed.parts = [_raw(part, None) for part in record.parts]
    elif isinstance(parts, list) and parts:
        renamed = (rename_fields(part, NO_NAMES) for part in parts)
        parsed.parts = [_raw(JsonRecord(f"{where}.{index}", part), None) for index, part in enumerate(renamed)]
    return parsed


def _options_and_answer(item: dict[str, Any]) -> tuple[Any, Any]:
    """Return what holds the options, and the answer as written; answers that say themselves whether they are right are the options."""
    options, answer = first_of(item, OPTIONS), first_of(item, ANSWERS)
    is_flagged = isinstance(answer, list) and all(
        isinstance(one, dict) and first_of(one, RIGHT_FLAGS) is not None for one in answer
    )
    if options is None and is_flagged and len(answer) > 1:
        return answer, None
    if options is None:
        embedded = (read_embedded(value) for value in item.values())
        options = next(filter(None, embedded), None)
    right = item.get("correct", item.get("right"))
    if answer is None and isinstance(right, (str, bool)) and right != "":
        answer = right
    return options, answer


def _set_answer(parsed: ParsedQuestion, options: Any, answer: Any) -> None:
    """Set the answer as written, by the options' own names in the file, or by what they say themselves; require a review where these differ."""
    flagged, named = _flagged(options, parsed), _by_name(options, _texts(answer), parsed)
    parsed.answer = named or "\n".join(_texts(answer))
    if not flagged:
        if not named:
            _check_index_base(parsed, answer)
        return
    places = [int(one) for text in _texts(answer) for one in _PLACE.findall(text)]
    is_counted = bool(places) and not re.search(r"[^\d,，;；、|\s]", parsed.answer)
    counted = {
        "".join(OPTION_LETTERS[place - base] for place in sorted(places) if 0 <= place - base < 26) for base in (0, 1)
    }
    key = "".join(choice_key(parsed)[0])
    if parsed.answer and (flagged not in counted if is_counted else key and key != flagged):
        reason = f"答案写着“{parsed.answer[:20]}”，选项里标为正确的却是 {flagged}。请核对答案。"
        parsed.require_review("two_keys", reason)
    parsed.answer = flagged


_IDENTIFIERS = ("id", "value", "key", "optionId", "option_id", "optionKey", "code", "no", "name", "Id", "identifier")


def _by_name(options: Any, wanted: list[str], parsed: ParsedQuestion) -> str:
    """Return the letters of the options that an answer names by their identifiers in the file (`102`, `item3`); nothing where one is none, or a letter."""
    if not isinstance(options, list) or not wanted or len(options) != len(parsed.lettered):
        return ""
    texts = {fold(text) for _, text in parsed.lettered}
    for name in _IDENTIFIERS:
        names = [_text(option.get(name)) if isinstance(option, dict) else "" for option in options]
        is_own = (
            all(names) and len(set(names)) == len(names) and not any(len(one) == 1 and one.isalpha() for one in names)
        )
        if is_own and set(wanted) <= set(names) and not texts.issuperset(map(fold, names)):
            return "".join(parsed.lettered[names.index(one)][0] for one in sorted(wanted, key=names.index))
    return ""


def _answer_by_index(questions: list[ParsedQuestion], items: list[Any]) -> None:
    """Take the answers of questions without another from the right options' places: counted from 0 where one is 0, from 1 where one is beyond the last."""
    given: list[tuple[ParsedQuestion, list[int]]] = []
    for parsed, item in zip(questions, items, strict=True):
        places = first_of(item, (*INDEXES, "correct", "right")) if isinstance(item, dict) else None
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
    flags = [first_of(option, RIGHT_FLAGS) if isinstance(option, dict) else None for option in options]
    pairs = zip(parsed.lettered, flags, strict=True)
    return "".join(letter for (letter, _), flag in pairs if str(flag).strip().lower() in _TRUE)


def _lettered(item: dict[str, Any]) -> list[tuple[str, str]]:
    """Return options that each have a name of their own: `optionA`, `选项A`, `A`."""
    named = {match[1].upper(): _text(text) for name, text in item.items() if (match := OPTION_NAME.fullmatch(name))}
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
    names = [_text(item.get(one)) for one in KINDS if item.get(one) not in (None, "")]
    parsed.kind = next((kind for kind in map(kind_names.kind_of, names) if kind), None)
    if parsed.kind is None and names:
        label = next((name for name in reversed(names) if kind_names.unsupported_name(name)), names[0])
        parsed.kind_label = "" if kind_names.is_choice_name(label) else label
    elif not names:
        hint_kind(parsed, hint, [text for _, text in parsed.lettered], "".join(_texts(first_of(item, ANSWERS))))


def _text(value: Any) -> str:
    return "" if isinstance(value, (dict, list)) else cell_text(value)


def _texts(value: Any) -> list[str]:
    return [text for item in (value if isinstance(value, list) else [value]) if (text := _text(item))]
