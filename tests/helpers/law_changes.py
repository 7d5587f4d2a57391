"""A law of two versions, and questions that cite it."""

from __future__ import annotations

from datetime import date

from examapp import clock
from examapp.content.law_texts.rules import LawText, ReadArticle
from examapp.content.laws.actions import import_law_text
from examapp.content.question_editing.actions import add_questions
from examapp.content.question_law_changes.actions import check_laws
from examapp.content.questions.models import BankQuestion
from examapp.platform.audit.actions import SYSTEM, ActionContext
from question_bank import model
from tests.helpers.questions import single

LAW = "治安测试法"


OLD = {
    "第一条": "为了维护社会治安秩序，保障公共安全，制定本法。",
    "第二条": "扰乱公共秩序的，处五日以上十日以下拘留，可以并处五百元以下罚款。",
    "第三条": "处罚的程序，适用本法的规定；本法没有规定的，适用行政处罚法的有关规定。",
    "第四条": "居民委员会应当协助调查。",
}


NEW = {
    "第一条": "为了维护社会治安秩序，保障公共安全，制定本法。",
    "第二条": "扰乱公共秩序的，处五日以上十日以下拘留，可以并处一千元以下罚款。",
    "第三条": "本法所称近亲属，是指配偶、父母、子女。",
    "第五条": "处罚的程序，适用本法的规定；本法没有规定的，适用行政处罚法的有关规定。",
}


def bring_in(session, articles, day, law=LAW):
    text = LawText(
        name=law,
        version_on=date.fromisoformat(day),
        effective_on=None,
        articles=[ReadArticle(label, n, "", text) for n, (label, text) in enumerate(articles.items())],
    )
    import_law_text(ActionContext(session, SYSTEM, clock.now()), text=text)
    check_laws(session, now=clock.now())


def on(article, n=0, *, day="2012-10-26", law=LAW, **fields):
    return single(
        stem=f"关于{article}的第{n}题，怎样处理？",
        citation=model.Citation(law=law, article=article, version=day),
        **fields,
    )


def add(session, *questions, state="active"):
    ids = add_questions(ActionContext(session, SYSTEM, clock.now()), questions=questions, state=state)
    return [session.get_one(BankQuestion, each) for each in ids]
