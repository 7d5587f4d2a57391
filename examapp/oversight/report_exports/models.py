"""Exports: the report files that were asked for, each a job."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, LargeBinary, and_, case
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, column_property, mapped_column

from examapp.db.personal_data import STAFF, TECHNICAL, shown
from examapp.db.session import Base, BigInt, JsonB, Str, UtcDateTime
from examapp.jobs.models import Job, JobId, JobState

AUDIT_ACTS = {"reports.download_export": "下载导出文件", "reports.request_export": "申请导出报表"}
AUDIT_OBJECTS = {"export": "导出文件"}
AUDIT_VALUES = {
    "absent": "未考名单",
    "excused_sat": "免考、缓考而参加了考试",
    "participation": "参考情况",
    "passed_only": "合格（不含良好、优秀）",
    "score_sheet": "成绩汇总表",
    "scores": "成绩",
    "ungraded": "正在评分",
    "in_progress": "已开始未交卷",
    "not_started": "未开始",
    "eligible": "应考",
    "participated": "参考",
    "final": "含补考",
    "this": "本次考试",
}


class Export(Job):
    """A file of figures that somebody asked for; built by a worker, safe to build twice, expires.

    One live job a key (digest of person, exam, unit, parameters and data version), so that a second press, a doubled message or an emptied
    queue ends in one file. The file holds scores with names for seven days, then only the row of who asked for what stays.
    """

    __tablename__ = "exports"
    __personal_data__ = STAFF.of(
        "导出的报表文件", "上报成绩汇总表、存档；到期自动删除", owner=None, seen_by="申请导出的人"
    )
    __table_args__ = (
        Index("uq_exports_schedule_key", "schedule_key", unique=True),
        CheckConstraint("numbers IN ('none', 'masked', 'whole')", name="numbers"),
    )
    KIND = "reports.build_export"

    id: Mapped[JobId]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), info=shown("考试"))
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("单位"))
    tree: Mapped[Str] = mapped_column(default="region", info=TECHNICAL)
    content: Mapped[Str] = mapped_column(info=shown("内容"))
    """A key of `rules.CONTENT_NAMES`."""
    format: Mapped[Str] = mapped_column(info=TECHNICAL)
    """A key of `report_files.actions.RENDERERS`."""
    scope: Mapped[Str] = mapped_column(default="this", info=TECHNICAL)
    """`this` (本次考试) or `final` (含补考)."""
    data_version: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    """The state of the data when it was asked for; while it is the same at the building, the file says it is as of the asking."""
    watermark: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    filters: Mapped[JsonB] = mapped_column(default=dict, server_default="{}", info=shown("人员范围"))
    """Whom of the unit's people it holds, as `ReportFilter` writes it; empty for all."""
    numbers: Mapped[Str] = mapped_column(default="none", info=shown("号码"))
    """Whether ID numbers and mobiles stand in it: `none`, `masked`, or `whole` with a right, a reason and a second person's consent."""
    reason: Mapped[Str] = mapped_column(default="", info=shown("用途"))
    approval_id: Mapped[BigInt | None] = mapped_column(info=TECHNICAL)
    """The consent to whole numbers."""
    template_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("report_templates.id"), info=TECHNICAL)
    """The office's own form that it is made by; null for the shipped one."""
    schedule_key: Mapped[Str | None] = mapped_column(info=TECHNICAL)
    """Which run of a schedule it is for, once only; null where a person asked."""
    file: Mapped[bytes | None] = mapped_column(LargeBinary, info=TECHNICAL)
    sha256: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    as_of: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    expires_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("删除时间"))
    has_file: Mapped[bool] = column_property(file.is_not(None))

    @hybrid_property
    def client_state(self) -> str:
        """The job's state in the words of the delivery protocol, or `expired` once the file is deleted."""
        return "expired" if self.is_done and not self.has_file else super().client_state

    @client_state.inplace.expression
    @classmethod
    def _select_client_state(cls) -> ColumnElement[str]:
        return case((and_(cls.state == JobState.DONE, cls.file.is_(None)), "expired"), else_=Job.client_state)


class ReportSchedule(Base):
    """What is laid on every administrator's board by itself; without a row the usual of `rules.USUAL_SCHEDULES` holds."""

    __tablename__ = "report_schedules"
    __table_args__ = (CheckConstraint("moment IN ('monday', 'close')", name="moment"),)

    moment: Mapped[Str] = mapped_column(primary_key=True)
    content: Mapped[Str]
    format: Mapped[Str]
    is_on: Mapped[bool]
    changed_by_id: Mapped[BigInt | None]
    changed_at: Mapped[UtcDateTime | None]
