"""Rules of practice, study and memory."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt

from examapp.documents.html import clean_html, normalise

MARK = re.compile(r"\[\[\s*([^\[\]<>\s]{1,60})\s+([^\[\]<>]{2,600}?)\s*\]\]")
_AFTER_TAG = re.compile(r"(?<=>)\n+")
_MARKDOWN = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable("table").disable("code")


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedArticles:
    """A run of articles of a law that a chapter shows, by their labels."""

    law: str
    first: str
    last: str


def body_html(raw: str) -> str:
    """Make a chapter's text of what the office wrote, in Markdown, plain words or HTML: a line `---` begins a new page.

    Scripts, styles, links and foreign pictures fall away; headings become those that may stand below a chapter's title.
    """
    tokens = _MARKDOWN.parse(normalise(raw))
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "h3" if token.tag in {"h1", "h2"} else "h4"
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return _AFTER_TAG.sub("", clean_html(html)).strip()


def cited_in(body: str) -> list[CitedArticles]:
    """List the articles that a chapter's text marks, in order, each run once."""
    found = [run for mark in MARK.finditer(body) for run in runs_of(mark)]
    return list(dict.fromkeys(found))


def runs_of(mark: re.Match[str]) -> list[CitedArticles]:
    """Read one mark: `第九条、第十条至第十二条` names two runs."""
    law = mark[1].strip("《》")
    runs = []
    for text in re.split(r"[、，,]", mark[2]):
        first, _, last = text.strip().partition("至")
        if first:
            runs.append(CitedArticles(law=law, first=first.strip(), last=(last or first).strip()))
    return runs
