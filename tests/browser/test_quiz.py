"""Practice as a quiz of ten on one page, which waits for the network instead of losing a choice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from examapp import clock
from examapp.learning.spaced_repetition.models import ReviewCard
from question_bank.model import Kind
from tests.browser.axe import violations

pytestmark = pytest.mark.browser
_SPEAKS = """
window.heard = [];
Object.defineProperty(window, 'speechSynthesis', { value: {
  speaking: false, speak(words) { this.speaking = true; window.heard.push(words.text); }, cancel() { this.speaking = false; },
} });
"""
"""A browser that reads aloud, whatever voices the machine has."""


@pytest.fixture
def practice(live, device):
    for _ in range(12):
        live.world.question(Kind.SINGLE_CHOICE, key=("A",))
    live.world.commit()
    context = device(live.world.person())
    page = context.new_page()
    page.goto(f"{live.url}/practice/")
    page.get_by_role("button", name="开始练习").click()
    expect(page.get_by_role("button", name="提交答案")).to_be_visible()
    return context, page


def answer(page):
    page.locator(".practice-choice input").first.check()
    page.get_by_role("button", name="提交答案").click()
    expect(page.locator(".practice-options")).to_be_visible()


def test_ten_questions_are_one_page_and_one_sum(practice):
    _, page = practice
    page.evaluate("window.stays = true")
    for number in range(1, 11):
        expect(page.locator("[data-quiz-place]")).to_contain_text(f"第 {number} / 10 题")
        answer(page)
        if number < 10:
            page.get_by_role("button", name="下一题").click()
            expect(page.get_by_role("button", name="提交答案")).to_be_in_viewport()
    assert page.evaluate("window.stays"), "no page was loaded anew"
    expect(page.locator("[data-quiz-place]")).to_contain_text("本轮 10 题已练完")
    page.get_by_role("button", name="再来 10 题").click()
    expect(page.locator("[data-quiz-place]")).to_contain_text("第 1 / 10 题")


def test_elder_mode_reads_a_question_aloud_and_enlarges_it(live, practice):
    context, _ = practice
    context.add_cookies([{"name": "elder", "value": "1", "url": live.url}])
    context.add_init_script(_SPEAKS)
    page = context.new_page()
    page.goto(f"{live.url}/practice/")
    page.get_by_role("button", name="开始练习").click()
    page.get_by_role("button", name="朗读本题").click()
    heard = page.evaluate("window.heard")
    assert [page.locator(".practice-stem").inner_text().strip("。？?（） ") in "".join(heard), len(heard) > 4] == [
        True,
        True,
    ], heard
    page.get_by_role("button", name="朗读本题").click()
    assert page.evaluate("window.speechSynthesis.speaking") is False
    for size, pixels in (("标准", "20px"), ("大", "25px"), ("特大", "36px")):
        page.get_by_role("button", name=size, exact=True).click()
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == pixels


def test_a_choice_waits_for_the_network(live, practice):
    context, page = practice
    page.locator(".practice-choice input").first.check()
    context.set_offline(True)
    live.stop()
    page.get_by_role("button", name="提交答案").click()
    expect(page.locator("[data-quiz-state]")).to_contain_text("您的选择还在本页")
    expect(page.locator(".practice-choice input").first).to_be_checked()
    live.start()
    context.set_offline(False)
    expect(page.locator(".practice-options")).to_be_visible(timeout=20_000)


def test_a_session_that_is_gone_leads_to_the_sign_in(practice):
    context, page = practice
    page.locator(".practice-choice input").first.check()
    context.clear_cookies()
    page.get_by_role("button", name="提交答案").click()
    page.wait_for_url("**/login?next=/practice/items/*")
    expect(page.get_by_text("请先登录，登录后回到刚才的页面。")).to_be_visible()


def test_a_mistake_is_done_again_in_its_place_and_taken_out(live, device):
    world, person = live.world, live.world.person()
    for law in ("民法典", "行政处罚法"):
        card = ReviewCard(
            person_id=person.id,
            question_id=world.question(law=law, explanation="听证的解析").id,
            part=0,
            is_right=False,
        )
        card.answered_at = card.due_at = clock.now()
        card.stability = card.difficulty = Decimal(1)
        world.session.add(card)
    world.commit()
    page = device(person, width=360).new_page()
    page.goto(f"{live.url}/practice/mistakes")
    page.evaluate("window.stays = true")
    mistake = page.locator(".mistake").first
    mistake.locator("summary").first.click()
    expect(mistake.get_by_text("听证的解析")).to_be_hidden()
    mistake.get_by_role("button", name="在这里重做").click()
    mistake.locator(".practice-choice input").first.check()
    mistake.get_by_role("button", name="提交答案").click()
    expect(mistake.locator(".practice-options")).to_be_visible()
    expect(page.locator(".mistake")).to_have_count(2)
    page.get_by_role("button", name="复习今天的").click()
    expect(page.get_by_role("button", name="提交答案")).to_be_visible()
    assert page.evaluate("window.stays"), "no page was loaded anew"
    assert page.url.endswith("/practice/mistakes")
    page.reload()
    page.get_by_label("法律").select_option("民法典")
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_text("共 1 题")).to_be_visible()
    page.get_by_role("button", name="移出错题本").click()
    expect(page.get_by_text("没有符合条件的错题")).to_be_visible()
    assert violations(page) == []
