"""Load the demo county from the command line, with a progress bar, and write down its accounts."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click
from flask import Blueprint, current_app
from sqlalchemy import text

from examapp import clock
from examapp.config import Mode, Settings
from examapp.db.session import read_session, transaction
from examapp.organisation.access.rules import ROLE_NAMES, Role
from examapp.platform.demo.actions import ADMIN_PASSWORD, CANDIDATE_PASSWORD, Hashes, Loaded, load_county
from examapp.platform.setup.models import DEMO_LOADED, PlatformFlag
from examapp.security.password_hashing import Hasher

cli_blueprint = Blueprint("demo_cli", __name__, cli_group="demo")
_CONTENT = Path(__file__).parents[3] / "question_bank" / "content"
_BAR = 30
_TABLES = (
    "persons",
    "accounts",
    "questions",
    "papers",
    "prepared_papers",
    "attempts",
    "answers",
    "answer_history",
    "grades",
    "chapter_progress",
    "exercise_runs",
    "course_completions",
    "event_attendances",
)


@cli_blueprint.cli.command("load")
def load() -> None:
    """Load the demo county once; print its accounts, and write them to DATA_DIR/demo-accounts.json."""
    settings: Settings = current_app.config["SETTINGS"]
    if settings.app_mode is Mode.PRODUCTION:
        raise click.ClickException("正式运行（APP_MODE=production）不能装入演示数据。")
    fact = read_session().get(PlatformFlag, DEMO_LOADED)
    listed: dict[str, Any] = fact.value if fact is not None else _load(settings)
    path = settings.data_path / "demo-accounts.json"
    path.write_text(json.dumps(listed, ensure_ascii=False, indent=1), "utf-8")
    _print_accounts(listed, path)


def _load(settings: Settings) -> dict[str, Any]:
    began, now = time.monotonic(), clock.now()
    hasher = Hasher.from_settings(settings)
    hashes = Hashes(candidate=hasher.hash(CANDIDATE_PASSWORD), admin=hasher.hash(ADMIN_PASSWORD))
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))  # papers are drawn in between
        session.execute(text("SET LOCAL synchronous_commit = off"))
        loaded = load_county(session, content_folder=_CONTENT, hashes=hashes, now=now, progress=_show)
    _analyze()
    listed = _listed(loaded)
    with transaction() as session:
        session.add(PlatformFlag(name=DEMO_LOADED, value=listed, set_at=clock.now()))
    _show("完成", 1.0)
    click.echo(f"\n演示县已装入，用时 {time.monotonic() - began:.0f} 秒。")
    return listed


def _analyze() -> None:
    with transaction() as session:
        for table in _TABLES:
            session.execute(text(f"ANALYZE {table}"))  # meant: names of a constant


def _show(step: str, fraction: float) -> None:
    if not sys.stdout.isatty():
        click.echo(f"{fraction:4.0%} {step}")
        return
    filled = int(_BAR * fraction)
    click.echo(f"\r装入演示县 [{'█' * filled}{'·' * (_BAR - filled)}] {fraction:4.0%} {step}　　　　", nl=False)


def _listed(loaded: Loaded) -> dict[str, Any]:
    county = loaded.county
    accounts = [
        {
            "role": account.role,
            "login_name": account.login_name,
            "password": ADMIN_PASSWORD if account.role not in {"candidate", Role.UNIT_ADMIN} else CANDIDATE_PASSWORD,
            "name": account.name,
            "unit": account.unit,
        }
        for account in county.accounts
    ]
    login_names = [person.staff_number for person in county.plan.people]
    return {
        "open_exam_id": loaded.exams.mock.id,
        "accounts": accounts,
        "candidates": {"password": CANDIDATE_PASSWORD, "login_names": login_names},
    }


def _print_accounts(listed: dict[str, Any], path: Path) -> None:
    names = {role.value: words for role, words in ROLE_NAMES.items()} | {"candidate": "考生"}
    click.echo("\n演示账号：")
    for account in listed["accounts"]:
        click.echo(
            f"  {names[account['role']]}　{account['login_name']}　口令 {account['password']}　（{account['name']}，{account['unit']}）"
        )
    click.echo(f"  全部 8000 名考生的登录名和口令见 {path}")
