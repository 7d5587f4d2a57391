"""Decide kind and key of questions that tables and texts hold, from their answers as written and from their neighbours."""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from examapp.documents.decoding import clean_text
from question_bank import validation
from question_bank.formats.heuristics import answers, kind_names
from question_bank.formats.heuristics.stems import strip_mark
from question_bank.formats.parsed import OPTION_CODES, ParsedQuestion
from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import OPTION_LETTERS, TRUE_FALSE_OPTIONS, Kind, Note, ParseResult
from question_bank.rich import plain_if_html

Problem: TypeAlias = tuple[str, str]
"""A reason in Chinese and its code."""


LONG_ANSWER = 60
"""Characters: an answer longer than this is a short answer's, not a blank's."""

_LETTER_AND_TEXT = re.compile(r"[(\[【]?([A-Za-z])[\s.、:)\]】]+(.+)", re.DOTALL)
_SPLIT_TEXTS = re.compile(r"[;；\n|]+")
_SPLIT_ORDER = re.compile(r"[;；\n|→>]+")
_BETWEEN_LETTERS = re.compile(r"[\s,;、.|→>\-—–]+")
_LONE_BLANK = re.compile(r"(?<!_)_(?!_)|＿")


def choice_key(parsed: ParsedQuestion) -> tuple[tuple[str, ...], Problem | None]:
    """Return the key of a choice question by letters, digits or the options' own words."""
    texts = [text for _, text in parsed.lettered]
    answer = parsed.answer
    if not answer:
        return (), ("没有答案。请补上答案。", "no_key")
    named = _by_option_text(answer, texts)
    letters = answers.read_letters(answer, count=len(texts)) or _by_letters_and_option_text(answer, texts)
    if named and letters and named != letters:
        reason = f"答案“{answer[:20]}”可以看作选项 {''.join(letters)}，也正好是选项 {''.join(named)} 的内容，有两种读法。请写明选项字母。"
        return (), (reason, "two_readings")
    letters = letters or named
    if not letters:
        return (), (f"答案“{answer[:20]}”认不出是哪个选项。请写选项字母，如 A 或 AC。", "key_unreadable")
    if any(OPTION_LETTERS.index(letter) >= len(texts) for letter in letters):
        reason = f"答案 {''.join(letters)} 超出了选项范围（只有 {len(texts)} 个选项）。请核对答案。"
        return (), (reason, "key_outside_options")
    return letters, None


def order_key(parsed: ParsedQuestion) -> tuple[tuple[str, ...], Problem | None]:
    """Return the key of an ordering question: all its letters, or all its options' own words, in the right order."""
    if not parsed.answer:
        return (), ("没有答案。请按正确顺序写出全部选项的字母。", "no_key")
    folded = [answers.fold(text) for _, text in parsed.lettered]
    wording = [answers.fold(part) for part in _SPLIT_ORDER.split(parsed.answer) if part.strip()]
    if sorted(wording) == sorted(folded) and len(set(folded)) == len(folded):
        return tuple(OPTION_LETTERS[folded.index(word)] for word in wording), None
    bare = _BETWEEN_LETTERS.sub("", unicodedata.normalize("NFKC", parsed.answer)).upper()
    if not bare.isascii() or not bare.isalpha():
        reason = f"答案“{parsed.answer[:20]}”认不出是什么顺序。请按正确顺序写出全部选项的字母，如 CABD。"
        return (), (reason, "key_unreadable")
    return tuple(bare), None


def _by_option_text(answer: str, texts: list[str]) -> tuple[str, ...]:
    """Return letters of the options whose words the answer repeats; empty when a word fits none or several."""
    folded = [answers.fold(text) for text in texts]
    split = [part for part in _SPLIT_TEXTS.split(answer) if part.strip()]
    for parts in ([answer], split, answers.listed_texts(answer)):
        wording = [answers.fold(part) for part in parts]
        if wording and all(word and folded.count(word) == 1 for word in wording):
            return tuple(sorted({OPTION_LETTERS[folded.index(word)] for word in wording}))
    return ()


