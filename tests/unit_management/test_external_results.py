"""Results of the provincial exam: matched by number, doubts settled by a person, counted with our own, undone as one act."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from decimal import Decimal

import openpyxl
import pytest

from examapp import clock
from examapp.db.personal_data import list_personal_data
from examapp.delivery.exams.models import ExamAudience, MakeupEligibility
from examapp.delivery.external_results.models import ResultImport, ResultImportRow
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import ExternalResult
from examapp.organisation.people.rules import ID_NUMBER_PURPOSE, id_number_binding
from examapp.oversight.statistics.queries import counts_by_unit, get_curve, get_distribution
from examapp.oversight.statistics_definitions.rules import Counts
from examapp.oversight.statistics_people.queries import get_person, iter_scores
from examapp.oversight.statistics_scope.queries import EVERYBODY, PeopleFilter, data_fingerprint, get_report_context
from examapp.platform.audit.models import AuditEvent
from examapp.platform.privacy.queries import read_held
from examapp.security.ciphers import FieldCipher

RESULTS = "/admin/unit-book/results"
ID_ONE, ID_TWO = "11010519491231002X", "440524188001010014"
HEAD = ["序号", "姓名", "身份证号", "工号", "工作单位", "成绩"]


@pytest.fixture
def office(world):
    return world.client(world.admin())


@pytest.fixture
def known(app, world, county):
    """Makes a person whose ID number the roster knows."""

    def known(number, unit=None, **fields):
        person = world.person(unit or county.bureau, **fields)
        cipher = app.extensions["cipher"]
        person.id_number_encrypted = cipher.seal(number, associated_data=id_number_binding(person.id))
        person.id_number_index = cipher.blind_index(number, purpose=ID_NUMBER_PURPOSE)
        world.session.flush()
        return person

    return known


def workbook(*rows, head=HEAD):
    book = openpyxl.Workbook()
    book.active.append(["2026年全省学法考试成绩"])
    book.active.append(head)
    for row in rows:
        book.active.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.fixture
def bring(app, county, office, post, session):
    """Uploads a file, has it read, and gives the import."""

    def bring(content, client=None, exam=None, **fields):
        data = {
            "exam_id": (exam or county.exam).id,
            "source": "省学法考试平台",
            "taken_on": "2026-11-20",
            "possible": "100",
            "file": (io.BytesIO(content), "省考成绩.xlsx"),
        }
        answer = post(client or office, RESULTS, **(data | fields))
        if answer.status_code != 303:
            return answer
        import_id = int(re.search(r"/results/(\d+)", answer.location)[1])
        app.extensions["celery"].tasks["jobs.run"](import_id)
        return session.get(ResultImport, import_id)

    return bring


@pytest.fixture
def act(post, office):
    def act(job, what, client=None, **data):
        client = client or office
        answer = post(client, f"{RESULTS}/{job.id}/{what}", page=RESULTS, **data)
        return client.get(answer.location).text if answer.status_code == 303 else answer

    return act


def outcomes(session, job):
    rows = session.query(ResultImportRow).filter_by(import_id=job.id).order_by(ResultImportRow.line)
    return [(row.line, row.outcome, row.person_id) for row in rows]


def row_of(session, job, line):
    return session.query(ResultImportRow).filter_by(import_id=job.id, line=line).one()


def total(session, county, **query):
    report_context = get_report_context(session, county.exam.id, scope=None, now=clock.now())
    return sum(counts_by_unit(session, report_context, **query).values(), Counts())


def test_numbers_sealed_under_an_older_key_are_known_while_keys_are_changed(
    app, county, world, session, bring, monkeypatch
):
    old, new = "k1:" + "11" * 32, "k2:" + "22" * 32
    before = FieldCipher.from_setting(old)
    monkeypatch.setitem(app.extensions, "cipher", FieldCipher.from_setting(f"{new},{old}"))

    def sealed(number, **fields):
        person = world.person(county.bureau, **fields)
        person.id_number_encrypted = before.seal(number, associated_data=id_number_binding(person.id))
        person.id_number_index = before.blind_index(number, purpose=ID_NUMBER_PURPOSE)
        session.flush()
        return person

    by_number, by_both = sealed(ID_ONE, name="甲"), sealed(ID_TWO, name="乙", staff_number="Z2")
    job = bring(workbook([1, "甲", ID_ONE, "", "教育局", 80], [2, "乙", ID_TWO, "Z2", "教育局", 70]))
    assert outcomes(session, job) == [(3, "matched", by_number.id), (4, "matched", by_both.id)]


def test_rows_are_matched_by_number_and_never_by_name_alone(county, world, known, bring, session, office):
    by_id = known(ID_ONE, name="甲")
    by_staff = world.person(county.bureau, name="乙", staff_number="S2")
    same_name = world.person(county.town, name="丙")
    other_id = known(ID_TWO, name="丁")
    gone = world.person(county.town, name="戊", staff_number="S5", state="left")
    job = bring(
        workbook(
            [1, "甲", ID_ONE, "", "", "88.5"],
            [2, "乙", "", "S2", "教育局", 61],
            [3, "丙", "", "", "青山乡", 90],
            [4, "改了名", ID_TWO, "", "", 70],
            [5, "戊", "", "S5", "", 70],
            [6, "查无此人", "", "X9", "", 70],
            [7, "甲", "", "", "", "缺考"],
            [8, "己", "", "", "", "八十"],
            [9, "庚", "", "", "", 101],
            [10, "乙", ID_ONE, "S2", "", 77],
            [11, "丁", "11010519491231002", "", "", 66],
        )
    )
    assert job.state == "done" and job.total == 11 and job.content is None
    assert outcomes(session, job) == [
        (3, "matched", by_id.id),
        (4, "matched", by_staff.id),
        (5, "doubtful", None),
        (6, "doubtful", None),
        (7, "doubtful", None),
        (8, "unmatched", None),
        (9, "absent", None),
        (10, "faulty", None),
        (11, "faulty", None),
        (12, "doubtful", None),
        (13, "doubtful", None),
    ]
    candidates = {line: row_of(session, job, line).candidates for line in (5, 6, 7, 12, 13)}
    assert candidates == {
        5: [same_name.id],
        6: [other_id.id],
        7: [gone.id],
        12: [by_id.id, by_staff.id],
        13: [other_id.id],
    }
    page = office.get(f"{RESULTS}/{job.id}").text
    for text in ("只有姓名和单位相符", "姓名不符：名册为“丁”", "此人已离开名册", "分别是两个人", "没有找到此人"):
        assert text in page
    assert ID_ONE not in page and "002X" in page
    assert session.query(ExternalResult).count() == 0


def test_a_namesake_with_another_id_number_is_nobody_it_may_be(known, bring, session):
    known(ID_ONE, name="甲")
    job = bring(workbook([1, "甲", ID_TWO, "", "教育局", 80]))
    assert outcomes(session, job) == [(3, "unmatched", None)]


def test_approved_results_count_in_every_figure_with_our_own_and_are_undone_as_one(
    county, world, known, bring, act, session, office
):
    outside, both, ours = known(ID_ONE, name="甲"), known(ID_TWO, name="乙"), world.person(county.bureau, name="丙")
    world.person(county.bureau, name="缺席")
    county.attempt(both, points=55)
    county.attempt(ours, points=92)
    before = total(session, county)
    version = data_fingerprint(session, get_report_context(session, county.exam.id, scope=None, now=clock.now()))
    job = bring(workbook([1, "甲", ID_ONE, "", "", 70], [2, "乙", ID_TWO, "", "", 85]))
    assert total(session, county) == before
    assert "已计入 2 人" in act(job, "approve")
    counts = total(session, county)
    assert (counts.roster, counts.participated, counts.passed, counts.good, counts.excellent) == (4, 3, 3, 1, 1)
    assert counts.points_total == Decimal(70) + Decimal(85) + Decimal(92)
    report_context = get_report_context(session, county.exam.id, scope=None, now=clock.now())
    assert data_fingerprint(session, report_context) != version
    scores = {row.name: (row.points, row.band, row.source) for row in iter_scores(session, report_context, EVERYBODY)}
    assert scores["甲"] == (Decimal("70.00"), "pass", "省学法考试平台")
    assert scores["乙"] == (Decimal("85.00"), "good", "省学法考试平台")
    assert scores["丙"] == (Decimal("92.00"), "excellent", "")
    assert get_curve(session, report_context, EVERYBODY)[-1].total == 3
    assert sum(get_distribution(session, report_context, EVERYBODY)) == 3
    person = get_person(session, report_context, PeopleFilter(person_id=both.id))
    assert [(row.source, row.is_counted) for row in person.attempts] == [("", False), ("省学法考试平台", True)]
    page = office.get(f"/admin/reports/exams/{county.exam.id}/units/{county.bureau.id}/people/{both.id}").text
    assert "省学法考试平台（11月20日）" in page
    assert "70" in world.client(outside).get("/exams").text
    assert f"{RESULTS}?exam={county.exam.id}" in office.get(f"/admin/exams/{county.exam.id}").text
    assert "已撤销这次导入的 2 人" in act(job, "undo")
    assert total(session, county) == before
    assert session.query(ExternalResult).filter_by(undone_at=None).count() == 0
    assert "其他平台" not in world.client(outside).get("/exams").text
    assert county.exam.has_external_results is False
    acts = [e.act for e in session.query(AuditEvent).filter_by(object_type="result_import").order_by(AuditEvent.id)]
    assert acts == ["external_results.upload", "external_results.approve", "external_results.undo"]


def test_the_exam_is_chosen_and_never_the_first_of_the_list(county, office, bring):
    choices = office.get(RESULTS).text.split('name="exam_id"')[1].split("</select>")[0]
    assert choices.split("<option", 2)[1].strip() == 'value="0">请选择</option>'
    assert "selected" not in choices
    assert f'selected value="{county.exam.id}"' in office.get(f"{RESULTS}?exam={county.exam.id}").text
    answer = bring(workbook([1, "甲", "", "", "", 70]), exam_id="0")
    assert answer.status_code == 422 and "请选择考试" in answer.text


def test_the_same_file_comes_in_once_and_a_second_press_changes_nothing(county, known, bring, act, session):
    known(ID_ONE, name="甲")
    file = workbook([1, "甲", ID_ONE, "", "", 70])
    first = bring(file)
    assert bring(file).id == first.id
    assert session.query(ResultImportRow).count() == 1
    act(first, "approve")
    assert "已经办结" in act(first, "approve")
    rejected = bring(file)
    assert rejected.status_code == 422 and "已经导入过" in rejected.text
    again = bring(workbook([1, "甲", ID_ONE, "", "", "70.00"]))
    assert [outcome for _, outcome, _ in outcomes(session, again)] == ["same"]
    assert "没有可以计入的成绩" in act(again, "approve")
    assert session.query(ExternalResult).count() == 1
    act(first, "undo")
    assert "已经撤销过" in act(first, "undo")
    assert bring(file).id not in {first.id, again.id}


def test_a_later_import_replaces_a_result_and_gives_it_back_when_undone(county, known, bring, act, session):
    known(ID_ONE, name="甲")
    first = bring(workbook([1, "甲", ID_ONE, "", "", 70]))
    act(first, "approve")
    second = bring(workbook([1, "甲", ID_ONE, "", "", 95]))
    assert "原来导入的是 70.00 分" in row_of(session, second, 3).reason
    act(second, "approve")
    assert total(session, county).points_total == 95
    assert "请先撤销之后的那次导入" in act(first, "undo")
    act(second, "undo")
    assert total(session, county).points_total == 70
    act(first, "undo")
    assert total(session, county).participated == 0


def test_rows_to_review_are_settled_by_a_person_and_one_person_counts_in_one_row(
    county, world, known, bring, act, session
):
    one, two = known(ID_ONE, name="甲"), world.person(county.town, name="乙", staff_number="S2")
    foreign = world.person(county.town, name="丙")
    job = bring(
        workbook(
            [1, "甲", ID_ONE, "", "", 70],
            [2, "甲某", "", "", "", 71],
            [3, "乙", "", "", "青山乡", 72],
            [4, "丁", "", "", "", 73],
        )
    )
    second, third, fourth = (row_of(session, job, line) for line in (4, 5, 6))
    assert "一个人只能计入一行" in act(job, f"rows/{second.id}", staff_number=one.staff_number)
    assert "没有找到这个工号" in act(job, f"rows/{second.id}", staff_number="NONE")
    assert "请填写此人的工号" in act(job, f"rows/{second.id}")
    assert act(job, f"rows/{third.id}", person_id=foreign.id).status_code == 404
    act(job, f"rows/{third.id}", person_id=two.id)
    act(job, f"rows/{second.id}", leave_out="1")
    first = row_of(session, job, 3)
    assert "不需要核对" in act(job, f"rows/{first.id}", leave_out="1")
    assert "已计入 2 人" in act(job, "approve")
    assert {row.person_id for row in session.query(ExternalResult)} == {one.id, two.id}
    assert (second.outcome, third.outcome, fourth.outcome) == ("skipped", "matched", "unmatched")
    assert "已经办结" in act(job, f"rows/{fourth.id}", staff_number=foreign.staff_number)


def test_two_rows_of_one_person_and_one_whom_the_exam_is_not_for_need_review(county, world, known, bring, session):
    world.save(ExamAudience(exam_id=county.exam.id, unit_id=county.bureau.id, ranks=[]))
    known(ID_ONE, name="甲")
    known(ID_TWO, county.town, name="乙")
    job = bring(workbook([1, "甲", ID_ONE, "", "", 70], [2, "甲", ID_ONE, "", "", 80], [3, "乙", ID_TWO, "", "", 80]))
    assert [outcome for _, outcome, _ in outcomes(session, job)] == ["doubtful"] * 3
    assert "第 3、4 行" in row_of(session, job, 3).reason
    assert "不在这场考试的应考范围" in row_of(session, job, 5).reason


def test_the_exams_own_rule_chooses_and_an_outside_result_is_the_earliest(county, known, bring, act, session):
    person = known(ID_ONE, name="甲")
    county.attempt(person, points=65)
    act(bring(workbook([1, "甲", ID_ONE, "", "", 95])), "approve")
    chosen = {}
    for rule in ("best", "last", "first"):
        county.exam.counting_rule = rule
        session.flush()
        chosen[rule] = total(session, county).points_total
        report_context = get_report_context(session, county.exam.id, scope=None, now=clock.now())
        rows = get_person(session, report_context, PeopleFilter(person_id=person.id)).attempts
        assert [row.points for row in rows if row.is_counted] == [chosen[rule]]
    assert chosen == {"best": 95, "last": 65, "first": 95}


def test_who_passed_elsewhere_sits_no_make_up_and_who_failed_there_counts_as_failed(
    county, world, known, bring, act, session, fixed_clock
):
    passed, failed = known(ID_ONE, name="甲"), known(ID_TWO, name="乙")
    absent = world.person(county.bureau, name="丙")
    makeup = world.exam(title="补考", kind="makeup", main_exam_id=county.exam.id, opens_in=timedelta(days=10))
    job = bring(workbook([1, "甲", ID_ONE, "", "", 70], [2, "乙", ID_TWO, "", "", 30]))
    act(job, "approve")
    fixed_clock.at(county.exam.closes_at + timedelta(hours=2))

    def reasons():
        grading_tasks.sweep_once()
        rows = session.query(MakeupEligibility).filter_by(exam_id=makeup.id)
        names = {passed.id: "passed", failed.id: "failed", absent.id: "absent"}
        return {names[row.person_id]: row.reason for row in rows if row.person_id in names}

    assert reasons() == {"failed": "failed", "absent": "absent"}
    act(job, "undo", client=world.client(world.admin()))
    assert reasons() == {"passed": "absent", "failed": "absent", "absent": "absent"}


def test_an_office_of_a_subtree_matches_only_its_own_people_and_others_imports_are_missing(
    county, world, known, bring, act, session
):
    known(ID_ONE, county.bureau, name="甲")
    known(ID_TWO, county.town, name="乙")
    part = world.client(world.admin("publicity_office", county.bureau))
    job = bring(workbook([1, "甲", ID_ONE, "", "", 70], [2, "乙", ID_TWO, "", "", 80]), client=part)
    assert [outcome for _, outcome, _ in outcomes(session, job)] == ["matched", "unmatched"]
    other = world.client(world.admin("publicity_office", county.town))
    assert other.get(f"{RESULTS}/{job.id}").status_code == 404
    assert act(job, "approve", client=other).status_code == 404
    assert world.client(world.admin("unit_admin", county.bureau)).get(RESULTS).status_code == 404


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "文件是空的"),
        (workbook([1, 2], head=["序号", "备注"]), "没有找到同时写着姓名和成绩的表头"),
        (b"PK\x03\x04 broken", ""),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_leaves_nothing(bring, session, office, content, text):
    job = bring(content)
    if isinstance(job, ResultImport):
        assert job.state == "failed" and job.content is None and text in job.message and job.message
        assert job.message in office.get(f"{RESULTS}/{job.id}").text.replace("&#34;", '"')
    else:
        assert job.status_code == 422 and text in job.text
    assert session.query(ResultImportRow).count() == session.query(ExternalResult).count() == 0


def test_a_run_that_died_is_taken_up_and_after_three_is_set_aside(app, county, known, bring, session, fixed_clock):
    known(ID_ONE, name="甲")
    job = bring(workbook([1, "甲", ID_ONE, "", "", 70]))
    app.extensions["celery"].tasks["jobs.run"](job.id)
    assert session.query(ResultImportRow).count() == 1
    job.state, job.run_count, job.lease_expires_at = "running", 3, clock.now()
    session.flush()
    app.extensions["celery"].tasks["jobs.sweep"]()
    session.expire_all()
    assert job.state == "quarantined" and job.content is None and "没有计入任何成绩" in job.message


def test_a_persons_own_copy_holds_a_result_from_elsewhere_once_the_exam_shows_results(
    app, county, known, bring, act, session, fixed_clock
):
    person = known(ID_ONE, name="甲")
    county.exam.results_policy = "at_close"
    act(bring(workbook([1, "甲", ID_ONE, "", "", 70])), "approve")

    def held():
        cipher = app.extensions["cipher"]
        found = read_held(
            session,
            {each.table: each for each in list_personal_data()}["external_results"],
            person.id,
            cipher=cipher,
            is_whole=False,
            now=clock.now(),
            limit=9,
        )
        return [row[found.columns.index("points")] for row in found.rows]

    assert held() == []
    fixed_clock.at(county.exam.closes_at + timedelta(hours=3))
    assert held() == [Decimal("70.00")]


def test_an_exam_held_elsewhere_is_registered_without_a_paper_and_lives_by_its_file(
    county, world, known, bring, act, session, office, post
):
    known(ID_ONE, name="甲")
    draft = world.exam(title="全省统考", state="draft", opens_in=timedelta(days=-3), lasts=timedelta(hours=2))
    coming = world.exam(title="还没考", state="draft", opens_in=timedelta(days=3))
    page = f"/admin/exams/{draft.id}"
    assert "登记为其他平台的考试" in office.get(page).text
    assert "登记为其他平台的考试" not in office.get(f"/admin/exams/{coming.id}").text
    early = post(office, f"/admin/exams/{coming.id}/register", page=f"/admin/exams/{coming.id}")
    assert "要等结束以后" in office.get(early.location).text
    rejected = bring(workbook([1, "甲", ID_ONE, "", "", 70]), exam=draft)
    assert rejected.status_code == 422
    post(office, f"{page}/register", page=page)
    assert draft.state == "published"
    act(bring(workbook([1, "甲", ID_ONE, "", "", 70]), exam=draft), "approve")
    report_context = get_report_context(session, draft.id, scope=None, now=clock.now())
    counts = sum(counts_by_unit(session, report_context).values(), Counts())
    assert (counts.participated, counts.passed, counts.points_total) == (1, 1, 70)
    later = {"closes_at": "2026-12-30T09:00"}
    answer = post(office, f"{page}/prolong", page=f"{page}/prolong", **later)
    assert "不能推迟结束时间" in answer.text
    assert draft.closes_at < clock.now()
