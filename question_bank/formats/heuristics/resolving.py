"""Decide kind and key of questions that tables and texts hold, from their answers as written and from their neighbours."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from examapp.documents.decoding import clean_text
from question_bank import validation
from question_bank.formats.heuristics import answers, kind_names
from question_bank.formats.heuristics.keys import (
    Problem,
    blanks_key,
    choice_key,
    explained_problem,
    is_by_text,
    options_problem,
    order_key,
    truth_key,
)
from question_bank.formats.heuristics.stems import strip_mark
from question_bank.formats.parsed import OPTION_CODES, ParsedQuestion
from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import OPTION_LETTERS, TRUE_FALSE_OPTIONS, Kind, Note, ParseResult
from question_bank.rich import plain_if_html

LONG_ANSWER = 60
"""Characters: an answer longer than this is a short answer's, not a blank's."""

MIN_TRUTH_OPTIONS = 5
"""So many questions with options such as 是/否 make a file without stated kinds a true/false bank."""
_PLAIN_TRUTHS = frozenset({"正确", "错误", "对", "错", "√", "×"})
"""Options that say nothing else: with them a question of no stated kind is true or false where its options have fields of their own."""
_IN_FIELDS = frozenset({"json", "csv", "excel", "ods", "spreadsheet-xml"})
_LETTERS_ALONE = re.compile(r"A?B?C?D?E?F?G?H?(?<=[A-H])")
"""Letters in rising order, as a key has them; words such as `AI` or `BA` are none."""
_LONE_LETTER = re.compile(r"[A-Za-z]")
_CIRCLED = frozenset("①②③④⑤⑥⑦⑧⑨⑩⑪⑫ⅠⅡⅢⅣⅤⅥ㈠㈡㈢㈣㈤⑴⑵⑶⑷⑸⑹")
_KEY_PLACE = re.compile(r"[(（]\s*[)）]\s*[。.？?]?$", re.MULTILINE)
"""An empty bracket at the end of a line, where the key is written."""
_VARIANTS = re.compile(r"(?<=\S)\s*(?:[/／]|或者?)\s*(?=\S)")
"""What may stand between two answers of which either is right."""
_DASHED_PAIR = re.compile(r"[A-Z]\s*[-—–―─‐−]\s*[A-Z]")
_NUMBER_BEFORE = re.compile(
    r"(?:第\s*)?[(（【\[]?\s*(?P<number>\d{1,4})\s*(?:[)）】\]]\s*[.．、]?|[题][\s:：.．、]|[.．、:：]|[ \u3000](?=[\u4e00-\u9fff《“(（【]))[ \u3000]*(?=\S{2})"
)
"""A number before a stem, in one of the ways in which rows are counted."""
MIN_NUMBERED = 3
"""So many stems at least begin with numbers where these are dropped."""
_CHOSEN_DIGITS = ("选1", "选0")
_LETTER_PAIRS = (frozenset("TF"), frozenset("YN"), frozenset("VX"))


def resolve_questions(questions: Iterable[ParsedQuestion], *, format_name: str) -> ParseResult:
    """Decide kind and key of each question, true/false questions compared with their neighbours, and validate it."""
    prepared = [_clean(parsed) for parsed in questions]
    unstated = [one for one in prepared if one.kind is None and not one.kind_label and _truth_order(one) is not None]
    for parsed in unstated:
        is_plain = format_name in _IN_FIELDS and all(answers.fold(text) in _PLAIN_TRUTHS for _, text in parsed.lettered)
        if is_plain or len(unstated) >= MIN_TRUTH_OPTIONS:
            parsed.kind = Kind.TRUE_FALSE
    _settle_truth_letters(prepared)
    _settle_chosen_digits(prepared)
    _review_counting(prepared)
    _review_dashes(prepared)
    _drop_numbers(prepared)
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
        result.add(parsed.validate())
    return result


def _settle_truth_letters(questions: list[ParsedQuestion]) -> None:
    """Make true/false questions of those with the answer T or F alone, or 1 or 0, where both and nothing else answer questions without options."""
    lone = [one for one in questions if one.kind is None and not one.options and _LONE_LETTER.fullmatch(one.answer)]
    for group in {one.group for one in lone}:
        alike = [one for one in lone if one.group == group]
        if frozenset(one.answer.upper() for one in alike) in _LETTER_PAIRS:
            for one in alike:
                one.kind = Kind.TRUE_FALSE
    bare = [one for one in questions if one.kind is None and not one.kind_label and not one.options and not one.parts]
    for group in {one.group for one in bare}:
        alike = [one for one in bare if one.group == group]
        is_asked = any(answers.BLANK.search(one.stem_text) for one in alike)
        if len(alike) >= MIN_TRUTH_OPTIONS and {one.answer for one in alike} == {"0", "1"} and not is_asked:
            for one in alike:
                one.kind = Kind.TRUE_FALSE


def _settle_chosen_digits(questions: list[ParsedQuestion]) -> None:
    """Read `选1` and `选0` of true/false questions without options as 1 and 0, where both stand in the same place."""
    chosen = [
        one for one in questions if one.kind is Kind.TRUE_FALSE and not one.options and one.answer in _CHOSEN_DIGITS
    ]
    groups = {(one.group, one.answer) for one in chosen}
    for parsed in chosen:
        if {(parsed.group, digit) for digit in _CHOSEN_DIGITS} <= groups:
            parsed.answer = parsed.answer[1:]


_NOTHING = re.compile(r"^[(（]?(?:暂?无|略|(?:暂?无|没有)解析)[)）]?[。.]?$")
"""What stands in the place of an explanation where there is none."""


def _clean(parsed: ParsedQuestion) -> ParsedQuestion:
    parsed.may_be_true_false = False
    parsed.stem_text = _plain(parsed, parsed.stem_text)
    parsed.explanation_text = _NOTHING.sub("", _plain(parsed, parsed.explanation_text))
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
        parsed.add_dropped("broken_characters", "这道题里有认不出的字（文件编码损坏），请核对原文。")
    return parsed


def _plain(parsed: ParsedQuestion, text: str) -> str:
    plain, lost = plain_if_html(text)
    if lost:
        parsed.add_dropped("formatting", f"题里的{lost}没有导入，只保留了文字，请核对。")
    return clean_text(plain)


def _truth_order(parsed: ParsedQuestion) -> bool | None:
    """Return True for 正确 before 错误, False for the reverse, None when the options are not these two."""
    texts = [text for _, text in parsed.lettered]
    if len(texts) != len(TRUE_FALSE_OPTIONS) or not all(answers.is_truth_word(text) for text in texts):
        return None
    first, second = answers.read_truth(texts[0]), answers.read_truth(texts[1])
    return first if first is not second else None


def _review_counting(questions: list[ParsedQuestion]) -> None:
    """Require a review of all answers by number where a neighbour's is 0: they may count from 0 or from 1."""
    answered = [parsed for one in questions for parsed in (one, *one.parts) if parsed.answer]
    listed = [parsed for parsed in answered if len(parsed.options) >= 2]
    groups = {parsed.group for parsed in listed if answers.counts_from_zero(parsed.answer) and not is_by_text(parsed)}
    unlisted = (parsed for parsed in answered if not parsed.options and parsed.kind is Kind.TRUE_FALSE)
    for parsed in (*listed, *unlisted):
        if parsed.group in groups and answers.is_by_number(parsed.answer):
            reason = f"同一处的答案里有 0，看不出“{parsed.answer[:10]}”是从 0 还是从 1 数起的。请写明选项字母。"
            parsed.require_review("two_readings", reason)


