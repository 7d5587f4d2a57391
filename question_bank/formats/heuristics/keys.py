"""Read the key of a question from its answer as written: by letters, digits, truth words, the options' own words, or by blank."""

import itertools
import re
import unicodedata
from typing import TypeAlias

from question_bank.formats.heuristics import answers
from question_bank.formats.heuristics.stems import strip_mark
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import OPTION_LETTERS

Problem: TypeAlias = tuple[str, str]
"""A reason in Chinese and its code."""

_LETTER_AND_TEXT = re.compile(r"[(\[【]?([A-Za-z])[\s.、:)\]】]+(.+)", re.DOTALL)
_LETTERS_AND_TEXTS = re.compile(r"([A-Za-z]{2,8})\s*[:、.]\s*(.+)", re.DOTALL)
_SPLIT_TEXTS = re.compile(r"[;；\n|]+")
_SPLIT_ORDER = re.compile(r"[;；\n|→>]+")
_CHOSEN = re.compile(
    r"(?:综上|故|应|本题|因此|所以)*\s*(?:选择?|(?:正确)?答案[为是])\s*[:：]?\s*(?P<key>[A-H](?:[\s、,，和]?[A-H]){0,7})\s*[项.]?"
)
_SENTENCE_ENDS = re.compile(r"[。；;\n]|[，,](?!\s*[A-H](?![A-Za-z]))")
_BETWEEN_LETTERS = re.compile(r"[\s,;、.|→>\-—–]+")
_OPTION_TICK = re.compile(r"(?<=\S)\s*[(（\[]?\s*([√✓✔×✗✘])\s*[)）\]]?\s*$")
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


def chosen_in(explanation: str) -> str:
    """Return the key that a sentence of an explanation names and nothing else: `选B`, `故选A、C`, `答案为B`; nothing where several differ."""
    named = (_CHOSEN.fullmatch(sentence.strip()) for sentence in _SENTENCE_ENDS.split(explanation))
    found = {match["key"] for match in named if match}
    return found.pop() if len(found) == 1 else ""


def explained_problem(parsed: ParsedQuestion, letters: tuple[str, ...]) -> Problem | None:
    """Return that the explanation names another key than the answer does; None where it agrees or names none."""
    chosen = chosen_in(parsed.explanation_text)
    if not letters or answers.read_letters(chosen, count=len(parsed.lettered)) in {None, letters}:
        return None
    return (f"答案是 {''.join(letters)}，解析里却说选 {chosen}。请核对答案。", "two_keys")


def is_by_text(parsed: ParsedQuestion) -> bool:
    """Return whether the answer repeats the words of options."""
    return bool(_by_option_text(parsed.answer, [text for _, text in parsed.lettered]))


def _by_letters_and_option_text(answer: str, texts: list[str]) -> tuple[str, ...]:
    """Return letters that stand before their own options' words (`C.丙机关`); empty where words and letter disagree."""
    several = _LETTERS_AND_TEXTS.fullmatch(unicodedata.normalize("NFKC", answer.strip()))
    named = several[1].upper() if several else ""
    if several and len(set(named)) == len(named) and all(OPTION_LETTERS.find(one) < len(texts) for one in named):
        own = "".join(answers.fold(texts[OPTION_LETTERS.index(one)]) for one in sorted(named))
        if _bare(several[2]) == _bare(own):  # `ABC:甲;乙;丙`
            return tuple(sorted(named))
    letters = []
    for part in [part.strip() for part in _SPLIT_TEXTS.split(answer) if part.strip()]:
        match = _LETTER_AND_TEXT.fullmatch(unicodedata.normalize("NFKC", part))
        place = OPTION_LETTERS.find(match[1].upper()) if match else -1
        if match is None or place >= len(texts) or answers.fold(match[2]) != answers.fold(texts[place]):
            return ()
        letters.append(OPTION_LETTERS[place])
    return tuple(sorted(set(letters)))


def _bare(text: str) -> str:
    return re.sub(r"\W+", "", text)


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


def take_ticks(parsed: ParsedQuestion) -> None:
    """Take the ticks behind options as the key, where the question has no other; a key that says otherwise is doubt."""
    marks = [_OPTION_TICK.search(text) for _, text in parsed.lettered]
    ticked = "".join(
        letter for (letter, _), mark in zip(parsed.lettered, marks, strict=True) if mark and mark[1] in "√✓✔"
    )
    if not ticked:
        return
    parsed.lettered = [
        (letter, text[: mark.start()] if mark else text)
        for (letter, text), mark in zip(parsed.lettered, marks, strict=True)
    ]
    if not parsed.answer:
        parsed.answer = ticked
    elif not answers.same_answer(parsed.answer, ticked, count=len(parsed.lettered)):
        reason = f"答案写着“{parsed.answer[:20]}”，打钩的选项却是 {ticked}。请核对答案。"
        parsed.require_review("two_keys", reason)
