"""Tables of learning: courses and study, what a person remembers, and what practice may draw."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.personal_data import IN_MISTAKES, STUDY, TECHNICAL, shown
from examapp.db.session import Base, BigInt, DateCol, Id, JsonB, Points, Str, UtcDateTime


class CourseState(StrEnum):
    """Whether learners see a course."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Course(Base):
    """A course (课程) of a year for the whole roster or a unit's subtree."""

    __tablename__ = "courses"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'published', 'withdrawn')", name="state"),
        CheckConstraint("credits >= 0", name="credits"),
    )

    id: Mapped[Id]
    title: Mapped[Str]
    summary: Mapped[Str] = mapped_column(default="")
    year: Mapped[int]
    """Its credits count for exams that open in this year."""
    is_required: Mapped[bool] = mapped_column(default=True)
    credits: Mapped[Points]
    due_on: Mapped[DateCol | None]
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), index=True)
    """Its audience is this unit's subtree of the region tree; null for the whole roster."""
    sector_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """Of these only who belongs to this unit's subtree of the sector tree; null for any."""
    ranks: Mapped[JsonB] = mapped_column(default=list, server_default="[]")
    """Of these only who has one of these ranks; empty for any."""
    state: Mapped[Str] = mapped_column(default=CourseState.DRAFT)
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]
    published_at: Mapped[UtcDateTime | None]

    chapters: Mapped[list[Chapter]] = relationship(
        back_populates="course", order_by="Chapter.position, Chapter.id", cascade="all, delete-orphan"
    )


class Chapter(Base):
    """A chapter (章节): text in pages, and an exercise drawn from the bank."""

    __tablename__ = "chapters"
    __table_args__ = (
        CheckConstraint("exercise_count > 0", name="exercise_count"),
        CheckConstraint("pass_count > 0 AND pass_count <= exercise_count", name="pass_count"),
    )

    id: Mapped[Id]
    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("courses.id"), index=True)
    course: Mapped[Course] = relationship(back_populates="chapters")
    position: Mapped[int]
    title: Mapped[Str]
    body: Mapped[Str]
    """Clean HTML; `<hr>` begins a new page, `[[行政处罚法 第九条]]` stands for an article shown live."""
    source: Mapped[Str] = mapped_column(default="", server_default="")
    """The text as the office wrote it, in Markdown; empty for one from before."""
    law: Mapped[Str] = mapped_column(default="")
    """Short name of the law that the exercise is drawn from; empty for any."""
    topic: Mapped[Str] = mapped_column(default="")
    exercise_count: Mapped[int]
    pass_count: Mapped[int]
    """How many right answers pass the exercise."""


class ChapterProgress(Base):
    """How far a person has come in a chapter, as the server saw it; no time is kept that somebody spent."""

    __tablename__ = "chapter_progress"
    __personal_data__ = STUDY.of(
        "章节学习", "接着上次的地方学，判断是否学完（不计时长）", order="read_at", seen_by="本人；单位只看是否完成"
    )

    chapter_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("chapters.id"), primary_key=True, info=shown("章节"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True, index=True)
    pages_opened: Mapped[int] = mapped_column(default=0, info=shown("看过的页"))
    """Pages opened in their order."""
    read_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("读完时间"))
    """When the last page was opened."""
    passed_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("练习通过时间"))
    """When the exercise was passed after that: the chapter counts."""


class CourseCompletion(Base):
    """A person has done every chapter of a course; kept with the credits of that moment, whatever becomes of the course."""

    __tablename__ = "course_completions"
    __personal_data__ = STUDY.of("完成的课程", "计学分", order="completed_at", seen_by="本人、本单位管理员、普法办")

    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("courses.id"), primary_key=True, info=shown("课程"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True, index=True)
    year: Mapped[int] = mapped_column(info=shown("年度"))
    is_required: Mapped[bool] = mapped_column(info=shown("必修"))
    credits: Mapped[Points] = mapped_column(info=shown("学分"))
    completed_at: Mapped[UtcDateTime] = mapped_column(info=shown("完成时间"))


