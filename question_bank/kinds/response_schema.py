"""The stored form of what responses to a paper may be: three characters an item.

The kind's letter, then `ResponseSpec.option_count` and `ResponseSpec.size`, each as the character `chr(48 + number)`:
`"S41"` one key of four, `"M55"` any of five keys, `"B02"` two texts. The save's SQL judges by the two numbers and knows no kind.
"""

from functools import lru_cache

from question_bank.kinds.base import QuestionKind, ResponseSpec
from question_bank.kinds.registry import KINDS

WIDTH = 3
_ZERO = 48
_BY_LETTER = {kind.letter: kind for kind in KINDS.values() if kind.letter}


def encode(kind: QuestionKind, spec: ResponseSpec) -> str:
    """Return one item's characters."""
    return f"{kind.letter}{chr(_ZERO + spec.option_count)}{chr(_ZERO + spec.size)}"


def count_items(schema: str) -> int:
    """Return how many items a schema describes."""
    return len(schema) // WIDTH


def kinds_in(schema: str) -> list[QuestionKind]:
    """Return the kind of each item in order; raises KeyError for a letter that no kind has."""
    return [_BY_LETTER[letter] for letter in schema[::WIDTH]]


def option_count(characters: str) -> int:
    """Return of one item's characters how many options it has; 0 where it asks for texts."""
    return ord(characters[1]) - _ZERO


def find_item(schema: str, item: int) -> tuple[QuestionKind, ResponseSpec] | None:
    """Return kind and spec of an item, numbered from 1; None where the schema has no such item."""
    if not 1 <= item <= count_items(schema):
        return None
    return _decode(schema[WIDTH * (item - 1) : WIDTH * item])


@lru_cache(maxsize=1024)
def _decode(characters: str) -> tuple[QuestionKind, ResponseSpec]:
    return _BY_LETTER[characters[0]], ResponseSpec(option_count(characters), ord(characters[2]) - _ZERO)
