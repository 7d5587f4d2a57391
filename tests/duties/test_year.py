"""What a year comes to on paper: the ledger as a Word document, and the unit's yearly page, both against the raw rows."""

from __future__ import annotations

import io
import re
from datetime import date
from decimal import Decimal

from docx import Document

from examapp import clock
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.grading.models import Grade
from examapp.organisation.people.models import Person
from examapp.oversight.assessments.models import AssessmentScore
from examapp.oversight.duty_lists.models import DutyItem, DutyRecord
from examapp.points import percentage
from tests.reports.county import ReportCounty


def add_item(duties, own, content, **fields):
    now = clock.now()
    position = len(duties.items(own)) + 1
    values = {"kind": "own", "person": "张三", "due_on": date(2026, 12, 31), "created_at": now, "updated_at": now}
    return duties.world.save(DutyItem(list_id=own.id, position=position, content=content, **(values | fields)))


def add_record(duties, item, done_on, reached, **fields):
    now = clock.now()
    values = {"form": "学习", "created_at": now, "updated_at": now}
    return duties.world.save(DutyRecord(item_id=item.id, done_on=done_on, reached=reached, **(values | fields)))


def a_year(duties):
    """A published list: one item done twice (once withdrawn), one done late, one overdue, one to come, one taken off after a record."""
    own = duties.published(content="宪法", due_on="2026-03-01")
    [first] = duties.items(own)
    items = {
        "first": first,
        "late": add_item(duties, own, "民法典", due_on=date(2026, 4, 1)),
        "overdue": add_item(duties, own, "水法", due_on=date(2026, 5, 1)),
        "later": add_item(duties, own, "安全生产法"),
        "off": add_item(duties, own, "旧办法", withdrawn_at=clock.now()),
    }
    add_record(
        duties,
        items["first"],
        date(2026, 2, 1),
        30,
        place="三楼会议室",
        law="宪法",
        text="学习<宪法> & 宣誓",
        form="集中学习",
    )
    add_record(duties, items["first"], date(2026, 2, 20), 12)
    add_record(duties, items["first"], date(2026, 2, 21), 500, withdrawn_at=clock.now())
    add_record(duties, items["late"], date(2026, 4, 2), 7)
    add_record(duties, items["off"], date(2026, 1, 5), 3)
    return own, items


def test_the_ledger_as_word_holds_every_record_that_stands_and_the_lines_to_sign(duties):
    own, _ = a_year(duties)
    answer = duties.admin.get(f"/admin/duties/lists/{own.id}/ledger.docx")
    assert answer.mimetype == "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    document = Document(io.BytesIO(answer.data))
    text = [paragraph.text for paragraph in document.paragraphs if paragraph.text]
    assert text[0] == "司法局2026年普法责任制台账"
    assert text[1] == "共 4 条履职记录，受众 52 人次；截至 2026年11月24日。"
    assert text[-1].startswith("单位（盖章）：") and "负责人（签字）" in text[-1]
    [table] = document.tables
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0] == [
        "序号", "事项", "责任人", "完成时限", "日期", "形式", "地点", "受众人数", "宣传的法律法规", "开展情况", "备注",
    ]  # fmt: skip
    day, blank = "2026-12-31", ["", "", "", "", "", "", ""]
    assert rows[1:] == [
        [
            "1",
            "宪法",
            "张三",
            "2026-03-01",
            "2026-02-01",
            "集中学习",
            "三楼会议室",
            "30",
            "宪法",
            "学习<宪法> & 宣誓",
            "",
        ],
        ["1", "宪法", "张三", "2026-03-01", "2026-02-20", "学习", "", "12", "", "", ""],
        ["2", "民法典", "张三", "2026-04-01", "2026-04-02", "学习", "", "7", "", "", ""],
        ["3", "水法", "张三", "2026-05-01", *blank],
        ["4", "安全生产法", "张三", day, *blank],
        ["5", "旧办法", "张三", day, "2026-01-05", "学习", "", "3", "", "", "已撤下"],
    ]
    existing = duties.session.query(DutyRecord).filter(DutyRecord.withdrawn_at.is_(None)).all()
    assert (len(existing), sum(record.reached for record in existing)) == (4, 52)
    other = duties.world.api(duties.world.admin("unit_admin", duties.other))
    assert other.get(f"/admin/duties/lists/{own.id}/ledger.docx").status_code == 404


def figures_on(page):
    """The page's figures: label to value."""
    found = re.findall(r'<div class="figure-label">(.*?)</div><div class="figure-value">(.*?)</div>', page)
    return {label: re.sub(r"<[^>]+>", "", value) for label, value in found}


def test_the_yearly_page_shows_what_the_raw_rows_come_to(assessed):
    county = ReportCounty(assessed.world)
    world, session, unit = assessed.world, assessed.session, assessed.unit
    section = world.unit("法规股", parent=unit, kind="sub_unit", code="D00101")
    people = [world.person(place) for place in (unit, unit, section, section, section)]
    for person, points in zip(people, (95, 61, 40), strict=False):
        county.attempt(person, points=points)
    county.excuse(people[3])
    county.attempt(world.person(assessed.other), points=100)
    assessed.fed_back()
    a_year(assessed)
    page = assessed.admin.get(f"/admin/duties/units/{unit.id}?year=2026").text
    figures = figures_on(page)
    ids = {person.id for person in session.query(Person) if person.unit_id in (unit.id, section.id)}
    items = [item for item in session.query(DutyItem) if item.withdrawn_at is None]
    records = [
        record for record in session.query(DutyRecord) if record.withdrawn_at is None
    ]  # as the ledger counts them
    firsts = {item.id: min((r.done_on for r in records if r.item_id == item.id), default=None) for item in items}
    overdue = [item for item in items if firsts[item.id] is None and item.due_on < clock.today()]
    done = [day for day in firsts.values() if day is not None]
    raw = (len(items), len(done), len(overdue), len(records), sum(record.reached for record in records))
    assert tuple(int(figures[label]) for label in ("事项", "已完成", "已逾期", "履职记录", "受众人次")) == raw
    assert (len(items), len(overdue)) == (4, 1)
    grades = {
        row.person_id: grade
        for row, grade in session.query(Attempt, Grade).join(Grade, Grade.attempt_id == Attempt.id)
        if row.person_id in ids
    }
    eligible = len(ids) - 1 - 1  # the unit's administrator is on no roster, and one is exempt
    passed = sum(grade.is_passed for grade in grades.values())
    row = re.search(rf"<tr><td>{county.exam.title}</td>(.*?)</tr>", page)[1]
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
    mean = sum((grade.points for grade in grades.values()), Decimal(0)) / len(grades)
    assert cells == [
        "本次考试", str(eligible), str(len(grades)), f"{percentage(len(grades), eligible)}%", f"{percentage(passed, len(grades))}%",
        f"{percentage(1, 3)}%", f"{mean:.2f}".rstrip("0").rstrip("."),
    ]  # fmt: skip
    fixed = sum(
        (score.points for score in session.query(AssessmentScore).filter_by(sheet_id=assessed.sheet().id)), Decimal(0)
    )
    assert fixed == Decimal("8.50")
    assert (figures["考核得分"], figures["等次"], figures["自评得分"]) == ("8.5", "合格", "9")
