"""Find options and keys within a stem."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from question_bank.formats.heuristics.answers import BLANK, read_letters, read_truth
from question_bank.model import OPTION_LETTERS

_MARK = re.compile(
    r"(?:[(（\[【]\s*(?P<wrapped>[A-ZＡ-Ｚa-z])\s*[)）\]】]\s*[.．、:：]?|(?P<plain>[A-ZＡ-Ｚa-z])\s?(?P<sign>[.．、:：)），,]|(?=\s)))"
)
_KEY_GROUP = re.compile(r"[(（【\[〔]\s*[A-HＡ-Ｈ](?:[\s、,，;；/]*[A-HＡ-Ｈ])+\s*[)）】\]〕]")
"""A key of several letters in brackets: `【A、B】`, of which none begins an option."""
_GLUED = re.compile(
    r"(?:(?<=[\s。？?：:）)])|^)(?P<letter>[A-H])(?:[。，,\-—](?=\S)|(?P<gap>[ \u3000]{0,4})(?=[\u4e00-\u9fff\d]))",
    re.MULTILINE,
)
_STEM_ENDS = re.compile(r"[\n。？?：:）)]\s*$")
STEM_SIGNS = "甲乙丙丁戊己庚辛"
_STEM_SIGN = re.compile(rf"(?:^|(?<=\s))[\[【(（]\s*([{STEM_SIGNS}])\s*[\]】)）]", re.MULTILINE)
_CODE = re.compile(r"[A-Za-z]\.[A-Za-z_]\w*\s*(?:\(|=|\[|[,，;；。]|\s|$)", re.ASCII)
_NEXT_NUMBER = re.compile(r"\d\s*[.．、:：)）]$")
"""What stands before a letter in `1. A 2. B`: a list of keys, no options."""
MAX_STARTS = 40
"""Letters tried as the first option's: no real question has so many."""
_JOINING = "、和与或及同跟"
"""Signs before a letter that make `A、B、C` an enumeration inside an option's words."""
_CLASSES = {",": ",", "，": ",", ".": ".", "．": ".", ":": ":", "：": ":", "、": "、", ")": ")", "）": ")"}


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    letter: str
    sign: str
    before: str
    free: bool
    """Whether the mark stands at a line's start or behind a space or a closing sign."""
    at_line: bool


def split_options(text: str, *, first: str = "A") -> tuple[str, list[tuple[str, str]]]:
    """Return the text before the options, and the options with their letters, beginning with the letter `first`.

    The letters are as written: a letter twice or left out stays visible to the caller. With `first` other than A
    a single option is enough.
    """
    every = _marks(text)
    if first == "A" and (down := _downwards(every)):
        ends = [mark.start for mark in down[1:]] + [len(text)]
        pairs = ((mark.letter, _tidy(text[mark.end : end])) for mark, end in zip(down, ends, strict=True))
        return text[: down[0].start].rstrip(), sorted(pairs)
    marks = _chosen(every, first)
    if not marks or (first == "A" and len(marks) < 2):
        return _spaced(text) if first == "A" else (text, [])
    ends = [mark.start for mark in marks[1:]] + [len(text)]
    options = [(mark.letter, _tidy(text[mark.end : end])) for mark, end in zip(marks, ends, strict=True)]
    return text[: marks[0].start].rstrip(), options


