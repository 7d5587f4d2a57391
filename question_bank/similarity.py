"""Find texts that are nearly the same among very many."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

SIMILARITY_THRESHOLD = 0.8
"""Two texts whose character trigrams overlap (Jaccard) by this much are near-duplicates."""
_TELL_EVERY = 500


def find_near_duplicates(
    texts: Sequence[str], *, threshold: float = SIMILARITY_THRESHOLD, note_progress: Callable[[int], None] | None = None
) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of indexes (lower first) of texts that are alike by at least the threshold, with their likeness.

    Every pair is found: of texts ordered by rarity of their trigrams, two that are alike share one among their rarest few (prefix
    filtering: Chaudhuri, Ganti, Kaushik 2006).
    """
    counts: Counter[str] = Counter()
    grams = [_trigrams(text) for text in texts]
    for each in grams:
        counts.update(each)
    holders: dict[str, list[int]] = {}
    for index, mine in enumerate(grams):
        rarest = sorted(mine, key=lambda gram: (counts[gram], gram))
        prefix = rarest[: len(mine) - math.ceil(threshold * len(mine)) + 1]
        for other in sorted({other for gram in prefix for other in holders.get(gram, ())}):
            likeness = _jaccard(mine, grams[other], threshold)
            if likeness >= threshold:
                yield other, index, likeness
        for gram in prefix:
            holders.setdefault(gram, []).append(index)
        if note_progress is not None and index % _TELL_EVERY == 0:
            note_progress(index)


def _jaccard(one: frozenset[str], other: frozenset[str], threshold: float) -> float:
    shorter, longer = sorted((len(one), len(other)))
    if shorter < threshold * longer:
        return 0.0
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def _trigrams(text: str) -> frozenset[str]:
    bare = "".join(text.split())
    return frozenset(bare[i : i + 3] for i in range(max(1, len(bare) - 2)))
