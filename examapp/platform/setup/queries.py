"""Reads about the installation: whether it is set up, healthy, ready, and set as a production database must be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from examapp.db.addresses import TIME_LIMITS
from examapp.delivery.grading.models import Heartbeat
from examapp.jobs.models import Job, JobState
from examapp.jobs.registry import list_kinds
from examapp.organisation.accounts.rules import SignInPolicy
from examapp.organisation.people.models import Account, Person
from examapp.platform.setup.models import SIGN_IN_POLICY, SITE_TEXTS, ContentLoad, PlatformFlag

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
    """Give the settings on which it hangs that nothing acknowledged is lost, the time limits that hold in this session (ms), and the server's version."""
    rows = session.execute(
        text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names) ORDER BY name"),
        {"names": [*_DURABILITY, *TIME_LIMITS, "server_version", "max_connections"]},
    )
    return {row.name: row.setting for row in rows}


def heartbeats(session: Session) -> dict[str, datetime]:
    """Give when each process that beats was last alive, by its name."""
    return {row.name: row.beat_at for row in session.execute(select(Heartbeat.name, Heartbeat.beat_at))}


def find_fact(session: Session, name: str) -> PlatformFlag | None:
    """Find a fact of this installation."""
    return session.get(PlatformFlag, name)


def find_site_texts(connection: Connection) -> dict[str, str] | None:
    """Find the texts of the site that the office has set; None where it has set none, or before the first migration."""
    return _find_set(connection, SITE_TEXTS)


def find_sign_in_policy(connection: Connection) -> SignInPolicy | None:
    """Find how long candidates stay signed in, where the office has set it."""
    policy = _find_set(connection, SIGN_IN_POLICY)
    return SignInPolicy(days=policy["days"], is_kept_for_exam=policy["is_kept_for_exam"]) if policy else None


def _find_set(connection: Connection, name: str) -> dict[str, Any] | None:
    if not connection.scalar(text("SELECT to_regclass('platform_flags') IS NOT NULL")):
        return None
    value: dict[str, Any] | None = connection.scalar(select(PlatformFlag.value).where(PlatformFlag.name == name))
    return value


def schema_version(session: Session) -> str | None:
    """Give the schema's revision, None in an empty database."""
    try:
        with session.begin_nested():
            return session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except ProgrammingError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCounts:
    """Jobs of one kind that wait, run, or are quarantined, since no run of theirs ended."""

    kind: str
    label: str
    waiting: int
    running: int
    failed: int


def count_jobs(session: Session) -> list[JobCounts]:
    """Count the background jobs by kind and state, in one statement; a file rejected for its content has not failed."""
    counted = (JobState.QUEUED, JobState.RUNNING, JobState.QUARANTINED)
    rows = session.execute(
        select(Job.kind, Job.state, func.count()).where(Job.state.in_(counted)).group_by(Job.kind, Job.state)
    )
    counts = {(kind, state): count for kind, state, count in rows}
    return [
        JobCounts(
            kind=kind.name,
            label=kind.label,
            waiting=counts.get((kind.name, JobState.QUEUED), 0),
            running=counts.get((kind.name, JobState.RUNNING), 0),
            failed=counts.get((kind.name, JobState.QUARANTINED), 0),
        )
        for kind in list_kinds()
    ]


def list_open_jobs(session: Session, *, limit: int) -> list[Row[Job, str | None]]:
    """List the jobs that are not done, with who asked for each, the newest first."""
    rows = session.execute(
        select(Job, Person.name)
        .outerjoin(Person, Person.id == Job.created_by_id)
        .where(Job.state != JobState.DONE)
        .order_by(Job.id.desc())
        .limit(limit)
    )
    return list(rows)


def find_content_load(session: Session) -> ContentLoad | None:
    """Find the newest loading of shipped content."""
    return session.scalars(select(ContentLoad).order_by(ContentLoad.id.desc()).limit(1)).first()
