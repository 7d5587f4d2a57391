"""Keep what the bank's search looks through in step with the questions."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.questions.models import QuestionSearch
from examapp.questions.rules.searching import grams_of, searchable


def index_questions(session: Session, texts: Iterable[tuple[int, str, str]]) -> None:
    """Make questions findable by their words: (question id, number, words of the current version)."""
    rows = [
        {"question_id": question_id, "text": words, "grams": grams_of(words)}
        for question_id, code, text in texts
        for words in [searchable(code, text)]
    ]
    if not rows:
        return
    statement = insert(QuestionSearch)
    changed = {"text": statement.excluded.text, "grams": statement.excluded.grams}
    session.execute(statement.on_conflict_do_update(index_elements=["question_id"], set_=changed), rows)
