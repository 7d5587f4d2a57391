"""A file comes in by upload, preview, confirmation, and goes out again as one act."""

import io
import re
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import func, select, update

from examapp import clock
from examapp.content.question_imports import actions as question_import_actions
from examapp.content.question_intake import actions as question_intake_actions
from examapp.content.questions.models import BankQuestion, QuestionImport, QuestionVersion
from examapp.jobs.models import Job
from tests.conftest import NOON
from tests.question_bank.books import book, word

AIKEN = "谁作出决定？\nA. 县政府\nB. 县公安局\nANSWER: B\n\n谁复核？\nA. 甲\nB. 乙\nANSWER: A\n"
MIXED = (
    "## x-0001 判断题 易\n题干：<b>对</b>吗？\n答案：错误\n\n## x-0002 单选题\n题干：谁？\nA：甲\nB：乙\n答案：AB\n\n"
    "## x-0003 单选题\n题干：缺答案？\nA：甲\nB：乙\n\n## x-0004 单选题\n题干：空选项？\nA：甲\nB：\u200b\n答案：A\n"
)


@pytest.fixture
def office(world):
    return world.api(world.admin("publicity_office"))


def upload(office, content, name="题.txt", **fields):
    content = content.encode() if isinstance(content, str) else content
    return office.post(
        "/admin/questions/imports/", data={"file": (io.BytesIO(content), name), "format": "auto"} | fields
    )


def newest(session):
    return session.scalars(select(QuestionImport).order_by(QuestionImport.id.desc())).first()


def count(session):
    return session.scalar(select(func.count()).select_from(BankQuestion))


def confirm(office, row, state="draft"):
    return office.post(f"/admin/questions/imports/{row.id}/confirm", data={"state": state}, follow_redirects=True)


def test_nothing_enters_the_bank_before_the_preview_is_confirmed(office, session, alone):
    answer = upload(office, AIKEN)
    row = newest(session)
    page = office.get(answer.location).get_data(as_text=True)
    assert (row.state, row.format, row.summary["imported"], count(session)) == ("done", "aiken", 2, 0)
    assert "导入 2 题" in page and "Aiken" in page
    assert office.get(f"/jobs/{row.id}").get_json()["state"] == "ready"
    assert "已导入" in confirm(office, row, "active").get_data(as_text=True)
    assert [q.state for q in session.scalars(select(BankQuestion))] == ["active", "active"]


def test_file_that_seems_to_hold_more_questions_is_imported_only_after_a_look(office, session):
    text = "1. 简述办案的程序。\n答案：先行调查，再行决定。\n简述办案的期限。\n答案：三十日。\n2. 简述听证的程序。\n答案：先申请。\n"
    answer = upload(office, text.encode(), name="题.txt")
    row = newest(session)
    assert (row.summary["census"], row.summary["found"]) == (3, 2)
    assert "像是有 3 题" in office.get(answer.location).get_data(as_text=True)
    assert "已核对题数" in confirm(office, row).get_data(as_text=True) and count(session) == 0
    seen = {"state": "draft", "is_census_seen": "y"}
    office.post(f"/admin/questions/imports/{row.id}/confirm", data=seen, follow_redirects=True)
    assert count(session) == 2


def test_second_press_and_second_upload_import_nothing_twice(office, session):
    upload(office, AIKEN)
    row = newest(session)
    confirm(office, row)
    confirm(office, row)
    assert count(session) == 2
    page = office.get(upload(office, AIKEN).location).get_data(as_text=True)
    assert "同一个文件已在" in page and "没有可以导入的新题" in page and newest(session).summary["existing"] == 2


def test_preview_names_place_and_reason_of_all_that_is_not_whole(office, session):
    page = office.get(upload(office, MIXED).location).get_data(as_text=True)
    summary = newest(session).summary
    assert (summary["found"], summary["imported"], len(summary["doubtful"]), len(summary["refused"])) == (4, 1, 1, 2)
    for note in summary["doubtful"] + summary["refused"]:
        assert note["where"] in page and note["reason"] in page
    assert "<b>对</b>" not in page


