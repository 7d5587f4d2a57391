"""Decide kind and key of questions that tables and texts hold, from their answers as written and from their neighbours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from examapp.documents.decoding import clean_text
from question_bank import validation
from question_bank.formats.heuristics import keys, kind_names
from question_bank.formats.heuristics.answers import (
    count_blanks,
    counts_from_zero,
    is_by_number,
    is_truth_word,
    read_truth,
)
from question_bank.formats.parsed import OPTION_CODES, ParsedQuestion, add_outcome, validate_parsed
from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import OPTION_LETTERS, TRUE_FALSE_OPTIONS, Kind
from question_bank.parse_result import Note, ParseResult
from question_bank.rich import plain_if_html

MIN_TRUTH_OPTIONS = 5
"""So many questions with 对/错 as options make a file without stated kinds a true/false bank."""
_LETTERS_ALONE = re.compile(r"A?B?C?D?E?F?(?<=[A-F])")
"""Letters in rising order, as a key has them; words such as `AI` or `BA` are none."""


def resolve_questions(questions: Iterable[ParsedQuestion], *, format_name: str) -> ParseResult:
    """Decide kind and key of each question, true/false questions compared with their neighbours, and validate it."""
    prepared = [_clean(parsed) for parsed in questions]
    unstated = [one for one in prepared if one.kind is None and not one.kind_label and _truth_order(one) is not None]
    if len(unstated) >= MIN_TRUTH_OPTIONS:
        for parsed in unstated:
            parsed.kind = Kind.TRUE_FALSE
    _review_counting(prepared)
    votes: dict[str, Counter[bool]] = {}
    for parsed in prepared:
        for one in (parsed, *parsed.parts):
            order = _truth_order(one)
            if order is not None and one.kind is Kind.TRUE_FALSE:
                votes.setdefault(one.group, Counter())[order] += 1
    orders = {group: count[True] >= count[False] for group, count in votes.items()}
    result = ParseResult(format_name)
    for parsed in prepared:
        _resolve(parsed, orders)
        add_outcome(result, validate_parsed(parsed))
    return result


def _clean(parsed: ParsedQuestion) -> ParsedQuestion:
    parsed.may_be_true_false = False
    parsed.stem_text = _plain(parsed, parsed.stem_text)
    parsed.explanation_text = _plain(parsed, parsed.explanation_text)
    options = [(letter, _plain(parsed, text)) for letter, text in parsed.lettered]
    while options and not options[-1][1]:
        options.pop()
    parsed.lettered = options
    parsed.answer = clean_text(parsed.answer)
    parsed.blank_answers = [clean_text(blank) for blank in parsed.blank_answers]
    while parsed.blank_answers and not parsed.blank_answers[-1]:
        parsed.blank_answers.pop()
    parsed.parts = [_clean(part) for part in parsed.parts]
    if parsed.answer and parsed.kind in {Kind.SHORT_ANSWER, Kind.FILL_BLANK}:
        parsed.answer = _plain(parsed, parsed.answer)
    if "\ufffd" in parsed.stem_text + parsed.answer + "".join(text for _, text in options):
        parsed.add_loss("broken_characters", "这道题里有认不出的字（文件编码损坏），请核对原文。")
    return parsed


def _plain(parsed: ParsedQuestion, text: str) -> str:
    plain, lost = plain_if_html(text)
    if lost:
        parsed.losses.append(Note(parsed.where, f"题里的{lost}没有导入，只保留了文字。", "formatting"))
    return clean_text(plain)


def _truth_order(parsed: ParsedQuestion) -> bool | None:
    """Return True for 正确 before 错误, False for the reverse, None when the options are not these two."""
    texts = [text for _, text in parsed.lettered]
    if len(texts) != len(TRUE_FALSE_OPTIONS) or not all(is_truth_word(text) for text in texts):
        return None
    first, second = read_truth(texts[0]), read_truth(texts[1])
    return first if first is not second else None


def _review_counting(questions: list[ParsedQuestion]) -> None:
    """Require a review of all answers by number where a neighbour's is 0: they may count from 0 or from 1."""
    answered = [parsed for one in questions for parsed in (one, *one.parts) if parsed.answer]
    listed = [parsed for parsed in answered if len(parsed.options) >= 2]
    groups = {parsed.group for parsed in listed if counts_from_zero(parsed.answer) and not keys.is_by_words(parsed)}
    unlisted = (parsed for parsed in answered if not parsed.options and parsed.kind is Kind.TRUE_FALSE)
    for parsed in (*listed, *unlisted):
        if parsed.group in groups and is_by_number(parsed.answer):
            reason = f"同一处的答案里有 0，看不出“{parsed.answer[:10]}”是从 0 还是从 1 数起的。请写明选项字母。"
            parsed.require_review("two_readings", reason)


def _resolve(parsed: ParsedQuestion, orders: dict[str, bool]) -> None:
    """Set kind and key, or why there is none."""
    parsed.rejection = _rejection(parsed)
    for part in parsed.parts:
        _resolve(part, orders)
    if parsed.parts:
        parsed.kind, parsed.lettered = Kind.CASE, []
    if parsed.rejection or parsed.parts:
        return
    parsed.kind = _decide_kind(parsed)
    if problem := _find_key(parsed, orders):
        reason, code = problem
        parsed.require_review(code, reason, at="options" if code in OPTION_CODES else "answer")
    if parsed.review:
        parsed.clear_key()


