"""Write what survey and teaching platforms print around questions in the common spelling, before the lines are read."""

import re
import unicodedata
from functools import partial
from itertools import groupby

from question_bank.formats.heuristics.answers import is_truth_word
from question_bank.model import OPTION_LETTERS

_SPACE = r"[ \t\u3000]*"
_RING = re.compile(rf"{_SPACE}[○◯□☐◻▢❍]{_SPACE}(?=\S)")
"""The circle or box before an option of a form."""
_LETTERED = re.compile(r"[(（\[【]?[A-HＡ-Ｈ][)）\]】]?\s*[.、．:：)）\s]")
_REQUIRED = re.compile(r"(?m)(?<=题)([】\])）])[ \t]*\*[ \t]*$|(?<=[】\])）])[ \t]+\*[ \t]*$")
"""The star behind a question that a form requires."""
_TICKED_OPTION = re.compile(
    r"(?m)^(\s*[A-Za-z]\s*[.、．:：)）\s].*?)\s*[(（【\[]\s*(?:正确答案|正确选项|正确)\s*[)）】\]]\s*$"
)
"""An option with the words by which 问卷星 marks the right ones."""
_MARKED = re.compile(r"\s*[(（【\[]\s*(?:正确答案|正确选项)\s*[)）】\]]\s*$")
"""The same words behind an option without a letter."""
_STEM_LINE = re.compile(
    rf"^{_SPACE}(?:\d{{1,4}}{_SPACE}[.、．](?!\d)|第{_SPACE}\d{{1,4}}{_SPACE}题)|[【\[(（][\u4e00-\u9fff]{{2,6}}题[】\])）]{_SPACE}$"
)
"""A line with a question's number, or with its kind behind it."""
_OWN_ANSWER = re.compile(r"(?:我|你|您|考生|学生)的答案\s*[】\]]?\s*[:：]")
_OWN_POINTS = re.compile(rf"(?m)^{_SPACE}(\d{{1,3}}(?:\.\d{{1,2}})?{_SPACE}分){_SPACE}$")
"""Points that a platform prints alone on a line beside the candidate's own answer."""
_LETTER_ALONE = re.compile(
    rf"(?m)^{_SPACE}(?P<mark>[A-H][ \t]*[、.．:：]){_SPACE}\n{_SPACE}(?![A-H][ \t]*[、.．:：])(?P<text>\S[^\n]*)$"
)
"""An option's letter on a line of its own, its text on the next."""
_LABELS = r"(?:(?:正确|参考|标准)?答案(?:解析)?|(?:试题|题目)?解析|理由|依据)"
_LABELLED = re.compile(
    rf"^{_SPACE}[【\[]?(?:{_LABELS}|难度|知识点|考点|分值|题型|(?:我|你|您)的答案)\s*[】\]]?\s*[:：】\]]"
)
_QUOTED_LABEL = re.compile(rf"(?m)^({_SPACE})[『「]\s*({_LABELS})\s*[』」]")
_BOXED_REASON = re.compile(
    rf"(?m)^({_SPACE})[(（]\s*((?:答案|试题|题目)?解析|理由|依据|法律依据)\s*[:：]\s*([^()（）\n]*(?:[(（][^()（）\n]*[)）][^()（）\n]*)*)[)）]{_SPACE}$"
)
"""An explanation that stands in brackets, label and all."""
_DASHED_REASON = re.compile(
    rf"(?m)^({_SPACE}\d{{1,4}}\s*[.、．]\s*(?:[A-H]{{1,8}}|正确|错误|[√×对错]))\s*(?:[—–]{{1,2}}|--)\s*(?=[^\sA-H\d√×—–-][^\n]{{3,}}$)"
)
"""`1. B —— 依据…` in a list of answers."""
_EXAMPLE = re.compile(rf"(?m)^{_SPACE}[【\[]\s*例\s*(\d{{1,4}})\s*[】\]]{_SPACE}")
_CHAPTER_NUMBER = re.compile(
    rf"(?m)^{_SPACE}(\d{{1,2}})\s*[-—–.．]\s*(\d{{1,3}})(?:\s*[.、．:：]\s*|[ \t\u3000]+)(?=[^\s.、．][^\n]*[\u4e00-\u9fff])"
)
_PLAIN_NUMBER = re.compile(rf"(?m)^{_SPACE}\d{{1,4}}\s*[.、．]\s*(?=[^\d\s])")
_TRUTH_ROW = re.compile(
    r"(?m)^[ \u3000]*(?:(?P<number>\d{1,4})[.、．]?[ \u3000]*\t[ \t\u3000]*)?(?P<stem>[^\t\n]{5,}?)[ \u3000]*\t[ \t\u3000]*(?P<word>正确|错误|[对错√×])[ \t\u3000]*$"
)
"""A line of a table without a head: number, stem, and whether it is true, parted by tabs."""
_EMPTY_KEYS = re.compile(rf"(?m)^{_SPACE}题号[ \t|]+[\d \t|]+\n{_SPACE}答案[ \t|]*$")
"""A table that candidates fill in: numbers, and nothing below them."""
_ANSWERED = re.compile(rf"(?m)^{_SPACE}[【\[]?(?:正确|参考|标准)?答案[】\]]?\s*[:：]?\s*(?P<key>[^\n]*?){_SPACE}$")
_OPTION_LETTER = re.compile(rf"(?m)^{_SPACE}[(（]?[A-HＡ-Ｈ][)）]?\s*[.、．:：)）\s]")


