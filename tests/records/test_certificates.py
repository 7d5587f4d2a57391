"""Certificates for an exam or a course set: issued once, printed, verified by anybody, withdrawn and re-issued when a result is corrected."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pypdf
import pytest
from PIL import Image
from sqlalchemy import select

from examapp import clock
from examapp.delivery.grading.models import Grade
from examapp.learning.certificates.models import Certificate, CertificateJob, CertificatePlan, CertificateTemplate
from examapp.learning.certificates.rules import check_code, fill, find_body_issue
from examapp.learning.courses.models import Course, CourseCompletion
from examapp.organisation.people.models import SignIn
from tests.conftest import NOON
from tests.helpers.forms import token_of

TEMPLATE = {
    "name": "学法考试合格证",
    "heading": "合格证书",
    "body": "【姓名】同志（【单位】）：\n参加【项目】，成绩【成绩】，特发此证。",
    "signer": "绥安县普法办公室",
}


def seal():
    buffer = io.BytesIO()
    Image.new("RGBA", (300, 300), (200, 0, 0, 120)).save(buffer, "PNG")
    buffer.seek(0)
    return buffer


@pytest.fixture
def office(world):
    return world.api(world.admin("publicity_office"))


def sweep(world):
    world.app.extensions["celery"].tasks["records.sweep"].apply()


def press(client, path, **data):
    return client.post(path, data=data, follow_redirects=True).get_data(as_text=True)


@pytest.fixture
def plan(world, county, office):
    """A template with a seal and a plan for the county's exam."""
    offered = office.get("/admin/records/certificates/templates/new").text
    assert 'value="县普法办公室"' in offered, "the office's name need not be typed"
    made = office.post("/admin/records/certificates/templates/new", data={**TEMPLATE, "seal": (seal(), "章.png")})
    assert made.status_code == 302, made.get_data(as_text=True)
    template = world.session.scalars(select(CertificateTemplate)).one()
    page = press(
        office,
        "/admin/records/certificates/new",
        title="2026年度学法考试",
        prefix="xf2026",
        template_id=template.id,
        exam_id=county.exam.id,
    )
    assert "发证项目已建立" in page, page
    return world.session.scalars(select(CertificatePlan)).one()


def issue(office, plan):
    return press(office, f"/admin/records/certificates/{plan.id}/issue")


def certificates(world, **fields):
    world.session.expire_all()
    return list(world.session.scalars(select(Certificate).filter_by(**fields).order_by(Certificate.id)))


def text_of(pdf):
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).replace("\0", "")


def test_everybody_who_passed_gets_one_certificate_and_nobody_else_and_twice_is_once(world, county, office, plan):
    people = county.fill_with_every_odd_case()
    assert "新发" in issue(office, plan)
    found = {row.person_id for row in certificates(world)}
    passed = ["excellent", "good", "bare pass", "full", "best of three", "forced", "regraded", "sat and sits again", "exempt who sat", "moved after sitting"]  # fmt: skip
    assert found == {people[name].id for name in passed}
    numbers = [row.number for row in certificates(world)]
    assert sorted(numbers) == [f"XF2026-{n:06d}" for n in range(1, len(passed) + 1)]
    assert "新发 0 张" in issue(office, plan)
    assert [row.number for row in certificates(world)] == numbers
    moved = certificates(world, person_id=people["moved after sitting"].id)[0]
    assert moved.unit_id == county.town.id
    assert certificates(world, person_id=people["best of three"].id)[0].result == "优秀（92分）"


def test_no_certificate_before_the_results_are_out(world, county, office, plan):
    county.attempt(world.person(county.town), points="90")
    county.exam.results_policy = "at_close"
    assert "新发 0 张" in issue(office, plan)
    assert certificates(world) == []


def test_a_person_prints_the_own_certificate_and_anybody_may_check_it_without_learning_who_it_is(
    world, county, office, plan
):
    person = world.person(county.town, name="欧阳春晓")
    county.attempt(person, points="86.5")
    issue(office, plan)
    (row,) = certificates(world)
    mine = world.client(person)
    assert row.number in mine.get("/study/record").get_data(as_text=True)
    answer = mine.get(f"/study/certificates/{row.id}.pdf")
    assert answer.mimetype == "application/pdf"
    text = text_of(answer.get_data())
    for wording in ("欧阳春晓", "青山乡", "2026年度学法考试", "良好（86.5分）", row.number, "绥安县普法办公室", "2026年11月24日", check_code(row.digest)):  # fmt: skip
        assert wording in text, wording
    assert world.client(world.person()).get(f"/study/certificates/{row.id}.pdf").status_code == 404
    with Image.open(io.BytesIO(mine.get(f"/study/certificates/{row.id}.png").get_data())) as picture:
        assert (picture.format, picture.size) == ("PNG", (1600, 1132)) and len(picture.getcolors()) > 8
    assert world.client(world.person()).get(f"/study/certificates/{row.id}.png").status_code == 404

    anybody = world.client()
    answer = anybody.get(f"/verify?n={row.number}&c={row.digest[:16]}")
    page = answer.text
    assert "证书有效" in page
    assert "2026年度学法考试" in page
    for secret in ("欧阳春晓", "青山乡", "86.5", person.staff_number):
        assert secret not in page

    def check(**data):
        return anybody.post("/verify", data={"csrf_token": token_of(answer), **data}).text

    typed = {"n": row.number.lower(), "c": check_code(row.digest)}
    assert "姓名与您填写的一致" in check(**typed, name="欧阳春晓")
    assert "不一致" in check(**typed, name="李四")
    wrong, missing = check(n=row.number, c="0" * 16), check(n="XF2026-999999", c="0" * 16)
    assert "没有查到" in wrong
    assert "没有查到" in missing
    assert "没有查到" in check(n=row.number, c="")
    row.name = "改了名"
    assert "没有查到" in check(**typed), "what was changed behind our back is not vouched for"


