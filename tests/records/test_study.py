"""Who has finished what, by unit in both trees, with exports; courses nobody finishes; study records on paper."""

from __future__ import annotations

import io
from decimal import Decimal

import openpyxl
import pytest

from examapp import clock
from examapp.learning.courses.models import Chapter, ChapterProgress, Course, CourseCompletion, ExerciseRun
from examapp.learning.study_events.models import Attendance, StudyEvent
from tests.conftest import NOON


def course(world, *, unit=None, title="宪法学习", **fields):
    row = world.save(
        Course(
            title=title,
            year=2026,
            credits=Decimal(10),
            unit_id=unit.id if unit else None,
            **({"state": "published", "created_at": clock.now(), "updated_at": clock.now()} | fields),
        )
    )
    row.chapters.append(Chapter(position=1, title="第一章", body="<p>甲</p>", exercise_count=2, pass_count=2))
    row.chapters.append(Chapter(position=2, title="第二章", body="<p>乙</p>", exercise_count=2, pass_count=2))
    world.session.flush()
    return row


def study(world, person, row, *, chapters=1):
    for chapter in row.chapters[:chapters]:
        world.save(
            ChapterProgress(
                chapter_id=chapter.id, person_id=person.id, pages_opened=1, read_at=clock.now(), passed_at=clock.now()
            )
        )
    if chapters == len(row.chapters):
        world.save(
            CourseCompletion(
                course_id=row.id, person_id=person.id, year=2026, is_required=row.is_required, credits=row.credits,
                completed_at=clock.now(),
            )
        )  # fmt: skip


@pytest.fixture
def studied(world, county):
    """Two required courses, one of the bureau alone; an elective that does not count; people at every stage."""
    common, own = course(world), course(world, unit=county.bureau, title="教育法学习")
    course(world, title="选修课", is_required=False)
    course(world, title="草稿课", state="draft")
    people = {name: world.person(unit, name=name) for name, unit in (("全学完", county.bureau), ("学完一门", county.office), ("学了一章", county.school), ("没有学", county.town), ("已离开", county.town))}  # fmt: skip
    people["已离开"].state = "left"
    study(world, people["全学完"], common, chapters=2)
    study(world, people["全学完"], own, chapters=2)
    study(world, people["学完一门"], common, chapters=2)
    study(world, people["学了一章"], common)
    return people


def cells(page, name):
    row = page.split(name)[-1].split("</tr>")[0]
    return [part.split("<")[0] for part in row.replace("</a>", "").split(">") if part.split("<")[0].strip()]


def table(client, unit, **query):
    answer = client.get(f"/admin/records/study/units/{unit.id}.xlsx", query_string=query)
    sheets = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
    rows = list(sheets["按单位"].iter_rows(values_only=True))
    start = next(n for n, row in enumerate(rows) if row[0] == "单位编码")
    return {str(row[1]).strip("　"): row[2:] for row in rows[start + 1 :]}, sheets["人员"]


def test_study_rates_by_unit_are_the_same_on_the_page_and_in_the_file_and_follow_the_definition(world, county, studied):
    office = world.client(world.admin("publicity_office"))
    rows, people = table(office, county.top)
    assert rows["绥安县"] == (4, 3, 1, 75, 25)
    assert rows["教育局"] == (2, 2, 1, 100, 50), "the bureau with its office below"
    assert rows["教育局办公室"] == (1, 1, 0, 100, 0)
    assert rows["青山乡"] == (2, 1, 0, 50, 0)
    assert rows["空单位"] == (0, 0, 0, None, None)
    by_sector, _ = table(office, county.top, tree="sector")
    assert by_sector["教育局"] == (2, 2, 1, 100, 50), (
        "the school hangs below the bureau in its system, the office does not"
    )
    assert "全学完" in {row[1] for row in people.iter_rows(values_only=True)}
    page = office.get(f"/admin/records/study/units/{county.top.id}").get_data(as_text=True)
    assert "75.00%" in page
    assert "不计学习时长" in page
    assert office.get("/admin/records/study").location.endswith(f"/study/units/{county.top.id}")


def test_one_course_is_told_apart_by_unit_by_person_and_in_the_file(world, county, studied):
    elective = world.session.query(Course).filter_by(title="选修课").one()
    own = world.session.query(Course).filter_by(title="教育法学习").one()
    study(world, studied["没有学"], elective)
    office = world.client(world.admin("publicity_office"))
    rows, _ = table(office, county.top, course=own.id)
    assert rows["教育局"] == (2, 1, 1, 50, 50)
    assert rows["青山乡"] == (0, 0, 0, None, None)
    rows, _ = table(office, county.top, course=elective.id)
    assert rows["绥安县"] == (4, 1, 0, 25, 0), "an elective too, for whom it is"
    page = office.get(f"/admin/records/study/units/{county.top.id}/people?course={own.id}").get_data(as_text=True)
    assert "学完一门" in page
    assert "全学完" not in page
    town = world.client(world.admin("unit_admin", county.town))
    base = f"/admin/records/study/units/{county.town.id}"
    assert "教育法学习" not in town.get(base).get_data(as_text=True), "another unit's own course"
    for path in (base, f"{base}/people", f"{base}.xlsx"):
        assert town.get(f"{path}?course={own.id}").status_code == 404
    assert town.get(f"{base}?course=").status_code == 200
    led = town.get(f"/admin/records/study?course={elective.id}")
    assert led.location.endswith(f"{base}?course={elective.id}")


