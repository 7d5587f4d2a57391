"""Every page of every role on a deployment of the demo county: it answers, breaks no policy, fits a phone, and can be used with keyboard and screen reader.

Which pages there are comes from the map of addresses and from following the links; which roles there are from the demo county's accounts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import openpyxl
from playwright.sync_api import Error, FilePayload, Page, expect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, Rule

from tests.browser.axe import violations
from tests.browser.deployment import Visitors
from tests.browser.elsewhere import NO_PAGES, NOT_IN_THE_WALK, ON_DEMAND

HALVES = ("office", "others")
"""The walk is two tests, so that two processors share it."""
_LONG_MS = 60_000
_WIDTHS = (1280, 360, 320)
_AXE_WIDTHS = (1280, 360)
"""A phone turns tables into cards and folds menus, so that each width shows axe another page."""
MAX_HEIGHT = 3000
"""Of a page at 1280 px and on a phone: what is longer is paged, folded, or scrolls below its head."""
DOCUMENTS = {"laws.show_version", "laws_admin.compare", "training.read_chapter", "papers_admin.preview_paper"}
"""Pages that are read from beginning to end."""
_MAX_TABS = 80
_FEW_TABS = 30
_SAMPLES = {"exams_admin.show_exam": 5, "papers_admin.show_blueprint": 3}
"""Of how many things with a page of one kind the page is opened; one, where nothing is said."""
_BY_ADDRESS = ("", "publicity_office")
"""Who tries every address of the map too; the other roles follow links, and the access matrix tries the rest for them."""
_BY_FORM = tuple(f"/admin/unit-book/units/3/{act}" for act in ("merge", "split", "rename"))
"""Pages to which a form leads that asks for the unit."""
_POLLED = ("_progress", "_readiness", ".show_job")
"""Ends of the names of what a page asks for while a long job runs: JSON."""


@dataclass(slots=True)
class Walk:
    """What was opened by whom, and what was wrong."""

    adapter: MapAdapter
    opened: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    ways: set[str] = field(default_factory=set)
    issues: list[str] = field(default_factory=list)
    seen_by_office: set[str] = field(default_factory=set)
    """Pages of the back office that the other half of the walk looks at closely."""

    @property
    def rules(self) -> list[Rule]:
        """The addresses of the map that are read: with arguments or without, the API apart."""
        return [
            rule
            for rule in self.adapter.map.iter_rules()
            if "GET" in (rule.methods or ()) and not rule.rule.startswith(("/api/", "/healthz", "/readyz", "/metrics"))
        ]

    def endpoint(self, path: str) -> str | None:
        try:
            return self.adapter.match(path, method="GET")[0]
        except HTTPException:
            return None


def walk_as(roles: Iterable[str], visitors: Visitors, accounts: dict[str, dict[str, str]], walk: Walk) -> None:
    """Open what each role finds by following links from home, and what some try by address; an empty role is nobody."""
    plain = [rule.rule for rule in walk.rules if not rule.arguments]
    for role in roles:
        page = visitors.visitor()
        if role:
            sign_in(page, accounts[role])
        for path in pages_from(page, walk, ["/", *(plain + list(_BY_FORM) if role in _BY_ADDRESS else ())]):
            walk.issues += [f"{role or 'nobody'} {path}: {issue}" for issue in look_at(page, walk, path)]
        page.context.close()


def never_reached(walk: Walk, shared: Path, half: str) -> set[str]:
    """Note what this half of the walk has reached; where the other half is done too, give the pages that neither has."""
    (shared / f"{half}.part").write_text(json.dumps(sorted(walk.opened | walk.files | walk.ways)), "utf-8")
    (shared / f"{half}.part").rename(shared / f"{half}.reached")
    found = [set(json.loads(path.read_text("utf-8"))) for path in shared.glob("*.reached")]
    if len(found) < len(HALVES):
        return set()
    names = {rule.endpoint for rule in walk.rules}
    expected = {name for name in names if not name.endswith(_POLLED)}
    return expected - set().union(*found) - {*NOT_IN_THE_WALK, *ON_DEMAND, *NO_PAGES}


def sign_in(page: Page, account: dict[str, str]) -> None:
    page.goto("/login")
    page.get_by_label("登录名").fill(account["login_name"])
    page.get_by_label("密码").fill(account["password"])
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()


def leave_traces(visitors: Visitors, accounts: dict[str, dict[str, str]], folder) -> None:
    """Import a roster with a bad row and a question, begin a blueprint and an exam, and export scores, so that these pages have something to show."""
    page = visitors.visitor()
    sign_in(page, accounts["publicity_office"])
    page.goto("/admin/people/imports")
    roster = [["工号", "姓名", "单位", "身份证号"], ["YX00001", "吴一颖", "没有这个单位", "430527199001011231"]]
    page.get_by_label("名册文件").set_input_files(workbook(folder / "roster.xlsx", roster))
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_role("heading", name="有问题的行")).to_be_visible(timeout=_LONG_MS)
    page.goto("/admin/questions/imports/")
    bank = [
        ["题型", "题干", "选项A", "选项B", "答案"],
        ["单选题", "走查用的题目", "甲", "乙", "A"],
        ["单选题", "没有答案", "甲", "乙", ""],
    ]
    page.get_by_label("题库文件").set_input_files(workbook(folder / "bank.xlsx", bank))
    page.get_by_role("button", name="上传并预览").click()
    expect(page.get_by_text("文件中共 2 题")).to_be_visible(timeout=_LONG_MS)
    page.goto("/admin/papers/1")
    page.get_by_role("button", name="复制一份").click()
    expect(page.get_by_role("heading", name="修改组卷规则")).to_be_visible()
    page.goto("/admin/exams/new")
    page.get_by_label("考试名称").fill("走查用的草稿")
    page.locator("#opens_at").fill("2099-01-01T09:00")
    page.locator("#closes_at").fill("2099-01-02T09:00")
    page.get_by_label("作答时长（分钟）").fill("30")
    page.get_by_role("button", name="保存考试设置").click()
    expect(page.get_by_role("heading", name="走查用的草稿")).to_be_visible()
    page.goto("/admin/reports")
    page.get_by_role("link", name="2025年度国家工作人员学法用法考试").click()
    page.get_by_role("button", name="导出", exact=True).click()
    expect(page.get_by_role("link", name="下载文件")).to_be_visible(timeout=_LONG_MS)
    bring_results(page, folder)
    page.context.close()
    ask_to_be_excused(visitors, accounts["candidate"])
    begin_changes(visitors, accounts["unit_admin"])


def bring_results(page: Page, folder) -> None:
    page.goto("/admin/unit-book/results")
    rows = [["姓名", "成绩"], ["查无此人", 80]]
    page.get_by_label("成绩文件").set_input_files(workbook(folder / "results.xlsx", rows))
    page.get_by_label("计入哪场考试").select_option(index=1)
    page.get_by_label("成绩来源").fill("走查用的平台")
    page.get_by_label("考试日期").fill("2026-01-05")
    page.get_by_role("button", name="上传并核对").click()
    expect(page.get_by_text("名册里没有找到此人")).to_be_visible(timeout=_LONG_MS)


def begin_changes(visitors: Visitors, account: dict[str, str]) -> None:
    page = visitors.visitor()
    sign_in(page, account)
    page.goto("/admin/unit-book/changes")
    page.get_by_role("button", name="填报名单").click()
    page.get_by_role("link", name="新进", exact=True).click()
    page.get_by_label("工号").fill("XJ00001")
    page.get_by_label("姓名").fill("走查用的新人")
    page.get_by_label("生效日期").fill("2026-01-05")
    page.get_by_role("button", name="添加到名单").click()
    expect(page.get_by_role("button", name="提交审批")).to_be_visible()
    page.context.close()


def ask_to_be_excused(visitors: Visitors, account: dict[str, str]) -> None:
    page = visitors.visitor()
    sign_in(page, account)
    page.goto("/exemptions/new")
    page.get_by_label("考试", exact=True).select_option(index=1)
    page.get_by_label("原因").select_option("长期病假")
    proof: FilePayload = {
        "name": "证明.pdf",
        "mimeType": "application/pdf",
        "buffer": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n",
    }
    page.get_by_label("证明材料").set_input_files(proof)
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_text("申请已提交")).to_be_visible()
    page.context.close()


def workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def pages_from(page: Page, walk: Walk, begin: list[str]) -> Iterator[str]:
    """Open pages one after the other, following their links; gives the address of each once it is open."""
    waiting, tried, opened = list(begin), set(), {}
    while waiting:
        path = waiting.pop(0)
        endpoint = walk.endpoint(urlsplit(path).path)
        is_enough = opened.get(endpoint, 0) >= _SAMPLES.get(endpoint or "", 1)
        if (
            endpoint is None
            or path in tried
            or is_enough
            or endpoint in NOT_IN_THE_WALK
            or endpoint.endswith("_api")
            or endpoint in walk.files
        ):
            continue
        tried.add(path)
        landed = open_page(page, walk, path, endpoint)
        if landed != path:
            waiting[:0] = [landed] if landed else []
            continue
        opened[endpoint] = opened.get(endpoint, 0) + 1
        waiting += page.eval_on_selector_all("a[href^='/']", "links => links.map(link => link.getAttribute('href'))")
        yield path


def open_page(page: Page, walk: Walk, path: str, endpoint: str) -> str:
    """Open an address; gives where it led to, nothing where it is no page or not this role's."""
    try:
        answer = page.goto(path)
    except Error as error:
        if "Download is starting" not in str(error):
            raise
        walk.files.add(endpoint)
        return ""
    if not (answer.headers.get("content-type") or "").startswith("text/html"):
        walk.files.add(endpoint)
        return ""
    if answer.status == 404:
        return ""
    if answer.status != 200:
        walk.issues.append(f"{path}: {answer.status}")
        return ""
    now = urlsplit(page.url)
    landed = f"{now.path}?{now.query}" if now.query else now.path
    if now.path == urlsplit(path).path:
        return path
    walk.ways.add(endpoint)
    return landed


