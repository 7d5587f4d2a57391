"""Stems of tables that hold more than the stem: their options, or their key in brackets."""

from __future__ import annotations

from question_bank.formats.options import split_options
from question_bank.formats.raw import RawQuestion
from question_bank.formats.stems import take_inline_answer, take_letter_keys, take_truth
from question_bank.model import Kind

_CHOICES = frozenset({Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, None})


def complete_from_stem(raw: RawQuestion) -> None:
    """Take options and answer out of the stem's cell where their own cells are empty."""
    if not raw.options and raw.kind in _CHOICES:
        stem, options = split_options(raw.stem)
        if stem.strip() and len(options) >= 2:
            raw.stem, raw.options = stem, options
    if not raw.answer and not any(raw.blanks):
        raw.stem, raw.answer = _taken_answer(raw)


def _taken_answer(raw: RawQuestion) -> tuple[str, str]:
    stem, answer = take_inline_answer(raw.stem)
    if answer:
        return stem, answer
    if raw.options and raw.kind in _CHOICES:
        stem, keys = take_letter_keys(raw.stem)
        return (stem, keys[0]) if len(keys) == 1 else (raw.stem, "")
    return take_truth(raw.stem) if raw.kind is Kind.TRUE_FALSE else (raw.stem, "")
