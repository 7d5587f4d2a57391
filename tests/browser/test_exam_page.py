"""The exam page in real Chromium: what is answered reaches the server, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from examapp.delivery.attempts.models import Attempt, AttemptEvent, QuarantinedSave
from examapp.organisation.people.models import SignIn
from question_bank.model import Kind
from tests.browser.axe import violations
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.helpers.browser_pages import (
    begin,
    choose,
    device_state,
    focus_by_keys,
    go_by_keys_to,
    hand_in,
    poll,
    stored,
    wait_open,
    wait_saved,
    wait_until,
)

pytestmark = pytest.mark.browser


STATE = (
    "JSON.parse(localStorage[Object.keys(localStorage).filter(function (k) { return k.indexOf('exam:') === 0; })[0]])"
)


def wait_for_state(page, condition):
    poll(page, f"(function (state) {{ return {condition}; }})({STATE})")


def test_answers_are_saved_and_a_reload_shows_them_again(live, device, make_exam):
    exam = make_exam()
    page = begin(device(live.world.person()), live, exam)
    choose(page, 1, "B")
    wait_saved(page)
    choose(page, 3, "A")
    choose(page, 3, "C")
    wait_saved(page)
    assert stored(live) == {1: ["B"], 3: ["A", "C"]}
    page.reload()
    expect(page.locator("#item-1 input[value=B]")).to_be_checked()
    assert live.read(Attempt)[0].epoch == 1


def test_hand_in_lists_what_is_open_and_shows_the_receipt(live, device, make_exam):
    exam = make_exam()
    page = begin(device(live.world.person()), live, exam)
    choose(page, 1, "A")
    page.locator("#item-1 .unsure").click()
    wait_saved(page)
    page.locator("#hand-in").click()
    expect(page.locator("#hand-in-lists")).to_contain_text("还没有作答（3 题）")
    expect(page.locator("#hand-in-lists")).to_contain_text("标了存疑（1 题）")
    page.locator("#hand-in-lists").get_by_role("link", name="第 4 题").click()
    expect(page.locator("#item-4")).to_be_visible()
    choose(page, 4, "B")
    hand_in(page)
    attempt = live.read(Attempt)[0]
    expect(page.locator("#receipt-number")).to_have_text(attempt.receipt_number)
    assert (attempt.answered, attempt.unsure, stored(live)) == (2, [1], {1: ["A"], 4: ["B"]})
    assert device_state(page) == []
    page.get_by_role("link", name="查看成绩").click()
    expect(page.locator(".verdict")).to_be_visible()
    page.goto(f"{live.url}/exams/{exam.id}/sit")
    expect(page).to_have_url(f"{live.url}/exams/{exam.id}")
    assert len(live.read(Attempt)) == 1


def test_twenty_answers_offline_and_a_reload_arrive_untouched(live, device, make_exam):
    exam = make_exam({Kind.SINGLE_CHOICE: 20})
    context = device(live.world.person())
    page = begin(context, live, exam)
    page.evaluate("navigator.serviceWorker.ready.then(function () { return true; })")
    context.set_offline(True)
    live.stop()
    for item in range(1, 21):
        choose(page, item, "ABCD"[item % 4])
    expect(page.locator("#banner")).to_contain_text("网络中断，答案已存在本机，恢复后自动上传（20 题待传）")
    expect(page.locator("#saved")).to_have_text("未保存 20 题")
    page.reload()
    expect(page.locator("#offline-text")).to_have_text("网络中断，20 题待传。")
    assert stored(live) == {}
    live.start()
    context.set_offline(False)
    wait_open(page)
    wait_saved(page)
    assert stored(live) == {item: ["ABCD"[item % 4]] for item in range(1, 21)}
    assert live.read(Attempt)[0].epoch == 1


def test_an_outage_of_the_server_is_said_and_healed_without_a_touch(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam())
    live.stop()
    choose(page, 2, "C")
    expect(page.locator("#banner")).to_contain_text("1 题待传")
    live.start()
    expect(page.locator("#banner")).to_be_hidden()
    wait_saved(page)
    assert stored(live) == {2: ["C"]}


def test_another_device_takes_over_and_the_old_one_writes_nothing_more(live, device, make_exam):
    exam, person = make_exam(), live.world.person()
    old = begin(device(person), live, exam)
    choose(old, 1, "A")
    wait_saved(old)
    new = device(person, width=1280).new_page()
    new.goto(f"{live.url}/exams/{exam.id}")
    new.locator("main").get_by_role("link", name="继续答题").click()
    expect(new.locator("#item-1 input[value=A]")).to_be_checked()
    choose(new, 1, "B")
    wait_saved(new)
    old.locator("#item-1 .option").nth(2).click()
    expect(old.locator("#wait-title")).to_have_text("已在另一设备继续")
    assert stored(live) == {1: ["B"]}
    assert [row.changes for row in live.read(QuarantinedSave)] == [[[1, 2, ["C"]]]]
    old.reload()
    expect(old.locator("#wait-title")).to_have_text("已在另一设备继续")
    old.get_by_role("button", name="改在这里继续作答").click()
    old.get_by_role("button", name="全部用那边的").click()
    old.get_by_role("button", name="确定，继续答题").click()
    expect(old.locator("#item-1 input[value=B]")).to_be_checked()
    choose(old, 1, "D")
    wait_saved(old)
    assert stored(live) == {1: ["D"]}


def test_a_second_tab_takes_over_and_the_first_says_so(live, device, make_exam):
    exam = make_exam()
    context = device(live.world.person())
    first = begin(context, live, exam)
    choose(first, 1, "A")
    wait_saved(first)
    second = context.new_page()
    second.goto(f"{live.url}/exams/{exam.id}/sit")
    expect(second.locator("#item-1 input[value=A]")).to_be_checked()
    expect(first.locator("#wait-title")).to_have_text("已在另一设备继续")
    choose(second, 2, "B")
    wait_saved(second)
    assert stored(live) == {1: ["A"], 2: ["B"]}


def test_unsent_answers_survive_a_closed_tab(live, device, make_exam):
    exam = make_exam({Kind.SINGLE_CHOICE: 3, Kind.FILL_BLANK: 1})
    context = device(live.world.person())
    page = begin(context, live, exam)
    choose(page, 2, "A")
    wait_saved(page)
    live.stop()
    choose(page, 1, "D")
    page.evaluate("document.querySelectorAll('.square')[3].click()")
    page.locator("#item-4 .text").fill("三十日")
    expect(page.locator("#saved")).to_have_text("未保存 2 题")
    poll(page, "JSON.stringify(localStorage).indexOf('sealed') > 0")
    assert "三十日" not in page.evaluate("JSON.stringify(localStorage)")
    page.close()
    live.start()
    again = context.new_page()
    again.goto(f"{live.url}/exams/{exam.id}/sit")
    expect(again.locator("#item-1 input[value=D]")).to_be_checked()
    wait_saved(again)
    assert stored(live) == {1: ["D"], 2: ["A"], 4: ["三十日"]}


def test_an_ended_session_is_renewed_on_the_page(live, device, make_exam):
    exam, person = make_exam(), live.world.person()
    password = live.give_password(person)
    page = begin(device(person), live, exam)
    live.world.session.query(SignIn).update(
        {"ended_at": live.world.session.query(SignIn.started_at).limit(1).scalar_subquery()}
    )
    live.world.commit()
    choose(page, 1, "C")
    expect(page.locator("#panel-sign-in")).to_be_visible()
    page.locator("#sign-in-password").fill("falsch-falsch")
    page.locator("#sign-in-button").click()
    expect(page.locator("#sign-in-text")).to_contain_text("登录名或密码不对")
    page.locator("#sign-in-password").fill(password)
    page.locator("#sign-in-button").click()
    expect(page.locator("#panel-sign-in")).to_be_hidden()
    wait_saved(page)
    assert stored(live) == {1: ["C"]}


def test_a_lost_session_cookie_is_renewed_as_well(live, device, make_exam):
    exam, person = make_exam(), live.world.person()
    password = live.give_password(person)
    context = device(person)
    page = begin(context, live, exam)
    context.clear_cookies()
    choose(page, 2, "B")
    page.locator("#sign-in-password").fill(password)
    page.locator("#sign-in-button").click()
    wait_saved(page)
    assert stored(live) == {2: ["B"]}


def test_the_keyboard_alone_answers_a_paper(live, device, make_exam):
    page = begin(device(live.world.person(), width=1280), live, make_exam())
    page.keyboard.press("b")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("3")
    page.keyboard.press("ArrowRight")
    for key in ("a", "c", "a", "d", "u"):
        page.keyboard.press(key)
    wait_saved(page)
    expect(page.locator(".square").nth(2)).to_have_attribute("aria-label", "第 3 题，已答，存疑")
    assert stored(live) == {1: ["B"], 2: ["C"], 3: ["C", "D"]}
    page.emulate_media(forced_colors="active")
    backgrounds = page.locator(".square").evaluate_all(
        "squares => squares.map(node => getComputedStyle(node).backgroundColor)"
    )
    assert backgrounds[0] != backgrounds[3], "answered and open differ where the system sets the colours"
    wait_for_state(page, "state.isUnsureDue === false")
    assert live.read(Attempt)[0].unsure == [3]


def test_the_keyboard_alone_sits_a_whole_exam_for_older_eyes(live, device, make_exam):
    """From the page before the start to the receipt, every kind of question, in the version with larger type; names as a screen reader says them."""
    kinds = (Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.FILL_BLANK, Kind.TRUE_FALSE, Kind.CASE)
    exam = make_exam(dict.fromkeys(kinds, 1))
    context = device(live.world.person(), width=1280)
    context.add_cookies([{"name": "elder", "value": "1", "url": live.url}])
    page = context.new_page()
    page.goto(f"{live.url}/exams/{exam.id}")
    go_by_keys_to(page, "main .btn-primary")
    wait_open(page)
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    expect(page.get_by_role("timer")).to_be_visible()
    expect(page.get_by_role("button", name="第 1 题，未答")).to_be_visible()
    page.keyboard.press("b")
    wait_saved(page)
    expect(page.get_by_role("button", name="第 1 题，已答")).to_be_visible()
    for key in ("ArrowRight", "a", "c", "ArrowRight"):
        page.keyboard.press(key)
    focus_by_keys(page, ".item.is-current input.text")
    page.keyboard.type("b 2")  # letters, digits and arrows are text here, not keys of the page
    page.keyboard.press("ArrowLeft")
    go_by_keys_to(page, "#next")
    for key in ("a", "ArrowRight", "d", "ArrowRight", "a", "b"):
        page.keyboard.press(key)
    wait_saved(page)
    assert stored(live) == {1: ["B"], 2: ["A", "C"], 3: ["b 2"], 4: ["A"], 5: ["D"], 6: ["A", "B"]}
    go_by_keys_to(page, "#hand-in")
    expect(page.get_by_role("dialog", name="交卷前请核对")).to_be_visible()
    go_by_keys_to(page, "#hand-in-confirm")
    expect(page.get_by_role("dialog", name="交卷成功")).to_be_visible()
    (attempt,) = live.read(Attempt)
    assert attempt.submitted_at is not None
    assert attempt.answered == 6


def test_a_rejected_change_is_taken_out_and_shown(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam())
    choose(page, 1, "A")
    wait_saved(page)
    page.evaluate("document.querySelector('#item-1 input[value=B]').value = 'Z'")
    page.locator("#item-1 .option").nth(1).click()
    expect(page.locator("#item-1 .item-note")).to_contain_text("选项不存在")
    expect(page.locator("#item-1 input[value=A]")).to_be_checked()
    choose(page, 2, "A")
    wait_saved(page)
    assert stored(live) == {1: ["A"], 2: ["A"]}


def test_the_page_hands_in_by_itself_at_the_deadline(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam(duration_s=6, grace_s=9))
    choose(page, 1, "A")
    expect(page.locator("#panel-receipt")).to_be_visible(timeout=20_000)
    attempt = live.read(Attempt)[0]
    assert attempt.submitted_at == attempt.deadline_at
    assert (attempt.answered, attempt.is_forced) == (1, False)


def test_offline_at_the_deadline_says_what_waits_and_is_set_aside(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam(duration_s=5, grace_s=1))
    live.stop()
    choose(page, 1, "A")
    expect(page.locator("#wait-title")).to_have_text("已到时间，本机有 1 题未上传", timeout=20_000)
    wait_until(page, 1500)
    live.start()
    expect(page.locator("#panel-receipt")).to_be_visible(timeout=20_000)
    expect(page.locator("#receipt-title")).to_have_text("已到时间，系统已交卷")
    expect(page.locator("#receipt-text")).to_have_text(re.compile(r"^第 \d 题没有赶上，已交管理员判断。$"))
    assert stored(live) == {}
    assert [row.reason for row in live.read(QuarantinedSave)] == ["deadline_passed"]


WALL_CLOCK = "window.shift = {shift}; var real = Date.now; Date.now = function () {{ return real() + window.shift; }};"
HOURS_MS = 3600 * 1000
MOVING_ON = """
new Promise(function (done) {
  var time = document.getElementById('time');
  var before = time.textContent;
  new MutationObserver(function (_changes, watcher) {
    if (time.textContent === before) { return; }
    watcher.disconnect();
    done([time.textContent, performance.timeOrigin + performance.now()]);
  }).observe(time, { childList: true });
})
"""


def seconds_off(page, deadline_at):
    """How far the countdown is from the deadline in the database, at the moment when it moves on; that moment is the machine's own."""
    text, moment_ms = page.evaluate(MOVING_ON)
    minutes, seconds = text.split(":")
    return int(minutes) * 60 + int(seconds) - (deadline_at.timestamp() - moment_ms / 1000)


