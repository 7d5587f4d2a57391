"""Older eyes, large type and screen readers (GB/T 37668, WCAG 2.2 AA): what a candidate and an administrator need, in real Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from question_bank.model import Kind
from tests.browser.axe import violations
from tests.helpers.browser_pages import begin, wait_open

pytestmark = pytest.mark.browser
_HEAR = """
window.heard = [];
document.addEventListener('DOMContentLoaded', function () {
    document.querySelectorAll('[aria-live=polite], [aria-live=assertive], [role=status], [role=alert]').forEach(function (region) {
        new MutationObserver(function () {
            if (!document.getElementById('time')) { return; }  // the page before the paper
            window.heard.push({region: region.id, text: region.textContent.trim(), time: document.getElementById('time').textContent});
        }).observe(region, {childList: true, characterData: true, subtree: true});
    });
});
"""
_CUT_OFF = """
() => [...document.querySelectorAll('body *')].filter(element => {
    const style = getComputedStyle(element);
    const isShown = element.offsetParent && style.visibility !== 'hidden' && element.clientWidth > 2;
    const isCut = (style.overflowX === 'hidden' || style.overflowX === 'clip') && element.scrollWidth > element.clientWidth + 2
        || (style.overflowY === 'hidden' || style.overflowY === 'clip') && element.scrollHeight > element.clientHeight + 2;
    return isShown && isCut && element.textContent.trim();
}).map(element => element.outerHTML.slice(0, 160))
"""
"""Elements whose text does not fit and cannot be scrolled to."""
_LOW = """
() => [...document.querySelectorAll('button, .btn, select, textarea, summary, input:not([type=hidden]):not([type=checkbox]):not([type=radio]), .option, .tile, .tab-bar a, .home-list li')]
    .filter(element => element.offsetParent && element.getBoundingClientRect().height < 60).map(element => element.outerHTML.slice(0, 120))
"""
"""What is pressed in elder mode and is lower than 60 px."""
_CANDIDATES = (
    "/",
    "/exams",
    "/exams/{exam}",
    "/practice/",
    "/study/",
    "/exemptions",
    "/my/data",
    "/sign-ins",
    "/password",
    "/notices",
    "/privacy",
)
_ADMINISTRATORS = (
    "/", "/admin/people/", "/admin/people/imports", "/admin/people/new", "/admin/reports", "/admin/reports/exams/{exam}", "/admin/unit-book/changes",
    "/admin/approvals/", "/sign-ins", "/second-factor",
)  # fmt: skip
_OFFICE = (
    "/admin/questions/",
    "/admin/questions/new/single_choice",
    "/admin/exams/new",
    "/admin/exams/{exam}",
    "/admin/papers/new",
)
_TYPE = {"zoom 200 %": (640, 450, ""), "type 200 %": (1280, 900, "200%"), "type 200 % on a phone": (360, 740, "200%")}


@pytest.fixture
def scenario(live, make_exam):
    """An exam, and somebody of each kind: `scene["candidate"]` …"""
    county = live.world.unit("某县", kind="county")
    unit = live.world.unit("某县自然资源和规划局综合行政执法大队", parent=county)
    people = {
        "candidate": live.world.person(unit, name="欧阳鉴真"),
        "unit_admin": live.world.admin("unit_admin", unit),
        "office": live.world.admin("publicity_office", county),
    }
    exam = make_exam({Kind.SINGLE_CHOICE: 2, Kind.MULTIPLE_CHOICE: 1, Kind.FILL_BLANK: 1})
    paths = {"candidate": _CANDIDATES, "unit_admin": _ADMINISTRATORS, "office": _OFFICE}
    return {role: (person, [path.format(exam=exam.id) for path in paths[role]]) for role, person in people.items()} | {
        "exam": exam
    }


def opened(page, live, paths):
    """Open the pages that there are, one after the other."""
    for path in paths:
        answer = page.goto(f"{live.url}{path}")
        assert answer.status == 200, path
        yield path


def test_the_countdown_is_spoken_at_ten_five_and_one_minute_and_at_no_other_time(live, device, make_exam):
    """The page's clock is moved through eleven minutes, second by second, without a word from the server in between."""
    exam = make_exam(duration_s=660)
    page = device(live.world.person()).new_page()
    page.add_init_script(_HEAR)
    page.clock.install()
    page.goto(f"{live.url}/exams/{exam.id}")
    page.get_by_role("link", name="开始考试").click()
    wait_open(page)
    expect(page.locator("#time")).to_have_text(re.compile(r"^1[01]:\d\d$"))
    page.evaluate("window.heard.length = 0")
    page.route("**/api/**", lambda route: route.abort())
    page.clock.run_for(655_000)
    announcements = page.evaluate("window.heard")
    spoken = [(one["text"], one["time"]) for one in announcements if one["region"] == "spoken"]
    assert [text for text, _ in spoken] == ["还剩 10 分钟", "还剩 5 分钟", "还剩 1 分钟"], spoken
    assert [time for _, time in spoken] == ["10:00", "05:00", "01:00"]
    assert not [one for one in announcements if one["region"] != "spoken" and re.search(r"\d\d:\d\d|剩", one["text"])]
    assert page.locator("#time").get_attribute("aria-live") == "off"


