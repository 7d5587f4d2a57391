"""Reads about the installation: whether it is set up, healthy, ready, and set as a production database must be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select, text, true
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from examapp.content.questions.models import QuestionImport
from examapp.delivery.grading.models import Heartbeat
from examapp.jobs.columns import MAX_TRIES, JobState
from examapp.organisation.people.models import Account, RosterImport
from examapp.oversight.report_exports.models import Export
from examapp.platform.setup.models import PlatformFlag

_DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")
SWEEPER, SCHEDULE = "sweeper", "schedule"


def has_accounts(session: Session) -> bool:
    """Tell whether anybody can sign in yet."""
    return bool(session.execute(select(exists(select(Account.id)))).scalar_one())


def has_demo_accounts(session: Session) -> bool:
    """Tell whether accounts of the demo county, whose passwords are known, can sign in."""
    found = exists(select(Account.id).where(Account.is_demo, Account.disabled_at.is_(None)))
    return bool(session.execute(select(found)).scalar_one())


def database_settings(session: Session) -> dict[str, str]:
    """Give the settings on which it hangs that nothing acknowledged is lost, and the server's version."""
    rows = session.execute(
        text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names) ORDER BY name"),
        {"names": [*_DURABILITY, "server_version", "max_connections"]},
    )
    return {row.name: row.setting for row in rows}


def heartbeats(session: Session) -> dict[str, datetime]:
    """Give when each process that beats was last alive, by its name."""
    return {row.name: row.beat_at for row in session.execute(select(Heartbeat.name, Heartbeat.beat_at))}


def find_fact(session: Session, name: str) -> PlatformFlag | None:
    """Find a fact of this installation."""
    return session.get(PlatformFlag, name)


def schema_version(session: Session) -> str | None:
    """Give the schema's revision, None in an empty database."""
    try:
        with session.begin_nested():
            return session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except ProgrammingError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCounts:
    """Jobs of one kind that wait, run, or were set aside, since no run of theirs came to an end."""

    kind: str
    waiting: int
    running: int
    failed: int


_JOBS = (("roster_import", RosterImport), ("question_import", QuestionImport), ("export", Export))


def count_jobs(session: Session) -> list[JobCounts]:
    """Count the long jobs by kind and state, in one statement; a file that was refused for what stands in it has not failed."""
    columns = [
        select(func.count())
        .select_from(model)
        .where(model.state == state, true() if state is not JobState.FAILED else model.tries >= MAX_TRIES)
        .scalar_subquery()
        .label(f"{kind}_{state}")
        for kind, model in _JOBS
        for state in (JobState.WAITING, JobState.RUNNING, JobState.FAILED)
    ]
    row = session.execute(select(*columns)).one()._mapping  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping
    return [
        JobCounts(
            kind=kind,
            waiting=row[f"{kind}_waiting"],
            running=row[f"{kind}_running"],
            failed=row[f"{kind}_failed"],
        )
        for kind, _ in _JOBS
    ]
