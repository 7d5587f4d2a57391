"""Whether the site lives and is ready, and its figures for Prometheus."""

from __future__ import annotations

import hmac
import os
import socket
import threading
import time
from datetime import datetime
from functools import lru_cache

import structlog
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from examapp import clock
from examapp.config import Mode, Settings
from examapp.content.questions.models import QuestionImport
from examapp.db.schema import newest_version
from examapp.db.session import db, read_session, transaction
from examapp.delivery.attempt_changes.actions import note_contacts
from examapp.delivery.attempts.queries import count_in_progress
from examapp.delivery.grading.queries import count_ungraded
from examapp.errors import NotFoundError
from examapp.organisation.accounts.guards import public
from examapp.organisation.people.models import RosterImport
from examapp.oversight.report_exports.models import Export
from examapp.platform.audit_chain.actions import head_fault
from examapp.platform.security_checklist.queries import backup_at
from examapp.platform.setup import queries as setup_queries
from examapp.platform.setup.models import DEMO_LOADED
from examapp.platform.setup.rules import SCHEDULE_LIMIT, is_alive
from examapp.web.metrics import Act, meter, write_report

blueprint = Blueprint("health", __name__)

_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_requests = Counter("examapp_requests_total", "Requests by endpoint and status.", ("worker", "endpoint", "status"))
_latency = Histogram("examapp_request_seconds", "Seconds by endpoint.", ("worker", "endpoint"), buckets=_SECONDS)
_attempts = Gauge("examapp_attempts", "Attempts by state.", ("state",))
_jobs = Gauge("examapp_jobs", "Background jobs by kind and state.", ("kind", "state"))
_METRIC_KINDS = {
    RosterImport.KIND: "roster_import",
    QuestionImport.KIND: "question_import",
    Export.KIND: "export",
}
_sweeper_age = Gauge("examapp_sweeper_age_seconds", "Seconds since the sweeper was last alive.")
_schedule_age = Gauge("examapp_schedule_age_seconds", "Seconds since the schedule (beat) was last alive.")
_backup_age = Gauge("examapp_backup_age_seconds", "Seconds since the last whole base backup.")
_chain_broken = Gauge("examapp_audit_chain_broken", "1 where the kept head of the audit chain is not on it.")


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
    return settings.mode is Mode.TRYOUT and settings.demo == "1"


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Give the figures for Prometheus, to this machine or to who holds the token; to others there is nothing here."""
    if not _may_read_metrics(current_app.config["SETTINGS"].metrics_token):
        raise NotFoundError
    _measure(read_session())
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(token: str) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    return request.remote_addr in _LOOPBACK and "X-Forwarded-For" not in request.headers


def _measure(session: Session) -> None:
    _attempts.labels("in_progress").set(count_in_progress(session))
    ungraded, set_aside = count_ungraded(session)
    _attempts.labels("ungraded").set(ungraded)
    _attempts.labels("set_aside").set(set_aside)
    for counts in setup_queries.count_jobs(session):
        kind = _METRIC_KINDS.get(counts.kind, counts.kind)
        _jobs.labels(kind, "waiting").set(counts.waiting)
        _jobs.labels(kind, "running").set(counts.running)
        _jobs.labels(kind, "failed").set(counts.failed)
    settings, beats = current_app.config["SETTINGS"], setup_queries.heartbeats(session)
    _sweeper_age.set(_seconds_since(beats.get(setup_queries.SWEEPER)))
    _schedule_age.set(_seconds_since(beats.get(setup_queries.SCHEDULE)))
    _backup_age.set(_seconds_since(backup_at(settings)))
    fault = head_fault(session, sealer=current_app.extensions["sealer"], folder=settings.data_path)
    _chain_broken.set(1 if fault else 0)


def _seconds_since(at: datetime | None) -> float:
    return (clock.now() - at).total_seconds() if at else float("inf")


@blueprint.before_app_request
def _note_begin() -> None:
    g.began_at = time.perf_counter()


@blueprint.after_app_request
def _count(response: Response) -> Response:
    """Count this process's own requests; several processes answer in turn, so each names itself."""
    worker, endpoint = str(os.getpid()), request.endpoint or "none"
    count, seconds = _meters(worker, endpoint, response.status_code)
    count.inc()
    if "began_at" in g:
        seconds.observe(time.perf_counter() - g.began_at)
    return response


@lru_cache(maxsize=4096)
def _meters(worker: str, endpoint: str, status: int) -> tuple[Counter, Histogram]:
    """Find a worker's figures of an endpoint once: looking them up costs more than counting."""
    return _requests.labels(worker, endpoint, str(status)), _latency.labels(worker, endpoint)


heartbeat_blueprint = Blueprint("reporting", __name__)
log = structlog.get_logger()
_EVERY_S = 5.0
_CONTACTS_EVERY = 4
"""Contacts go with every so manieth report."""
_ACTS = {"attempts_api.save_answers": Act.SAVE, "attempts_api.start": Act.START, "attempts_api.hand_in": Act.HAND_IN}
_started = threading.Lock()


@heartbeat_blueprint.after_app_request
def _count_request(response: Response) -> Response:
    endpoint, status = request.endpoint or "", response.status_code
    if status >= 500:
        meter.count(Act.FAILURE, 0.0)
    elif status < 300 and endpoint.startswith("attempts_api."):
        if endpoint in _ACTS and status != 202 and "began_at" in g:
            meter.count(_ACTS[endpoint], time.perf_counter() - g.began_at)
        if attempt_id := (request.view_args or {}).get("attempt_id"):
            meter.hear_of(attempt_id, now=clock.now())
    if not _started.locked():
        _begin(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 – Flask's own way to the application
    return response


def _begin(app: Flask) -> None:
    if app.config["SETTINGS"].mode is not Mode.TESTING and _started.acquire(blocking=False):
        threading.Thread(target=_report_for_ever, args=(app,), name="reporting", daemon=True).start()


def _report_for_ever(app: Flask) -> None:
    name, number = f"{socket.gethostname()}:{os.getpid()}", 0
    while True:
        time.sleep(_EVERY_S)
        number += 1
        with app.app_context():
            try:
                report(name, has_contacts=number % _CONTACTS_EVERY == 0)
            except SQLAlchemyError as error:
                log.warning("report_not_written", error=type(error).__name__)
                db.session.remove()


def report(name: str, *, has_contacts: bool) -> None:
    """Write this process's figures down now, with the attempts that it heard of since the last time."""
    contacts = meter.take_contacts() if has_contacts else {}
    with transaction() as session:
        write_report(session, name, meter.minute(), now=clock.now())
        note_contacts(session, contacts)
