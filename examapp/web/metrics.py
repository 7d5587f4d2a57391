"""Figures of the web processes: Prometheus meters, and what each process did in the last minute, written from them for the exam-day board.

Nothing of it costs a request a statement. With PROMETHEUS_MULTIPROC_DIR (ops.web_server) each process keeps its meters in files of that
folder, and a scrape of any process reads them all.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from math import inf

import prometheus_client
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from examapp.db.session import Base, Str, UtcDateTime
from examapp.security import rate_limits
from examapp.security.rate_limits import gate

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_requests = prometheus_client.Counter(
    "examapp_requests_total", "Requests by endpoint and status.", ("endpoint", "status")
)
_latency = Histogram(
    "examapp_request_seconds", "Seconds by endpoint, of answers below 500.", ("endpoint",), buckets=_SECONDS
)
_SAVE = "attempts_api.save_answers"
_COUNTED = {_SAVE: "saves", "attempts_api.start": "starts", "attempts_api.hand_in": "hand_ins"}
_WINDOW_S = 60.0


def count_request(endpoint: str, status: int, seconds: float) -> None:
    """Count an answer of this process, and how long it took if it is no server error."""
    count, latency = _meters(endpoint, status)
    count.inc()
    if status < 500:
        latency.observe(seconds)


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
    """Counts of the last minute, and how long saves took, in milliseconds, estimated from the buckets of their histogram."""

    saves: int = 0
    starts: int = 0
    hand_ins: int = 0
    failures: int = 0
    """Answered 500 or 503."""
    save_p50_ms: int = 0
    save_p95_ms: int = 0


class LastMinute:
    """What this process's meters counted in the last minute, from a reading of them every few seconds."""

    def __init__(self, *, time_s: Callable[[], float] = time.monotonic) -> None:
        self._time_s = time_s
        self._readings: deque[tuple[float, Counter[str | float]]] = deque([(time_s(), _read_meters())])

    def read(self) -> Minute:
        """Read the meters; return the difference to the reading of a minute ago, the first one if there is none as old."""
        now, totals = self._time_s(), _read_meters()
        self._readings.append((now, totals))
        while len(self._readings) > 2 and self._readings[1][0] <= now - _WINDOW_S:
            self._readings.popleft()
        counts = Counter(totals)
        counts.subtract(self._readings[0][1])
        seconds = {bound: count for bound, count in counts.items() if isinstance(bound, float)}
        return Minute(
            **{name: counts[name] for name in ("saves", "starts", "hand_ins", "failures")},
            save_p50_ms=_quantile_ms(seconds, 0.5),
            save_p95_ms=_quantile_ms(seconds, 0.95),
        )


def _read_meters() -> Counter[str | float]:
    """Read the totals of this process: acts and failures by name, saves by the upper bound of their bucket (cumulative)."""
    totals: Counter[str | float] = Counter()
    for sample in (sample for family in _requests.collect() for sample in family.samples):
        if sample.name == "examapp_requests_total":
            endpoint, status = sample.labels["endpoint"], int(sample.labels["status"])
            if status >= 500:
                totals["failures"] += int(sample.value)
            elif status < 300 and status != 202 and endpoint in _COUNTED:
                totals[_COUNTED[endpoint]] += int(sample.value)
    for sample in (sample for family in _latency.collect() for sample in family.samples):
        if sample.name.endswith("_bucket") and sample.labels["endpoint"] == _SAVE:
            totals[float(sample.labels["le"])] = int(sample.value)
    return totals


def _quantile_ms(counts: dict[float, int], fraction: float) -> int:
    """Estimate a quantile from cumulative counts by upper bound in seconds, as Prometheus's histogram_quantile does."""
    lower, below, rank = 0.0, 0, fraction * counts.get(inf, 0)
    for upper, count in sorted(counts.items()):
        if count >= rank > 0:
            return round(1000 * (lower if upper == inf else lower + (upper - lower) * (rank - below) / (count - below)))
        lower, below = upper, count
    return 0


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
    refused: Mapped[int]
    """Answered 503 or 500."""
    next_save_ms: Mapped[int]
    starts_per_second: Mapped[int]
    """What this process admits now."""


def write_report(session: Session, name: str, minute: Minute, *, now: datetime) -> None:
    """Write this process's row, and delete the rows of processes that are gone."""
    values = {
        "at": now, "saves": minute.saves, "save_p50_ms": minute.save_p50_ms, "save_p95_ms": minute.save_p95_ms, "starts": minute.starts,
        "hand_ins": minute.hand_ins, "refused": minute.failures, "next_save_ms": rate_limits.next_save_ms(), "starts_per_second": round(gate.rate()),
    }  # fmt: skip
    session.execute(
        insert(WorkerHeartbeat).values(name=name, **values).on_conflict_do_update(index_elements=["name"], set_=values)
    )
    session.execute(
        delete(WorkerHeartbeat).where(WorkerHeartbeat.at < now - _KEPT_FOR).execution_options(synchronize_session=False)
    )


def list_reports(session: Session, *, now: datetime) -> list[WorkerHeartbeat]:
    """List the rows of the processes that still report."""
    return list(session.scalars(select(WorkerHeartbeat).where(WorkerHeartbeat.at > now - _FRESH)))


def is_sitting_under_way(session: Session, *, now: datetime) -> bool:
    """Return True if candidates start, save and hand in so much within a minute that what can wait yields to them."""
    acts = sum(report.saves + report.starts + report.hand_ins for report in list_reports(session, now=now))
    return acts >= _MIN_ACTS_A_MINUTE
