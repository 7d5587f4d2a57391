"""A list leaves and comes back as a table in the heads that counties use; a row that cannot stand says why."""

from __future__ import annotations

import io
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook

from examapp.oversight.duty_lists.rules import read_day
from tests.duties.making import ITEM

TOP = ["序号", "内容清单", "责任清单", None, None, "措施清单", None, None, "标准清单"]
SECOND = [None, None, "责任领导", "责任人", "责任科室", "普法对象", "学习宣传载体", "方式措施", None]


def workbook(*rows, more=(), title="某镇普法责任清单"):
    """A workbook as townships write it: a title, two head rows with merged cells, a heading within the table."""
    book = Workbook()
    sheet = book.active
    sheet.append([title])
    sheet.append(TOP + [head for head, _ in more])
    sheet.append(SECOND + [sub for _, sub in more])
    for area in ("A1:I1", "A2:A3", "B2:B3", "C2:E2", "F2:H2", "I2:I3"):
        sheet.merge_cells(area)
    sheet.append(["一、共性清单"])
    for row in rows:
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def send(duties, own, content, name="清单.xlsx"):
    answer = duties.admin.post(f"/admin/duties/lists/{own.id}/import", data={"file": (io.BytesIO(content), name)})
    duties.session.expire_all()
    return answer


@pytest.fixture
def own(duties):
    duties.open(duties.unit)
    return duties.list_of(duties.unit)


def test_a_townships_table_is_taken(duties, own):
    row = [1, "宪法", "李四", "张三", "党政办", "干部", "宪法宣传周", "集中学习", "不少于两次"]
    answer = send(duties, own, workbook(row, [2, "民法典", "李四", "王五", "司法所", "群众", "讲座", "进村", "四场"]))
    assert answer.status_code == 302
    first, second = duties.items(own)
    assert [
        first.content,
        first.leader,
        first.person,
        first.department,
        first.audience,
        first.carrier,
        first.measures,
        first.standard,
    ] == row[1:]
    assert second.content == "民法典"


def test_a_row_that_cannot_stand_says_why_and_nothing_is_taken(duties, own):
    good = [1, "宪法", "李四", "张三", "党政办", "干部", "周", "学", "两次", "2026-12-31"]
    bad = [
        [2, None, "李四", "张三", "", "", "", "", "", ""],
        [3, "民法典", "李" * 61, "", "", "", "", "", "", "年底前"],
        [4, "刑法", "", "", "", "", "", "", "", "2025-02-30"],
        [5, "保密法", "", "", "", "", "", "", "", "2027-01-01"],
        good,
    ]
    answer = send(duties, own, workbook(good, *bad, more=[("完成时限", None)]))
    assert answer.status_code == 422
    for text in (
        "第 6 行",
        "没有填写法律法规或主题",
        "有 61 字，最多 60 字",
        "“年底前”不是日期",
        "没有这一天",
        "应在 2026 年内",
        "与第 5 行完全相同",
    ):
        assert text in answer.text, text
    assert duties.items(own) == []


def test_the_export_has_the_real_heads_and_comes_back_unchanged(duties, own):
    duties.add(own, content="=1+1 与行政处罚法")
    answer = duties.admin.get(f"/admin/duties/lists/{own.id}/table.xlsx")
    sheet = load_workbook(io.BytesIO(answer.data)).active
    assert [cell.value for cell in sheet[2]] == TOP
    assert [cell.value for cell in sheet[3]] == SECOND
    assert {"A2:A3", "C2:E2", "F2:H2", "I2:I3"} <= {str(area) for area in sheet.merged_cells.ranges}
    assert (sheet["B4"].value, sheet["B4"].data_type) == ("=1+1 与行政处罚法", "s")
    full = duties.admin.get(f"/admin/duties/lists/{own.id}/table.xlsx?days=1").data
    for content in (answer.data, full):
        assert "没有变化 1 项" in duties.admin.get(send(duties, own, content).location).text
    item = duties.items(own)[0]
    assert (item.due_on, item.measures) == (date(2026, 12, 31), ITEM["measures"])


def test_of_a_common_item_only_who_answers_is_taken(duties, own):
    duties.add(duties.list_of(None), client=duties.office, content="宪法")
    send(duties, own, workbook([1, "宪法", "新领导", "新人", "新处", "别的对象", "", "", ""]))
    item = duties.items(own)[0]
    assert (item.leader, item.person, item.audience) == ("新领导", "新人", ITEM["audience"])


def test_what_is_no_list_is_rejected_in_words(duties, own):
    assert "没有找到表头" in send(duties, own, "姓名,工号\n张三,1\n".encode(), "名册.csv").text
    assert send(duties, own, b"PK\x03\x04 broken").status_code == 422
    assert "请选择文件" in duties.admin.post(f"/admin/duties/lists/{own.id}/import", data={}).text
    assert "表头下面没有内容" in send(duties, own, workbook()).text


def test_a_table_does_not_reach_a_published_or_foreign_list(duties):
    published = duties.published()
    assert send(duties, published, workbook([1, "宪法"])).status_code == 409
    duties.open(duties.other, client=duties.office)
    foreign = duties.list_of(duties.other)
    assert send(duties, foreign, workbook([1, "宪法"])).status_code == 404
    assert duties.admin.get(f"/admin/duties/lists/{foreign.id}/table.xlsx").status_code == 404


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026年12月4日", date(2026, 12, 4)),
        ("12月4日", date(2026, 12, 4)),
        ("2026/12/4", date(2026, 12, 4)),
        ("", None),
    ],
)
def test_days_are_read_as_people_write_them(text, day):
    assert read_day(text, year=2026) == (day, "")
