"""Fifteen seconds of silence at most before the candidate is told, whichever way the network is gone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.helpers.browser_pages import begin, choose, stored, wait_saved

pytestmark = pytest.mark.browser
PROMISED_MS = 15_000
PHRASES = "网络中断，答案已存在本机，恢复后自动上传"
NOTHING_WAITS = "网络中断，可继续答题，答案暂存本机，恢复后自动上传。"


def test_a_call_that_nobody_answers_is_said_within_fifteen_seconds(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam(), has_clock=True)
    page.route("**/answers", lambda _route: None)
    with page.expect_request("**/answers"):
        choose(page, 1, "A")
    page.clock.run_for(PROMISED_MS)
    expect(page.locator("#banner")).to_contain_text(f"{PHRASES}（1 题待传）")
    expect(page.locator("#saved")).to_have_text("未保存 1 题")
    page.unroute("**/answers")
    expect(page.locator("#banner")).to_be_hidden(timeout=20_000)
    wait_saved(page)
    assert stored(live) == {1: ["A"]}


def test_a_rejected_connection_is_said_within_fifteen_seconds(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam())
    live.stop()
    choose(page, 1, "A")
    expect(page.locator("#banner")).to_contain_text(f"{PHRASES}（1 题待传）", timeout=PROMISED_MS)


def test_the_browsers_own_word_is_shown_at_once_even_while_a_call_hangs(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam())
    page.route("**/answers", lambda _route: None)
    with page.expect_request("**/answers"):
        choose(page, 1, "A")
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(page.locator("#banner")).to_contain_text(f"{PHRASES}（1 题待传）", timeout=1000)


def test_who_only_reads_is_told_at_once_and_a_false_word_is_taken_back(live, device, make_exam):
    context = device(live.world.person())
    page = begin(context, live, make_exam())
    context.set_offline(True)
    expect(page.locator("#banner")).to_contain_text(NOTHING_WAITS, timeout=1000)
    context.set_offline(False)
    expect(page.locator("#banner")).to_be_hidden()
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(page.locator("#banner")).to_be_hidden(timeout=3000)