def test_who_has_not_finished_is_listed_within_reach_only(world, county, studied):
    admin = world.client(world.admin("unit_admin", county.town))
    page = admin.get(f"/admin/records/study/units/{county.town.id}/people").get_data(as_text=True)
    assert "没有学" in page
    assert "学了一章" in page
    assert "学完一门" not in page
    assert "已离开" not in page
    for path in ("study/units/{}", "study/units/{}.xlsx", "study/units/{}/people", "units/{}", "units/{}.xlsx"):
        assert admin.get(f"/admin/records/{path.format(county.bureau.id)}").status_code == 404
    assert admin.get(f"/admin/records/people/{studied['全学完'].id}").status_code == 404
    assert world.client(studied["没有学"]).get("/admin/records/study").status_code == 404


def test_a_course_nobody_finishes_and_an_exercise_everybody_fails_are_pointed_out(world, county):
    hard = course(world, title="难课")
    course(world, title="没人学的课")
    for number in range(12):
        person = world.person(county.town)
        world.save(ChapterProgress(chapter_id=hard.chapters[0].id, person_id=person.id, pages_opened=1, read_at=NOON))
        world.save(
            ExerciseRun(
                person_id=person.id, chapter_id=hard.chapters[0].id, number=1, pass_count=2, started_at=NOON,
                started_on=NOON.date(), finished_at=NOON, right_count=0, is_passed=number == 0,
            )
        )  # fmt: skip
    page = world.client(world.admin("publicity_office")).get("/admin/records/study/courses").get_data(as_text=True)
    assert "开始 12 人，学完 0 人" in page
    assert page.count("学完的少，建议检查") == 1
    assert page.count("多数不过，建议检查") == 1
    assert "8.33%" in page


def test_how_an_exercise_went_is_not_told_of_fewer_than_five_people(world, county):
    hard = course(world, title="难课")

    def fail(unit):
        world.save(
            ExerciseRun(
                person_id=world.person(unit).id, chapter_id=hard.chapters[0].id, number=1, pass_count=2, started_at=NOON,
                started_on=NOON.date(), finished_at=NOON, right_count=0, is_passed=False,
            )
        )  # fmt: skip

    def line(role, unit=None):
        page = world.client(world.admin(role, unit)).get("/admin/records/study/courses").get_data(as_text=True)
        return cells(page, "第一章")

    for _ in range(4):
        fail(county.town)
    assert line("publicity_office")[:3] == ["–", "–", "–"]
    fail(county.bureau)
    assert line("publicity_office")[:2] == ["5", "0"]
    assert line("unit_admin", county.town)[:3] == ["–", "–", "–"]


def test_the_menu_leads_an_organiser_to_who_has_studied_and_from_there_to_all_that_belongs_to_it(world, county):
    admin = world.client(world.admin("unit_admin", county.town))
    entry = admin.get("/").get_data(as_text=True).split(">学习情况<")[0]
    assert entry.endswith('href="/admin/records/study"')
    page = admin.get("/admin/records/study", follow_redirects=True).get_data(as_text=True)
    for path in ("/admin/training/gates", "/admin/training/mastery", "/admin/records/study/courses"):
        assert f'href="{path}"' in page
        assert 'href="/admin/records/study"' in admin.get(path).get_data(as_text=True)


def test_a_study_record_holds_courses_events_exercises_and_nothing_of_others(world, county, studied):
    person = studied["全学完"]
    event = world.save(
        StudyEvent(
            unit_id=county.bureau.id, kind="court", theme="旁听一起行政诉讼", starts_at=NOON, ends_at=clock.now().replace(hour=6),
            state="held", code_seed=b"x", created_at=NOON, updated_at=NOON,
        )
    )  # fmt: skip
    world.save(Attendance(event_id=event.id, person_id=person.id, unit_id=county.bureau.id, way="list", noted_at=NOON))
    page = world.client(person).get("/study/record").get_data(as_text=True)
    for text in ("宪法学习", "教育法学习", "旁听一起行政诉讼", "20"):
        assert text in page
    other = world.client(studied["没有学"]).get("/study/record").get_data(as_text=True)
    assert "旁听一起行政诉讼" not in other
    assert "旁听一起行政诉讼" not in world.client(person).get("/study/record?year=2025").get_data(as_text=True)
    admin = world.client(world.admin("unit_admin", county.bureau))
    sheet = openpyxl.load_workbook(
        io.BytesIO(admin.get(f"/admin/records/units/{county.bureau.id}.xlsx").get_data())
    ).active
    lines = {row[1]: row[3:] for row in sheet.iter_rows(values_only=True) if str(row[0]).startswith("P")}
    assert lines["全学完"] == (2, 20, 1, 0, 0)
    assert "全学完" in admin.get(f"/admin/records/units/{county.bureau.id}").get_data(as_text=True)
    for number in range(50):
        world.person(county.bureau, name=f"后来{number:02}", staff_number=f"ZZ{number:02}")
    first, whole = (
        admin.get(f"/admin/records/units/{county.bureau.id}{query}").get_data(as_text=True) for query in ("", "?all=1")
    )
    assert "第 1 页，共 2 页" in first and "后来49" not in first and "后来49" in whole


def test_the_unit_table_costs_few_statements(world, county, studied, statements):
    office = world.client(world.admin("publicity_office"))
    office.get(f"/admin/records/study/units/{county.top.id}")
    with statements() as seen:
        office.get(f"/admin/records/study/units/{county.top.id}")
    assert len(seen) <= 8, seen
