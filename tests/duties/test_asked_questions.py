"""The questions that the office is asked most are answered within three clicks from its home page; the yearly report leads to its sources."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from io import BytesIO

from docx import Document
from docx.oxml.ns import qn

from examapp import clock
from examapp.learning.study_events.models import StudyEvent
from tests.reports.county import DAY, ReportCounty

LINK = re.compile(r'<a\b[^>]*?href="(/[^"#]*)[^>]*>(.*?)</a>', re.DOTALL)
NUMBER = re.compile(r"\d+(?:\.\d+)?%?")
ANSWERS = {
    "今年宣讲会几场、多少人": (["普法活动统计", "今年宣讲"], r"群众（人次）</div><div class=\"figure-value\">88<"),
    "民法典宣传月各单位做了什么": (["专项宣传", "民法典宣传月"], "进村宣讲"),
    "哪些单位中心组没有学宪法": (["普法活动统计", "中心组没有学宪法的单位"], "<li>青山乡</li>"),
    "哪些第一责任人没有述法": (["述法", "没有述法的第一责任人"], "青山乡"),
    "某局系统内各单位考试合格率": (["查看各单位参考情况", "按主管系统", "教育系统"], r">教育局</a>"),
    "今年比去年哪些薄弱点改善了": (["查看各单位参考情况", "薄弱法律和知识点"], "得分率＝"),
}


def click(client, path, text):
    page = client.get(path, follow_redirects=True)
    assert page.status_code == 200, path
    links = [(unescape(href), re.sub(r"<[^>]+>|\s", "", label)) for href, label in LINK.findall(page.text)]
    found = [href for href, label in links if label == text] or [href for href, label in links if text in label]
    assert found, f"{path} has no link {text}"
    return found[0]


def figures_on(page):
    """Texts of the figures and of the table cells of a page: what a link from a figure has to show again."""
    assert page.status_code == 200
    found = re.findall(r'<div class="figure-value">(.*?)</div>|<t[dh][^>]*>(.*?)</t[dh]>', page.text, re.DOTALL)
    return {re.sub(r"<[^>]+>", "", figure or cell).strip() for figure, cell in found}


def links_of(document):
    """Texts and addresses of the links in a Word document's tables."""
    links = document.tables[-1]._tbl.xpath(".//w:hyperlink")
    return [
        ("".join(link.xpath(".//w:t/text()")), document.part.rels[link.get(qn("r:id"))].target_ref) for link in links
    ]


def test_each_question_is_answered_within_three_clicks(world):
    county = ReportCounty(world)
    now, office = clock.now(), world.api(world.admin("publicity_office"))
    world.exam(title="去年的考试", opens_in=-400 * DAY, lasts=5 * DAY)
    person = world.person(county.school)
    county.attempt(person, points=80)
    may = clock.from_local(clock.local(now).replace(month=5, day=20, hour=9, tzinfo=None))
    held = {"state": "held", "code_seed": b"s", "created_at": now, "updated_at": now}
    for unit, kind, laws, theme, outside in (
        (county.bureau, "outreach", "民法典", "进村宣讲", 88),
        (county.bureau, "study_group", "宪法", "中心组学习", 1),
    ):
        at = {"starts_at": may, "ends_at": may + timedelta(hours=1)}
        world.save(StudyEvent(unit_id=unit.id, kind=kind, laws=laws, theme=theme, outside_count=outside, **at, **held))
    year = str(clock.today().year)
    assert office.post("/admin/duties/campaigns/shipped", data={"year": year}).status_code == 302
    assert office.post("/admin/duties/reports/ask", data={"year": year, "due_on": f"{year}-12-20"}).status_code == 302
    for question, (clicks, answer) in ANSWERS.items():
        assert len(clicks) <= 3
        path = "/"
        for text in clicks:
            path = click(office, path, text)
        assert re.search(answer, office.get(path, follow_redirects=True).text), f"{question}: {path}"
    yearly = office.get(click(office, "/", "年度总结")).text
    assert "全年开展普法活动 2 场，其中党委（党组）理论学习中心组学习 1 场、宣讲 1 场" in yearly
    document = Document(BytesIO(office.get(f"/admin/duties/yearly.docx?year={year}").data))
    said = "".join(paragraph.text for paragraph in document.paragraphs).partition("附：")[0]
    sources = links_of(document)
    assert set(NUMBER.findall(re.sub(r"\d+年|\d+月|\d+日", "", said))) <= {text for text, _ in sources}
    for text, address in sources:
        assert text in figures_on(office.get(address.removeprefix("http://localhost"))), (text, address)
    assert len(sources) > 20


def test_a_bureaus_year_counts_its_system_in_every_part(world):
    county = ReportCounty(world)
    for unit in (county.bureau, county.school, county.town):
        county.attempt(world.person(unit), points=80)
    admin = world.api(world.admin("unit_admin", county.bureau, tree="sector"))
    page = admin.get(f"/admin/duties/yearly?year={clock.today().year}").text
    assert "应考 2 人，参考 2 人" in page
    [href] = {unescape(href) for href, label in LINK.findall(page) if "scope=" in href}
    assert "tree=sector" in href
    assert {"2", "100.00%"} <= figures_on(admin.get(href))
