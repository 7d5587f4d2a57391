"""Read answers as people write them (`A、C`, `ＡＣ`, `对`, `√`, `全选`, `A至D`) into keys; what is ambiguous is not read."""

import json
import re
import unicodedata

from question_bank.model import OPTION_LETTERS

_TRUE = "正确 对 对的 正确的 说法正确 勾 是 是的 真 √ ✓ ✔ ☑ ✅ 🗸 V T TRUE Y YES RIGHT CORRECT 1"
TRUE_TERMS = frozenset(_TRUE.split())
_FALSE = "错误 错 错的 错误的 说法错误 叉 不对 不正确 不是 否 假 × ✗ ✘ ✖ ✕ ╳ ❌ ☒ X Х F FALSE N NO WRONG INCORRECT 0 2"
FALSE_TERMS = frozenset(_FALSE.split())
ALL_TERMS = frozenset({"全选", "以上全选", "全部选", "全都选", "选项全选"})

_WRAPPING = " \t\n\r\"'“”‘’「」[]【】()（）{}<>。.;；,，、:："
_PREFIX = re.compile(
    r"^(?:正确答案|参考答案|标准答案|答案|答)?\s*(?:是|为|[:：])?\s*(?:故选|应选|选项|选)?\s*[:：]?\s*"
)
_SEPARATORS = re.compile(r"(?:[\s,，、;；:。/\\|&+.·・\-—_#@$%^~*<>{}和与及\"'\[\]()（）]|以及|选项|OPTION)+")
_DASHES = "-—–―─‐−"
_RANGE = re.compile(rf"([A-Z])\s*([{_DASHES}]+|~+|\.{{2,}}|至|到)\s*([A-Z])")
_DASHED = re.compile(rf"[A-Z](?:\s*[{_DASHES}]\s*[A-Z]){{2,}}")
"""Letters that single dashes part: `A-C-D`."""
_NUMBERS = re.compile(r"\d+")
_SPAN_OF_NUMBERS = re.compile(r"\d+\s*[-—–~至到]+\s*\d+")
_BLANK_MARK = re.compile(r"[(（](\d{1,2})[)）]|([①-⑳])|(?<![\d.])(\d{1,2})[.．、](?!\d)")
_PART_MARK = re.compile(r"(?:^|(?<=[\s,，;；。]))(\d{1,3})\s*[.．、:：]")
_BLANK_NAME = re.compile(r"第?\s*([一二三四五六七八九十]|\d{1,2})\s*空\s*[:：]?|(?:填?空)\s*(\d{1,2})\s*[:：]")
_CHINESE_WORD = re.compile(r"[\u4e00-\u9fff“”《》]{1,20}")
_WRAPPED_BLANKS = re.compile(r"\s*(?:【([^【】]+)】|\[([^\[\]]+)\]|\{([^{}]+)\})\s*")

_PLACES = {word: place for place, word in enumerate("一二三四五六七八九十", 1)}
_PLACES |= {str(place): place for place in range(1, 27)}


def fold(text: str) -> str:
    """Return the text in half width and without wrapping signs, as answers are compared."""
    folded = unicodedata.normalize("NFKC", text).replace("\ufe0f", "")
    return folded.strip(_WRAPPING)


def read_truth(text: str) -> bool | None:
    """Return whether the words mean 正确 (True) or 错误 (False); None when they mean neither."""
    word = fold(text).upper()
    if word in TRUE_TERMS:
        return True
    if word in FALSE_TERMS:
        return False
    return None


def same_answer(one: str, other: str, *, count: int | None) -> bool:
    """Return whether two answers mean the same; `count` is the number of options, None where letters do not count."""
    if fold(one) == fold(other):
        return True
    truth = read_truth(one)
    if truth is not None and truth is read_truth(other):
        return True
    letters = None if count is None else read_letters(one, count=count)
    return letters is not None and letters == read_letters(other, count=count or 0)


def is_truth_word(text: str) -> bool:
    """Return whether an option's text is one of the words of a true/false question (not a mere letter or digit)."""
    word = fold(text)
    return (read_truth(word) is not None and not word.isascii()) or word.upper() in {"TRUE", "FALSE", "T", "F"}