def test_question_that_needs_review_waits_for_a_person_to_set_its_key(office, session, alone):
    upload(office, MIXED)
    confirm(office, newest(session), "active")
    needing_review = session.scalars(select(BankQuestion).where(BankQuestion.review_note != "")).one()
    assert needing_review.state == "draft"
    office.post(f"/admin/questions/{needing_review.id}/state", data={"state": "reviewed"})
    session.expire_all()
    assert needing_review.state == "draft"
    assert "答案待核对" in office.get("/admin/questions/?doubtful=1").get_data(as_text=True)
    office.post(
        f"/admin/questions/{needing_review.id}/key", data={"parts-0-n": "1", "parts-0-key": "B", "reason": "对照条文"}
    )
    office.post(f"/admin/questions/{needing_review.id}/state", data={"state": "reviewed"})
    session.expire_all()
    assert (needing_review.state, needing_review.review_note) == ("reviewed", "")


def test_undo_deletes_what_was_never_used_and_retires_the_rest(office, session, alone):
    upload(office, AIKEN)
    row = newest(session)
    confirm(office, row, "active")
    used = session.scalars(select(BankQuestion).order_by(BankQuestion.id)).first()
    session.get_one(QuestionVersion, used.current_version_id).used_at = clock.now()
    page = office.post(f"/admin/questions/imports/{row.id}/undo", follow_redirects=True).get_data(as_text=True)
    assert "删除 1 道题" in page and "1 道已用于试卷的题改为停用" in page
    assert [(q.id, q.state) for q in session.scalars(select(BankQuestion))] == [(used.id, "retired")]
    office.post(f"/admin/questions/imports/{row.id}/undo")
    assert count(session) == 1
    upload(office, AIKEN)
    assert newest(session).summary["imported"] == 2


def test_file_that_cannot_be_read_says_why_and_can_be_thrown_away(office, session):
    page = office.get(upload(office, b"\x00\x01\x02\x03", "坏.bin").location).get_data(as_text=True)
    row = newest(session)
    assert row.state == "failed" and row.message in page and "请" in row.message
    assert confirm(office, row).status_code == 409
    office.post(f"/admin/questions/imports/{row.id}/discard")
    assert newest(session) is None
    assert "请选择文件" in office.post("/admin/questions/imports/", data={"format": "auto"}).get_data(as_text=True)


def test_hostile_workbook_and_xml_are_rejected_with_a_reason(office, session):
    import zipfile

    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 120_000_000)
    entity = '<?xml version="1.0"?><!DOCTYPE quiz [<!ENTITY a SYSTEM "file:///etc/passwd">]><quiz><question type="essay"><name><text>&a;</text></name></question></quiz>'
    for content, name in ((bomb.getvalue(), "bomb.xlsx"), (entity, "x.xml"), (b"PK\x03\x04garbage", "y.xlsx")):
        upload(office, content, name)
        row = newest(session)
        assert row.state == "failed" and row.message and "root:" not in row.message, name


def test_fields_that_the_form_does_not_have_change_nothing(office, session):
    upload(office, AIKEN, is_confirmed="true", state="ready", created_by_id="1")
    row = newest(session)
    assert row.is_confirmed is False and count(session) == 0
    confirm(office, row, "nonsense")
    assert {q.state for q in session.scalars(select(BankQuestion))} == {"draft"}


def test_sweep_runs_a_dead_import_again_and_quarantines_one_that_keeps_dying(app, office, session, fixed_clock):
    upload(office, AIKEN)
    row = newest(session)
    row.state, row.run_count, row.lease_expires_at = "running", 1, clock.now()
    session.flush()
    app.extensions["celery"].tasks["jobs.sweep"]()
    session.expire_all()
    assert (row.state, row.run_count) == ("done", 2)
    row.state, row.run_count, row.lease_expires_at = "running", 3, clock.now()
    session.flush()
    app.extensions["celery"].tasks["jobs.sweep"]()
    session.expire_all()
    assert row.state == "quarantined" and "三次" in row.message


