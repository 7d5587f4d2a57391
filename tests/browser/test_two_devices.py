"""What a device had not sent when another took over comes back with it: entered again, or asked about, and named (invariant I9)."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from examapp import clock
from examapp.delivery.attempts.models import Answer, Attempt, QuarantinedSave
from question_bank.model import Kind
from tests.browser.axe import violations
from tests.helpers.browser_pages import (
    begin,
    choose,
    device_state,
    focus_by_keys,
    go_by_keys_to,
    hand_in,
    let_time_pass,
    set_aside,
    stored,
    wait_open,
    wait_saved,
    wait_sealed,
    write,
)

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("SHOTS")
TEN = {Kind.SINGLE_CHOICE: 8, Kind.FILL_BLANK: 2}


class Devices:
    """A phone and a computer of one person, at one exam."""

    def __init__(self, live, device, exam, *, has_clock=False) -> None:
        self.live, self.exam = live, exam
        person = live.world.person()
        self.phone_context, self.computer_context = device(person), device(person, width=1280, height=800)
        self.phone = begin(self.phone_context, live, exam, has_clock=has_clock)
        self.computer: Any = None

    def leave_offline(self, answers):
        """The phone loses its network and goes on answering."""
        self.phone_context.set_offline(True)
        for item, key in answers.items():
            choose(self.phone, item, key)
        expect(self.phone.locator("#saved")).to_have_text(f"未保存 {len(answers)} 题")

    def go_on_at_the_computer(self, answers):
        self.computer = self.computer_context.new_page()
        self.computer.goto(f"{self.live.url}/exams/{self.exam.id}/sit")
        wait_open(self.computer)
        for item, key in answers.items():
            choose(self.computer, item, key)
        wait_saved(self.computer)

    def come_back(self, page=None):
        """The phone has its network again, and its person goes on there."""
        page = page or self.phone
        self.phone_context.set_offline(False)
        expect(page.locator("#wait-title")).to_have_text("已在另一设备继续")
        return page

    def epochs(self):
        return {answer.item: answer.epoch for answer in self.live.read(Answer)}


@pytest.fixture
def devices(live, device, make_exam):
    return Devices(live, device, make_exam(TEN))


def press_go_on(page):
    page.get_by_role("button", name="改在这里继续作答").click()


def conflict(page, item):
    return page.locator("#choose-list fieldset").filter(has_text=re.compile(f"第 {item} 题"))


def pick(page, item, side):
    conflict(page, item).locator(f"input[value={side}]").check()


def test_answers_given_offline_are_entered_again_under_the_new_epoch(devices, live):
    choose(devices.phone, 1, "A")
    wait_saved(devices.phone)
    devices.leave_offline({2: "B", 3: "C", 4: "D"})
    devices.go_on_at_the_computer({8: "A"})
    phone = devices.come_back()
    expect(phone.locator("#wait-text")).to_contain_text("本机第 2、3、4 题尚未上传，改回本机作答时一并保存")
    press_go_on(phone)
    wait_open(phone)
    expect(phone.locator("#notes")).to_contain_text("本机第 2、3、4 题的作答已补入试卷")
    wait_saved(phone)
    assert stored(live) == {1: ["A"], 2: ["B"], 3: ["C"], 4: ["D"], 8: ["A"]}
    assert devices.epochs() == {1: 1, 2: 3, 3: 3, 4: 3, 8: 2}
    expect(devices.phone.locator(".square").nth(7)).to_have_attribute("aria-label", "第 8 题，已答")
    choose(phone, 5, "A")
    wait_saved(phone)
    hand_in(phone)
    assert live.read(Attempt)[0].answered == 6


def test_what_both_devices_answered_differently_is_asked_question_by_question(devices, live):
    devices.leave_offline({2: "B", 3: "C", 4: "D", 5: "A"})
    devices.go_on_at_the_computer({2: "A", 3: "C", 4: "A"})
    phone = devices.come_back()
    press_go_on(phone)
    expect(phone.get_by_role("dialog", name="两台设备上的作答不同，请选择")).to_be_visible()
    assert phone.locator("#choose-list legend").all_text_contents() == ["第 2 题", "第 4 题"]
    assert conflict(phone, 2).locator(".choose-side b").all_text_contents() == ["B　", "A　"]
    phone.get_by_role("button", name="确定，继续答题").click()
    expect(phone.locator("#choose-text")).to_have_text("还有第 2、4 题没有选择。")
    pick(phone, 2, "here")
    pick(phone, 4, "there")
    phone.get_by_role("button", name="确定，继续答题").click()
    wait_open(phone)
    wait_saved(phone)
    assert stored(live) == {2: ["B"], 3: ["C"], 4: ["A"], 5: ["A"]}
    choose(phone, 4, "D")
    wait_saved(phone)
    assert stored(live)[4] == ["D"]


@pytest.mark.parametrize(("button", "kept"), [("全部用这里的", "B"), ("全部用那边的", "C")])
def test_one_side_is_taken_for_all(devices, live, button, kept):
    devices.leave_offline({2: "B", 4: "B"})
    devices.go_on_at_the_computer({2: "C", 4: "C"})
    phone = devices.come_back()
    press_go_on(phone)
    phone.get_by_role("button", name=button).click()
    phone.get_by_role("button", name="确定，继续答题").click()
    wait_open(phone)
    wait_saved(phone)
    hand_in(phone)
    assert stored(live) == {2: [kept], 4: [kept]}


def test_an_answer_tapped_online_just_after_the_take_over_is_not_lost(devices, live):
    choose(devices.phone, 1, "A")
    wait_saved(devices.phone)
    devices.go_on_at_the_computer({8: "A"})
    choose(devices.phone, 2, "B")
    phone = devices.come_back()
    expect(phone.locator("#wait-text")).to_contain_text("本机第 2 题尚未上传")
    press_go_on(phone)
    wait_open(phone)
    wait_saved(phone)
    assert stored(live) == {1: ["A"], 2: ["B"], 8: ["A"]}


def test_a_reload_and_a_closed_page_lose_none_of_it(devices, live):
    phone = devices.phone
    phone.evaluate("navigator.serviceWorker.ready.then(function () { return true; })")
    devices.leave_offline({2: "B", 3: "C"})
    write(phone, 9, "三十日")
    write(phone, 10, "县级")
    wait_sealed(phone, 2)
    phone.close()
    devices.go_on_at_the_computer({3: "D"})
    write(devices.computer, 10, "省级")
    wait_saved(devices.computer)
    again = devices.phone_context.new_page()
    devices.phone_context.set_offline(False)
    again.goto(f"{live.url}/exams/{devices.exam.id}/sit")
    devices.come_back(again)
    expect(again.locator("#wait-text")).to_contain_text("本机第 2、3、9、10 题尚未上传")
    again.reload()
    devices.come_back(again)
    press_go_on(again)
    expect(again.locator("#panel-choose")).to_be_visible()
    wait_saved(again)
    assert stored(live) == {2: ["B"], 3: ["D"], 9: ["三十日"], 10: ["省级"]}
    assert "县级" not in again.evaluate("JSON.stringify(localStorage)")
    again.close()
    last = devices.phone_context.new_page()
    last.goto(f"{live.url}/exams/{devices.exam.id}/sit")
    expect(last.locator("#panel-choose")).to_be_visible()
    assert last.locator("#choose-list legend").all_text_contents() == ["第 3 题", "第 10 题"]
    pick(last, 3, "here")
    pick(last, 10, "here")
    last.get_by_role("button", name="确定，继续答题").click()
    wait_open(last)
    wait_saved(last)
    assert stored(live) == {2: ["B"], 3: ["C"], 9: ["三十日"], 10: ["县级"]}


def test_texts_that_the_browser_cannot_seal_survive_the_way_back(live, device, make_exam):
    """Without encryption they are in the page's memory alone: taking the attempt back does not load the page again."""
    exam = make_exam(TEN)
    person = live.world.person()
    context = device(person)
    context.add_init_script("Object.defineProperty(window.crypto, 'subtle', { value: undefined });")
    phone = begin(context, live, exam)
    context.set_offline(True)
    write(phone, 9, "三十日")
    expect(phone.locator("#saved")).to_have_text("未保存 1 题")
    computer = device(person).new_page()
    computer.goto(f"{live.url}/exams/{exam.id}/sit")
    wait_open(computer)
    context.set_offline(False)
    expect(phone.locator("#wait-title")).to_have_text("已在另一设备继续")
    press_go_on(phone)
    wait_open(phone)
    wait_saved(phone)
    assert stored(live) == {9: ["三十日"]}


