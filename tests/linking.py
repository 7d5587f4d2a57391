"""Follows the links of pages as a person clicks them, without a browser: which views are reached, and what is wrong with a page."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.heads = 0

    def handle_starttag(self, tag, attributes):
        href = dict(attributes).get("href") or ""
        if tag == "a" and href.startswith("/"):
            self.links.append(href)
        self.heads += tag == "h1"


def walk(app, client, *, rooms, start="/", samples=4):
    """Follow the links below `rooms` (blueprint names) from a page; gives the endpoints reached, and the faults found."""
    adapter = app.url_map.bind("localhost")
    waiting, seen, opened, issues = [start], {start}, Counter(), []
    while waiting:
        path = waiting.pop(0)
        try:
            endpoint = adapter.match(urlsplit(path).path, method="GET")[0]
        except HTTPException:
            issues.append(f"{path} leads nowhere")
            continue
        if path != start and (endpoint.split(".")[0] not in rooms or opened[endpoint] >= samples):
            continue
        opened[endpoint] += 1
        with client.get(path, follow_redirects=True) as answer:
            if answer.status_code != 200:
                issues.append(f"{path}: {answer.status_code}")
            if answer.mimetype != "text/html":
                continue
            page = _Page()
            page.feed(answer.get_data(as_text=True))
        if page.heads != 1:
            issues.append(f"{path} has {page.heads} headings of the first level")
        waiting += [link for link in dict.fromkeys(page.links) if link not in seen]
        seen.update(page.links)
    return set(opened), issues


def read_views(app, rooms):
    """List the endpoints of blueprints that are read with GET."""
    rules = app.url_map.iter_rules()
    return {rule.endpoint for rule in rules if rule.endpoint.split(".")[0] in rooms and "GET" in (rule.methods or ())}