@pytest.mark.parametrize("way", list(_TYPE))
def test_at_twice_the_size_nothing_is_lost_and_nothing_scrolls_sideways(live, device, scenario, way):
    width, height, size = _TYPE[way]
    issues = []

    def look(page, path):
        if size:
            page.evaluate(f"document.documentElement.style.fontSize = '{size}'")
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            issues.append(f"{path} scrolls sideways: {wide}")
        issues.extend(f"{path} cuts off {one}" for one in page.evaluate(_CUT_OFF))

    for role in ("candidate", "unit_admin", "office"):
        person, paths = scenario[role]
        context = device(person, width=width, height=height, device_scale_factor=1 if size else 2)
        page = context.new_page()
        for path in opened(page, live, paths):
            look(page, f"{role} {path}")
        if role == "candidate":
            page = begin(context, live, scenario["exam"])
            look(page, "the sitting")
            page.locator("#all-view").click()
            look(page, "the sitting, all questions")
            page.locator("#hand-in").click()
            look(page, "before the hand-in")
            page.get_by_role("button", name="确认交卷").click()
            expect(page.locator("#panel-receipt")).to_be_visible()
            look(page, "the receipt")
    assert issues == []


@pytest.mark.parametrize("role", ["candidate", "unit_admin", "office"])
def test_the_version_for_older_eyes_has_no_fault_that_axe_finds(live, device, scenario, role):
    """Switched once by the person on one device; every page of another device follows, and none breaks a criterion."""
    person, paths = scenario[role]
    first = device(person, width=1280).new_page()
    first.goto(live.url)
    first.get_by_role("button", name="适老版").click()
    expect(first.get_by_role("button", name="标准版")).to_be_visible()
    page = device(person, width=360).new_page()
    issues = []

    def look(path):
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px", path
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > 360:
            issues.append(f"{path} scrolls sideways: {wide}")
        issues.extend(violations(page))
        if role == "candidate":
            issues.extend(f"{path} low: {one}" for one in page.evaluate(_LOW))

    for path in opened(page, live, paths):
        look(path)
    if role == "candidate":
        page.goto(f"{live.url}/exams/{scenario['exam'].id}/sit#start")
        wait_open(page)
        look("the sitting")
        page.locator("#hand-in").click()
        look("before the hand-in")
    assert issues == []


def test_the_sign_in_page_waits_its_turn_by_itself_and_a_rejection_keeps_the_page(live, device):
    """Too many sign in at once, or no network: the words say for how long, and nobody types the password again."""
    person = live.world.person(live.world.unit("某局"), name="欧阳鉴真")
    password = live.give_password(person)
    hasher = live.world.app.extensions["hasher"]
    context = device(width=360)
    page = context.new_page()
    page.goto(f"{live.url}/login")
    button = page.get_by_role("button", name="登录", exact=True)
    text = page.get_by_role("status").filter(has_text="自动再试")

    def send(typed):
        page.get_by_label("登录名").fill(person.staff_number)
        page.get_by_label("密码").fill(typed)
        button.click()

    send("不是这个口令")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("登录名")).to_have_value(person.staff_number)
    taken = 0
    while hasher.queue.try_enter():
        taken += 1
    try:
        send(password)
        expect(text).to_contain_text("登录的人较多，正在为您排队。约 ")
        expect(button).to_be_disabled()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        lobby, without_script = device(width=320).new_page(), device(java_script_enabled=False).new_page()
        for visitor in (lobby, without_script):
            visitor.goto(f"{live.url}/login")
            expect(visitor.get_by_text("正在为您排队")).to_be_visible()
        expect(without_script.get_by_label("登录名")).to_be_disabled()
        assert lobby.evaluate("document.documentElement.scrollWidth") <= 320
        assert violations(lobby) == []
        lobby.get_by_label("登录名").fill(person.staff_number)
        lobby.get_by_label("密码").fill(password)
        lobby.get_by_role("button", name="登录", exact=True).click()
        expect(lobby.get_by_text("已填好，轮到您时自动登录")).to_be_visible()
        context.set_offline(True)
        expect(text).to_contain_text("暂时联系不上服务器。", timeout=10_000)
    finally:
        for _ in range(taken):
            hasher.queue.leave()
    expect(lobby.get_by_role("button", name="退出登录")).to_be_visible(timeout=15_000)
    expect(without_script.get_by_label("登录名")).to_be_enabled()
    context.set_offline(False)
    expect(page.get_by_role("button", name="退出登录")).to_be_visible(timeout=15_000)


def test_the_sign_in_page_comes_again_after_a_proxys_rejection_and_shows_a_rejection_of_the_site(live, device):
    """Both are 429; the proxy's passes by itself, the site's (too many wrong passwords) is for the person to read."""
    person = live.world.person(live.world.unit("某局"), name="欧阳鉴真")
    password = live.give_password(person)
    page = device(width=360).new_page()
    page.goto(f"{live.url}/login")
    rejected = []

    def reject_once(route):
        if route.request.method == "POST" and not rejected:
            rejected.append(route.request.url)
            route.fulfill(
                status=429,
                headers={"Retry-After": "1"},
                content_type="text/html; charset=utf-8",
                body="<main>稍候</main>",
            )
        else:
            route.continue_()

    page.route("**/login", reject_once)
    page.get_by_label("登录名").fill(person.staff_number)
    page.get_by_label("密码").fill("不是这个口令")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("登录名或密码不对")
    assert len(rejected) == 1
    for _ in range(4):
        page.get_by_label("密码").fill("不是这个口令")
        with page.expect_response("**/login"):
            page.get_by_role("button", name="登录", exact=True).click()
        expect(page.get_by_label("密码")).to_have_value("不是这个口令")
    expect(page.get_by_role("alert")).to_contain_text("请等 5 秒后再试")
    assert password
