"""The form of a single-choice question."""

from __future__ import annotations

from sqlalchemy import select

from examapp.content.questions.models import BankQuestion, QuestionVersion
from examapp.content.questions.queries import stamp_of

SINGLE = {
    "kind": "single_choice",
    "parts-0-kind": "single_choice",
    "parts-0-stem": "谁作出决定？",
    "parts-0-options-0": "甲",
    "parts-0-options-1": "乙",
    "parts-0-options-2": "",
    "parts-0-key": "B",
    "parts-0-explanation": "见条文。",
    "parts-0-articles": "第三十二条",
    "law": "行政处罚法",
    "law_version": "2021-01-22",
    "topic": "行政法",
    "difficulty": "easy",
    "knowledge_points": "期限、决定",
    "read_version": "0",
    "act": "save",
}


def stamp(session, question):
    session.expire_all()
    return stamp_of(question, version_of(session, question))


def newest(session):
    return session.scalars(select(BankQuestion).order_by(BankQuestion.id.desc())).first()


def version_of(session, question):
    return session.get_one(QuestionVersion, question.current_version_id)


def make(office, session, **fields):
    answer = office.post(f"/admin/questions/new/{fields.get('kind', 'single_choice')}", data=SINGLE | fields)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return newest(session)