def test_what_comes_back_after_the_deadline_is_set_aside_and_named(devices, live):
    devices.leave_offline({2: "B", 3: "C", 4: "D"})
    devices.go_on_at_the_computer({8: "A"})
    let_time_pass(live)
    devices.phone_context.set_offline(False)
    expect(devices.phone.locator("#receipt-text")).to_have_text(
        "第 2、3、4 题没有赶上，已交管理员判断。", timeout=20_000
    )
    assert set_aside(live) == {2: ["B"], 3: ["C"], 4: ["D"]}
    assert device_state(devices.phone) == []


def test_a_deadline_that_passes_before_the_way_back_is_said_with_the_questions(devices, live):
    devices.leave_offline({2: "B", 3: "C"})
    devices.go_on_at_the_computer({8: "A"})
    phone = devices.come_back()
    let_time_pass(live)
    press_go_on(phone)
    expect(phone.locator("#receipt-text")).to_have_text("第 2、3 题没有赶上，已交管理员判断。")
    assert {item for row in live.read(QuarantinedSave) for item, _, _ in row.changes} == {2, 3}


def test_what_comes_back_after_a_hand_in_elsewhere_is_named(devices, live):
    choose(devices.phone, 1, "A")
    wait_saved(devices.phone)
    devices.leave_offline({2: "B", 3: "C"})
    devices.go_on_at_the_computer({3: "C"})
    hand_in(devices.computer)
    devices.phone_context.set_offline(False)
    expect(devices.phone.locator("#receipt-text")).to_have_text(
        "试卷已在另一设备或窗口交卷，本机第 2 题的作答没有上传，未计入。", timeout=20_000
    )


