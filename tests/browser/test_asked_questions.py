"""The questions that the office is asked most, answered from the demo county in Chromium by at most three clicks from its home page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.walk import MAX_HEIGHT, misfits, sign_in

pytestmark = pytest.mark.browser
MAX_CLICKS = 3
ASKED = (
    (["普法活动统计", "今年宣讲"], r"群众（人次）\s*[1-9]\d*"),
    (["专项宣传", "民法典宣传月"], r"民法典进村入户宣讲"),
    (["普法活动统计", "中心组没有学宪法的单位"], r"没有开展的单位（[1-9]\d* 个）"),
    (["述法", "没有述法的第一责任人"], r"逾期未报"),
    (["年度总结", "各系统和系统内各单位考试合格率"], r"县人民医院"),
    (["年度总结", "比上次改善了哪些薄弱点"], r"这次改善的法律（[1-9]\d* 部）"),
)
"""What is clicked from home on, and what the page then says."""


def test_each_question_is_answered_by_three_clicks_on_pages_that_fit(visitors, accounts):
    page = visitors.visitor()
    sign_in(page, accounts["publicity_office"])
    issues = []
    for clicks, answer in ASKED:
        page.goto("/")
        count = len(clicks)
        for text in clicks:
            if not (link := page.get_by_role("link", name=text).first).is_visible():
                page.locator("summary", has_text="普法责任制").first.click()
                count += 1
            link.click()
        issues += [f"{clicks}: {count} clicks"] if count > MAX_CLICKS else []
        expect(page.locator("main")).to_contain_text(re.compile(answer))
        heights = []
        for width in (1280, 360, 320):
            issues += [f"{clicks}: {issue}" for issue in misfits(page, [width], has_axe=False)]
            heights.append(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": 1280, "height": 900})
        issues += [f"{clicks}: {heights[0]} px long"] if heights[0] > MAX_HEIGHT else []
    assert (issues, visitors.issues) == ([], [])
