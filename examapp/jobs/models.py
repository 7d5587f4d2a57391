"""The table of background jobs. A feature's job is a table of its own joined to it (joined-table inheritance), with the job's parameters as columns."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, case, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.schema import SchemaItem

from examapp.db.personal_data import STAFF, TECHNICAL, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, Id, Str, UtcDateTime

MAX_RETRIES = 3
"""After this many runs that did not end a job is quarantined and shown to the operator, not run again."""


class JobState(StrEnum):
    """The states of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """Ended by an error that the user can read and act on."""
    CANCELLED = "cancelled"
    QUARANTINED = "quarantined"
    """Run `MAX_RETRIES` times without an end: a fault of the program or of the machine."""


ACTIVE = (JobState.QUEUED, JobState.RUNNING)
_CLIENT_STATES: dict[str, str] = {JobState.QUEUED: "waiting", JobState.RUNNING: "running", JobState.DONE: "ready"}

JobId = Annotated[int, mapped_column(BigInteger, ForeignKey("jobs.id"), primary_key=True)]
"""The primary key of a table that is joined to `jobs`."""


class Job(Base):
    """One piece of background work: its state, lease, progress and outcome; the row is the truth, the queue's message a hint."""

    __tablename__ = "jobs"
    __personal_data__ = STAFF.of(
        "后台任务",
        "导入、导出、发证、重新评分等的进度和结果",
        owner=None,
        term=RetentionPolicy.OFFICE,
        seen_by="申请人和系统管理员",
        first="kind file_name created_by_id created_at",
    )
    __table_args__: tuple[SchemaItem, ...] = (
        CheckConstraint(f"state IN ({', '.join(repr(str(state)) for state in JobState)})", name="state"),
        CheckConstraint("done >= 0 AND total >= 0 AND run_count >= 0", name="counts"),
        CheckConstraint("(state = 'running') = (lease_expires_at IS NOT NULL)", name="lease"),
        Index("ix_jobs_active", "kind", "run_after", postgresql_where=text("state IN ('queued', 'running')")),
        Index("ix_jobs_started_at", "kind", "started_at"),
        Index("ix_jobs_created_by_id", "created_by_id", "created_at"),
        Index(
            "uq_jobs_key",
            "key",
            unique=True,
            postgresql_where=text("key IS NOT NULL AND state IN ('queued', 'running', 'done')"),
        ),
    )
    KIND = ""
    """The name of the handler, in the class of a feature's job."""

    id: Mapped[Id]
    kind: Mapped[Str] = mapped_column(info=shown("任务"))
    """The name of the handler: `reports.build_export`."""
    key: Mapped[Str | None] = mapped_column(info=TECHNICAL)
    """At most one job with it is queued, running or done."""
    file_name: Mapped[Str] = mapped_column(default="", server_default="", info=shown("文件名"))
    """The file that is read or made, for lists of jobs."""
    state: Mapped[Str] = mapped_column(default=JobState.QUEUED, info=TECHNICAL)
    run_count: Mapped[int] = mapped_column(default=0, server_default=text("0"), info=TECHNICAL)
    """Runs since it was enqueued; committed before the run, so that a crash counts too."""
    lease_expires_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    """Renewed while the run lives; a running job whose lease has expired is dead. Nothing else makes it so."""
    run_after: Mapped[UtcDateTime] = mapped_column(
        default=lambda context: context.get_current_parameters()["created_at"], info=TECHNICAL
    )
    done: Mapped[int] = mapped_column(default=0, server_default=text("0"), info=TECHNICAL)
    total: Mapped[int] = mapped_column(default=0, server_default=text("0"), info=TECHNICAL)
    error_code: Mapped[Str] = mapped_column(default="", server_default="", info=TECHNICAL)
    message: Mapped[Str] = mapped_column(default="", server_default="", info=shown("结果"))
    """What came of it, in Chinese, for the user."""
    created_by_id: Mapped[BigInt | None] = mapped_column(info=shown("经办人"))
    created_at: Mapped[UtcDateTime] = mapped_column(info=shown("申请时间"))
    started_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    finished_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 – SQLAlchemy gives the class
        """Tell the classes of the kinds apart by the name of their handler."""
        return {"polymorphic_identity": cls.KIND} if cls.KIND else {"polymorphic_on": "kind"}

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    @property
    def is_done(self) -> bool:
        """Whether its work has been done."""
        return self.state == JobState.DONE

    @hybrid_property
    def client_state(self) -> str:
        """The state in the words of the delivery protocol and the pages: `waiting`, `running`, `ready`, `failed`."""
        return client_state(self.state)

    @client_state.inplace.expression
    @classmethod
    def _select_client_state(cls) -> ColumnElement[str]:
        return case(_CLIENT_STATES, value=cls.state, else_="failed")


def client_state(state: str) -> str:
    """Translate a state to the words of the delivery protocol."""
    return _CLIENT_STATES.get(JobState(state), "failed")


def progress_json(job: Job) -> dict[str, str | int]:
    """Give a job's progress as the pages and the delivery protocol read it."""
    return {"state": job.client_state, "done": job.done, "total": job.total, "message": job.message}
