"""The security checklist: each point red, amber or green by what is found, with words on what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from examapp.config import Mode, PasswordProfile, Settings
from examapp.db.addresses import DatabaseHost, HostState
from examapp.organisation.accounts.rules import SignInPolicy
from examapp.organisation.people.models import Person
from examapp.platform.audit.models import AuditEvent
from examapp.platform.security_checklist.rules import ChecklistFindings, Level, judge
from tests.conftest import NOON
from tests.helpers.audit_log import note

SOUND = Settings(
    app_mode=Mode.PRODUCTION,
    secret_key="8f2e1c7a9b3d4e5f60718293a4b5c6d7",
    data_keys="k1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    https=True,
    site_url="https://xuefa.example.gov.cn",
    second_factor="required",
    password_profile=PasswordProfile.DENGBAO,
)
WELL = ChecklistFindings(
    links=[],
    shared_numbers=[],
    hosts=[DatabaseHost("a", HostState.PRIMARY, 0.1), DatabaseHost("b", HostState.STANDBY)],
    cell_issue="",
    database={"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"},
    has_demo_accounts=False,
    holders={"system_admin": 1, "security_admin": 1, "audit_admin": 1},
    administrators=5,
    without_second_factor=0,
    backup_at=NOON - timedelta(hours=20),
    backup_failed_at=None,
    sealed_at=NOON - timedelta(seconds=20),
    unchained=0,
    verified_at=NOON - timedelta(hours=20),
    chain_issues=0,
    head_issue="",
    opened_at=NOON - timedelta(hours=20),
    unopened=0,
    log_at=NOON - timedelta(minutes=5),
    certificate_ends_at=NOON + timedelta(days=90),
    may_change_log=False,
)


def levels(settings=SOUND, found=WELL):
    return {point.name: point.level for point in judge(settings, found, now=NOON)}


def test_a_sound_deployment_is_green_on_every_point():
    assert set(levels().values()) == {Level.GOOD}


@pytest.mark.parametrize(
    ("settings", "found", "name", "level"),
    [
        ({"secret_key": "change-me"}, {}, "密钥", Level.BAD),
        ({"https": False}, {}, "https", Level.BAD),
        ({"second_factor": "off"}, {}, "管理员动态口令", Level.BAD),
        ({"admin_idle_minutes": 0}, {}, "管理员无操作退出", Level.LOOK),
        ({}, {"sign_in_policy": SignInPolicy(days=8)}, "考生登录保留", Level.LOOK),
        ({}, {"sign_in_policy": SignInPolicy(is_kept_for_exam=True)}, "考生登录保留", Level.LOOK),
        ({"password_profile": "asvs"}, {}, "密码规则", Level.LOOK),
        ({"app_mode": Mode.TRYOUT}, {}, "运行方式", Level.LOOK),
        ({"keep_audit_days": 180}, {}, "审计记录保存期", Level.BAD),
        ({"setup_code": "abc"}, {}, "首次设置页", Level.LOOK),
        ({"cell": 3}, {"cell_issue": "库里却有别的分区的数据：units。"}, "分区编号", Level.BAD),
        ({}, {"database": {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "on"}}, "数据库 fsync", Level.BAD),
        ({}, {"hosts": [DatabaseHost("a", HostState.PRIMARY), DatabaseHost("b", HostState.AWAY)]}, "数据库主机 b", Level.BAD),
        ({}, {"hosts": [DatabaseHost("a", HostState.PRIMARY), DatabaseHost("b", HostState.FOREIGN)]}, "数据库主机 b", Level.BAD),
        ({}, {"hosts": [DatabaseHost("a", HostState.PRIMARY), DatabaseHost("b", HostState.STALLED)]}, "数据库主机 b", Level.BAD),
        ({}, {"hosts": [DatabaseHost("a", HostState.PRIMARY), DatabaseHost("b", HostState.DISTRUSTED)]}, "数据库主机 b", Level.BAD),
        ({}, {"shared_numbers": [("S1", [1, 2])]}, "重复的工号", Level.LOOK),
        ({}, {"hosts": [DatabaseHost("a", HostState.STANDBY), DatabaseHost("b", HostState.STANDBY)]}, "主库", Level.BAD),
        ({}, {"hosts": [DatabaseHost("a", HostState.PRIMARY), DatabaseHost("b", HostState.STANDBY, 120.0)]}, "各台机器的时钟", Level.BAD),
        ({}, {"hosts": [DatabaseHost("a", HostState.PRIMARY, 3.0), DatabaseHost("b", HostState.STANDBY, 3.1)]}, "各台机器的时钟", Level.LOOK),
        ({}, {"has_demo_accounts": True}, "演示账号", Level.BAD),
        ({}, {"holders": {"system_admin": 1, "security_admin": 1}}, "三员配备", Level.BAD),
        ({}, {"without_second_factor": 2}, "管理员动态口令", Level.LOOK),
        ({}, {"backup_at": None}, "数据库备份", Level.BAD),
        ({}, {"backup_at": NOON - timedelta(hours=27)}, "数据库备份", Level.LOOK),
        ({}, {"backup_failed_at": NOON - timedelta(hours=10)}, "数据库备份", Level.BAD),
        ({}, {"backup_at": NOON - timedelta(days=9)}, "数据库备份", Level.BAD),
        ({}, {"sealed_at": NOON - timedelta(days=1), "unchained": 7}, "审计记录防篡改校验", Level.BAD),
        ({}, {"verified_at": NOON - timedelta(days=4)}, "审计记录校验", Level.LOOK),
        ({}, {"verified_at": NOON - timedelta(days=9)}, "审计记录校验", Level.BAD),
        ({}, {"chain_issues": 1}, "审计记录校验", Level.BAD),
        ({}, {"head_issue": "链首文件不在。"}, "审计记录防篡改校验", Level.BAD),
        ({}, {"opened_at": NOON - timedelta(days=4)}, "加密数据核对", Level.LOOK),
        ({}, {"unopened": 2}, "加密数据核对", Level.BAD),
        ({}, {"verified_at": None}, "审计记录校验", Level.BAD),
        ({}, {"log_at": None}, "运行日志", Level.BAD),
        ({}, {"certificate_ends_at": NOON + timedelta(days=20)}, "https 证书", Level.LOOK),
        ({}, {"certificate_ends_at": NOON + timedelta(days=2)}, "https 证书", Level.BAD),
        ({}, {"certificate_ends_at": NOON - timedelta(days=1)}, "https 证书", Level.BAD),
        ({}, {"certificate_ends_at": None}, "https 证书", Level.LOOK),
        ({}, {"may_change_log": True}, "审计记录防改", Level.LOOK),
    ],
)  # fmt: skip
def test_each_point_turns_by_what_is_found_and_says_what_to_do(settings, found, name, level):
    points = judge(replace(SOUND, **settings), replace(WELL, **found), now=NOON)
    turned = next(point for point in points if point.name == name)
    assert turned.level is level
    assert turned.advice.endswith("。")
    assert points.index(turned) == 0, "what is to be mended stands on top"


def test_the_two_administrators_see_the_list_of_this_deployment_and_nobody_else(world):
    for role in ("system_admin", "security_admin"):
        page = world.client(world.admin(role)).get("/admin/checklist/")
        assert page.status_code == 200
        assert "三员配备" in page.text
        assert "尚未执行" in page.text, "no backup was ever made here"
        assert "安全检查单" in world.client(world.admin(role)).get("/").text
    for person in (world.person(), world.admin("publicity_office"), world.admin("audit_admin")):
        assert world.client(person).get("/admin/checklist/").status_code == 404


def test_the_daily_checks_are_on_the_schedule_and_their_outcome_on_the_list(app, world, session):
    """By the tasks that beat sends: good at first, then a line of the log and a sealed number that somebody has changed."""
    tasks = app.extensions["celery"].tasks
    scheduled = {entry["task"] for entry in app.extensions["celery"].conf.beat_schedule.values()}
    assert {"audit.verify", "people.check_keys"} <= scheduled
    administrator = world.client(world.admin("security_admin"))
    world.person()
    note(session, NOON, act="people.sign_in", person=world.person())
    session.flush()
    for name in ("audit.seal", "audit.verify", "people.check_keys"):
        tasks[name]()
    page = administrator.get("/admin/checklist/").text
    assert page.count("最近一次在 0 分钟前") >= 2
    assert "处问题" not in page
    session.execute(text("UPDATE audit_events SET act = 'people.sign_out' WHERE act = 'people.sign_in'"))
    session.execute(update(Person).where(Person.id == world.person().id).values(id_number_encrypted=b"k9\0broken"))
    for name in ("audit.verify", "people.check_keys"):
        tasks[name]()
    page = administrator.get("/admin/checklist/").text
    assert page.count("发现 1 处问题") == 2
    assert "flask audit verify" in page
    assert "flask keys check" in page


def test_a_failure_of_a_backup_is_forgotten_with_the_next_that_succeeds():
    assert levels(found=replace(WELL, backup_failed_at=WELL.backup_at - timedelta(hours=1)))["数据库备份"] is Level.GOOD


def test_an_emptied_log_shows_on_the_list_and_in_the_figures_before_the_daily_check(app, world, session):
    administrator = world.client(world.admin("security_admin"))
    note(session, NOON)
    session.flush()
    app.extensions["celery"].tasks["audit.seal"]()
    assert "链首对不上" not in administrator.get("/admin/checklist/").text
    assert "examapp_audit_chain_broken 0.0" in administrator.get("/metrics").text
    session.execute(text("TRUNCATE audit_events, audit_seals, audit_archives"))
    page = administrator.get("/admin/checklist/").text
    assert "链首对不上，已停止上链" in page
    assert "flask audit verify" in page
    assert "examapp_audit_chain_broken 1.0" in administrator.get("/metrics").text


def test_lines_cut_off_the_end_since_the_last_daily_check_are_missed_by_the_next(app, session, fixed_clock):
    tasks = app.extensions["celery"].tasks
    for _ in range(3):
        note(session, NOON)
    session.flush()
    tasks["audit.seal"]()
    tasks["audit.verify"]()
    for table, column in (("audit_seals", "event_id"), ("audit_events", "id")):
        session.execute(text(f"DELETE FROM {table} WHERE {column} = (SELECT min(id) + 2 FROM audit_events)"))
    fixed_clock.at(NOON + timedelta(days=1))
    tasks["audit.verify"]()
    last = session.query(AuditEvent).filter_by(act="audit.verify").order_by(AuditEvent.id.desc()).first()
    assert last.details["failures"] >= 1


def test_a_verified_log_is_noted_and_turns_the_point_green(app, world, session):
    administrator = world.client(world.admin("security_admin"))
    note(session, NOON, act="people.sign_in")
    session.flush()
    before = administrator.get("/admin/checklist/").text
    result = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert result.exit_code == 0, result.output
    after = administrator.get("/admin/checklist/").text
    assert before != after
    assert "最近一次在 0 分钟前" in after
