"""Hostile texts and a shared PC in real Chromium (H11, H12, H19)."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from examapp import clock
from examapp.content.question_editing.actions import add_questions
from examapp.content.questions.models import BankQuestion, QuestionState
from examapp.delivery.grading.tasks import grade_waiting
from examapp.organisation.people.rules import id_check_character
from examapp.organisation.roster import actions as roster_actions
from examapp.organisation.roster.actions import PersonFacts
from examapp.platform.audit.actions import SYSTEM, ActionContext
from question_bank.model import Citation, Kind
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.helpers.browser_pages import begin, choose, device_state, hand_in, wait_saved
from tests.helpers.markup_attacks import VECTORS
from tests.helpers.questions import single

pytestmark = pytest.mark.browser
WATCH = """
window.breaches = [];
document.addEventListener('securitypolicyviolation', function (event) { window.breaches.push(event.violatedDirective + ' ' + event.blockedURI); });
"""
POKE = """
types => document.querySelectorAll('main *').forEach(element => types.forEach(
    type => element.dispatchEvent(new Event(type, {bubbles: false}))))
"""
"""Everything that a handler could wait for, at every element of the page."""
EVENTS = [
    "error",
    "load",
    "mouseover",
    "focus",
    "animationstart",
    "toggle",
    "pointerenter",
    "input",
    "begin",
    "slotchange",
]


@pytest.fixture
def bank(live):
    """Puts questions into the bank as an import would, and an exam over all of them: `bank(texts)` gives the exam."""

    def put(texts):
        questions = [
            single(
                stem=text, options=(text, "乙", "丙", "丁"), explanation=text, is_html=number % 2 == 0,
                citation=Citation(law="某法", article="第一条", version="2021-01-22"),
            )
            for number, text in enumerate(texts)
        ]  # fmt: skip
        add_questions(
            ActionContext(live.world.session, SYSTEM, clock.now()), questions=questions, state=QuestionState.ACTIVE
        )
        blueprint = live.world.blueprint([(Kind.SINGLE_CHOICE, len(questions), Decimal(1))])
        exam = live.world.exam(
            blueprint,
            attempts_allowed=None,
            opens_in=timedelta(hours=-1),
            lasts=timedelta(hours=8),
            kind="mock",
            keys_policy="at_once",
        )
        live.world.commit()
        return exam

    return put


def pages_with_questions(live, device, exam, **options):
    """Open each kind of page that shows questions: the attempt, the result with keys, practice, and the office's; gives page after page."""
    candidate = device(live.world.person(), **options)
    candidate.add_init_script(WATCH)
    page = begin(candidate, live, exam)
    page.locator("#all-view").click()
    yield page
    hand_in(page)
    grade_waiting(max_batches=2)
    page.goto(f"{live.url}/attempts/{attempt_of(page)}/result")
    expect(page.locator(".verdict")).to_be_visible()
    yield page
    page.goto(f"{live.url}/practice/")
    page.locator("main form button[type=submit]").first.click()
    yield page
    office = device(live.world.admin("publicity_office"), **options).new_page()
    office.context.add_init_script(WATCH)
    first = live.world.session.query(BankQuestion.id).order_by(BankQuestion.id).first()[0]
    for path in ("/admin/questions/", f"/admin/questions/{first}", f"/admin/questions/{first}/edit"):
        office.goto(f"{live.url}{path}")
        yield office


def attempt_of(page):
    return re.search(r"/attempts/(\d+)/", page.locator("#result-link").get_attribute("href"))[1]


def test_h11_no_vector_acts_asks_for_anything_or_meets_the_policy_on_any_page(live, device, bank):
    """Each vector as a question of its own, in stem, option and explanation, as HTML and as text, with every event sent to every element."""
    exam = bank([f"字{vector}" for vector in VECTORS])
    console_messages, asked = [], []
    for number, page in enumerate(pages_with_questions(live, device, exam)):
        if not number or "/admin/" in page.url:
            page.on("dialog", lambda dialog: (console_messages.append(dialog.message), dialog.dismiss()))
            page.context.on("request", lambda request: asked.append(request.url))
        page.evaluate(POKE, EVENTS)
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate("window.breaches") == [], page.url
        assert (
            page.locator(
                "main script, main iframe, main object, main embed, main svg, main math, main [style*=url], base"
            ).count()
            == 0
        )
    assert console_messages == []
    assert [url for url in asked if not url.startswith((f"{live.url}/", "blob:", "data:"))] == []
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"https://evil.example/x.png\">')"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.breaches"), "what would have been noticed"