def _spaced(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text before a last line such as `A 甲 B 乙 C 丙`, and its options: letters in order with spaces around, three at least."""
    before, _, line = text.rpartition("\n")
    parts = re.split(r"(?:^|\s+)([A-H])\s+", line.strip())
    letters, wording = parts[1::2], [part.strip() for part in parts[2::2]]
    in_order = len(letters) > 2 and letters == list(OPTION_LETTERS[: len(letters)])
    if parts[0] or not in_order or not all(wording) or any(_NEXT_NUMBER.search(word) for word in wording):
        return text, []
    return before.rstrip(), list(zip(letters, wording, strict=True))


def split_glued(text: str, letters: tuple[str, ...]) -> tuple[str, list[tuple[str, str]]]:
    """Return the text before options without any sign (`A甲 B乙`, `A 甲 B 乙`) and the options, where they hold the letters of the key.

    Only for questions whose key is known to be these letters: without it `A` may be a word's. Where spaces follow the letters, the stem must
    have ended before them.
    """
    marks: list[re.Match[str]] = []
    for match in _GLUED.finditer(text):
        if match["letter"] == OPTION_LETTERS[len(marks)]:
            marks.append(match)
    if len(marks) < 2 or not letters or OPTION_LETTERS.index(letters[-1]) >= len(marks) or not marks[0].start():
        return text, []
    if any(mark["gap"] for mark in marks) and not _STEM_ENDS.search(text[: marks[0].start()]):
        return text, []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    options = [(mark["letter"], _tidy(text[mark.end() : end])) for mark, end in zip(marks, ends, strict=True)]
    return text[: marks[0].start()].rstrip(), options


def split_stem_signs(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text before options marked `[甲]`, `[乙]` from a line's start on, and these with the letters A, B; else the text alone."""
    marks = list(_STEM_SIGN.finditer(text))
    in_order = [mark[1] for mark in marks] == list(STEM_SIGNS[: len(marks)])
    if len(marks) < 2 or not in_order or text[marks[0].start() - 1 : marks[0].start()] != "\n":
        return text, []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    wording = (_tidy(text[mark.end() : end]) for mark, end in zip(marks, ends, strict=True))
    return text[: marks[0].start()].rstrip(), list(zip(OPTION_LETTERS, wording, strict=False))


def strip_mark(text: str) -> tuple[str, str]:
    """Return the letter that begins an option's text, and the text without it; no letter where there is none."""
    match = _MARK.match(text)
    if not match or (match["plain"] and not match["sign"]):
        return "", text
    return _letter(match), text[match.end() :].strip()


def _tidy(text: str) -> str:
    return text.strip().rstrip(";；").rstrip()


def _letter(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match["wrapped"] or match["plain"]).upper()


def _marks(text: str) -> list[_Mark]:
    found = []
    groups = [match.span() for match in _KEY_GROUP.finditer(text)]
    for match in _MARK.finditer(text):
        start = match.start()
        if any(first < start < last for first, last in groups):
            continue
        before = text[start - 1] if start else "\n"
        if match["plain"] and before.isascii() and (before.isalpha() or before in "._'\""):
            continue
        if match["plain"] and before.isdigit() and (not match["sign"] or _letter(match) == "A"):
            continue
        if match["plain"] and (before in "(（" or (match["sign"] in {")", "）"} and _is_inside(text, start))):
            continue
        at_line = not text[text.rfind("\n", 0, start) + 1 : start].strip()
        if match["wrapped"] and match["wrapped"].islower() and not at_line:
            continue
        sign = "()" if match["wrapped"] else _CLASSES.get(match["sign"] or "", "")
        is_apart = at_line or (before.isspace() and (before in "\t\u3000" or text[start - 2 : start - 1].isspace()))
        if match["plain"] and (
            (sign in {"", ","} and not is_apart)
            or _CODE.match(text, start)
            or (match["plain"].islower() and not at_line)
        ):
            continue
        free = before.isspace() or before in ";；)）。.，,？?:："
        found.append(_Mark(start, match.end(), _letter(match), sign, before, free, at_line))
    return found


def _is_inside(text: str, place: int) -> bool:
    """Return whether a bracket opened shortly before the place is still open there."""
    before = text[max(0, place - 30) : place]
    return max(before.rfind("("), before.rfind("（")) > max(before.rfind(")"), before.rfind("）"))


def _downwards(marks: list[_Mark]) -> list[_Mark]:
    """Return the marks of options that stand in two or three columns and are read downwards, the first line `A. … C. …`; else none."""
    start = next((place for place, mark in enumerate(marks) if mark.letter == "A" and mark.at_line), len(marks))
    laid = [mark for mark in marks[start:] if mark.sign and (mark.at_line or mark.free)]
    count = len(laid)
    letters = [OPTION_LETTERS.index(mark.letter) for mark in laid]
    for columns in (2, 3):
        height = -(-count // columns)
        order = [
            row + height * column for row in range(height) for column in range(columns) if row + height * column < count
        ]
        if (
            count > columns
            and height > 1
            and letters == order
            and all(laid[letters.index(row)].at_line for row in range(height))
        ):
            return laid
    return []


def _chosen(marks: list[_Mark], first: str) -> list[_Mark]:
    """Return the marks that carry the options on: the next letter in the same style, or at a line's start; those that begin a line go first."""
    best: list[_Mark] = []
    for index in [index for index, mark in enumerate(marks) if mark.letter == first][:MAX_STARTS]:
        mark = marks[index]
        if best and not mark.at_line:
            continue
        chosen = [mark]
        for later in marks[index + 1 :]:
            if _follows(chosen[-1], later):
                chosen.append(later)
        is_enough = first != "A" or len(chosen) > (1 if mark.free or mark.at_line else 2)
        if is_enough and len(chosen) >= len(best):
            if mark.at_line or best:
                return chosen
            best = chosen  # `应当【A】` with the options in brackets on lines of their own below
    return best


def _follows(last: _Mark, mark: _Mark) -> bool:
    gap = OPTION_LETTERS.index(mark.letter) - OPTION_LETTERS.index(last.letter)
    same = mark.sign == last.sign
    if gap == 1:
        if mark.at_line:
            return same or (mark.sign not in {"", "()"} and last.sign not in {"", "()"})
        return same and (mark.free or mark.sign in {".", ":", "()"} or mark.before not in _JOINING)
    if gap == 0:
        return same and (mark.sign not in {"", "()"} if mark.at_line else mark.free and mark.sign in {".", ":"})
    return gap in {2, 3} and same and mark.at_line and last.at_line


_BRACKET = re.compile(r"[(（【\[]\s*([^()（）【】\[\]]{1,30}?)\s*[)）】\]]")
_KEYED = re.compile(
    r"[(（【〔\[]\s*(?P<inner>[^()（）【】〔〕\[\]]{1,30}?)\s*[)）】〕\]]|(?<!\w)_+\s*(?P<lined>[A-HＡ-Ｈ]{1,8})\s*_+(?!\w)"
    r"|(?<=[\u4e00-\u9fff])_+\s*(?P<glued>[A-HＡ-Ｈ]{1,8})\s*_+(?=[\u4e00-\u9fff，。]|$)"
)
_LETTERS = re.compile(r"[A-HＡ-Ｈ](?:[\s、,，;；/]*[A-HＡ-Ｈ])*")
_INLINE_ANSWER = re.compile(
    r"[(（【\[]\s*(?:正确|参考|标准)?答案\s*(?:[:：]|[】\]])\s*([^()（）【】\[\]]{1,60}?)\s*[)）】\]]"
)
_END = re.compile(r"^[\s。.？?！!；;：:，,]*$")
_CODE_BEFORE = re.compile(r"(?:[\w.\]\"'=+*/<>]|(?:^|\s)(?:if|while|for|switch|return|and|or|not|print)\s+)$", re.ASCII)
_COMMENT = re.compile(r"(?:#|//|\"[^\"]*|'[^']*)[^\u4e00-\u9fff]*$")

_TRUTH_AT_END = re.compile(r"(?:(?<=[\s。.])(?P<sign>[√×✓✗✔✘])|[。？?]\s+(?P<said>正确|错误|对|错))\s*$")
_TRUTH_AT_START = re.compile(r"^[(（【\[]\s*(?P<word>[√×✓✗✔✘TFVXYNvx对错是否]|正确|错误)\s*[)）】\]]\s*(?=\S{3})")
_FILLED = re.compile(r"[(（]\s*([^()（）]+?)\s*[)）]")
_WORD = re.compile(r"[\u4e00-\u9fff][\u4e00-\u9fff、“”]{1,19}")
_NO_BLANK = re.compile(
    r"简称|以下|型号|功率|地址|修订|主席令|公布|施行|版|第.{1,6}[号条款项章]|年|注[:：]?|即|例如|如|含|不含|略"
)
_ENUMERATORS = re.compile(r"[一二三四五六七八九十]是$|第[一二三四五六七八九十][,，是]?$|其[一二三四五六]是?$")
_LEADS = ("有", "是", "为", "包括", "分为", "由", "分别为", "分别是")


def empty_blanks(text: str) -> str:
    """Return the text with every empty bracket written `（ ）`."""
    return re.sub(r"(?<![\w.\])])\(\s*\)|（\s*[)）]|(?<=[\u4e00-\u9fff=])\(\s*[)）]", "（ ）", text, flags=re.ASCII)


def take_inline_answer(stem: str) -> tuple[str, str]:
    """Return the stem without `【答案：A】` or `（答案：A）` in it, and that answer; no answer where none stands there."""
    match = _INLINE_ANSWER.search(stem)
    if not match:
        return stem, ""
    return (stem[: match.start()] + stem[match.end() :]).strip(), match[1]


def take_letter_keys(stem: str) -> tuple[str, list[str]]:
    """Return the stem with its bracketed keys emptied, and the keys: `正确的是（A、C）` gives `正确的是（ ）` and ["A、C"]."""
    found: list[str] = []

    def empty(match: re.Match[str]) -> str:
        key = next(part for part in match.groups() if part is not None)
        if not _LETTERS.fullmatch(key) or _in_code(stem, match) or read_letters(key, count=8) is None:
            return match[0]
        found.append(key)
        return "（ ）"

    return _KEYED.sub(empty, stem), found


def take_truth(stem: str) -> tuple[str, str]:
    """Return the stem without the `（对）` or `（√）` that ends it, and that word; no word where none ends it."""
    matches = list(_BRACKET.finditer(stem))
    if not matches or not _END.match(stem[matches[-1].end() :]):
        match = _TRUTH_AT_END.search(stem)
        if not match:
            first = _TRUTH_AT_START.match(stem)
            return (stem[first.end() :], first["word"]) if first else (stem, "")
        group = "sign" if match["sign"] else "said"
        return stem[: match.start(group)].rstrip(), match[group]
    word = matches[-1][1]
    if read_truth(word) is None or word.strip().isdigit() or _in_code(stem, matches[-1]):
        return stem, ""
    return (stem[: matches[-1].start()].rstrip() + "（ ）" + stem[matches[-1].end() :].strip()), word


def _in_code(stem: str, match: re.Match[str]) -> bool:
    """Return whether the brackets are a call's, a condition's or stand in a string or comment."""
    before = stem[max(stem.rfind("\n", 0, match.start()) + 1, match.start() - 80) : match.start()]
    if not match[0].startswith(("(", "[", "_")):
        return False
    is_comment = _COMMENT.search(before) and not re.search("[\u4e00-\u9fff]", before[-3:])
    return bool(_CODE_BEFORE.search(before) or is_comment)


def take_filled_blanks(stem: str, *, surely: bool) -> tuple[str, list[str]]:
    """Return the stem with its filled brackets emptied, and what filled them.

    `surely`: the section says that these are fill-in questions; else only clear structures count (several
    brackets joined as members of one list, or each behind the same word).
    """
    if BLANK.search(stem):
        return stem, []
    matches = [match for match in _FILLED.finditer(stem) if _may_be_blank(match[1], surely=surely)]
    alone = [*_FILLED.finditer(stem)] if surely and not matches else []
    if len(alone) == 1 and alone[0][1].isdigit() and re.match(r"[\u4e00-\u9fff]", stem[alone[0].end() :]):
        matches = alone  # `共（7）编`: one bracket alone counts no points
    if not matches or (not surely and (len(matches) != len(_FILLED.findall(stem)) or not _clear(stem, matches))):
        return stem, []
    pieces, last = [], 0
    for match in matches:
        pieces.append(stem[last : match.start()] + "（ ）")
        last = match.end()
    return "".join(pieces) + stem[last:], [match[1] for match in matches]


def has_filled_blanks(stem: str) -> bool:
    """Return whether a stem has several filled brackets that might be blanks."""
    return len([match for match in _FILLED.finditer(stem) if _may_be_blank(match[1], surely=False)]) >= 2


def _may_be_blank(content: str, *, surely: bool) -> bool:
    if _NO_BLANK.search(content) and not (surely and len(content) <= 12 and not re.search("简称|以下|注", content)):
        return False
    return (surely and not content.isdigit() and len(content) <= 30) or bool(_WORD.fullmatch(content))


def _clear(stem: str, matches: list[re.Match[str]]) -> bool:
    if len(matches) < 2:
        return False
    gaps = [stem[one.end() : two.start()] for one, two in pairwise(matches)]
    before = [stem[: match.start()] for match in matches]
    if all(gap.strip() in {"、", "，", ",", "和", "与", "及", "以及", "或", "；"} for gap in gaps):
        rest = stem[matches[-1].end() :].lstrip()
        return before[0].endswith(_LEADS) or rest.startswith(("组成", "构成", "三", "两", "四"))
    if not any(gap.strip() for gap in gaps):
        return len(matches) >= 3 and before[0].endswith(_LEADS)
    if all(_ENUMERATORS.search(text) for text in before):
        return True
    return len({text[-2:] for text in before}) == 1 and len(before[0]) >= 2
