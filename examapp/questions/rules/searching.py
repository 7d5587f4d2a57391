"""How the bank is searched: by every character and every pair of neighbouring characters, which needs no word list and no extension."""

from __future__ import annotations

import re
import unicodedata

_LONGEST_INDEXED = 6000
"""Characters of a question that are indexed; longer ones are cut."""


def searchable(code: str, text: str) -> str:
    """Give the text that is searched: number and words in lower case, half width, without spaces."""
    return _bare(f"{code}\n{text}")[:_LONGEST_INDEXED]


def grams_of(text: str) -> list[str]:
    """List the characters and pairs of characters of a searchable text, each once; none across a line."""
    lines = text.split("\n")
    pairs = {line[i : i + 2] for line in lines for i in range(len(line) - 1)}
    return sorted({character for line in lines for character in line} | pairs)


def wanted_grams(word: str) -> list[str]:
    """List the grams that a text with this word must have: the word itself where it has one or two characters."""
    bare = _bare(word).replace("\n", "")
    return [bare] if len(bare) <= 2 else sorted({bare[i : i + 2] for i in range(len(bare) - 1)})


def wanted_words(text: str) -> list[str]:
    """List the substrings that a person typed, divided by spaces; five at most."""
    return [word for word in (_bare(part).replace("\n", "") for part in text.split()) if word][:5]


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[^\S\n]+", "", folded)
