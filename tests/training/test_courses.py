"""The office makes courses; a chapter counts when it was opened to its end and its exercise passed, as the server saw it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from examapp import clock
from examapp.content.laws.actions import ensure_law_version
from examapp.content.laws.models import Law, LawArticle, LawVersion
from examapp.content.questions.models import BankQuestion, QuestionCitation
from examapp.delivery.exams.models import StudyClearance
from examapp.learning.courses.models import (
    Chapter,
    ChapterArticle,
    ChapterProgress,
    Course,
    CourseCompletion,
    ExerciseRun,
    PracticeItem,
)
from examapp.learning.courses.rules import body_html
from examapp.learning.practice.rules import RUNS_A_DAY, split_pages
from examapp.learning.study.actions import MIN_OF_ARTICLES
from examapp.learning.study_gates.actions import clear_exams
from examapp.platform.audit.models import AuditEvent
from tests.conftest import NOON
from tests.helpers.courses import CHAPTER, COURSE, bank, begin, course, read, take_exam
from tests.helpers.forms import post


@pytest.fixture
def office(world):
    return world.client(world.admin("publicity_office"))


@pytest.fixture
def learner(world):
    person = world.person()
    client = world.client(person)
    client.person = person
    return client


def test_the_office_makes_a_course_publishes_it_and_learners_of_its_audience_see_it(world, session, office):
    unit = world.unit("民政局")
    inside, outside = world.client(world.person(unit)), world.client(world.person())
    made = post(office, "/admin/training/new", COURSE | {"unit_id": str(unit.id)})
    assert made.status_code == 302, made.get_data(as_text=True)
    row = session.query(Course).one()
    assert (row.credits, row.due_on, row.is_required, row.unit_id) == (Decimal(20), date(2026, 12, 1), True, unit.id)
    rejected = post(office, f"/admin/training/{row.id}/publish", page=made.location)
    assert "还没有章节" in office.get(rejected.location).get_data(as_text=True)
    chapter = f"/admin/training/{row.id}/chapters/new"
    assert "不能多于练习题数" in post(office, chapter, CHAPTER | {"pass_count": "3"}).get_data(as_text=True)
    assert post(office, chapter, CHAPTER).status_code == 302
    rejected = post(office, f"/admin/training/{row.id}/publish", page=made.location)
    assert "题库中只有 0 题" in office.get(rejected.location).get_data(as_text=True)
    bank(world)
    assert "宪法学习" not in inside.get("/study/").get_data(as_text=True)
    post(office, f"/admin/training/{row.id}/publish", page=made.location)
    assert "宪法学习" in inside.get("/study/").get_data(as_text=True)
    assert "宪法学习" not in outside.get("/study/").get_data(as_text=True)
    assert outside.get(f"/study/courses/{row.id}").status_code == 404
    assert outside.get(f"/study/chapters/{row.chapters[0].id}").status_code == 404
    page = office.get(made.location).get_data(as_text=True)
    assert "1 人" in page
    assert "2 页" in page
    assert (
        post(
            office, f"/admin/training/{row.id}/chapters/{row.chapters[0].id}", CHAPTER | {"title": "改过的一章"}
        ).status_code
        == 302
    )
    assert "改过的一章" in inside.get(f"/study/courses/{row.id}").get_data(as_text=True)
    assert post(office, chapter, CHAPTER).status_code == 422
    post(office, f"/admin/training/{row.id}/withdraw", page=made.location)
    assert inside.get(f"/study/courses/{row.id}").status_code == 404
    acts = {event.act for event in session.query(AuditEvent)}
    assert {
        "training.create_course",
        "training.publish_course",
        "training.save_chapter",
        "training.withdraw_course",
    } <= acts


def test_only_the_office_within_its_reach_writes_courses(world, session):
    own, other = world.unit("一乡"), world.unit("二乡")
    bureau = world.client(world.admin("publicity_office", own))
    foreign, whole = course(world, unit=other), course(world)
    for row in (foreign, whole):
        assert bureau.get(f"/admin/training/{row.id}").status_code == 404
    assert post(bureau, "/admin/training/new", COURSE).status_code == 422
    assert post(bureau, "/admin/training/new", COURSE | {"unit_id": str(other.id)}).status_code == 422
    assert post(bureau, "/admin/training/new", COURSE | {"unit_id": str(own.id)}).status_code == 302
    assert world.client(world.admin("unit_admin", own)).get("/admin/training/").status_code == 404
    assert world.client(world.person()).get("/admin/training/").status_code == 404


def test_a_bureau_makes_courses_for_its_own_sector_wherever_its_units_stand(world, session):
    bureau, foreign = world.unit("市司法局", kind="sector"), world.unit("市财政局", kind="sector")
    town = world.unit("一镇")
    inside = world.person(world.unit("司法所", parent=town, sector_parent=bureau))
    outside = world.person(world.unit("财政所", parent=town, sector_parent=foreign))
    maker = world.client(world.admin("publicity_office", bureau, tree="sector"))
    for sector in ("", str(foreign.id)):
        rejected = post(maker, "/admin/training/new", COURSE | {"sector_unit_id": sector})
        assert rejected.status_code == 422
        assert "选择自己的系统" in rejected.get_data(as_text=True)
    assert "本系统全部单位" in maker.get("/admin/training/new").get_data(as_text=True)
    assert post(maker, "/admin/training/new", COURSE | {"sector_unit_id": str(bureau.id)}).status_code == 302
    row = session.query(Course).one()
    assert (row.unit_id, row.sector_unit_id) == (None, bureau.id)
    page = f"/admin/training/{row.id}"
    bank(world)
    post(maker, f"{page}/chapters/new", CHAPTER)
    assert post(maker, f"{page}/publish", page=page).status_code == 302
    assert "市司法局系统" in maker.get("/admin/training/").get_data(as_text=True)
    seen = ["宪法学习" in world.client(person).get("/study/").get_data(as_text=True) for person in (inside, outside)]
    assert seen == [True, False]
    for outsider in (
        world.admin("publicity_office", foreign, tree="sector"),
        world.admin("publicity_office", town),
    ):
        client = world.client(outsider)
        assert client.get(page).status_code == 404
        assert "宪法学习" not in client.get("/admin/training/").get_data(as_text=True)


def test_a_chapter_counts_when_read_to_its_end_and_its_exercise_passed(world, session, learner):
    bank(world)
    row = course(world, chapters=2)
    first, second = row.chapters
    read(learner, first)
    result = take_exam(learner, session, begin(learner, first).location)
    assert "通过了" in result
    assert session.query(CourseCompletion).count() == 0
    assert "1 / 2" in learner.get("/study/").get_data(as_text=True)
    read(learner, second)
    take_exam(learner, session, begin(learner, second).location)
    done = session.query(CourseCompletion).one()
    assert (done.person_id, done.credits, done.year, done.is_required) == (learner.person.id, Decimal(20), 2026, True)
    assert "已学完" in learner.get("/study/").get_data(as_text=True)


def test_an_exercise_is_drawn_from_the_chapters_own_articles_where_there_are_enough(world, session, learner):
    version = ensure_law_version(session, law="行政处罚法", version_on=date(2021, 1, 22), now=clock.now())
    own = set()
    for number in range(45):
        question = world.question(stem=f"第{number}题？")
        label = "第一条" if number < MIN_OF_ARTICLES else "第九十条"
        cited = {"question_version_id": question.current_version_id, "law_version_id": version.id, "articles": [label]}
        world.save(QuestionCitation(**cited))
        own |= {question.id} if label == "第一条" else set()
    row = course(world)
    chapter = row.chapters[0]
    chapter.law, chapter.exercise_count = "行政处罚法", 8
    world.save(ChapterArticle(chapter_id=chapter.id, law="行政处罚法", label="第一条"))
    read(learner, chapter)
    begin(learner, chapter)
    assert {item.question_id for item in session.query(PracticeItem)} <= own
    session.get(BankQuestion, min(own)).state = "retired"
    session.query(ExerciseRun).one().finished_at = clock.now()
    session.flush()
    begin(learner, chapter)
    assert {item.question_id for item in session.query(PracticeItem)} - own, "too few: the whole law, least met first"


def test_an_exercise_without_reading_to_the_end_is_rejected_and_pages_cannot_be_skipped(world, session, learner):
    bank(world)
    (chapter,) = course(world).chapters
    answer = begin(learner, chapter)
    assert session.query(ExerciseRun).count() == 0
    assert "读到最后一页" in learner.get(answer.location).get_data(as_text=True)
    skipped = learner.get(f"/study/chapters/{chapter.id}?page=9")
    assert skipped.status_code == 302
    session.query(ChapterProgress).delete()
    skipped = learner.get(f"/study/chapters/{chapter.id}?page=2")
    assert skipped.location.endswith("page=1")
    assert session.query(ChapterProgress).one().read_at is None
    learner.get(f"/study/chapters/{chapter.id}?page=2")
    assert session.query(ChapterProgress).one().read_at is not None


def test_a_failed_exercise_earns_nothing_and_tries_of_a_day_are_limited(world, session, learner, fixed_clock):
    bank(world)
    (chapter,) = course(world).chapters
    read(learner, chapter)
    for _ in range(RUNS_A_DAY):
        assert "没有通过" in take_exam(learner, session, begin(learner, chapter).location, right=False)
    answer = begin(learner, chapter)
    assert "今天的次数已用完" in learner.get(answer.location).get_data(as_text=True)
    assert session.query(ChapterProgress).one().passed_at is None
    fixed_clock.at(NOON + timedelta(days=1))
    assert "通过了" in take_exam(learner, session, begin(learner, chapter).location)
    assert session.query(CourseCompletion).count() == 1
    assert "共" in learner.get("/practice/mistakes").get_data(as_text=True)


def test_replaying_an_answer_and_walking_the_options_earn_nothing(world, session, learner):
    bank(world)
    (chapter,) = course(world).chapters
    read(learner, chapter)
    run = begin(learner, chapter)
    assert begin(learner, chapter).location == run.location
    path = learner.get(run.location).location
    item = session.get(PracticeItem, int(path.rsplit("/", 1)[1]))
    right = "ABCD"[item.order.index("A")]
    wrong = [letter for letter in "ABCD" if letter != right]
    for letter in [wrong[0], right, *wrong, right]:
        post(learner, path, {"response": letter})
    session.expire_all()
    assert (item.response, item.is_right) == ([wrong[0]], False)
    assert post(learner, f"{path}/next", page="/practice/").location == run.location
    assert "没有通过" in take_exam(learner, session, run.location)
    assert session.query(ExerciseRun).one().is_passed is False
    assert session.query(ChapterProgress).one().passed_at is None


def test_passing_again_and_another_persons_exercise_change_nothing(world, session, learner):
    bank(world)
    (chapter,) = course(world).chapters
    read(learner, chapter)
    run = begin(learner, chapter).location
    outsider = world.client(world.person())
    assert outsider.get(run).status_code == 404
    take_exam(learner, session, run)
    passed_at = session.query(ChapterProgress).one().passed_at
    take_exam(learner, session, begin(learner, chapter).location)
    session.expire_all()
    assert session.query(ChapterProgress).one().passed_at == passed_at
    assert session.query(CourseCompletion).count() == 1


def test_completed_courses_open_the_study_gate_of_an_exam(world, session, learner):
    bank(world)
    row = course(world)
    exam = world.exam(world.blueprint(), study_gate={"required": 20})
    elective = world.exam(world.blueprint(), study_gate={"required": 20, "elective": 10})
    unknown = world.exam(world.blueprint(), study_gate={"credits": 1})
    assert "已有 0" in learner.get("/study/").get_data(as_text=True)
    api = world.api(learner.person)
    for gated, missing in ((exam, ["required"]), (elective, ["elective", "required"]), (unknown, ["credits"])):
        rejected = api.post(f"/api/v1/exams/{gated.id}/attempts", json={}).get_json()
        assert (rejected["error"], sorted(rejected["missing"])) == ("study_required", missing)
    named = world.exam(world.blueprint(), study_gate={"required": 20, "elective": 10, "courses": [row.id]})
    for gated, label in (
        (exam, "您还差必修 20 学分，学完即可参加考试。"),
        (named, "您还差必修 20 学分、选修 10 学分、课程“宪法学习”，学完即可参加考试。"),
        (unknown, "还没有完成考前必修的学习内容"),
    ):
        assert label in learner.get(f"/exams/{gated.id}").get_data(as_text=True)
    read(learner, row.chapters[0])
    take_exam(learner, session, begin(learner, row.chapters[0]).location)
    assert [c.exam_id for c in session.query(StudyClearance)] == [exam.id]
    assert api.post(f"/api/v1/exams/{exam.id}/attempts", json={}).status_code in {200, 201}
    assert api.post(f"/api/v1/exams/{elective.id}/attempts", json={}).get_json()["missing"] == ["elective"]
    assert "您还差选修 10 学分，学完" in learner.get(f"/exams/{elective.id}").get_data(as_text=True)
    assert {elective.id, unknown.id}.isdisjoint({c.exam_id for c in session.query(StudyClearance)})


def test_an_exam_published_later_finds_people_cleared_and_a_raised_gate_takes_it_back(world, session, learner):
    row = course(world)
    world.save(
        CourseCompletion(
            course_id=row.id,
            person_id=learner.person.id,
            year=2026,
            is_required=True,
            credits=Decimal(20),
            completed_at=clock.now(),
        )
    )
    exam = world.exam(world.blueprint(), study_gate={"required": 20}, opens_in=timedelta(days=2))
    next_year = world.exam(world.blueprint(), study_gate={"required": 1}, opens_in=timedelta(days=60))
    assert clear_exams(session, now=clock.now()) == 1
    assert clear_exams(session, now=clock.now()) == 0
    assert [c.exam_id for c in session.query(StudyClearance)] == [exam.id]
    exam.study_gate = {"required": 21}
    session.flush()
    clear_exams(session, now=clock.now())
    assert session.query(StudyClearance).count() == 0
    assert next_year.id


def test_a_laws_course_is_made_with_one_press_from_its_articles_or_its_questions(world, session, office):
    for number in range(4):
        world.question(law="行政处罚法", explanation=f"要点{number}<script>alert(1)</script>")
    fields = {"law": "行政处罚法", "unit_id": ""}
    answer = post(office, "/admin/training/from-law", fields, page="/admin/training/")
    made = session.query(Course).one()
    assert answer.location.endswith(f"/{made.id}")
    assert [(c.title, c.exercise_count, c.pass_count, c.law) for c in made.chapters] == [("要点", 4, 3, "行政处罚法")]
    assert "要点3" in made.chapters[0].body
    assert "script" not in made.chapters[0].body
    law = world.save(Law(name="行政处罚法", created_at=clock.now()))
    version = world.save(
        LawVersion(law_id=law.id, version_on=date(2021, 1, 22), effective_on=date(2021, 7, 15), created_at=clock.now())
    )
    for position in range(1, 13):
        world.save(
            LawArticle(
                law_version_id=version.id,
                position=position,
                label=f"第{position}条",
                heading="第一章" if position < 11 else "第二章",
                text=f"条文{position}",
            )
        )
    answer = post(office, "/admin/training/from-law", fields, page="/admin/training/")
    made = session.get(Course, int(answer.location.rsplit("/", 1)[1]))
    assert [c.title for c in made.chapters] == ["第一章", "第二章"]
    assert len(split_pages(made.chapters[0].body)) == 2
    assert "[[行政处罚法 第12条]]" in made.chapters[1].body
    assert [row.law_version_id for row in session.query(ChapterArticle)] == [version.id] * 12
    copied = post(office, f"/admin/training/{made.id}/copy", page=answer.location)
    copy = session.get(Course, int(copied.location.rsplit("/", 1)[1]))
    assert (copy.year, copy.state, len(copy.chapters)) == (2027, "draft", 2)
    rejected = post(office, "/admin/training/from-law", {"law": "没有题的法"}, page="/admin/training/")
    assert "还没有这部法律可用的题目" in office.get(rejected.location).get_data(as_text=True)


def test_a_chapter_that_somebody_has_opened_is_not_deleted(world, session, office, learner):
    row = course(world, chapters=2)
    first, second = row.chapters
    learner.get(f"/study/chapters/{first.id}")
    row.state = "withdrawn"
    page = f"/admin/training/{row.id}"
    assert post(office, f"{page}/chapters/{first.id}/delete", page=page).status_code == 409
    assert post(office, f"{page}/chapters/{second.id}/delete", page=page).status_code == 302
    assert [c.id for c in session.query(Chapter)] == [first.id]


def test_too_small_a_bank_holds_up_the_exercise_and_loses_no_progress(world, session, learner):
    (chapter,) = course(world).chapters
    read(learner, chapter)
    answer = begin(learner, chapter)
    assert "您的学习进度不受影响" in learner.get(answer.location).get_data(as_text=True)
    assert session.query(ChapterProgress).one().read_at is not None


def test_my_courses_cost_few_statements(world, session, learner, statements):
    for _ in range(12):
        course(world, chapters=2)
    learner.get("/study/")
    with statements() as seen:
        assert learner.get("/study/").status_code == 200
    assert len(seen) <= 6, seen


@pytest.mark.parametrize(
    ("raw", "html"),
    [
        ("甲\n乙\n\n丙", "<p>甲<br>乙</p><p>丙</p>"),
        ("甲\n\n---\n\n1 < 2", "<p>甲</p><hr><p>1 &lt; 2</p>"),
        ("# 要点\n\n- 一\n- **二**", "<h3>要点</h3><ul><li>一</li><li><strong>二</strong></li></ul>"),
        (
            "> 某局未听证即处罚。\n\n[看](javascript:alert(1)) ![图](http://a.b/c.png)",
            '<blockquote><p>某局未听证即处罚。</p></blockquote><p>[看](javascript:alert(1)) <img alt="图"></p>',
        ),
        (f"![图](/study/files/{'a' * 32})", f'<p><img src="/study/files/{"a" * 32}" alt="图"></p>'),
        ("<p onclick='x'>甲</p><script>alert(1)</script><img src='http://a.b/c.png'>", "<p>甲</p><img>"),
    ],
)
def test_what_the_office_writes_becomes_clean_html(raw, html):
    assert body_html(raw) == html


def test_a_text_falls_into_pages():
    assert split_pages("<p>甲</p><hr><hr /><p>乙</p>") == ["<p>甲</p>", "<p>乙</p>"]
    assert split_pages("") == [""]
