"""A frozen roster: every figure in every form stands on it, later moves wait as corrections, and each is taken in by hand."""

import re

import pytest

from examapp import clock, errors
from examapp.delivery.exams.models import ExamAudience, MakeupEligibility, RosterCorrection, RosterSnapshotPerson
from examapp.delivery.grading import tasks as grading_tasks
from examapp.organisation.access import rules as access_rules
from examapp.oversight.roster_snapshots import actions as roster_snapshot_actions
from examapp.platform.audit import actions as audit_actions
from examapp.platform.audit.actions import ActionContext
from tests.helpers.reports import assert_all_agree, export, figures_of, pdf_text, xlsx_rows
from tests.reports.county import DAY, HOUR, naive_figures, present_roster
from tests.unit_management.conftest import act_path, page_path


def move_about(county, world):
    """Everything that can happen to a roster after its freeze."""
    p = county.people
    county.move(p["good"], to=county.town, came_from=county.office)
    county.move(p["good"], to=county.school, came_from=county.town)
    county.move(p["zero"], kind="retire", came_from=county.town)
    newcomer = world.person(county.bureau, name="新人")
    county.move(newcomer, kind="join", to=county.bureau)
    county.attempt(newcomer, points="100", hours_ago=0)
    county.excuse(p["absent"])
    county.attempt(p["absent too"], points="70", hours_ago=0)


@pytest.mark.slow
def test_every_figure_in_every_form_is_of_the_roster_snapshot(county, world, session, fixed_clock, create_snapshot):
    county.fill_with_every_odd_case()
    at_snapshot = present_roster(session, county.exam.id)
    create_snapshot()
    fixed_clock.at(clock.now() + 2 * HOUR)
    move_about(county, world)
    county.office.name, county.school.region_path = "办公室（新）", f"{county.bureau.region_path}{county.school.id}/"
    client = world.api(world.admin())
    naive = naive_figures(session, [county.exam.id], snapshot=at_snapshot)
    assert naive[county.top.id].as_api() != naive_figures(session, [county.exam.id])[county.top.id].as_api()
    on_paper = assert_all_agree(county, client, naive)
    assert "名册：2026年11月24日12:00冻结的名单" in on_paper and "办公室（新）" not in on_paper
    assert (
        figures_of(client, county.exam, county.top)["definitions"]["roster_as_of"]
        == "名册：2026年11月24日 12:00冻结的名单"
    )
    scores = {row["姓名"]: row for row in xlsx_rows(export(client, county, county.top, "scores", "xlsx"))}
    assert len(scores) == 25 and "新人" not in scores and scores["人good"]["单位"] == "教育局办公室"
    for content, snapshot in (
        ("absent", "2026年11月24日12:00冻结的名单"),
        ("score_sheet", "2026年11月24日12:00冻结的名单"),
        ("circular", "2026年11月24日12:00冻结的名单"),
    ):
        assert snapshot in pdf_text(export(client, county, county.top, content, "pdf")), content


def test_corrections_wait_until_the_office_takes_each_in(county, world, session, fixed_clock, create_snapshot, post):
    people = county.fill_with_every_odd_case()
    at_snapshot = present_roster(session, county.exam.id)
    create_snapshot()
    fixed_clock.at(clock.now() + 2 * HOUR)
    move_about(county, world)
    office, path = world.client(world.admin()), page_path(county)
    page = office.get(path).text
    assert "待处理的更正：4 条" in page and "2026年11月24日 12:00冻结的名单" in page
    for text in ("人good", "新人", "不在名册", "青山乡中心学校", "教育局（免考）"):
        assert text in page
    fields = dict(re.findall(r'name="person_id" value="(\d+)"><input type="hidden" name="place" value="([^"]*)"', page))
    person = people["good"]
    body = {"person_id": person.id, "place": fields[str(person.id)], "reason": "调令〔2026〕8号"}
    answer = post(office, act_path(county, "corrections"), page=path, **body)
    assert answer.status_code == 303
    after = office.get(path).text
    assert "已采纳这条更正" in after and "待处理的更正：3 条" in after and "已采纳更正 1 条" in after
    assert "调令〔2026〕8号" in after
    places, paths = at_snapshot
    corrected = ({**places, person.id: (county.school.id, None)}, paths)
    assert_all_agree(county, world.api(world.admin()), naive_figures(session, [county.exam.id], snapshot=corrected))
    post(office, act_path(county, "corrections"), page=path, **body)
    assert "这条更正已经办理过" in office.get(path).text
    assert session.query(RosterCorrection).count() == 1 and county.exam.corrections == 1


