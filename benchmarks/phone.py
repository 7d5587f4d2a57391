"""How long a phone on a slow line waits: each page with an empty cache in real Chromium, at 1.6 Mbit/s and 150 ms a request."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.deployment import BenchmarkDeployment, run_inside
from benchmarks.figures import Figure, at_most

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_LINE = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
_ROUNDS = 3
_LIMIT_S = 2
_SEAT = 400
_USABLE = ".option input:enabled"
"""The exam page can be worked with: the first question's options stand there and may be ticked."""


def measure(deployment: BenchmarkDeployment) -> list[Figure]:
    """Open each page some times, always with nothing kept from before."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        try:
            return _measure(deployment, browser)
        finally:
            browser.close()


def _measure(deployment: BenchmarkDeployment, browser: Browser) -> list[Figure]:
    seats = _seats(deployment, 1 + _ROUNDS)
    reader, candidates = seats[0], seats[1:]
    paths = _paths(deployment, browser, reader)
    figures = [
        at_most(f"phone at 1.6 Mbit/s: {name}", _median(deployment, browser, reader, path), _LIMIT_S, "s")
        for name, path in paths.items()
    ]
    exam = f"/exams/{deployment.accounts['open_exam_id']}/sit#start"
    times = [_wait_for(_phone(deployment, browser, seat), exam, _USABLE) for seat in candidates]
    return [*figures, at_most("phone at 1.6 Mbit/s: exam page usable", statistics.median(times), _LIMIT_S, "s")]


def _paths(deployment: BenchmarkDeployment, browser: Browser, seat: str) -> dict[str, str]:
    """Find a course, a chapter and a drawn question as a learner comes to them."""
    page = _page(deployment, browser, seat)
    page.goto("/study/")
    course = page.locator("a[href^='/study/courses/']").first.get_attribute("href")
    page.goto(course)
    chapter = page.locator("a[href^='/study/chapters/']").first.get_attribute("href")
    page.goto("/practice/")
    page.get_by_role("button", name="开始练习").click()
    page.wait_for_url("**/practice/items/*")
    item = page.url.removeprefix(deployment.base)
    page.context.close()
    return {
        "learner's home": "/",
        "courses": "/study/",
        "a course": course or "",
        "a chapter": chapter or "",
        "practice": "/practice/",
        "a practice question": item,
    }


def _median(deployment: BenchmarkDeployment, browser: Browser, seat: str, path: str) -> float:
    return statistics.median(_wait_for(_phone(deployment, browser, seat), path, "footer") for _ in range(_ROUNDS))


def _page(deployment: BenchmarkDeployment, browser: Browser, seat: str) -> Page:
    context = browser.new_context(base_url=deployment.base, viewport={"width": 360, "height": 740})
    name, _, value = seat.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": deployment.base}])
    return context.new_page()


def _phone(deployment: BenchmarkDeployment, browser: Browser, seat: str) -> Page:
    page = _page(deployment, browser, seat)
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Network.emulateNetworkConditions", _LINE)
    return page


def _wait_for(page: Page, path: str, selector: str) -> float:
    """Open a page, and give the seconds from its request until all of it is loaded and the element is there, by the page's own clock."""
    answer = page.goto(path, wait_until="load")
    assert answer is not None, path
    assert answer.status == 200, path
    page.wait_for_selector(selector, state="attached", timeout=30_000)
    took = page.evaluate("performance.now()")
    page.context.close()
    return took / 1000


def _seats(deployment: BenchmarkDeployment, count: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seats.json"
        run_inside(deployment, "benchmarks.seats", str(_SEAT), str(count), str(path))
        return [seat["cookie"] for seat in json.loads(path.read_text("utf-8"))]
