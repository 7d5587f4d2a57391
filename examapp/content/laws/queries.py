"""Reads about laws, their versions and articles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.orm import Session

from examapp.content.laws.models import ArticleGist, Law, LawArticle, LawImport, LawVersion
from examapp.content.laws.rules import Comparison, compare_articles
from examapp.errors import NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A version of a law as lists show it."""

    id: int
    law: str
    topic: str
    version_on: date
    effective_on: date | None
    repealed_on: date | None
    articles: int
    gists: int
    replaced_on: date | None = None
    """From when the next version of the law is in force."""
    older_id: int | None = None
    """The version before this one, where both have their text."""

    @property
    def is_withdrawn(self) -> bool:
        """Return whether the version was taken back, and so replaces none."""
        return self.repealed_on is not None and self.repealed_on <= (self.effective_on or self.version_on)


_VERSIONS = (
    select(
        LawVersion.id,
        Law.name.label("law"),
        Law.topic,
        LawVersion.version_on,
        LawVersion.effective_on,
        LawVersion.repealed_on,
        *(
            select(func.count()).where(table.law_version_id == LawVersion.id).scalar_subquery().label(name)
            for name, table in (("articles", LawArticle), ("gists", ArticleGist))
        ),
    )
    .join(Law, LawVersion.law_id == Law.id)
    .order_by(Law.topic, Law.name, LawVersion.version_on.desc())
)


def list_versions(session: Session, *, text: str = "", law: str = "") -> list[VersionRow]:
    """List all versions of laws whose name holds the words (or of one law), by topic, law and day, newest first."""
    statement = _VERSIONS
    if text:
        statement = statement.where(Law.name.contains(text, autoescape=True))
    if law:
        statement = statement.where(Law.name == law)
    rows: list[VersionRow] = []
    newest: dict[str, int] = {}
    """Where the version stands that comes after the next one of a law; those taken back replace none."""
    for found in session.execute(statement):
        newer = rows[newest[found.law]] if found.law in newest else None
        replaced_on = (newer.effective_on or newer.version_on) if newer else None
        if newer and newer.articles and found.articles:
            rows[newest[found.law]] = replace(newer, older_id=found.id)
        rows.append(VersionRow(**found._mapping, replaced_on=replaced_on))  # noqa: SLF001 – SQLAlchemy's public name
        if not rows[-1].is_withdrawn:
            newest[found.law] = len(rows) - 1
    return rows


def get_version_row(session: Session, version_id: int) -> VersionRow:
    """Get one version as lists show it; raises NotFoundError."""
    row = session.execute(_VERSIONS.where(LawVersion.id == version_id)).one_or_none()
    if row is None:
        raise NotFoundError
    return VersionRow(**row._mapping)  # noqa: SLF001 – SQLAlchemy's public name


def get_version(session: Session, *, law: str, version_on: date) -> LawVersion:
    """Get a law's version of a day; raises NotFoundError."""
    found = session.scalars(
        select(LawVersion).join(Law).where(Law.name == law, LawVersion.version_on == version_on)
    ).one_or_none()
    if found is None:
        raise NotFoundError("没有找到这部法律的这个版本。请从法律法规重新进入。")
    return found


def list_articles(session: Session, version_id: int) -> list[LawArticle]:
    """List a version's articles in their order; empty where its text was not imported."""
    statement = select(LawArticle).where(LawArticle.law_version_id == version_id).order_by(LawArticle.position)
    return list(session.scalars(statement))


def find_articles(session: Session, version_id: int, labels: Sequence[str]) -> list[LawArticle]:
    """Find the named articles of a version, in their order; those that were not imported are left out."""
    statement = select(LawArticle).where(LawArticle.law_version_id == version_id, LawArticle.label.in_(labels))
    return list(session.scalars(statement.order_by(LawArticle.position)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleContent:
    """What there is to read of an article: its official text where it was imported, its gist where there is one; both may be empty."""

    label: str
    text: str = ""
    gist: str = ""
    heading: str = ""


def find_article_contents(
    session: Session, cited: Iterable[tuple[int, str]]
) -> Mapping[tuple[int, str], ArticleContent]:
    """Find the contents of articles by version and label, in one statement; those with neither text nor gist are left out."""
    pairs = list(dict.fromkeys(cited))
    found: dict[tuple[int, str], ArticleContent] = {}
    if not pairs:
        return found
    texts, gists = (
        select(table.law_version_id, table.label, table.text, literal(table is LawArticle).label("is_official")).where(
            tuple_(table.law_version_id, table.label).in_(pairs)
        )
        for table in (LawArticle, ArticleGist)
    )
    for version_id, label, content, is_official in session.execute(texts.union_all(gists)):
        known = found.get((version_id, label), ArticleContent(label=label))
        found[version_id, label] = replace(known, **{"text" if is_official else "gist": content})
    return found


def list_article_contents(session: Session, version_id: int) -> list[ArticleContent]:
    """List all that there is to read of a version, in its order."""
    rows: dict[str, tuple[int, ArticleContent]] = {
        article.label: (
            article.position,
            ArticleContent(label=article.label, text=article.text, heading=article.heading),
        )
        for article in list_articles(session, version_id)
    }
    for gist in session.scalars(select(ArticleGist).where(ArticleGist.law_version_id == version_id)):
        position, known = rows.get(gist.label, (gist.position, ArticleContent(label=gist.label)))
        rows[gist.label] = position, replace(known, gist=gist.text)
    return [content for _, content in sorted(rows.values(), key=lambda row: row[0])]


def in_force_from(version: type[LawVersion]) -> ColumnElement[date]:
    """Give the day from which a version is in force, as SQL: its effective date, else the day of its adoption."""
    return func.coalesce(version.effective_on, version.version_on)


def find_version_in_force(session: Session, *, law: str, on: date) -> LawVersion | None:
    """Find the version of a law that is in force on a day: the newest that has taken effect and was not repealed."""
    effective = in_force_from(LawVersion)
    statement = (
        select(LawVersion)
        .join(Law)
        .where(Law.name == law, effective <= on, (LawVersion.repealed_on.is_(None)) | (LawVersion.repealed_on > on))
        .order_by(LawVersion.version_on.desc())
        .limit(1)
    )
    return session.scalars(statement).first()


def compare_versions(session: Session, old_id: int, new_id: int) -> Comparison:
    """Compare the articles of two versions of a law."""
    old, new = ({a.label: a.text for a in list_articles(session, each)} for each in (old_id, new_id))
    return compare_articles(old, new)


def get_import(session: Session, import_id: int) -> LawImport:
    """Get an import of law texts; raises NotFoundError."""
    found = session.get(LawImport, import_id)
    if found is None:
        raise NotFoundError("没有找到这次导入。请从法律法规重新进入。")
    return found


def list_imports(session: Session, *, limit: int = 5) -> list[LawImport]:
    """List the newest imports of law texts."""
    return list(session.scalars(select(LawImport).order_by(LawImport.id.desc()).limit(limit)))
