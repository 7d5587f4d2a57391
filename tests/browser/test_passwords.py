"""Passwords as they are typed: shown on a press, their rules ticked, kept after a rejection."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.helpers.browser_pages import focus_by_keys

pytestmark = pytest.mark.browser


def test_a_wrong_password_stays_and_can_be_looked_at(live, device):
    live.give_password(person := live.world.person())
    page = device().new_page()
    page.goto(f"{live.url}/login")
    for place in ("button[name=wanted]", "#login_name", "#password", ".eye"):
        focus_by_keys(page, place)
        assert page.locator(place).evaluate("node => getComputedStyle(node).outlineWidth") == "3px", "the mark of focus"
        if place == "button[name=wanted]":
            assert page.locator(place).evaluate("node => getComputedStyle(node).color") == "rgb(255, 255, 255)", (
                "on blue"
            )
    page.locator("#login_name").fill(person.staff_number)
    page.locator("#password").fill("not-the-one ")
    page.locator("form[data-waits] button[type=submit]").click()
    expect(page.locator(".error-summary")).to_be_visible()
    expect(page.locator("#login_name")).to_have_value(person.staff_number)
    expect(page.locator("#password")).to_have_value("not-the-one ")
    page.get_by_role("button", name="显示密码").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")


def test_rules_of_a_new_password_are_ticked_and_what_was_typed_stays(live, device):
    person = live.world.person()
    password = live.give_password(person)
    page = device(person).new_page()
    page.goto(f"{live.url}/password")
    page.locator("#current_password").fill(password)
    page.locator("#new_password").fill("abc")
    expect(page.locator("[data-rule=length]")).to_have_class("is-unmet")
    page.locator("#new_password").fill("woaizhongguo1")
    expect(page.locator("[data-rule=length]")).to_have_class("is-met")
    page.locator("#repeated").fill("woaizhongguo1")
    page.get_by_role("button", name="保存新密码").click()
    expect(page.locator(".field-error")).to_contain_text("过于简单")
    expect(page.locator("#new_password")).to_have_value("woaizhongguo1")
    expect(page.locator("#current_password")).to_have_value(password)
    for field in ("#new_password", "#repeated"):
        page.locator(field).fill("春江潮水连海平 2 号")
    page.get_by_role("button", name="保存新密码").click()
    page.wait_for_url(f"{live.url}/")
