"""What the tests in Chromium do on the exam page."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect

from examapp.delivery.attempts.models import Answer, Attempt, QuarantinedSave
from tests.browser.axe import violations


def begin(context, live, exam, *, has_clock=False):
    """Begin an exam on a new page, what changes the display unfolded; `page.clock` sets its time forward if asked for."""
    page = context.new_page()
    if has_clock:
        page.clock.install()
    page.goto(f"{live.url}/exams/{exam.id}")
    page.get_by_role("link", name="开始考试").click()
    wait_open(page)
    if page.locator("#open-tools").is_visible():
        page.locator("#open-tools").click()
    return page


def wait_open(page):
    expect(page.locator("#veil")).to_be_hidden()
    expect(page.locator(".item.is-current")).to_be_visible()


def choose(page, item, key):
    page.evaluate(f"document.querySelectorAll('.square')[{item - 1}].click()")
    page.locator(f"#item-{item} .option").nth(ord(key) - 65).click()


def stored(live):
    return {answer.item: answer.response for answer in live.read(Answer)}


def wait_saved(page):
    expect(page.locator("#saved")).to_have_text(re.compile(r"^已保存 \d\d:\d\d:\d\d$"))


def wait_until(page, milliseconds):
    """Let the page's own clock go on by so much."""
    page.evaluate("window.mark = performance.now()")
    poll(page, f"performance.now() > window.mark + {milliseconds}")


def poll(page, condition):
    """Wait for a condition in the page; the page's own policy forbids Playwright's way of doing so."""
    for _ in range(150):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(condition)


def hand_in(page):
    page.locator("#hand-in").click()
    page.get_by_role("button", name="确认交卷").click()
    expect(page.locator("#panel-receipt")).to_be_visible()


def device_state(page):
    return page.evaluate("Object.keys(localStorage).filter(function (key) { return key.indexOf('exam:') === 0; })")


def focus_by_keys(page, selector, *, limit=60):
    """Press the tabulator until something has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches('{selector}')"):
            return
    raise AssertionError(f"{selector} is out of the keyboard's reach")


def go_by_keys_to(page, selector):
    """Bring the focus to something by the tabulator; then press it."""
    focus_by_keys(page, selector)
    page.keyboard.press("Enter")


def write(page, item, text):
    page.evaluate(f"document.querySelectorAll('.square')[{item - 1}].click()")
    page.locator(f"#item-{item} .text").fill(text)


def wait_sealed(page, count):
    poll(page, f"(JSON.stringify(localStorage).match(/sealed/g) || []).length === {count}")


def let_time_pass(live):
    """Put the deadline and its grace behind, as if the page or the device had slept for so long."""
    attempt = live.read(Attempt)[0]
    attempt.deadline_at = attempt.closes_at = attempt.started_at + timedelta(milliseconds=1)
    live.world.commit()


def set_aside(live):
    """What an administrator is shown, over all batches."""
    rows = live.read(QuarantinedSave)
    assert {row.reason for row in rows} <= {"deadline_passed"}
    return {item: response for row in rows for item, _seq, response in row.changes}


def look(page, name):
    """Keep a picture if asked for, and reject what is wider than the screen."""
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    assert page.locator("html").evaluate("root => root.scrollWidth <= window.innerWidth"), name


def look_at_all(live, context, places):
    """Open pages once each, look at them in three widths, and give what axe finds on phone and desk."""
    page, found = context.new_page(), []
    for place in places:
        answer = page.goto(live.url + place)
        assert answer.status == 200, place
        for width in (320, 360, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            look(page, f"{place.strip('/').replace('/', '-').split('?')[0]}-{width}")
            found += violations(page) if width != 320 else []
    return found
