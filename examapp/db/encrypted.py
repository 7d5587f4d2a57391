"""Which columns are sealed: each room names its own, so that a change of keys and the daily check reach every one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values: what row each is bound to, and the blind index beside it, where there is one."""

    words: str
    sealed: InstrumentedAttribute[Any]
    key: InstrumentedAttribute[Any]
    """The row's own number, by which the batches go."""
    bound_by: InstrumentedAttribute[Any]
    binding: Callable[[int], str]
    index: InstrumentedAttribute[Any] | None = None
    purpose: str = ""


_columns: list[SealedColumn] = []


def name_sealed(*columns: SealedColumn) -> None:
    """Name columns that are sealed; called once where their tables are declared."""
    _columns.extend(columns)


def sealed_columns() -> tuple[SealedColumn, ...]:
    """Give every column that is sealed: a test holds this against the schema."""
    return tuple(_columns)