def _find_key(parsed: ParsedQuestion, orders: dict[str, bool]) -> keys.Problem | None:
    """Set the key of a question whose kind is decided; return what is wrong with it instead."""
    if parsed.kind is Kind.TRUE_FALSE:
        return _find_truth(parsed, orders)
    if parsed.kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.ORDERING}:
        letters, problem = keys.order_key(parsed) if parsed.kind is Kind.ORDERING else keys.choice_key(parsed)
        problem = problem or keys.options_problem(parsed, letters)
        if problem is None and parsed.kind is Kind.SINGLE_CHOICE and len(letters) > 1:
            reason = f"写明是单选题，答案“{parsed.answer}”却有 {len(letters)} 个。请核对题型和答案。"
            problem = (reason, "kind_key_conflict")
        parsed.right = [OPTION_LETTERS.index(letter) for letter in letters]
        return problem
    return _find_words(parsed)


def _rejection(parsed: ParsedQuestion) -> Note | None:
    """Return why a question cannot be imported whatever its key: a kind that is not supported, no stem, too long a text."""
    if parsed.rejection:
        return parsed.rejection
    unsupported = kind_names.unsupported_name(parsed.kind_label) if parsed.kind is None else None
    if unsupported:
        reason = (
            f"本系统不考“{unsupported}”这种题型，没有导入。请改成单选、多选、判断、排序、填空、简答或案例题后再导入。"
        )
        return Note(parsed.places.get("kind", parsed.where), reason, "kind_not_sat")
    if not any(sign.isalnum() for sign in parsed.stem_text):
        return Note(parsed.places.get("stem", parsed.where), "没有题干，无法导入。请补上题干。", "no_stem")
    texts = (parsed.stem_text, parsed.answer, parsed.explanation_text, *(text for _, text in parsed.lettered))
    too_long = next(validation.text_issues(*texts), None)
    return Note(parsed.where, too_long.reason, too_long.code) if too_long else None


def _decide_kind(parsed: ParsedQuestion) -> Kind:
    if parsed.kind is not None and parsed.kind is not Kind.CASE:
        return parsed.kind
    kind = _kind_by_content(parsed)
    if parsed.kind_label and not kind_names.is_choice_name(parsed.kind_label):
        reason = f"题型“{parsed.kind_label[:20]}”不认识，已按内容当作{KIND_NAMES[kind]}导入，请核对。"
        parsed.add_loss("kind_unknown", reason)
    return kind


def _kind_by_content(parsed: ParsedQuestion) -> Kind:
    if parsed.options:
        letters, _ = keys.choice_key(parsed)
        return Kind.MULTIPLE_CHOICE if letters and len(letters) > 1 else Kind.SINGLE_CHOICE
    if parsed.blank_answers:
        return Kind.FILL_BLANK
    if parsed.answer and read_truth(parsed.answer) is not None and not parsed.answer.isdigit():
        return Kind.TRUE_FALSE
    if _LETTERS_ALONE.fullmatch(parsed.answer):
        reason = f"答案“{parsed.answer}”像是选项字母，却没有认出选项。请核对题型和选项。"
        parsed.require_review("options_missing", reason)
    has_blanks = count_blanks(parsed.stem_text) and parsed.answer and len(parsed.answer) <= keys.LONG_ANSWER
    return Kind.FILL_BLANK if has_blanks else Kind.SHORT_ANSWER


def _find_truth(parsed: ParsedQuestion, orders: dict[str, bool]) -> keys.Problem | None:
    order = _truth_order(parsed)
    texts = [text for _, text in parsed.lettered]
    if any(texts) and order is None:
        shown = "、".join(text[:10] for text in texts[:4])
        return f"判断题的选项应是“正确”和“错误”，这里是“{shown}”。请核对题型。", "not_true_false"
    is_true, problem = keys.truth_key(parsed, order=order, usual=orders.get(parsed.group, True))
    parsed.lettered = list(zip(OPTION_LETTERS, TRUE_FALSE_OPTIONS, strict=False))
    parsed.right = [0 if is_true else 1]
    return problem


def _find_words(parsed: ParsedQuestion) -> keys.Problem | None:
    filled = [text for _, text in parsed.lettered if text]
    is_blank = parsed.kind is Kind.FILL_BLANK
    is_answered = bool(parsed.answer or parsed.blank_answers)
    parsed.lettered = []
    if is_blank and not is_answered and len(filled) == count_blanks(parsed.stem_text):
        parsed.blank_answers, filled = filled, []
    if filled:
        name = KIND_NAMES[parsed.kind or Kind.SHORT_ANSWER]
        return f"写明是{name}，却列了 {len(filled)} 个选项。请核对题型。", "kind_options_conflict"
    if is_blank:
        blanks, problem = keys.blanks_key(parsed)
        parsed.blanks = list(blanks)
        return problem
    parsed.answer = parsed.answer or "\n".join(blank for blank in parsed.blank_answers if blank)
    return None if parsed.answer else ("没有参考答案。请补上参考答案。", "no_key")