def test_an_import_that_lives_for_nine_minutes_is_not_started_again(app, office, session, fixed_clock, monkeypatch):
    """An hour of a large bank lies in sorting it, beyond the limits of the process that reads."""
    upload(office, AIKEN)
    row = newest(session)
    read, sort = [], question_intake_actions.take_over

    def slow(*args, note_progress, **fields):
        read.append(1)
        for half_minute in range(1, 19):
            fixed_clock.at(NOON + timedelta(seconds=30 * half_minute))
            note_progress(half_minute)
            app.extensions["celery"].tasks["jobs.sweep"]()
        return sort(*args, note_progress=note_progress, **fields)

    monkeypatch.setattr(question_import_actions, "take_over", slow)
    confirm(office, row)
    session.expire_all()
    assert (row.state, row.run_count, len(read), count(session)) == ("done", 1, 1, 2), row.message


def test_imports_are_for_the_office_alone(world, office, session):
    upload(office, AIKEN)
    row = newest(session)
    for client in (world.api(world.person()), world.api(world.admin("unit_admin", world.unit()))):
        assert client.get(f"/admin/questions/imports/{row.id}").status_code == 404
        assert client.post(f"/admin/questions/imports/{row.id}/confirm", data={"state": "active"}).status_code == 404
    assert office.get("/admin/questions/imports/999999").status_code == 404
    assert count(session) == 0


def test_answers_may_lie_in_a_second_file(office, session):
    questions = "一、单项选择题\n1. 谁作出决定？\nA. 县政府\nB. 县公安局\n2. 谁复核？\nA. 甲\nB. 乙\n"
    answer = upload(office, questions, "三月.txt", answers=(io.BytesIO(b"1-2 BA"), "三月答案.txt"))
    page = office.get(answer.location).get_data(as_text=True)
    row = newest(session)
    assert (row.state, row.summary["imported"]) == ("done", 2), row.message
    assert "三月答案.txt" in page and "文件中共 2 题 ＝ 可以导入 2" in page and "谁复核？" in page
    assert [one["key"] for one in row.summary["shown"]] == [["B"], ["A"]]
    confirm(office, row)
    session.expire_all()
    assert count(session) == 2 and row.answers is None


def test_text_pasted_instead_of_a_file_is_previewed_and_imported(office, session):
    text = "一、单项选择题\r\n1. 谁作出决定？\r\nA. 县政府\r\nB. 县公安局\r\n答案：B\r\n2. 谁复核？\r\nA. 甲\r\nB. 乙\r\n答案：A\r\n"
    path = "/admin/questions/imports/"
    answer = office.post(path, data={"text": text, "format": "auto"})
    row = newest(session)
    page = office.get(answer.location).get_data(as_text=True)
    assert (row.state, row.file_name, row.summary["imported"]) == ("done", "粘贴的文字.txt", 2), row.message
    assert "谁复核？" in page
    table = "题干\t选项A\t选项B\t答案\n谁批准？\t甲\t乙\tB\n"
    office.post(path, data={"text": table, "format": "auto"})
    assert newest(session).summary["shown"][0]["key"] == ["B"]
    both = office.post(path, data={"text": text, "format": "auto", "file": (io.BytesIO(b"x"), "x.txt")})
    assert "只能用一样" in both.get_data(as_text=True)
    assert "请选择文件" in office.post(path, data={"text": " \n", "format": "auto"}).get_data(as_text=True)
    assert "超过" in office.post(path, data={"text": "题" * 300_001, "format": "auto"}).get_data(as_text=True)


WITHOUT_KEYS = "一、单项选择题\n" + "".join(
    f"{n}. 第{'甲乙丙'[n % 3]}问{n}？\nA. 县政府\nB. 县公安局\n" for n in range(1, 31)
)


