"""Compare two texts side by side, with marks on what was removed and what was added."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_TOKEN = re.compile(r"[A-Za-z]+|\d+|第[零〇一二三四五六七八九十百千]+[条款项章节]|\s+|.", re.DOTALL)
_SHORTEST_AGREEMENT = 2
"""Characters in common between two differences that are fewer than this are shown as part of them, so that a line stays readable."""
_MAX_LENGTH = 20_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text: the same on both sides, or only on this one."""

    text: str
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """An old and a new text, each as pieces whose texts add up to the whole."""

    old: tuple[Piece, ...]
    new: tuple[Piece, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not any(piece.is_own for piece in (*self.old, *self.new))


def compare_texts(old: str, new: str) -> SideBySide:
    """Compare two texts word by word (Chinese: character by character, numbers and article names whole)."""
    if max(len(old), len(new)) > _MAX_LENGTH:
        is_same = old == new
        return SideBySide(old=(Piece(old, not is_same),), new=(Piece(new, not is_same),))
    ours, theirs = _TOKEN.findall(old), _TOKEN.findall(new)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for tag, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        mine, other = "".join(ours[a:b]), "".join(theirs[c:d])
        is_bridge = tag == "equal" and len(mine.strip()) < _SHORTEST_AGREEMENT and a > 0 and b < len(ours)
        is_own = tag != "equal" or is_bridge
        left.append((mine, is_own))
        right.append((other, is_own))
    return SideBySide(old=_joined(left), new=_joined(right))


def _joined(runs: list[tuple[str, bool]]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for text, is_own in runs:
        if not text:
            continue
        if pieces and pieces[-1].is_own == is_own:
            pieces[-1] = Piece(pieces[-1].text + text, is_own)
        else:
            pieces.append(Piece(text, is_own))
    return tuple(pieces)
