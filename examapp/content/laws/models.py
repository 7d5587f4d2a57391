"""Laws, their versions, articles, and gists of articles."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.session import Base, DateCol, Id, JsonB, Str, UtcDateTime
from examapp.jobs.models import Job, JobId


class Law(Base):
    """A law or regulation by its short name (行政处罚法)."""

    __tablename__ = "laws"
    __table_args__ = (Index("ix_laws_unchecked", "id", postgresql_where=text("unchecked_since IS NOT NULL")),)

    id: Mapped[Id]
    name: Mapped[Str] = mapped_column(unique=True)
    topic: Mapped[Str] = mapped_column(default="")
    unchecked_since: Mapped[UtcDateTime | None]
    """From when the questions that cite it must be compared with it: when its texts or dates changed, or the day on which its next version
    takes effect (or a repeal does); question_law_changes sweeps those whose time has come."""
    created_at: Mapped[UtcDateTime]
    versions: Mapped[list[LawVersion]] = relationship(back_populates="law", order_by="LawVersion.version_on")


class LawVersion(Base):
    """A law as adopted or amended on a day; articles only where the operator has imported the text."""

    __tablename__ = "law_versions"
    __table_args__ = (UniqueConstraint("law_id", "version_on"),)

    id: Mapped[Id]
    law_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("laws.id"))
    law: Mapped[Law] = relationship(back_populates="versions")
    version_on: Mapped[DateCol]
    effective_on: Mapped[DateCol | None]
    repealed_on: Mapped[DateCol | None]
    note: Mapped[Str] = mapped_column(default="", server_default="")
    """By whom and when it was passed and amended, as the text says below its title."""
    preamble: Mapped[Str] = mapped_column(default="")
    created_at: Mapped[UtcDateTime]

    @property
    def is_withdrawn(self) -> bool:
        """Return whether the version was taken back: repealed no later than it could be in force."""
        return self.repealed_on is not None and self.repealed_on <= (self.effective_on or self.version_on)


class LawArticle(Base):
    """An article of a law's version."""

    __tablename__ = "law_articles"
    __table_args__ = (UniqueConstraint("law_version_id", "label"),)

    id: Mapped[Id]
    law_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("law_versions.id"))
    position: Mapped[int]
    label: Mapped[Str]
    """`第三十二条`, `第一百二十条之一`."""
    heading: Mapped[Str] = mapped_column(default="")
    """The chapter and section it stands in."""
    text: Mapped[Str]


class ArticleGist(Base):
    """What an article says, in the project's own words; shown below the official text, or in its place where it was not imported."""

    __tablename__ = "article_gists"
    __table_args__ = (UniqueConstraint("law_version_id", "label"),)

    id: Mapped[Id]
    law_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("law_versions.id"))
    position: Mapped[int]
    label: Mapped[Str]
    text: Mapped[Str]


class LawImport(Job):
    """An import of many files of law texts: one summary of all of them."""

    __tablename__ = "law_imports"
    KIND = "laws.import_texts"

    id: Mapped[JobId]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The files as one archive, until they have been read."""
    summary: Mapped[JsonB] = mapped_column(default=dict)
    """`{files, laws: [{version_id, name, version_on, added, changed, changed_labels, total, remarks, notes}], rejected: [{file, reason}]}`."""
