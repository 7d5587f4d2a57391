"""Pure rules about laws: how they and their articles are named, how their texts are read, how versions differ."""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from pathlib import PurePosixPath

from examapp.documents.archives import open_archive

LAW_SUFFIXES = (".docx", ".doc", ".txt", ".md")

KINDRED = 0.35
"""Two texts whose pairs of characters overlap (Sørensen–Dice) by this much are held to be the same article, changed."""
KINDRED_BY_NUMBER = 0.15
"""The same where both carry the same number."""


class ArticleOutcome(StrEnum):
    """What became of an article."""

    SAME = "same"
    CHANGED = "changed"
    MOVED = "moved"
    """Its text stands unchanged under another number."""
    REPEALED = "repealed"
    """No article of the new version is like it."""
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleChange:
    """One article of the old version with what became of it, or one that is new; `similarity` from 0 to 1."""

    change: ArticleOutcome
    old: str | None
    new: str | None
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All articles of two versions: those of the old one in its order, then what is new."""

    changes: tuple[ArticleChange, ...]
    same_number_same_text: int
    same_number_changed_text: int
    text_moved_to_another_number: int

    def by_old_label(self) -> dict[str, ArticleChange]:
        """Give what became of each article of the old version."""
        return {change.old: change for change in self.changes if change.old is not None}

    def count(self, change: ArticleOutcome) -> int:
        """Count the articles of which this became."""
        return sum(1 for each in self.changes if each.change == change)


_QUOTES = str.maketrans(dict.fromkeys("“”„‟‘’‚‛'", '"'))
"""Files write them this way and that."""


def bare_text(text: str) -> str:
    """Give a text without what does not change a law: spaces, whether a sign is full or half width, and the form of quotation marks."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).translate(_QUOTES)


def compare_articles(old: Mapping[str, str], new: Mapping[str, str]) -> Comparison:
    """Compare two versions, each as label → text in the law's order."""
    before = {label: bare_text(text) for label, text in old.items()}
    after = {label: bare_text(text) for label, text in new.items()}
    found = {label: ArticleChange(change=ArticleOutcome.SAME, old=label, new=label, similarity=1.0) for label in before if after.get(label) == before[label]}  # fmt: skip
    found |= _moved(before, after, found)
    open_old = [label for label in before if label not in found]
    taken = {change.new for change in found.values()}
    found |= _changed(before, after, open_old, [label for label in after if label not in taken])
    taken = {change.new for change in found.values()}
    gone = (
        found.get(label, ArticleChange(change=ArticleOutcome.REPEALED, old=label, new=None, similarity=0.0))
        for label in before
    )
    fresh = (
        ArticleChange(change=ArticleOutcome.NEW, old=None, new=label, similarity=0.0)
        for label in after
        if label not in taken
    )
    same = sum(1 for label in before if after.get(label) == before[label])
    return Comparison(
        changes=(*gone, *fresh),
        same_number_same_text=same,
        same_number_changed_text=sum(1 for label in before if label in after) - same,
        text_moved_to_another_number=sum(1 for change in found.values() if change.change is ArticleOutcome.MOVED),
    )


def _moved(
    before: Mapping[str, str], after: Mapping[str, str], same: Mapping[str, ArticleChange]
) -> dict[str, ArticleChange]:
    places: dict[str, list[str]] = {}
    for label, text in after.items():
        places.setdefault(text, []).append(label)
    return {
        label: ArticleChange(change=ArticleOutcome.MOVED, old=label, new=places[text][0], similarity=1.0)
        for label, text in before.items()
        if label not in same and text in places
    }


def _changed(
    before: Mapping[str, str], after: Mapping[str, str], open_old: Sequence[str], open_new: Sequence[str]
) -> dict[str, ArticleChange]:
    """Pair what is left by similarity, the most similar first; of equals the one that kept its number."""
    pairs = sorted(
        ((-score, old != new, number, old, new) for number, (old, new, score) in enumerate(_kindred(before, after, open_old, open_new)))
    )  # fmt: skip
    found: dict[str, ArticleChange] = {}
    taken: set[str] = set()
    for score, _, _, old, new in pairs:
        if old not in found and new not in taken:
            taken.add(new)
            found[old] = ArticleChange(change=ArticleOutcome.CHANGED, old=old, new=new, similarity=round(-score, 4))
    return found


def _kindred(
    before: Mapping[str, str], after: Mapping[str, str], open_old: Sequence[str], open_new: Sequence[str]
) -> Iterable[tuple[str, str, float]]:
    grams = {label: Counter(_pairs_of(after[label])) for label in open_new}
    holders: dict[str, list[str]] = {}
    for label, counted in grams.items():
        for gram in counted:
            holders.setdefault(gram, []).append(label)
    for old in open_old:
        mine = Counter(_pairs_of(before[old]))
        shared: Counter[str] = Counter()
        for gram, count in mine.items():
            for new in holders.get(gram, ()):
                shared[new] += min(count, grams[new][gram])
        for new, count in shared.items():
            score = 2 * count / (mine.total() + grams[new].total())
            if score >= (KINDRED_BY_NUMBER if old == new else KINDRED):
                yield old, new, score


def _pairs_of(text: str) -> list[str]:
    return [text[i : i + 2] for i in range(max(1, len(text) - 1))]


def pack_files(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Pack uploaded files into one archive, each under a folder of its own, so that two may have the same name."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for number, (name, content) in enumerate(files):
            bare = PurePosixPath(name.replace("\\", "/")).name or "law"
            archive.writestr(f"{number:04}/{bare}", content)
    return packed.getvalue()


def iter_law_files(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the texts of laws that a file holds: itself, or those of an archive; raises UnreadableFileError.

    Names in archives of Chinese Windows are GBK without saying so; they carry the dates of versions.
    """
    if not name.lower().endswith(".zip"):
        yield PurePosixPath(name).name, content
        return
    archive = open_archive(content)
    for entry in archive.zip_file.infolist():
        inner = entry.filename if entry.flag_bits & 0x800 else _from_gbk(entry.filename)
        if entry.filename in archive.names and inner.lower().endswith((*LAW_SUFFIXES, ".zip")):
            yield from iter_law_files(inner, archive.read(entry.filename))


def _from_gbk(name: str) -> str:
    try:
        return name.encode("cp437").decode("gbk")
    except UnicodeError:
        return name
