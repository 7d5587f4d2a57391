"""Laws as everybody who is signed in reads them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

from flask import Blueprint, render_template, request

from examapp import clock
from examapp.content.law_texts.rules import iso_day, missing_between
from examapp.content.laws import queries
from examapp.content.laws.queries import ArticleContent
from examapp.db.session import read_session
from examapp.errors import NotFoundError
from examapp.organisation.accounts.guards import menu_entry, signed_in

blueprint = Blueprint("laws", __name__)


@blueprint.get("/laws/")
@menu_entry("法律法规", position=160, group="题库")
@signed_in
def list_laws() -> str:
    """Show all laws by topic, with the version in force."""
    text = request.args.get("q", "").strip()[:40]
    rows = [row for row in queries.list_versions(read_session(), text=text) if not row.is_withdrawn]
    by_topic = [(topic, list(group)) for topic, group in groupby(rows, key=lambda row: row.topic)]
    topics = [("查找结果", rows)] if text and rows else by_topic
    return render_template("laws/list.html", topics=topics, text=text, today=clock.today())


@blueprint.get("/laws/<law>/<version>/")
@signed_in
def show_version(law: str, version: str) -> str:
    """Show the articles of a law's version, or their gists, each with an anchor by its name."""
    version_on = iso_day(version)
    if version_on is None or version_on.isoformat() != version:
        raise NotFoundError
    session = read_session()
    found = queries.get_version(session, law=law, version_on=version_on)
    articles = queries.list_article_contents(session, found.id)
    chapters = [(heading, list(group)) for heading, group in groupby(articles, key=lambda article: article.heading)]
    rows = queries.list_versions(session, law=law)
    others = [row for row in rows if row.id != found.id and not row.is_withdrawn]
    (row,) = (row for row in rows if row.id == found.id)
    return render_template(
        "laws/version.html",
        law=law,
        version=found,
        row=row,
        chapters=chapters,
        gaps=_gaps_before(articles) if row.articles else {},
        others=others,
        today=clock.today(),
    )


def _gaps_before(articles: Sequence[ArticleContent]) -> dict[str, str]:
    """Name, by the article that follows, what is missing in the middle of a text."""
    labels = [article.label for article in articles if article.label.startswith("第")]
    return {after: missing for before, after in pairwise(labels) if (missing := missing_between(before, after))}
