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
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from examapp.db.session import Base, BigInt, Id, JsonB, Points, Str, UtcDateTime
from examapp.jobs.models import Job, JobId


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


class LawChange(StrEnum):
    """What the newest version of a law did to the articles that a question cites, the gravest last."""

    MOVED = "moved"
    CHANGED = "changed"
    REPEALED = "repealed"
    UNKNOWN = "unknown"
    """There is a newer version, but the text cited was not imported, or has no such article."""
    LAW_REPEALED = "law_repealed"


class Decision(StrEnum):
    """How a flag was settled."""

    KEEP = "keep"
    EDIT = "edit"
    RETIRE = "retire"
    WITHDRAWN = "withdrawn"
    """It was found to be none: texts were imported or corrected afterwards."""


class KnowledgePoint(Base):
    """A knowledge point (知识点)."""

    __tablename__ = "knowledge_points"

    id: Mapped[Id]
    name: Mapped[Str] = mapped_column(unique=True)


class BankQuestion(Base):
    """A question of the bank: what stays the same over its versions."""

    __tablename__ = "questions"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'reviewed', 'active', 'retired')", name="state"),
        Index("ix_questions_state_kind", "state", "kind"),
        Index("ix_questions_updated_at", "updated_at", "id"),
        Index("ix_questions_law_change", "law_change", postgresql_where=text("law_change <> ''")),
    )

    id: Mapped[Id]
    code: Mapped[Str] = mapped_column(unique=True)
    kind: Mapped[Str]
    """A word of question_bank.model.Kind."""
    state: Mapped[Str] = mapped_column(default=QuestionState.DRAFT)
    difficulty: Mapped[Str | None]
    law_name: Mapped[Str] = mapped_column(default="", index=True)
    """Short name of the law that the current version cites first; empty without one."""
    topic: Mapped[Str] = mapped_column(default="", index=True)
    review_note: Mapped[Str] = mapped_column(default="")
    """Why its key is in doubt, as an import found; such a question stays a draft until a person has set the key."""
    law_change: Mapped[Str] = mapped_column(default="")
    """The gravest of its open flags (LawChange) where the law has changed under it: kept out of new papers until a reviewer has decided."""
    current_version_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("question_versions.id", use_alter=True, deferrable=True, initially="DEFERRED")
    )
    created_by_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    reviewed_by_id: Mapped[BigInt | None]
    import_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("question_imports.id"), index=True)
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]

    current_version: Mapped[QuestionVersion | None] = relationship(foreign_keys=[current_version_id], post_update=True)
    knowledge_points: Mapped[list[KnowledgePoint]] = relationship(secondary=question_knowledge_points)


class QuestionVersion(Base):
    """What a candidate sees of a question; never changed once `used_at` is set (a paper holds it)."""

    __tablename__ = "question_versions"
    __table_args__ = (UniqueConstraint("question_id", "number"),)

    id: Mapped[Id]
    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"))
    number: Mapped[int]
    content: Mapped[JsonB]
    """`{"material": html|null, "parts": [{"kind", "stem": html, "options": [html], "blanks": n|null}]}`: one part for a plain
    question, one per sub-question for a case. No key in here."""
    search_text: Mapped[Str]
    """Material, stems and options as plain text, for substring search."""
    digest: Mapped[Str] = mapped_column(default="", index=True)
    """Equal where two versions say the same, spaces and markup aside: how an import knows what the bank has."""
    used_at: Mapped[UtcDateTime | None]
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]

    question: Mapped[BankQuestion] = relationship(foreign_keys=[question_id])


class AnswerKey(Base):
    """The key and explanation of a version; correcting one adds a row, the highest number counts."""

    __tablename__ = "answer_keys"
    __table_args__ = (
        UniqueConstraint("question_version_id", "number"),
        Index("ix_answer_keys_corrected", "question_version_id", postgresql_where=text("number > 1")),
    )

    id: Mapped[Id]
    question_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("question_versions.id"))
    number: Mapped[int]
    parts: Mapped[JsonB]
    """One entry a part: `{"key": ["A","C"], "blanks": [["三十日","30日"]], "explanation": html}`; option letters as stored in the
    version, before any shuffle. `"units": ["日"]` beside them where the stem has a unit right after a blank: it may be written too."""
    reason: Mapped[Str] = mapped_column(default="")
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]