def test_problems_are_grouped_and_paged_beside_their_source_and_corrected_there(office, session):
    upload(office, WITHOUT_KEYS + "31. 谁复核？\nA. 甲\nB. 乙\n答案：A\n", "题.txt")
    row = newest(session)
    page = office.get(f"/admin/questions/imports/{row.id}").get_data(as_text=True)
    assert len(row.summary["doubtful"]) == 30 and "第 2–89 行之间 30 处" in page
    path = f"/admin/questions/imports/{row.id}/problems"
    (group,) = set(re.findall(r"problems\?list=doubtful&amp;group=(\d+)", page))
    first = office.get(path, query_string={"group": group}).get_data(as_text=True)
    assert "第 1 页，共 3 页" in first and first.count("展开改正") == 10 and "A. 县政府" in first
    assert office.get(f"/admin/questions/imports/{row.id}/problems?list=nothing").status_code == 404
    where = row.summary["doubtful"][0]["where"]
    given = {"q1-where": where, "q1-kind": "single_choice", "q1-options": "县政府\r\n县公安局\r\n"}
    for answer, message in (("C", where), ("", "还没有填写")):
        page = office.post(path, data=given | {"q1-answer": answer}, follow_redirects=True)
        assert message in page.get_data(as_text=True)
    typed = {"q2-where": row.summary["doubtful"][1]["where"], "q2-kind": "single_choice", "q2-options": "甲\r\n乙", "q2-answer": "AB"}  # fmt: skip
    rejected = office.post(f"{path}?group={group}", data=given | {"q1-answer": "B"} | typed)
    assert rejected.status_code == 422 and ">甲\r\n乙</textarea>" in rejected.get_data(as_text=True)
    answer = office.post(f"{path}?group={group}", data=given | {"q1-answer": "B"}, follow_redirects=True)
    assert "已改好 1 题" in answer.get_data(as_text=True) and "答案待核对（29）" in answer.get_data(as_text=True)
    session.expire_all()
    assert (row.state, row.summary["imported"], len(row.summary["doubtful"])) == ("done", 2, 29), row.message
    confirm(office, row)
    session.expire_all()
    assert count(session) == 31
    late = office.post(path, data=given | {"q1-answer": "B"}, follow_redirects=True)
    assert "不能在预览里改题" in late.get_data(as_text=True)


def test_duplicates_in_the_file_and_in_the_bank_are_said_apart(office, session):
    upload(office, AIKEN)
    confirm(office, newest(session))
    twice = "\n谁批准？\nA. 甲\nB. 乙\nANSWER: A\n"
    upload(office, AIKEN + twice + twice)
    row = newest(session)
    assert [note["code"] for note in row.summary["duplicates"]] == ["in_bank", "in_bank", "in_file"]
    page = office.get(f"/admin/questions/imports/{row.id}").get_data(as_text=True)
    assert row.summary["existing"] == 3 and row.summary["in_file"] == 1
    assert "题库中已有的题（2）" in page and "本文件内重复的题（1）" in page
    assert "题库中已有 2 ＋ 本文件内重复 1" in page


def test_all_that_was_read_is_paged_before_it_is_imported_and_the_preview_stays_short(office, session):
    upload(office, "".join(f"{n}. {'很' * 150}长的第{n}问？\nA. 县政府\nB. 县公安局\n答案：B\n" for n in range(1, 26)))
    row = newest(session)
    page = office.get(f"/admin/questions/imports/{row.id}").get_data(as_text=True)
    assert 0 < len(row.summary["shown"]) < 10 and "逐题看全部读出的题" in page
    path = f"/admin/questions/imports/{row.id}/problems?list=imported"
    last = office.get(f"{path}&page=3").get_data(as_text=True)
    assert "读出的题（25）" in last and "长的第25问" in last and "长的第20问" not in last and "答案：B" in last
    confirm(office, row)
    assert "读出的题（0）" in office.get(path).get_data(as_text=True)


