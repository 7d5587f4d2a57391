"""How much extra time a person has in an exam, as a start reads it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from examapp.delivery.exam_candidates.queries import select_for_start
from examapp.organisation.people.models import Person


def extensions_of(session: Session, exam_id: int, person_id: int) -> int:
    statement = select_for_start().where(Person.id == person_id)
    return int(session.execute(statement, {"exam_id": exam_id}).one().extension_s)