def read_letters(text: str, *, count: int) -> tuple[str, ...] | None:
    """Return the option letters that an answer names, in rising order; None when it names none or can be read in two ways.

    `count` is how many options the question has: `全选` means all of them, `1,3` the first and the third.
    """
    word = _PREFIX.sub("", fold(text)).strip(_WRAPPING).removesuffix("选项").removesuffix("项").upper()
    if word in ALL_TERMS:
        return tuple(OPTION_LETTERS[:count]) if count else None
    if _SPAN_OF_NUMBERS.fullmatch(word):
        return None
    spread = word if _DASHED.fullmatch(word) else _spread(word, count)
    if spread is None:
        return None
    bare = _SEPARATORS.sub("", spread)
    if bare and all(sign in OPTION_LETTERS for sign in bare):
        return tuple(sorted(bare)) if len(set(bare)) == len(bare) else None
    if bare.isascii() and bare.isdigit():
        return _read_digits(word, count)
    return None


def _spread(word: str, count: int) -> str | None:
    """Return the word with its ranges of letters written out; None where a single dash may part two letters or span a range."""
    spread, end = "", 0
    for span in _RANGE.finditer(word):
        first, last = OPTION_LETTERS.index(span[1]), OPTION_LETTERS.index(span[3])
        is_whole = span[0] == word and (first, last) == (0, count - 1)
        if first >= last or (span[2] in _DASHES and last - first > 1 and not is_whole):
            return None
        spread += word[end : span.start()] + OPTION_LETTERS[first : last + 1]
        end = span.end()
    return spread + word[end:]


def _read_digits(word: str, count: int) -> tuple[str, ...] | None:
    parts = _NUMBERS.findall(re.sub(r"^(\d+)\.0$", r"\1", word))
    if len(parts) == 1 and (int(parts[0][:4]) > count or count == 0):
        parts = list(parts[0])
    numbers = sorted({int(part[:4]) for part in parts})
    if len(numbers) != len(parts) or not numbers or numbers[0] < 1 or numbers[-1] > min(max(count, 1), 26):
        return None
    return tuple(OPTION_LETTERS[number - 1] for number in numbers)


def is_dashed(text: str) -> bool:
    """Return whether single dashes part the letters of an answer: `A-C-D`."""
    return _DASHED.fullmatch(fold(text).upper()) is not None


def bare_letters(text: str) -> str:
    """Return an answer's letters in upper case without the signs between them."""
    return _SEPARATORS.sub("", text.upper())


def looks_like_key(text: str) -> bool:
    """Return whether a text is nothing but a key: letters, a range, a truth word, 全选."""
    word = fold(text)
    is_letters = read_letters(text, count=26) is not None or _RANGE.fullmatch(word.upper()) is not None
    return not word.isdigit() and (is_letters or read_truth(text) is not None)


def counts_from_zero(text: str) -> bool:
    """Return whether an answer of mere numbers holds a 0, so that its file counts the options from 0."""
    numbers = _NUMBERS.findall(fold(text).removesuffix(".0"))
    return is_by_number(text) and any(number.startswith("0") for number in numbers)


def is_by_number(text: str) -> bool:
    """Return whether an answer names options by number alone."""
    word = fold(text).removesuffix(".0")
    return bool(_NUMBERS.search(word)) and not _NUMBERS.sub("", _SEPARATORS.sub("", word))


def read_blanks(text: str, *, count: int) -> tuple[tuple[str, ...], ...] | None:
    """Return the accepted answers of each blank, variants divided by `|`; None when blanks and answers do not agree.

    One line a blank, or `；`, or (only if the count then agrees) `、` and `，`; a JSON list of lists as the last resort
    of our own writer. `count` is the number of blanks seen in the stem, 0 if none is marked.
    """
    text = text.strip()
    listed = _json_blanks(text)
    if listed is not None:
        return listed if count in {0, len(listed)} else None
    if not text or (count and len(numbered_parts(text)) not in {0, count}):
        return None
    if count == 1 and "\n" not in text:
        return (_variants(_without_number(text, 1)),)
    marked = _marked_blanks(text) if count != 1 else []
    if marked and len(marked) == count:
        return tuple(_variants(part) for part in marked)
    for pattern in (r"\n+", r"[;；]", r"\s*(?:\|\||#{1,3}|\${1,2}|&{2,})\s*", r"[、]", r"[,，]", r"\s+", r"[|｜]"):
        parts = [part.strip() for part in re.split(pattern, text) if part.strip()]
        if len(parts) == count or (count == 0 and len(parts) > 1 and pattern in {r"\n+", r"[;；]"}):
            return tuple(_variants(_without_number(part, place)) for place, part in enumerate(parts, 1))
    return (_variants(text),) if count == 0 else None


