"""The evidence packs that were made."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, deferred, mapped_column

from examapp.db.personal_data import STAFF, TECHNICAL, shown
from examapp.db.session import BigInt, Str, UtcDateTime
from examapp.jobs.models import Job, JobId

KEPT = timedelta(days=7)
"""How long the file of a pack can be downloaded; the same data give the same bytes again."""


class EvidencePack(Job):
    """A pack asked for by one person and allowed by another, made by a worker; its digest stays when the file is deleted."""

    __tablename__ = "evidence_packs"
    __personal_data__ = STAFF.of(
        "考试证据包", "供他人核对每个成绩；姓名只在申请时写明才附上；到期自动删除", owner=None, seen_by="申请人"
    )
    KIND = "evidence.make_pack"

    id: Mapped[JobId]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), index=True, info=shown("考试"))
    approval_id: Mapped[BigInt | None] = mapped_column(info=TECHNICAL)
    has_names: Mapped[bool] = mapped_column(default=False, info=shown("附姓名对照"))
    result_version: Mapped[int] = mapped_column(default=0, info=TECHNICAL)
    """The exam's result version when it was made; 0 before."""
    manifest_sha256: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    """What is printed on the score sheet; empty before it is made."""
    file: Mapped[bytes | None] = deferred(mapped_column(LargeBinary, info=TECHNICAL))
    expires_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("删除时间"))
