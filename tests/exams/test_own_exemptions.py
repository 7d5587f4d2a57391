"""A person asks for the own exemption, with a proof; the office answers; the reasons are the office's; every figure follows at once."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from examapp import clock
from examapp.delivery.exams.models import ExamAudience, Exemption, ExemptionReason, MakeupEligibility
from examapp.delivery.grading import tasks as grading_tasks
from examapp.oversight.statistics.queries import counts_by_unit
from examapp.oversight.statistics_scope.queries import get_report_context
from examapp.platform.audit.models import AuditEvent
from examapp.uploads.models import StoredFile
from tests.helpers.exam_forms import ask
from tests.helpers.files import PDF
from tests.helpers.forms import post
from tests.reports.county import ReportCounty


def send(client, path, *, page, **data):
    return post(client, path, data, page=page)


@pytest.fixture
def county(world):
    return ReportCounty(world)


@pytest.fixture
def ill(county, world):
    return world.person(county.bureau, name="李病假")


@pytest.fixture
def own(ill, world):
    return world.client(ill)


@pytest.fixture
def office(world):
    return world.client(world.admin())


def decide(office, row, act="approve", **data):
    return send(office, f"/admin/exams/exemptions/{row.id}/{act}", page="/admin/exams/exemptions/new", **data)


def eligible_of(session, county):
    report_context = get_report_context(session, county.exam.id, scope=None, now=clock.now())
    return counts_by_unit(session, report_context)[county.bureau.id]


def test_a_person_asks_with_a_proof_and_the_figures_follow_the_approval_at_once(county, ill, own, office, session):
    answer = ask(own, county.exam, details="住院", file=(io.BytesIO(PDF), "../病假 证明.pdf"))
    assert answer.status_code == 303
    row = session.query(Exemption).one()
    assert (row.person_id, row.requested_by_id, row.reason) == (ill.id, ill.id, "长期病假：住院")
    assert eligible_of(session, county).eligible == 1
    page = office.get("/admin/exams/exemptions").text
    assert "李病假" in page and "病假 证明.pdf" in page
    for client, path in ((office, f"/admin/exams/exemptions/{row.id}/file"), (own, f"/exemptions/{row.id}/file")):
        with client.get(path) as proof:
            assert proof.data == PDF
    assert decide(office, row, answer="同意，请安心养病").status_code == 302
    counts = eligible_of(session, county)
    assert (counts.eligible, counts.exempt) == (0, 1)
    assert f"您已获准免考《{county.exam.title}》" in own.get("/").text
    mine = own.get("/exemptions").text
    assert "已同意" in mine and "同意，请安心养病" in mine and "撤回申请" not in mine
    printed = own.get(f"/exemptions/{row.id}/form").text
    for text in ("免考申请表", "李病假", "教育局", "长期病假：住院", "负责人（签字、盖章）", "病假 证明.pdf"):
        assert text in printed
    assert "免考申请表" in office.get(f"/admin/exams/exemptions/{row.id}/form").text


def test_a_person_takes_back_only_the_own_undecided_request(county, ill, own, office, world, session):
    ask(own, county.exam, kind="deferral")
    row = session.query(Exemption).one()
    other = world.client(world.person(county.bureau))
    for path in ("form", "file"):
        assert other.get(f"/exemptions/{row.id}/{path}").status_code == 404
    assert send(other, f"/exemptions/{row.id}/withdraw", page="/exemptions/new").status_code == 404
    send(own, f"/exemptions/{row.id}/withdraw", page="/exemptions/new")
    assert row.withdrawn_at is not None
    assert (
        "已经撤回或答复过" in own.get(send(own, f"/exemptions/{row.id}/withdraw", page="/exemptions/new").location).text
    )
    assert ask(own, county.exam).status_code == 303
    second = session.query(Exemption).filter_by(withdrawn_at=None).one()
    decide(office, second)
    assert "请联系普法办" in own.get(send(own, f"/exemptions/{second.id}/withdraw", page="/exemptions").location).text
    assert second.withdrawn_at is None


def test_a_file_of_another_kind_is_rejected_and_nothing_is_asked_for(county, own, session):
    answer = ask(own, county.exam, file=(io.BytesIO(b"MZ\x90"), "病假.exe"))
    assert answer.status_code == 422 and "不能上传这种文件" in answer.text
    answer = ask(own, county.exam, file=(io.BytesIO(b"not a pdf"), "病假.pdf"))
    assert answer.status_code == 422
    assert session.query(Exemption).count() == session.query(StoredFile).count() == 0


def test_an_exam_that_is_over_or_not_ones_own_cannot_be_asked_about(county, ill, own, world, session, fixed_clock):
    other = world.exam(title="别人的考试")
    world.save(ExamAudience(exam_id=other.id, unit_id=county.town.id, ranks=[]))
    assert "别人的考试" not in own.get("/exemptions/new").text
    assert ask(own, other).status_code == 422
    fixed_clock.at(county.exam.closes_at)
    late = world.client(ill)
    assert "联系本单位管理员" in late.get("/exemptions/new").text
    assert session.query(Exemption).count() == 0


def test_what_the_unit_asks_for_after_the_close_is_marked_and_counts_once_approved(
    county, ill, world, session, fixed_clock
):
    makeup = world.exam(title="补考", kind="makeup", main_exam_id=county.exam.id, opens_in=timedelta(days=10))
    fixed_clock.at(county.exam.closes_at + timedelta(days=1))
    grading_tasks.sweep_once()
    assert session.query(MakeupEligibility).filter_by(exam_id=makeup.id, person_id=ill.id).count() == 1
    admin, office = world.client(world.admin("unit_admin", county.bureau)), world.client(world.admin())
    new = "/admin/exams/exemptions/new"
    fields = {"exam_id": county.exam.id, "staff_number": ill.staff_number, "kind": "exemption", "reason": "长期病假"}
    assert send(admin, new, page=new, **fields).status_code == 302
    assert "考后补办" in office.get("/admin/exams/exemptions").text
    before = eligible_of(session, county).eligible
    decide(office, session.query(Exemption).one())
    assert eligible_of(session, county).eligible == before - 1
    grading_tasks.sweep_once()
    assert session.query(MakeupEligibility).filter_by(person_id=ill.id).count() == 0


def test_somebody_outside_the_audience_is_not_asked_for(county, world, session):
    world.save(ExamAudience(exam_id=county.exam.id, unit_id=county.town.id, ranks=[]))
    person = world.person(county.bureau)
    admin = world.client(world.admin("unit_admin", county.bureau))
    new = "/admin/exams/exemptions/new"
    fields = {"exam_id": county.exam.id, "staff_number": person.staff_number, "kind": "exemption", "reason": "长期病假"}
    answer = send(admin, new, page=new, **fields)
    assert answer.status_code == 422
    assert session.query(Exemption).count() == 0


REASONS = "/admin/exams/exemptions/reasons"


def test_the_office_words_adds_and_retires_reasons_and_old_requests_keep_theirs(county, own, office, session):
    ask(own, county.exam)
    reason = session.query(ExemptionReason).filter_by(text="长期病假").one()
    send(office, f"{REASONS}/{reason.id}", page=REASONS, text="长期病休")
    send(office, REASONS, page=REASONS, text="孕产期", needs_details="y")
    assert "已有“孕产期”" in office.get(send(office, REASONS, page=REASONS, text="孕产期").location).text
    page = own.get("/exemptions/new").text
    assert "长期病休" in page and "孕产期" in page and "长期病假" not in page
    assert session.query(Exemption).one().reason == "长期病假"
    rejected = ask(own, county.exam, reason="孕产期")
    assert rejected.status_code == 422 and "请写明具体情况" in rejected.text
    assert ask(own, county.exam, reason="长期病假").status_code == 422
    send(office, f"{REASONS}/{reason.id}/retire", page=REASONS)
    assert "长期病休" not in own.get("/exemptions/new").text
    send(office, f"{REASONS}/{reason.id}/offer", page=REASONS)
    assert "长期病休" in own.get("/exemptions/new").text
    acts = {event.act for event in session.query(AuditEvent).filter_by(object_type="exemption_reason")}
    assert acts == {"exams.change_reason", "exams.add_reason", "exams.retire_reason", "exams.restore_reason"}


def test_the_last_reason_stays(office, session):
    for reason in session.query(ExemptionReason).all():
        send(office, f"{REASONS}/{reason.id}/retire", page=REASONS)
    assert session.query(ExemptionReason).filter_by(retired_at=None).count() == 1
    assert "至少要保留一个原因" in office.get(REASONS).text


def test_who_is_rejected_reads_so_at_home_until_the_exam_is_over(county, ill, own, office, world, session, fixed_clock):
    ask(own, county.exam, kind="deferral")
    assert "没有同意" not in own.get("/").text
    decide(office, session.query(Exemption).one(), "refuse", answer="材料不足")
    assert "没有同意：材料不足" in own.get("/").text
    fixed_clock.at(county.exam.closes_at)
    assert "没有同意" not in world.client(ill).get("/").text
