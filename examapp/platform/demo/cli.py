"""Load the demo county from the command line, with a progress bar, and write down its accounts."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask import Blueprint, current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from examapp import clock
from examapp.config import DEFAULT_ORGANISATION, Mode, Settings
from examapp.content.laws.cli import import_folder
from examapp.content.question_intake.actions import load_seed_bank
from examapp.db.addresses import TIME_LIMITS
from examapp.db.session import read_session, transaction
from examapp.learning.course_editing.actions import load_courses
from examapp.organisation.access.rules import ROLE_NAMES, Role
from examapp.platform.audit.actions import SYSTEM, WRITTEN_AT, ActionContext, record
from examapp.platform.demo_cases.actions import add_cases
from examapp.platform.demo_county.actions import DemoExams, add_attempts, add_county, add_exams
from examapp.platform.demo_county.rules import COUNTY, HELP_LINE, DemoCounty, plan_county
from examapp.platform.demo_duties.actions import add_duties
from examapp.platform.demo_learning.actions import add_certificates, add_gatherings, add_learner, add_study
from examapp.platform.notices.models import Feedback, Notice
from examapp.platform.setup.actions import set_fact
from examapp.platform.setup.models import DEMO_LOADED, SITE_TEXTS, PlatformFlag
from examapp.security.password_hashing import Hasher
from question_bank.coursetext import read_courses

AUDIT_ACTS = {"demo.load_county": "装入演示数据"}

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
@click.option(
    "--laws",
    envvar="EXAMAPP_LAWS",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of official law texts to import as well.",
)
def load(laws: Path | None) -> None:
    """Load the demo county once, law texts too; print its accounts, and write them to DATA_DIR/demo-accounts.json."""
    settings: Settings = current_app.config["SETTINGS"]
    if settings.app_mode is Mode.PRODUCTION:
        raise click.ClickException("正式运行（APP_MODE=production）不能装入演示数据。")
    fact = read_session().get(PlatformFlag, DEMO_LOADED)
    listed: dict[str, Any] = fact.value if fact is not None else _load(settings)
    path = settings.data_path / "demo-accounts.json"
    path.write_text(json.dumps(listed, ensure_ascii=False, indent=1), "utf-8")
    _print_accounts(listed, path)
    if laws is not None:
        click.echo(import_folder([laws]).text)


def _load(settings: Settings) -> dict[str, Any]:
    began, now = time.monotonic(), clock.now()
    hasher = Hasher.from_settings(settings)
    hashes = Hashes(candidate=hasher.hash(CANDIDATE_PASSWORD), admin=hasher.hash(ADMIN_PASSWORD))
    with transaction() as session:
        _lift_limits(session)  # papers are drawn in between
        session.execute(text("SET LOCAL synchronous_commit = off"))
        loaded = load_county(session, content_folder=_CONTENT, hashes=hashes, now=now, progress=_show)
        listed = _listed(loaded)
        if settings.organisation == DEFAULT_ORGANISATION:  # else the environment names it
            set_fact(session, SITE_TEXTS, site_texts_of(settings), now=clock.now())
        session.add(PlatformFlag(name=DEMO_LOADED, value=listed, set_at=clock.now()))
    with transaction() as session:
        _lift_limits(session)
        # meant: names of a constant. What autovacuum holds, it analyses.
        session.execute(text(f"ANALYZE (SKIP_LOCKED) {', '.join(_TABLES)}"))
    _show("完成", 1.0)
    click.echo(f"\n演示县已装入，用时 {time.monotonic() - began:.0f} 秒。")
    return listed


def site_texts_of(settings: Settings) -> dict[str, str]:
    """Give how the demo county's site and office are called, and a telephone number that nobody has unless the environment sets one."""
    return {
        "site_name": settings.site_name,
        "organisation": f"{COUNTY}普法办公室",
        "help_line": settings.help_line or HELP_LINE,
    }


def _lift_limits(session: Session) -> None:
    for limit in TIME_LIMITS:
        session.execute(text(f"SET LOCAL {limit} = 0"))  # meant: names of a constant


def _show(step: str, fraction: float) -> None:
    if not sys.stdout.isatty():
        click.echo(f"{fraction:4.0%} {step}")
        return
    filled = int(_BAR * fraction)
    click.echo(f"\r装入演示县 [{'█' * filled}{'·' * (_BAR - filled)}] {fraction:4.0%} {step}　　　　", nl=False)


def _listed(loaded: LoadedDemo) -> dict[str, Any]:
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
    names = {role.value: wording for role, wording in ROLE_NAMES.items()} | {"candidate": "考生"}
    click.echo("\n演示账号：")
    for account in listed["accounts"]:
        click.echo(
            f"  {names[account['role']]}　{account['login_name']}　口令 {account['password']}　（{account['name']}，{account['unit']}）"
        )
    click.echo(f"  全部 8000 名考生的登录名和口令见 {path}")


