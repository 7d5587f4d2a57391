"""Units: codes, both trees, moves, access scope."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units import queries
from examapp.organisation.units.models import Unit
from examapp.organisation.units.rules import find_uscc_issue, normalise_uscc, uscc_check_character
from examapp.oversight.statistics_scope.queries import list_tops
from examapp.platform.audit.models import AuditEvent

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.fixture
def county(world):
    return world.unit("某县", kind="county", code="01")


@pytest.fixture
def office(world, county):
    return world.api(world.admin("publicity_office"))


def facts(**fields):
    return {
        "code": "0101",
        "name": "司法局",
        "kind": "department",
        "parent_id": "0",
        "sector_parent_id": "0",
        "uscc": "",
    } | fields


def post(client, path, **fields):
    return client.post(path, data={"csrf_token": client.environ_base["HTTP_X_CSRFTOKEN"], **fields})


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L", "9144030071526726XG"])
def test_published_credit_codes_are_right(code):
    assert find_uscc_issue(code) is None


@given(st.text(_ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(_ALPHABET))
def test_one_wrong_character_of_a_credit_code_is_always_found(first, place, other):
    code = first + uscc_check_character(first)
    assert find_uscc_issue(code) is None
    changed = code[:place] + other + code[place + 1 :]
    assert (find_uscc_issue(changed) is None) == (changed == code)


def test_a_credit_code_is_read_as_people_type_it():
    assert normalise_uscc(" 91350100m000100y43 ") == "91350100M000100Y43"
    assert "O" in find_uscc_issue("9135010OM000100Y43")
    assert "现在是 3 位" in find_uscc_issue("123")


def test_a_unit_is_founded_below_its_parents(world, county, office):
    sector = world.unit("司法系统", kind="sector", code="S1")
    answer = post(
        office,
        "/admin/org/units/new",
        **facts(parent_id=county.id, sector_parent_id=sector.id, uscc="91350100m000100y43"),
    )
    assert answer.status_code == 303
    unit = world.session.query(Unit).filter_by(code="0101").one()
    assert (unit.region_path, unit.sector_path) == (
        f"{county.region_path}{unit.id}/",
        f"{sector.sector_path}{unit.id}/",
    )
    assert unit.uscc == "91350100M000100Y43"
    assert world.session.query(AuditEvent).filter_by(act="org.create_unit", object_id=unit.id).count() == 1


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"code": "01"}, "已经用过"), ({"uscc": "91350100M000100Y44"}, "最后一位应为 3"), ({"name": ""}, "请填写单位名称"),
        ({"code": "a b"}, "编码只用"), ({"parent_id": "999999"}, "Not a valid choice"),
    ],
)  # fmt: skip
def test_a_faulty_unit_is_rejected_beside_its_field(world, county, office, fields, text):
    answer = post(office, "/admin/org/units/new", **facts(parent_id=county.id) | fields)
    assert answer.status_code == 422
    if text != "Not a valid choice":
        assert text in answer.get_data(as_text=True)
    assert world.session.query(Unit).count() == 2  # the county and the admin's own


def test_moving_a_unit_moves_all_below_it(world, county, office):
    old, new = world.unit("甲局", parent=county), world.unit("乙局", parent=county)
    section = world.unit("办公室", parent=old)
    desk = world.unit("秘书组", parent=section)
    answer = post(
        office,
        f"/admin/org/units/{section.id}",
        **facts(code=section.code, name="办公室", kind="sub_unit", parent_id=new.id),
    )
    assert answer.status_code == 303
    assert section.region_path == f"{new.region_path}{section.id}/"
    assert desk.region_path == f"{new.region_path}{section.id}/{desk.id}/"
    assert old.region_path == f"{county.region_path}{old.id}/"


def test_a_unit_cannot_hang_below_itself(world, county, office):
    section = world.unit("办公室", parent=county)
    desk = world.unit("秘书组", parent=section)
    answer = post(office, f"/admin/org/units/{section.id}", **facts(code=section.code, parent_id=desk.id))
    assert answer.status_code == 422
    assert "请从列表中选择" in answer.get_data(as_text=True), "units below it are no choices"
    assert section.parent_id == county.id


def test_a_sixth_level_is_rejected(world, county, office):
    unit = county
    for level in range(2, 6):
        unit = world.unit(f"第{level}级", parent=unit)
    assert "最多 5 级" in post(office, "/admin/org/units/new", **facts(parent_id=unit.id)).get_data(as_text=True)


def test_only_an_empty_unit_is_closed(world, county, office):
    unit = world.unit("甲局", parent=county)
    person = world.person(unit)
    assert "还有 1 人" in office.post(f"/admin/org/units/{unit.id}/close", follow_redirects=True).get_data(as_text=True)
    assert "还有" in office.post(f"/admin/org/units/{county.id}/close", follow_redirects=True).get_data(as_text=True)
    assert unit.closed_at is None
    person.state = "left"
    office.post(f"/admin/org/units/{unit.id}/close")
    assert unit.closed_at is not None
    assert "甲局" not in office.get("/admin/org/units").get_data(as_text=True)
    office.post(f"/admin/org/units/{unit.id}/reopen")
    assert unit.closed_at is None


def test_the_tree_counts_people_with_their_subtrees_in_few_statements(world, county, office, statements):
    bureau = world.unit("甲局", parent=county)
    section = world.unit("办公室", parent=bureau)
    for unit in (bureau, section, section):
        world.person(unit, login=False)
    with statements() as seen:
        page = office.get("/admin/org/units").get_data(as_text=True)
    assert len(seen) <= 6
    assert page.index("某县") < page.index("甲局") < page.index("办公室")
    row = page[page.index(">甲局<") :].split("</tr>")[0]
    assert ">1<" in row
    assert ">3<" in row


def test_units_beyond_reach_are_not_found(world, county):
    mine, other = world.unit("甲局", parent=county), world.unit("乙局", parent=county)
    admin = world.api(world.admin("unit_admin", mine))
    page = admin.get("/admin/org/units").get_data(as_text=True)
    assert "甲局" in page
    assert "乙局" not in page
    office_of_a_part = world.api(world.admin("publicity_office", mine))
    assert office_of_a_part.get(f"/admin/org/units/{other.id}").status_code == 404
    assert office_of_a_part.get("/admin/org/units/999999").status_code == 404
    assert office_of_a_part.post(f"/admin/org/units/{other.id}/close").status_code == 404
    assert post(office_of_a_part, "/admin/org/units/new", **facts(code="X", parent_id=other.id)).status_code == 422
    assert post(office_of_a_part, "/admin/org/units/new", **facts(code="X", parent_id=0)).status_code in {404, 422}
    assert world.session.query(Unit).filter_by(code="X").count() == 0
    assert admin.get("/admin/org/units/new").status_code == 404, "a unit admin founds no units"


def test_a_second_root_is_rejected_and_the_county_is_the_parent_at_first(world, county, office):
    page = office.get("/admin/org/units/new").get_data(as_text=True)
    chosen = page[page.index('name="parent_id"') :].split("selected", 1)[1]
    assert county.name in chosen.split("</option>")[0]
    answer = post(office, "/admin/org/units/new", **facts(parent_id=0))
    assert answer.status_code == 422
    assert "请选择上级单位" in answer.get_data(as_text=True)
    assert world.session.query(Unit).filter_by(code="0101").count() == 0
    bureau = world.unit("甲局", parent=county)
    answer = post(office, f"/admin/org/units/{bureau.id}", **facts(code=bureau.code, name="甲局", parent_id=0))
    assert (answer.status_code, bureau.parent_id) == (422, county.id)
    answer = post(
        office, f"/admin/org/units/{county.id}", **facts(code="01", name="某某县", kind="county", parent_id=0)
    )
    assert (answer.status_code, county.name) == (303, "某某县"), "the one root may be changed"
    assert post(office, "/admin/org/units/new", **facts(code="S1", kind="sector", parent_id=0)).status_code == 303


def test_an_area_hangs_below_a_higher_area_alone_and_the_root_stands_for_the_whole(world, county, office):
    bureau = world.unit("甲局", parent=county)
    answer = post(office, "/admin/org/units/new", **facts(kind="county", parent_id=bureau.id))
    assert (answer.status_code, "上级只能是省、地市" in answer.text) == (422, True)
    county.kind, session = "prefecture", world.session
    session.flush()
    assert (
        post(office, "/admin/org/units/new", **facts(name="乙县", kind="county", parent_id=county.id)).status_code
        == 303
    )
    assert (
        post(office, "/admin/org/units/new", **facts(code="2", kind="province", parent_id=county.id)).status_code == 422
    )
    everything = AccessScope(is_everything=True)
    assert list_tops(session, everything) == queries.sort_roots(queries.list_units(session))[:1] == [county]


def test_a_unit_is_no_choice_for_its_own_parent(world, county, office):
    section = world.unit("办公室", parent=county)
    desk = world.unit("秘书组", parent=section)
    page = office.get(f"/admin/org/units/{section.id}").get_data(as_text=True)
    choices = page[page.index('name="parent_id"') :].split("</select>")[0]
    assert f'value="{county.id}"' in choices
    assert f'value="{section.id}"' not in choices and f'value="{desk.id}"' not in choices


def test_a_name_stands_once_below_a_parent(world, county, office):
    world.unit("司法局", parent=county, code="0199")
    answer = post(office, "/admin/org/units/new", **facts(parent_id=county.id))
    assert answer.status_code == 422
    assert "同一上级下已有“司法局”（编码 0199）" in answer.get_data(as_text=True)
    other = world.unit("甲局", parent=county)
    assert post(office, "/admin/org/units/new", **facts(parent_id=other.id)).status_code == 303


def test_only_a_unit_that_nothing_refers_to_is_deleted(world, county, office):
    wrong, used = world.unit("错建的局", parent=county), world.unit("甲局", parent=county)
    world.person(used)
    office.post(f"/admin/org/units/{wrong.id}/delete")
    for unit in (used, county):
        answer = office.post(f"/admin/org/units/{unit.id}/delete", follow_redirects=True)
        assert "不能删除" in answer.get_data(as_text=True)
    assert {unit.name for unit in world.session.query(Unit)} >= {"某县", "甲局"}
    assert world.session.query(Unit).filter_by(name="错建的局").count() == 0
    event = world.session.query(AuditEvent).filter_by(act="org.delete_unit").one()
    assert event.details["name"] == "错建的局"


def test_units_without_a_parent_are_named_on_the_page(world, county, office):
    world.unit("孤立的局")
    page = office.get("/admin/org/units").get_data(as_text=True)
    assert "不计入全县的报表" in page
    assert "孤立的局" in page[page.index("不计入全县的报表") :].split("</div>")[0]
