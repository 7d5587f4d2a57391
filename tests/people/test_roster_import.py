"""Roster import: any encoding, heads as people write them, per-row reasons, twice the same (H05, H07, H08)."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta

import pytest
import xlsxwriter

from examapp.documents.tables import UnreadableTableError, cell_text, read_grids
from examapp.jobs.models import JobState
from examapp.organisation.people.models import Account, Person, PersonState, RoleGrant, RosterMove
from examapp.organisation.people.rules import id_check_character
from examapp.organisation.roster_imports.rules import HEAD_ALIASES, read_roster
from tests.conftest import NOON
from tests.helpers.roster_import import HEAD, check, csv_bytes, last_import, result_rows, take_over, unit, upload
from tests.people.conftest import sign_in

ID = "11010519491231002X"


def id_number(number):
    first = f"430527198{number % 10}0101{number % 1000:03d}"
    return first + id_check_character(first)


def xlsx_bytes(*sheets, hidden=()):
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        for number, rows in enumerate(sheets):
            page = book.add_worksheet(f"表{number + 1}")
            if number in hidden:
                page.hide()
            for index, row in enumerate(rows):
                page.write_row(index, 0, row)
    return buffer.getvalue()


def test_a_roster_is_previewed_then_taken_over(app, world, county, office):
    rows = [HEAD, ["A1", "张三", "甲局", "科长", "一级科员", ID, "13800000001"], ["A2", "李四", "0102", "", "", "", ""]]
    job = check(world, office, csv_bytes(rows))
    assert job.state == JobState.DONE
    assert job.summary["counts"] == {"new": 2, "changed": 0, "unchanged": 0, "refused": 0}
    assert world.session.query(Person).filter(Person.staff_number.in_(["A1", "A2"])).count() == 0, (
        "nothing before the word"
    )
    page = office.get(f"/admin/people/imports/{job.id}").get_data(as_text=True)
    assert "导入全部 2 行" in page
    office.post(f"/admin/people/imports/{job.id}/confirm", data={"rows": "all"})
    job = last_import(world)
    assert (job.state, job.done, job.total, job.content) == (JobState.DONE, 2, 2, None)
    person = world.session.query(Person).filter_by(staff_number="A1").one()
    assert (person.name, person.unit_id, person.position, person.rank) == (
        "张三",
        unit(world, "甲局").id,
        "科长",
        "一级科员",
    )
    assert "110105********002X" in office.get(f"/admin/people/{person.id}").get_data(as_text=True)
    assert result_rows(office, job)[1][-1] == "已新增"
    assert world.session.query(RosterMove).filter_by(kind="join").count() == 2
    progress = office.get(f"/jobs/{job.id}").get_json()
    assert progress == {"state": "ready", "done": 2, "total": 2, "message": ""}


def test_the_template_is_read_as_a_roster_and_holds_nobody(office):
    content = office.get("/admin/people/imports/template").data
    file = read_roster(read_grids(content, name="名册模板.xlsx", aliases=HEAD_ALIASES))
    assert file is not None and file.has_units and file.rows == ()


def test_rows_of_totals_are_nobody_and_a_near_name_of_a_unit_is_asked_for(world, county, office):
    unit(world, "甲局").name = "县司法局"
    world.session.flush()
    rows = [
        HEAD,
        ["A1", "张三", "司法局", "", "", "", ""],
        ["合计", "", "", "", "", "", ""],
        ["", "总 计 1 人", "", "", "", "", ""],
    ]
    job = check(world, office, csv_bytes(rows))
    assert job.total == 1 and job.summary["counts"]["refused"] == 1
    assert "没有叫“司法局”的单位，是不是“县司法局”？" in job.summary["problems"][0]["reason"]


def test_an_imported_person_signs_in_with_the_printed_first_password(world, county, office):
    take_over(world, office, csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", ID, "13800000001"]]))
    sheet = office.post(f"/admin/people/passwords/{county.id}/sheet", data={"as": "page"}).get_data(as_text=True)
    password = re.search(r'first-password">([^<]+)<', sheet)[1]
    for name in ("A1", ID, "13800000001"):
        assert sign_in(world.client(), name, password).status_code == 303


def test_importing_twice_changes_nothing(world, county, office):
    content = csv_bytes(
        [HEAD, ["A1", "张三", "甲局", "科长", "", ID, "13800000001"], ["A2", "李四", "乙局", "", "", "", ""]]
    )
    take_over(world, office, content)
    before = world.session.query(Person).filter_by(staff_number="A1").one().updated_at
    job = check(world, office, content)
    assert job.summary["counts"] == {"new": 0, "changed": 0, "unchanged": 2, "refused": 0}
    assert "完全一致" in office.get(f"/admin/people/imports/{job.id}").get_data(as_text=True)
    assert world.session.query(Person).filter_by(staff_number="A1").one().updated_at == before
    assert world.session.query(RosterMove).count() == 2


def test_an_import_is_undone_for_whom_nobody_has_touched_since(world, county, office):
    rows = [[number, name, "甲局", "", "", "", ""] for number, name in (("A1", "张三"), ("A2", "李四"), ("A3", "王五"))]
    job = take_over(world, office, csv_bytes([HEAD, *rows]))
    people = {person.name: person for person in world.session.query(Person).filter(Person.staff_number.like("A_"))}
    world.client(people["李四"]).get("/")
    path = f"/admin/people/imports/{job.id}"
    office.post(f"{path}/undo")
    world.session.expire_all()
    states = {name: person.state for name, person in people.items()}
    assert states == {"张三": PersonState.LEFT, "李四": PersonState.ON_ROSTER, "王五": PersonState.LEFT}
    page = office.get(path).get_data(as_text=True)
    assert "新增的 2 人已从名册中去除" in page and "没有撤销：李四（A2）" in page
    assert "已经撤销过" in office.post(f"{path}/undo", follow_redirects=True).get_data(as_text=True)
    assert check(world, office, csv_bytes([HEAD, *rows])).summary["counts"]["changed"] == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("divider", [",", ";", "\t"])
def test_csv_of_any_encoding_and_divider_is_read(encoding, divider):
    rows = [
        ["2026年某县干部名册"],
        [],
        ["职 工 号", "姓　名", "所在单位", "联系电话（必填）"],
        ["A1", "张三", "甲局", "13800000001"],
    ]
    grid = read_grids(csv_bytes(rows, encoding=encoding, divider=divider), name="a.csv", aliases=HEAD_ALIASES)[0]
    assert grid.rows[3] == ["A1", "张三", "甲局", "13800000001"]


def test_titles_aliases_merged_cells_and_numbers_of_a_workbook_are_read(world, county, office):
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        page = book.add_worksheet("名单")
        page.merge_range(0, 0, 0, 5, "某县国家工作人员名册")
        page.write_row(1, 0, ["序号", "人员\n编号", "人员姓名*", "单位名称", "现任职务", "手机号码"])
        page.write_row(2, 0, [1, 1001, "张三", "", "科员", 13800000001])
        page.write_row(3, 0, [2, 1002, "李四", "", "科员", 13800000002])
        page.merge_range(2, 3, 3, 3, "甲局")
    job = take_over(world, office, buffer.getvalue(), "名册.xlsx")
    assert job.summary["counts"]["new"] == 2
    person = world.session.query(Person).filter_by(staff_number="1002").one()
    assert (person.unit_id, person.position) == (unit(world, "甲局").id, "科员")


def test_old_workbooks_are_read(world, county, office):
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    page = book.add_sheet("名单")
    for index, row in enumerate([HEAD, ["A1", "张三", "甲局", "", "", "", ""]]):
        for column, cell in enumerate(row):
            page.write(index, column, cell)
    buffer = io.BytesIO()
    book.save(buffer)
    assert take_over(world, office, buffer.getvalue(), "名册.xls").summary["counts"]["new"] == 1


@pytest.mark.parametrize(
    ("row", "column", "text"),
    [
        (["", "张三", "甲局", "", "", "", ""], "工号", "没有填工号"),
        (["A9", "", "甲局", "", "", "", ""], "姓名", "没有填姓名"),
        (["A9", "张三", "丙局", "", "", "", ""], "单位", "没有叫“丙局”的单位"),
        (["A9", "张三", "", "", "", "", ""], "单位", "没有填单位"),
        (["A9", "张三", "甲局", "", "", "110105194912310021", ""], "身份证号", "应为 X"),
        (["A9", "张三", "甲局", "", "", "4.30527E+17", ""], "身份证号", "科学计数"),
        (["A9", "张三", "甲局", "", "", "", "1380000"], "手机号", "11 位"),
        (["A 9", "张三", "甲局", "", "", "", ""], "工号", "空格"),
        (["4.30527E+17", "张三", "甲局", "", "", "", ""], "工号", "科学计数"),
        (["A9", "长" * 61, "甲局", "", "", "", ""], "姓名", "内容过长"),
    ],
)
def test_a_bad_row_is_rejected_with_row_column_and_reason_and_the_good_ones_may_go(
    world, county, office, row, column, text
):
    content = csv_bytes([HEAD, ["A1", "王五", "甲局", "", "", "", ""], row])
    job = check(world, office, content)
    assert job.summary["counts"] == {"new": 1, "changed": 0, "unchanged": 0, "refused": 1}
    problem = job.summary["problems"][0]
    assert (problem["line"], problem["column"]) == (3, column)
    assert text in problem["reason"]
    note = result_rows(office, job)[2][-1]
    assert note.startswith("未导入：")
    assert text in note
    office.post(f"/admin/people/imports/{job.id}/confirm", data={"rows": "all"})
    assert not last_import(world).is_confirmed, "all or nothing"
    office.post(f"/admin/people/imports/{job.id}/confirm", data={"rows": "good"})
    assert world.session.query(Person).filter_by(staff_number="A1").count() == 1
    assert world.session.query(Person).filter_by(staff_number="A9").count() == 0


def test_an_id_number_stored_as_a_number_is_rejected_not_mangled(world, county, office):
    content = xlsx_bytes([HEAD, ["A1", "张三", "甲局", "", "", 430527198001011234, ""]])
    job = check(world, office, content, "名册.xlsx")
    assert "科学计数" in job.summary["problems"][0]["reason"]
    assert cell_text(4.30527198001011e17) == "4.30527E+17"
    assert cell_text(13800000001.0) == "13800000001"


def test_duplicates_inside_the_file_are_all_rejected_and_named(world, county, office):
    rows = [
        HEAD,
        ["A1", "张三", "甲局", "", "", ID, ""],
        ["A1", "张三", "乙局", "", "", "", ""],
        ["A2", "李四", "甲局", "", "", ID, ""],
    ]
    job = check(world, office, csv_bytes(rows))
    assert job.summary["counts"]["refused"] == 3
    reasons = [problem["reason"] for problem in job.summary["problems"]]
    assert any("工号在本文件中出现 2 次（第 2、3 行）" in reason for reason in reasons)
    assert any("身份证号在本文件中出现 2 次（第 2、4 行）" in reason for reason in reasons)


def test_somebody_elses_numbers_are_not_taken(world, county, office):
    take_over(world, office, csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", ID, ""]]))
    job = check(
        world, office, csv_bytes([HEAD, ["A2", "李四", "甲局", "", "", ID, ""], ["A1", "王五", "甲局", "", "", "", ""]])
    )
    reasons = [problem["reason"] for problem in job.summary["problems"]]
    assert any("另一个工号名下" in reason for reason in reasons)
    assert any("登记的姓名是“张三”" in reason for reason in reasons)


def test_changes_are_named_and_a_new_unit_is_a_transfer(world, county, office):
    take_over(world, office, csv_bytes([HEAD, ["A1", "张三", "甲局", "科员", "一级科员", ID, "13800000001"]]))
    job = take_over(world, office, csv_bytes([HEAD, ["A1", "张三", "乙局", "科长", "", "", "13800000002"]]))
    assert job.summary["counts"] == {"new": 0, "changed": 1, "unchanged": 0, "refused": 0}
    assert job.summary["changes"][0]["what"] == "单位、职务、手机号"
    person = world.session.query(Person).filter_by(staff_number="A1").one()
    assert (person.unit_id, person.position, person.rank) == (unit(world, "乙局").id, "科长", "一级科员")
    assert person.id_number_index is not None, "an empty cell wipes nothing"
    move = world.session.query(RosterMove).filter_by(kind="transfer").one()
    assert (move.from_unit_id, move.to_unit_id) == (unit(world, "甲局").id, unit(world, "乙局").id)


def test_people_without_staff_numbers_are_known_by_their_id_numbers(world, county, office):
    content = csv_bytes([["姓名", "单位", "身份证号"], ["张三", "甲局", ID], ["李四", "甲局", ""]])
    job = check(world, office, content)
    assert job.summary["counts"]["refused"] == 1
    assert "至少补上一项" in job.summary["problems"][0]["reason"]
    office.post(f"/admin/people/imports/{job.id}/confirm", data={"rows": "good"})
    person = world.session.query(Person).filter(Person.id_number_index.is_not(None)).one()
    assert person.staff_number == f"R{person.id:07d}"
    assert check(world, office, content).summary["counts"] == {"new": 0, "changed": 0, "unchanged": 1, "refused": 1}


def test_one_person_under_two_numbers_in_a_file_is_rejected_in_both_rows(world, county, office):
    take_over(world, office, csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", ID, ""]]))
    rows = [HEAD, ["A1", "张三", "甲局", "", "", "", ""], ["", "张三", "乙局", "", "", ID, ""], ["A2", "李四", "甲局"]]
    job = take_over(world, office, csv_bytes(rows), rows="good")
    assert job.summary["counts"] == {"new": 1, "changed": 0, "unchanged": 0, "refused": 2}
    reasons = {problem["line"]: problem["reason"] for problem in job.summary["problems"]}
    assert "与第 3 行是同一个人" in reasons[2] and "与第 2 行是同一个人" in reasons[3]
    person = world.session.query(Person).filter_by(staff_number="A1").one()
    assert person.unit_id == unit(world, "甲局").id
    assert [move.kind for move in world.session.query(RosterMove).filter_by(person_id=person.id)] == ["join"]


def test_who_had_left_comes_back_with_the_file(world, county, office):
    take_over(world, office, csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", "", ""]]))
    person = world.session.query(Person).filter_by(staff_number="A1").one()
    office.post(f"/admin/people/{person.id}/leave", data={"kind": "leave", "on": "2026-11-24"})
    job = take_over(world, office, csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", "", ""]]))
    assert job.summary["changes"][0]["what"] == "重新列入名册"
    assert person.state == "on_roster"
    assert world.session.query(Account).filter_by(person_id=person.id).one().disabled_at is None


def test_a_unit_admin_reaches_the_own_subtree_alone(world, county, office):
    mine = unit(world, "甲局")
    section = world.unit("办公室", parent=mine, code="010101")
    world.unit("办公室", parent=unit(world, "乙局"), code="010201")
    take_over(world, office, csv_bytes([HEAD, ["B1", "乙人", "乙局", "", "", "", ""]]))
    admin = world.api(world.admin("unit_admin", mine))
    rows = [
        HEAD,
        ["A1", "张三", "办公室", "", "", "", ""],
        ["A2", "李四", "乙局", "", "", "", ""],
        ["B1", "乙人", "甲局", "", "", "", ""],
    ]
    job = check(world, admin, csv_bytes(rows), unit_id=mine.id)
    assert job.summary["counts"] == {"new": 1, "changed": 0, "unchanged": 0, "refused": 2}
    assert [problem["line"] for problem in job.summary["problems"]] == [3, 4]
    admin.post(f"/admin/people/imports/{job.id}/confirm", data={"rows": "good"})
    assert world.session.query(Person).filter_by(staff_number="A1").one().unit_id == section.id
    assert world.session.query(Person).filter_by(staff_number="B1").one().unit_id == unit(world, "乙局").id
    assert upload(admin, csv_bytes(rows), unit_id=unit(world, "乙局").id).status_code == 422
    other = world.api(world.admin("unit_admin", unit(world, "乙局")))
    for path in ("", "/progress", "/file"):
        assert other.get(f"/admin/people/imports/{job.id}{path}").status_code == 404
    assert other.post(f"/admin/people/imports/{job.id}/confirm").status_code == 404


def test_same_named_units_need_a_code(world, county, office):
    world.unit("办公室", parent=unit(world, "甲局"), code="010101")
    world.unit("办公室", parent=unit(world, "乙局"), code="010201")
    job = check(world, office, csv_bytes([HEAD, ["A1", "张三", "办公室", "", "", "", ""]]))
    assert "有 2 个，请改填单位编码（010101、010201）" in job.summary["problems"][0]["reason"]


def test_rights_lost_meanwhile_stop_the_import(world, county):
    admin = world.admin("unit_admin", unit(world, "甲局"))
    client = world.api(admin)
    job = check(
        world, client, csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", "", ""]]), unit_id=unit(world, "甲局").id
    )
    job.is_confirmed, job.state = True, JobState.QUEUED

    world.session.query(RoleGrant).filter_by(person_id=admin.id).update({"ends_at": NOON})
    world.session.flush()
    with world.app.app_context():
        world.app.extensions["celery"].tasks["jobs.run"](job.id)
    world.session.expire_all()
    assert (last_import(world).state, world.session.query(Person).filter_by(staff_number="A1").count()) == (
        JobState.FAILED,
        0,
    )
    assert "没有导入名册的权限" in last_import(world).message


def test_hidden_and_headless_sheets_are_named_not_read(world, county, office):
    good, other = [HEAD, ["A1", "张三", "甲局", "", "", "", ""]], [HEAD, ["A2", "李四", "甲局", "", "", "", ""]]
    job = check(world, office, xlsx_bytes(good, other, [["说明"], ["填表要求"]], hidden=(1,)), "名册.xlsx")
    assert job.summary["counts"]["new"] == 1
    assert any("隐藏" in remark for remark in job.summary["remarks"])
    assert any("没有读取" in remark for remark in job.summary["remarks"])


def _bomb():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 120_000_000)
    return buffer.getvalue()


def _many_entries():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(2_001):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", b"")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "text"),
    [
        (b"PK\x03\x04 broken", "a.xlsx", "损坏"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken", "a.xls", "读不出来"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a.xlsx", "不是 Excel"), (b"<html><table></table></html>", "a.xls", "网页"),
        (b"\x00\x01\x02\x03" * 100, "a.csv", ""), (b" \r\n", "a.csv", "空的"), ("标题\n内容\n".encode(), "a.csv", "没有找到名册的表头"),
        (csv_bytes([HEAD]), "a.csv", "表头下面没有人员"), (csv_bytes([HEAD[:2], ["A1", "张三"]]), "a.csv", "没有单位列"),
        (csv_bytes([["姓名", "单位"], ["张三", "甲局"]]), "a.csv", "没有找到名册的表头"),
        (_bomb(), "a.xlsx", "100 MB"), (_many_entries(), "a.xlsx", "2000"),
    ],
)  # fmt: skip
def test_unreadable_files_fail_with_a_reason_and_change_nothing(world, county, office, content, name, text):
    job = check(world, office, content, name)
    assert job.state == JobState.FAILED
    assert text in job.message
    page = office.get(f"/admin/people/imports/{job.id}")
    assert "重新上传" in page.get_data(as_text=True)
    assert office.get(f"/admin/people/imports/{job.id}/file").status_code == 303


def test_no_file_and_an_empty_file_are_rejected_at_once(world, county, office):
    assert "请选择文件" in office.post("/admin/people/imports", data={"unit_id": 0}).get_data(as_text=True)
    assert "文件是空的" in upload(office, b"").get_data(as_text=True)
    assert last_import(world) is None


def test_a_workbook_too_long_is_told_the_way_round_and_csv_takes_more():
    rows = [HEAD, *(["A", "张三", "甲局"] for _ in range(20_001))]
    with pytest.raises(UnreadableTableError, match="另存为 csv"):
        read_grids(xlsx_bytes(rows), name="a.xlsx", aliases=HEAD_ALIASES)
    content = csv_bytes([HEAD[:2]] + [["A", "张三"]] * 99_999)
    assert len(read_grids(content, name="a.csv", aliases=HEAD_ALIASES)[0].rows) == 100_000
    with pytest.raises(UnreadableTableError, match="100,000"):
        read_grids(content + csv_bytes([["A", "张三"]]), name="a.csv", aliases=HEAD_ALIASES)


def test_formulas_in_names_come_back_as_text(world, county, office):
    job = take_over(world, office, csv_bytes([HEAD, ["A1", "=cmd|' /C calc'!A0", "甲局", "", "", "", ""]]))
    assert result_rows(office, job)[1][1].startswith("'=")
    job = check(world, office, office.get(f"/admin/people/imports/{job.id}/file").data)
    assert job.summary["counts"]["unchanged"] == 1, "the file that was given back is read as the one that was sent"


def test_the_kept_file_is_sealed(world, county, office):
    job = check(world, office, csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", ID, ""]]))
    for kept in (job.content, job.annotated):
        assert ID.encode() not in kept
    assert ID not in str(job.summary)


def test_an_import_that_keeps_dying_is_quarantined_and_changes_nothing(app, world, county, office, fixed_clock):
    job = check(world, office, csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", "", ""]]))
    job.state, job.started_at, job.run_count, job.lease_expires_at = JobState.RUNNING, NOON, 3, NOON
    world.session.flush()
    with app.app_context():
        app.extensions["celery"].tasks["jobs.sweep"]()
    world.session.expire_all()
    job = last_import(world)
    assert job.state == JobState.QUARANTINED and "已停止" in job.message
    assert "没有改动" in office.get(f"/admin/people/imports/{job.id}").get_data(as_text=True)


def test_the_sweep_takes_up_what_lies_and_forgets_old_files(app, world, county, office, fixed_clock):
    job = check(world, office, csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", "", ""]]))
    job.state = JobState.QUEUED
    world.session.flush()
    fixed_clock.at(NOON + timedelta(minutes=1))
    with app.app_context():
        app.extensions["celery"].tasks["jobs.sweep"]()
    world.session.expire_all()
    assert last_import(world).state == JobState.DONE
    fixed_clock.at(NOON + timedelta(days=31))
    with app.app_context():
        app.extensions["celery"].tasks["people.forget_failures"]()
    world.session.expire_all()
    assert last_import(world).annotated is None
    again = world.api(world.session.get(Person, job.created_by_id))  # the first sign-in has ended by itself meanwhile
    assert "已过保存期" in again.get(f"/admin/people/imports/{job.id}/file", follow_redirects=True).get_data(
        as_text=True
    )


def test_statements_do_not_grow_with_the_rows(app, world, county, office, statements):
    counts = []
    for size in (10, 300):
        rows = [HEAD, *([f"N{size}-{n}", f"人{n}", "甲局", "", "", "", ""] for n in range(size))]
        with statements() as seen:
            take_over(world, office, csv_bytes(rows))
        counts.append(len(seen))
    assert counts[1] <= counts[0] + 2
