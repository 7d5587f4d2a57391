"""Read answers that are listed at the end or in a file of their own: `1-5 ABCDE`, `1.A 2.B`, `1A2B`, two-row tables."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics import text_patterns as patterns
from question_bank.formats.heuristics.answers import fold, looks_like_key, numbered_parts
from question_bank.formats.heuristics.stems import split_options
from question_bank.formats.heuristics.text_patterns import Number, TextLine
from question_bank.model import Kind

_KEY = r"(?:[A-ZＡ-Ｚ]\s*(?:[-—–―─~～…]+|\.{2,}|至|到)\s*[A-ZＡ-Ｚ](?![A-Z])|[A-ZＡ-Ｚ](?:[、,，/]?[A-ZＡ-Ｚ])*|正确|错误|全选|以上全选|[√×✓✗✔✘对错是否TF])"
_LABELLED = rf"(?:[【\[]?(?:正确|参考|标准)?答案[】\]]?\s*[:：]?\s*)?[(（]?\s*(?P<key>{_KEY})\s*[)）]?"
_RANGE = re.compile(
    r"[(（【\[]?(?:第)?\s*(\d{1,4})\s*(?:-|—|–|~|～|至|到)+\s*(\d{1,4})\s*(?:题)?\s*[:：.、．)）】\]]{0,2}\s*(?=\D)"
)
_ENTRY = re.compile(rf"(?:第)?\s*(?P<n>\d{{1,4}})\s*(?:题)?\s*[.．、:：)）]?\s*{_LABELLED}\s*[,，;；。]?\s*")
_NUMBERS_ROW = re.compile(
    r"^(?P<name>[\u4e00-\u9fff]{0,6}?)(?:题号|题目序号|序号|题目)\s*[:：|]?\s*(?P<rest>[\d\s|,，、]+)$"
)
_BARE_NUMBERS = re.compile(r"\d{1,4}(?:[\s|,，、]+\d{1,4}){2,}")
_KEYS_ROW = re.compile(r"^(?:答案|参考答案|正确答案|标准答案)\s*[:：|]?\s*(?P<rest>.+)$")
_KEYS_ONLY = re.compile(rf"(?:{_KEY}[\s|,，]+)*{_KEY}")
_RULER = re.compile(r"[|:\-\s]{3,}")
"""The line between head and body of a Markdown table."""
_DIGITS = re.compile(r"(\d{1,4})\s*[.．]\s*(\d.*)", re.DOTALL)
MAX_SPAN = 500
_SECTION_NUMERAL = re.compile(rf"([{patterns.CHINESE}]{{1,3}})\s*[、.．:：]")
_BY_SECTION = re.compile(
    r"(?P<before>.*\n)[ \t\u3000]*[【\[]?(?:参考|标准|正确)?答案[】\]]?[ \t\u3000]*[:：]?\s*(?P<all>一\s*[、.．:：].*)",
    re.DOTALL,
)

_BY_KIND = re.compile(
    r"(?m)^[ \t\u3000]*(?P<name>[\u4e00-\u9fff]{2,7}?)[ \t]*(?:的?(?:参考|正确|标准)?答案)[ \t]*[:：][ \t\u3000]*\n?[ \t\u3000]*"
    r"(?P<keys>[A-ZＡ-Ｚ√×✓✗✔✘对错][A-ZＡ-Ｚ√×✓✗✔✘对错 \t\u3000、,，;；]*)$"
)


@dataclass(slots=True)
class Entry:
    """The answer to one question, listed apart from it."""

    number: int
    where: str
    answer: str = ""
    analysis: str = ""
    text: str = ""
    """What was said without a label: an answer in words, or an explanation."""
    problem: str = ""
    section: str = ""
    kind: Kind | None = None


@dataclass(slots=True)
class AnswerBlock:
    """One answer section: its lines, the name at its head, and how many questions stood before it."""

    name: str
    before: int
    lines: list[TextLine] = field(default_factory=list)


_KIND_BEFORE = re.compile(
    rf"^(?:[(（]?[{patterns.CHINESE}]{{1,3}}[)）]?\s*[、.．:：]?\s*|第\s*[{patterns.CHINESE}\d]{{1,3}}\s*(?:部分|大题|题)\s*[、.．:：]?\s*)?"
    r"(?:[【\[(（]\s*(?P<boxed>[\u4e00-\u9fff]{2,7})\s*[】\])）]|(?P<name>[\u4e00-\u9fff]{2,7}?))\s*(?:[(（][^()（）]{0,40}[)）])?\s*(?:的?(?:参考|正确|标准)?答案)?"
    r"\s*(?:[:：]\s*|(?<=[】\])）])\s*|\s+|$)(?=(?:第\s*)?[(（【\[]?\d)"
)
"""A kind's name before the answers of its section, on one line with them."""