def test_a_wrong_device_clock_and_its_jumps_change_nothing(live, device, make_exam):
    exam = make_exam(duration_s=600)
    page = device(live.world.person()).new_page()
    page.add_init_script(WALL_CLOCK.format(shift=8 * HOURS_MS))
    page.goto(f"{live.url}/exams/{exam.id}/sit#start")
    wait_open(page)
    deadline_at = live.read(Attempt)[0].deadline_at
    assert abs(seconds_off(page, deadline_at)) <= 1
    for shift in (-5 * HOURS_MS, 30 * HOURS_MS):
        with page.expect_response("**/answers"):
            page.evaluate(f"window.shift = {shift}")
        assert abs(seconds_off(page, deadline_at)) <= 1
    choose(page, 1, "A")
    wait_saved(page)
    assert stored(live) == {1: ["A"]}


def test_leaving_the_page_is_recorded_and_shown(live, device, make_exam):
    page = begin(device(live.world.person(), width=1280), live, make_exam())
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    wait_until(page, 1200)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.locator("#presence")).to_contain_text("离开页面 1 次")
    choose(page, 1, "A")
    wait_saved(page)
    wait_for_state(page, "state.events.length === 0")
    assert [event.type for event in live.read(AttemptEvent)] == ["focus_loss"]


