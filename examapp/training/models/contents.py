"""What hangs on courses and chapters: files, the articles they cite with the version at hand then, published editions, named learners."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from examapp.core.db import Base, BigInt, Id, Instant, Json, Words


class ChapterFile(Base):
    """A picture or attachment of a chapter; copies of a course share the stored file."""

    __tablename__ = "chapter_files"
    __table_args__ = (UniqueConstraint("chapter_id", "file_id"),)

    id: Mapped[Id]
    chapter_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("chapters.id", ondelete="CASCADE"))
    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("stored_files.id"), index=True)


class ChapterArticle(Base):
    """An article that a chapter shows, with the version that was in force when an editor last looked at it."""

    __tablename__ = "chapter_articles"

    chapter_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("chapters.id", ondelete="CASCADE"), primary_key=True)
    law: Mapped[Words] = mapped_column(primary_key=True)
    """Short name."""
    label: Mapped[Words] = mapped_column(primary_key=True)
    """`第三十二条`."""
    law_version_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("law_versions.id"))
    """Null where the library had no such law then."""


class CourseEdition(Base):
    """A course as it was published, or changed while published: kept for good, so that it can be said what people studied."""

    __tablename__ = "course_editions"

    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("courses.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[Json]
    """`{"title", "credits", "chapters": [{"title", "body", "exercise_count", "pass_count"}]}`."""
    published_by_id: Mapped[BigInt | None]
    published_at: Mapped[Instant]


class CoursePerson(Base):
    """A person named for a course, besides its units, sectors and ranks. Kept as long as the course."""

    __tablename__ = "course_people"

    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("courses.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True, index=True)
