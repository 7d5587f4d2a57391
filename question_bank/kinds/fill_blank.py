"""Fill-in (填空题): one text a blank, each with the variants that are accepted."""

import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from question_bank.kinds.base import (
    MAX_PRACTICE_TEXT,
    InvalidResponseError,
    Issue,
    ItemKey,
    KeyFields,
    QuestionKind,
    ResponseSpec,
    ScoringRule,
)
from question_bank.model import Kind, Question

BLANK_MARK = "____"
_SPACES_AND_MARKS = re.compile(r"[\s，。、；：，.,;:“”\"'‘’《》()（）]+")
_BLANK = re.compile("_{4,}")
_UNIT = re.compile(
    "个?工作日|个?自然日|个月|个小时|小时|分钟|周岁|万元|亿元|平方米|公里|千米|人(?!民|员|大)|[年月日天周岁元名户次倍件项米亩]|%|％"
)
_NUMBER = re.compile(r"[0-9零〇一二两三四五六七八九十百千万亿半]+")
_WRONG = "不记得"


def units_after(stem: str, blank_count: int) -> list[str]:
    """Return the unit that a plain stem has right after each blank, an empty text where there is none or the blanks cannot be told."""
    _, *rests = _BLANK.split(stem)
    if len(rests) != blank_count:
        return [""] * blank_count
    found = [_UNIT.match(rest.lstrip()) for rest in rests]
    return [unit[0] if unit else "" for unit in found]


def accepted(variants: Sequence[str], unit: str) -> set[str]:
    """Return the canonical texts that fill a blank: its variants, and each number among them with the unit behind the blank."""
    bare = {canonical(variant) for variant in variants}
    return bare | {number + canonical(unit) for number in bare if unit and _NUMBER.fullmatch(number)}


def canonical(text: str) -> str:
    """Return a filled-in text so that it can be compared: full and half width alike, no spaces, no punctuation, no case."""
    return _SPACES_AND_MARKS.sub("", unicodedata.normalize("NFKC", text)).casefold()


class FillBlank(QuestionKind):
    """A stem with blanks."""

    code = Kind.FILL_BLANK
    name = "填空题"
    letter = "B"
    template = "fill_blank"
    aliases = ("填空", "填", "补全", "填充", "blank", "fill", "fill_blank", "tiankong")
    codes: ClassVar[Mapping[str, str]] = {"moodle-xml": "shortanswer", "qti-1.2": "short_answer_question"}
    has_blanks = True

    def response_spec(self, *, option_count: int, blank_count: int) -> ResponseSpec:
        """Return a spec of one text a blank."""
        return ResponseSpec(0, blank_count)

    def iter_key_issues(self, question: Question) -> Iterator[Issue]:
        """Yield a blank without an accepted variant."""
        if not question.blanks or not all(question.blanks):
            yield Issue(code="no_key", reason="填空题有空没有写明答案。请补上答案。")

    def iter_style_issues(self, question: Question) -> Iterator[str]:
        """Yield another number of answers than the stem marks blanks."""
        marked = question.stem.count(BLANK_MARK)
        if marked != len(question.blanks):
            yield f"题干有 {marked} 个空，答案有 {len(question.blanks)} 个"

    def key_json(self, question: Question, *, plain: Callable[[str], str]) -> list[Any]:
        """Return the variants of each blank."""
        return [list(variants) for variants in question.blanks]

    def units_of(self, stem: str, blank_count: int) -> list[str]:
        """Return the units that may be written too."""
        return units_after(stem, blank_count)

    def score(self, key: ItemKey, response: Sequence[str], rule: ScoringRule) -> Decimal:
        """Return the points: each right blank has its share."""
        units = key.units or ("",) * len(key.blanks)
        triples = zip(response, key.blanks, units, strict=False)
        hits = sum(1 for text, variants, unit in triples if canonical(text) in accepted(variants, unit))
        return key.points * hits / len(key.blanks)

    def key_lines(self, key: Sequence[str], blanks: Sequence[Sequence[str]]) -> list[str]:
        """Return one line a blank."""
        return [f"第 {number} 空：{' / '.join(variants)}" for number, variants in enumerate(blanks, 1)]

    def read_practice(self, raw: Sequence[str], spec: ResponseSpec) -> list[str]:
        """Return one text a blank, spaces around them taken off."""
        texts = [text.strip() for text in raw]
        if not any(texts):
            raise InvalidResponseError
        if len(texts) != spec.size or any(len(text) > MAX_PRACTICE_TEXT for text in texts):
            raise InvalidResponseError(f"请按空填写，每空最多 {MAX_PRACTICE_TEXT} 字。")
        return texts

    def blanks_of_fields(self, fields: KeyFields) -> tuple[tuple[str, ...], ...]:
        """Return the variants of each line."""
        lines = [line for line in fields.blanks.replace("｜", "|").splitlines() if line.strip()]
        return tuple(tuple(variant.strip() for variant in line.split("|") if variant.strip()) for line in lines)

    def simulate(self, key: ItemKey, *, rng: random.Random, chance: Callable[[int], float]) -> list[str]:
        """Fill six blanks in ten rightly and leave the others open."""
        return [blank[0] if rng.random() < 0.6 else "" for blank in key.blanks]

    def wrong_response(self, key: ItemKey) -> list[str]:
        """Fill every blank wrongly."""
        return [_WRONG for _ in key.blanks]