def test_a_corrected_result_withdraws_the_certificate_and_issues_another_or_none(
    world, county, office, plan, fixed_clock
):
    better, worse, same = (world.person(county.town, name=name) for name in ("高升", "降落", "照旧"))
    attempts = [county.attempt(p, points=points) for p, points in ((better, "70"), (worse, "61"), (same, "80"))]
    issue(office, plan)
    before = {row.person_id: row for row in certificates(world)}
    fixed_clock.at(NOON + timedelta(hours=1))
    for attempt, points in zip(attempts, ("91", "59", "80"), strict=True):
        world.session.query(Grade).filter_by(attempt_id=attempt.id).one().is_current = False
        world.session.flush()
        county.grade(attempt, points, number=2)
    old_number = before[better.id].number
    sweep(world)
    sweep(world)
    old, new = certificates(world, person_id=better.id)
    assert (old.number, old.withdrawn_why) == (old_number, "成绩更正，已换发新证")
    assert (new.result, new.replaces_id, new.withdrawn_at) == ("优秀（91分）", old.id, None)
    (gone,) = certificates(world, person_id=worse.id)
    assert gone.withdrawn_why == "成绩更正后未达到合格"
    (kept,) = certificates(world, person_id=same.id)
    assert kept.withdrawn_at is None
    page = world.client().get(f"/verify?n={old.number}&c={old.digest[:16]}").get_data(as_text=True)
    assert "已收回，不再有效" in page
    assert "高升" not in page
    assert world.client(worse).get(f"/study/certificates/{gone.id}.pdf").status_code == 404
    office = world.api(world.admin("publicity_office"))
    listed = office.get(f"/admin/records/certificates/{plan.id}").get_data(as_text=True)
    assert "成绩更正，已换发新证" in listed


def test_who_passes_by_a_correction_gets_a_certificate_by_itself(world, county, office, plan, fixed_clock):
    passed, newly, failed = (world.person(county.town, name=name) for name in ("早过", "新过", "没过"))
    attempts = [county.attempt(p, points=points) for p, points in ((passed, "70"), (newly, "59"), (failed, "40"))]
    sweep(world)
    assert certificates(world) == [], "nothing was issued yet, so nothing is issued by itself"
    issue(office, plan)
    fixed_clock.at(NOON + timedelta(hours=1))
    for attempt, points in zip(attempts[1:], ("61", "42"), strict=True):
        world.session.query(Grade).filter_by(attempt_id=attempt.id).one().is_current = False
        world.session.flush()
        county.grade(attempt, points, number=2, reason="correction")
    sweep(world)
    sweep(world)
    assert sorted(row.person_id for row in certificates(world)) == sorted([passed.id, newly.id])


def test_who_has_left_keeps_the_certificate_unless_the_very_attempt_was_graded_again(world, county, office, plan):
    stays, goes = (world.person(county.town, name=name) for name in ("老周", "老吴"))
    attempts = [county.attempt(person, points="75") for person in (stays, goes)]
    issue(office, plan)
    stays.state = goes.state = "left"
    issue(office, plan)
    assert all(row.withdrawn_at is None for row in certificates(world))
    world.session.query(Grade).filter_by(attempt_id=attempts[1].id).one().is_current = False
    world.session.flush()
    county.grade(attempts[1], "40", number=2)
    sweep(world)
    assert {row.person_id: row.withdrawn_at is None for row in certificates(world)} == {stays.id: True, goes.id: False}


