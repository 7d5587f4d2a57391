"""A person's browser on a running site, without Chromium: pages, links and forms over the protocol client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode, urlsplit

from lxml import html

from examapp.ops.protocol_client import Browser, Client, ProtocolCall, Reply
from tests.citations.crawl import AnsweredPage, select

_FORM = "application/x-www-form-urlencoded"
_MAX_REDIRECTS = 5


@dataclass(slots=True)
class Visitor:
    """One person; keeps cookies, follows redirects."""

    port: int
    browser: Browser = field(default_factory=Browser)
    _client: Client | None = None

    def open(self, path: str) -> AnsweredPage:
        """Get an address as a browser does."""
        return self._follow(path, self._ask(ProtocolCall("GET", _quoted(path))))

    def press(
        self, page: AnsweredPage, button: str, fields: Mapping[str, str | list[str]] | None = None
    ) -> AnsweredPage:
        """Send the form of a page that has a button with this text, filled as it stands but for the given fields."""
        tree = html.fromstring(page.text)
        buttons = select(tree, "//form//button[normalize-space(.)=$text]", text=button)
        if not buttons:
            raise LookupError(f"{page.path} has no button {button}: {page.text[:200]}")
        (form,) = list(buttons[0].iterancestors("form"))[:1]
        given = dict(fields or {})
        sent = [(name, value) for name, value in form.form_values() if name not in given]
        if buttons[0].get("name"):
            sent.append((buttons[0].get("name"), buttons[0].get("value") or ""))
        for name, value in given.items():
            sent += [(name, each) for each in ([value] if isinstance(value, str) else value)]
        target = unquote(urlsplit(buttons[0].get("formaction") or form.get("action") or page.path).path)
        call = ProtocolCall("POST", _quoted(target), urlencode(sent).encode(), _FORM)
        return self._follow(target, self._ask(call))

    def post(self, path: str) -> AnsweredPage:
        """Press a button that sends nothing but its address; the token goes in the head."""
        return self._follow(path, self._ask(ProtocolCall("POST", _quoted(path), b"", _FORM)))

    def ask(self, call: ProtocolCall) -> Reply:
        """Make one call of the protocol."""
        return self._ask(call)

    def _follow(self, path: str, reply: Reply) -> AnsweredPage:
        for _ in range(_MAX_REDIRECTS):
            if reply.status not in {301, 302, 303, 307, 308}:
                break
            to = urlsplit(reply.header("location"))
            path = unquote(to.path) + (f"?{to.query}" if to.query else "")
            reply = self._ask(ProtocolCall("GET", _quoted(path)))
        return AnsweredPage(path, reply.status, reply.content.decode("utf-8", "replace"))

    def _ask(self, call: ProtocolCall) -> Reply:
        if self._client is None:
            self._client = Client(self.port)
        return self._client.ask(call, self.browser)


def _quoted(path: str) -> str:
    return quote(path, safe="/?=&%+-._~")
