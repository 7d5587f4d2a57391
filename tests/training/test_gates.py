"""What an exam asks to be studied is shown to the candidate and, for a unit, to its admin."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from examapp import clock
from examapp.delivery.exams.models import StudyClearance
from examapp.learning.courses.models import CourseCompletion
from examapp.learning.study_gates.actions import clear_exams
from tests.helpers.courses import course
from tests.helpers.forms import post


@pytest.fixture
def office(world):
    return world.client(world.admin("publicity_office"))


def complete(world, row, person):
    world.save(
        CourseCompletion(
            course_id=row.id,
            person_id=person.id,
            year=2026,
            is_required=True,
            credits=Decimal(20),
            completed_at=clock.now(),
        )
    )


def test_a_unit_admin_sees_who_of_the_unit_still_lacks_what(world, session):
    unit = world.unit("民政局")
    done, missing = world.person(unit, name="已学的人"), world.person(unit, name="未学的人")
    world.person(name="外单位的人")
    row = course(world)
    exam = world.exam(world.blueprint(), study_gate={"required": 20}, opens_in=timedelta(days=2))
    complete(world, row, done)
    clear_exams(session, now=clock.now())
    page = world.client(world.admin("unit_admin", unit)).get("/admin/training/gates").get_data(as_text=True)
    assert exam.title in page
    assert "未学的人" in page
    assert "0 / 20" in page
    assert "已学的人" not in page
    assert "外单位的人" not in page
    assert "选择考前要学完的课程" not in page
    assert world.client(missing).get("/admin/training/gates").status_code == 404
    office = world.client(world.admin("publicity_office"))
    everybody = office.get("/admin/training/gates?unit=").get_data(as_text=True)
    assert "外单位的人" in everybody
    of_unit = office.get(f"/admin/training/gates?unit={unit.id}").get_data(as_text=True)
    assert "未学的人" in of_unit
    assert "外单位的人" not in of_unit
    outsider = world.client(world.admin("unit_admin", world.unit()))
    assert outsider.get(f"/admin/training/gates?unit={unit.id}").status_code == 404
    client = world.client(missing)
    assert "学满必修 20 学分（已有 0）" in client.get("/study/").get_data(as_text=True)
    assert '<a class="btn btn-primary btn-lg" href="/study/">去学习</a>' in client.get("/").get_data(as_text=True)
    exam.opens_at = clock.now() - timedelta(hours=1)
    session.flush()
    assert "去学习，看还差什么" in client.get(f"/exams/{exam.id}").get_data(as_text=True)
    assert "去学习" not in world.client(done).get(f"/exams/{exam.id}").get_data(as_text=True)


def test_an_exam_may_ask_for_courses_by_name_until_it_opens(world, session, office, fixed_clock):
    person = world.person()
    wanted, other = course(world), course(world)
    wanted.title = "行政处罚法必修"
    also = course(world)
    also.title = "监察法必修"
    exam = world.exam(world.blueprint(), opens_in=timedelta(days=2))
    path = f"/admin/training/gates/{exam.id}/courses"
    assert post(office, path, {"course": [str(wanted.id), str(also.id)]}).status_code == 302
    notice = world.client(person).get("/study/").get_data(as_text=True).split("学满即可开考")[0]
    assert "行政处罚法必修" in notice
    assert "监察法必修" in notice
    complete(world, also, person)
    notice = world.client(person).get("/study/").get_data(as_text=True).split("学满即可开考")[0]
    assert "行政处罚法必修" in notice
    assert "监察法必修" not in notice, "what is done is no longer asked for"
    assert "行政处罚法必修" in office.get("/admin/training/gates").get_data(as_text=True)
    complete(world, other, person)
    clear_exams(session, now=clock.now())
    assert session.query(StudyClearance).count() == 0
    complete(world, wanted, person)
    clear_exams(session, now=clock.now())
    assert [row.person_id for row in session.query(StudyClearance)] == [person.id]
    assert post(office, path, {"course": "999999"}).status_code == 404
    fixed_clock.at(exam.opens_at)
    office = world.client(world.admin("publicity_office"))
    rejected = post(office, path, {})
    assert "不能再改" in office.get(rejected.location).get_data(as_text=True)
    assert exam.study_gate == {"courses": [wanted.id, also.id]}
    bureau = world.client(world.admin("publicity_office", world.unit()))
    assert bureau.get("/admin/training/gates?exam=999999").status_code == 404
    assert world.client(world.admin("unit_admin", world.unit())).get(path).status_code == 404