def test_empty_file_is_rejected_beside_its_field(office, session):
    answer = upload(office, b"", "空.txt")
    assert answer.status_code == 200 and "文件是空的。请重新选择文件" in answer.get_data(as_text=True)
    assert newest(session) is None


STRANGE = "测试语\t甲项\t乙项\t标答是\n谁批准？\t县政府\t县公安局\tB\n谁复议？\t丙\t丁\tA\n"
CODES = {"t0-c0": "stem:0", "t0-c1": "option:0", "t0-c2": "option:1", "t0-c3": "answer:0"}


def test_columns_without_known_heads_are_named_in_the_preview_and_remembered(office, session):
    upload(office, STRANGE, "题.txt")
    row = newest(session)
    page = office.get(f"/admin/questions/imports/{row.id}").get_data(as_text=True)
    assert (row.state, row.summary["found"]) == ("done", 0) and "有表头没有认出，请说明" in page, row.message
    assert "请在下面说明各列" in page and "可以导入" not in page
    path = f"/admin/questions/imports/{row.id}/columns"
    for wrong, message in (({}, "哪一列是题干"), (CODES | {"t0-c3": "option:1"}, "同一种内容")):
        assert message in office.post(path, data=wrong, follow_redirects=True).get_data(as_text=True)
    office.post(path, data=CODES)
    session.expire_all()
    assert (row.state, row.format, row.summary["imported"]) == ("done", "csv", 2), row.message
    assert [one["key"] for one in row.summary["shown"]] == [["B"], ["A"]]
    confirm(office, row)
    session.expire_all()
    assert count(session) == 2
    assert office.post(path, data=CODES).status_code in {302, 303} and count(session) == 2
    upload(office, STRANGE.replace("谁", "由谁"), "题二.txt")
    again = newest(session)
    assert (again.summary["imported"], len(again.summary["remarks"])) == (2, 4)
    assert "按以前的说明读作" in again.summary["remarks"][0]["reason"]


def test_table_without_a_head_is_read_by_the_places_of_its_columns(office, session):
    upload(office, "".join(STRANGE.splitlines(keepends=True)[1:]), "题.txt")
    row = newest(session)
    office.post(f"/admin/questions/imports/{row.id}/columns", data=CODES | {"t0-headless": "on"})
    session.expire_all()
    assert [one["stem"] for one in row.summary["shown"]] == ["谁批准？", "谁复议？"]


def test_preview_adds_up_and_what_is_wrong_can_be_taken_along(office, session):
    upload(office, MIXED, "题.txt")
    row = newest(session)
    page = office.get(f"/admin/questions/imports/{row.id}").get_data(as_text=True)
    s = row.summary
    assert s["found"] == s["imported"] + s["existing"] + len(s["doubtful"]) + len(s["refused"]) == 4
    assert "下载全部核对意见" in page
    table = office.get(f"/admin/questions/imports/{row.id}/notes").data.decode("utf-8-sig")
    assert table.startswith("结果,位置,原因,题干") and table.count("\n") == 1 + len(s["doubtful"]) + len(
        s["refused"]
    ) + len(s["losses"]) + len(s["remarks"])


def test_workbook_for_the_sender_is_filled_in_and_uploaded_as_it_is(office, session):
    text = "1. 谁批准？\nA. 县政府\nB. 县公安局\n\n2. 谁复核？\nA. 甲\nB. 乙\n答案：C\n\n3. 谁备案？\nA. 丙\nB. 丁\n答案：A\n"
    upload(office, text)
    row = newest(session)
    content = office.get(f"/admin/questions/imports/{row.id}/returned").data
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    sheet = workbook["待补正的题"]
    heads = [cell.value for cell in sheet[1]]
    assert (
        heads[:5] == ["位置", "核对意见", "编号", "题型", "题干"]
        and sheet.max_row == 1 + len(row.summary["doubtful"]) == 3
    )
    assert [sheet.cell(2, 1).value, sheet.cell(2, 5).value] == [row.summary["doubtful"][0]["where"], "谁批准？"]
    for number, key in ((2, "B"), (3, "A")):
        sheet.cell(number, heads.index("答案") + 1).value = key
    filled = io.BytesIO()
    workbook.save(filled)
    upload(office, filled.getvalue(), "待补正.xlsx")
    again = newest(session)
    assert (again.summary["imported"], again.summary["doubtful"], again.summary["refused"]) == (2, [], []), (
        again.message
    )
    assert [one["key"] for one in again.summary["shown"]] == [["B"], ["A"]]


