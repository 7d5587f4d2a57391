"""Texts with several gaps: all to be written – one fill-in; one to be chosen – a single choice; mixed – a case."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import Kind
from question_bank.parse_result import Note
from question_bank.rich import Rich

BLANK = "____"
_TOKEN = re.compile("\uf100(\\d+)\uf101")


@dataclass(slots=True)
class Gap:
    """One gap: accepted variants when it is written, options and right places when it is chosen."""

    variants: tuple[str, ...] = ()
    options: list[Rich] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    option_notes: dict[int, Rich] = field(default_factory=dict)
    review: tuple[str, str] | None = None
    """Code and reason, when the gap's key is unclear."""
    is_choice: bool = False
    length: int = 4
    """How long a line stands for the gap."""


def token(place: int) -> str:
    """Return what stands in a stem for the gap at that place (from 0) until the kind is known."""
    return f"\uf100{place}\uf101"


def place_gaps(parsed: ParsedQuestion, stem: Rich, gaps: list[Gap], *, hidden: frozenset[int] = frozenset()) -> None:
    """Give the question its kind, stem, blanks or options from a stem with tokens; gaps without one follow, if not hidden."""
    missing = [place for place in range(len(gaps)) if token(place) not in stem.text and place not in hidden]
    stem = Rich(" ".join([stem.text, *(token(place) for place in missing)]), stem.is_html) if missing else stem
    choices = [gap for gap in gaps if gap.is_choice]
    written = [gap.variants for gap in gaps if len(gap.variants) > 1]
    if any({*one} == {*other} for place, one in enumerate(written) for other in written[:place]):
        parsed.add_loss("gaps_interchangeable", "几个空接受同样的几个答案；导入后在几个空里重复填同一个答案也会算对。")
    for gap in gaps:
        if gap.review is not None:
            parsed.require_review(*gap.review)
    if not choices:
        parsed.kind = Kind.FILL_BLANK
        parsed.blanks = [gap.variants for gap in gaps]
    elif len(gaps) == 1:
        parsed.kind = Kind.SINGLE_CHOICE
        parsed.options, parsed.right, parsed.option_notes = (
            choices[0].options,
            choices[0].right,
            choices[0].option_notes,
        )
    else:
        _make_case(parsed, stem, gaps)
        return
    lengths = {str(place): gap.length for place, gap in enumerate(gaps)}
    parsed.stem = Rich(_TOKEN.sub(lambda match: "_" * lengths.get(match.group(1), 0), stem.text), stem.is_html)


def _make_case(parsed: ParsedQuestion, stem: Rich, gaps: list[Gap]) -> None:
    parsed.kind = Kind.CASE
    parsed.stem = Rich(_TOKEN.sub(lambda match: f"（{int(match.group(1)) + 1}）{BLANK}", stem.text), stem.is_html)
    parsed.add_loss("gaps_as_case", "一段文字里有几处选择，改成了案例题：每一空是一道小题。")
    for place, gap in enumerate(gaps, start=1):
        part = ParsedQuestion(
            where=parsed.where,
            part_name=f"第 {place} 小题",
            kind=Kind.FILL_BLANK,
            stem=Rich(f"第（{place}）空"),
            images=parsed.images,
        )
        if gap.is_choice:
            part.kind = Kind.SINGLE_CHOICE
            part.options, part.right, part.option_notes = gap.options, gap.right, gap.option_notes
        else:
            part.blanks = [gap.variants]
        if gap.review is not None:
            part.review = Note(parsed.where, gap.review[1], gap.review[0])
        parsed.parts.append(part)


OWN_NAME = re.compile(r"bank-item-\d+")
"""Identifiers that our writers give to questions without a number of their own."""


def number(text: str | None) -> Decimal | None:
    """Return a finite number as written, or None."""
    try:
        value = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def as_texts(variants: Iterable[str]) -> tuple[str, ...]:
    """Return numbers as a candidate may write them: as in the file, and without idle zeros (`4.0` also as `4`)."""
    found: list[str] = []
    for variant in variants:
        value = number(variant)
        plain = variant if value is None or abs(value.adjusted()) > 30 else f"{value.normalize():f}"
        found += [plain, variant]
    return tuple(dict.fromkeys(found))
