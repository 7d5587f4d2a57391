"""What `python -m tests.citations` finds on pages: a 依据 without an article's words, and a link to an article that is not there."""

from datetime import date

import pytest
from flask import render_template_string
from lxml import html

from examapp.content.laws.queries import ArticleContent
from examapp.learning.course_contents.queries import live_html
from question_bank.model import Kind
from tests.citations.crawl import AnsweredPage, Crawl, crawl, first_answer, read_citations
from tests.helpers.practice import draw, post

_FOLDED = "{% from 'laws/_cited.html' import cited_articles %}{{ cited_articles('测试法', day, articles) }}"
_LIVE = ArticleContent(label="第二条", gist="九十日内作决定。")
_DEAD = ArticleContent(label="第三条之一")


@pytest.mark.parametrize(
    ("articles", "count", "issue"),
    [
        ([_LIVE], 1, ""),
        ([ArticleContent(label="第五条", text="第一款的话。\n第二款的话。"), _LIVE], 2, ""),
        ([_LIVE, _DEAD], 2, "还没有这一条"),
        ([], 0, "依据没有条文"),
    ],
)
def test_article_without_words_is_found_under_its_fold(app, articles, count, issue):
    with app.test_request_context():
        page = render_template_string(_FOLDED, day=date(2021, 1, 22), articles=articles)
    cited, issues = read_citations(html.fromstring(f"<main>{page}</main>"))
    assert cited == count
    assert any(issue in found for found in issues) if issue else issues == []


def test_chapter_that_cites_a_law_which_is_not_there_is_found(session):
    page = live_html(session, "<p>依据：[[没有的法 第一条]]</p>", on=date(2026, 1, 1))
    assert any("第一条 打不开" in issue for issue in read_citations(html.fromstring(f"<main>{page}</main>"))[1])


def test_links_are_followed_and_an_article_missing_on_its_laws_page_is_named():
    pages = {
        "/study/": '<a href="/study/chapters/1">一</a><a href="/study/chapters/1?order=2">序</a><a href="/other">他</a>',
        "/study/chapters/1": '<a href="/laws/%E6%B3%95/2021-01-22/#第二条">二</a><a href="/laws/%E6%B3%95/2021-01-22/#第九条">九</a><a href="/study/chapters/2">无</a>',
        "/laws/法/2021-01-22/": '<p id="第二条">第二条　有。</p>',
    }

    def get(path):
        return AnsweredPage(path, 200 if path in pages else 404, f"<html><body>{pages.get(path, '')}</body></html>")

    found = Crawl()
    seen = crawl(get, ["/study/"], within=r"/study/chapters/\d+", found=found)
    found.follow_articles(get)
    assert seen == ["/study/", "/study/chapters/1", "/study/chapters/2"]
    assert found.issues == ["/study/chapters/2: 404", "/study/chapters/1: /laws/法/2021-01-22/ 没有 第九条"]
    assert found.pages == 3


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (Kind.SINGLE_CHOICE, {}),
        (Kind.MULTIPLE_CHOICE, {"key": ("A", "C")}),
        (Kind.TRUE_FALSE, {}),
        (Kind.FILL_BLANK, {"blanks": (("三十日",), ("县",))}),
        (Kind.ORDERING, {"key": tuple("CABD")}),
    ],
)
def test_the_walk_answers_each_kind_so_that_practice_takes_it(world, session, kind, asked):
    world.question(kind, explanation="解析在此", **asked)
    learner = world.client(world.person())
    _, path = draw(learner, session)
    answer = post(learner, path, {"response": first_answer(learner.get(path).text)})
    assert answer.status_code == 302
    assert "解析在此" in learner.get(path).text
