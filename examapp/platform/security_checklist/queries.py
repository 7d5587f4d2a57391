"""What the security checklist finds out about the running deployment."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session

from examapp.config import Settings
from examapp.db.addresses import inspect_hosts
from examapp.ops.backup import BackupFolder
from examapp.organisation.accounts.rules import SignInPolicy
from examapp.organisation.people.models import Account, RoleGrant
from examapp.platform.audit.models import AuditEvent, AuditSeal
from examapp.platform.audit_chain.actions import find_head_issue
from examapp.platform.cells.queries import list_sequences
from examapp.platform.cells.rules import find_cell_issue
from examapp.platform.province.queries import list_links, list_shared_numbers
from examapp.platform.security_checklist.rules import ChecklistFindings, Point, judge_site
from examapp.platform.setup import queries as setup_queries
from examapp.security.ciphers import FieldCipher

_CONNECT_S = 2.0
_HAS_EXPIRED = 10
"""OpenSSL's code of a certificate that has run out (X509_V_ERR_CERT_HAS_EXPIRED)."""


def find_findings(session: Session, settings: Settings, *, cipher: FieldCipher, now: datetime) -> ChecklistFindings:
    """Look at database, roles, backups, log and certificate; what cannot be found out is None."""
    holders = _count_holders(session, now=now)
    administrators, without = _count_second_factors(session, now=now)
    sealed_at, newest = session.execute(select(func.max(AuditSeal.sealed_at), func.max(AuditSeal.event_id))).one()
    verified_at, chain_issues = _last_check(session, "audit.verify", "failures")
    opened_at, unopened = _last_check(session, "people.check_keys", "broken")
    return ChecklistFindings(
        hosts=inspect_hosts(settings.database_url),
        cell_issue=cell_issue(session, settings),
        links=list_links(session),
        shared_numbers=list_shared_numbers(session) if settings.province else [],
        database=setup_queries.database_settings(session),
        has_demo_accounts=setup_queries.has_demo_accounts(session),
        holders=holders,
        administrators=administrators,
        without_second_factor=without,
        backup_at=backup_at(settings),
        backup_failed_at=_newest([backup_folder(settings).failure]),
        sealed_at=sealed_at,
        unchained=session.scalar(select(func.count()).select_from(AuditEvent).where(AuditEvent.id > (newest or 0)))
        or 0,
        verified_at=verified_at,
        chain_issues=chain_issues,
        head_issue=find_head_issue(session, cipher=cipher, folder=settings.data_path),
        opened_at=opened_at,
        unopened=unopened,
        sign_in_policy=setup_queries.find_sign_in_policy(session.connection()) or SignInPolicy(),
        log_at=_newest(list((settings.data_path / "logs").glob("*.log"))),
        certificate_ends_at=certificate_end(settings.site_url),
        may_change_log=bool(
            session.scalar(
                text(
                    "SELECT has_table_privilege('audit_events', 'UPDATE') OR has_table_privilege('audit_events', 'DELETE')"
                )
            )
        ),
    )


def _last_check(session: Session, act: str, counted: str) -> tuple[datetime | None, int]:
    """Give when a check was last made, and how much it found wrong."""
    row = session.execute(
        select(AuditEvent.at, AuditEvent.details[counted].as_integer())
        .where(AuditEvent.act == act)
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).one_or_none()
    return (None, 0) if row is None else (row[0], row[1] or 0)


def _is_live(now: datetime) -> ColumnElement[bool]:
    return and_(RoleGrant.granted_at <= now, or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now))


def _count_holders(session: Session, *, now: datetime) -> dict[str, int]:
    people = func.count(RoleGrant.person_id.distinct())
    rows = session.execute(
        select(RoleGrant.role, people)
        .join(Account, Account.person_id == RoleGrant.person_id)
        .where(_is_live(now), Account.disabled_at.is_(None))
        .group_by(RoleGrant.role)
    )
    return {row[0]: row[1] for row in rows}


def _count_second_factors(session: Session, *, now: datetime) -> tuple[int, int]:
    holders = select(RoleGrant.person_id).where(_is_live(now))
    wanted = Account.person_id.in_(holders) & Account.disabled_at.is_(None)
    row = session.execute(select(func.count(), func.count().filter(~Account.has_second_factor)).where(wanted)).one()
    return row[0], row[1]


def backup_folder(settings: Settings) -> BackupFolder:
    """Give where the backups of this site lie."""
    return BackupFolder(settings.backup_path)


def backup_at(settings: Settings) -> datetime | None:
    """Give when the newest whole base backup was made, None where none can be seen."""
    return _newest(backup_folder(settings).list_readable_bases())


def _newest(paths: list[Path]) -> datetime | None:
    times = []
    for path in paths:
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return datetime.fromtimestamp(max(times), UTC) if times else None


def certificate_end(site_url: str) -> datetime | None:
    """Ask the site's own address for its certificate; None where it has none that ever held, or does not answer within seconds."""
    parts = urlsplit(site_url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    place = (parts.hostname, parts.port or 443)
    try:
        with (
            socket.create_connection(place, timeout=_CONNECT_S) as line,
            ssl.create_default_context().wrap_socket(line, server_hostname=parts.hostname) as wrapped,
        ):
            certificate = wrapped.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return _end_of_expired(place) if error.verify_code == _HAS_EXPIRED else None
    except OSError:
        return None
    ends = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC) if ends else None


def _end_of_expired(place: tuple[str, int]) -> datetime | None:
    """Read the end of a certificate that holds no more; nothing else is said to who shows it."""
    try:
        certificate = ssl.get_server_certificate(place, timeout=_CONNECT_S)
    except OSError:
        return None
    return load_pem_x509_certificate(certificate.encode()).not_valid_after_utc


def cell_issue(session: Session, settings: Settings) -> str:
    """Say what is wrong with the ids of this site; empty where all are of its range."""
    return find_cell_issue(list_sequences(session, with_rows=settings.cell > 0), settings.cell)


def find_site_points(session: Session, settings: Settings, *, now: datetime) -> list[Point]:
    """Look at the site itself: the database's hosts and their clocks, the ranges of ids, the certificate."""
    return judge_site(
        settings,
        hosts=inspect_hosts(settings.database_url),
        cell_issue=cell_issue(session, settings),
        certificate_ends_at=certificate_end(settings.site_url),
        now=now,
    )