def test_a_dark_screen_and_a_hidden_page_are_told_apart(live, device, make_exam):
    page = device(live.world.person()).new_page()
    page.add_init_script(WALL_CLOCK.format(shift=0))
    page.goto(f"{live.url}/exams/{make_exam().id}/sit#start")
    wait_open(page)

    def show(is_shown):
        hidden = "false" if is_shown else "true"
        page.evaluate(f"Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }})")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    show(False)
    # The device sleeps: its wall clock goes on, the page's own seconds stand.
    page.evaluate("window.shift += 60000")
    show(True)
    show(False)
    wait_until(page, 1200)
    show(True)
    expect(page.locator("#presence")).to_contain_text("离开页面 2 次")
    wait_for_state(page, "state.events.length === 0")
    events = sorted(live.read(AttemptEvent), key=lambda event: event.n)
    assert [event.type for event in events] == ["screen_off", "focus_loss"]
    assert events[0].duration_ms >= 60_000 > events[1].duration_ms >= 1200


def test_without_storage_the_page_says_so_and_saves_at_once(live, device, make_exam):
    exam = make_exam()
    page = device(live.world.person()).new_page()
    page.add_init_script("Storage.prototype.setItem = function () { throw new Error('full'); };")
    page.goto(f"{live.url}/exams/{exam.id}/sit#start")
    expect(page.locator("#notes")).to_contain_text("本机不能暂存答案")
    choose(page, 1, "A")
    choose(page, 2, "B")
    wait_saved(page)
    page.reload()
    expect(page.locator("#item-1 input[value=A]")).to_be_checked()
    choose(page, 1, "C")
    wait_saved(page)
    assert stored(live) == {1: ["C"], 2: ["B"]}
    assert live.read(Attempt)[0].epoch == 2


