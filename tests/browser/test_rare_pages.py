"""Pages for which the demo county has nothing to show: each looked at as the long walk looks at the others. Those of the exam office: test_rare_pages_of_office.py."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.sync_api import expect

from tests.duties.assessing import Assessed
from tests.helpers.accounts import ID, encrypt_first_password, give_numbers, setting
from tests.helpers.courses import begin, course, read
from tests.helpers.messages import write

pytestmark = pytest.mark.long
_OWN_TEXT = "four hills behind the bridge"


def test_an_assessment_that_is_being_made(live, look):
    assessed, office = Assessed(live.world), live.world.admin("publicity_office", name="普法办小林")
    assessed.make()
    (item,) = assessed.items_of()
    live.world.commit()
    path = assessed.path()
    assert look(office, f"{path}/items/new", f"{path}/items/{item.id}") == []


def test_a_sheet_that_is_disputed(live, look):
    assessed, office = Assessed(live.world), live.world.admin("publicity_office", name="普法办小林")
    sheet = assessed.fed_back()
    answer = assessed.on_sheet("appeal", client=assessed.admin, text="第三项的材料已补交，请复核。")
    assert answer.status_code == 302
    live.world.commit()
    assert look(office, f"/admin/duties/sheets/{sheet.id}/decide") == []
    points = {f"points-{item.id}": "9.5" for item in assessed.items_of()}
    assert assessed.on_sheet("decide", **points, reason="补计两次活动").status_code == 302
    assert assessed.on_sheet("seal").status_code == 302
    live.world.commit()
    assert look(office, f"/admin/duties/sheets/{sheet.id}/versions/1") == []


def test_an_exercise_from_its_first_question_to_its_end(live, look):
    world = live.world
    for _ in range(6):
        world.question(key=("A",), stem="听证应当在几日前通知当事人？", law="行政处罚法", knowledge_points=("听证",))
    row, learner, office = course(world), world.person(), world.admin("publicity_office")
    world.commit()
    client = world.api(learner)
    read(client, row.chapters[0])
    run = begin(client, row.chapters[0]).location
    item = client.get(run).location
    assert look(office, f"/admin/training/{row.id}/chapters/new") == []
    taken = client.post(f"/study/chapters/{row.chapters[0].id}/take-along").location
    assert look(learner, taken) == []
    assert look(learner, item) == []
    while (item := client.get(run).location) is not None:
        assert client.post(item, data={"response": "A"}).status_code in {200, 302}
    assert look(learner, run) == []


def test_a_notice_that_is_not_sent_yet(live, look):
    world = live.world
    county = world.unit("青禾县", kind="county")
    office = world.admin("publicity_office", county, name="普法办小林")
    world.unit("青禾县自然资源和规划局综合行政执法大队", parent=county)
    path = write(
        world.client(office), unit_ids=[str(county.id)], title="关于做好2026年度国家工作人员学法用法考试工作的通知"
    )
    assert look(office, "/admin/messages/notices", path, f"{path}/edit") == []


def test_a_forgotten_password_and_the_code_for_a_new_one(live, look, monkeypatch, tmp_path):
    world, letters = live.world, tmp_path / "letters"
    setting(world.app, monkeypatch, message_gateway=f"file:{letters}")
    person = give_numbers(world, world.person(name="欧阳鉴真"), cipher=world.app.extensions["cipher"])
    live.give_password(person)
    page = look.page()
    page.goto("/login")
    page.get_by_text("首次登录或忘记密码，请点这里").click()
    page.get_by_role("link", name="用手机验证码重设密码").click()
    look.at(page)
    page.get_by_label("登录名").fill(person.staff_number)
    page.get_by_role("button", name="发送验证码").click()
    expect(page.get_by_text("验证码一分钟内会到")).to_be_visible()
    look.at(page)
    page.get_by_label("验证码").fill("00000000")
    page.get_by_role("button", name="登录并设新密码").click()
    expect(page.get_by_role("alert")).to_contain_text("验证码不对，或已过期")
    look.at(page)
    world.app.extensions["celery"].tasks["people.send_reset_codes"].apply()
    page.get_by_label("验证码").fill(re.search(r"验证码 (\d{8})", letters.read_text("utf-8"))[1])
    page.get_by_role("button", name="登录并设新密码").click()
    page.wait_for_url("**/password")
    assert look.at(page) == []


def test_numbers_that_are_shown_for_a_reason(live, look):
    world = live.world
    unit = world.unit("青禾县自然资源和规划局综合行政执法大队")
    person = give_numbers(world, world.person(unit, name="欧阳鉴真"), cipher=world.app.extensions["cipher"])
    page = look.page(world.admin("unit_admin", unit))
    page.goto(f"/admin/people/{person.id}")
    look.at(page)
    page.get_by_role("link", name="完整号码").click()
    look.at(page)
    page.get_by_label("查看原因").select_option("其他")
    page.get_by_role("button", name="查看完整号码").click()
    expect(page.get_by_role("alert")).to_contain_text("请写明原因")
    look.at(page)
    page.get_by_label("说明").fill("本人来电，核对登记的手机号")
    page.get_by_role("button", name="查看完整号码").click()
    expect(page.get_by_text(ID)).to_be_visible()
    assert look.at(page) == []


def test_the_first_set_up(live, look, monkeypatch):
    setting(live.world.app, monkeypatch, setup_code="ABCD-EFGH")
    page = look.page()
    page.goto("/setup")
    look.at(page)
    page.get_by_label("设置码").fill("ABCD-EFGH")
    page.get_by_role("button", name="建立本县和账号").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look.at(page)
    answers = {
        "县（区、市）名称": "青禾县",
        "单位编码": "QH",
        "您的姓名": "欧阳鉴真",
        "您的登录名": "P1",
        "再输一次密码": _OWN_TEXT,
    }
    for role in ("系统", "安全", "审计"):
        answers |= {f"{role}管理员姓名": f"{role}管理员", f"{role}管理员登录名": f"{role}P2"}
    for label, text in answers.items():
        page.get_by_label(label).fill(text)
    page.get_by_label("密码", exact=True).fill(_OWN_TEXT)
    for shipped in page.get_by_role("checkbox").all():  # loaded by a worker on a site, in the request here
        shipped.uncheck()
    page.get_by_role("button", name="建立本县和账号").click()
    expect(page.get_by_role("heading", name="设置完成")).to_be_visible()
    assert look.at(page) == []


def test_what_is_shown_once(live, look):
    world = live.world
    unit = world.unit("青禾县自然资源和规划局综合行政执法大队")
    people = [world.person(unit, name=name) for name in ("欧阳鉴真", "司马明法")]
    admin = world.admin("unit_admin", unit)
    for person in people:
        encrypt_first_password(world, person)
    world.commit()
    page = look.page(admin)
    page.goto(f"/admin/people/passwords?unit={unit.id}")
    page.get_by_role("button", name="打印密码卡").click()
    expect(page.get_by_role("heading", name="青禾县自然资源和规划局综合行政执法大队 初始密码")).to_be_visible()
    look.at(page)
    page.goto(f"/admin/people/tickets?unit={unit.id}")
    page.get_by_role("button", name="生成一次性登录码").click()
    expect(page.get_by_role("alert")).to_contain_text("请先勾选")
    look.at(page)
    for person in people:
        page.get_by_label(person.name).check()
    page.get_by_role("button", name="生成一次性登录码").click()
    expect(page.get_by_role("heading", name="一次性登录码（2 张）")).to_be_visible()
    look.at(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/admin/people/{people[0].id}")
    page.get_by_role("button", name="重置密码").click()
    expect(page.get_by_role("heading", name="已重置“欧阳鉴真”的密码")).to_be_visible()
    assert look.at(page) == []


def test_a_device_for_one_time_passwords(live, look):
    page = look.page(live.world.admin("publicity_office"))
    page.goto("/second-factor")
    page.get_by_label("动态口令").fill("000000")
    page.get_by_role("button", name="启用动态口令").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look.at(page)
    secret = page.locator("strong.code").inner_text().replace(" ", "")
    page.get_by_label("动态口令").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="启用动态口令").click()
    expect(page.get_by_role("heading", name="动态口令已启用，请收好恢复码")).to_be_visible()
    assert look.at(page) == []
