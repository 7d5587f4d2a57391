"""Signing in again while a paper is open, where the panel over it is not enough: in a tab of its own, with everything kept."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from examapp import clock
from examapp.delivery.attempts.models import Attempt
from examapp.organisation.accounts.rules import digest
from examapp.organisation.captcha import actions as captcha_actions
from examapp.organisation.captcha.rules import MAX_FAILED_ACCOUNTS
from examapp.organisation.people.models import Account
from question_bank.model import Kind
from tests.helpers.browser_pages import begin, choose, device_state, hand_in, stored, wait_saved

pytestmark = pytest.mark.browser
DIGITS = "48105"


@pytest.fixture
def captcha_due(live, monkeypatch):
    """So many names failed from here that devices without a cookie solve a captcha; its digits are known."""
    monkeypatch.setattr(captcha_actions, "new_captcha_answer", lambda: DIGITS)
    for number in range(MAX_FAILED_ACCOUNTS):
        name_key = digest(f"x{number}")
        captcha_actions.note_address_failure(live.world.session, name_key, address="127.0.0.1", now=clock.now())
    live.world.commit()


def sign_in_on(tab, live, person, password):
    account = live.read(Account, person_id=person.id)[0]
    tab.locator("#login_name").fill(account.login_name)
    tab.locator("#password").fill(password)
    tab.locator("#captcha").fill(DIGITS)
    tab.locator("form[data-waits] button[type=submit]").click()
    tab.wait_for_url(f"{live.url}/")


def come_back(page):
    """The tabs of a headless browser are all in front, so that the return is told to the page."""
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def test_a_captcha_is_solved_in_a_tab_of_its_own_and_the_paper_goes_on(live, device, make_exam, captcha_due):
    exam, person = make_exam({Kind.SINGLE_CHOICE: 3, Kind.FILL_BLANK: 1}), live.world.person()
    password = live.give_password(person)
    context = device(person)
    page = begin(context, live, exam)
    choose(page, 1, "A")
    wait_saved(page)
    page.evaluate("document.querySelectorAll('.square')[3].click()")
    context.clear_cookies()
    page.locator("#item-4 .text").fill("三十日")
    expect(page.locator("#panel-sign-in")).to_be_visible()
    page.locator("#sign-in-password").fill(password)
    page.locator("#sign-in-button").click()
    expect(page.locator("#sign-in-text")).to_contain_text("验证码")
    come_back(page)
    expect(page.locator("#panel-sign-in")).to_be_visible()
    with context.expect_page() as opened:
        page.get_by_role("link", name="在新标签页登录").click()
    sign_in_on(opened.value, live, person, password)
    come_back(page)
    expect(page.locator("#panel-sign-in")).to_be_hidden()
    wait_saved(page)
    expect(page.locator("#item-4 .text")).to_have_value("三十日")
    assert stored(live) == {1: ["A"], 4: ["三十日"]}
    assert live.read(Attempt)[0].epoch == 1
    assert len(device_state(page)) == 1
    opened.value.close()
    choose(page, 2, "C")
    hand_in(page)
    assert stored(live) == {1: ["A"], 2: ["C"], 4: ["三十日"]}


def test_somebody_else_in_the_other_tab_does_not_go_on_with_the_paper(live, device, make_exam, captcha_due):
    exam, person, colleague = make_exam(), live.world.person(), live.world.person(name="李四")
    live.give_password(person)
    password = live.give_password(colleague)
    context = device(person)
    page = begin(context, live, exam)
    context.clear_cookies()
    choose(page, 1, "C")
    with context.expect_page() as opened:
        page.get_by_role("link", name="在新标签页登录").click()
    sign_in_on(opened.value, live, colleague, password)
    come_back(page)
    expect(page.locator("#sign-in-text")).to_contain_text("请用本人的账号登录")
    expect(page.locator("#panel-sign-in")).to_be_visible()
    assert stored(live) == {}
    page.locator("#sign-in-password").fill(password)
    page.locator("#sign-in-button").click()
    expect(page.locator("#sign-in-text")).to_contain_text("验证码")
    assert len(device_state(page)) == 1