class QuestionCitation(Base):
    """Which articles of which law's version a question version has its answer from."""

    __tablename__ = "citations"
    __table_args__ = (
        Index("ix_citations_question_version_id", "question_version_id"),
        Index("ix_citations_law_version_id", "law_version_id"),
        Index("ix_citations_articles", "articles", postgresql_using="gin"),
    )

    id: Mapped[Id]
    question_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("question_versions.id"))
    part: Mapped[int] = mapped_column(default=1)
    """The sub-question, from 1."""
    law_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("law_versions.id"))
    articles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Labels as in laws: `第三十二条`."""


class QuestionFlag(Base):
    """A part of a question's version whose cited articles a newer version of the law changed, moved or repealed."""

    __tablename__ = "question_flags"
    __table_args__ = (
        CheckConstraint("(decided_at IS NULL) = (decision IS NULL)", name="decided"),
        Index("ix_question_flags_question_id", "question_id"),
        Index(
            "uq_question_flags_open", "question_version_id", "part", "old_version_id", unique=True, postgresql_where=text("decided_at IS NULL")
        ),
    )  # fmt: skip

    id: Mapped[Id]
    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"))
    question_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("question_versions.id"))
    part: Mapped[int]
    old_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("law_versions.id"))
    new_version_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("law_versions.id"))
    kind: Mapped[Str]
    """A word of LawChange: the gravest of its articles."""
    articles: Mapped[JsonB]
    """`[{"old": label, "new": label|null, "change": word, "similarity": percent}]`, all the articles that the part cites of the law."""
    created_at: Mapped[UtcDateTime]
    decision: Mapped[Str | None]
    decided_at: Mapped[UtcDateTime | None]
    decided_by_id: Mapped[BigInt | None]


class QuestionSearch(Base):
    """The search index of a question: the current version's texts, and all its pairs of neighbouring characters."""

    __tablename__ = "question_searches"
    __table_args__ = (
        Index("ix_question_searches_grams", "grams", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    )

    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"), primary_key=True)
    text: Mapped[Str]
    """Number and words, in lower case and half width, without spaces."""
    grams: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Every character and every pair of characters that stand together, each once."""


class QuestionUse(Base):
    """The results of a part of a version in one exam; written by grading."""

    __tablename__ = "question_uses"
    __table_args__ = (CheckConstraint("asked >= right_count AND right_count >= 0", name="right_count"),)

    question_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("question_versions.id"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    """The sub-question, from 1."""
    exam_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    exam_title: Mapped[Str]
    asked: Mapped[int]
    """Graded attempts that had it."""
    right_count: Mapped[int]
    """Of these, with all its points."""
    share: Mapped[Points]
    """Points gained of points possible, per cent."""
    counted_at: Mapped[UtcDateTime]


class DuplicateSearch(Job):
    """A search for near-duplicates over the whole bank."""

    __tablename__ = "duplicate_searches"
    KIND = "questions.search_duplicates"

    id: Mapped[JobId]
    pairs: Mapped[JsonB] = mapped_column(default=list)
    """`[[question id, question id, similarity in per cent]]`, the most similar first."""


class DistinctPair(Base):
    """Two similar questions that a person has found to be no duplicates."""

    __tablename__ = "distinct_pairs"
    __table_args__ = (CheckConstraint("lower_id < higher_id", name="order"),)

    lower_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"), primary_key=True)
    higher_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"), primary_key=True)
    decided_by_id: Mapped[BigInt | None]
    decided_at: Mapped[UtcDateTime]


class Media(Base):
    """A re-encoded picture of a question, by the digest of its content (`/media/<sha256>`)."""

    __tablename__ = "media"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    media_type: Mapped[Str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    width: Mapped[int]
    height: Mapped[int]
    created_at: Mapped[UtcDateTime]


class QuestionImport(Job):
    """An import of a question file: previewed, then stored, and undone as one act."""

    __tablename__ = "question_imports"
    KIND = "questions.read_import"

    id: Mapped[JobId]
    format: Mapped[Str] = mapped_column(default="auto")
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    answers: Mapped[bytes | None] = mapped_column(LargeBinary)
    """A second file that holds the keys."""
    answers_name: Mapped[Str] = mapped_column(default="")
    parsed: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    """The questions that the preview has read (`ParseResult` as MessagePack), until they are stored."""
    digest: Mapped[Str]
    is_confirmed: Mapped[bool] = mapped_column(default=False)
    undone_at: Mapped[UtcDateTime | None]
    summary: Mapped[JsonB] = mapped_column(default=dict)
    """`{found, imported, existing, losses:[{where,reason}], doubtful:[…], refused:[…]}`."""
