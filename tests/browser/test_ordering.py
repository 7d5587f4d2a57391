"""An ordering question in real Chromium: put into order by touch and by keyboard, on the exam page and in practice."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from examapp.content.blueprints.models import Paper
from examapp.delivery.grading.tasks import grade_waiting
from examapp.learning.courses.models import ExerciseRun, PracticeItem
from question_bank.model import Kind
from tests.browser.axe import violations
from tests.helpers.browser_pages import begin, hand_in, look, stored, wait_saved
from tests.helpers.courses import course

pytestmark = pytest.mark.browser
STEPS = ("C", "A", "D", "B")


def shown(place):
    return place.locator(".order-key").all_text_contents()


@pytest.fixture
def exam(race_world):
    race_world.question(
        Kind.ORDERING,
        key=STEPS,
        stem="适用普通程序的行政处罚案件，请将下列步骤按办理的先后排列。",
        explanation="先立案，后调查。",
    )
    race_world.question(Kind.SINGLE_CHOICE, key=("A",))
    blueprint = race_world.blueprint(((Kind.ORDERING, 1, "6"), (Kind.SINGLE_CHOICE, 1, "4")))
    exam = race_world.exam(blueprint, kind="mock", keys_policy="at_once", results_policy="at_once")
    race_world.commit()
    return exam


@pytest.mark.parametrize("width", [360, 1280])
def test_order_is_made_with_buttons_and_arrow_keys_and_reaches_the_server(live, device, exam, width):
    page = begin(device(live.world.person(), width=width), live, exam)
    item = page.locator("#item-1")
    expect(item.locator(".order-state")).to_contain_text("还没有作答")
    expect(page.locator(".square").first).to_have_attribute("aria-label", "第 1 题，未答")
    assert shown(item) == ["A", "B", "C", "D"]
    look(page, f"ordering-open-{width}")
    item.get_by_role("button", name="下移：选项 A").click()
    expect(item.locator(".order-state")).to_contain_text("选项 A 现在排第 2 位")
    assert shown(item) == ["B", "A", "C", "D"]
    expect(item.get_by_role("button", name="下移：选项 A")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert shown(item) == ["B", "C", "D", "A"]
    expect(item.get_by_role("button", name="上移：选项 A")).to_be_focused()
    page.keyboard.press("Enter")
    assert shown(item) == ["B", "C", "A", "D"]
    expect(page.locator(".square").first).to_have_attribute("aria-label", re.compile("^第 1 题，已答"))
    wait_saved(page)
    assert stored(live) == {1: ["B", "C", "A", "D"]}
    assert violations(page) == []
    look(page, f"ordering-given-{width}")
    page.reload()
    expect(item.locator(".order-state")).to_have_text("您的顺序：B → C → A → D")
    item.get_by_role("button", name="清空本题答案").click()
    expect(item.locator(".order-state")).to_contain_text("还没有作答")
    item.get_by_role("button", name="就按现在的顺序作答").click()
    wait_saved(page)
    assert stored(live) == {1: ["A", "B", "C", "D"]}
    (paper,) = live.read(Paper)
    wrong = positions(paper.sections[0]["items"][0][2])[::-1]  # a right answer would not stand among the mistakes
    put_into_order(page, item, wrong)
    hand_in(page)
    assert stored(live) == {1: wrong}
    grade_waiting(max_batches=1)
    page.get_by_role("link", name="查看成绩").click()
    expect(page.get_by_text(f"您的顺序：{' → '.join(wrong)}")).to_be_visible()
    assert violations(page) == []
    look(page, f"ordering-result-{width}")


def put_into_order(page, place, key):
    """Move each option up to its place; confirm where nothing had to be moved."""
    for wanted, letter in enumerate(key):
        while shown(place).index(letter) > wanted:
            place.get_by_role("button", name=f"上移：选项 {letter}").click()
    if place.locator(".order-confirm").is_visible():
        place.locator(".order-confirm").click()


def positions(option_order):
    """Give the displayed letters of the right order, where options are displayed in this order of stored letters."""
    return [chr(65 + option_order.index(letter)) for letter in STEPS]


def test_ordering_is_practised_by_touch(live, device, exam):
    context = device(live.world.person())
    page = context.new_page()
    page.goto(f"{live.url}/practice/")
    page.get_by_text("更多条件").click()
    page.get_by_label("题型").select_option("ordering")
    page.get_by_role("button", name="开始").first.click()
    expect(page.locator(".practice .order-state")).to_be_visible()  # the question's page, not the list that was left
    look(page, "ordering-practice-360")
    assert violations(page) == []
    (item,) = live.read(PracticeItem)
    key = positions(item.order)
    put_into_order(page, page.locator(".practice"), key)
    page.get_by_role("button", name="提交答案").click()
    expect(page.get_by_text("答对了。")).to_be_visible()
    look(page, "ordering-practised-360")
    assert live.read(PracticeItem)[0].response == key


def test_ordering_is_taken_along_and_sent_after_a_tunnel(live, device, exam):
    chapter_id = course(live.world).chapters[0].id
    live.world.commit()
    context = device(live.world.person())
    page = context.new_page()
    page.goto(f"{live.url}/study/chapters/{chapter_id}")
    page.get_by_role("button", name="离线学习").click()
    expect(page.get_by_role("button", name="提交本章练习")).to_be_visible()
    look(page, "ordering-taken-360")
    context.set_offline(True)
    items = {str(item.id): item for run in live.read(ExerciseRun) for item in live.read(PracticeItem, run_id=run.id)}
    ordered = next(number for number in items if page.locator(f'[data-item="{number}"] .order').count())
    for number, item in items.items():
        block = page.locator(f'[data-item="{number}"]')
        if number == ordered:
            page.get_by_role("button", name="提交本章练习").click()
            expect(page.locator("#taken-state")).to_contain_text("题未答")
            put_into_order(page, block, positions(item.order))
        else:
            block.locator(f'input[value="{"ABCD"[item.order.index("A")]}"]').check()
    page.get_by_role("button", name="提交本章练习").click()
    expect(page.locator("#taken-state")).to_contain_text("答案已存在本机")
    context.set_offline(False)
    page.wait_for_url("**/study/exercises/*", timeout=20_000)
    assert [item.response for item in live.read(PracticeItem) if str(item.id) == ordered] == [
        positions(items[ordered].order)
    ]
    assert all(item.is_right for item in live.read(PracticeItem))


def test_office_writes_an_ordering_question(live, device):
    office = live.world.admin("publicity_office")
    live.world.commit()
    for width in (360, 1280):
        page = device(office, width=width).new_page()
        page.goto(f"{live.url}/admin/questions/new/ordering")
        page.get_by_label("题干").fill("请按先后排列。")
        for letter, text in zip("ABCD", ("立案", "调查取证", "告知权利", "作出决定"), strict=True):
            page.get_by_label(f"选项 {letter}", exact=True).fill(text)
        page.get_by_label("正确顺序").fill("ABC")
        page.get_by_role("button", name="保存题目").click()
        expect(page.get_by_role("alert")).to_contain_text("全部 4 个选项的字母")
        page.get_by_label("正确顺序").fill("CABD")
        look(page, f"ordering-editor-{width}")
        page.get_by_role("button", name="保存题目").click()
        expect(page.get_by_text("C → A → B → D").first).to_be_visible()
        look(page, f"ordering-shown-{width}")
        assert violations(page) == []
