"""Gists of articles: what a gist may say, the shipped files, and where readers meet them."""

from datetime import date

import pytest

from examapp import clock
from examapp.content.laws.actions import load_gists
from examapp.content.laws.models import LawArticle
from examapp.content.laws.queries import find_article_contents, get_version
from examapp.learning.course_contents.queries import live_html
from question_bank.gists import MAX_LENGTH, LawGists, UnreadableGistsError, copied_share, iter_gist_issues, read_gists

ARTICLE = "行政机关应当自立案之日起九十日内作出决定，并处二万元以上五万元以下或者违法所得百分之十五的罚款；情节严重的，第三人可以申请一次延期。"
GISTS = LawGists(
    law="测试法",
    version_on=date(2021, 1, 22),
    effective_on=date(2021, 7, 15),
    reviewed_on=None,
    by_label={"第一条": "说明为什么立法。", "第二条": "九十日内作决定。"},
)


@pytest.mark.parametrize(
    ("gist", "issue"),
    [
        ("立案后90日内决定；罚2万元至5万元，或者15%；一般不延期，统一执行。", ""),
        ("立案后60日内决定。", "60"),
        ("决定期限是六个月。", "6"),
        ("罚款2万元到50000元，最多十万元。", "100000"),
        ("只准延期一年。", ""),
        ("行政机关应当自立案之日起九十日内作出决定，并处二万元以上罚款。", "相同"),
        ("长" * (MAX_LENGTH + 1), "121 字"),
    ],
)
def test_a_gist_has_the_numbers_of_its_article_and_its_own_words(gist, issue):
    found = "；".join(iter_gist_issues(gist, ARTICLE))
    assert (issue in found) if issue else not found


def test_what_stands_in_the_article_word_for_word_is_counted_and_terms_are_not():
    assert copied_share("自立案之日起，九十日内作出决定。", ARTICLE) == 1
    assert copied_share("县局查了一百天还没有结案，行政机关超过了期限。", ARTICLE) < 0.3


def test_shipped_gists_can_be_read_and_are_short():
    laws = read_gists()
    assert len({law.law for law in laws}) == len(laws) > 0
    for law in laws:
        assert law.effective_on >= law.version_on, law.law
        assert max(map(len, law.by_label.values())) <= MAX_LENGTH, law.law


def test_a_line_that_is_no_gist_is_named(tmp_path):
    (tmp_path / "甲法.txt").write_text("@law 甲法\n@version 2021-01-22\n第一条 没有冒号\n", "utf-8")
    with pytest.raises(UnreadableGistsError, match=r"甲法\.txt: 3"):
        read_gists(tmp_path)


def test_reader_sees_the_gist_and_the_official_text_above_it_once_imported(world, session):
    assert load_gists(session, [GISTS], now=clock.now()) == load_gists(session, [GISTS], now=clock.now()) == 2
    version = get_version(session, law="测试法", version_on=date(2021, 1, 22))
    client = world.client(world.person())
    page = client.get("/laws/测试法/2021-01-22/").get_data(as_text=True)
    assert "九十日内作决定。" in page and "不是法律原文" in page and 'id="第二条"' in page
    assert "2 条要点" in client.get("/laws/").get_data(as_text=True)
    course = live_html(session, "<p>依据：[[测试法 第一条、第三条]]</p>", on=date(2026, 1, 1))
    assert course.startswith("<details><summary>依据：《测试法》（2021年版）第一条、第三条</summary>")
    assert "（要点）说明为什么立法。" in course and "《测试法》第三条：法律法规中还没有这一条" in course
    world.save(LawArticle(law_version_id=version.id, position=200, label="第二条", text="自立案之日起九十日内作出。"))
    page = client.get("/laws/测试法/2021-01-22/").get_data(as_text=True)
    assert page.index("自立案之日起九十日内作出。") < page.index("九十日内作决定。")
    found = find_article_contents(session, [(version.id, "第二条"), (version.id, "第九条")])
    assert [(each.text, each.gist) for each in found.values()] == [("自立案之日起九十日内作出。", "九十日内作决定。")]
