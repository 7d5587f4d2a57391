"""Alive, ready, measured; and a production start refuses what would lose answers or let strangers in."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from sqlalchemy import text

from examapp.config import Mode, Settings
from examapp.delivery.grading.models import Heartbeat
from examapp.platform.setup.actions import set_fact
from examapp.platform.setup.models import DEMO_LOADED
from examapp.platform.setup.rules import is_alive, production_faults, shown_settings

SAFE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


def production(**fields):
    defaults: dict[str, Any] = {
        "app_mode": Mode.PRODUCTION,
        "database_url": "postgresql+psycopg://u:geheim@db/x",
        "redis_url": "redis://r:6379/0",
        "secret_key": "0123456789abcdef" * 4,
        "data_keys": "k1:" + "0123456789abcdef" * 4,
        "https": True,
    }
    return Settings(**(defaults | fields))


@pytest.mark.parametrize(("name", "seconds"), [("sweeper", 60), ("schedule", 90)])
def test_the_site_is_healthy_while_the_sweeper_beats(world, frozen, name, seconds):
    """And the schedule: without it nothing is sealed, kept or sent, and nobody would see it."""
    client = world.client()
    assert client.get("/healthz").status_code == 503
    beats = {n: world.save(Heartbeat(name=n, beat_at=frozen.instant)) for n in ("sweeper", "schedule")}
    beats[name].beat_at = frozen.instant - timedelta(seconds=seconds - 1)
    world.session.flush()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"process": "ok", "sweeper": "ok", "schedule": "ok"})
    beats[name].beat_at = frozen.instant - timedelta(seconds=seconds + 1)
    world.session.flush()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()[name]) == (503, "late")
    assert f"examapp_{name}_age_seconds {seconds + 1}.0" in client.get("/metrics").text


def test_a_try_out_is_ready_only_with_its_demo(world, app, session, frozen, monkeypatch):
    client = world.client()
    assert client.get("/readyz").status_code == 200
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], app_mode=Mode.TRYOUT))
    assert client.get("/readyz").status_code == 503
    set_fact(session, DEMO_LOADED, {}, now=frozen.instant)
    assert client.get("/readyz").get_json() == {"schema": "ok", "demo": "ok"}
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], app_mode=Mode.TRYOUT, demo=False))
    assert client.get("/readyz").get_json() == {"schema": "ok"}


def test_an_older_schema_is_not_ready(world, session):
    session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert world.client().get("/readyz").status_code == 503


def test_figures_are_for_this_machine_or_who_holds_the_token(world, app, monkeypatch):
    client = world.client()
    client.get("/login")
    page = client.get("/metrics")
    assert page.status_code == 200
    for name in (
        'examapp_attempts{state="in_progress"} 0.0',
        'examapp_jobs{kind="export",state="waiting"} 0.0',
        "examapp_request_seconds_bucket",
    ):
        assert name in page.text
    stranger = {"REMOTE_ADDR": "10.0.0.9"}
    assert client.get("/metrics", environ_base=stranger).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    assert client.get("/metrics", environ_base=stranger, headers={"Authorization": "Bearer "}).status_code == 404
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], metrics_token="t0ken"))
    assert client.get("/metrics", environ_base=stranger, headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert client.get("/metrics", environ_base=stranger, headers={"Authorization": "Bearer t0ken"}).status_code == 200


@pytest.mark.parametrize("name", list(SAFE))
def test_a_database_that_may_lose_answers_is_refused(name):
    assert production_faults(production(), SAFE, has_demo_accounts=False) == []
    [fault] = production_faults(production(), SAFE | {name: "off"}, has_demo_accounts=False)
    assert name in fault
    del (unknown := dict(SAFE))[name]
    assert production_faults(production(), unknown, has_demo_accounts=False)


@pytest.mark.parametrize(
    "fields",
    [{"secret_key": "short"}, {"secret_key": "change-me" * 5}, {"data_keys": ""}, {"data_keys": "k1:" + "00" * 32}],
)
def test_a_default_secret_is_refused(fields):
    [fault] = production_faults(production(**fields), SAFE, has_demo_accounts=False)
    assert next(iter(fields)).upper() in fault


def test_a_start_over_plain_http_is_refused_in_production_only():
    [fault] = production_faults(production(https=False), SAFE, has_demo_accounts=False)
    assert "HTTPS" in fault
    assert production_faults(production(app_mode=Mode.TRYOUT, https=False), SAFE, has_demo_accounts=False) == []


def test_demo_accounts_are_refused_in_production_only():
    assert production_faults(production(), SAFE, has_demo_accounts=True)
    assert production_faults(production(app_mode=Mode.TRYOUT), {}, has_demo_accounts=True) == []


def test_a_redis_that_drops_messages_is_refused():
    [fault] = production_faults(production(), SAFE, has_demo_accounts=False, eviction_policy="allkeys-lru")
    assert "noeviction" in fault
    for policy in ("noeviction", None):
        assert production_faults(production(), SAFE, has_demo_accounts=False, eviction_policy=policy) == []


def test_the_check_before_a_start_asks_the_real_redis(app, session, servers, monkeypatch):
    real = production(redis_url=servers.settings().redis_url)
    monkeypatch.setitem(app.config, "SETTINGS", real)
    with Redis.from_url(real.redis_url) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            refused = app.test_cli_runner().invoke(args=["check-start"])
        finally:
            redis.config_set("maxmemory-policy", "noeviction")
    assert refused.exit_code == 1
    assert "allkeys-lru" in refused.output


def test_an_old_schema_is_refused(app, session):
    session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    refused = app.test_cli_runner().invoke(args=["check-start"])
    assert (refused.exit_code, "db upgrade" in refused.output) == (1, True)


def test_the_check_before_a_start_says_why_and_exits_with_1(app, session, monkeypatch):
    fine = app.test_cli_runner().invoke(args=["check-start"])
    assert (fine.exit_code, fine.output) == (0, "启动检查通过。\n")
    monkeypatch.setitem(app.config, "SETTINGS", production())
    refused = app.test_cli_runner().invoke(args=["check-start"])
    assert refused.exit_code == 1
    assert "不能启动：数据库的 fsync 已关闭" in refused.output


def test_no_secret_is_shown():
    shown = shown_settings(production(setup_code="s3tup", metrics_token="m3trics"))
    words = " ".join(value for _, value, _ in shown)
    for secret in ("geheim", "0123456789abcdef", "s3tup", "m3trics"):
        assert secret not in words
    assert "postgresql+psycopg://db/x" in words


def test_the_settings_page_is_for_the_system_administrator(world, app):
    page = world.client(world.admin("system_admin")).get("/admin/settings/").text
    assert "SECRET_KEY" in page and app.config["SETTINGS"].secret_key not in page
    assert "fsync" in page
    for role in ("publicity_office", "security_admin", "audit_admin"):
        assert world.client(world.admin(role)).get("/admin/settings/").status_code == 404


@given(st.integers(min_value=0, max_value=100_000))
def test_a_beat_counts_for_a_minute(seconds):
    from datetime import UTC, datetime

    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert is_alive(now - timedelta(seconds=seconds), now=now) == (seconds <= 60)
