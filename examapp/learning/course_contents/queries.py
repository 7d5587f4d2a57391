"""Articles in chapters: their texts or gists shown live from the law library with their version, and compared with what an editor last saw."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date

from markupsafe import escape
from sqlalchemy import false, or_, select
from sqlalchemy.orm import Session

from examapp.content.laws.models import LawArticle, LawVersion
from examapp.content.laws.queries import ArticleContent, find_version_in_force, list_article_contents
from examapp.documents.html import text_to_html
from examapp.errors import NotFoundError
from examapp.learning.courses.models import (
    Chapter,
    ChapterArticle,
    ChapterFile,
    Course,
    CourseEdition,
    CoursePerson,
    CourseState,
)
from examapp.learning.courses.queries import in_audience, reached
from examapp.learning.courses.rules import MARK, CitedArticles, runs_of
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit
from examapp.uploads.models import StoredFile

_MAX_ARTICLES = 40
"""A mark shows at most so many articles; who wants a whole law has the library."""


@dataclass(slots=True)
class Library:
    """The laws that a page needs, each read once, as in force on a day."""

    session: Session
    on: date
    _laws: dict[str, tuple[LawVersion | None, list[ArticleContent]]] = field(default_factory=dict)

    def law(self, name: str) -> tuple[LawVersion | None, list[ArticleContent]]:
        """Give a law's version in force and its articles; none where the library lacks it."""
        if name not in self._laws:
            version = find_version_in_force(self.session, law=name, on=self.on)
            self._laws[name] = (version, list_article_contents(self.session, version.id) if version else [])
        return self._laws[name]

    def run(self, cited: CitedArticles) -> list[ArticleContent]:
        """Give the articles of a run; empty where its first or last is not there."""
        _, articles = self.law(cited.law)
        labels = [article.label for article in articles]
        if cited.first not in labels or cited.last not in labels:
            return []
        start, end = labels.index(cited.first), labels.index(cited.last)
        return articles[start : min(end + 1, start + _MAX_ARTICLES)]


def live_html(session: Session, html: str, *, on: date) -> str:
    """Put the articles that a page marks in their place, as in force on a day, each with its law's version."""
    if "[[" not in html:
        return html
    library = Library(session, on)
    folded = re.compile(rf"<p>\s*依据：{MARK.pattern}\s*</p>")
    html = folded.sub(lambda mark: _folded(library, mark), html)
    whole = re.compile(rf"<p>\s*{MARK.pattern}\s*</p>")
    html = whole.sub(lambda mark: _blocks(library, mark), html)
    return MARK.sub(lambda mark: _blocks(library, mark), html)


def _blocks(library: Library, mark: re.Match[str]) -> str:
    return "".join(_block(library, cited) for cited in runs_of(mark))


def _folded(library: Library, mark: re.Match[str]) -> str:
    """Fold the articles of a chapter's last line 依据 under their names."""
    version, _ = library.law(mark[1].strip("《》"))
    year = f"（{version.version_on.year}年版）" if version else ""
    return f"<details><summary>依据：《{mark[1].strip('《》')}》{year}{mark[2]}</summary>{_blocks(library, mark)}</details>"


def _block(library: Library, cited: CitedArticles) -> str:
    version, _ = library.law(cited.law)
    articles = library.run(cited)
    if version is None or not articles:
        return f"<blockquote><p>《{escape(cited.law)}》{escape(cited.first)}：法律法规中还没有这一条，请查阅国家法律法规数据库。</p></blockquote>"
    head = f"<p><strong>《{escape(cited.law)}》（{version.version_on.year}年版）</strong></p>"
    return f"<blockquote>{head}{''.join(_article(article) for article in articles)}</blockquote>"


def _article(article: ArticleContent) -> str:
    content = text_to_html(article.text) if article.text else f"（要点）{escape(article.gist)}"
    return f"<p><strong>{escape(article.label)}</strong>　{content}</p>"


