"""Rules of practice and study: which answers have a shape, how a text falls into pages, which parts of a question are practised."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from examapp.documents.html import clean_html
from examapp.errors import DomainError
from question_bank.kinds.base import InvalidResponseError
from question_bank.kinds.registry import kind_of

RUNS_A_DAY = 3
"""How often a person may begin a chapter's exercise on one day."""
_PAGE_BREAK = re.compile(r"<hr\s*/?>", re.IGNORECASE)
_BLOCKS_A_PAGE = 8
_TAG_OR_SPACE = re.compile(r"<(?!img)[^>]*>|\s|&nbsp;")


class InvalidAnswerError(DomainError):
    """An answer that is none: nothing chosen, or a choice that the question does not offer."""

    code = "answer_refused"
    status = 422
    message = "请先作答，再提交。"


class NothingToPractiseError(DomainError):
    """No question fits."""

    code = "nothing_to_practise"
    message = "没有符合条件的题目。请放宽条件后再练习。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a practice is set to; each empty for any."""

    law: str = ""
    topic: str = ""
    kind: str = ""
    difficulty: str = ""
    point: str = ""
    """A knowledge point by name."""
    articles: tuple[str, ...] = ()
    """Labels of the law's articles of which a question cites at least one."""
    is_mistakes: bool = False
    """Only cards of the person's mistake book that are due."""
    is_ahead: bool = False
    """Cards of the mistake book that are not yet due as well."""

    def as_json(self) -> dict[str, Any]:
        """Give the setting as it is kept with an item."""
        return asdict(self)


def drawable_parts(content: Mapping[str, Any]) -> list[int]:
    """List the parts (from 0) of a stored question that a machine can grade."""
    return [number for number, part in enumerate(content["parts"]) if kind_of(part["kind"]).is_machine_graded]


def option_order(part: Mapping[str, Any], rng: random.Random) -> str:
    """Shuffle a part's stored option letters; those of true/false stay, texts have none."""
    return rng.choice(kind_of(part["kind"]).display_orders(len(part["options"])))


def read_response(part: Mapping[str, Any], raw: Sequence[str]) -> list[str]:
    """Read an answer as the form sends it: display letters in rising order, or one text a blank; raises InvalidAnswerError."""
    kind = kind_of(part["kind"])
    spec = kind.response_spec(option_count=len(part["options"]), blank_count=int(part["blanks"] or 1))
    try:
        return kind.read_practice(raw, spec)
    except InvalidResponseError as error:
        raise InvalidAnswerError(error.reason or None) from None


def split_pages(body: str) -> list[str]:
    """Split a chapter's text into its pages at `<hr>`; empty ones are left out, there is always at least one."""
    pages = [page for page in _PAGE_BREAK.split(body) if _TAG_OR_SPACE.sub("", page)]
    return pages or [""]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftChapter:
    """A chapter as a law's course proposes it."""

    title: str
    body: str


def law_chapters(law: str, articles: Sequence[tuple[str, str]]) -> list[DraftChapter]:
    """Make chapters of a law's articles `(heading, label)` by their headings, some articles a page, each shown live from the library."""
    return [
        DraftChapter(title=heading or "全文", body=_in_pages([f"<p>[[{law} {label}]]</p>" for _, label in group]))
        for heading, group in groupby(articles, key=lambda article: article[0])
    ]


def point_chapters(explanations: Sequence[str]) -> list[DraftChapter]:
    """Make a chapter of the points that a law's questions explain, each once."""
    points = [f"<p>{point}</p>" for point in dict.fromkeys(explanations) if point]
    return [DraftChapter(title="要点", body=_in_pages(points))] if points else []


def _in_pages(blocks: Sequence[str]) -> str:
    pages = ["".join(blocks[start : start + _BLOCKS_A_PAGE]) for start in range(0, len(blocks), _BLOCKS_A_PAGE)]
    return clean_html("<hr>".join(pages))


def min_right(count: int) -> int:
    """Give how many of an exercise's questions pass it where nobody has said: six in ten, rounded up."""
    return (count * 6 + 9) // 10