def is_by_text(parsed: ParsedQuestion) -> bool:
    """Return whether the answer repeats the words of options."""
    return bool(_by_option_text(parsed.answer, [text for _, text in parsed.lettered]))


def _by_letters_and_option_text(answer: str, texts: list[str]) -> tuple[str, ...]:
    """Return letters that stand before their own options' words (`C.丙机关`); empty where words and letter disagree."""
    letters = []
    for part in [part.strip() for part in _SPLIT_TEXTS.split(answer) if part.strip()]:
        match = _LETTER_AND_TEXT.fullmatch(unicodedata.normalize("NFKC", part))
        place = OPTION_LETTERS.find(match[1].upper()) if match else -1
        if match is None or place >= len(texts) or answers.fold(match[2]) != answers.fold(texts[place]):
            return ()
        letters.append(OPTION_LETTERS[place])
    return tuple(sorted(set(letters)))


def options_problem(parsed: ParsedQuestion, letters: tuple[str, ...]) -> Problem | None:
    """Return what is wrong with the options themselves: a blank one, a letter twice, a letter left out, the key's text twice."""
    named = [letter for letter, _ in parsed.lettered]
    if twice := next((letter for letter in named if named.count(letter) > 1), ""):
        return (f"选项字母 {twice} 出现了两次，像是两道题混在一起。请核对选项和答案。", "repeated_option")
    if named != list(OPTION_LETTERS[: len(named)]):
        return (f"选项字母是 {''.join(named)}，不连续。请核对是否漏了选项。", "option_missing")
    texts = [text for _, text in parsed.lettered]
    if not all(texts):
        return (f"选项 {OPTION_LETTERS[texts.index('')]} 是空的，后面却还有选项。请补上或删去空选项。", "blank_option")
    for letter in letters:
        index = OPTION_LETTERS.index(letter)
        if index < len(texts) and texts.count(texts[index]) > 1:
            return (f"选项 {letter} 的内容和另一个选项完全相同，答案不唯一。请核对选项。", "same_options")
    return None


def truth_key(parsed: ParsedQuestion, *, order: bool | None, usual: bool) -> tuple[bool, Problem | None]:
    """Return whether a true/false question's key is 正确; `order` is that of its options, `usual` that of its neighbours."""
    answer = parsed.answer
    if not answer:
        return False, ("没有答案。请补上“正确”或“错误”。", "no_key")
    letters = None if answers.fold(answer).isdigit() else answers.read_letters(answer, count=2)
    if letters and set(letters) <= {"A", "B"}:
        return _truth_by_letter(parsed, letters, order=order, usual=usual)
    letter, word = strip_mark(answer)
    truth = answers.read_truth(word if letter else answer)
    agrees = not letter or (letter in {"A", "B"} and ((letter == "A") is truth) is (order is not False))
    if truth is None or not agrees:
        return False, (f"判断题的答案“{answer[:20]}”认不出是正确还是错误。请写“正确”或“错误”。", "key_unreadable")
    if order is False and answers.fold(answer).isdigit():
        reason = (
            f"答案“{answer}”可以指第几个选项，也可以指对错，而选项是先“错误”后“正确”，有两种读法。请写“正确”或“错误”。"
        )
        return False, (reason, "two_readings")
    return truth, None


def _truth_by_letter(
    parsed: ParsedQuestion, letters: tuple[str, ...], *, order: bool | None, usual: bool
) -> tuple[bool, Problem | None]:
    if len(letters) != 1:
        return False, (f"判断题的答案“{parsed.answer[:20]}”有两个。请写“正确”或“错误”。", "key_unreadable")
    if order is None and not parsed.is_letter_truth:
        reason = f"判断题没有列选项，答案却写 {letters[0]}，看不出是正确还是错误。请写“正确”或“错误”。"
        return False, (reason, "two_readings")
    if order is not None and order is not usual:
        first, second = (text for _, text in parsed.lettered)
        reason = f"这道判断题的选项是 A {first}、B {second}，和同一文件里其他判断题相反，答案 {letters[0]} 可能写反了。请核对后写“正确”或“错误”。"
        return False, (reason, "swapped_true_false")
    return (letters[0] == "A") is (order is not False), None


