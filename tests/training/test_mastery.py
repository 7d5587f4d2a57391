"""What is known and what not: for oneself by law and point, for a unit in sums without names, after an exam with courses and the change."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp import clock
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading.tasks import grade_waiting
from examapp.learning.courses.models import CourseCompletion
from examapp.learning.spaced_repetition.models import DueCount, HarvestedAttempt, ReviewCard, UnitMastery
from examapp.learning.spaced_repetition.tasks import count_everybody, look_at_exams
from examapp.organisation.people.models import Person
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.helpers.courses import course
from tests.helpers.practice import weakness


def card(world, person, question, *, is_right, due_in=None):
    now = clock.now()
    world.save(
        ReviewCard(
            person_id=person.id,
            question_id=question.id,
            part=0,
            is_right=is_right,
            lapses=int(not is_right),
            answered_at=now,
            due_at=now + due_in if due_in is not None else None,
            stability=1 if due_in is not None else None,
            difficulty=5 if due_in is not None else None,
        )
    )


def test_ones_own_map_shows_laws_and_points_the_weakest_first(world, session, statements):
    person = world.person()
    weak = [world.question(law="监察法", knowledge_points=("留置",)) for _ in range(7)]
    strong = world.question(law="宪法", knowledge_points=("国家机构",))
    world.question(law="民法典")
    for number, question in enumerate(weak[:6]):
        card(world, person, question, is_right=number < 2, due_in=None if number < 2 else timedelta(hours=-1))
    card(world, person, strong, is_right=True)
    card(world, world.person(), strong, is_right=False, due_in=timedelta(0))
    client = world.client(person)
    page = client.get("/practice/map").get_data(as_text=True)
    assert page.index("监察法") < page.index("宪法") < page.index("民法典")
    assert "33%" in page
    assert "6 / 7" in page
    assert "不足 5 题" in page, "one answer is no share"
    assert "留置" in page
    for number in range(12):
        world.question(law=f"第{number:02}部法")
    page = client.get("/practice/map").get_data(as_text=True)
    assert "展开其余 5 个" in page and page.index("展开其余") < page.index("第11部法")
    with statements() as seen:
        client.get("/practice/map")
    assert len(seen) <= 5, seen
    chosen = client.get("/practice/?law=监察法").get_data(as_text=True)
    assert '<option selected value="监察法">' in chosen


@pytest.fixture
def crowd(world):
    unit = world.unit("民政局")
    question, rare = (
        world.question(law="监察法", knowledge_points=("留置",)),
        world.question(law="密码法", knowledge_points=("加密",)),
    )
    people = [world.person(unit, name=f"人员{n}号") for n in range(5)]
    for number, person in enumerate(people):
        card(world, person, question, is_right=number == 0, due_in=timedelta(days=-1))
        world.save(DueCount(person_id=person.id, due=1, counted_at=clock.now()))
    card(world, people[0], rare, is_right=False, due_in=timedelta(0))
    return unit


def test_a_units_map_has_no_names_and_nothing_over_fewer_than_five(world, session, crowd):
    below = world.unit("救助站", parent=crowd)
    card(world, world.person(below), world.question(law="密码法"), is_right=False, due_in=timedelta(0))
    count_everybody()
    count_everybody()
    admin = world.client(world.admin("unit_admin", crowd))
    page = admin.get("/admin/training/mastery").get_data(as_text=True)
    assert "监察法" in page
    assert "20.00%" in page
    assert "6 人有到期的错题" in page
    assert "留置" in page
    assert "加密" not in page
    assert (session.query(UnitMastery).filter_by(name="监察法", unit_id=crowd.id).one().people) == 5
    assert "密码法" not in page
    assert "号" not in page.split("平时练习")[1]
    outsider = world.client(world.admin("unit_admin", world.unit("别的局")))
    assert outsider.get(f"/admin/training/mastery?unit={crowd.id}").status_code == 404
    assert "监察法" not in outsider.get("/admin/training/mastery").get_data(as_text=True)
    assert world.client(world.person()).get("/admin/training/mastery").status_code == 404


def test_after_an_exam_the_weakest_laws_propose_courses_and_the_next_exam_shows_the_change(world, session, crowd):
    below = world.unit("救助站", parent=crowd)
    first = world.exam(world.blueprint(), title="春季考试", opens_in=timedelta(days=-100))
    second = world.exam(world.blueprint(), title="秋季考试", opens_in=timedelta(days=-10))
    weakness(world, first, crowd, right=2)
    weakness(world, second, crowd, right=3, candidate_count=3)
    weakness(world, second, below, right=4, candidate_count=2)
    weakness(world, second, crowd, name="宪法", right=10)
    weakness(world, second, below, name="密码法", right=0, candidate_count=1)
    weakness(world, second, crowd, name="数据", right=7)
    weakness(world, second, crowd, name="留置", kind="point", right=1)
    teaches = course(world)
    teaches.title = "监察法学习"
    teaches.chapters[0].law = "监察法"
    reader = session.query(Person).filter_by(unit_id=crowd.id).first()
    world.save(
        CourseCompletion(
            course_id=teaches.id, person_id=reader.id, year=2026, is_required=True, credits=20, completed_at=clock.now()
        )
    )
    foreign = course(world, unit=world.unit("外局"))
    foreign.title, foreign.chapters[0].law = "外局的课", "监察法"
    admin = world.client(world.admin("unit_admin", crowd))
    page = admin.get("/admin/training/mastery").get_data(as_text=True)
    advice = page.split("考后建议")[1].split("平时练习")[0]
    assert "秋季考试" in advice
    assert "监察法学习" in advice
    assert "外局的课" not in advice
    assert "密码法" not in advice
    assert "针对《监察法》、知识点“留置”；本单位应学 5 人，已学完 1 人" in advice
    assert "《数据》还没有课程。可请普法办生成。" in advice
    assert "35.00%" in advice
    assert "+15.00" in advice
    assert advice.index("监察法") < advice.index("宪法")
    older = admin.get(f"/admin/training/mastery?unit={crowd.id}&exam={first.id}").get_data(as_text=True)
    assert "20.00%" in older
    assert session.query(Exam).count() == 2


def test_a_units_map_is_counted_soon_after_an_exam_was_learned_from_and_not_each_minute(world, session, fixed_clock):
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS), keys_policy="at_close")
    unit = world.unit("民政局")
    candidate_count = [CandidateClient(world, exam, world.person(unit)) for _ in range(2)]
    for candidate_client in candidate_count:
        candidate_client.start()
        candidate_client.hand_in()
    look_at_exams()
    assert session.query(UnitMastery).count() == 0
    grade_waiting(max_batches=1)
    fixed_clock.at(fixed_clock.instant + timedelta(days=2))
    look_at_exams()

    def counted():
        session.expire_all()
        return {(row.people, row.counted_at) for row in session.query(UnitMastery).filter_by(kind="law")}

    first = fixed_clock.instant
    assert counted() == {(2, first)}
    session.query(HarvestedAttempt).update({"harvested_at": first + timedelta(minutes=1)})
    fixed_clock.at(first + timedelta(minutes=2))
    look_at_exams()
    assert counted() == {(2, first)}
    fixed_clock.at(first + timedelta(minutes=20))
    look_at_exams()
    assert counted() == {(2, fixed_clock.instant)}
    fixed_clock.at(first + timedelta(hours=2))
    look_at_exams()
    assert counted() == {(2, first + timedelta(minutes=20))}