def _review_dashes(questions: list[ParsedQuestion]) -> None:
    """Require a review of `A-C` where dashes part the letters of a neighbour's key, as `A-B-D`: it may be a range or two letters."""
    groups = {parsed.group for parsed in questions if answers.is_dashed(parsed.answer)}
    for parsed in questions:
        if parsed.group in groups and _DASHED_PAIR.fullmatch(parsed.answer.strip()):
            reason = f"同一处有“A-B-D”这样用短横隔开的答案，看不出“{parsed.answer[:10]}”是两个字母还是从一个到另一个。请核对答案。"
            parsed.require_review("two_readings", reason)


def _drop_numbers(questions: list[ParsedQuestion]) -> None:
    """Drop the numbers that begin the stems of a table, where each row has one and they count on from 1, by sheet or kind."""
    marks = [_NUMBER_BEFORE.match(parsed.stem_text) for parsed in questions]
    values = [int(mark["number"]) for mark in marks if mark]
    if len(values) < max(MIN_NUMBERED, len(questions)) or values[0] != 1:
        return
    if all(value in {1, last + 1} for last, value in pairwise(values)) and len(set(values)) > 1:
        for parsed, mark in zip(questions, marks, strict=True):
            parsed.stem = replace(parsed.stem, text=parsed.stem_text[mark.end() :]) if mark else parsed.stem


