"""Looks at the pages that a test has made something to show for, as the long walk looks at the others."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from tests.browser.walk import Walk, look_at

_PHONE: ViewportSize = {"width": 360, "height": 740}


class PageChecker:
    """Opens pages as a person and gives what is wrong with them: `look(person, "/exams", …)`, `look.at(page)`."""

    def __init__(self, live, device) -> None:
        self._live, self._device = live, device
        self._adapter = live.world.app.url_map.bind("127.0.0.1")
        self._issues: list[str] = []
        self.opened: set[str] = set()
        """The endpoints whose pages were looked at."""

    def page(self, person=None) -> Page:
        """A page of a fresh browser, signed in where somebody is named."""
        return self._device(person, width=1280, base_url=self._live.url).new_page()

    def __call__(self, person, *paths: str) -> list[str]:
        """Look at what these addresses show a person; gives what is wrong so far."""
        page = self.page(person)
        for path in paths:
            answer = page.goto(path)
            assert (answer.status, page.url) == (200, f"{self._live.url}{path}")
            self.at(page)
        return self._issues

    def at(self, page: Page) -> list[str]:
        """Look closely at an open page, to which a form may have led, whether one of its kind was seen or not; gives what is wrong so far."""
        walk, path = Walk(self._adapter), page.url.removeprefix(self._live.url)
        self._issues += [f"{path}: {issue}" for issue in look_at(page, walk, path)]
        self.opened |= walk.opened
        _keep_picture(page, path)
        return self._issues


def _keep_picture(page: Page, path: str) -> None:
    """Keep what a phone shows of it, to be judged by eye, in the folder that PICTURES names."""
    if folder := os.environ.get("PICTURES"):
        page.set_viewport_size(_PHONE)
        number = len(list(Path(folder).iterdir()))
        page.screenshot(path=Path(folder) / f"{number:02}-{path.strip('/').replace('/', '-')[:80]}.png", full_page=True)