def numbered_parts(text: str) -> list[str]:
    """Return the parts of `1.宪法 2.60 3.甲、乙`, numbered from 1 without a gap; fewer than two are none."""
    parts: list[str] = []
    start = 0
    for match in _PART_MARK.finditer(text):
        if int(match[1]) != len(parts) + 1 or (not parts and match.start()):
            continue
        if parts:
            parts[-1] = text[start : match.start()].strip(" ,，;；、。")
        parts.append(text[match.end() :].strip())
        start = match.end()
    return parts if len(parts) > 1 and all(parts) else []


def _marked_blanks(text: str) -> list[str]:
    """Return the answers that stand behind `(1)` `(2)`, `①` `②` or `1.` `2.` in rising order, or in brackets of their own."""
    wrapped = list(_WRAPPED_BLANKS.finditer(text))
    if wrapped and "".join(match[0] for match in wrapped) == text:
        return [next(part for part in match.groups() if part).strip() for match in wrapped]
    marks = list(_BLANK_MARK.finditer(text))
    numbers = [int(unicodedata.normalize("NFKC", next(part for part in mark.groups() if part))) for mark in marks]
    if not marks or marks[0].start() or numbers != list(range(1, len(marks) + 1)):
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    parts = [text[mark.end() : end].strip(" \n\t,，;；、。") for mark, end in zip(marks, ends, strict=True)]
    return parts if all(parts) else []


def _without_number(part: str, place: int) -> str:
    """Return the part without a leading `(1)`, `1.`, `①` or `第一空：` that only counts the blanks."""
    named = _BLANK_NAME.match(part)
    if named and _PLACES.get(named[1] or named[2]) == place and named.end() < len(part):
        return part[named.end() :].strip()
    folded = unicodedata.normalize("NFKC", part[:1])
    if folded == str(place) and not part[:1].isascii():
        return part[1:].strip()
    match = re.match(rf"[(（]{place}[)）]\s*|{place}[.、．)）]\s*(?!\d)", part)
    return part[match.end() :] if match and match.end() < len(part) else part


def _variants(text: str) -> tuple[str, ...]:
    """Return the accepted answers of one blank: divided by `|`, or by a slash between Chinese words (`人民/全体人民`); a stop behind them is none of theirs."""
    text = text.rstrip("。；; \n") or text
    slashed_parts = [part.strip() for part in re.split(r"[/／]", text)]
    is_slashed = len(slashed_parts) > 1 and all(_CHINESE_WORD.fullmatch(word) for word in slashed_parts)
    parts = dict.fromkeys(
        slashed_parts if is_slashed else (part.strip() for part in re.split(r"[|｜]", text) if part.strip())
    )
    return tuple(parts) or (text.strip(),)


def listed_texts(text: str) -> list[str]:
    """Return the members of a JSON list of texts (`["甲", "丙"]`); none where it is no such list."""
    try:
        value = json.loads(text) if text.startswith("[") else []
    except (ValueError, RecursionError):
        return []
    texts = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    return texts if len(texts) == len(value) else []


def _json_blanks(text: str) -> tuple[tuple[str, ...], ...] | None:
    if not text.startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if value and all(isinstance(item, (str, int)) for item in value):
        return tuple(_variants(str(item)) for item in value)
    if not all(isinstance(item, list) and item and all(isinstance(one, str) for one in item) for item in value):
        return None
    return tuple(tuple(item) for item in value)


BLANK = re.compile(
    r"_{2,}|＿{2,}|(?<![A-Za-z_.\]])\([)）]|\([\s_]+[)）]|（[\s_]*[)）]|﹍{2,}|﹏{2,}|…{4,}|【\s*】|\[\s*\]|〔\s*〕"
)


def count_blanks(stem: str) -> int:
    """Return how many blanks a stem marks: underscores or empty brackets."""
    return len(BLANK.findall(stem))