def read_answers(lines: list[TextLine]) -> list[Entry]:
    """Return all entries of an answer section, in order."""
    return _AnswerReader().read(lines)


def keys_by_section(text: str) -> tuple[str, list[str]]:
    """Return the text before a list such as `答案 一、A B 二、√ ×` that ends it, and what stands behind each numeral; nothing where there is none."""
    match = _BY_SECTION.fullmatch(text)
    numerals = _SECTION_NUMERAL.findall(match["all"]) if match else []
    if not match or [patterns.to_number(numeral) for numeral in numerals] != list(range(1, len(numerals) + 1)):
        return text, []
    return match["before"], [part.strip() for part in _SECTION_NUMERAL.split(match["all"])[2::2]]


def keys_by_kind(text: str) -> tuple[str, list[tuple[Kind, str]]]:
    """Return the text without lines such as `判断题答案：√×√×`, which list the keys of a kind without numbers, and their kinds and keys."""
    listed = [(match, kind_names.kind_of(match["name"])) for match in _BY_KIND.finditer(text)]
    kinds = [(kind, match["keys"]) for match, kind in listed if kind is not None and len(match["keys"].strip()) > 1]
    if not kinds or len({kind for kind, _ in kinds}) < len(kinds):
        return text, []
    for match, kind in listed:
        if kind is not None and len(match["keys"].strip()) > 1:
            text = text.replace(match[0], "\n" * match[0].count("\n"), 1)
    return text, kinds


def is_answer_line(text: str) -> bool:
    """Return whether a line is nothing but keys with their numbers, or one row of an answer table."""
    text = _without_kind(text.strip("|").strip() if text.startswith("|") else text)[1]
    return bool(_numbers_of(text) or _range_entries(text, "") or _line_entries(text, ""))


def answered_numbers(text: str) -> set[int]:
    """Return the numbers whose answers a line gives or, as a row `题号 1 2 3`, announces; none where it is no such line."""
    if match := _NUMBERS_ROW.match(text):
        return set(_whole_numbers(match["rest"]))
    text = _without_kind(text)[1]
    found = _range_entries(text, "") or _line_entries(text, "")
    number = None if found else patterns.read_number(text)
    return {entry.number for entry in found} or ({number.value} if number and number.style == "mark" else set())


def _numbers_of(text: str) -> list[int]:
    """Return the numbers of a table's row: those behind `题号`, or at least three that follow each other; else none."""
    match = _NUMBERS_ROW.match(text)
    numbers = _whole_numbers(match["rest"]) if match else []
    if numbers or not _BARE_NUMBERS.fullmatch(text):
        return numbers
    bare = _whole_numbers(text)
    return bare if bare == list(range(bare[0], bare[0] + len(bare))) else []


def _whole_numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"(?<!\d)\d{1,6}(?!\d)", text)]


