"""Questions, their versions, keys, citations, knowledge points and pictures, and imports of question files."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.core.db import Base, BigInt, Id, Instant, Json, Words
from examapp.core.jobs import JobColumns


class QuestionState(StrEnum):
    """The life of a question: only an active one is drawn into papers."""

    DRAFT = "draft"
    REVIEWED = "reviewed"
    ACTIVE = "active"
    RETIRED = "retired"


question_knowledge_points = Table(
    "question_knowledge_points",
    Base.metadata,
    Column("question_id", BigInteger, ForeignKey("questions.id"), primary_key=True),
    Column("knowledge_point_id", BigInteger, ForeignKey("knowledge_points.id"), primary_key=True),
)


class KnowledgePoint(Base):
    """A knowledge point (知识点)."""

    __tablename__ = "knowledge_points"

    id: Mapped[Id]
    name: Mapped[Words] = mapped_column(unique=True)


class Question(Base):
    """A question of the bank: what stays the same over its versions."""

    __tablename__ = "questions"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'reviewed', 'active', 'retired')", name="state"),
        Index("ix_questions_state_kind", "state", "kind"),
    )

    id: Mapped[Id]
    code: Mapped[Words] = mapped_column(unique=True)
    kind: Mapped[Words]
    """A word of question_bank.model.Kind."""
    state: Mapped[Words] = mapped_column(default=QuestionState.DRAFT)
    difficulty: Mapped[Words | None]
    law_name: Mapped[Words] = mapped_column(default="", index=True)
    """Short name of the law that the current version cites first; empty without one."""
    topic: Mapped[Words] = mapped_column(default="")
    doubt: Mapped[Words] = mapped_column(default="")
    """Why its key is in doubt, as an import found; such a question stays a draft until a person has set the key."""
    current_version_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("question_versions.id", use_alter=True, deferrable=True, initially="DEFERRED")
    )
    created_by_id: Mapped[BigInt | None]
    reviewed_by_id: Mapped[BigInt | None]
    import_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("question_imports.id"), index=True)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]

    current_version: Mapped[QuestionVersion | None] = relationship(foreign_keys=[current_version_id], post_update=True)
    knowledge_points: Mapped[list[KnowledgePoint]] = relationship(secondary=question_knowledge_points)


class QuestionVersion(Base):
    """What a candidate sees of a question; never changed once `used_at` is set (a paper holds it)."""

    __tablename__ = "question_versions"
    __table_args__ = (UniqueConstraint("question_id", "number"),)

    id: Mapped[Id]
    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"))
    number: Mapped[int]
    content: Mapped[Json]
    """`{"material": html|null, "parts": [{"kind", "stem": html, "options": [html], "blanks": n|null}]}`: one part for a plain
    question, one per sub-question for a case. No key in here."""
    search_text: Mapped[Words]
    """Material, stems and options as plain text, for substring search."""
    digest: Mapped[Words] = mapped_column(default="", index=True)
    """Equal where two versions say the same, spaces and markup aside: how an import knows what the bank has."""
    used_at: Mapped[Instant | None]
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[Instant]

    question: Mapped[Question] = relationship(foreign_keys=[question_id])


class AnswerKey(Base):
    """The key and explanation of a version; correcting one adds a row, the highest number counts."""

    __tablename__ = "answer_keys"
    __table_args__ = (UniqueConstraint("question_version_id", "number"),)

    id: Mapped[Id]
    question_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("question_versions.id"))
    number: Mapped[int]
    parts: Mapped[Json]
    """One entry a part: `{"key": ["A","C"], "blanks": [["三十日","30日"]], "explanation": html}`; option letters as stored in the
    version, before any shuffle."""
    reason: Mapped[Words] = mapped_column(default="")
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[Instant]


class Citation(Base):
    """Which articles of which law's version a question version has its answer from."""

    __tablename__ = "citations"
    __table_args__ = (
        Index("ix_citations_question_version_id", "question_version_id"),
        Index("ix_citations_law_version_id", "law_version_id"),
    )

    id: Mapped[Id]
    question_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("question_versions.id"))
    part: Mapped[int] = mapped_column(default=1)
    """The sub-question, from 1."""
    law_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("law_versions.id"))
    articles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Labels as in laws: `第三十二条`."""


class Media(Base):
    """A picture of a question, re-encoded by us, known by the digest of its content (`/media/<sha256>`)."""

    __tablename__ = "media"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    media_type: Mapped[Words]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    width: Mapped[int]
    height: Mapped[int]
    created_at: Mapped[Instant]


class QuestionImport(JobColumns, Base):
    """A question file on its way in: read first (preview), then taken over, and undone as one act."""

    __tablename__ = "question_imports"

    id: Mapped[Id]
    created_by_id: Mapped[BigInt | None]
    file_name: Mapped[Words]
    format: Mapped[Words] = mapped_column(default="auto")
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    digest: Mapped[Words]
    is_confirmed: Mapped[bool] = mapped_column(default=False)
    undone_at: Mapped[Instant | None]
    summary: Mapped[Json] = mapped_column(default=dict)
    """`{found, imported, existing, losses:[{where,reason}], doubtful:[…], refused:[…]}`."""