def test_a_hand_in_on_the_phone_after_one_elsewhere_names_what_is_not_in_it(devices, live):
    devices.leave_offline({2: "B"})
    devices.go_on_at_the_computer({8: "A"})
    hand_in(devices.computer)
    devices.phone.locator("#hand-in").click()
    devices.phone.get_by_role("button", name="确认交卷").click()
    devices.phone_context.set_offline(False)
    expect(devices.phone.locator("#receipt-text")).to_contain_text("本机第 2 题的作答没有上传", timeout=20_000)
    assert stored(live) == {8: ["A"]}


def test_what_is_not_decided_when_time_is_up_is_set_aside_and_named(devices, live):
    devices.leave_offline({2: "B"})
    devices.go_on_at_the_computer({2: "A"})
    phone = devices.come_back()
    press_go_on(phone)
    expect(phone.locator("#panel-choose")).to_be_visible()
    let_time_pass(live)
    phone.reload()
    expect(phone.locator("#receipt-text")).to_have_text("第 2 题没有赶上，已交管理员判断。")
    assert {row.reason: row.changes[0][0] for row in live.read(QuarantinedSave)}.keys() >= {"taken_over"}
    assert stored(live) == {2: ["A"]}


def test_time_that_runs_out_over_the_choice_hands_in_and_names_the_question(live, device, make_exam):
    devices = Devices(live, device, make_exam(TEN, grace_s=20), has_clock=True)
    devices.leave_offline({2: "B", 3: "C"})
    devices.go_on_at_the_computer({2: "A"})
    phone = devices.come_back()
    attempt = live.read(Attempt)[0]
    attempt.deadline_at = clock.now() + timedelta(seconds=60)
    attempt.closes_at = attempt.deadline_at + timedelta(seconds=20)
    live.world.commit()
    press_go_on(phone)
    expect(phone.locator("#panel-choose")).to_be_visible()
    phone.clock.fast_forward(60_000)  # at once: each reply on the way would set the page's clock back to the server's
    phone.clock.run_for(7000)  # a third of the grace, over which hand-ins are spread, and half a second
    expect(phone.locator("#receipt-text")).to_contain_text("第 2 题在两台设备上的作答不同，没有选择", timeout=30_000)
    assert stored(live) == {2: ["A"], 3: ["C"]}
    kept = {item: response for row in live.read(QuarantinedSave) for item, _, response in row.changes}
    assert kept[2] == ["B"]


def test_the_choice_is_within_reach_of_the_keyboard_and_fits_a_narrow_screen(live, device, make_exam):
    devices = Devices(live, device, make_exam({Kind.SINGLE_CHOICE: 2, Kind.MULTIPLE_CHOICE: 1, Kind.FILL_BLANK: 1}))
    devices.leave_offline({2: "B", 3: "C"})
    write(devices.phone, 4, "三十日" * 30)
    devices.go_on_at_the_computer({2: "A", 3: "A"})
    write(devices.computer, 4, "六十日")
    wait_saved(devices.computer)
    phone = devices.come_back()
    press_go_on(phone)
    expect(phone.locator("#panel-choose")).to_be_visible()
    for width, height in ((320, 640), (360, 740), (1280, 800)):
        phone.set_viewport_size({"width": width, "height": height})
        assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert violations(phone) == []
        if folder := SHOTS:
            phone.screenshot(path=f"{folder}/choose-{width}.png")
    go_by_keys_to(phone, "#choose-all-there")
    focus_by_keys(phone, "[name=choose-2]", limit=10)
    phone.keyboard.press("ArrowLeft")
    go_by_keys_to(phone, "#choose-done")
    wait_open(phone)
    wait_saved(phone)
    assert stored(live) == {2: ["B"], 3: ["A"], 4: ["六十日"]}


def test_a_page_whose_content_is_no_longer_taken_still_learns_how_the_attempt_stands(devices, live):
    """Above the bounds a save is answered 429; one that goes empty between tells the page that another device went on."""
    devices.go_on_at_the_computer({8: "A"})

    def take_no_content(route):
        if route.request.post_data_json["changes"]:
            route.fulfill(status=429, json={"error": "slow_down", "message": "保存过于频繁", "next_save_ms": 200})
        else:
            route.continue_()

    devices.phone.route("**/answers", take_no_content)
    choose(devices.phone, 2, "B")
    phone = devices.come_back()
    phone.unroute("**/answers")
    press_go_on(phone)
    wait_open(phone)
    wait_saved(phone)
    assert stored(live) == {2: ["B"], 8: ["A"]}
