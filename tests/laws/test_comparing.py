"""What became of each article when a law was amended."""

import csv
import io
import re

from hypothesis import given
from hypothesis import strategies as st

from examapp.content.law_texts.rules import read_law_text
from examapp.content.laws.rules import ArticleOutcome, compare_articles
from examapp.documents.text_diff import compare_texts
from tests.helpers.law_changes import bring_in

OLD = {
    "第一条": "为了维护社会治安秩序，保障公共安全，制定本法。",
    "第二条": "扰乱公共秩序，尚不够刑事处罚的，由公安机关依照本法给予处罚。",
    "第三条": "处罚的程序，适用本法的规定；本法没有规定的，适用行政处罚法的有关规定。",
    "第四条": "在中华人民共和国领域内发生的违反治安管理行为，适用本法:",
    "第五条": "居民委员会应当协助调查。",
}
NEW = {
    "第一条": "为了维护社会治安秩序，保障公共安全，制定本法。",
    "第二条": "治安管理工作坚持中国共产党的领导，坚持综合治理。",
    "第三条": "扰乱公共秩序，尚不构成刑事处罚的，由公安机关依照本法给予治安管理处罚。",
    "第四条": "处罚的程序，适用本法的规定；本法没有规定的，适用行政处罚法的有关规定。",
    "第五条": "在中华人民共和国领域内发生的违反治安管理行为，适用本法：",
}


def test_articles_are_same_changed_moved_repealed_or_new():
    found = compare_articles(OLD, NEW)
    assert [(each.change.value, each.old, each.new) for each in found.changes] == [
        ("same", "第一条", "第一条"),
        ("changed", "第二条", "第三条"),
        ("moved", "第三条", "第四条"),
        ("moved", "第四条", "第五条"),
        ("repealed", "第五条", None),
        ("new", None, "第二条"),
    ]
    assert (found.same_number_same_text, found.same_number_changed_text, found.text_moved_to_another_number) == (
        1,
        4,
        2,
    )


def test_article_rewritten_under_its_number_is_changed_not_repealed():
    found = compare_articles(
        {"第一条": "公安机关负责本辖区的治安管理工作。"}, {"第一条": "国务院公安部门负责全国治安管理工作的指导和监督。"}
    )
    assert [(each.change, each.new) for each in found.changes] == [(ArticleOutcome.CHANGED, "第一条")]


@given(
    st.dictionaries(
        st.sampled_from([f"第{n}条" for n in "一二三四五六"]), st.text("甲乙丙丁，。", min_size=1, max_size=12)
    ),
    st.dictionaries(
        st.sampled_from([f"第{n}条" for n in "一二三四五六"]), st.text("甲乙丙丁，。", min_size=1, max_size=12)
    ),
)
def test_every_article_of_both_versions_is_accounted_for(old, new):
    found = compare_articles(old, new)
    assert [each.old for each in found.changes if each.old] == list(old)
    pointed_at = {each.new for each in found.changes if each.new}
    assert pointed_at == set(new) and found.same_number_same_text == found.count(ArticleOutcome.SAME)


def test_comparison_agrees_with_the_known_counts_of_every_pair_at_hand(laws_folder):
    table = (laws_folder / "VERSION-PAIRS.tsv").read_text("utf-8")
    compared = 0
    for row in csv.DictReader(io.StringIO(table), delimiter="\t"):
        old, new = (_articles(laws_folder, row["law"], row[day]) for day in ("old_version", "new_version"))
        if not old or not new:
            continue
        found = compare_articles(old, new)
        counts = (
            len(old),
            len(new),
            found.same_number_same_text,
            found.same_number_changed_text,
            found.text_moved_to_another_number,
        )
        names = (
            "articles_old",
            "articles_new",
            "same_number_same_text",
            "same_number_changed_text",
            "text_moved_to_another_number",
        )
        assert counts == tuple(int(row[name]) for name in names), row["law"]
        compared += 1
    assert compared >= 6


def _articles(folder, law, day):
    for path in sorted(folder.rglob(f"{law}({day}).*"), key=lambda each: each.suffix == ".md"):
        return {article.label: article.text for article in read_law_text(path.read_bytes(), path.name).articles}
    return {}


@given(st.text("一二三条款，。ab1 \n", max_size=60), st.text("一二三条款，。ab1 \n", max_size=60))
def test_pieces_of_a_comparison_add_up_to_both_texts(old, new):
    found = compare_texts(old, new)
    assert ("".join(p.text for p in found.old), "".join(p.text for p in found.new)) == (old, new)
    assert found.is_same == (old == new)


def test_numbers_and_article_names_are_compared_whole():
    found = compare_texts("违反第三十条的，处10日拘留。", "违反第三十二条的，处15日拘留。")
    assert [p.text for p in found.old if p.is_own] == ["第三十条", "10"] and [
        p.text for p in found.new if p.is_own
    ] == ["第三十二条", "15"]


def test_office_sees_two_versions_article_by_article(world, session):
    office = world.api(world.admin("publicity_office"))
    bring_in(session, OLD, "2012-10-26")
    bring_in(session, NEW, "2025-06-27")
    page = office.get("/admin/laws/").get_data(as_text=True)
    (address,) = {part.split('"')[0] for part in page.split('href="')[1:] if part.startswith("/admin/laws/compare/")}
    shown = office.get(address).get_data(as_text=True)
    assert "内容相同、换了条号 2 条" in shown and ">删<" in shown and ">增<" in shown
    assert re.findall(r'figure-value"><a[^>]*>(\d+)</a>', shown) == ["1", "1", "2", "1", "1"]
    assert office.get(f"{address}?only=repealed").get_data(as_text=True).count("<section id=") == 1
