"""Whether the site lives and is ready, and its figures for Prometheus."""

from __future__ import annotations

import hmac
import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from math import inf

import structlog
from cachetools import TTLCache, cached
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from examapp import clock
from examapp.config import Mode, Settings
from examapp.content.questions.models import QuestionImport
from examapp.db.addresses import inspect_hosts
from examapp.db.schema import newest_version
from examapp.db.session import db, read_session, transaction
from examapp.delivery.attempt_changes.actions import note_contacts
from examapp.delivery.attempts.queries import count_in_progress
from examapp.delivery.grading.queries import count_ungraded
from examapp.errors import NotFoundError
from examapp.organisation.accounts.guards import public
from examapp.organisation.people.models import RosterImport
from examapp.oversight.report_exports.models import Export
from examapp.platform.audit_chain.actions import find_head_issue
from examapp.platform.province.queries import list_links
from examapp.platform.province.rules import Link
from examapp.platform.security_checklist.queries import backup_at, cell_issue, certificate_end
from examapp.platform.setup import queries as setup_queries
from examapp.platform.setup.models import DEMO_LOADED
from examapp.platform.setup.rules import SCHEDULE_LIMIT, is_alive
from examapp.web.metrics import count_request, make_registry, read_last_minute, share_start_gate, write_report

blueprint = Blueprint("health", __name__)

log = structlog.get_logger()
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_METRIC_KINDS = {
    RosterImport.KIND: "roster_import",
    QuestionImport.KIND: "question_import",
    Export.KIND: "export",
}
_REPORT_EVERY_S = 5.0
_CONTACTS_EVERY = 4
"""Contacts are written with every fourth report."""
_contacts: dict[int, datetime] = {}
"""When each attempt's page was last heard of by this process."""
_is_reporting = threading.Lock()


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """Answer 200 while this process works and sweeper and schedule beat, else 503."""
    now, beats = clock.now(), setup_queries.heartbeats(read_session())
    alive = {
        "sweeper": is_alive(beats.get(setup_queries.SWEEPER), now=now),
        "schedule": is_alive(beats.get(setup_queries.SCHEDULE), now=now, limit=SCHEDULE_LIMIT),
    }
    response = jsonify({"process": "ok"} | {name: "ok" if is_well else "late" for name, is_well in alive.items()})
    response.status_code = 200 if all(alive.values()) else 503
    return response


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """Answer 200 once requests can be served: schema at its newest, and in a try-out the demo county written whole."""
    session = read_session()
    checks = {"schema": setup_queries.schema_version(session) == newest_version()}
    if checks["schema"] and _is_demo_expected(current_app.config["SETTINGS"]):
        checks["demo"] = setup_queries.find_fact(session, DEMO_LOADED) is not None
    response = jsonify({name: "ok" if is_met else "not yet" for name, is_met in checks.items()})
    response.status_code = 200 if all(checks.values()) else 503
    return response


def _is_demo_expected(settings: Settings) -> bool:
    return settings.app_mode is Mode.TRYOUT and settings.demo


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Give the figures for Prometheus, to this machine or to who holds the token; to others there is nothing here."""
    if not _may_read_metrics(current_app.config["SETTINGS"].metrics_token):
        raise NotFoundError
    registry = make_registry()
    registry.register(_SiteFigures(read_session()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(token: str) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    return request.remote_addr in _LOOPBACK and "X-Forwarded-For" not in request.headers


_certificate_end = cached(TTLCache(maxsize=4, ttl=600.0), lock=threading.Lock())(certificate_end)
"""A scrape comes every few seconds, and a site that does not answer costs it as long as the look may take."""


class _SiteFigures(Collector):
    """What is read from the database at each scrape: of the whole site, whichever process answers."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def collect(self) -> Iterator[Metric]:
        """Read the figures."""
        session, settings, now = self._session, current_app.config["SETTINGS"], clock.now()
        yield _attempt_figures(session)
        yield _job_figures(session)
        yield from _age_figures(session, settings, now=now)
        yield from _host_figures(settings)
        yield from _link_figures(list_links(session), now=now)
        yield from _issue_figures(session, settings)
        yield from _certificate_figures(settings, now=now)


def _attempt_figures(session: Session) -> Metric:
    ungraded, quarantined = count_ungraded(session)
    attempts = GaugeMetricFamily("examapp_attempts", "Attempts by state.", labels=["state"])
    attempts.add_metric(["in_progress"], count_in_progress(session))
    attempts.add_metric(["ungraded"], ungraded)
    attempts.add_metric(["set_aside"], quarantined)
    return attempts


def _job_figures(session: Session) -> Metric:
    jobs = GaugeMetricFamily("examapp_jobs", "Background jobs by kind and state.", labels=["kind", "state"])
    for counts in setup_queries.count_jobs(session):
        for state in ("waiting", "running", "failed"):
            jobs.add_metric([_METRIC_KINDS.get(counts.kind, counts.kind), state], getattr(counts, state))
    return jobs


