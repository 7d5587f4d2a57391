"""Stems of tables that hold more than the stem: their options, or their key in brackets."""

from __future__ import annotations

from question_bank.formats.answers import read_letters, read_truth
from question_bank.formats.keys import choice_key
from question_bank.formats.options import split_options
from question_bank.formats.raw import RawQuestion
from question_bank.formats.stems import take_inline_answer, take_letter_keys, take_truth
from question_bank.model import OPTION_LETTERS, Kind

_CHOICES = frozenset({Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, None})


def complete_from_stem(raw: RawQuestion) -> None:
    """Take options and answer out of the stem's cell where their own cells are empty."""
    if not raw.options and raw.kind in _CHOICES:
        stem, options = split_options(raw.stem)
        if stem.strip() and len(options) >= 2:
            raw.stem, raw.options = stem, options
    if not raw.answer and not any(raw.blanks):
        raw.stem, raw.answer = _taken_answer(raw)
    elif raw.answer:
        _compare_answers(raw)


def _compare_answers(raw: RawQuestion) -> None:
    """Take the key out of the stem's brackets where the answer's cell says the same; doubt the key where it says another."""
    if raw.options and raw.kind in _CHOICES:
        stem, found = take_letter_keys(raw.stem)
        said = read_letters(found[0], count=len(raw.options)) if len(found) == 1 else None
        letters, _ = choice_key(raw)
    elif raw.kind is Kind.TRUE_FALSE:
        stem, word = take_truth(raw.stem)
        said, letters = _as_letters(read_truth(word)), _as_letters(read_truth(raw.answer))
    else:
        return
    if said and letters and said == letters:
        raw.stem = stem
    elif said and letters and not _is_beyond(said, raw):
        raw.doubt(
            f"题干的括号里写着 {''.join(said)}，答案却写 {''.join(letters)}，有两种读法。请核对答案。", "two_readings"
        )


def _as_letters(truth: bool | None) -> tuple[str, ...]:
    return () if truth is None else ("对",) if truth else ("错",)


def _is_beyond(letters: tuple[str, ...], raw: RawQuestion) -> bool:
    return bool(raw.options) and any(OPTION_LETTERS.find(letter) >= len(raw.options) for letter in letters)


def _taken_answer(raw: RawQuestion) -> tuple[str, str]:
    stem, answer = take_inline_answer(raw.stem)
    if answer:
        return stem, answer
    if raw.options and raw.kind in _CHOICES:
        stem, keys = take_letter_keys(raw.stem)
        return (stem, keys[0]) if len(keys) == 1 else (raw.stem, "")
    return take_truth(raw.stem) if raw.kind is Kind.TRUE_FALSE else (raw.stem, "")
