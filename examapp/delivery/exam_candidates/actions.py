"""Make papers ahead, so that a start is one read."""

from __future__ import annotations

import secrets
from collections import defaultdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.content.blueprints.actions import make_papers
from examapp.content.blueprints.queries import get_blueprint
from examapp.delivery.exam_candidates.queries import CandidateExam, find_prepared_paper
from examapp.delivery.exams.models import Exam, ExamState, PreparedPaper
from examapp.delivery.exams.queries import ON_ROSTER, audience_clause, blueprint_of, excused
from examapp.errors import ConflictError
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit

BATCH = 500


def prepare_papers(session: Session, exam_id: int, *, now: datetime, limit: int = BATCH) -> int:
    """Make the first paper for up to `limit` eligible candidates who lack one; return how many were made, 0 when all are done.

    Safe to run twice and side by side: the exam's row is locked, and who finds it locked makes none. Raises BankTooSmallError.
    """
    exam = session.scalar(
        select(Exam)
        .where(Exam.id == exam_id, Exam.state == ExamState.PUBLISHED, Exam.closes_at > now)
        .with_for_update(key_share=True, skip_locked=True)
    )
    if exam is None:
        return 0
    by_blueprint: dict[int, list[int]] = defaultdict(list)
    for person_id, blueprint_id in _list_without_paper(session, exam, limit=limit):
        by_blueprint[blueprint_id].append(person_id)
    for blueprint_id, person_ids in by_blueprint.items():
        _store(session, exam.id, blueprint_id, person_ids, number=1, now=now)
    return sum(map(len, by_blueprint.values()))


def _list_without_paper(session: Session, exam: Exam, *, limit: int) -> list[tuple[int, int]]:
    has_paper = select(PreparedPaper.paper_id).where(
        PreparedPaper.exam_id == exam.id, PreparedPaper.person_id == Person.id, PreparedPaper.number == 1
    )
    blueprint_id = blueprint_of(exam.id, exam.blueprint_id)
    rows = session.execute(
        select(Person.id, blueprint_id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(
            ON_ROSTER,
            audience_clause(session, exam),
            ~excused(exam.id),
            ~has_paper.exists(),
            blueprint_id.is_not(None),
        )
        .order_by(Person.id)
        .limit(limit)
    )
    return [(person_id, found) for person_id, found in rows if found is not None]


def _store(
    session: Session, exam_id: int, blueprint_id: int, person_ids: list[int], *, number: int, now: datetime
) -> None:
    # The seed is what keeps a paper secret, so it is no function of anything known.
    seeds = [secrets.randbits(62) for _ in person_ids]
    paper_ids = make_papers(session, blueprint=get_blueprint(session, blueprint_id), seeds=seeds, now=now)
    session.execute(
        insert(PreparedPaper).on_conflict_do_nothing(),
        [
            {"exam_id": exam_id, "person_id": person_id, "number": number, "paper_id": paper_id}
            for person_id, paper_id in zip(person_ids, paper_ids, strict=True)
        ],
    )


def prepare_paper(session: Session, candidate: CandidateExam, number: int, *, now: datetime) -> int:
    """Give the paper of a person's n-th attempt, making it now where none was made ahead. Safe side by side: the first one made counts."""
    found = find_prepared_paper(session, candidate.exam.id, candidate.person_id, number)
    if found is None:
        if candidate.blueprint_id is None:
            raise ConflictError("这场考试还没有设置组卷规则。请联系普法办。")
        _store(session, candidate.exam.id, candidate.blueprint_id, [candidate.person_id], number=number, now=now)
        found = find_prepared_paper(session, candidate.exam.id, candidate.person_id, number)
    if found is None:
        raise ConflictError
    return found
