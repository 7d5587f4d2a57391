"""`python -m tests.citations`: a fresh site (DEMO=0) with everything ticked, and every page of it on which a 依据 stands, looked at by candidate and office.

The candidate reads every chapter, practises every question, opens the mistake book and the results of exams sat by the shipped blueprints; the office opens every
question, the review queue with drafts in it, and every law. Prints how soon the site was usable, what was read, and each 依据 that does not open; exit code 1 where there is one.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from lxml import html

from examapp import clock
from examapp.ops import protocol_client
from tests.browser.deployment import Deployment, deployed
from tests.citations.crawl import Crawl, crawl, first_answer, select
from tests.citations.site import Visitor
from tests.helpers.processes import wait_until

Result = TypeVar("Result")
_ROOT = Path(__file__).parents[2]
_PASSWORD = "Qinghe-2026-xuefa"
_SHOWN = 50
"""Issues of one part of the walk that are printed."""
_OFFICE, _CANDIDATE = "zhou", "100001"
_LOAD_S, _GRADING_S = 300.0, 60.0
_DRAFTS = 30
"""Questions that are put into the review queue."""


def main() -> int:
    """Walk and report."""
    with (
        tempfile.TemporaryDirectory() as folder,
        deployed(Path(folder), DEMO="0", EXAMAPP_LAWS="", PRACTICE_ANSWERS_A_DAY="100000") as site,
    ):
        return _walk(site, Path(folder))


def _walk(site: Deployment, folder: Path) -> int:
    port = site.site.settings.port
    office, found = Visitor(port), Crawl()
    _set_up(office, site.setup_code)
    _import_drafts(site, folder)
    candidate = _make_candidate(office, port)
    questions = _stage("题库和待审", found, lambda: _read_office(office, found))
    _stage(
        "课程",
        found,
        lambda: crawl(candidate.open, ["/study/"], within=r"/study/(courses|chapters)/\d+(\?page=\d+)?", found=found),
    )
    _stage("练习", found, lambda: _practise(candidate, questions, found))
    _stage("考试成绩", found, lambda: _take_exams(office, candidate, found))
    _stage(
        "错题本和笔记",
        found,
        lambda: crawl(
            candidate.open,
            ["/practice/mistakes", "/practice/notes"],
            within=r"/(practice/mistakes|practice/notes)(\?page=\d+)?",
            found=found,
        ),
    )
    _stage("法律法规", found, lambda: crawl(candidate.open, ["/laws/"], within=r"/laws/[^/]+/[\d-]+/", found=found))
    _stage("条文的链接", found, lambda: found.follow_articles(candidate.open))
    print(f"{found.pages} 页，{found.cited} 处条文，{len(found.wanted)} 个链接的条文；打不开的 {len(found.issues)} 处")
    return 1 if found.issues else 0


def _stage(name: str, found: Crawl, act: Callable[[], Result]) -> Result:
    began, pages, cited, known = time.monotonic(), found.pages, found.cited, len(found.issues)
    result = act()
    took, issues = time.monotonic() - began, found.issues[known:]
    print(
        f"{name}：{found.pages - pages} 页，{found.cited - cited} 处条文，打不开的 {len(issues)} 处，{took:.0f} 秒",
        flush=True,
    )
    print("".join(f"  {issue}\n" for issue in issues[:_SHOWN]), end="", flush=True)
    return result


def _set_up(office: Visitor, code: str) -> None:
    """Set the site up with every tick left in, and say after how many seconds all of it is there."""
    page = office.open("/setup")
    began = time.monotonic()
    fields = {"setup_code": code, "county_name": "青禾县", "county_code": "QH", "name": "周主任", "login_name": _OFFICE}
    answer = office.press(
        page,
        select(html.fromstring(page.text), "//form//button[@type='submit']")[-1].text_content().strip(),
        fields | {"password": _PASSWORD, "repeated": _PASSWORD},
    )
    assert "勾选的内容正在后台装入" in answer.text, answer.text
    protocol_client.perform(protocol_client.sign_in(office.browser, _OFFICE, _PASSWORD), office.ask)
    done = wait_until(
        lambda: "普法责任清单范本：" in office.open("/admin/content/").text, within_s=_LOAD_S, every_s=0.5
    )
    assert done, office.open("/admin/content/").text
    print(f"设置后 {time.monotonic() - began:.1f} 秒全部装好", flush=True)


def _import_drafts(site: Deployment, folder: Path) -> None:
    """Put questions into the review queue: shipped ones with other words, so that they are new to the bank."""
    text = (_ROOT / "question_bank/content/行政处罚法.txt").read_text("utf-8")
    head, *questions = re.split(r"(?m)^(?=## )", text)
    drafts = folder / "drafts.txt"
    drafts.write_text(
        head
        + "".join(
            one.replace("题干：", "题干：（待审）").replace("材料：", "材料：（待审）") for one in questions[:_DRAFTS]
        ),
        "utf-8",
    )
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "bank", "import", str(drafts)],
        cwd=_ROOT,
        env=site.site.environment,
        check=True,
        capture_output=True,
    )


def _make_candidate(office: Visitor, port: int) -> Visitor:
    """Put a person on the roster, hand out the first password, and sign in with one of their own."""
    page = office.open("/admin/people/new")
    unit = select(html.fromstring(page.text), "//select[@name='unit_id']/option[@value!='']/@value")[0]
    answer = office.press(
        page, "登记", {"name": "张建国", "staff_number": _CANDIDATE, "unit_id": unit, "is_on_roster": "y"}
    )
    assert "已登记" in answer.text, answer.text
    cards = office.press(office.open(f"/admin/people/passwords?unit={unit}"), "打印密码卡", {"as": "page"})
    first = select(html.fromstring(cards.text), "//dd[@class='first-password']/text()")[0]
    candidate = Visitor(port)
    page = candidate.press(candidate.open("/login"), "登录", {"login_name": _CANDIDATE, "password": first})
    passwords = {"current_password": first, "new_password": _PASSWORD, "repeated": _PASSWORD}
    changed = candidate.press(page, "保存新密码", passwords)
    assert "密码已修改" in changed.text, changed.text
    candidate.browser.csrf = candidate.ask(protocol_client.ProtocolCall("GET", "/api/v1/session")).json()["csrf_token"]
    return candidate


def _read_office(office: Visitor, found: Crawl) -> list[int]:
    """Open every question and the whole review queue; gives the numbers of the questions."""
    seen = crawl(
        office.open,
        ["/admin/questions/", "/admin/questions/review", "/admin/questions/review/read"],
        within=r"/admin/questions/(\?page=\d+|\d+|review(\?page=\d+|/\d+)?)",
        found=found,
    )
    return sorted(int(number[1]) for path in seen if (number := re.fullmatch(r"/admin/questions/(\d+)", path)))


def _practise(candidate: Visitor, questions: list[int], found: Crawl) -> None:
    """Practise every question that may be practised, each part once, with the first answer at hand."""
    solved = 0
    for number in questions:
        page = candidate.post(f"/practice/questions/{number}")
        if "提交答案" in page.text:
            found.read(candidate.press(page, "提交答案", {"response": first_answer(page.text)}))
            solved += 1
    print(f"练习：{len(questions)} 题中作答 {solved} 题", flush=True)


def _take_exams(office: Visitor, candidate: Visitor, found: Crawl) -> None:
    """Hold an exam by each shipped blueprint whose keys come out at once, sit it, and read its results."""
    form = html.fromstring(office.open("/admin/exams/new").text)
    for value in select(form, "//select[@name='blueprint_id']/option[@value!='' and @value!='0']/@value"):
        opens = clock.local(clock.now())
        fields = {
            "title": f"考试 {value}",
            "kind": "mock",
            "blueprint_id": value,
            "opens_at": f"{opens - timedelta(minutes=5):%Y-%m-%dT%H:%M}",
            "closes_at": f"{opens + timedelta(days=2):%Y-%m-%dT%H:%M}",
            "duration": "30",
            "results_policy": "at_once",
            "keys_policy": "at_once",
        }
        shown = office.press(office.open("/admin/exams/new"), "保存考试设置", fields)
        shown = office.press(shown, "发布考试")
        exam_id = int(re.search(r"/exams/(\d+)", shown.path)[1])
        attempt_id = _take_exam(candidate, exam_id)
        address = f"/attempts/{attempt_id}/result"
        graded = wait_until(lambda: "解析" in candidate.open(address).text, within_s=_GRADING_S, every_s=0.5)  # noqa: B023 – called at once
        assert graded, candidate.open(address).text
        found.read(candidate.open(address))


def _take_exam(candidate: Visitor, exam_id: int) -> int:
    """Start an exam, answer nothing and hand in: everything is a mistake with its explanation."""
    reply = candidate.ask(protocol_client.start_attempt(exam_id))
    assert reply.status in {200, 201}, reply.content
    attempt = reply.json()
    handed_in = candidate.ask(protocol_client.submit(attempt["id"], attempt["epoch"]))
    assert handed_in.status in {200, 201}, handed_in.content
    return int(attempt["id"])


if __name__ == "__main__":
    sys.exit(main())
