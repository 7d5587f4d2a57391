"""The page before the start: the button in reach, checks in one line, a countdown that opens the start by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.helpers.browser_pages import look, wait_open

pytestmark = pytest.mark.browser


def test_the_start_is_on_the_screen_and_the_checks_are_one_line(live, device, make_exam):
    page = device(live.world.person()).new_page()
    page.goto(f"{live.url}/exams/{make_exam().id}")
    expect(page.get_by_role("link", name="开始考试")).to_be_in_viewport()
    expect(page.locator("#check-summary")).to_have_text("设备检查通过 ✓", timeout=20_000)
    expect(page.locator(".checks")).to_be_hidden()
    look(page, "before-start")
    page.context.add_cookies([{"name": "elder", "value": "1", "url": live.url}])
    page.reload()
    expect(page.locator("html")).to_have_class("elder")
    for width in (360, 320):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.locator(".table-frame:has(.plan)").evaluate("frame => frame.scrollWidth <= frame.clientWidth"), (
            "no total is cut off"
        )


def test_the_start_appears_when_the_hour_comes(live, device, make_exam):
    exam = make_exam(opens_in=timedelta(seconds=6))
    page = device(live.world.person()).new_page()
    page.goto(f"{live.url}/exams/{exam.id}")
    expect(page.locator("[data-countdown]")).to_contain_text("还有 00:00:0")
    expect(page.get_by_role("link", name="开始考试")).to_be_hidden()
    page.get_by_role("link", name="开始考试").click(timeout=20_000)
    wait_open(page)