@pytest.mark.parametrize("width", [320, 1280])
def test_h12_turned_invisible_and_endless_text_breaks_no_page(live, device, bank, width):
    texts = [
        "谁\u202e决\u200b定\u2066？\ufeff", "长" * 3000, "a" * 3000, "<p>" + "无" * 2000 + "</p>", "https://" + "x" * 1500, "　　两端有空白　　",
        "<table><tr>" + "<td>很宽的表格单元</td>" * 30 + "</tr></table>", "0" * 500 + "．" * 500, "\u0301" * 200 + "重音",
    ]  # fmt: skip
    exam = bank(texts)
    for page in pages_with_questions(live, device, exam, width=width):
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{page.url} scrolls sideways: {wide}"
        text = page.locator("body").inner_text()
        assert not re.search("[\u200b\u202a-\u202e\u2066-\u2069\ufeff]", text), page.url
        outside = page.evaluate(
            "width => [...document.querySelectorAll('main *')].filter(e => e.offsetParent && e.getBoundingClientRect().right > width + 1"
            " && !e.closest('.table-frame, table, .scroll, pre')).map(e => e.outerHTML.slice(0, 120))",
            width,
        )
        assert outside == [], page.url


@pytest.mark.parametrize("size", [{"width": 1280, "height": 720}, {"width": 360, "height": 740}], ids=["pc", "phone"])
def test_h19_a_shared_device_keeps_nothing_after_signing_out(live, chromium, make_exam, tmp_path, size):
    """A whole profile on the disk: the way back, the sources, both storages, and then every file of the browser."""
    exam = make_exam({Kind.SINGLE_CHOICE: 2, Kind.FILL_BLANK: 1})
    person = live.world.person(name="欧阳鉴真")
    cipher = live.world.app.extensions["cipher"]
    digits, written = "43052719900101711", "负责人集体讨论的结果"
    number = digits + id_check_character(digits)
    facts = PersonFacts(
        name=person.name, staff_number=person.staff_number, position="", rank="", id_number=number, mobile="13912345678"
    )
    roster_actions._write_numbers(person, facts, cipher=cipher)
    password = live.give_password(person)
    folder = tmp_path / "profile"
    context = chromium.browser_type.launch_persistent_context(str(folder), executable_path=CHROMIUM, args=ARGUMENTS)
    page = context.new_page()
    page.goto(f"{live.url}/login")
    page.get_by_label("登录名").fill(person.staff_number)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()
    for path in ("/my/data", "/my/data/persons", "/sign-ins"):
        page.goto(f"{live.url}{path}")
    page.goto(f"{live.url}/exams/{exam.id}/sit#start")
    expect(page.locator(".item.is-current")).to_be_visible()
    choose(page, 1, "A")
    page.evaluate("document.querySelectorAll('.square')[2].click()")
    page.locator("#item-3 .text").fill(written)
    wait_saved(page)
    assert device_state(page)
    page.goto(f"{live.url}/exams/{exam.id}")
    page.set_viewport_size(size)
    page.on("dialog", lambda dialog: dialog.accept())  # the exam goes on, and its time with it
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/login")
    for _ in range(7):
        page.go_back(wait_until="domcontentloaded")
        said = page.content()
        assert person.name not in said, page.url
        assert written not in said, page.url
        assert number not in said, page.url
    page.goto(f"view-source:{live.url}/my/data/persons")
    assert person.name not in page.content()
    page.goto(f"{live.url}/login")
    assert device_state(page) == []
    assert page.evaluate("sessionStorage.length") == 0
    assert page.evaluate("indexedDB.databases().then(list => list.length)") == 0
    assert page.get_by_label("密码").input_value() == ""
    context.close()
    secrets = [person.name, number, "13912345678", written, password]
    found = [
        f"{path.relative_to(folder)}: {secret}"
        for path in folder.rglob("*")
        if path.is_file()
        for content in [path.read_bytes()]
        for secret in secrets
        if secret.encode() in content or secret.encode("utf-16-le") in content
    ]
    assert found == []
    assert any(b"/login" in path.read_bytes() for path in Path(folder).rglob("History*")), (
        "the profile is the one that was used"
    )


def test_h19_no_field_for_a_persons_number_is_filled_in_by_the_browser(live, device):
    office = device(live.world.admin("publicity_office", live.world.unit("某县", kind="county"))).new_page()
    fields = 0
    for path in ("/admin/people/new", "/admin/people/", "/admin/people/tickets"):
        office.goto(f"{live.url}{path}")
        for name in ("id_number", "mobile", "q"):
            for field in office.locator(f"main input[name={name}]").all():
                fields += 1
                assert field.get_attribute("autocomplete") == "off", f"{path} {name}"
    office.goto(f"{live.url}/admin/people/new")
    for name, text in (("name", "张三"), ("staff_number", "Z00017"), ("id_number", "123")):
        office.locator(f"main input[name={name}]").fill(text)
    office.locator("main form button[type=submit]").click()
    expect(office.locator("#id_number-error")).to_be_visible()
    assert office.locator("main input[name=id_number]").get_attribute("autocomplete") == "off", (
        "with a mistake in it too"
    )
    assert fields >= 4