def test_the_first_load_is_small(live, device, make_exam):
    exam = make_exam({Kind.SINGLE_CHOICE: 40, Kind.MULTIPLE_CHOICE: 15, Kind.TRUE_FALSE: 10})
    context = device(live.world.person())
    page = context.new_page()
    session = context.new_cdp_session(page)
    seen: list[float] = []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: seen.append(event["encodedDataLength"]))
    page.goto(f"{live.url}/exams/{exam.id}/sit#start")
    expect(page.locator("#item-1")).to_be_visible()
    assert len(seen) <= 13  # the choice between the answers of two devices is a script of its own
    assert sum(seen) <= 150_000


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_no_page_scrolls_sideways(live, device, make_exam, width):
    exam = make_exam({Kind.SINGLE_CHOICE: 2, Kind.CASE: 1, Kind.FILL_BLANK: 1})
    page = begin(device(live.world.person(), width=width), live, exam)
    page.locator("#larger").click()
    page.locator("#all-view").click()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator("#hand-in").click()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_no_key_stands_in_the_page_or_on_the_device(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam())
    choose(page, 1, "A")
    wait_saved(page)
    kept = page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert "题干" not in kept
    assert "理由" not in page.content() + kept
    wait_for_state(page, "Object.keys(state.pending).length === 0")