class ExerciseRun(Base):
    """One go at a chapter's exercise, or at a mock paper by an exam's blueprint: drawn at its start, passed or not once all are answered."""

    __tablename__ = "exercise_runs"
    __personal_data__ = STUDY.of("章节练习", "判断章节是否学会", order="started_at")
    __table_args__ = (
        UniqueConstraint("person_id", "chapter_id", "number"),
        Index(
            "uq_exercise_runs_open",
            "person_id",
            "chapter_id",
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index(
            "uq_exercise_runs_open_mock",
            "person_id",
            "exam_id",
            unique=True,
            postgresql_where=text("finished_at IS NULL AND exam_id IS NOT NULL"),
        ),
        CheckConstraint("(chapter_id IS NULL) <> (exam_id IS NULL)", name="of_one"),
    )

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    chapter_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("chapters.id"), index=True, info=shown("章节")
    )
    exam_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("exams.id"), info=shown("考试"))
    """The exam whose blueprint a mock paper follows; it counts for nothing."""
    number: Mapped[int] = mapped_column(info=shown("第几次"))
    pass_count: Mapped[int] = mapped_column(info=shown("要求答对"))
    """As the chapter asked when the run began."""
    started_at: Mapped[UtcDateTime] = mapped_column(info=shown("开始时间"))
    started_on: Mapped[DateCol] = mapped_column(info=TECHNICAL)
    finished_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("完成时间"))
    right_count: Mapped[int | None] = mapped_column(info=shown("答对"))
    is_passed: Mapped[bool | None] = mapped_column(info=shown("通过"))


class PracticeItem(Base):
    """A question that the server drew for a person, in practice or in an exercise, and the one answer it was given."""

    __tablename__ = "practice_items"
    __personal_data__ = STUDY.of("练习过的题", "安排练习", order="drawn_at")
    __table_args__ = (
        CheckConstraint("(answered_at IS NULL) = (is_right IS NULL)", name="answered"),
        Index("ix_practice_items_person_id_question_id", "person_id", "question_id"),
        Index(
            "ix_practice_items_answered", "person_id", "answered_at", postgresql_where=text("answered_at IS NOT NULL")
        ),
        Index("ix_practice_items_run_id", "run_id", postgresql_where=text("run_id IS NOT NULL")),
        Index("ix_practice_items_question_version_id", "question_version_id"),
    )

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"), info=shown("试题"))
    question_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("question_versions.id"), info=TECHNICAL)
    part: Mapped[int] = mapped_column(info=TECHNICAL)
    """The sub-question, from 0."""
    order: Mapped[Str] = mapped_column(info=TECHNICAL)
    """Stored option letters in display order; empty for texts."""
    run_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("exercise_runs.id"), info=TECHNICAL)
    """The exercise it belongs to; null for practice."""
    wanted: Mapped[JsonB] = mapped_column(default=dict, info=TECHNICAL)
    """What the practice was set to, for the next question."""
    drawn_at: Mapped[UtcDateTime] = mapped_column(info=shown("出题时间"))
    response: Mapped[JsonB] = mapped_column(default=list, info=shown("答案"))
    """Display letters, or texts by blank."""
    answered_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("作答时间"))
    is_right: Mapped[bool | None] = mapped_column(info=IN_MISTAKES)
    is_unsure: Mapped[bool] = mapped_column(default=False, server_default=false(), info=shown("标为不确定"))
    """Answered, but marked as not sure: it comes back though it was right."""
    key_number: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1", info=TECHNICAL)
    """Which of the version's keys the answer was graded by."""


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
    law: Mapped[Str] = mapped_column(primary_key=True)
    """Short name."""
    label: Mapped[Str] = mapped_column(primary_key=True)
    """`第三十二条`."""
    law_version_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("law_versions.id"))
    """Null where the library had no such law then."""


class CourseEdition(Base):
    """A course as it was published, or changed while published: kept for good, so that it can be said what people studied."""

    __tablename__ = "course_editions"

    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("courses.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[JsonB]
    """`{"title", "credits", "chapters": [{"title", "body", "exercise_count", "pass_count"}]}`."""
    published_by_id: Mapped[BigInt | None]
    published_at: Mapped[UtcDateTime]


class CoursePerson(Base):
    """A person named for a course, besides its units, sectors and ranks. Kept as long as the course."""

    __tablename__ = "course_people"
    __personal_data__ = STUDY.of("指定学习的课程", "按名单安排课程", seen_by="普法办")

    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("courses.id"), primary_key=True, info=shown("课程"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True, index=True)