def _resolve(parsed: ParsedQuestion, orders: dict[str, bool]) -> None:
    """Set kind and key, or the reason why there is none."""
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


def _find_key(parsed: ParsedQuestion, orders: dict[str, bool]) -> Problem | None:
    """Set the key of a question whose kind is decided; return what is wrong with it instead."""
    if parsed.kind is Kind.TRUE_FALSE:
        return _find_truth(parsed, orders)
    if parsed.kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.ORDERING}:
        letters, problem = order_key(parsed) if parsed.kind is Kind.ORDERING else choice_key(parsed)
        problem = problem or options_problem(parsed, letters) or explained_problem(parsed, letters)
        if problem is None and parsed.kind is Kind.SINGLE_CHOICE and len(letters) > 1:
            reason = f"写明是单选题，答案“{parsed.answer}”却有 {len(letters)} 个。请核对题型和答案。"
            problem = (reason, "kind_key_conflict")
        parsed.right = [OPTION_LETTERS.index(letter) for letter in letters]
        return problem
    return _find_text(parsed)


def _rejection(parsed: ParsedQuestion) -> Note | None:
    """Return why a question cannot be imported whatever its key: a kind that is not supported, no stem, too long a text."""
    if parsed.rejection:
        return parsed.rejection
    if unsupported := kind_names.unsupported_name(parsed.kind_label) if parsed.kind is None else None:
        kinds = "单选、多选、判断、排序、填空、简答或案例题"
        reason = f"本系统不考“{unsupported}”这种题型，没有导入。请改成{kinds}后再导入。"
        return Note(parsed.places.get("kind", parsed.where), reason, "kind_not_sat")
    if not any(sign.isalnum() for sign in parsed.stem_text):
        return Note(parsed.places.get("stem", parsed.where), "没有题干，无法导入。请补上题干。", "no_stem")
    texts = (parsed.stem_text, parsed.answer, parsed.explanation_text, *(text for _, text in parsed.lettered))
    too_long = next(validation.text_issues(*texts), None)
    return Note(parsed.where, too_long.reason, too_long.code) if too_long else None


def _decide_kind(parsed: ParsedQuestion) -> Kind:
    if parsed.kind is not None and parsed.kind is not Kind.CASE:
        _note_hint(parsed, parsed.kind)
        return parsed.kind
    kind = _kind_by_content(parsed)
    _note_hint(parsed, kind)
    if not parsed.options and not parsed.blank_answers and kind is not Kind.TRUE_FALSE and _names_option(parsed):
        reason = f"答案“{parsed.answer[:20]}”像是指某个选项，却没有认出选项。请核对题型和选项。"
        parsed.require_review("options_missing", reason)
    if parsed.kind_label and not kind_names.is_choice_name(parsed.kind_label):
        reason = f"题型“{parsed.kind_label[:20]}”不认识，已按内容当作{KIND_NAMES[kind]}导入，请核对。"
        parsed.add_dropped("kind_unknown", reason)
    return kind


def hint_kind(parsed: ParsedQuestion, hint: Kind | None, options: Sequence[str], answer: str) -> None:
    """Set the kind that a file, sheet or section is named after, unless options and answer as written are of another."""
    parsed.kind_hint = hint
    letters = answers.read_letters(answer, count=len(options)) if len(options) > 1 else None
    is_keyed = letters is not None and OPTION_LETTERS.index(letters[-1]) < len(options)
    if hint in {Kind.FILL_BLANK, Kind.SHORT_ANSWER, Kind.CASE}:
        is_other = is_keyed or (hint is not Kind.FILL_BLANK and not options and answers.is_truth_word(answer))
    elif hint is Kind.TRUE_FALSE:
        is_other = is_keyed and not all(answers.is_truth_word(strip_mark(text)[1]) for text in options)
    else:
        is_other = hint is not Kind.ORDERING and not options and answers.is_truth_word(answer)
    parsed.kind = None if is_other else hint


