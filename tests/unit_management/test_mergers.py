"""Units merged, split and renamed: shown first, done in one act; exams under way keep their people, old exams their names."""

import pytest

from examapp import clock
from examapp.delivery.exams.models import ExamAudience
from examapp.organisation.people.models import RoleGrant, RosterMove
from examapp.organisation.units.models import Unit
from examapp.oversight.unit_mergers.models import UnitChange
from examapp.platform.audit.models import AuditEvent
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.helpers.forms import value_of
from tests.helpers.reports import figures_of
from tests.reports.county import DAY


@pytest.fixture
def office(world):
    return world.api(world.admin())


def merge(client, source, target, *, reason="县委编办〔2026〕12 号文"):
    path = f"/admin/unit-book/units/{source.id}/merge"
    seen = value_of(client.get(path), "seen")
    return client.post(path, data={"target": target.id, "seen": seen, "reason": reason})


def rows_of(client, exam, unit):
    return {
        row["code"]: (row["name"], row["roster"], row["participated"]) for row in figures_of(client, exam, unit)["rows"]
    }


def test_a_merger_in_mid_exam_keeps_everybody_in_the_exam_and_counts_them_once(world, county, office):
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS))
    world.save(ExamAudience(exam_id=exam.id, unit_id=county.bureau.id, ranks=[]))
    attempt, waiting = world.person(county.bureau, name="在考"), world.person(county.office, name="未考")
    world.person(county.town, name="乡里人")
    candidate_client = CandidateClient(world, exam, attempt)
    candidate_client.start()
    page = office.get(f"/admin/unit-book/units/{county.bureau.id}/merge").text
    assert "1 人转到并入的单位" in page and "教育局办公室，改挂到" in page and exam.title in page
    assert merge(office, county.bureau, county.town).status_code == 303
    assert candidate_client.hand_in().status_code == 201
    CandidateClient(world, exam, waiting).start()
    rows = rows_of(office, exam, county.top)
    assert rows["000"] == ("绥安县", 2, 1) and rows["201"] == ("青山乡", 2, 1) and "101" not in rows
    assert rows["10101"] == ("教育局办公室", 1, 0)
    assert (county.bureau.successor_id, county.bureau.region_path) == (
        county.town.id,
        f"{county.town.region_path}{county.bureau.id}/",
    )
    move = world.session.query(RosterMove).one()
    assert (move.kind, move.note, move.person_id) == ("merge", "教育局并入青山乡", attempt.id)


def test_old_exams_keep_old_names_and_the_new_units_admin_reads_them(world, county, office):
    county.attempt(world.person(county.office, name="甲"), points="80")
    past = world.exam(title="去年的考试", opens_in=-300 * DAY, lasts=DAY)
    coming = world.exam(title="明年的考试", opens_in=30 * DAY)
    part = world.save(ExamAudience(exam_id=coming.id, unit_id=county.office.id, ranks=[]))
    admin = world.admin("unit_admin", county.office, name="原管理员")
    assert "原管理员（单位管理员）" in office.get(f"/admin/unit-book/units/{county.office.id}/merge").text
    merge(office, county.office, county.town)
    assert part.unit_id == county.town.id and past.snapshot_created_at == clock.now()
    assert rows_of(office, past, county.top)["10101"] == ("教育局办公室", 1, 0)
    assert rows_of(office, county.exam, county.top)["201"] == ("青山乡", 1, 1)
    assert world.session.query(RoleGrant).filter_by(person_id=admin.id).one().ends_at == clock.now()
    successor = world.client(world.admin("unit_admin", county.town))
    assert rows_of(successor, past, county.office)["10101"] == ("教育局办公室", 1, 0)
    page = office.get("/admin/unit-book/unit-changes").text
    assert "县委编办〔2026〕12 号文" in page and "合并" in page
    assert world.session.query(AuditEvent).filter_by(act="unit_mergers.merge").count() == 1


def test_a_second_press_or_what_has_changed_since_the_preview_merges_nothing(world, county, office):
    world.person(county.office)
    path = f"/admin/unit-book/units/{county.office.id}/merge"
    stale = office.post(path, data={"target": county.town.id, "seen": "old", "reason": "文件"})
    assert stale.status_code == 422 and "预览之后情况又有变化" in stale.text
    merge(office, county.office, county.town)
    assert "已经撤销或合并过" in merge(office, county.office, county.bureau).text
    assert world.session.query(UnitChange).count() == 1


@pytest.mark.parametrize(("source", "target", "text"), [
    ("bureau", "office", "不能并入自己的下级单位"), ("system", "town", "县和系统不能合并"),
])  # fmt: skip
def test_odd_pairs_are_rejected_with_words(world, county, office, source, target, text):
    answer = merge(office, getattr(county, source), getattr(county, target))
    assert answer.status_code == 422 and text in answer.text
    assert "请写明依据或原因" in merge(office, county.office, county.town, reason=" ").text
    assert world.session.query(UnitChange).count() == 0


def test_a_split_takes_the_named_people_along_and_stays_in_the_audience(world, county, office):
    coming = world.exam(title="明年的考试", opens_in=30 * DAY)
    for exam in (county.exam, coming):
        world.save(ExamAudience(exam_id=exam.id, unit_id=county.bureau.id, ranks=[]))
    going, staying = world.person(county.bureau, name="去"), world.person(county.bureau, name="留")
    county.attempt(going, points="90")
    path = f"/admin/unit-book/units/{county.bureau.id}/split"
    data = {"code": "102", "name": "体育局", "staff_numbers": f"{going.staff_number}，X404", "reason": "分设"}
    answer = office.post(path, data=data)
    assert "有 1 个工号不在“教育局”名册里：X404" in answer.text and going.unit_id == county.bureau.id
    assert office.post(path, data=data | {"staff_numbers": going.staff_number}).status_code == 303
    unit = world.session.query(Unit).filter_by(code="102").one()
    assert (unit.parent_id, unit.sector_parent_id) == (county.top.id, county.system.id)
    assert (going.unit_id, staying.unit_id) == (unit.id, county.bureau.id)
    rows = rows_of(office, county.exam, county.top)
    assert rows["000"][1:] == (2, 1) and rows["102"] == ("体育局", 1, 1) and rows["101"] == ("教育局", 1, 0)
    assert rows_of(office, coming, county.top)["000"][1] == 2


def test_a_new_name_is_not_written_into_closed_exams(world, county, office):
    world.person(county.bureau)
    past = world.exam(title="去年的考试", opens_in=-300 * DAY, lasts=DAY)
    path = f"/admin/unit-book/units/{county.bureau.id}/rename"
    assert "和现在的名称一样" in office.post(path, data={"name": "教育局", "reason": "改名"}).text
    assert office.post(path, data={"name": "教育体育局", "reason": "改名"}).status_code == 303
    assert rows_of(office, past, county.top)["101"][0] == "教育局"
    assert rows_of(office, county.exam, county.top)["101"][0] == "教育体育局"


def test_only_units_within_reach_are_merged(world, county):
    part = world.api(world.admin("publicity_office", county.bureau))
    assert part.get(f"/admin/unit-book/units/{county.town.id}/merge").status_code == 404
    path = f"/admin/unit-book/units/{county.office.id}/merge"
    assert part.post(path, data={"target": county.town.id, "seen": "x", "reason": "文件"}).status_code == 422
    assert world.api(world.admin("unit_admin", county.bureau)).get(path).status_code == 404
