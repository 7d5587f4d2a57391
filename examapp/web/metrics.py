"""Figures of the web processes: Prometheus meters, and what each process did in the last minute, for the exam-day board.

Nothing of it costs a request a statement. With PROMETHEUS_MULTIPROC_DIR (ops.web_server) each process keeps its meters in files of that
folder, and a scrape of any process reads them all.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import prometheus_client
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from examapp.db.session import Base, Str, UtcDateTime
from examapp.security import rate_limits

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_requests = prometheus_client.Counter(
    "examapp_requests_total", "Requests by endpoint and status.", ("endpoint", "status")
)
_latency = Histogram(
    "examapp_request_seconds", "Seconds by endpoint, of answers below 500.", ("endpoint",), buckets=_BUCKETS_S
)
_COUNTED = {"attempts_api.save_answers": "saves", "attempts_api.start": "starts", "attempts_api.hand_in": "hand_ins"}
_WINDOW_S = 60.0
_recent: deque[tuple[float, str, float]] = deque(maxlen=100_000)
"""When an act that is counted ended, which one, and the seconds it took."""


def count_request(endpoint: str, status: int, seconds: float) -> None:
    """Count an answer of this process, and how long it took if it is no server error."""
    count, latency = _meters(endpoint, status)
    count.inc()
    if status < 500:
        latency.observe(seconds)
    if status >= 500 or (status in {200, 201} and endpoint in _COUNTED):
        _recent.append((time.monotonic(), "rejected" if status >= 500 else _COUNTED[endpoint], seconds))


@lru_cache(maxsize=4096)
def _meters(endpoint: str, status: int) -> tuple[prometheus_client.Counter, Histogram]:
    """Find the meters of an endpoint once: looking them up costs more than counting."""
    return _requests.labels(endpoint, str(status)), _latency.labels(endpoint)


def make_registry() -> CollectorRegistry:
    """Build a registry for one scrape: the meters of all web processes of this machine, of this one alone if they share no folder."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_requests)
        registry.register(_latency)
    return registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What this process did in the last minute, and how long its saves took, in milliseconds."""

    saves: int = 0
    starts: int = 0
    hand_ins: int = 0
    rejected: int = 0
    """Answered 500 or 503."""
    save_p50_ms: int = 0
    save_p95_ms: int = 0


def read_last_minute() -> Minute:
    """Count what this process did in the last minute."""
    while _recent and _recent[0][0] <= time.monotonic() - _WINDOW_S:
        _recent.popleft()
    acts = _recent.copy()
    times_ms = sorted(round(1000 * seconds) for _, act, seconds in acts if act == "saves") or [0]
    p50, p95 = (times_ms[len(times_ms) * percent // 100] for percent in (50, 95))
    return Minute(**Counter(act for _, act, _ in acts), save_p50_ms=p50, save_p95_ms=p95)


_FRESH = timedelta(seconds=30)
_KEPT_FOR = timedelta(minutes=5)
_MIN_ACTS_A_MINUTE = 60
"""Over all processes: fewer starts, saves and hand-ins are no exam session that anything need yield to."""


class WorkerHeartbeat(Base):
    """What one web process did in the last minute; each process writes its row every few seconds, and may lose it."""

    __tablename__ = "worker_heartbeats"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 – SQLAlchemy reads it as a class attribute

    name: Mapped[Str] = mapped_column(primary_key=True)
    """Machine and process number."""
    at: Mapped[UtcDateTime]
    saves: Mapped[int]
    """In the last minute, like the following."""
    save_p50_ms: Mapped[int]
    save_p95_ms: Mapped[int]
    starts: Mapped[int]
    hand_ins: Mapped[int]
    rejected: Mapped[int]
    """Answered 503 or 500."""
    next_save_ms: Mapped[int]
    starts_per_second: Mapped[int]
    """What its machine admits now, by how slow saves are to this process."""


def write_report(session: Session, name: str, minute: Minute, *, now: datetime) -> None:
    """Write this process's row, and delete the rows of processes that are gone."""
    asked = {"next_save_ms": rate_limits.next_save_ms(), "starts_per_second": round(rate_limits.gate.rate())}
    session.merge(WorkerHeartbeat(name=name, at=now, **asdict(minute), **asked))
    session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.at < now - _KEPT_FOR))


def list_reports(session: Session, *, now: datetime) -> list[WorkerHeartbeat]:
    """List the rows of the processes that still report."""
    return list(session.scalars(select(WorkerHeartbeat).where(WorkerHeartbeat.at > now - _FRESH)))


def rates_by_machine(reports: Iterable[WorkerHeartbeat]) -> dict[str, list[int]]:
    """Group by machine how many starts a second each of its processes says that the machine admits."""
    machines: dict[str, list[int]] = {}
    for report in reports:
        machines.setdefault(report.name.rpartition(":")[0], []).append(report.starts_per_second)
    return machines


def share_start_gate(session: Session, name: str, *, now: datetime) -> None:
    """Tell this process's gate what the other machines' web processes admit, so that all drain the one queue together."""
    machines = rates_by_machine(list_reports(session, now=now))
    machines.pop(name.rpartition(":")[0], None)
    rate_limits.gate.set_peers(per_second=sum(map(min, machines.values())))


def is_exam_under_way(session: Session, *, now: datetime) -> bool:
    """Return True if candidates start, save and hand in so much within a minute that what can wait yields to them."""
    acts = sum(report.saves + report.starts + report.hand_ins for report in list_reports(session, now=now))
    return acts >= _MIN_ACTS_A_MINUTE
