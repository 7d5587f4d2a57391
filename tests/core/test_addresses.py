"""The database's address with several hosts: whoever takes one takes two, the primary is found, and a wrong host is named."""

from __future__ import annotations

import threading

import psycopg
import pytest

from examapp.config import Settings
from examapp.db import program_role
from examapp.db.addresses import (
    TIME_LIMITS,
    HostState,
    connect_arguments,
    database_address,
    host_names,
    inspect_hosts,
)
from examapp.db.schema import is_current
from examapp.delivery.grading import cli as sweeper
from examapp.ops import backup
from examapp.platform.backups.cli import read_ledger
from examapp.platform.setup.rules import list_production_issues, shown_settings
from tests.conftest import NOON

TWO = "postgresql+psycopg://u:p@/examapp?host=10.0.0.1:5432&host=10.0.0.2:5433"


@pytest.fixture
def two_hosts(servers, race_app):
    """The race database's address, after a host that is not there."""
    url = database_address(servers.settings("race").database_url)
    return url.update_query_dict({"host": ("/nowhere", str(url.query["host"]))}).render_as_string(hide_password=False)


def test_several_hosts_mean_the_primary_unless_the_address_says_otherwise():
    assert connect_arguments(TWO) == {
        "user": "u", "password": "p", "dbname": "examapp", "host": "10.0.0.1,10.0.0.2", "port": "5432,5433", "target_session_attrs": "read-write",
    }  # fmt: skip
    assert host_names(TWO) == ["10.0.0.1:5432", "10.0.0.2:5433"]
    assert connect_arguments(f"{TWO}&target_session_attrs=any")["target_session_attrs"] == "any"
    one = "postgresql+psycopg://u@10.0.0.1/examapp"
    assert connect_arguments(one) == {"user": "u", "host": "10.0.0.1", "dbname": "examapp"}
    assert inspect_hosts(one) == []
    assert backup._connection_arguments(TWO) == [
        "--dbname", "user=u host=10.0.0.1,10.0.0.2 target_session_attrs=read-write port=5432,5433",
    ]  # fmt: skip
    shown = {name: value for name, value, _ in shown_settings(Settings(database_url=TWO))}
    assert shown["DATABASE_URL"] == "postgresql+psycopg://10.0.0.1:5432、10.0.0.2:5433/examapp"


def test_every_command_takes_an_address_with_a_host_that_is_away(two_hosts):
    assert is_current(two_hosts)
    program_role.restrict(two_hosts, program_role.PROGRAM_ROLE, is_to_be_made=True)
    assert backup.find_programs(two_hosts)
    assert read_ledger(two_hosts, NOON)
    found = inspect_hosts(two_hosts)
    assert [host.state for host in found] == [HostState.AWAY, HostState.PRIMARY]
    assert abs(found[1].clock_offset_s) < 1


def test_a_role_has_its_time_limits_whatever_its_client_asks_for(two_hosts):
    program_role.restrict(two_hosts, program_role.PROGRAM_ROLE, is_to_be_made=True)
    fields = connect_arguments(two_hosts) | {"user": program_role.PROGRAM_ROLE}
    with psycopg.connect(**fields) as connection:
        limits = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in TIME_LIMITS}
    assert limits == {"lock_timeout": "2s", "statement_timeout": "30s", "idle_in_transaction_session_timeout": "1min"}
    settings = Settings(
        secret_key="8f2e1c7a9b3d4e5f60718293a4b5c6d7", data_keys="k1:0123456789abcdef" + "01234567" * 6, https=True
    )
    durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    lost = list_production_issues(
        settings, durable | {"lock_timeout": "0", "statement_timeout": "30000"}, has_demo_accounts=False
    )
    assert len(lost) == 1
    assert "lock_timeout" in lost[0]
    assert "statement_timeout" not in lost[0]


def test_archiving_is_not_begun_behind_the_back_of_patroni(monkeypatch, servers, tmp_path):
    monkeypatch.setattr(backup, "is_run_by_patroni", lambda _connection: True)
    with pytest.raises(backup.BackupError, match="patronictl edit-config"):
        backup.start_archiving(servers.settings("race").database_url, backup.BackupFolder(tmp_path / "backup"))


def test_the_sweepers_lock_is_held_outside_a_transaction(race_app, race_world, monkeypatch):
    """`idle_in_transaction_session_timeout` would end the lock's session in a sweep of a minute."""
    states = []
    look = "SELECT a.state FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.objid = %s"
    fields = connect_arguments(race_app.config["SETTINGS"].database_url)

    def sweep():
        with psycopg.connect(**fields) as connection:
            states.extend(connection.execute(look, [sweeper._SWEEPER_LOCK]).fetchall())

    monkeypatch.setattr(sweeper, "sweep_once", sweep)
    monkeypatch.setattr(sweeper, "touch_heartbeat_file", threading.Event)
    sweeper._round()
    assert states == [("idle",)]
