"""Read keys out of emphasis: options in red, marked, shaded, bold or underlined, where a file writes its keys in no other way."""

import re
from collections import Counter
from collections.abc import Callable, Iterable

from question_bank.model import Kind, Note, ParseResult, Question, QuestionForReview

BEGIN, END = "\uf104", "\uf105"
"""What stands in a text around its emphasised words."""
STYLES = {"color": "彩色字", "highlight": "突出显示", "shading": "底纹", "bold": "加粗", "underline": "下划线"}
"""The kinds of emphasis, those first that mark keys most often."""
_OPTION = re.compile(r"(?:^|(?<=[\s\uf105。；;]))(?:[(（\[【]\s*[A-H]\s*[)）\]】]|[A-H]\s*[.．、:：)）])", re.MULTILINE)
_EMPHASISED = re.compile(f"{BEGIN}([^{END}]*){END}")
_NUMBERED = re.compile(r"\s*(?:第\s*)?[(（【\[]?\s*\d{1,4}\s*[题.．、:：)）】\]]")
_WIDE = re.compile(r"[\u4e00-\u9fff]")
_ANSWERED = re.compile(r"答案|解析|_{2}|[(（]\s*[)）]")
_MIN_MISSING_SHARE, _MAX_LEFT_SHARE = 0.6, 0.2
"""Shares of questions: so many lack a key where there are none in words, and so few do where emphasis gives them."""
_COVERED = 0.7
"""Share of an option's words that are emphasised where it is."""


def emphasised(text: str) -> str:
    """Return a text with the signs of emphasis around each of its lines."""
    return "\n".join(f"{BEGIN}{line}{END}" if line.strip() else line for line in text.split("\n"))


def say_keys(text: str) -> str:
    """Return a text without the signs of emphasis: a tick stands behind each option that they stand around, else blanks for emphasised words of a stem, which follow as its answer."""
    if BEGIN not in text:
        return text
    text = text.replace(f"{END}{BEGIN}", "")
    whole = text.replace(BEGIN, "").replace(END, "")
    marks = list(_OPTION.finditer(whole))
    return _ticked(whole, marks, _flags_of(text)) if marks else _blanked(text, whole)


def _flags_of(text: str) -> list[bool]:
    """Return for each character beside the signs of emphasis whether it stands between them."""
    flags: list[bool] = []
    inside = False
    for sign in text:
        if sign in {BEGIN, END}:
            inside = sign == BEGIN
        else:
            flags.append(inside)
    return flags


def _ticked(whole: str, marks: list[re.Match[str]], flags: list[bool]) -> str:
    bounds = [mark.start() for mark in marks[1:]] + [len(whole)]
    for mark, bound in reversed(list(zip(marks, bounds, strict=True))):
        line_end = whole.find("\n", mark.end(), bound)
        places = [at for at in range(mark.end(), bound if line_end < 0 else line_end) if whole[at].strip()]
        has_letter = any(flags[at] for at in range(mark.start(), mark.end()) if whole[at].isalpha())
        if places and (has_letter or sum(flags[at] for at in places) >= _COVERED * len(places)):
            whole = f"{whole[: places[-1] + 1]} √{whole[places[-1] + 1 :]}"
    return whole


def _blanked(text: str, whole: str) -> str:
    """Return a numbered text with blanks for its emphasised words, and these as its answer; the text itself where they are all of it."""
    texts = [match[1].strip() for match in _EMPHASISED.finditer(text)]
    rest = _EMPHASISED.sub("", text)
    is_stem = _NUMBERED.match(whole) and len(_WIDE.findall(rest)) > 3 and not _ANSWERED.search(whole)
    if not is_stem or not all(texts) or any(sign in answer for answer in texts for sign in "；;\n"):
        return whole
    return f"{_EMPHASISED.sub('____', text)}\n答案：{'；'.join(texts)}"


def has_no_keys(reading: ParseResult) -> bool:
    """Return whether most questions of some kind have no key."""
    missing = Counter(one.question.kind for one in _without_key(reading))
    counts = Counter(question.kind for question in _questions(reading) if _needs_key(question))
    return any(count >= _MIN_MISSING_SHARE * counts[kind] for kind, count in missing.items())


def read_by_emphasis(first: ParseResult, styles: Iterable[str], read: Callable[[str], ParseResult]) -> ParseResult:
    """Return a reading that takes its keys out of emphasis, where the first one lacks most of a kind and one style gives them; else the first."""
    if not has_no_keys(first):
        return first
    missing = len(_without_key(first))
    for style in (one for one in STYLES if one in set(styles)):
        second = read(style)
        left = len(_without_key(second))
        if _agrees(first, second) and left <= _MAX_LEFT_SHARE * missing:
            reason = f"文件里没有写答案，{missing - left} 道题以{STYLES[style]}的选项或文字作为答案。请抽查几题。"
            second.remarks.append(Note("整个文件", reason, "emphasised_keys"))
            return second
    return first


def _agrees(first: ParseResult, second: ParseResult) -> bool:
    """Return whether a second reading differs from the first in keys and blanks alone, and gives all options as the key in few questions."""
    one, two = ([question for question in _questions(each) if question.options] for each in (first, second))
    texts, others = (sorted((question.stem, question.options) for question in each) for each in (one, two))
    whole = sum(len(question.key) == len(question.options) for question in two if _needs_key(question))
    is_like = texts == others and first.found == second.found and len(first.imported) <= len(second.imported)
    return is_like and whole * 2 <= len(two)


def _questions(reading: ParseResult) -> list[Question]:
    return [one.question for one in reading.imported] + [one.question for one in reading.needing_review]


def _needs_key(question: Question) -> bool:
    is_choice = question.kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE} and len(question.options) > 1
    return is_choice or question.kind is Kind.FILL_BLANK


def _without_key(reading: ParseResult) -> list[QuestionForReview]:
    return [one for one in reading.needing_review if one.note.code == "no_key" and _needs_key(one.question)]