def _without_kind(text: str) -> tuple[str, str]:
    """Return the kind's name before the answers of a line (`单选：1-2 AB`), and the line without it."""
    match = _KIND_BEFORE.match(text)
    name = (match["boxed"] or match["name"]) if match else ""
    if match and (kind_names.kind_of(name) or kind_names.is_choice_name(name)):
        return name, text[match.end() :]
    return "", text


class _AnswerReader:
    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.section = ""
        self.kind: Kind | None = None
        self.waiting: list[int] = []
        """Numbers of a table's row whose keys come on the next."""
        self.in_analysis = False

    def read(self, lines: list[TextLine]) -> list[Entry]:
        for line in lines:
            if line.text:
                self._read_line(line)
        return self.entries

    def _read_line(self, line: TextLine) -> None:
        where = f"第 {line.number} 行"
        if _RULER.fullmatch(line.text):
            return
        name, text = _without_kind(line.text.strip("|").strip() if line.text.startswith("|") else line.text)
        if name:
            self.section, self.kind = name, kind_names.kind_of(name)
        if numbers := _numbers_of(text):
            self.waiting, match = numbers, _NUMBERS_ROW.match(text)
            if match and match["name"] and kind_names.kind_of(match["name"]):  # `单选题号` names the section of the row
                self.section, self.kind = match["name"], kind_names.kind_of(match["name"])
            return
        if self.waiting and self._keys_row(text, where):
            return
        worded = _worded_entries(text, where) if name and self.kind in WORDED else []
        if found := worded or _range_entries(text, where) or _line_entries(text, where):
            self._add(found)
            return
        if heading := patterns.read_heading(text):
            self.section, self.kind = heading.title, heading.kind
            return
        number = patterns.read_number(text) or self._next_in_digits(text)
        if number and number.style in {"mark", "word", "loose", "bare"} and self._is_next(number.value):
            self._add([Entry(number.value, where)])
            self._continue(number.rest)
        elif self.entries:
            self._continue(text)

    def _add(self, found: list[Entry]) -> None:
        for entry in found:
            entry.section, entry.kind = self.section, self.kind
        self.entries.extend(found)
        self.in_analysis = False

    def _next_in_digits(self, text: str) -> Number | None:
        """Return the number of a line such as `7．2021` behind entry 6: the answer 2021 to question 7, no decimal."""
        match = _DIGITS.match(text)
        if match and self.entries and int(match[1]) == self.entries[-1].number + 1:
            return Number(int(match[1]), "mark", match[2])
        return None

    def _is_next(self, value: int) -> bool:
        """Return whether a number opens an entry, and does not count the points of a long answer: 1, 2, 3 within entry 7."""
        if not self.entries or value > self.entries[-1].number:
            return True
        last = self.entries[-1]
        return last.section != self.section or bool(last.answer and not last.text)

    def _keys_row(self, text: str, where: str) -> bool:
        match = _KEYS_ROW.match(text)
        rest = match["rest"] if match else text
        keys = [part for part in re.split(r"[\s|,，]+", rest.strip(" |")) if part]
        if not match and not _KEYS_ONLY.fullmatch(rest.strip(" |")):
            return False
        if len(keys) == 1 and len(self.waiting) > 1:
            keys = list(keys[0])
        self._add(_paired(self.waiting, keys, where))
        self.waiting = []
        return True

    def _continue(self, text: str) -> None:
        """Add a line to the last entry: its labelled answer, its explanation, or words without a label."""
        entry = self.entries[-1]
        for piece in pieces_of(text):
            answer, analysis = patterns.read_answer_label(piece), patterns.read_analysis_label(piece)
            if analysis is not None:
                self.in_analysis = True
                entry.analysis = joined(entry.analysis, analysis)
            elif answer is not None and not self.in_analysis:
                entry.answer = joined(entry.answer, answer)
            elif self.in_analysis:
                entry.analysis = joined(entry.analysis, piece)
            elif not entry.answer and not entry.text and looks_like_key(piece):
                entry.answer = piece
            elif entry.answer and not entry.text and not looks_like_key(entry.answer):
                entry.answer = joined(entry.answer, piece)
            else:
                entry.text = joined(entry.text, piece)