def unify_platforms(text: str) -> str:
    """Return a text with what platforms print around questions and keys in the common spelling; no line comes or goes."""
    text = _number_truths(text)
    text = _REQUIRED.sub(lambda match: match[1] or "", text)
    if _RING.search(text):
        text = _letter_rings(text)
    if _OWN_ANSWER.search(text):
        text = _OWN_POINTS.sub(r"得分：\1", text)
        text = _LETTER_ALONE.sub(r"\g<mark>\g<text>\n", text)
    text = _QUOTED_LABEL.sub(r"\1【\2】", _TICKED_OPTION.sub(r"\1 √", _letter_marked(text)))
    text = _DASHED_REASON.sub(r"\1 解析：", _BOXED_REASON.sub(r"\1\2：\3", text))
    text = _EMPTY_KEYS.sub("\n", text)
    return _letter_numbers(_number_plainly(text))


def _letter_rings(text: str) -> str:
    """Write options that stand behind circles or boxes with letters, from A on in each group of two or more."""
    written: list[str] = []
    for is_option, group in groupby(text.split("\n"), key=lambda line: _RING.match(line) is not None):
        lines = [*group]
        bare = [_RING.sub("", line, count=1) for line in lines]
        is_lettered = [_LETTERED.match(line) is not None for line in bare]
        if not is_option or not 1 < len(lines) <= len(OPTION_LETTERS) or any(is_lettered) is not all(is_lettered):
            written += lines
        elif all(is_lettered):
            written += bare
        else:
            written += [f"{letter}. {line}" for letter, line in zip(OPTION_LETTERS, bare, strict=False)]
    return "\n".join(written)


def _letter_marked(text: str) -> str:
    """Write options without letters, of which some end in `（正确答案）`, with letters, and `对` and `错` with a tick: the lines between a stem and the next blank line, label or stem."""
    lines = text.split("\n")
    limit = len(OPTION_LETTERS)
    for place in range(1, len(lines)):
        if "正确" not in lines[place] or not _MARKED.search(lines[place]):
            continue
        first = next((at for at in range(place, max(0, place - limit), -1) if _ends_options(lines[at - 1])), place)
        bound = min(len(lines), first + limit + 1)
        end = next((at for at in range(place + 1, bound) if _ends_options(lines[at])), bound)
        if _STEM_LINE.search(lines[first - 1]):
            lines[first:end] = _lettered(lines[first:end])
    return "\n".join(lines)


