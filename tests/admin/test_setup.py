"""An empty platform is set up once, by who knows the set-up code, with the three administrators apart."""

import html
import re
import threading
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from examapp import clock
from examapp.content.blueprints.models import Blueprint
from examapp.content.blueprints.queries import sample_paper
from examapp.content.laws.models import ArticleGist, Law, LawVersion
from examapp.content.questions.models import QuestionCitation
from examapp.learning.course_contents.queries import live_html
from examapp.learning.courses.models import Chapter
from examapp.organisation.accounts.rules import SignInPolicy
from examapp.organisation.people.models import Account, Person, RoleGrant
from examapp.organisation.units.models import Unit
from examapp.oversight.duty_lists.models import DutyItem
from examapp.oversight.duty_lists.rules import SHIPPED_DUTIES
from examapp.platform.audit.models import AuditEvent
from examapp.platform.demo.cli import site_texts_of
from examapp.platform.setup.models import ContentLoad
from examapp.platform.setup.queries import find_sign_in_policy, find_site_texts
from examapp.platform.setup.rules import CONTENT_PARTS
from examapp.web.pages import show_site_texts
from question_bank.coursetext import read_courses
from tests.helpers.accounts import setting
from tests.helpers.forms import post, token

CODE = "a1b2c3d4"
FIELDS = {
    "setup_code": CODE,
    "county_name": "青禾县",
    "county_code": "431299",
    "name": "周主任",
    "login_name": "zhou",
    "password": "long enough pass",
    "repeated": "long enough pass",
}
OTHERS = {
    "system_name": "甲",
    "system_login": "sys1",
    "security_name": "乙",
    "security_login": "sec1",
    "audit_name": "丙",
    "audit_login": "aud1",
}


def test_the_demo_countys_office_has_a_telephone_number_of_nobody(app):
    settings = app.config["SETTINGS"]
    assert site_texts_of(settings)["help_line"].startswith("0799-0")
    assert site_texts_of(replace(settings, help_line="0799-1234567"))["help_line"] == "0799-1234567"


@pytest.fixture
def setup_code(app, monkeypatch):
    setting(app, monkeypatch, setup_code=CODE)


def send(client, **fields):
    return post(client, "/setup", FIELDS | fields)


def sign_in(client, login_name, password):
    return post(client, "/login", {"login_name": login_name, "password": password})


def test_the_office_names_the_site_and_every_process_reads_it(app, world, session):
    county = world.unit("某县", kind="county")
    office, before = world.client(world.admin()), app.extensions["site_texts"]
    path, texts = "/admin/site-texts", {"site_name": "学法平台", "organisation": "某县普法办", "help_line": "0731-1"}
    try:
        assert "请填写，最多 40 字" in post(office, path, texts | {"organisation": " "}).text
        assert post(office, path, texts).status_code == 303
        page = world.client().get("/login").text
        assert "学法平台</title>" in page and "某县普法办电话 <strong>0731-1" in page
        assert find_site_texts(session.connection()) == texts == asdict(app.extensions["site_texts"])
        assert world.client(world.admin("publicity_office", county)).get(path).status_code == 404
    finally:
        show_site_texts(app, before)


def test_the_office_sets_how_long_candidates_stay_signed_in(app, world, session, monkeypatch):
    monkeypatch.setitem(app.extensions, "sign_in_policy", SignInPolicy())
    office, path, page = world.client(world.admin()), "/admin/sign-in-policy", "/admin/site-texts"
    for days in ("0", "61", "", "七", "1.5"):
        rejected = post(office, path, {"days": days}, page=page)
        assert (rejected.status_code, app.extensions["sign_in_policy"]) == (422, SignInPolicy()), days
        assert "1 至 60 的整数" in rejected.text or "请填写" in rejected.text
    assert post(office, path, {"days": "20", "is_kept_for_exam": "y"}, page=page).status_code == 303
    assert 'value="20"' in office.get(page).text
    wanted = SignInPolicy(days=20, is_kept_for_exam=True)
    assert find_sign_in_policy(session.connection()) == app.extensions["sign_in_policy"] == wanted
    event = session.query(AuditEvent).filter_by(act="admin.set_sign_in_policy").one()
    assert event.details == {"days": 20, "is_kept_for_exam": True}