WORDED = frozenset({Kind.FILL_BLANK, Kind.SHORT_ANSWER})
"""Kinds whose answers are words."""


def _worded_entries(text: str, where: str) -> list[Entry]:
    """Return the entries of a line such as `1、义务 2、12`, whose answers are words; empty where the numbers do not count from 1."""
    parts = numbered_parts(text) or numbered_parts(re.sub(r"(?<=\d)[)）]", ".", text))
    return [Entry(number, where, answer=part) for number, part in enumerate(parts, 1)]


def joined(one: str, two: str) -> str:
    """Return two pieces of a text on two lines."""
    return f"{one}\n{two}" if one and two else one or two


def pieces_of(text: str) -> list[str]:
    """Return a line cut before each label that stands in it."""
    labels = [match.start() for match in patterns.INLINE_LABEL.finditer(text)]
    glued = None if labels else patterns.GLUED_ANSWER.search(text) or patterns.BOXED_ANSWER.search(text)
    if glued and len(split_options(text[: glued.start()])[1]) >= 2:
        labels = [glued.start()]
    pieces = (text[start:end].strip() for start, end in pairwise([0, *labels, len(text)]))
    return [piece for piece in pieces if piece]


def _paired(numbers: list[int], keys: list[str], where: str) -> list[Entry]:
    if len(numbers) != len(keys):
        problem = f"答案列出 {len(keys)} 个，题号却有 {len(numbers)} 个，对不上。请逐题核对答案。"
        return [Entry(number, where, problem=problem) for number in numbers]
    return [Entry(number, where, answer=key) for number, key in zip(numbers, keys, strict=True)]


def _range_entries(text: str, where: str) -> list[Entry]:
    """Return the entries of a line such as `1-5 ABCDE 6-8 √×√`; empty where it is no such line."""
    starts = list(_RANGE.finditer(text))
    if not starts or text[: starts[0].start()].strip():
        return []
    entries: list[Entry] = []
    ends = [start.start() for start in starts[1:]] + [len(text)]
    for match, end in zip(starts, ends, strict=True):
        first, last = int(match[1]), int(match[2])
        listed = text[match.end() : end]
        number = re.search(r"\d", listed)
        single = _line_entries(listed[number.start() :], where) if number else []  # `BC  3：√  4：ABD`
        listed = listed[: number.start()] if number and single else listed
        keys = keys_of(listed, last - first + 1)
        if not 0 < last - first < MAX_SPAN or keys is None:
            return []
        entries.extend([*_paired(list(range(first, last + 1)), keys, where), *single])
    return entries


def keys_of(text: str, count: int) -> list[str] | None:
    """Return the keys of a range: one a word, or one a character where they are written in one piece."""
    wording = [word for word in re.split(r"[\s,，、;；|。]+", text.strip()) if word]
    if not wording or not all(_KEYS_ONLY.fullmatch(word) or set(fold(word)) <= set("√×✓✗✔✘对错TF") for word in wording):
        return None
    if len(wording) == count:
        return wording
    signs = [sign for word in wording for sign in fold(word)]
    plain = all(len(word) == len(wording[0]) for word in wording[:-1]) and len(wording) < count
    return signs if plain and len(signs) == count else wording if len(wording) > 1 else signs


def _line_entries(text: str, where: str) -> list[Entry]:
    """Return the entries of a line such as `1.A 2.B 3.C` or `1A2B3C` that holds nothing else; empty where it is no such line."""
    found: list[re.Match[str]] = []
    while not found or found[-1].end() < len(text):
        if (match := _ENTRY.match(text, found[-1].end() if found else 0)) is None:
            return []
        found.append(match)
    return [Entry(int(match["n"]), where, answer=match["key"]) for match in found]
