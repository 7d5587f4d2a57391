"""Reminders to people who have still to sit, lists of changes of the roster that units submit, and results from other platforms on their way in."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, deferred, mapped_column

from examapp.db.personal_data import EXAM, TECHNICAL, shown
from examapp.db.session import (
    Base,
    BigInt,
    DateCol,
    EncryptedColumn,
    Id,
    JsonB,
    Points,
    Str,
    UtcDateTime,
    encrypted_columns,
)
from examapp.delivery.external_results.rules import result_file_binding
from examapp.jobs.models import Job, JobId


class ResultRowOutcome(StrEnum):
    """What became of a row of a file of results."""

    MATCHED = "matched"
    """One person for certain: it counts once the import is approved."""
    SAME = "same"
    NEEDS_REVIEW = "doubtful"
    UNMATCHED = "unmatched"
    ABSENT = "absent"
    FAULTY = "faulty"
    SKIPPED = "skipped"
    """Left out by whoever reviewed it."""


OUTCOME_NAMES = {
    ResultRowOutcome.MATCHED: "可以计入",
    ResultRowOutcome.SAME: "已有相同成绩",
    ResultRowOutcome.NEEDS_REVIEW: "待核对",
    ResultRowOutcome.UNMATCHED: "未找到",
    ResultRowOutcome.ABSENT: "缺考",
    ResultRowOutcome.FAULTY: "有问题",
    ResultRowOutcome.SKIPPED: "不计入",
}


class ResultImport(Job):
    """A file of results from another platform: read and matched first, reviewed, then approved as one act and undone as one.

    The file is kept, sealed, only until it has been read; the rows as long as the results that they brought.
    """

    __tablename__ = "result_imports"
    KIND = "external_results.match"

    id: Mapped[JobId]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), index=True)
    digest: Mapped[Str]
    """Of the file's bytes: the same file is not taken twice."""
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    source: Mapped[Str]
    """The other platform's name, as reports say it."""
    taken_on: Mapped[DateCol] = mapped_column(Date)
    points_possible: Mapped[Points]
    remarks: Mapped[JsonB] = mapped_column(default=list)
    approved_by_id: Mapped[BigInt | None]
    approved_at: Mapped[UtcDateTime | None]
    taken_count: Mapped[int] = mapped_column(default=0)
    undone_by_id: Mapped[BigInt | None]
    undone_at: Mapped[UtcDateTime | None]


encrypted_columns += [
    EncryptedColumn("其他平台的成绩文件", ResultImport.content, ResultImport.id, ResultImport.id, result_file_binding)
]


class ResultImportRow(Base):
    """A row of a file of results, with the person it was matched to, or those it may be. No ID number but its last four places."""

    __tablename__ = "result_import_rows"
    __personal_data__ = EXAM.of(
        "导入的成绩文件中的行",
        "按身份证号、工号对人，对不上的由普法办核对；身份证号只留后四位",
        owner=None,
        seen_by="导入的普法办人员",
    )
    __table_args__ = (
        CheckConstraint(
            "outcome IN ('matched', 'same', 'doubtful', 'unmatched', 'absent', 'faulty', 'skipped')", name="outcome"
        ),
        CheckConstraint("outcome <> 'matched' OR (person_id IS NOT NULL AND points IS NOT NULL)", name="matched"),
        Index("ix_result_import_rows_import_id", "import_id", "outcome"),
    )

    id: Mapped[Id]
    import_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("result_imports.id"), info=TECHNICAL)
    line: Mapped[int] = mapped_column(info=TECHNICAL)
    """As Excel counts."""
    name: Mapped[Str] = mapped_column(info=shown("姓名"))
    unit_name: Mapped[Str] = mapped_column(default="", info=shown("单位"))
    staff_number: Mapped[Str] = mapped_column(default="", info=shown("工号"))
    id_tail: Mapped[Str] = mapped_column(default="", info=shown("身份证号后四位"))
    points: Mapped[Points | None] = mapped_column(info=shown("成绩"))
    outcome: Mapped[Str] = mapped_column(info=shown("结果"))
    reason: Mapped[Str] = mapped_column(default="", info=shown("说明"))
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("persons.id"), info=TECHNICAL)
    candidates: Mapped[JsonB] = mapped_column(default=list, info=TECHNICAL)
    """Ids of the persons it may be, at most five."""
    is_decided: Mapped[bool] = mapped_column(default=False, info=TECHNICAL)
    """Whether a person said who it is, or that it is left out."""
