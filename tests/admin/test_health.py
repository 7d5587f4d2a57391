"""Alive, ready, measured; and a production start rejects what would lose answers or let outsiders in."""

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
from examapp.platform.setup.rules import is_alive, list_production_issues, shown_settings

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
def test_the_site_is_healthy_while_the_sweeper_beats(world, fixed_clock, name, seconds):
    """And the schedule: without it nothing is sealed, kept or sent, and nobody would see it."""
    client = world.client()
    assert client.get("/healthz").status_code == 503
    beats = {n: world.save(Heartbeat(name=n, beat_at=fixed_clock.instant)) for n in ("sweeper", "schedule")}
    beats[name].beat_at = fixed_clock.instant - timedelta(seconds=seconds - 1)
    world.session.flush()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"process": "ok", "sweeper": "ok", "schedule": "ok"})
    beats[name].beat_at = fixed_clock.instant - timedelta(seconds=seconds + 1)
    world.session.flush()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()[name]) == (503, "late")
    assert f"examapp_{name}_age_seconds {seconds + 1}.0" in client.get("/metrics").text


def test_a_try_out_is_ready_only_with_its_demo(world, app, session, fixed_clock, monkeypatch):
    client = world.client()
    assert client.get("/readyz").status_code == 200
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], app_mode=Mode.TRYOUT))
    assert client.get("/readyz").status_code == 503
    set_fact(session, DEMO_LOADED, {}, now=fixed_clock.instant)
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
    outsider = {"REMOTE_ADDR": "10.0.0.9"}
    assert client.get("/metrics", environ_base=outsider).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    assert client.get("/metrics", environ_base=outsider, headers={"Authorization": "Bearer "}).status_code == 404
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], metrics_token="t0ken"))
    assert client.get("/metrics", environ_base=outsider, headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert client.get("/metrics", environ_base=outsider, headers={"Authorization": "Bearer t0ken"}).status_code == 200


@pytest.mark.parametrize("name", list(SAFE))
def test_a_database_that_may_lose_answers_is_rejected(name):
    assert list_production_issues(production(), SAFE, has_demo_accounts=False) == []
    [issue] = list_production_issues(production(), SAFE | {name: "off"}, has_demo_accounts=False)
    assert name in issue
    del (unknown := dict(SAFE))[name]
    assert list_production_issues(production(), unknown, has_demo_accounts=False)


@pytest.mark.parametrize(
    "fields",
    [{"secret_key": "short"}, {"secret_key": "change-me" * 5}, {"data_keys": ""}, {"data_keys": "k1:" + "00" * 32}],
)
def test_a_default_secret_is_rejected(fields):
    [issue] = list_production_issues(production(**fields), SAFE, has_demo_accounts=False)
    assert next(iter(fields)).upper() in issue


def test_a_start_over_plain_http_is_rejected_in_production_only():
    [issue] = list_production_issues(production(https=False), SAFE, has_demo_accounts=False)
    assert "HTTPS" in issue
    assert list_production_issues(production(app_mode=Mode.TRYOUT, https=False), SAFE, has_demo_accounts=False) == []


def test_demo_accounts_are_rejected_in_production_only():
    assert list_production_issues(production(), SAFE, has_demo_accounts=True)
    assert list_production_issues(production(app_mode=Mode.TRYOUT), {}, has_demo_accounts=True) == []


def test_a_redis_that_drops_messages_is_rejected():
    [issue] = list_production_issues(production(), SAFE, has_demo_accounts=False, eviction_policy="allkeys-lru")
    assert "noeviction" in issue
    for policy in ("noeviction", None):
        assert list_production_issues(production(), SAFE, has_demo_accounts=False, eviction_policy=policy) == []


def test_the_check_before_a_start_asks_the_real_redis(app, session, servers, monkeypatch):
    real = production(redis_url=servers.settings().redis_url)
    monkeypatch.setitem(app.config, "SETTINGS", real)
    with Redis.from_url(real.redis_url) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            rejected = app.test_cli_runner().invoke(args=["check-start"])
        finally:
            redis.config_set("maxmemory-policy", "noeviction")
    assert rejected.exit_code == 1
    assert "allkeys-lru" in rejected.output


def test_an_old_schema_is_rejected(app, session):
    session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    rejected = app.test_cli_runner().invoke(args=["check-start"])
    assert (rejected.exit_code, "db upgrade" in rejected.output) == (1, True)


def test_the_check_before_a_start_says_why_and_exits_with_1(app, session, monkeypatch):
    fine = app.test_cli_runner().invoke(args=["check-start"])
    assert (fine.exit_code, fine.output) == (0, "启动检查通过。\n")
    monkeypatch.setitem(app.config, "SETTINGS", production())
    rejected = app.test_cli_runner().invoke(args=["check-start"])
    assert rejected.exit_code == 1
    assert "不能启动：数据库的 fsync 已关闭" in rejected.output


def test_no_secret_is_shown():
    shown = shown_settings(production(setup_code="s3tup", metrics_token="m3trics"))
    wording = " ".join(value for _, value, _ in shown)
    for secret in ("geheim", "0123456789abcdef", "s3tup", "m3trics"):
        assert secret not in wording
    assert "postgresql+psycopg://db/x" in wording


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
