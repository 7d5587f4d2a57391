"""Searching a bank of 100,000 questions, on a PostgreSQL of its own: the whole page of the back office, as its reader waits for it."""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from benchmarks.alone import application_alone, without_indexes
from examapp import clock
from examapp.content.question_editing.actions import add_questions
from examapp.content.question_law_changes import queries as question_law_change_queries
from examapp.content.question_search import queries as question_search_queries
from examapp.content.question_search.queries import Flag, QuestionFilter
from examapp.content.questions.models import QuestionState
from examapp.db.session import db, transaction
from examapp.platform.audit.actions import SYSTEM, ActionContext
from question_bank.model import Question
from question_bank.quality import read_content

QUESTIONS = 100_000
_CONTENT = Path(__file__).parents[1] / "question_bank" / "content"
_AT_ONCE = 5_000
_ROUNDS = 5
FILTERS = {
    "no filter": QuestionFilter(),
    "one character in nearly all": QuestionFilter(text="的"),
    "a pair in most": QuestionFilter(text="行政"),
    "a common phrase": QuestionFilter(text="行政机关"),
    "a rare phrase": QuestionFilter(text="政府信息公开"),
    "a phrase that is nowhere": QuestionFilter(text="紫色长颈鹿"),
    "two words": QuestionFilter(text="行政处罚 期限"),
    "a long sentence": QuestionFilter(text="应当自收到申请之日起"),
    "law": QuestionFilter(law="行政处罚法"),
    "law and words": QuestionFilter(law="行政处罚法", text="应当"),
    "article": QuestionFilter(article="第三十二条"),
    "law, article and words": QuestionFilter(law="行政处罚法", article="第三十二条", text="处罚"),
    "knowledge point": QuestionFilter(knowledge_point="听证程序"),
    "kind, difficulty, state and words": QuestionFilter(
        kind="single_choice", difficulty="hard", state="active", text="县级"
    ),
    "author": QuestionFilter(author_id=1, text="国家"),
    "flag": QuestionFilter(flag=Flag.REVIEW_NOTE),
    "the last page": QuestionFilter(text="行政"),
}


def measure() -> dict[str, object]:
    """Fill a bank, wait for a line from who started this, search it in every way, and give the milliseconds of each (count and page together)."""
    with application_alone({}) as app, app.app_context():
        began = time.perf_counter()
        _fill()
        filled = time.perf_counter() - began
        sys.stdin.readline()
        took = {name: _time(name, wanted) for name, wanted in FILTERS.items()}
        db.session.remove()
    return {"ms": took, "fill_s": filled, "worst_ms": max(took.values())}


def _fill() -> None:
    rng = random.Random(5)
    seed = read_content(_CONTENT)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = '30min'"))
        with without_indexes(connection, "question_searches", keeps_keys=True):
            for start in range(0, QUESTIONS, _AT_ONCE):
                with transaction() as session:
                    questions = [_varied(seed[n % len(seed)], n, rng) for n in range(start, start + _AT_ONCE)]
                    add_questions(
                        ActionContext(session, SYSTEM, clock.now()), questions=questions, state=QuestionState.ACTIVE
                    )
        connection.execute(text("VACUUM ANALYZE"))


def _varied(question: Question, n: int, rng: random.Random) -> Question:
    """Give a question like the seed's with other words in it, so that no two are the same."""
    wording = list(question.stem)
    for _ in range(len(wording) // 5):
        wording[rng.randrange(len(wording))] = chr(0x4E00 + rng.randrange(3000))
    return replace(question, code=f"n-{n:06d}", stem=f"{''.join(wording)}{n}")


def _time(name: str, wanted: QuestionFilter) -> float:
    times = []
    for _ in range(_ROUNDS):
        with transaction() as session:
            began = time.perf_counter()
            count = question_search_queries.count_questions(session, wanted)
            last = max(1, -(-count // question_search_queries.PAGE_SIZE)) if name == "the last page" else 1
            question_search_queries.list_questions(session, wanted, page=last)
            question_search_queries.list_law_names(session)
            question_search_queries.list_topics(session)
            question_search_queries.list_authors(session)
            question_law_change_queries.count_flagged(session)
            times.append(1000 * (time.perf_counter() - began))
    if "-v" in sys.argv:
        print(f"{name}: {count} found, {statistics.median(times):.0f} ms", file=sys.stderr)
    return round(statistics.median(times), 1)


if __name__ == "__main__":
    print(json.dumps(measure(), ensure_ascii=False))
