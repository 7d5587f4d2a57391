"""Rows of a table that say two things of one question: sent to the review list, never decided here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from question_bank.formats.answers import fold, read_truth
from question_bank.formats.keys import choice_key
from question_bank.formats.options import strip_mark
from question_bank.formats.raw import RawQuestion
from question_bank.formats.tables.heads import Column, Field
from question_bank.model import OPTION_LETTERS, Kind

_IN_WORDS = frozenset({Kind.FILL_BLANK, Kind.SHORT_ANSWER, Kind.CASE})


def doubt_letters(raw: RawQuestion) -> None:
    """Doubt the key where the options bring letters of their own, in another order than their columns."""
    own = [strip_mark(text)[0] for _, text in raw.options]
    if len(own) > 1 and all(own) and sorted(own) == sorted(letter for letter, _ in raw.options):
        raw.doubt("选项文字里的字母和所在的列不一致，答案有两种读法。请核对选项后确定答案。", "two_readings")


def doubt_second_columns(raw: RawQuestion, row: list[str], unused: Iterable[Column | tuple[int, str]]) -> None:
    """Doubt the key where a second column for the answer, or for one of the options, says something else."""
    for column in unused:
        text = row[column.index] if isinstance(column, Column) and column.index < len(row) else ""
        if not isinstance(column, Column) or not text:
            continue
        if column.field is Field.ANSWER and raw.kind not in _IN_WORDS and not _same_answer(raw, text):
            reason = f"表里有两列答案，一列写“{raw.answer[:20]}”，「{column.head}」列写“{text[:20]}”。请核对答案。"
            raw.doubt(reason, "two_keys")
        if column.field is Field.OPTION and fold(text) != fold(_option(raw, column.place)):
            reason = f"表里有两列「{column.head}」，内容不一样，不知道答案指哪一个。请核对选项。"
            raw.doubt(reason, "repeated_option")


def doubt_longer_row(raw: RawQuestion, width: int, row: list[str]) -> None:
    """Doubt the key of a row that a stray divider has made longer than its table: its cells may stand in each other's place."""
    if 0 < width < len(row):
        reason = (
            f"这一行比表头多出 {len(row) - width} 格，可能有一格里的逗号没有加引号，后面的内容错了位。请核对这一行。"
        )
        raw.doubt(reason, "row_too_long")


def _same_answer(raw: RawQuestion, text: str) -> bool:
    if fold(text) == fold(raw.answer):
        return True
    truths = read_truth(raw.answer), read_truth(text)
    if truths[0] is not None and truths[0] is truths[1]:
        return True
    keys = choice_key(raw)[0], choice_key(replace(raw, answer=text))[0]
    return bool(keys[0]) and keys[0] == keys[1]


def _option(raw: RawQuestion, place: int) -> str:
    return dict(raw.options).get(OPTION_LETTERS[place], "")
