"""What reaches the server after the deadline is kept to the last item, and the page says no more than that."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from examapp.delivery.attempts.models import Attempt, AttemptState
from question_bank.model import Kind
from tests.helpers.browser_pages import (
    begin,
    choose,
    device_state,
    let_time_pass,
    poll,
    set_aside,
    stored,
    wait_open,
    wait_saved,
    wait_sealed,
    write,
)

pytestmark = pytest.mark.browser
LONG = "依" * 4000
"""The longest text: 12 KB in a save."""


def move_deadline(live, seconds):
    attempt = live.read(Attempt)[0]
    attempt.deadline_at += timedelta(seconds=seconds)
    attempt.closes_at += timedelta(seconds=seconds)
    live.world.commit()


def test_texts_of_a_former_attempt_are_set_aside_with_its_choices(live, device, make_exam):
    exam = make_exam({Kind.SINGLE_CHOICE: 2, Kind.FILL_BLANK: 1})
    context = device(live.world.person())
    page = begin(context, live, exam)
    live.stop()
    choose(page, 1, "D")
    write(page, 3, "三十日")
    wait_sealed(page, 1)
    page.close()
    let_time_pass(live)
    live.start()
    again = begin(context, live, exam)
    poll(again, "Object.keys(localStorage).filter(function (key) { return key.indexOf('exam:') === 0; }).length === 1")
    assert set_aside(live) == {1: ["D"], 3: ["三十日"]}
    assert {attempt.number: attempt.state for attempt in live.read(Attempt)}[2] == AttemptState.IN_PROGRESS
    choose(again, 2, "A")
    wait_saved(again)
    assert stored(live) == {2: ["A"]}


def test_late_answers_of_any_size_are_set_aside_before_the_page_says_so(live, device, make_exam):
    exam = make_exam({Kind.FILL_BLANK: 8})
    context = device(live.world.person())
    page = begin(context, live, exam)
    live.stop()
    for item in range(1, 9):
        write(page, item, LONG)
    wait_sealed(page, 8)
    page.close()
    let_time_pass(live)
    live.start()
    again = context.new_page()
    again.goto(f"{live.url}/exams/{exam.id}/sit")
    expect(again.locator("#receipt-text")).to_contain_text("第 1、2、3、4、5、6、7、8 题没有赶上，已交管理员判断。")
    assert set_aside(live) == {item: [LONG] for item in range(1, 9)}
    assert device_state(again) == []


def test_one_late_answer_that_cannot_be_read_costs_no_other(live, device, make_exam):
    exam = make_exam({Kind.SINGLE_CHOICE: 5, Kind.FILL_BLANK: 1})
    context = device(live.world.person())
    page = begin(context, live, exam)
    live.stop()
    for item in range(1, 6):
        choose(page, item, "B")
    page.evaluate("document.querySelectorAll('.square')[5].click()")
    # The half of a character that the longest text was cut in.
    page.evaluate(
        "(function (text) { text.value = '三\\ud83d'; text.dispatchEvent(new Event('input')); })"
        "(document.querySelector('#item-6 .text'))"
    )
    wait_sealed(page, 1)
    page.close()
    let_time_pass(live)
    live.start()
    again = context.new_page()
    again.goto(f"{live.url}/exams/{exam.id}/sit")
    expect(again.locator("#receipt-text")).to_have_text(
        "第 1、2、3、4、5 题没有赶上，已交管理员判断。第 6 题的作答未被接受：内容不能识别。"
    )
    assert set_aside(live) == {item: ["B"] for item in range(1, 6)}


def test_a_page_that_slept_past_its_time_sets_all_of_it_aside(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam({Kind.FILL_BLANK: 8}))
    live.stop()
    for item in range(1, 9):
        write(page, item, LONG)
    let_time_pass(live)
    live.start()
    expect(page.locator("#receipt-text")).to_contain_text(
        "第 1、2、3、4、5、6、7、8 题没有赶上，已交管理员判断。", timeout=20_000
    )
    assert set_aside(live) == {item: [LONG] for item in range(1, 9)}
    assert device_state(page) == []


def test_a_reopening_between_two_late_batches_stores_all_of_them(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam({Kind.FILL_BLANK: 8}))
    live.stop()
    for item in range(1, 9):
        write(page, item, LONG)
    seen = []

    def late_once(route):
        seen.append(len(route.request.post_data_json["changes"]))
        if len(seen) > 1:
            route.continue_()
            return
        route.fulfill(status=409, json={"error": "deadline_passed", "message": "作答时间已到"})

    page.route("**/answers", late_once)
    live.start()
    wait_saved(page)
    assert stored(live) == {item: [LONG] for item in range(1, 9)}
    wait_open(page)


def test_extra_time_reaches_a_page_whose_time_is_up(live, device, make_exam):
    """Granted while the page had no network: it opens again by itself, and nothing is handed in."""
    page = begin(device(live.world.person()), live, make_exam(duration_s=60, grace_s=30), has_clock=True)
    live.stop()
    choose(page, 1, "A")
    page.clock.run_for(60_000)
    expect(page.locator("#wait-title")).to_have_text("已到时间，本机有 1 题未上传")
    # Longer than the hand-ins of a hall are spread over.
    page.clock.run_for(10_500)
    move_deadline(live, 600)
    live.start()
    expect(page.locator("#notes")).to_contain_text("考试时间已延长 10 分钟", timeout=20_000)
    wait_open(page)
    choose(page, 2, "B")
    wait_saved(page)
    assert stored(live) == {1: ["A"], 2: ["B"]}
    assert live.read(Attempt)[0].state == AttemptState.IN_PROGRESS
