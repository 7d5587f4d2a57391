"""Where something a page needs is missing, it says so with a way on: no network, an old browser, no cookies."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.helpers.browser_pages import begin, choose, stored, wait_saved

pytestmark = pytest.mark.browser
OLD = "delete window.fetch; delete window.AbortController;"
WORKER = "navigator.serviceWorker.register('/exam-worker.js').then(function () { return navigator.serviceWorker.ready; }).then(function () { return true; })"


def test_a_hand_in_without_network_says_what_it_does_and_advises_no_way_out(live, device, make_exam):
    context = device(live.world.person())
    page = begin(context, live, make_exam())
    choose(page, 1, "A")
    wait_saved(page)
    context.set_offline(True)
    live.stop()
    page.locator("#hand-in").click()
    page.locator("#hand-in-confirm").click()
    expect(page.locator("#wait-text")).to_contain_text("网络恢复后自动交卷", timeout=20_000)
    expect(page.locator("#wait-text")).to_contain_text("次）")
    expect(page.locator("#wait-back")).to_be_hidden()
    expect(page.locator("#wait-act")).to_have_text("取消交卷，继续答题")
    expect(page.locator("#wait-act")).not_to_have_class("primary")
    live.start()
    context.set_offline(False)
    expect(page.locator("#panel-receipt")).to_be_visible(timeout=20_000)
    assert stored(live) == {1: ["A"]}


def test_an_old_browser_is_told_which_one_to_take(live, device, make_exam):
    exam, context = make_exam(), device(live.world.person())
    context.add_init_script(OLD)
    page = context.new_page()
    page.goto(f"{live.url}/exams/{exam.id}")
    expect(page.locator("#old-browser")).to_contain_text("极速模式")
    expect(page.locator(".start-row")).to_be_hidden()
    expect(page.locator("#checks")).to_be_hidden()
    page.goto(f"{live.url}/exams/{exam.id}/sit#start")
    expect(page.locator("#old-browser")).to_be_visible()
    expect(page.locator("#wait-title")).to_be_hidden()
    expect(page.locator("#wait-back")).to_be_visible()
    context.clear_cookies()
    page.goto(f"{live.url}/login")
    expect(page.locator("#old-browser")).to_contain_text("手机微信")


def test_a_browser_that_keeps_no_cookies_is_told_so(live, device):
    person = live.world.person()
    password, context = live.give_password(person), device(person)
    context.clear_cookies()
    page = context.new_page()
    page.goto(f"{live.url}/login")
    page.locator("#login_name").fill("x")
    page.locator("#password").fill(password)
    context.clear_cookies()
    page.locator("form[data-waits] button[type=submit]").click()
    expect(page.locator(".error-summary")).to_contain_text("允许 Cookie")


@pytest.mark.parametrize("path", ["/", "/exams", "/practice/"])
def test_any_page_without_network_says_so_and_opens_by_itself(live, device, path):
    context = device(live.world.person())
    context.add_cookies([{"name": "elder", "value": "1", "url": live.url}])
    page = context.new_page()
    page.goto(f"{live.url}{path}")
    page.evaluate(WORKER)
    page.reload()
    live.stop()
    context.set_offline(True)
    page.reload()
    expect(page.locator("#offline-next")).to_contain_text("本页自动打开")
    expect(page.locator("#offline-text")).to_have_text("")
    expect(page.locator("html")).to_have_class("elder")
    live.start()
    context.set_offline(False)
    expect(page.locator(".site-name")).to_be_visible(timeout=20_000)