def test_the_first_administrator_is_led_through_the_set_up(world, session, setup_code):
    client = world.client()
    assert client.get("/").headers["Location"] == "/setup"
    done = send(client, **OTHERS)
    assert done.status_code == 200
    county = session.query(Unit).one()
    assert (county.name, county.code, county.kind, county.region_path) == (
        "青禾县",
        "431299",
        "county",
        f"/{county.id}/",
    )
    roles = {grant.role: grant.person_id for grant in session.query(RoleGrant)}
    assert set(roles) == {"publicity_office", "system_admin", "security_admin", "audit_admin"}
    assert len(set(roles.values())) == 4
    assert {person.state for person in session.query(Person)} == {"off_roster"}
    assert (find_site_texts(session.connection()) or {}).get("organisation") == "青禾县普法办公室"
    assert client.get("/").headers["Location"] == "/login"
    assert sign_in(client, "zhou", "long enough pass").headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert 'value="青禾县普法办公室"' in client.get("/admin/site-texts").text, "stored, not what this process has heard"
    acts = [event.act for event in session.query(AuditEvent).order_by(AuditEvent.id)]
    assert acts[:4] == ["admin.set_up"] + ["admin.add_administrator"] * 3

    first = re.findall(r'class="handed">([^<]+)<', done.text)
    assert len(set(first)) == 3
    other = world.client()
    assert sign_in(other, "sys1", first[0]).headers["Location"].startswith("/password")
    assert other.get("/").headers["Location"] == "/password"
    assert other.get("/admin/settings/").headers["Location"] == "/password"


def test_a_set_up_platform_cannot_be_set_up_again(world, session, setup_code):
    world.person()
    client = world.client()
    assert client.get("/setup").headers["Location"] == "/"
    assert client.get("/").headers["Location"] == "/login"
    assert post(client, "/setup", FIELDS, page="/login").status_code == 302
    assert session.query(Account).count() == 1


def test_without_a_set_up_code_there_is_no_set_up(world):
    client = world.client()
    assert client.get("/setup").status_code == 404
    assert client.get("/").headers["Location"] == "/login"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"setup_code": "wrong"}, "设置码不对"),
        ({"password": "short", "repeated": "short"}, "新密码至少 10 位"),
        ({"repeated": "another password"}, "两次输入的密码不一样"),
        ({"county_name": " "}, "请填写"),
        ({"system_name": "甲"}, "要一起填"),
        ({"system_name": "甲", "system_login": "zhou"}, "必须由不同的人担任"),
        (OTHERS | {"audit_login": "SYS1"}, "必须由不同的人担任"),
        ({"login_name": "two words"}, "不能用"),
    ],
)
def test_a_wrong_entry_is_explained_beside_its_field_and_makes_nothing(world, session, setup_code, fields, text):
    answer = send(world.client(), **fields)
    assert answer.status_code == 422
    assert text in answer.text
    assert session.query(Account).count() == session.query(Unit).count() == session.query(Person).count() == 0


def test_the_set_up_code_is_not_found_by_trying(world, session, setup_code, fixed_clock):
    """Ten wrong ones lock the address for a quarter of an hour, and a right one tells nothing meanwhile; others are not locked out."""
    attempts_made = [send(world.client(), setup_code=f"{number:08x}") for number in range(6)]
    assert ["设置码不对" in page.text for page in attempts_made] == [True] * 4 + [False] * 2
    assert "请等 5 秒后再试" in attempts_made[4].text
    assert "设置码输错次数较多" in send(world.client()).text
    for _ in range(5):
        fixed_clock.at(fixed_clock.instant + timedelta(seconds=61))
        send(world.client(), setup_code="00000000")
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=14))
    assert "设置码输错次数较多" in send(world.client()).text
    assert session.query(Account).count() == 0
    elsewhere = world.client()
    elsewhere.environ_base["REMOTE_ADDR"] = "10.0.0.9"
    assert send(elsewhere).status_code == 200