def processes_of(folder):
    """The processes of a browser that this test started with a profile folder of its own."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and folder.encode() in (entry / "cmdline").read_bytes():
                yield int(entry.name)


def wait_on_disk(page, folder, text):
    """Wait until the browser has written what a page keeps: it takes some seconds over it, and a kill before that is a loss."""
    for _ in range(150):
        if any(text in file.read_bytes() for file in Path(folder).glob("Default/Local Storage/leveldb/*.log")):
            return
        page.wait_for_timeout(100)
    raise AssertionError(text)


def test_a_killed_browser_loses_nothing_that_was_not_sent(live, chromium, make_exam):
    exam, person = make_exam(), live.world.person()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:

        def launch():
            context = chromium.browser_type.launch_persistent_context(folder, executable_path=CHROMIUM, args=ARGUMENTS)
            context.add_cookies([live.cookie(person)])
            return context

        page = begin(launch(), live, exam)
        choose(page, 1, "A")
        wait_saved(page)
        live.stop()
        choose(page, 2, "B")
        wait_on_disk(page, folder, b'"pending":{"2":')
        for process in list(processes_of(folder)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        assert stored(live) == {1: ["A"]}
        live.start()
        context = launch()
        again = context.new_page()
        again.goto(f"{live.url}/exams/{exam.id}")
        again.locator("main").get_by_role("link", name="继续答题").click()
        wait_open(again)
        expect(again.locator("#item-1 input[value=A]")).to_be_checked()
        expect(again.locator("#item-2 input[value=B]")).to_be_checked()
        wait_saved(again)
        assert stored(live) == {1: ["A"], 2: ["B"]}
        context.close()


def test_a_full_hall_queues_with_place_and_time_and_lets_in_by_itself(live, device, make_exam):
    exam = make_exam()
    page = device(live.world.person()).new_page()
    full = [{"state": "queued", "place": 12, "wait_s": 40}, {"state": "queued", "place": 3, "wait_s": 10}]

    def answer(route):
        if full:
            route.fulfill(status=202, json=full.pop(0), headers={"Retry-After": "1"})
        else:
            route.continue_()

    page.route("**/api/v1/exams/*/attempts", answer)
    page.goto(f"{live.url}/exams/{exam.id}/sit#start")
    expect(page.locator("#wait-text")).to_contain_text("您排在第 12 位，预计等待 40 秒")
    expect(page.locator("#wait-text")).to_contain_text("您排在第 3 位")
    wait_open(page)


def test_extra_time_arrives_with_the_next_exchange(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam(duration_s=600))
    attempt = live.read(Attempt)[0]
    attempt.deadline_at += timedelta(minutes=10)
    attempt.closes_at += timedelta(minutes=10)
    live.world.commit()
    choose(page, 1, "A")
    expect(page.locator("#notes")).to_contain_text("考试时间已延长 10 分钟")
    expect(page.locator("#time")).to_have_text(re.compile(r"^19:\d\d$"))


def test_a_lost_reply_to_the_hand_in_brings_the_same_receipt(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam())
    choose(page, 1, "A")
    lost = []

    def lose_first(route):
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().json()["receipt"]["number"])
        route.abort()

    page.route("**/submission", lose_first)
    hand_in(page)
    expect(page.locator("#receipt-number")).to_have_text(lost[0])
    assert live.read(Attempt)[0].receipt_number == lost[0]


def test_a_server_that_is_busy_or_slows_down_is_obeyed(live, device, make_exam):
    page = begin(device(live.world.person()), live, make_exam())
    rejections = [
        {"status": 503, "json": {"error": "try_again", "message": "服务器正忙"}, "headers": {"Retry-After": "1"}},
        {
            "status": 429,
            "json": {"error": "slow_down", "message": "慢些", "next_save_ms": 1000},
            "headers": {"Retry-After": "1"},
        },
        {"status": 403, "json": {"error": "csrf_failed", "message": "页面已过期"}},
    ]
    page.route("**/answers", lambda route: route.fulfill(**rejections.pop(0)) if rejections else route.continue_())
    choose(page, 1, "A")
    wait_saved(page)
    assert stored(live) == {1: ["A"]}
    assert rejections == []


def test_signing_out_leaves_nothing_of_the_exam_on_the_device(live, device, make_exam):
    exam = make_exam()
    page = begin(device(live.world.person()), live, exam)
    choose(page, 1, "A")
    wait_saved(page)
    assert len(device_state(page)) == 1
    page.goto(f"{live.url}/exams/{exam.id}")
    page.on("dialog", lambda dialog: dialog.accept())  # the clock runs on: asked first
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/login")
    assert device_state(page) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(live, device, make_exam, width):
    exam = make_exam(
        {Kind.SINGLE_CHOICE: 2, Kind.MULTIPLE_CHOICE: 1, Kind.CASE: 1, Kind.FILL_BLANK: 1},
        kind="mock",
        keys_policy="at_once",
    )
    page = begin(device(live.world.person(), width=width), live, exam)
    choose(page, 1, "B")
    wait_saved(page)
    found = violations(page)
    page.locator("#all-view").click()
    found += violations(page)
    page.locator("#hand-in").click()
    found += violations(page)
    page.get_by_role("button", name="确认交卷").click()
    expect(page.locator("#panel-receipt")).to_be_visible()
    found += violations(page)
    for path in (
        f"/exams/{exam.id}",
        "/attempts/1/receipt",
        "/attempts/1/result",
        "/practice/mistakes",
        "/exams/offline",
    ):
        page.goto(live.url + path)
        found += violations(page)
    assert found == []


def test_who_leaves_too_often_is_handed_in_with_all_answers_where_the_exam_says_so(live, device, make_exam):
    page = begin(device(live.world.person(), width=360), live, make_exam(focus_loss_limit=1))
    expect(page.locator("#presence")).to_contain_text("切屏不超过 1 次，超过即自动交卷")
    choose(page, 1, "A")
    wait_saved(page)
    for times in (1, 2):
        page.evaluate("window.dispatchEvent(new Event('blur'))")
        wait_until(page, 1200)
        if times == 2:
            choose(page, 2, "B")  # not saved yet when the page tells of it
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        expect(page.locator("#presence")).to_contain_text(f"离开页面 {times} 次")
    expect(page.get_by_role("dialog", name="离开页面超过规定次数，系统已交卷")).to_be_visible()
    assert stored(live) == {1: ["A"], 2: ["B"]}
    (attempt,) = live.read(Attempt)
    assert attempt.is_forced