def test_questions_of_word_and_excel_for_review_stand_beside_their_words_in_the_file(office, session):
    lines = ["1. 谁批准？", "A. 县政府", "B. 县公安局", "依第五条处理", "2. 谁复核？", "A. 甲", "B. 乙", "答案：B"]
    table = book(
        (
            "题",
            [
                ["题型", "题干", "选项A", "选项B", "答案", "页码"],
                ["单选题", "谁批准？", "县政府", "乡政府", "", "第 12 页"],
            ],
        )
    )
    for content, name, shown in ((word(lines), "题.docx", ("4</span>　依第五条处理",)), (table, "题.xlsx", ("C</span>　县政府", "F</span>　第 12 页"))):  # fmt: skip
        upload(office, content, name)
        row = newest(session)
        assert row.summary["doubtful"], row.message
        page = office.get(f"/admin/questions/imports/{row.id}/problems").get_data(as_text=True)
        assert all(one in page for one in ("原文", *shown)), page[-3000:]


def test_what_is_confirmed_is_what_the_preview_has_read(office, session, monkeypatch):
    upload(office, AIKEN)
    row = newest(session)
    monkeypatch.setattr("examapp.content.question_imports.tasks.ChildReader", lambda: 1 / 0)
    confirm(office, row)
    session.expire_all()
    assert (row.state, count(session), row.parsed, row.content) == ("done", 2, None, None), row.message


def test_a_run_that_another_has_overtaken_takes_everything_back(office, session, monkeypatch):
    upload(office, AIKEN)
    row = newest(session)
    stored = question_intake_actions.take_over

    def overtaken(*args, **fields):
        taken = stored(*args, **fields)
        session.execute(update(Job).values(run_count=2).execution_options(synchronize_session=False))
        return taken

    monkeypatch.setattr(question_import_actions, "take_over", overtaken)
    confirm(office, row)
    session.expire_all()
    assert (row.state, count(session)) == ("running", 0)


def test_imported_questions_wait_for_another_person_whatever_is_pressed(office, session, world):
    upload(office, AIKEN)
    row = newest(session)
    page = office.get(f"/admin/questions/imports/{row.id}").get_data(as_text=True)
    assert 'value="active"' not in page and "由另一位同事审核后启用" in page
    rejected = confirm(office, row, "active")
    assert rejected.status_code == 400 and "先存为草稿" in rejected.get_data(as_text=True) and count(session) == 0
    confirm(office, row)
    questions = session.scalars(select(BankQuestion)).all()
    assert [q.state for q in questions] == ["draft", "draft"]
    path = f"/admin/questions/{questions[0].id}/state"
    assert "另一位" in office.post(path, data={"state": "reviewed"}, follow_redirects=True).get_data(as_text=True)
    other = world.api(world.admin("publicity_office", name="李四"))
    other.post(path, data={"state": "reviewed"})
    session.expire_all()
    assert [q.state for q in questions] == ["reviewed", "draft"]


def test_lone_office_may_import_as_active_only_while_it_is_alone(office, session, world, alone):
    upload(office, AIKEN)
    row = newest(session)
    assert 'value="active"' in office.get(f"/admin/questions/imports/{row.id}").get_data(as_text=True)
    world.admin("publicity_office", name="李四")
    assert confirm(office, row, "active").status_code == 400 and count(session) == 0