def test_a_correction_that_has_moved_on_is_not_taken_in_blindly(
    county, world, session, fixed_clock, create_snapshot, post
):
    people = county.fill_with_every_odd_case()
    create_snapshot()
    person, path = people["good"], page_path(county)
    county.move(person, to=county.town, came_from=county.office)
    office = world.client(world.admin())
    office.get(path)
    county.move(person, to=county.school, came_from=county.town)
    post(office, act_path(county, "corrections"), page=path, person_id=person.id, place=f"{county.town.id}:")
    assert "又有变化" in office.get(path).text
    assert session.get(RosterSnapshotPerson, (county.exam.id, person.id)).unit_id == county.office.id
    for nonsense in ({"person_id": person.id, "place": "x:y"}, {"person_id": 0, "place": ":"}, {"place": ":"}):
        post(office, act_path(county, "corrections"), page=path, **nonsense)
        assert "没有办理" in office.get(path).text


def test_a_past_moment_leads_the_roster_back_by_the_moves_since(county, world, session, fixed_clock, create_snapshot):
    people = county.fill_with_every_odd_case()
    then = present_roster(session, county.exam.id)
    two_days_ago = clock.now() - 2 * DAY
    fixed_clock.at(clock.now() + 3 * DAY)
    county.move(people["good"], to=county.town, came_from=county.office)
    county.move(people["zero"], kind="retire", came_from=county.town)
    county.move(world.person(county.bureau, name="新人"), kind="join", to=county.bureau)
    county.excuse(people["absent"])
    create_snapshot(two_days_ago + 3 * DAY)
    naive = naive_figures(session, [county.exam.id], snapshot=then)
    for row in figures_of(world.client(world.admin()), county.exam, county.top)["rows"]:
        assert row["roster"] == naive[row["unit_id"]].roster and row["exempt"] == naive[row["unit_id"]].exempt
    assert county.exam.snapshot_due_at.date().isoformat() == "2026-11-25"


def test_a_makeup_is_for_the_roster_snapshot_of_its_main_exam(
    county, world, session, fixed_clock, create_snapshot, post
):
    world.save(ExamAudience(exam_id=county.exam.id, unit_id=county.bureau.id, ranks=[]))
    makeup = world.exam(title="补考", kind="makeup", main_exam_id=county.exam.id, opens_in=10 * DAY)
    people = {name: world.person(county.bureau, name=name) for name in ("stays", "moves", "leaves", "exempt", "later")}
    county.excuse(people["exempt"])
    create_snapshot()
    fixed_clock.at(county.exam.closes_at - HOUR)
    county.move(people["moves"], to=county.town, came_from=county.bureau)
    county.move(people["leaves"], kind="retire", came_from=county.bureau)
    county.excuse(people["later"])
    people["comes"] = world.person(county.bureau, name="comes")
    county.move(people["comes"], kind="join", to=county.bureau)
    fixed_clock.at(county.exam.closes_at + HOUR * 5)

    def eligible():
        grading_tasks.sweep_once()
        ids = {row.person_id for row in session.query(MakeupEligibility).filter_by(exam_id=makeup.id)}
        return {name for name, person in people.items() if person.id in ids}

    assert eligible() == {"stays", "moves"}
    office, path = world.client(world.admin()), page_path(county)
    place = f"{county.bureau.id}:"
    assert "comes" in office.get(path).text
    post(office, act_path(county, "corrections"), page=path, person_id=people["comes"].id, place=place)
    assert eligible() == {"stays", "moves", "comes"}
    county.exam.snapshot_due_at = county.exam.snapshot_created_at = None
    session.flush()
    assert eligible() == {"stays", "comes"}, "without a freeze the roster of now"


def test_a_moment_ahead_is_taken_when_it_comes(county, world, session, fixed_clock, app, post, create_snapshot):
    county.fill_with_every_odd_case()
    client = create_snapshot(clock.now() + 5 * HOUR)
    assert county.exam.snapshot_created_at is None and "已定于" in client.get(page_path(county)).text
    assert "在册人员" in figures_of(client, county.exam, county.top)["definitions"]["roster_as_of"]
    fixed_clock.at(clock.now() + 5 * HOUR)
    for _ in range(2):
        app.extensions["celery"].tasks["roster_snapshots.sweep"]()
        app.extensions["celery"].tasks["roster_snapshots.create"](county.exam.id)
    session.expire_all()
    assert session.query(RosterSnapshotPerson).count() == 25 and county.exam.snapshot_created_at == clock.now()


