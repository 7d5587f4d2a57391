"""Going through a paper: led on after a tap, by swipes, to the first open question, to the hand-in; warned in time."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from examapp.delivery.attempts.models import Attempt
from examapp.learning.courses.models import PracticeItem
from examapp.organisation.people.models import Account
from question_bank.model import Kind
from tests.browser.axe import violations
from tests.helpers.browser_pages import begin, choose, look, wait_open, wait_saved, wait_until

pytestmark = pytest.mark.browser
LEADS_ON = "try { localStorage.setItem('setting:lead-on', ''); } catch (error) { void error; }"
LINES = """(() => {
    const range = document.createRange();
    range.selectNodeContents(document.getElementById('hand-in'));
    return range.getClientRects().length;
})()"""
"""On how many lines 交卷 stands."""
SWIPE = """(by) => {
  const place = document.getElementById('questions');
  const touch = (x) => new Touch({ identifier: 1, target: place, clientX: x, clientY: 300 });
  place.dispatchEvent(new TouchEvent('touchstart', { touches: [touch(200)], changedTouches: [touch(200)] }));
  place.dispatchEvent(new TouchEvent('touchend', { touches: [], changedTouches: [touch(200 + by)] }));
}"""


def tap(page, item, key):
    page.locator(f"#item-{item} .option").nth(ord(key) - 65).click()


def test_a_tap_leads_on_once_and_the_last_question_to_the_hand_in(live, device, make_exam):
    context = device(live.world.person())
    context.add_init_script(LEADS_ON)
    page = begin(context, live, make_exam({Kind.SINGLE_CHOICE: 2, Kind.MULTIPLE_CHOICE: 1}))
    expect(page.locator("#open-sheet")).to_have_text("第 1/3 题 · 已答 0")
    tap(page, 1, "A")
    expect(page.locator("#item-2")).to_be_visible()
    page.locator("#previous").click()
    tap(page, 1, "B")
    wait_until(page, 700)
    expect(page.locator("#item-1")).to_be_visible()  # a changed answer stays in sight
    page.locator("#next").click()
    tap(page, 2, "A")
    expect(page.locator("#item-3")).to_be_visible()
    tap(page, 3, "A")
    wait_until(page, 700)
    expect(page.locator("#item-3")).to_be_visible()
    expect(page.locator("#next")).to_have_text("检查交卷")
    page.locator("#next").click()
    expect(page.locator("#panel-hand-in")).to_be_visible()
    look(page, "paper-hand-in")


def test_the_switch_is_kept_and_elder_mode_has_it_off(live, device, make_exam):
    context = device(live.world.person())
    page = begin(context, live, make_exam())
    page.locator("#lead-on").click()
    expect(page.locator("#lead-on")).to_have_attribute("aria-pressed", "true")
    page.locator("#larger").click()
    assert page.evaluate(LINES) == 1, "交卷 at 125 %"
    page.reload()
    expect(page.locator("#lead-on")).to_have_attribute("aria-pressed", "true")
    person = live.world.person()
    live.world.session.query(Account).filter_by(person_id=person.id).one().has_elder_mode = True
    live.world.commit()
    elder = device(person)
    elder.add_init_script(LEADS_ON)
    page = begin(elder, live, make_exam())
    expect(page.locator("#lead-on")).to_have_attribute("aria-pressed", "false")
    look(page, "paper-elder")
    page.locator("#larger").click()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "25px", "elder type is 20 px before"
    assert page.evaluate(LINES) == 1, "交卷 in elder mode"
    page.goto(live.url)
    assert sign_out_is_asked(page) == ["考试正在进行，退出登录后计时不停。确定退出吗？"]


def sign_out_is_asked(page):
    """Press 退出登录, refuse, and give what was asked."""
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.locator(".site-footer .site-sign-out button").click()
    expect(page.locator(".site-name")).to_be_visible()
    return asked


def test_a_mock_paper_is_the_exam_page_and_is_handed_in_with_blanks(live, device, make_exam):
    exam, person = make_exam({Kind.SINGLE_CHOICE: 2, Kind.FILL_BLANK: 1}), live.world.person()
    page = device(person, has_touch=True).new_page()
    page.goto(f"{live.url}/practice/")
    page.get_by_text("模拟测试（不计成绩）").click()
    page.get_by_role("button", name=f"模拟：{exam.title}").click()
    expect(page.locator("#open-sheet")).to_have_text("第 1/3 题 · 已答 0")
    expect(page.locator("#time")).to_have_text(re.compile(r"\d:\d\d:\d\d|\d\d:\d\d"))
    tap(page, 1, "A")
    expect(page.locator("#saved")).to_contain_text("已存本机")
    page.evaluate(SWIPE, -120)
    expect(page.locator("#item-2")).to_be_visible()
    page.evaluate(SWIPE, -120)
    page.locator("#item-3 input[type=text]").fill("五日")
    expect(page.locator("#done")).to_have_text("已答 2")
    page.wait_for_function(
        "(localStorage[Object.keys(localStorage).find((key) => key.startsWith('exam:mock-'))] || '').includes('sealed')"
    )
    page.goto(f"{live.url}/practice/")
    assert sign_out_is_asked(page) == ["模拟卷还没有交，退出登录会清除本机上已答的 2 题。仍要退出吗？"]
    page.get_by_text("模拟测试（不计成绩）").click()
    page.get_by_role("button", name=f"模拟：{exam.title}").click()
    expect(page.locator("#item-3 input[type=text]")).to_have_value("五日")
    page.locator("#hand-in").click()
    expect(page.locator("#hand-in-blanks")).to_contain_text("还有 1 题未答")
    expect(page.locator("#hand-in-confirm")).not_to_have_class("primary")
    assert violations(page) == []
    page.get_by_role("button", name="去答第 2 题").click()
    expect(page.locator("#item-2")).to_be_visible()
    look(page, "mock-paper")
    page.locator("#hand-in").click()
    page.get_by_role("button", name="确认交卷").click()
    expect(page.locator("#panel-receipt")).to_contain_text("题，共 3 题")
    look(page, "mock-receipt")
    assert violations(page) == []
    page.get_by_role("link", name="查看答案和解析").click()
    expect(page.get_by_role("heading", name="练习结果")).to_be_visible()
    assert live.read(Attempt) == []
    assert sorted(bool(item.response) for item in live.read(PracticeItem)) == [False, True, True]


def test_another_device_goes_on_at_the_first_open_question(live, device, make_exam):
    exam, person = make_exam({Kind.SINGLE_CHOICE: 4}), live.world.person()
    phone = begin(device(person), live, exam)
    choose(phone, 1, "A")
    choose(phone, 2, "A")
    wait_saved(phone)
    desk = device(person, width=1280).new_page()
    desk.goto(f"{live.url}/exams/{exam.id}/sit")
    wait_open(desk)
    expect(desk.locator("#item-3")).to_be_visible()


def test_among_all_questions_the_next_is_the_one_below_what_is_seen(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam({Kind.SINGLE_CHOICE: 12}))
    page.locator("#all-view").click()
    page.locator("#item-7").evaluate("node => node.scrollIntoView()")
    page.locator("#next").click()
    expect(page.locator("#item-8")).to_be_in_viewport()
    expect(page.locator("#place")).to_have_text("第 8/12 题")


def test_each_loss_of_focus_warns_with_the_count_left(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam(focus_loss_limit=2))
    for text in ("已切屏 1 次，再切 2 次将自动交卷。", "已切屏 2 次，再切 1 次将自动交卷。"):
        page.evaluate("window.dispatchEvent(new Event('blur'))")
        wait_until(page, 1200)
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        expect(page.locator("#warning-text")).to_have_text(text)
        expect(page.locator("#warning")).to_be_in_viewport()
    page.locator("#warning-close").click()
    expect(page.locator("#warning")).to_be_hidden()


def test_ten_minutes_before_the_end_a_bar_says_so(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam(), has_clock=True)
    expect(page.locator("#warning")).to_be_hidden()
    left = page.evaluate("document.getElementById('time').textContent").split(":")
    seconds = sum(int(part) * 60**place for place, part in enumerate(reversed(left)))
    page.clock.fast_forward((seconds - 599) * 1000)
    expect(page.locator("#warning-text")).to_contain_text("还剩 10 分钟")