def cited_articles(session: Session, runs: Iterable[CitedArticles], *, on: date) -> list[tuple[str, str, int | None]]:
    """Give law, label and version of each article that runs name, each once; an article that is not there with no version."""
    library = Library(session, on)
    found: dict[tuple[str, str], int | None] = {}
    for cited in runs:
        version, _ = library.law(cited.law)
        articles = library.run(cited)
        if not articles:
            found[cited.law, cited.first] = None
        for article in articles:
            found[cited.law, article.label] = version.id if version else None
    return [(law, label, version_id) for (law, label), version_id in found.items()]


def changed_articles(session: Session, chapter_ids: Collection[int], *, on: date) -> dict[int, list[str]]:
    """Give by chapter the articles whose text is no longer what an editor last saw, in words."""
    rows = session.execute(
        select(ChapterArticle, LawArticle.text)
        .outerjoin(
            LawArticle,
            (LawArticle.law_version_id == ChapterArticle.law_version_id) & (LawArticle.label == ChapterArticle.label),
        )
        .where(ChapterArticle.chapter_id.in_(chapter_ids))
        .order_by(ChapterArticle.chapter_id, ChapterArticle.law, ChapterArticle.label)
    )
    library = Library(session, on)
    found: dict[int, list[str]] = {}
    for cited, seen in rows:
        version, articles = library.law(cited.law)
        now = next((article.text for article in articles if article.label == cited.label), None)
        text = ""
        if now is None:
            text = "法律法规中没有" if seen is None else "现行版本中已没有"
        elif cited.law_version_id is None:
            continue  # written before the library had the law: nobody has seen a text that could have changed
        elif (not now or now != seen) and (version is None or version.id != cited.law_version_id):
            text = f"已修改（{version.version_on.year}年版）" if version else "已修改"
        if text:
            found.setdefault(cited.chapter_id, []).append(f"《{cited.law}》{cited.label}{text}")
    return found


def files_of(session: Session, chapter_ids: Collection[int]) -> dict[int, list[StoredFile]]:
    """List the files of chapters, by chapter, in the order in which they were hung in."""
    rows = session.execute(
        select(ChapterFile.chapter_id, StoredFile)
        .join(StoredFile, ChapterFile.file_id == StoredFile.id)
        .where(ChapterFile.chapter_id.in_(chapter_ids))
        .order_by(ChapterFile.id)
    )
    found: dict[int, list[StoredFile]] = {}
    for chapter_id, file in rows:
        found.setdefault(chapter_id, []).append(file)
    return found


def get_file_for(session: Session, token: str, *, person_id: int, access: AccessScope | None) -> StoredFile:
    """Get a chapter's file for who learns its published course, or makes courses within an access scope; raises NotFoundError."""
    learns = (
        select(Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(
            Person.id == person_id,
            Person.state == PersonState.ON_ROSTER,
            Course.state == CourseState.PUBLISHED,
            in_audience(),
        )
        .correlate(Course)
        .exists()
    )
    makes = (
        false()
        if access is None
        else Course.id.in_(select(Course.id).outerjoin(Unit, Course.unit_id == Unit.id).where(reached(access)))
    )
    found = session.scalars(
        select(StoredFile)
        .join(ChapterFile, ChapterFile.file_id == StoredFile.id)
        .join(Chapter, ChapterFile.chapter_id == Chapter.id)
        .join(Course, Chapter.course_id == Course.id)
        .where(StoredFile.token == token, or_(learns, makes))
        .limit(1)
    ).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def list_editions(session: Session, course_id: int) -> list[CourseEdition]:
    """List a course's editions, the newest first."""
    return list(
        session.scalars(
            select(CourseEdition).where(CourseEdition.course_id == course_id).order_by(CourseEdition.number.desc())
        )
    )


def named_people(session: Session, course_id: int) -> list[str]:
    """List the staff numbers of the people named for a course."""
    return list(
        session.scalars(
            select(Person.staff_number)
            .join(CoursePerson, CoursePerson.person_id == Person.id)
            .where(CoursePerson.course_id == course_id)
            .order_by(Person.staff_number)
        )
    )