def test_a_second_snapshot_is_rejected_and_removing_one_needs_a_reason(county, world, session, create_snapshot, post):
    county.fill_with_every_odd_case()
    client, path = create_snapshot(), page_path(county)
    with pytest.raises(errors.ConflictError, match="先解除冻结"):
        roster_snapshot_actions.schedule_snapshot(
            ActionContext(session, audit_actions.SYSTEM, clock.now()),
            exam_id=county.exam.id,
            moment=clock.now(),
            access=access_rules.AccessScope(is_everything=True),
        )
    post(client, act_path(county, "lift"), page=path, reason="")
    assert "请写明原因" in client.get(path).text
    assert session.query(RosterSnapshotPerson).count() == 25
    post(client, act_path(county, "lift"), page=path, reason="冻结日期填错")
    assert session.query(RosterSnapshotPerson).count() == 0 and county.exam.snapshot_due_at is None
    assert "名册还没有冻结" in client.get(path).text


def test_only_the_exams_own_office_takes_a_snapshot_and_a_unit_sees_its_own_corrections(
    county, world, create_snapshot, fixed_clock, post
):
    people = county.fill_with_every_odd_case()
    create_snapshot()
    fixed_clock.at(clock.now() + HOUR)
    county.move(people["good"], to=county.town, came_from=county.office)
    county.move(people["zero"], kind="retire", came_from=county.town)
    path = page_path(county, county.bureau)
    unit_admin = world.client(world.admin("unit_admin", county.bureau))
    page = unit_admin.get(path).text
    assert "人good" in page and "人zero" not in page and "采纳</button>" not in page and "解除冻结" not in page
    assert unit_admin.get(page_path(county)).status_code == 404
    part = world.client(world.admin("publicity_office", county.bureau))
    assert "采纳</button>" not in part.get(path).text
    assert post(part, act_path(county, "lift"), page="/account", reason="x").status_code == 404


def test_who_had_a_unit_at_the_snapshot_still_sees_what_it_counts(county, world, create_snapshot, fixed_clock):
    county.fill_with_every_odd_case()
    before = naive_figures(world.session, [county.exam.id])
    create_snapshot()
    county.school.region_path = f"{county.bureau.region_path}{county.school.id}/"
    county.school.parent_id = county.bureau.id
    old = figures_of(world.client(world.admin("unit_admin", county.town)), county.exam, county.town)["rows"]
    assert [row["code"] for row in old] == ["201", "20101"] and old[0]["roster"] == before[county.town.id].roster
    new = world.client(world.admin("unit_admin", county.bureau))
    assert figures_of(new, county.exam, county.bureau)["rows"][0]["roster"] == before[county.bureau.id].roster
    assert figures_of(new, county.exam, county.school)["rows"][0]["roster"] == before[county.school.id].roster
    later = world.unit("新设局", parent=county.top, code="401")
    rows = figures_of(world.client(world.admin()), county.exam, later)["rows"]
    assert [(row["code"], row["roster"], row["participation_rate"]) for row in rows] == [("401", 0, None)]


def test_audience_and_query_budget_hold_on_a_roster_snapshot(county, world, statements, create_snapshot):
    county.fill_with_every_odd_case()
    world.save(ExamAudience(exam_id=county.exam.id, unit_id=county.town.id, ranks=[]))
    client = create_snapshot()
    rows = figures_of(client, county.exam, county.top)["rows"]
    assert rows[0]["roster"] == next(row["roster"] for row in rows if row["code"] == "201") > 0
    path = f"/admin/reports/exams/{county.exam.id}/units/{county.top.id}"
    with statements() as seen:
        assert client.get(path).status_code == 200
    assert len(seen) <= 6


def test_a_closed_exam_has_its_snapshot_by_itself_unless_it_is_a_mock_or_the_office_gave_that_up(
    county, session, fixed_clock, app, post, world
):
    county.fill_with_every_odd_case()
    task = app.extensions["celery"].tasks[roster_snapshot_actions.TASK]

    def sweep():
        for exam_id in roster_snapshot_actions.list_due_snapshots(session, now=clock.now()):
            assert task.apply(args=(exam_id,)).successful()

    sweep()
    assert county.exam.snapshot_created_at is None, "still open"
    fixed_clock.at(county.exam.closes_at + HOUR)
    county.exam.kind = "mock"
    session.flush()
    sweep()
    assert county.exam.snapshot_created_at is None
    county.exam.kind = "annual"
    session.flush()
    sweep()
    session.refresh(county.exam)
    assert county.exam.snapshot_created_at is not None and county.exam.snapshot_due_at == county.exam.closes_at
    office = world.api(world.admin())
    post(office, act_path(county, "lift"), page=page_path(county), reason="名册有大错")
    sweep()
    session.refresh(county.exam)
    assert (county.exam.snapshot_created_at, county.exam.has_snapshot_at_close) == (None, False)