def blanks_key(parsed: ParsedQuestion) -> tuple[tuple[tuple[str, ...], ...], Problem | None]:
    """Return the accepted answers of each blank, held against the blanks that the stem marks."""
    marked = answers.count_blanks(parsed.stem_text) or len(_LONE_BLANK.findall(parsed.stem_text))
    if parsed.blank_answers:
        return _blanks_in_columns(parsed, marked)
    if not parsed.answer:
        return (), ("没有答案。请补上每个空的答案。", "no_key")
    blanks = answers.read_blanks(parsed.answer, count=marked)
    if blanks is None:
        reason = f"题干有 {marked} 个空，答案“{parsed.answer[:30]}”却分不成 {marked} 份。请按空的顺序用分号隔开答案。"
        return (), (reason, "blanks_mismatch")
    return blanks, None


def _blanks_in_columns(parsed: ParsedQuestion, marked: int) -> tuple[tuple[tuple[str, ...], ...], Problem | None]:
    if not all(parsed.blank_answers):
        place = parsed.blank_answers.index("") + 1
        return (), (f"第 {place} 个空没有答案，后面的空却有。请补上。", "blank_option")
    if marked and marked != len(parsed.blank_answers):
        return (), (f"题干有 {marked} 个空，却给了 {len(parsed.blank_answers)} 个空的答案。请核对。", "blanks_mismatch")
    read = (answers.read_blanks(text, count=1) or ((text,),) for text in parsed.blank_answers)
    return tuple(itertools.chain.from_iterable(read)), None


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
        result.add(parsed.validate())
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
        parsed.add_dropped("broken_characters", "这道题里有认不出的字（文件编码损坏），请核对原文。")
    return parsed


def _plain(parsed: ParsedQuestion, text: str) -> str:
    plain, lost = plain_if_html(text)
    if lost:
        parsed.dropped.append(Note(parsed.where, f"题里的{lost}没有导入，只保留了文字。", "formatting"))
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
        problem = problem or options_problem(parsed, letters)
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
        return parsed.kind
    kind = _kind_by_content(parsed)
    if parsed.kind_label and not kind_names.is_choice_name(parsed.kind_label):
        reason = f"题型“{parsed.kind_label[:20]}”不认识，已按内容当作{KIND_NAMES[kind]}导入，请核对。"
        parsed.add_dropped("kind_unknown", reason)
    return kind


def _kind_by_content(parsed: ParsedQuestion) -> Kind:
    if parsed.options:
        letters, _ = choice_key(parsed)
        return Kind.MULTIPLE_CHOICE if letters and len(letters) > 1 else Kind.SINGLE_CHOICE
    if parsed.blank_answers:
        return Kind.FILL_BLANK
    if parsed.answer and answers.read_truth(parsed.answer) is not None and not parsed.answer.isdigit():
        return Kind.TRUE_FALSE
    if _LETTERS_ALONE.fullmatch(parsed.answer):
        reason = f"答案“{parsed.answer}”像是选项字母，却没有认出选项。请核对题型和选项。"
        parsed.require_review("options_missing", reason)
    has_blanks = answers.count_blanks(parsed.stem_text) and parsed.answer and len(parsed.answer) <= LONG_ANSWER
    return Kind.FILL_BLANK if has_blanks else Kind.SHORT_ANSWER


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
        return problem
    parsed.answer = parsed.answer or "\n".join(blank for blank in parsed.blank_answers if blank)
    return None if parsed.answer else ("没有参考答案。请补上参考答案。", "no_key")