def add_notices(session: Session, county: DemoCounty, *, now: datetime) -> None:
    """Insert one published notice and one unanswered opinion."""
    begun = now - timedelta(days=18)
    session.add(
        Notice(
            title="关于组织参加年度学法用法考试的通知",
            body="<p>各单位：年度考试已经开始，请组织本单位应考人员在截止日期前完成。因病、外派等原因不能参加的，请由单位管理员提交免考申请。</p>",
            published_at=begun,
            created_by_id=county.office_id,
            created_at=begun,
        )
    )
    session.add(
        Feedback(
            person_id=county.person_ids[10],
            page="/",
            text="建议模拟考试多放一些案例题。",
            created_at=now - timedelta(days=3),
        )
    )


Progress = Callable[[str, float], None]
"""A function of the step that begins and of the fraction of the whole that is done, from 0 to 1."""

CANDIDATE_PASSWORD = "Xuefa-2026-yx"  # noqa: S105 – demo accounts, rejected by a production start
ADMIN_PASSWORD = "Guanli-2026-yx"  # noqa: S105 – likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """The two password hashes that all demo accounts share."""

    candidate: str
    admin: str


@dataclass(frozen=True, slots=True)
class LoadedDemo:
    """What was loaded, for the list of demo accounts."""

    county: DemoCounty
    exams: DemoExams


def _load_courses(session: Session, content_folder: Path, *, now: datetime) -> None:
    texts = read_courses(content_folder.parent / "courses")
    year = clock.local(now).year
    load_courses(
        ActionContext(session, SYSTEM, now - timedelta(days=60)), texts, year=year, is_required=True, publishes=True
    )


def load_county(
    session: Session, *, content_folder: Path, hashes: Hashes, now: datetime, progress: Progress
) -> LoadedDemo:
    """Make the county, its officials, last year's exam, this year's half taken, a mock exam and an upcoming one; duties and study.

    Its acts are dated over more than a year, the lines of the log about them when they are written.
    """
    session.info[WRITTEN_AT] = now
    plan = plan_county()
    progress("单位和人员", 0.02)
    county = add_county(
        session, plan, now=now - timedelta(days=400), candidate_hash=hashes.candidate, admin_hash=hashes.admin
    )
    progress("题库", 0.1)
    with _index_in_bulk(session):
        load_seed_bank(session, content_folder, now=now - timedelta(days=399))
    _load_courses(session, content_folder, now=now)
    progress("考试", 0.14)
    exams = add_exams(session, county, now=now)
    attempts = (
        (exams.last_year, exams.last_year.closes_at, 1.0, "上年度考试"),
        (exams.this_year, now, 0.53, "本年度考试"),
        (exams.mock, now, 0.0, "模拟考试试卷"),
    )
    for number, (exam, until, share, step) in enumerate(attempts, 1):
        at = 0.2 + 0.24 * (number - 1)
        note = partial(_note_share, progress, step, at)
        add_attempts(session, county, exam, number=number, until=until, share=share, progress=note)
    progress("学习、活动和证书", 0.93)
    add_notices(session, county, now=now)
    add_duties(session, county, exams, now=now)
    add_cases(session, county, now=now)
    _add_training(session, county, exams, now=now)
    record(ActionContext(session, SYSTEM, now), "demo.load_county", object_type="unit", object_id=county.unit_ids[0])
    session.info.pop(WRITTEN_AT)
    progress("写入数据库", 0.97)
    return LoadedDemo(county, exams)


@contextmanager
def _index_in_bulk(session: Session) -> Iterator[None]:
    """Enter what is written meanwhile into the index of the search at the end, in one go: a fifth of the time."""
    alter = "ALTER INDEX ix_question_searches_grams"
    # meant: words of this function.
    session.execute(text(f"{alter} SET (fastupdate = on, gin_pending_list_limit = 262144)"))
    yield
    session.execute(text("SELECT gin_clean_pending_list('ix_question_searches_grams')"))
    # meant: words of this function.
    session.execute(text(f"{alter} SET (fastupdate = off)"))
    session.execute(text(f"{alter} RESET (gin_pending_list_limit)"))  # meant: words of this function


def _note_share(progress: Progress, step: str, at: float, share: float) -> None:
    progress(step, at + 0.24 * share)


def _add_training(session: Session, county: DemoCounty, exams: DemoExams, *, now: datetime) -> None:
    courses = add_study(session, county, now=now)
    add_learner(session, county, courses, now=now)
    add_gatherings(session, county, now=now)
    add_certificates(session, county, exams, courses, now=now)
