"""What the office's bulk work costs in clicks, and the questions that it is asked most, answered from its home page; on one deployment of the demo county."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walk import MAX_HEIGHT, height_of, misfits, sign_in, workbook

pytestmark = pytest.mark.browser

_LONG_MS = 60_000
_COUNT = "addEventListener('pointerdown', () => sessionStorage.setItem('clicks', Number(sessionStorage.getItem('clicks')) + 1), true)"
_QUESTIONS = 197
_MAX_REVIEW_CLICKS = 15
_SUBJECTS = ("选举", "预算", "采购", "招标", "信访", "档案", "保密", "统计", "审计", "环评", "征收", "救助", "婚姻")

_MAX_CLICKS = 3
_ASKED = (
    (["普法活动统计", "今年宣讲"], r"群众（人次）\s*[1-9]\d*"),
    (["专项宣传", "民法典宣传月"], r"民法典进村入户宣讲"),
    (["普法活动统计", "中心组没有学宪法的单位"], r"没有开展的单位（[1-9]\d* 个）"),
    (["述法", "没有述法的第一责任人"], r"逾期未报"),
    (["年度总结", "各系统和系统内各单位考试合格率"], r"县人民医院"),
    (["年度总结", "比上次改善了哪些薄弱点"], r"这次改善的法律（[1-9]\d* 部）"),
)
"""What is clicked from home on, and what the page then says."""


def clicks_of(page: Page) -> int:
    """Give the clicks on the site since the last count."""
    page.wait_for_load_state()
    return page.evaluate(
        "(() => { const n = Number(sessionStorage.getItem('clicks')); sessionStorage.removeItem('clicks'); return n; })()"
    )


def open_from_menu(page: Page, group: str, link: str) -> None:
    page.goto("/")
    clicks_of(page)
    folded = page.locator(".site-menu-group > summary", has_text=group)
    if folded.count():  # a group of one link is that link
        folded.click()
    page.locator(".site-menu").get_by_role("link", name=link, exact=True).click()


@pytest.fixture
def enter(visitors, accounts):
    """Opens a page signed in as a role, its clicks counted."""

    def enter(role: str) -> Page:
        page = visitors.visitor()
        page.context.add_init_script(_COUNT)
        sign_in(page, accounts[role])
        return page

    return enter


@pytest.mark.begins
def test_each_question_is_answered_by_three_clicks_on_pages_that_fit(visitors, accounts):
    page = visitors.visitor()
    sign_in(page, accounts["publicity_office"])
    issues = []
    for clicks, answer in _ASKED:
        page.goto("/")
        count = len(clicks)
        for text in clicks:
            if not (link := page.get_by_role("link", name=text).first).is_visible():
                page.locator("summary", has_text="普法责任制").first.click()
                count += 1
            link.click()
        issues += [f"{clicks}: {count} clicks"] if count > _MAX_CLICKS else []
        expect(page.locator("main")).to_contain_text(re.compile(answer))
        heights = []
        for width in (1280, 360, 320):
            issues += [f"{clicks}: {issue}" for issue in misfits(page, [width], has_axe=False)]
            heights.append(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": 1280, "height": 900})
        issues += [f"{clicks}: {heights} px long"] if max(heights[:2]) > MAX_HEIGHT else []
    assert (issues, visitors.issues) == ([], [])


def test_a_phone_shows_a_long_list_part_by_part_and_all_of_it_where_all_is_meant(visitors, accounts):
    page = visitors.visitor(width=360, height=740)
    sign_in(page, accounts["publicity_office"])
    page.goto("/admin/questions/")
    rows, more = page.locator("tbody > tr"), page.get_by_role("button", name="再显示")
    first = rows.locator("visible=true").count()
    assert 3 <= first < rows.count() and height_of(page) <= MAX_HEIGHT
    assert page.locator("td[data-head='题型']").count() == rows.count(), "a card says what a column's head said"
    more.click()
    expect(rows.locator("visible=true")).to_have_count(first + 20)
    expect(rows.nth(first)).to_be_focused()
    page.get_by_label("全选本页").check()
    expect(rows.locator("visible=true")).to_have_count(rows.count())
    expect(more).to_be_hidden()
    page.reload()
    expect(more).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(rows.locator("visible=true")).to_have_count(rows.count())
    for path in ("/admin/duties/", "/admin/duties/reports"):
        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(path)
        heights = [height_of(page)]
        for width in (320, 360):  # in a narrower window its table becomes cards, and stays so
            page.set_viewport_size({"width": width, "height": 740})
            heights.append(height_of(page))
        assert max(heights[0], heights[2]) <= MAX_HEIGHT, (path, heights)
    assert visitors.issues == []


def test_bulk_work_takes_few_clicks(enter, visitors, accounts, tmp_path):
    office, second = enter("publicity_office"), accounts["candidate"]
    counts = {
        "units": import_units(office, tmp_path),
        "passwords": print_passwords(office, tmp_path),
        "roles": ask_for_role(enter("security_admin"), second, tmp_path),
        "approvals": approve_all(enter("system_admin")),
    }
    import_questions(office, tmp_path)
    counts["review"] = review(enter("candidate"))
    assert visitors.issues == []
    limits = {"units": 6, "passwords": 5, "roles": 5, "approvals": 4, "review": _MAX_REVIEW_CLICKS}
    assert {task: n for task, n in counts.items() if not 0 < n <= limits[task]} == {}, counts


def import_units(page: Page, folder: Path) -> int:
    """Create 28 units from a file."""
    rows = [["单位名称", "类别"], *([f"县属第{n}管理所", "县直单位"] for n in range(1, 29))]
    open_from_menu(page, "单位与人员", "单位")
    page.get_by_role("link", name="导入单位").click()
    choose_file(page, workbook(folder / "units.xlsx", rows))
    page.get_by_role("button", name="检查单位表").click()
    expect(page.locator(".figure").first).to_contain_text("28")
    page.get_by_role("button", name="导入这些单位").click()
    expect(page.locator(".notice-success")).to_contain_text("28")
    return clicks_of(page)


def choose_file(page: Page, path: Path) -> None:
    """Click the field of a file and choose; what the system's own window costs is not the site's."""
    with page.expect_file_chooser() as chooser:
        page.locator("input[type=file]").click()
    chooser.value.set_files(path)


def print_passwords(page: Page, folder: Path) -> int:
    """Print the cards of two people whom a roster has just brought."""
    rows = [["工号", "姓名", "单位"], ["DJ00003", "甄点击", "县司法局"], ["DJ00004", "甄少点", "县司法局"]]
    page.goto("/admin/people/imports")
    page.get_by_label("名册文件").set_input_files(workbook(folder / "roster.xlsx", rows))
    page.get_by_role("button", name="上传并检查").click()
    page.get_by_role("button", name="导入全部 2 行").click(timeout=_LONG_MS)
    expect(page.get_by_text("全部导入完成")).to_be_visible(timeout=_LONG_MS)
    open_from_menu(page, "单位与人员", "人员")
    page.get_by_role("link", name="初始密码", exact=True).click()
    page.get_by_role("button", name="查看", exact=True).click()
    page.get_by_role("button", name="打印密码卡").click()
    expect(page.locator(".password-card").first).to_be_visible()
    return clicks_of(page)


def ask_for_role(page: Page, person: dict[str, str], folder: Path) -> int:
    """Ask by a file for a role for somebody."""
    rows = [["单位", "姓名", "角色", "工号"], [person["unit"], person["name"], "普法办", person["login_name"]]]
    open_from_menu(page, "单位与人员", "人员")
    page.get_by_role("link", name="成批授权").click()
    choose_file(page, workbook(folder / "roles.xlsx", rows))
    page.get_by_role("button", name="提交授权申请").click()
    expect(page.locator(".notice-success")).to_be_visible()
    return clicks_of(page)


def approve_all(page: Page) -> int:
    page.goto("/admin/approvals/")
    page.get_by_label("全选").check()
    page.get_by_role("button", name="同意勾选的申请").click()
    expect(page.locator(".notice-success")).to_be_visible()
    return clicks_of(page)


def import_questions(page: Page, folder: Path) -> None:
    rows = [["题型", "题干", "选项A", "选项B", "选项C", "答案"]]
    for n in range(_QUESTIONS):
        subject = _SUBJECTS[n % len(_SUBJECTS)]
        options = [f"{subject}甲{n}", f"{subject}乙{n * 7}", f"{subject}丙{n * 13}"]
        rows.append(["单选题", f"{subject}工作第{n}号案例中，{subject}机关应当怎样办理？", *options, "ABC"[n % 3]])
    page.goto("/admin/questions/imports/")
    page.get_by_label("题库文件").set_input_files(workbook(folder / "bank.xlsx", rows))
    page.get_by_role("button", name="上传并预览").click()
    page.get_by_role("button", name=f"导入 {_QUESTIONS} 题").click(timeout=_LONG_MS)
    expect(page.get_by_role("link", name="查看导入的题目")).to_be_visible(timeout=_LONG_MS)


def review(page: Page) -> int:
    """Pass all drafts, each shown in full, from the home page on."""
    clicks_of(page)
    page.locator("main").get_by_role("link", name=re.compile("审核")).first.click()
    page.get_by_role("link", name="成页审核并启用").click()
    button = page.get_by_role("button", name=re.compile("^审核通过并启用"))
    while button.count():
        button.click()
        expect(page.locator(".notice-success")).to_be_visible()
    expect(page.get_by_text("没有等您审核的题目了")).to_be_visible()
    return clicks_of(page)
