"""The roster's pages: access scope, search, numbers masked and sealed, transfers, roles, passwords."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from urllib.parse import unquote

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examapp.organisation.passwords.actions import new_first_password
from examapp.organisation.people.models import Account, Approval, Person, RoleGrant, RosterMove
from examapp.organisation.people.rules import find_id_number_issue, id_check_character, normalise_mobile
from examapp.platform.audit.models import AuditEvent
from tests.conftest import NOON
from tests.helpers.accounts import grant
from tests.helpers.forms import token_of
from tests.people.conftest import sign_in

ID = "11010519491231002X"


@pytest.fixture
def county(world):
    return world.unit("某县", kind="county", code="01")


@pytest.fixture
def mine(world, county):
    return world.unit("甲局", parent=county, code="0101")


@pytest.fixture
def other(world, county):
    return world.unit("乙局", parent=county, code="0102")


@pytest.fixture
def unit_admin(world, mine):
    return world.api(world.admin("unit_admin", mine, name="赵管理"))


@pytest.fixture
def office(world, county):
    return world.api(world.admin("publicity_office", county, name="普法办"))


def facts(unit, **fields):
    return {
        "name": "张三",
        "staff_number": "Z001",
        "unit_id": unit.id,
        "position": "科长",
        "rank": "一级科员",
        "id_number": ID,
        "mobile": "138 0000 0001",
        "is_on_roster": "y",
    } | fields


def test_published_id_numbers_are_right():
    assert find_id_number_issue(ID) is None
    assert "应为 X" in find_id_number_issue("110105194912310021")
    assert "科学计数" in find_id_number_issue("4.30527E+17")
    assert "出生日期" in find_id_number_issue("11010519491331002X")
    assert "15 位" in find_id_number_issue("110105491231002")


@given(
    st.dates().map(lambda day: f"430527{day:%Y}".ljust(10, "0")[:10] + f"{day:%m%d}001"),
    st.integers(0, 16),
    st.integers(1, 9),
)
def test_one_wrong_digit_of_an_id_number_never_passes(first, place, shift):
    number = first + id_check_character(first)
    changed = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    assert find_id_number_issue(changed) is not None


def test_mobile_numbers_are_read_as_people_write_them():
    assert {
        normalise_mobile(text) for text in ("138-0000-0001", "+86 13800000001", "８６13800000001", "0086 138 0000 0001")
    } == {"13800000001"}


def test_first_passwords_can_be_read_from_paper():
    made = {new_first_password() for _ in range(500)}
    assert len(made) == 500
    assert all(len(password) == 10 and not set(password) & set("0oO1lI") for password in made)


def test_a_person_is_taken_on_with_sealed_numbers_and_a_first_password(app, world, mine, unit_admin):
    answer = unit_admin.post("/admin/people/new", data=facts(mine))
    assert answer.status_code == 303
    person = world.session.query(Person).filter_by(staff_number="Z001").one()
    assert ID.encode() not in person.id_number_encrypted
    page = unit_admin.get(answer.location).get_data(as_text=True)
    assert "110105********002X" in page
    assert "138****0001" in page
    assert ID not in page
    move = world.session.query(RosterMove).one()
    assert (move.kind, move.to_unit_id) == ("join", mine.id)
    account = world.session.query(Account).filter_by(person_id=person.id).one()
    assert account.password_hash == "!"
    assert account.must_change_password


def test_extra_fields_change_nothing(world, mine, unit_admin):
    person = world.person(mine, staff_number="Z009")
    data = facts(
        mine, staff_number="Z009", state="left", id=1, unit_id=1, person_id=1, role="system_admin", password_hash="x"
    )
    assert unit_admin.post(f"/admin/people/{person.id}/edit", data=data).status_code == 303
    assert (person.unit_id, person.state, person.name) == (mine.id, "on_roster", "张三")
    assert world.session.query(Account).filter_by(person_id=person.id).one().password_hash == "!"
    assert world.session.query(RoleGrant).filter_by(person_id=person.id).count() == 0


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"staff_number": "TAKEN"}, "已经用过"), ({"id_number": "110105194912310021"}, "应为 X"), ({"mobile": "123"}, "11 位"),
        ({"name": " "}, "请填写姓名"), ({"staff_number": "a b"}, "不能有空格"), ({"name": "长" * 61}, "最多 60 字"),
        ({"name": "a\x00"}, None), ({"id_number": "4.30527E+17"}, "科学计数"),
    ],
)  # fmt: skip
def test_faulty_facts_are_rejected_beside_their_field(world, mine, unit_admin, fields, text):
    world.person(mine, staff_number="TAKEN")
    answer = unit_admin.post("/admin/people/new", data=facts(mine) | fields)
    if text is None:
        assert answer.status_code == 303, "control characters are dropped"
    else:
        assert answer.status_code == 422
        assert text in answer.get_data(as_text=True)


def test_an_id_number_belongs_to_one_person(world, mine, unit_admin):
    unit_admin.post("/admin/people/new", data=facts(mine))
    answer = unit_admin.post("/admin/people/new", data=facts(mine, staff_number="Z002", mobile=""))
    assert "已登记在另一人名下" in answer.get_data(as_text=True)


def test_people_are_found_by_name_number_mobile_and_id_number_within_reach(world, mine, other, unit_admin, statements):
    unit_admin.post("/admin/people/new", data=facts(mine))
    world.person(other, name="张四")
    for text in ("张", "z00", "13800000001", ID.lower()):
        with statements() as seen:
            page = unit_admin.get("/admin/people/", query_string={"q": text}).get_data(as_text=True)
        assert len(seen) <= 6
        assert "张三" in page, text
        assert "张四" not in page
    assert "没有符合条件" in unit_admin.get("/admin/people/?q=%25").get_data(as_text=True)
    assert unit_admin.get("/admin/people/?q=%00&unit=abc&state=x&page=-1").status_code == 200


@pytest.mark.parametrize("path", ["/admin/people/", "/admin/people/tickets/search"])
def test_a_searched_number_of_a_person_stays_out_of_every_address(mine, unit_admin, path):
    """What is typed into the form: a name leads to an address that can be kept, a number is answered as it was posted."""
    unit_admin.post("/admin/people/new", data=facts(mine))
    for number in ("13800000001", ID.lower()):
        page = unit_admin.post(path, data={"q": number, "unit": str(mine.id)})
        assert (page.status_code, "张三" in page.text) == (200, True)
        addresses = re.findall(r'(?:href|action|name="next" value)="([^"]*)"', page.text)
        assert len(addresses) > 5
        assert not [address for address in addresses if number in address]
    named = unit_admin.post(path, data={"q": "张三", "unit": "", "endpoint": "x", "_external": "1"})
    assert (named.status_code, "张三" in unquote(named.location), "s=" in named.location) == (303, False, True)
    assert "张三" in unit_admin.get(named.location).text


def test_the_list_has_pages_and_keeps_its_filters(world, mine, unit_admin):
    for number in range(55):
        world.person(mine, name=f"人{number}", staff_number=f"K{number:03d}", login=False)
    first = unit_admin.post("/admin/people/", data={"q": "K0"}, follow_redirects=True).text
    assert "共 2 页" in first
    second = re.search(r'href="([^"]*page=2[^"]*)"', first)[1].replace("&amp;", "&")
    assert "K0" not in second.partition("s=")[0]
    assert "K054" in unit_admin.get(second).text


def test_words_in_an_address_that_are_not_ours_count_as_none(unit_admin):
    for text in ("x", "%00", "Zm9v", "A" * 400, "%E5%BC%A0"):
        answer = unit_admin.get(f"/admin/people/?s={text}")
        assert (answer.status_code, "没有符合条件" in answer.text) == (200, False), text


def test_people_beyond_reach_are_not_found_on_any_page(world, other, unit_admin):
    person = world.person(other)
    for path in ("", "/edit", "/transfer", "/leave"):
        assert unit_admin.get(f"/admin/people/{person.id}{path}").status_code == 404
    for path in ("/edit", "/transfer", "/leave", "/disable", "/enable", "/password"):
        assert unit_admin.post(f"/admin/people/{person.id}{path}").status_code == 404
    assert unit_admin.get(f"/admin/people/{person.id}/roles").status_code == 404
    assert unit_admin.get(f"/admin/people/?unit={other.id}").status_code == 404
    assert unit_admin.get("/admin/people/999999").status_code == 404
    assert world.client(person).get("/admin/people/").status_code == 404, "a candidate has no back office"


def test_a_transfer_is_recorded_and_reach_follows_at_once(world, mine, other, unit_admin, office):
    person = world.person(mine)
    assert (
        unit_admin.post(
            f"/admin/people/{person.id}/transfer", data={"unit_id": other.id, "on": "2026-11-24"}
        ).status_code
        == 422
    )
    answer = office.post(
        f"/admin/people/{person.id}/transfer", data={"unit_id": other.id, "on": "2026-11-20", "note": "组织调动"}
    )
    assert answer.status_code == 303
    assert person.unit_id == other.id
    move = world.session.query(RosterMove).one()
    assert (move.kind, move.from_unit_id, move.to_unit_id, move.effective_on.isoformat()) == (
        "transfer",
        mine.id,
        other.id,
        "2026-11-20",
    )
    assert unit_admin.get(f"/admin/people/{person.id}").status_code == 404
    assert "组织调动" in office.get(f"/admin/people/{person.id}").get_data(as_text=True)


def test_who_leaves_is_signed_out_and_may_come_back(world, mine, unit_admin):
    person = world.person(mine)
    theirs = world.client(person)
    assert theirs.get("/api/v1/session").status_code == 200
    unit_admin.post(f"/admin/people/{person.id}/leave", data={"kind": "retire", "on": "2026-11-24"})
    assert person.state == "left"
    assert theirs.get("/api/v1/session").status_code == 401
    unit_admin.post(f"/admin/people/{person.id}/transfer", data={"unit_id": mine.id, "on": "2026-11-24"})
    assert person.state == "on_roster"
    assert world.session.query(Account).filter_by(person_id=person.id).one().disabled_at is None
    assert [move.kind for move in world.session.query(RosterMove).order_by(RosterMove.id)] == ["retire", "return"]


def test_disabling_an_account_ends_its_sign_ins_at_once(world, mine, unit_admin):
    person = world.person(mine)
    theirs = world.client(person)
    unit_admin.post(f"/admin/people/{person.id}/disable")
    assert theirs.get("/api/v1/session").status_code == 401
    unit_admin.post(f"/admin/people/{person.id}/enable")
    assert theirs.get("/api/v1/session").status_code == 401, "the old cookie stays dead"


def test_a_reset_sets_and_shows_no_password_but_gives_a_ticket_that_leads_to_an_own_one(world, mine, unit_admin):
    person = world.person(mine)
    theirs = world.client(person)
    page = unit_admin.post(f"/admin/people/{person.id}/password").get_data(as_text=True)
    code = re.search(r'first-password">([0-9A-Z ]{14})<', page)[1]
    account = world.session.query(Account).filter_by(person_id=person.id).one()
    assert (account.password_hash, account.first_password_encrypted, account.must_change_password) == ("!", None, True)
    assert theirs.get("/api/v1/session").status_code == 401
    assert sign_in(world.client(), person.staff_number, code).status_code == 422
    client = world.client()
    token = token_of(client.get("/login/ticket"))
    assert client.post("/login/ticket", data={"code": code, "csrf_token": token}).location == "/password"
    assert client.get("/exams").location == "/password"
    new = {"csrf_token": token_of(client.get("/password")), "new_password": "fresh words 2026"}
    assert client.post("/password", data=new | {"repeated": "fresh words 2026"}).status_code == 303
    assert sign_in(world.client(), person.staff_number, "fresh words 2026").status_code == 303


def test_a_unit_admin_cannot_take_over_the_offices_accounts(world, mine, unit_admin):
    boss = world.admin("publicity_office", mine)
    security = world.admin("security_admin")
    security.unit_id = mine.id
    for person in (boss, security):
        assert unit_admin.post(f"/admin/people/{person.id}/password").status_code == 403
        assert unit_admin.post(f"/admin/people/{person.id}/disable").status_code == 403
        answer = unit_admin.post(f"/admin/people/{person.id}/leave", data={"kind": "leave", "on": "2026-11-24"})
        assert answer.status_code == 403
        assert world.session.query(Account).filter_by(person_id=person.id).one().first_password_encrypted is None
    system = world.api(world.admin("system_admin"))
    assert system.post(f"/admin/people/{boss.id}/password").status_code == 200
    sheet = unit_admin.post(f"/admin/people/passwords/{mine.id}/sheet", data={"as": "page"}).get_data(as_text=True)
    assert boss.staff_number not in sheet


def test_first_passwords_go_out_as_workbook_and_page_for_the_subtree_alone(world, mine, other, unit_admin, office):
    unit_admin.post("/admin/people/new", data=facts(mine, name="=cmd|' /C calc'!A0"))
    office.post("/admin/people/new", data=facts(other, staff_number="Z777", id_number="", mobile=""))
    answer = unit_admin.post(f"/admin/people/passwords/{mine.id}/sheet", data={"as": "xlsx"})
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows())
    line = next(row for row in rows if row[2].value == "Z001")
    assert line[1].data_type == "s"
    assert not [row for row in rows if row[2].value == "Z777"]
    page = unit_admin.post(f"/admin/people/passwords/{mine.id}/sheet", data={"as": "page"}).get_data(as_text=True)
    assert line[3].value in page
    assert (
        "/login" in page and page.count('id="site-qr"') == 1 and page.count("password-card") == page.count("#site-qr")
    )
    assert page.count("card-page") == 1, "a page a unit, and these are of one unit"
    assert sign_in(world.client(), "Z001", line[3].value).status_code == 303
    assert unit_admin.post(f"/admin/people/passwords/{other.id}/sheet", data={"as": "xlsx"}).status_code == 404
    assert "1 人还没有改初始密码" in unit_admin.get(f"/admin/people/passwords?unit={mine.id}").get_data(as_text=True)


def test_a_broken_seal_is_masked_and_no_fault(world, mine, unit_admin):
    unit_admin.post("/admin/people/new", data=facts(mine))
    first = world.session.query(Person).filter_by(staff_number="Z001").one()
    second = world.person(mine, id_number_encrypted=first.id_number_encrypted, mobile_encrypted=b"nonsense")
    page = unit_admin.get(f"/admin/people/{second.id}")
    assert page.status_code == 200
    assert page.get_data(as_text=True).count("无法显示") == 2


# roles


@pytest.fixture
def security(world):
    return world.api(world.admin("security_admin", name="安全员"))


@pytest.fixture
def system(world):
    return world.api(world.admin("system_admin", name="系统员"))


def decide(client, world, act="approve"):
    row = world.session.query(Approval).order_by(Approval.id.desc()).first()
    return client.post(f"/admin/approvals/{row.id}/{act}", follow_redirects=True).get_data(as_text=True)


def test_a_role_asked_for_by_one_works_once_another_approves_and_ends_at_once(world, mine, security, system):
    person = world.person(mine)
    theirs = world.client(person)
    assert grant(security, person, "unit_admin", mine).status_code == 303
    assert theirs.get("/admin/people/").status_code == 404
    assert "不能审批" in decide(security, world)
    assert world.session.query(RoleGrant).filter_by(person_id=person.id).count() == 0
    assert "立即生效" in decide(system, world)
    assert theirs.get("/exams").location.startswith("/login")
    theirs = world.client(person)
    assert theirs.get("/admin/people/").status_code == 200
    assert "已经处理过" in decide(system, world)
    row = world.session.query(RoleGrant).filter_by(person_id=person.id).one()
    security.post(f"/admin/people/{person.id}/roles/{row.id}/revoke")
    assert theirs.get("/admin/people/").location.startswith("/login")
    assert world.client(person).get("/admin/people/").status_code == 404
    assert security.post(f"/admin/people/{person.id}/roles/{row.id}/revoke").status_code == 404
    acts = [
        act for (act,) in world.session.query(AuditEvent.act).filter_by(person_id=person.id).order_by(AuditEvent.id)
    ]
    assert acts == ["people.request_approval", "people.approve", "people.grant_role", "people.revoke_role"]


def test_a_request_waits_once_is_withdrawn_by_its_requester_alone_and_rejected_by_another(
    world, mine, security, system
):
    person = world.person(mine)
    grant(security, person, "unit_admin", mine)
    assert "不需要重复提交" in grant(security, person, "unit_admin", mine).get_data(as_text=True)
    row = world.session.query(Approval).one()
    second = world.api(world.admin("security_admin"))
    assert second.post(f"/admin/approvals/{row.id}/withdraw").status_code == 404
    assert "已撤回" in decide(security, world, "withdraw")
    grant(second, person, "unit_admin", mine)
    assert "没有办理" in decide(security, world, "refuse")
    assert world.session.query(RoleGrant).filter_by(person_id=person.id).count() == 0
    assert system.get("/admin/approvals/").get_data(as_text=True).count("已退回") == 1


def test_whom_a_role_is_for_cannot_be_its_second_person(world, mine, security):
    person = world.admin("system_admin")
    theirs = world.api(person)
    grant(security, person, "unit_admin", mine)
    assert "不能审批" in decide(theirs, world)
    assert world.session.query(RoleGrant).filter_by(person_id=person.id).count() == 1


def test_a_role_with_an_end_date_ends_by_itself(world, mine, security, system, fixed_clock):
    person = world.person(mine)
    assert "已过" in grant(security, person, "unit_admin", mine, ends_on="2026-11-20").get_data(as_text=True)
    grant(security, person, "unit_admin", mine, ends_on="2026-11-25")
    decide(system, world)
    fixed_clock.at(fixed_clock.instant + timedelta(hours=35))
    assert world.client(person).get("/admin/people/").status_code == 200
    fixed_clock.at(fixed_clock.instant + timedelta(hours=2))
    assert world.client(person).get("/admin/people/").status_code == 404


def test_a_deputy_has_the_role_until_its_end_and_loses_it_with_the_holder(world, mine, security, system):
    holder = world.admin("unit_admin", mine, name="正主")
    deputy = world.person(mine, name="代理")
    original = world.session.query(RoleGrant).filter_by(person_id=holder.id).one()
    path = f"/admin/people/{deputy.id}/deputy"
    form_data = {"deputy_of_id": original.id, "ends_on": "2026-12-10", "reason": "休假"}
    assert "最长 92 天" in security.post(path, data=form_data | {"ends_on": "2027-06-01"}).get_data(as_text=True)
    assert security.post(path, data=form_data).status_code == 303
    assert "立即生效" in decide(system, world)
    theirs = world.client(deputy)
    assert theirs.get("/admin/people/").status_code == 200
    assert "代理 正主" in security.get(f"/admin/people/{deputy.id}").get_data(as_text=True)
    security.post(f"/admin/people/{holder.id}/roles/{original.id}/revoke")
    assert world.client(deputy).get("/admin/people/").status_code == 404


def test_the_three_administrators_are_three_people(world, mine, security, system):
    person = world.person(mine)
    grant(security, person, "system_admin")
    decide(system, world)
    for role in ("audit_admin", "security_admin"):
        assert "不能由一人兼任" in grant(security, person, role).get_data(as_text=True)
    assert world.session.query(RoleGrant).filter_by(person_id=person.id).count() == 1


def test_what_somebody_asked_for_who_is_security_administrator_no_more_comes_to_nothing(world, mine, system):
    requester, person = world.admin("security_admin"), world.person(mine)
    grant(world.api(requester), person, "unit_admin", mine)
    world.session.query(RoleGrant).filter_by(person_id=requester.id).one().ends_at = NOON
    assert "不再有效" in decide(system, world)
    assert world.session.query(RoleGrant).filter_by(person_id=person.id).count() == 0
    assert world.session.query(Approval).one().state == "waiting"


def test_two_waiting_requests_do_not_make_one_person_two_administrators(world, mine, security, system):
    person = world.person(mine)
    for role in ("system_admin", "audit_admin"):
        assert grant(security, person, role).status_code == 303
    first, second = world.session.query(Approval).order_by(Approval.id)
    system.post(f"/admin/approvals/{first.id}/approve")
    answer = system.post(f"/admin/approvals/{second.id}/approve", follow_redirects=True)
    assert "不能由一人兼任" in answer.get_data(as_text=True)
    assert world.session.query(RoleGrant).filter_by(person_id=person.id).count() == 1


def test_roles_are_rejected_where_they_make_no_sense(world, mine, security):
    person = world.person(mine)
    assert "须选择单位" in grant(security, person, "unit_admin").get_data(as_text=True)
    assert "管全局" in grant(security, person, "system_admin", mine).get_data(as_text=True)
    assert "不属于垂直系统" in grant(security, person, "unit_admin", mine, "sector").get_data(as_text=True)
    assert grant(security, person, "emperor").status_code == 422
    my_user = world.session.query(Person).filter_by(name="安全员").one()
    assert "不能给自己授权" in grant(security, my_user, "unit_admin", mine).get_data(as_text=True)
    own = world.session.query(RoleGrant).filter_by(person_id=my_user.id).one()
    last = security.post(f"/admin/people/{my_user.id}/roles/{own.id}/revoke", follow_redirects=True)
    assert "最后一名安全管理员" in last.get_data(as_text=True)


def test_only_the_security_administrator_grants(world, mine, office, unit_admin):
    person = world.person(mine)
    for client in (office, unit_admin, world.api(world.admin("system_admin"))):
        assert grant(client, person, "unit_admin", mine).status_code == 404