def _age_figures(session: Session, settings: Settings, *, now: datetime) -> Iterator[Metric]:
    """Give how long ago each part that must beat was last alive, infinite where it never was."""
    beats = setup_queries.heartbeats(session)
    for name, text, at in (
        ("sweeper", "the sweeper was last alive", beats.get(setup_queries.SWEEPER)),
        ("schedule", "the schedule (beat) was last alive", beats.get(setup_queries.SCHEDULE)),
        ("backup", "the last whole base backup", backup_at(settings)),
    ):
        age = (now - at).total_seconds() if at else inf
        yield GaugeMetricFamily(f"examapp_{name}_age_seconds", f"Seconds since {text}.", value=age)


def _host_figures(settings: Settings) -> Iterator[Metric]:
    hosts = GaugeMetricFamily(
        "examapp_database_host", "1 for what each host of the database is now.", labels=["host", "state"]
    )
    clocks = GaugeMetricFamily(
        "examapp_database_clock_offset_seconds", "Each host's clock minus this machine's.", labels=["host"]
    )
    for host in inspect_hosts(settings.database_url):
        hosts.add_metric([host.name, host.state], 1)
        if host.has_answered:
            clocks.add_metric([host.name], host.clock_offset_s)
    yield from (hosts, clocks)


def _issue_figures(session: Session, settings: Settings) -> Iterator[Metric]:
    """Give 1 for each of what must never be wrong and is."""
    text = "1 where ids of this database are of another cell, or CELL is not theirs."
    yield GaugeMetricFamily("examapp_cell_ids_wrong", text, value=1 if cell_issue(session, settings) else 0)
    issue = find_head_issue(session, cipher=current_app.extensions["cipher"], folder=settings.data_path)
    text = "1 where the kept head of the audit chain is not on it."
    yield GaugeMetricFamily("examapp_audit_chain_broken", text, value=1 if issue else 0)


def _certificate_figures(settings: Settings, *, now: datetime) -> Iterator[Metric]:
    ends_at = _certificate_end(settings.site_url)
    if ends_at is not None:
        left = (ends_at - now).total_seconds()
        yield GaugeMetricFamily("examapp_certificate_seconds", "Until the site's certificate ends.", value=left)


def _link_figures(links: list[Link], *, now: datetime) -> Iterator[Metric]:
    """Give how far behind what comes from other sites of the province is, and what could not be stored."""
    ages = GaugeMetricFamily("examapp_link_age_seconds", "Age of what has come from another site.", labels=["link"])
    errors = GaugeMetricFamily("examapp_link_errors", "Errors of a subscription since its start.", labels=["link"])
    conflicts = GaugeMetricFamily(
        "examapp_link_conflicts", "Those of them where a row with the same unique value was there.", labels=["link"]
    )
    for link in links:
        lag = link.lag(now)
        ages.add_metric([link.name], lag.total_seconds() if lag is not None else inf)
        errors.add_metric([link.name], link.errors)
        conflicts.add_metric([link.name], link.conflicts)
    yield from (ages, errors, conflicts)


@blueprint.before_app_request
def _note_begin() -> None:
    g.began_at = time.perf_counter()


@blueprint.after_app_request
def _count(response: Response) -> Response:
    """Count the request, and note which attempt's page was heard of; the first one starts the reports of this process."""
    endpoint, now = request.endpoint or "none", time.perf_counter()
    count_request(endpoint, response.status_code, now - g.get("began_at", now))
    attempt_id = (request.view_args or {}).get("attempt_id") if endpoint.startswith("attempts_api.") else None
    if attempt_id and response.status_code < 300:
        _contacts[attempt_id] = clock.now()
    if not _is_reporting.locked() and _is_reporting.acquire(blocking=False):
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 – Flask's own way to the application
        threading.Thread(target=_report_forever, args=(app,), name="reporting", daemon=True).start()
    return response


def _report_forever(app: Flask) -> None:
    for number in count(1):
        time.sleep(_REPORT_EVERY_S)
        with app.app_context():
            try:
                report(f"{socket.gethostname()}:{os.getpid()}", has_contacts=number % _CONTACTS_EVERY == 0)
            except SQLAlchemyError as error:
                log.warning("report_not_written", error=type(error).__name__)
                db.session.remove()


def report(name: str, *, has_contacts: bool) -> None:
    """Write this process's figures, and if wanted the attempts heard of since the last time."""
    global _contacts
    contacts: dict[int, datetime] = {}
    if has_contacts:
        contacts, _contacts = _contacts, {}
    with transaction() as session:
        write_report(session, name, read_last_minute(), now=clock.now())
        share_start_gate(session, name, now=clock.now())
        note_contacts(session, contacts)
