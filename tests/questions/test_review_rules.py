"""What the machine finds in one question is named rule by rule."""

from __future__ import annotations

from dataclasses import replace

from examapp.content.laws.queries import ArticleContent
from examapp.content.question_review.rules import check_draft
from question_bank.model import Citation, Difficulty, Kind, Question

GOOD = Question(
    kind=Kind.SINGLE_CHOICE,
    stem="行政机关应当自收到申请之日起多少日内答复？",
    options=("十日", "二十日", "三十日", "六十日"),
    key=("B",),
    explanation="期限为二十日。",
    difficulty=Difficulty.EASY,
    knowledge_points=("期限",),
    citation=Citation(law="政府信息公开条例", article="第三十三条"),
)
ARTICLE = ArticleContent(label="第三十三条", text="应当自收到申请之日起20个工作日内予以答复。")


def findings(question, articles=(ARTICLE,), similar=()):
    return [text for rule in check_draft(question, [articles], similar_codes=similar) for text in rule.findings]


def changed(**fields):
    return replace(GOOD, **fields)


def test_a_sound_question_has_no_finding_and_every_rule_is_named():
    assert findings(GOOD) == []
    assert len(check_draft(GOOD, [[ARTICLE]], similar_codes=())) == 6


def test_each_rule_names_its_finding():
    assert findings(changed(explanation="")) == ["没有解析"]
    assert findings(GOOD, [ArticleContent(label="第三十三条")]) == ["第三十三条没有原文，也没有要点"]
    assert findings(changed(key=("C",)))[0].startswith("“三十日”中的 30 条文里没有")
    options = ("十日", "二十个工作日", "三十日", "六十日")
    assert findings(changed(options=options)) == ["正确选项唯一最长"]
    found = findings(changed(options=("十日", "二十日", "必须三十日", "六十日")))
    assert found == ["错误选项“必须三十日”含“必须”，正确选项都不含"]
    assert findings(GOOD, similar=["XZ-1"]) == ["与 XZ-1 很像"]
