"""The whole site as `make run` starts it, in folders of its own: web server, Celery workers, beat and sweeper; and visitors in real Chromium."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response

from examapp.ops.supervisor import Site, site_from_environment, start, stop
from tests.helpers.processes import free_port, is_ready, wait_until

_READY_S = 90
_NOT_OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_KEYS", "SETUP_CODE")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A running site: its address, its parts, and the environment in which its commands run."""

    url: str
    site: Site

    @property
    def setup_code(self) -> str:
        return self.site.settings.setup_code


@contextlib.contextmanager
def deployed(folder: Path, **settings: str) -> Iterator[Deployment]:
    """Start the site on a free port over an empty folder, wait until it serves, and end all of it afterwards."""
    port = free_port()
    own = {"PORT": str(port), "DATA_DIR": str(folder), "APP_MODE": "tryout", "LOG_LEVEL": "WARNING"} | settings
    before = dict(os.environ)
    for name in _NOT_OURS:
        os.environ.pop(name, None)
    os.environ.update(own)
    site = site_from_environment()
    try:
        start(site)
        url = f"http://127.0.0.1:{port}"
        assert wait_until(lambda: is_ready(port), within_s=_READY_S), (folder / "logs" / "web.log").read_text()[-3000:]
        yield Deployment(url, site)
    finally:
        stop(site)
        os.environ.clear()
        os.environ.update(before)


@dataclass(slots=True)
class Visitors:
    """Makes visitors, each a fresh browser profile, and keeps what went wrong on any of their pages."""

    browser: Browser
    url: str
    issues: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    """Every address that was asked for."""
    _contexts: list[BrowserContext] = field(default_factory=list)

    def visitor(self, *, width: int = 1280, height: int = 900, **options: Any) -> Page:
        """Open a page of a fresh profile; dialogs are agreed to, errors and policy breaches are noted."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, base_url=self.url, **options)
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        page.on("console", lambda said: self._note_error(page, said))
        page.on("pageerror", lambda error: self._note(page, str(error)))
        page.on("response", lambda answer: self._note_answer(page, answer))
        page.on("request", lambda request: self.addresses.append(unquote(request.url)))
        return page

    def text(self) -> list[str]:
        """Give what each open page says, for a failing test."""
        return [page.locator("body").inner_text()[:1500] for context in self._contexts for page in context.pages]

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def _note_error(self, page: Page, said: ConsoleMessage) -> None:
        is_picture = page.url.endswith(".png")  # the browser's own page around a picture breaks the picture's policy
        if said.type == "error" and not is_picture and not said.text.startswith("Failed to load resource"):
            self._note(page, said.text)

    def _note_answer(self, page: Page, answer: Response) -> None:
        """Note what failed of a page; a page itself may be rejected."""
        if answer.status >= 500 or (answer.status >= 400 and not answer.request.is_navigation_request()):
            self._note(page, f"{answer.status} {answer.url}")

    def _note(self, page: Page, text: str) -> None:
        self.issues.append(f"{page.url}: {text}")