def _ends_options(line: str) -> bool:
    """Return whether a line is none of a question's options: blank, a stem or a label."""
    return not line.strip() or bool(_STEM_LINE.search(line) or _LABELLED.match(line))


def _lettered(options: list[str]) -> list[str]:
    """Return the options of a question with letters, `对` and `错` without, and the marked ones with a tick; as they are where some have letters or there are too many."""
    bare = [_MARKED.sub("", line).strip() for line in options]
    is_truth = all(map(is_truth_word, bare))
    if any(map(_LETTERED.match, options)) or not (is_truth or 1 < len(bare) <= len(OPTION_LETTERS)):
        return options
    letters = [""] * len(bare) if is_truth else [f"{letter}. " for letter in OPTION_LETTERS]
    ticks = [" √" if _MARKED.search(line) else "" for line in options]
    return [f"{letter}{text}{tick}" for letter, text, tick in zip(letters, bare, ticks, strict=False)]


def _number_truths(text: str) -> str:
    """Write a table of true/false questions without a head as numbered lines with the word in brackets, where all its lines are such."""
    rows = [*_TRUTH_ROW.finditer(text)]
    tabbed = sum("\t" in line.strip() for line in text.split("\n")) if len(rows) > 2 else 0
    if not tabbed or tabbed > len(rows):
        return text
    numbers = iter(range(1, len(rows) + 1))
    return _TRUTH_ROW.sub(lambda row: f"{row['number'] or next(numbers)}. {row['stem']}（{row['word']}）", text)


def _number_plainly(text: str) -> str:
    """Write numbers such as `【例3】` and `2-3.` plainly, where a text has several and no question has a plain number."""
    for form, number in ((_EXAMPLE, r"\1. "), (_CHAPTER_NUMBER, r"\2. ")):
        if len(form.findall(text)) > 1 and not _PLAIN_NUMBER.search(text):
            return form.sub(number, text)
    return text


_CIRCLES = "①②③④⑤⑥⑦⑧"
_NUMBERED_OPTION = {
    "circle": re.compile(rf"(?m)^{_SPACE}(?P<n>[{_CIRCLES}])\s*[.、．]?\s*(?=\S)"),
    "bracket": re.compile(rf"(?m)^{_SPACE}[(（](?P<n>[1-8])[)）]\s*[.、．]?\s*(?=\S)"),
}
_NUMBERED_KEY = {
    "circle": re.compile(rf"[{_CIRCLES}](?:[、,，\s]?[{_CIRCLES}])*"),
    "bracket": re.compile(r"[(（][1-8][)）](?:[、,，\s]?[(（][1-8][)）])*"),
}


def _letter_numbers(text: str) -> str:
    """Write options `①` or `（1）` and the keys that name them with letters, where no option of the text has a letter and all keys are such numbers."""
    keys = [match["key"] for match in _ANSWERED.finditer(text)]
    if len(keys) < 2 or _OPTION_LETTER.search(text):
        return text
    for style, form in _NUMBERED_KEY.items():
        named = [key for key in keys if form.fullmatch(key)]
        if len(named) > 1 and all(form.fullmatch(key) or is_truth_word(key) for key in keys):
            text = _NUMBERED_OPTION[style].sub(lambda match: f"{_letter(match['n'])}. ", text)
            return _ANSWERED.sub(partial(_with_letters, form=form), text)
    return text


def _letter(number: str) -> str:
    return OPTION_LETTERS[int(unicodedata.numeric(number)) - 1]


def _with_letters(match: re.Match[str], *, form: re.Pattern[str]) -> str:
    if not form.fullmatch(match["key"]):
        return match[0]
    letters = "".join(_letter(sign) for sign in match["key"] if sign.isnumeric())
    return f"{match.string[match.start() : match.start('key')]}{letters}"