def _note_hint(parsed: ParsedQuestion, kind: Kind) -> None:
    """Note where the content decided against the name of file, sheet or section, or where only the name decided."""
    if parsed.kind_hint in {None, Kind.CASE} or parsed.kind not in {None, parsed.kind_hint}:
        return
    name = KIND_NAMES[parsed.kind_hint or kind]
    if parsed.kind is None and kind is not parsed.kind_hint:
        reason = f"名称里写的是{name}，选项和答案却像{KIND_NAMES[kind]}，已按内容当作{KIND_NAMES[kind]}，请核对。"
        parsed.add_dropped("kind_by_content", reason)
    elif parsed.kind is not None and _kind_by_content(parsed) is not kind:
        reason = f"题里看不出题型，已按名称当作{name}，请核对。"
        parsed.add_dropped("kind_by_name", reason)


def _kind_by_content(parsed: ParsedQuestion) -> Kind:
    if parsed.options:
        if parsed.kind is Kind.TRUE_FALSE and _truth_order(parsed) is not None:
            return Kind.TRUE_FALSE
        letters, _ = choice_key(parsed)
        return Kind.MULTIPLE_CHOICE if letters and len(letters) > 1 else Kind.SINGLE_CHOICE
    if parsed.blank_answers:
        return Kind.FILL_BLANK
    is_word = not (parsed.answer.isdigit() or _LONE_LETTER.fullmatch(answers.fold(parsed.answer)))
    if parsed.answer and is_word and answers.read_truth(parsed.answer) is not None:
        return Kind.TRUE_FALSE
    has_blanks = answers.count_blanks(parsed.stem_text) and parsed.answer and len(parsed.answer) <= LONG_ANSWER
    return Kind.FILL_BLANK if has_blanks else Kind.SHORT_ANSWER


def _names_option(parsed: ParsedQuestion) -> bool:
    """Return whether the answer of a question without options names one: by letters, or by signs that list lines of the stem."""
    answer = answers.fold(parsed.answer)
    if _LONE_LETTER.fullmatch(answer) or _LETTERS_ALONE.fullmatch(answers.bare_letters(answer)):
        return bool(answer)
    signs = re.sub(r"[\s,，、;；和]+", "", parsed.answer.strip(" 。.()（）"))
    if signs.isdigit() and len(signs) < 3 and _KEY_PLACE.search(parsed.stem_text):
        return True
    listed = (re.search(rf"(?:^|[\s；;。])[(（]?{re.escape(sign)}[)）.．、:：\s]", parsed.stem_text) for sign in signs)
    return bool(signs) and len(signs) <= 10 and (set(signs) <= _CIRCLED or all(listed))


def _find_truth(parsed: ParsedQuestion, orders: dict[str, bool]) -> Problem | None:
    order = _truth_order(parsed)
    texts = [text for _, text in parsed.lettered]
    if any(texts) and order is None:
        shown = "、".join(text[:10] for text in texts[:4])
        return f"判断题的选项应是“正确”和“错误”，这里是“{shown}”。请核对题型。", "not_true_false"
    is_true, problem = truth_key(parsed, order=order, usual=orders.get(parsed.group, True))
    parsed.lettered = list(zip(OPTION_LETTERS, TRUE_FALSE_OPTIONS, strict=False))
    parsed.right = [0 if is_true else 1]
    return problem


def _find_text(parsed: ParsedQuestion) -> Problem | None:
    filled = [text for _, text in parsed.lettered if text]
    is_blank = parsed.kind is Kind.FILL_BLANK
    is_answered = bool(parsed.answer or parsed.blank_answers)
    parsed.lettered = []
    if is_blank and not is_answered and len(filled) == answers.count_blanks(parsed.stem_text):
        parsed.blank_answers, filled = filled, []
    if filled:
        name = KIND_NAMES[parsed.kind or Kind.SHORT_ANSWER]
        return f"写明是{name}，却列了 {len(filled)} 个选项。请核对题型。", "kind_options_conflict"
    if is_blank:
        blanks, problem = blanks_key(parsed)
        parsed.blanks = list(blanks)
        unsplit = next((one for blank in blanks for one in blank if len(blank) == 1 and _VARIANTS.search(one)), "")
        if unsplit:
            reason = f"答案“{unsplit[:20]}”要一字不差才算对；如果是几种写法，请改成用“|”隔开。"
            parsed.add_dropped("blank_variants", reason)
        return problem
    parsed.answer = parsed.answer or "\n".join(blank for blank in parsed.blank_answers if blank)
    return None if parsed.answer else ("没有参考答案。请补上参考答案。", "no_key")
