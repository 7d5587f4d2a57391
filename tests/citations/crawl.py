"""Look on pages for a 依据 that does not open: an article named without its text or gist, or a link to an article that its law's page does not have."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from lxml import html

from examapp.content.law_texts.rules import ARTICLE, article_labels

_MISSING = ("还没有这一条", "没有写明条文", "没有写明依据的法律")
"""What pages say of an article that is not on hand."""
_MIN_LENGTH = 4
"""Characters that an article's text or gist has at least."""


@dataclass(frozen=True, slots=True)
class AnsweredPage:
    """What an address answered, wherever it led."""

    path: str
    status: int
    text: str


@dataclass(slots=True)
class Crawl:
    """Which pages were read, what they cite, and what of it is dead."""

    pages: int = 0
    cited: int = 0
    """Articles shown on the pages, each as often as it is shown."""
    issues: list[str] = field(default_factory=list)
    wanted: dict[tuple[str, str], str] = field(default_factory=dict)
    """Anchors of articles that links lead to, by the page and the article's name, with the page that links."""

    def read(self, answer: AnsweredPage) -> html.HtmlElement | None:
        """Take a page's citations; gives its tree, None where it is no page."""
        if answer.status != 200:
            self.issues.append(f"{answer.path}: {answer.status}")
            return None
        if "<html" not in answer.text[:2000]:
            return None
        self.pages += 1
        tree = html.fromstring(answer.text)
        cited, issues = read_citations(tree)
        self.cited += cited
        self.issues += [f"{answer.path}: {issue}" for issue in issues]
        for target, label in article_links(tree, answer.path):
            self.wanted.setdefault((target, label), answer.path)
        return tree

    def follow_articles(self, get: Callable[[str], AnsweredPage]) -> None:
        """Open every law's page that a link to an article led to, and look for the articles there."""
        for target in sorted({target for target, _ in self.wanted}):
            answer = get(target)
            tree = self.read(answer)
            anchors = set() if tree is None else set(select(tree, "//@id"))
            self.issues += [
                f"{source}: {target} 没有 {label}"
                for (page, label), source in sorted(self.wanted.items())
                if page == target and label not in anchors
            ]


def select(tree: html.HtmlElement, path: str, **names: str) -> list[Any]:
    """Give the elements or texts that an XPath finds; lxml's own types leave open which."""
    return cast("list[Any]", tree.xpath(path, **names))


def read_citations(tree: html.HtmlElement) -> tuple[int, list[str]]:
    """Count the articles that a page shows as 依据, and say which of them, or which 依据, has nothing to read."""
    count, issues = 0, [word for word in _MISSING if word in tree.text_content()]
    for folded in select(tree, "//details[starts-with(normalize-space(summary), '依据：')]"):
        summary = str(select(folded, "summary")[0].text_content())
        labels = article_labels(summary)
        shown = _contents(folded)
        count += len(labels)
        issues += [
            f"{label} 打不开（{summary.strip()[:40]}）" for label in labels if len(shown.get(label, "")) < _MIN_LENGTH
        ]
        if not labels:
            issues.append(f"没有条文（{summary.strip()[:40]}）")
    for box in select(tree, "//section[contains(@class,'cited')]//div[contains(@class,'cited-text')]"):
        count += 1
        if not any(len(text) >= _MIN_LENGTH for text in _contents(box).values()):
            issues.append(f"条文没有内容（{box.text_content().strip()[:40]}）")
    issues += [
        f"依据没有条文（{line.text_content().strip()[:40]}）"
        for line in select(tree, "//p[starts-with(normalize-space(.), '依据：')]")
    ]
    return count, issues


def article_links(tree: html.HtmlElement, own: str) -> Iterator[tuple[str, str]]:
    """Yield the page and the article's name of each link to an article; `own` is the page that links."""
    for address in select(tree, "//a/@href"):
        parts = urlsplit(address)
        if ARTICLE.fullmatch(label := unquote(parts.fragment)):
            yield unquote(parts.path or urlsplit(own).path), label


def crawl(get: Callable[[str], AnsweredPage], starts: Iterable[str], *, within: str, found: Crawl) -> list[str]:
    """Read the pages whose addresses match, following links from the starts; gives their addresses.

    Of a query only the number of a list's page is followed: filters and orders show the same rows again.
    """
    queue = deque(starts)
    seen = set(queue)
    while queue:
        tree = found.read(get(queue.popleft()))
        for address in () if tree is None else select(tree, "//a[not(@download)]/@href"):
            parts = urlsplit(address)
            query = parse_qs(parts.query)
            path = unquote(parts.path) + (f"?page={query['page'][0]}" if "page" in query else "")
            if path not in seen and not parts.netloc and set(query) <= {"page"} and re.fullmatch(within, path):
                seen.add(path)
                queue.append(path)
    return sorted(seen)


def first_answer(page: str) -> list[str]:
    """Give an answer that a practice page takes, whatever its kind: the first choice, the order as it is shown, or a word in each text field."""
    tree = html.fromstring(page)
    if choices := select(tree, "//input[@name='response'][@type='radio' or @type='checkbox']/@value"):
        return [str(choices[0])]
    if places := select(tree, "//*[@data-field='ordering'][@data-name='response']//li/@data-key"):
        return [str(place) for place in places]
    return ["甲" for _ in select(tree, "//*[@name='response']")]


def _contents(shown: html.HtmlElement) -> dict[str, str]:
    """Give by article what a fold or a box says of it, its name and the word 要点 left out; a paragraph without a name goes on."""
    found: dict[str, str] = {}
    label = ""
    for line in select(shown, ".//p"):
        text = line.text_content().strip()
        if named := ARTICLE.match(text):
            label, text = named[0], text[named.end() :]
        if label:
            found[label] = found.get(label, "") + re.sub(r"^\s*(?:（要点）|要点)?|\s", "", text)
    return found