def look_at(page: Page, walk: Walk, path: str) -> Iterator[str]:
    """Look at an open page; give what is wrong with it. The costly looks only where nobody has opened this kind of page before."""
    endpoint = walk.endpoint(urlsplit(path).path)
    is_new = endpoint not in walk.opened and endpoint not in walk.seen_by_office
    walk.opened.add(endpoint)
    yield from misfits(page, _WIDTHS if is_new else _WIDTHS[1:2], has_axe=is_new)
    if is_new:
        page.evaluate("document.documentElement.classList.add('elder')")
        yield from (f"for older eyes: {issue}" for issue in misfits(page, _WIDTHS[1:], has_axe=True))
        page.evaluate("document.documentElement.classList.remove('elder')")
    for width in (_WIDTHS[1], _WIDTHS[0]):
        page.set_viewport_size({"width": width, "height": 800})
        if (height := height_of(page)) > MAX_HEIGHT and endpoint not in DOCUMENTS:
            yield f"is {height} px long at {width} px"
    if page.locator("h1").count() != 1:
        yield "has not one heading of the first level"
    primary = page.locator("main .btn-primary:visible")
    if primary.count() > 1:
        yield f"has {primary.count()} primary actions"
    if is_new and primary.count() == 1 and not is_reached_by_keys(page):
        yield "the primary action is out of the keyboard's reach"


