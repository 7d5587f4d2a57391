"""The board of exam day for a unit: its own people by name, as they begin and hand in; nothing of other units."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.delivery.attempt_changes.actions import note_contacts
from examapp.delivery.exams.models import ExamAudience
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON


@pytest.fixture(autouse=True)
def without_enqueueing(monkeypatch):
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)


@pytest.fixture
def county(world):
    return world.unit("某县", kind="county")


@pytest.fixture
def bureau(world, county):
    return world.unit("财政局", parent=county)


@pytest.fixture
def exam(world):
    make_bank(world)
    return world.exam(world.blueprint(KINDS), title="年度学法考试")


def path_of(unit, exam, **query):
    tail = "&".join(f"{name}={value}" for name, value in query.items())
    return f"/admin/examday/units/{unit.id}/exams/{exam.id}" + (f"?{tail}" if tail else "")


def test_a_unit_sees_its_people_begin_and_hand_in(world, county, bureau, exam, fixed_clock):
    office = world.unit("办公室", parent=bureau, kind="sub_unit")
    begun, done = (
        CandidateClient(world, exam, world.person(unit, name=name))
        for unit, name in ((bureau, "赵在考"), (office, "钱交卷"))
    )
    waiting = world.person(office, name="孙未考")
    outsider = world.person(world.unit("民政局", parent=county), name="李外人")
    begun.start(), done.start()
    done.hand_in((1, 1, ["A"]))
    client = world.client(world.admin("unit_admin", bureau))
    page = client.get(path_of(bureau, exam)).text
    assert "未开始　1 人" in page and "正在作答　1 人" in page and "已交卷　1 人" in page
    assert all(person.name in page for person in (begun.person, done.person, waiting))
    assert outsider.name not in page and "民政局" not in page and f"/units/{county.id}/" not in page
    assert "赵在考（剩余 1 小时 0 分钟）" in page

    fixed_clock.at(NOON + timedelta(minutes=6))
    part = client.get(path_of(bureau, exam, part="board")).text
    assert "<html" not in part and "疑似断线 1 人" in part
    note_contacts(world.session, {begun.attempt["id"]: NOON + timedelta(minutes=5)})
    begun.hand_in((1, 1, ["A"]))
    part = client.get(path_of(bureau, exam, part="board")).text
    assert "疑似断线" not in part and "正在作答　" not in part and "已交卷　2 人" in part

    below = client.get(path_of(office, exam)).text
    assert waiting.name in below and begun.person.name not in below


def test_another_units_board_is_not_there(world, county, bureau, exam):
    other = world.unit("民政局", parent=county)
    person = world.person(bureau)
    world.person(other)
    elsewhere = world.exam(title="民政局的考试")
    world.save(ExamAudience(exam_id=elsewhere.id, unit_id=other.id, ranks=[]))
    client = world.client(world.admin("unit_admin", bureau))
    assert client.get(path_of(bureau, exam)).status_code == 200
    for unit, of in ((other, exam), (county, exam), (bureau, elsewhere)):
        for query in ({}, {"part": "board"}, {"tree": "sector"}):
            assert client.get(path_of(unit, of, **query)).status_code == 404
    assert client.get(f"/admin/examday/units/999999/exams/{exam.id}").status_code == 404
    assert client.get(f"/admin/examday/{exam.id}").status_code == 404
    for role in ("leader", "system_admin", "audit_admin"):
        assert world.client(world.admin(role, bureau)).get(path_of(bureau, exam)).status_code == 404
    assert world.client(person).get(path_of(bureau, exam)).status_code == 404


def test_the_menu_and_the_home_page_lead_a_unit_to_its_board(world, county, bureau, exam, fixed_clock):
    world.person(bureau)
    client = world.client(world.admin("unit_admin", bureau))
    home = client.get("/").text
    assert f'href="{path_of(bureau, exam)}">考试日看板</a>' in home
    assert 'href="/admin/examday/units">考试日</a>' in home
    assert client.get("/admin/examday/units").headers["Location"] == path_of(bureau, exam)
    fixed_clock.at(exam.closes_at + timedelta(days=4))
    client = world.client(world.admin("unit_admin", bureau))
    assert "前后三天没有本单位人员的考试" in client.get("/admin/examday/units").text
    assert path_of(bureau, exam) not in client.get("/").text
    office = world.client(world.admin("publicity_office"))
    home = office.get("/").text
    assert 'href="/admin/examday/">考试日</a>' in home and "/admin/examday/units" not in home


def test_a_supervising_bureau_sees_the_units_of_its_system(world, county, bureau, exam):
    system = world.unit("教育系统", kind="sector")
    school = world.unit("第一中学", parent=county, sector_parent=system)
    teacher, clerk = world.person(school, name="周老师"), world.person(bureau, name="吴干事")
    client = world.client(world.admin("unit_admin", system, tree="sector"))
    page = client.get(client.get("/admin/examday/units").headers["Location"]).text
    assert teacher.name in page and clerk.name not in page


def test_a_large_unit_is_counted_and_its_names_are_left_to_its_sub_units(world, bureau, exam, monkeypatch):
    monkeypatch.setattr("examapp.platform.exam_day_board.queries._MAX_NAMED", 1)
    people = [world.person(bureau, name=name) for name in ("郑一", "王二")]
    page = world.client(world.admin("unit_admin", bureau)).get(path_of(bureau, exam)).text
    assert "人数较多" in page and not any(person.name in page for person in people)


def test_a_units_board_costs_few_statements(world, bureau, exam, statements):
    for _ in range(3):
        world.person(bureau)
    client = world.client(world.admin("unit_admin", bureau))
    path = path_of(bureau, exam, part="board")
    client.get(path)
    with statements() as seen:
        assert client.get(path).status_code == 200
    assert len(seen) <= 10
