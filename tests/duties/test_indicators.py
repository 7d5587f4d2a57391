"""Rates that fill a score table by themselves: the same figures as in the reports, the unit's whole subtree, nothing over nothing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from examapp import clock
from examapp.learning.courses.models import Chapter, ChapterProgress, Course
from examapp.oversight.assessment_indicators.queries import rates_of
from examapp.oversight.assessments.models import Assessment, AssessmentItem, AssessmentScore, AssessmentSheet
from examapp.oversight.assessments.queries import whole_sheet
from examapp.oversight.assessments.rules import INDICATOR_DEFINITIONS, Indicator
from examapp.oversight.duty_lists.models import DutyItem, DutyRecord
from examapp.oversight.study_progress.rules import DEFINITIONS
from examapp.points import percentage
from tests.helpers.grading import applied_correction
from tests.helpers.reports import figures_of
from tests.reports.county import DAY, ReportCounty


def assessment_of(world, exam=None):
    row = Assessment(
        year=2026, title="考核", state="open", exam_id=exam.id if exam else None, created_at=clock.now(), updated_at=clock.now()
    )  # fmt: skip
    return world.save(row)


def test_exam_rates_are_those_of_the_reports_over_the_subtree(world):
    county = ReportCounty(world)
    people = [world.person(county.bureau), world.person(county.office), world.person(county.office)]
    county.attempt(people[0], points=Decimal(90))
    county.attempt(people[1], points=Decimal(50))
    world.person(county.town)
    rates = rates_of(
        world.session,
        assessment_of(world, county.exam),
        [county.bureau.id, county.town.id, county.empty.id],
        now=clock.now(),
    )
    assert rates[county.bureau.id][Indicator.PARTICIPATION] == percentage(2, 3)
    assert rates[county.bureau.id][Indicator.PASS] == Decimal("50.00")
    assert rates[county.town.id][Indicator.PARTICIPATION] == Decimal("0.00")
    assert rates[county.town.id][Indicator.PASS] is None
    assert rates[county.empty.id][Indicator.PARTICIPATION] is None
    office = world.api(world.admin("publicity_office"))
    assert office.get(f"/admin/duties/units/{county.bureau.id}").text.count("66.67%") == 1


def test_a_rate_that_a_correction_has_changed_after_it_was_fed_back_is_named_and_no_points_move(world, fixed_clock):
    county = ReportCounty(world)
    county.attempt(world.person(county.bureau), points=Decimal(90))
    assessment = assessment_of(world, county.exam)
    item = world.save(
        AssessmentItem(assessment_id=assessment.id, position=1, section="考核", content="合格率", points=Decimal(10), standard="", indicator="pass", full_from=Decimal(100))
    )  # fmt: skip
    row = world.save(
        AssessmentSheet(
            assessment_id=assessment.id, unit_id=county.bureau.id, state="fed_back", fed_back_at=clock.now(), total=Decimal(5), updated_at=clock.now()
        )
    )  # fmt: skip
    world.save(
        AssessmentScore(sheet_id=row.id, item_id=item.id, self_reason="", points=Decimal(5), rate=Decimal("50.00"))
    )
    world.session.refresh(assessment)
    assert not whole_sheet(world.session, row, now=clock.now()).has_moved
    fixed_clock.at(fixed_clock.instant + timedelta(hours=1))
    applied_correction(world, county.exam, at=clock.now())
    sheet = whole_sheet(world.session, row, now=clock.now())
    (line,) = sheet.lines
    assert sheet.has_moved and (line.rate, line.moved_rate, line.reviewed) == (50, 100, 5)
    office = world.api(world.admin("publicity_office"))
    assert "指标已变" in office.get(f"/admin/duties/sheets/{row.id}").text


def test_study_counts_chapters_passed_and_no_time(world):
    county = ReportCounty(world)
    learner, other = world.person(county.office), world.person(county.bureau)
    nothing = rates_of(world.session, assessment_of(world), [county.bureau.id], now=clock.now())
    assert nothing[county.bureau.id][Indicator.STUDY] is None  # the year has no course
    course = world.save(
        Course(title="必修", year=2026, credits=1, state="published", created_at=clock.now(), updated_at=clock.now())
    )
    chapter = world.save(
        Chapter(course_id=course.id, position=1, title="一", body="<p>文</p>", exercise_count=1, pass_count=1)
    )
    world.save(ChapterProgress(chapter_id=chapter.id, person_id=learner.id, pages_opened=1, passed_at=clock.now()))
    world.save(ChapterProgress(chapter_id=chapter.id, person_id=other.id, pages_opened=1, read_at=clock.now()))
    assessment = world.session.query(Assessment).one()
    rates = rates_of(world.session, assessment, [county.bureau.id, county.office.id], now=clock.now())
    assert rates[county.bureau.id][Indicator.STUDY] == Decimal("50.00")
    assert rates[county.office.id][Indicator.STUDY] == Decimal("100.00")


def test_study_is_the_rate_of_the_records_electives_and_other_peoples_courses_count_for_nobody(world):
    county = ReportCounty(world)
    learner, other, elsewhere = world.person(county.office), world.person(county.bureau), world.person(county.town)
    year = {"year": 2026, "credits": 1, "created_at": clock.now(), "updated_at": clock.now()}
    for person, more in (
        (learner, {"is_required": True, "state": "published", "unit_id": county.bureau.id}),
        (other, {"is_required": False, "state": "published"}),
        (other, {"is_required": True, "state": "withdrawn"}),
        (elsewhere, {"is_required": False, "state": "published"}),
    ):
        course = world.save(Course(title="课程", **year, **more))
        chapter = world.save(
            Chapter(course_id=course.id, position=1, title="一", body="<p>文</p>", exercise_count=1, pass_count=1)
        )
        world.save(ChapterProgress(chapter_id=chapter.id, person_id=person.id, pages_opened=1, passed_at=clock.now()))
    units = [county.top.id, county.bureau.id, county.town.id]
    rates = rates_of(world.session, assessment_of(world), units, now=clock.now())
    assert [rates[unit_id][Indicator.STUDY] for unit_id in units] == [Decimal("50.00"), Decimal("50.00"), None]
    page = (
        world.api(world.admin("publicity_office")).get(f"/admin/records/study/units/{county.bureau.id}?year=2026").text
    )
    assert "50.00%" in page and DEFINITIONS[0] in INDICATOR_DEFINITIONS[Indicator.STUDY]


def test_exam_rates_use_the_units_of_a_roster_snapshot_as_the_report_does(world, create_snapshot, county):
    county.attempt(world.person(county.bureau), points=Decimal(90))
    world.person(county.school)
    client = create_snapshot()
    county.school.parent_id = county.bureau.id
    county.school.region_path = f"{county.bureau.region_path}{county.school.id}/"
    world.session.flush()
    assessment, units = assessment_of(world, county.exam), [county.bureau, county.town]
    rates = rates_of(world.session, assessment, [unit.id for unit in units], now=clock.now())
    for unit, rate in zip(units, ("100.00", "0.00"), strict=True):
        reported = figures_of(client, county.exam, unit)["rows"][0]["participation_rate"]
        assert str(rates[unit.id][Indicator.PARTICIPATION]) == reported == rate


def test_exam_rates_are_final_as_soon_as_a_makeup_is_sat(world):
    county = ReportCounty(world)
    person = world.person(county.bureau)
    county.attempt(person, points=Decimal(10))
    makeup = world.exam(title="补考", kind="makeup", main_exam_id=county.exam.id, opens_in=-1 * DAY, lasts=3 * DAY)
    county.eligible_for(makeup, person)
    county.attempt(person, exam=makeup, points=Decimal(70), hours_ago=2)
    rates = rates_of(world.session, assessment_of(world, county.exam), [county.bureau.id], now=clock.now())
    assert rates[county.bureau.id][Indicator.PASS] == Decimal("100.00")


def test_items_count_once_they_are_done_or_overdue(duties):
    own = duties.published(due_on="2026-03-01")
    rows = {
        "late": date(2026, 4, 1),
        "in time": date(2026, 5, 1),
        "overdue": date(2026, 6, 1),
        "later": date(2026, 12, 31),
    }
    items = {"early": duties.items(own)[0]}
    for position, (name, due_on) in enumerate(rows.items(), 2):
        items[name] = duties.world.save(
            DutyItem(
                list_id=own.id, position=position, kind="own", content=name, due_on=due_on, created_at=clock.now(), updated_at=clock.now()
            )
        )  # fmt: skip
    for name, done_on in (("early", date(2026, 2, 1)), ("late", date(2026, 4, 2)), ("in time", date(2026, 5, 1))):
        record = DutyRecord(
            item_id=items[name].id, done_on=done_on, form="学习", created_at=clock.now(), updated_at=clock.now()
        )
        duties.world.save(record)
    rates = rates_of(duties.session, assessment_of(duties.world), [duties.unit.id, duties.other.id], now=clock.now())
    assert rates[duties.unit.id][Indicator.ON_TIME] == Decimal("50.00")  # two of: early, late, in time, overdue
    assert rates[duties.other.id][Indicator.ON_TIME] is None


def test_a_rate_fills_its_line_and_what_has_no_data_is_judged(assessed):
    county = ReportCounty(assessed.world)
    assessed.exam = county.exam
    person = assessed.world.person(assessed.unit)
    assessed.world.person(assessed.unit)
    county.attempt(person, points=Decimal(90))
    assessed.open_it(items=(("参考", "10", "participation"), ("参学", "20", "study")))
    page = assessed.admin.get(f"/admin/duties/sheets/{assessed.sheet().id}").text
    assert "参考率 50.00%，自动取数" in page
    form = assessed.admin.get(f"/admin/duties/sheets/{assessed.sheet().id}/self").text
    taken, judged = assessed.items_of()
    assert f"points-{judged.id}" in form
    assert f"points-{taken.id}" not in form
    marks = {f"points-{judged.id}": "20", f"text-{judged.id}": "学了", f"points-{taken.id}": "10"}
    assert assessed.on_sheet("self", client=assessed.admin, act="submit", **marks).status_code == 302
    for client in assessed.reviewers:
        given = {f"points-{judged.id}": "12", f"points-{taken.id}": "10"}
        assert client.post(f"/duties/reviews/{assessed.sheet().id}", data=given).status_code == 302
    assert assessed.on_sheet("feed_back").status_code == 302
    assert assessed.sheet().total == Decimal("17.00")  # 5 of 10 from the rate, whatever was sent, and 12
    county.attempt(assessed.world.person(assessed.unit), points=Decimal(90))
    # Fixed by the feedback.
    assert "参考率 50.00%" in assessed.admin.get(f"/admin/duties/sheets/{assessed.sheet().id}").text