def height_of(page: Page) -> int:
    """Give the height of a page once it has settled in its window."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate("document.documentElement.scrollHeight")


def misfits(page: Page, widths: Iterable[int], *, has_axe: bool) -> Iterator[str]:
    """Give where the page is wider than the window, and what axe finds on desk and phone."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            yield f"scrolls sideways at {width} px: {wide}"
        if has_axe and width in _AXE_WIDTHS:
            yield from violations(page)


def is_reached_by_keys(page: Page) -> bool:
    """Tab through the page from its top, or from the place in it that a link leads to."""
    page.evaluate(
        "window.isReached = false; document.addEventListener('focusin', event => { window.isReached = window.isReached || event.target.matches('main .btn-primary') })"
    )
    page.evaluate("document.querySelector('.skip-link').focus()")  # the top: leaving a field would go on from it
    for _ in range(_FEW_TABS):
        page.keyboard.press("Tab")
    if page.evaluate("window.isReached"):
        return True
    page.evaluate("document.querySelector('.skip-link').focus()")
    for _ in range(_MAX_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('main .btn-primary')"):
            return True
        leads = "document.activeElement.matches('main a[href^=\"#\"]') && (document.querySelector(document.activeElement.hash).parentNode.querySelector('.btn-primary') !== null)"
        if page.evaluate(leads):
            page.keyboard.press("Enter")
    return False