def test_a_unit_admin_gets_the_own_units_certificates_as_one_pdf_and_no_other(world, county, office, plan):
    for unit, name in ((county.town, "甲某"), (county.school, "乙某"), (county.bureau, "丙某")):
        county.attempt(world.person(unit, name=name), points="80")
    issue(office, plan)
    admin = world.api(world.admin("unit_admin", county.town))
    page = press(admin, f"/admin/records/certificates/{plan.id}/pdf", unit_id=county.town.id)
    assert "共 2 张" in page
    assert "丙某" not in page
    link = re.search(r'href="(/admin/records/certificates/jobs/\d+/file)"', page)[1]
    answer = admin.get(link)
    reader = pypdf.PdfReader(io.BytesIO(answer.get_data()))
    text = text_of(answer.get_data())
    assert len(reader.pages) == 2
    assert "甲某" in text
    assert "乙某" in text
    assert "丙某" not in text
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in reader.pages
        for font in cast("Any", page["/Resources"])["/Font"].values()
    }
    assert len(fonts) == 1, "one font subset for the whole batch"
    for unit_id in (county.bureau.id, "", 10**12):
        assert admin.post(f"/admin/records/certificates/{plan.id}/pdf", data={"unit_id": unit_id}).status_code == 404
    assert office.get(link).status_code == 404, "another's job"
    assert admin.post(f"/admin/records/certificates/{plan.id}/issue").status_code == 404
    assert admin.get("/admin/records/certificates/templates").status_code == 404
    job = world.session.scalars(select(CertificateJob).order_by(CertificateJob.id.desc())).first()
    assert admin.get(f"/jobs/{job.id}").get_json()["state"] == "ready"


def test_files_expire_and_lost_jobs_are_taken_up_again(world, county, office, plan, fixed_clock):
    county.attempt(world.person(county.town), points="80")
    issue(office, plan)
    page = press(office, f"/admin/records/certificates/{plan.id}/pdf")
    link = re.search(r'href="(/admin/records/certificates/jobs/\d+/file)"', page)[1]
    world.app.extensions["celery"].tasks["jobs.run"].apply(args=[int(link.split("/")[-2])])
    fixed_clock.at(NOON + timedelta(days=8))
    world.session.query(SignIn).update({"started_at": clock.now(), "seen_at": clock.now()})
    assert office.get(link).status_code == 409
    sweep(world)
    waiting = CertificateJob(purpose="issue", plan_id=plan.id, created_by_id=1, created_at=NOON)
    world.save(waiting)
    world.session.flush()
    world.app.extensions["celery"].tasks["jobs.sweep"].apply()
    world.session.refresh(waiting)
    assert (waiting.state, waiting.run_count) == ("done", 1)


def test_a_course_set_earns_a_certificate_when_all_of_it_is_completed(world, county, office, plan):
    now = clock.now()
    courses = [
        world.save(
            Course(title=f"第{n}课", year=2026, credits=Decimal(5), state="published", created_at=now, updated_at=now)
        )
        for n in (1, 2)
    ]
    both, one = world.person(county.town), world.person(county.town)
    for person, course in ((both, courses[0]), (both, courses[1]), (one, courses[0])):
        world.save(
            CourseCompletion(
                course_id=course.id, person_id=person.id, year=2026, is_required=True, credits=5, completed_at=now
            )
        )
    form = {"title": "年度必修课", "prefix": "KC26", "template_id": plan.template_id, "exam_id": ""}
    assert "二者选一" in press(office, "/admin/records/certificates/new", **form)
    page = press(office, "/admin/records/certificates/new", **form, course_ids=[course.id for course in courses])
    assert "发证项目已建立" in page
    of_courses = world.session.scalars(select(CertificatePlan).filter_by(prefix="KC26")).one()
    issue(office, of_courses)
    assert [(row.person_id, row.result) for row in certificates(world)] == [(both.id, "学完全部课程")]


def test_a_plan_or_template_that_cannot_stand_is_rejected_in_words(world, county, office, plan):
    new = "/admin/records/certificates/new"
    form = {"title": "又一场", "prefix": "XF2026", "template_id": plan.template_id, "exam_id": county.exam.id}
    assert "编号开头已经用过" in press(office, new, **form)
    assert "大写字母和数字" in press(office, new, **form | {"prefix": "证-1"})
    mock = world.exam(title="模拟", kind="mock")
    assert office.post(new, data=form | {"prefix": "MK1", "exam_id": mock.id}).status_code == 422
    template = "/admin/records/certificates/templates/new"
    assert "没有【年龄】这一项" in press(office, template, **TEMPLATE | {"name": "二", "body": "【姓名】【年龄】"})
    assert "已有同名的模板" in press(office, template, **TEMPLATE)
    bad = {**TEMPLATE, "name": "三", "seal": (io.BytesIO(b"<svg onload=alert(1)>"), "章.svg")}
    assert "印章图片打不开" in office.post(template, data=bad).get_data(as_text=True)
    sample = office.get(f"/admin/records/certificates/templates/{plan.template_id}/sample.pdf")
    assert "样张" in text_of(sample.get_data())


def test_a_name_that_looks_like_a_place_stays_a_name():
    assert fill("【姓名】得【成绩】", {"姓名": "【成绩】", "成绩": "合格"}) == "【成绩】得合格"
    assert (
        fill("参加【项目】，成绩【成绩】，特发此证。", {"项目": "必修课程", "成绩": "学完全部课程"})
        == "参加必修课程，已学完全部课程，特发此证。"
    )
    assert find_body_issue("没有名字") == "证书文字里要有【姓名】。"