def test_of_two_first_administrators_at_once_one_wins(race_world, race_app, monkeypatch):
    setting(race_app, monkeypatch, setup_code=CODE)
    clients = [race_app.test_client() for _ in range(4)]
    tokens = [token(client, "/setup") for client in clients]
    statuses = []

    def go(client, token, number):
        fields = FIELDS | {"login_name": f"zhou{number}", "county_code": f"C{number}"}
        statuses.append(client.post("/setup", data={"csrf_token": token, **fields}).status_code)

    threads = [
        threading.Thread(target=go, args=(c, t, n)) for n, (c, t) in enumerate(zip(clients, tokens, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 1
    assert race_world.session.query(Account).count() == race_world.session.query(Unit).count() == 1


def test_an_administrator_can_be_made_from_the_console(world, app, session):
    unit = world.unit("司法局", code="SFJ")
    made = app.test_cli_runner().invoke(args=["add-administrator", "security_admin", "sec9", "丁", "--unit", "SFJ"])
    assert made.exit_code == 0, made.output
    password = re.search(r"初始密码 (\w+)", made.output).group(1)
    assert sign_in(world.client(), "sec9", password).headers["Location"].startswith("/password")
    person = session.query(Person).filter_by(staff_number="sec9").one()
    assert (person.unit_id, person.name) == (unit.id, "丁")
    again = app.test_cli_runner().invoke(args=["add-administrator", "audit_admin", "sec9", "戊", "--unit", "SFJ"])
    assert again.exit_code == 1
    assert "已有人使用" in again.output


def load_ticked(world, session, **fields):
    """Set the platform up with ticks, run the loading, and give the office's page about it."""
    client = world.client()
    done = send(client, **fields)
    assert "勾选的内容正在后台装入" in done.text
    job_id = session.scalars(select(ContentLoad.id)).one()
    world.app.extensions["celery"].tasks["jobs.run"].apply(args=[job_id])
    sign_in(client, "zhou", "long enough pass")
    return client, client.get("/admin/content/").text


def test_ticked_content_is_loaded_and_loading_again_changes_nothing(world, session, setup_code):
    page = world.client().get("/setup").text
    assert page.count('name="content"') == page.count("checked") == len(CONTENT_PARTS)
    client, page = load_ticked(world, session, content=["blueprints", "duties"])
    assert "组卷规则：共 3 套" in page and "年共性清单草稿已建好" in page and "试题：" not in page
    items = session.scalar(select(func.count(DutyItem.id)))
    assert post(client, "/admin/content/", {"content": "duties"}).status_code == 302
    job_id = session.scalars(select(func.max(ContentLoad.id))).one()
    world.app.extensions["celery"].tasks["jobs.run"].apply(args=[job_id])
    assert "已有共性清单，没有改动" in client.get("/admin/content/").text
    assert session.scalar(select(func.count(DutyItem.id))) == items == len(SHIPPED_DUTIES)


def gist_page(session):
    law, day, gist = session.execute(
        select(Law.name, LawVersion.version_on, ArticleGist.text)
        .join(LawVersion.law)
        .join(ArticleGist)
        .order_by(ArticleGist.id)
        .limit(1)
    ).one()
    return f"/laws/{law}/{day}/", gist


@pytest.mark.slow
def test_everything_ticked_makes_a_usable_site_without_a_dead_article(world, session, setup_code):
    client, page = load_ticked(world, session, content=list(CONTENT_PARTS))
    assert re.search(r"试题：新增 \d{4} 道", page) and "组卷规则：共 3 套" in page and "留作草稿" not in page
    cited = select(QuestionCitation.law_version_id, func.unnest(QuestionCitation.articles)).distinct()
    readable = select(ArticleGist.law_version_id, ArticleGist.label)
    dead = session.execute(cited.except_(readable)).all()
    assert dead == []
    chapters = [live_html(session, chapter.body, on=clock.today()) for chapter in session.scalars(select(Chapter))]
    assert len(chapters) > len(read_courses()) and not [
        text for text in chapters if "还没有这一条" in text or "[[" in text
    ]
    blueprint = session.scalars(select(Blueprint).order_by(Blueprint.id)).first()
    assert sample_paper(session, blueprint, seed=1)
    address, gist = gist_page(session)
    assert gist in html.unescape(client.get(address).text)
