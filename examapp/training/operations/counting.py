"""What is counted for the sums that units see, some times a day: due reviews, and how units stand by law and knowledge point."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.orm import Session

from examapp.training.models import DueCount, HarvestedAttempt

_OLD = timedelta(minutes=15)
_LONGEST = text("SET LOCAL statement_timeout = '10min'")


def is_count_old(session: Session, *, now: datetime) -> bool:
    """Tell whether exams have been learned from since units were last counted, and that is a while ago."""
    counted_at: datetime | None = session.scalar(select(func.max(DueCount.counted_at)))
    learned_at: datetime | None = session.scalar(select(func.max(HarvestedAttempt.harvested_at)))
    if learned_at is None or counted_at is None:
        return learned_at is not None
    return learned_at > counted_at and counted_at <= now - _OLD


def count_due_reviews(session: Session, *, now: datetime) -> int:
    """Count what is due for everybody, in one statement, for the sums that units see; gives for how many people. Safe to run twice."""
    session.execute(_LONGEST)
    result = session.execute(_COUNT_DUE, {"now": now})
    return int(getattr(result, "rowcount", 0))


_COUNT_DUE = text("""
INSERT INTO due_counts (person_id, due, counted_at)
SELECT person_id, count(*) FILTER (WHERE due_at <= :now), :now FROM review_cards WHERE due_at IS NOT NULL GROUP BY person_id
ON CONFLICT (person_id) DO UPDATE SET due = excluded.due, counted_at = excluded.counted_at
""")

_BY_LAW = """
SELECT c.person_id, q.law_name AS name, count(*) AS answered, count(*) FILTER (WHERE c.is_right) AS right_count
FROM review_cards AS c JOIN questions AS q ON q.id = c.question_id WHERE q.law_name <> '' GROUP BY c.person_id, q.law_name
"""
_BY_POINT = """
SELECT c.person_id, k.name, count(*) AS answered, count(*) FILTER (WHERE c.is_right) AS right_count
FROM review_cards AS c JOIN question_knowledge_points AS l ON l.question_id = c.question_id
JOIN knowledge_points AS k ON k.id = l.knowledge_point_id GROUP BY c.person_id, k.name
"""


def _sum_of(by_person: str) -> TextClause:
    return text(f"""
INSERT INTO unit_mastery (unit_id, kind, name, people, answered, right_count, counted_at)
SELECT p.unit_id, :kind, s.name, count(*), sum(s.answered), sum(s.right_count), :now
FROM ({by_person}) AS s JOIN persons AS p ON p.id = s.person_id AND p.state = 'on_roster'
GROUP BY p.unit_id, s.name
""")  # noqa: S608 – the parts are constants of this file


_SUMS = (("law", _sum_of(_BY_LAW)), ("point", _sum_of(_BY_POINT)))


def sum_mastery(session: Session, *, now: datetime) -> None:
    """Add up anew how every unit's own people stand by law and knowledge point. Safe to run twice and side by side."""
    session.execute(_LONGEST)
    session.execute(text("LOCK TABLE unit_mastery IN SHARE ROW EXCLUSIVE MODE"))
    session.execute(text("DELETE FROM unit_mastery"))
    for kind, statement in _SUMS:
        session.execute(statement, {"kind": kind, "now": now})
