"""A backup asked for on the web: the page writes a request and nothing else, and says how it stands."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from examapp.config import Settings
from examapp.delivery.grading.models import Heartbeat
from examapp.ops import supervisor
from examapp.ops.backup_requests import variables_of
from examapp.platform.audit.models import AuditEvent
from examapp.platform.backups.models import BackupRequest
from examapp.platform.backups.rules import size_label
from examapp.web.pages import instant
from tests.conftest import NOON
from tests.helpers.forms import post, token

PAGE = "/admin/backups/"
UNITS = Path(__file__).parents[2] / "docker" / "systemd"


@pytest.fixture
def operator(world):
    """The system administrator."""
    return world.client(world.admin("system_admin"))


def beat(world, at=NOON):
    world.session.merge(Heartbeat(name="backup", beat_at=at))
    world.session.flush()


def change(world, **fields):
    world.session.execute(update(BackupRequest).values(fields))
    world.session.expire_all()


def requests_in(world):
    return world.session.scalar(select(func.count(BackupRequest.id)))


def ask(client):
    return client.post(PAGE, data={"csrf_token": token(client, "/account/sessions")})


def test_without_a_backup_process_no_button_is_offered_but_the_operators_command(world, operator):
    for at in (None, NOON - timedelta(minutes=2)):
        if at:
            beat(world, at)
        page = operator.get(PAGE).text
        assert "没有运行备份进程" in page
        assert "flask --app wsgi backup base" in page
        assert "立即备份</button>" not in page
    assert "没有提交" in operator.get(ask(operator).location).text
    assert requests_in(world) == 0


def test_a_request_is_one_however_often_it_is_pressed_and_stands_in_the_log(world, operator):
    beat(world)
    post(operator, PAGE)
    ask(operator)
    assert requests_in(world) == 1
    logged = world.session.scalars(select(AuditEvent).where(AuditEvent.act == "backups.request")).one()
    row = world.session.scalars(select(BackupRequest)).one()
    assert (logged.object_id, logged.actor_id) == (row.id, row.requested_by_id)
    assert row.requested_at == NOON
    page = operator.get(PAGE).text
    assert "已提交，等待备份进程接手" in page
    assert "立即备份</button>" not in page, "while one is open"


def test_the_page_says_how_the_request_stands_and_what_to_do(world, operator, fixed_clock):
    beat(world)
    post(operator, PAGE)
    change(world, requested_at=NOON - timedelta(minutes=3))
    page = operator.get(PAGE).text
    assert "一直没有备份进程接手" in page
    assert "systemctl status examapp-backup-requests" in page
    change(world, state="running", taken_at=NOON)
    assert "正在备份" in operator.get(PAGE).text
    assert operator.get(PAGE + "state").get_json()["message"] == "正在备份"
    beat(world, NOON - timedelta(minutes=5))
    assert "备份进程没有应答" in operator.get(PAGE).text
    beat(world)
    change(world, state="failed", finished_at=NOON, message="pg_basebackup 没有成功：磁盘已满")
    page = operator.get(PAGE).text
    assert "备份失败" in page
    assert "磁盘已满" in page
    assert "立即备份</button>" in page, "again after a failure"
    change(world, state="done", message="", size_bytes=2_400_000_000)
    page = operator.get(PAGE).text
    assert "备份完成" in page
    assert instant(NOON) in page
    assert "2.4 GB" in page
    assert operator.get(PAGE + "state").get_json()["state"] == "ready"


def test_backups_right_after_each_other_are_rejected(world, operator, fixed_clock):
    """Each fills the disk with a copy of the whole database: a stolen session must not fill it."""
    beat(world)
    post(operator, PAGE)
    change(world, state="done", finished_at=NOON - timedelta(minutes=9), size_bytes=1)
    assert "至少间隔 10 分钟" in operator.get(ask(operator).location).text
    assert requests_in(world) == 1
    change(world, finished_at=NOON - timedelta(minutes=11))
    ask(operator)
    assert requests_in(world) == 2


@pytest.mark.parametrize(("size", "label"), [(None, "1 MB"), (38_400_000, "38 MB"), (2_400_000_000, "2.4 GB")])
def test_a_size_is_written_as_a_person_reads_it(size, label):
    assert size_label(size) == label


def test_the_backup_process_has_the_right_to_copy_and_no_key_and_the_others_have_it_not(tmp_path):
    settings = Settings(data_dir=str(tmp_path))
    owner = {"DATABASE_URL": "owner", "SECRET_KEY": "s", "DATA_KEYS": "k", "DATA_DIR": str(tmp_path)}
    known = {
        name: variables_of(name, owner, {"DATABASE_URL": "program"}, settings) for name in ("backup", "web", "beat")
    }
    backup = {"DATABASE_URL": "owner", "DATA_DIR": str(tmp_path), "BACKUP_DIR": str(tmp_path / "backup")}
    assert known["backup"] == backup
    assert known["web"] == known["beat"] == owner | {"DATABASE_URL": "program"}
    assert "backup" not in supervisor.part_commands(settings), "started only where the database is our own"


def test_the_unit_has_the_nightly_ones_account_places_and_no_key():
    ours, nightly = (
        (UNITS / f"examapp-backup{name}.service").read_text("utf-8").splitlines() for name in ("-requests", "")
    )
    for start in ("User=", "Environment=DATABASE_URL", "ExecStartPre=", "NoNewPrivileges="):
        assert [x for x in ours if x.startswith(start)] == [x for x in nightly if x.startswith(start)] != []
    assert not any(line.startswith("EnvironmentFile") for line in ours)
    places = next(line for line in nightly if line.startswith("Environment=BACKUP_DIR"))
    assert any(line.startswith(places) for line in ours)
