"""Part an old exam's results from the people: each becomes a nameless one of its unit, and every figure stays as it was.

The figures count the frozen roster (`roster_snapshot_people`) with the attempts of its people. So for everybody of the exam and its make-ups one
nameless person is made, in an order that tells nothing, and takes their places in these tables; what only the attempt needed is deleted.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Table, cast, delete, exists, func, insert, or_, select, union, update
from sqlalchemy.orm import Session, aliased

from examapp.db.session import Base
from examapp.delivery.exams.models import Exam, ExamState
from examapp.organisation.people.models import Person, PersonState
from examapp.oversight.roster_snapshots.actions import create_snapshot
from examapp.platform.audit.actions import SYSTEM, ActionContext

MOVED = (
    "attempts",
    "roster_snapshot_people",
    "exemptions",
    "roster_corrections",
    "makeup_eligibilities",
    "external_results",
)
"""Tables that figures and lists of an exam are read from."""
DROPPED = (
    "admissions",
    "exam_audiences",
    "exam_extensions",
    "exam_pledges",
    "exam_reminders",
    "harvested_attempts",
    "prepared_papers",
    "review_cards",
    "study_clearances",
)
"""Tables of an exam's people that nothing is counted from afterwards."""
KEPT = ("exercise_runs", "stats_invalidations")
"""Tables that name an exam and a person, but tell of study and go with the person, or are used up within seconds."""
ATTEMPT_TABLES = ("answer_history", "attempt_events", "quarantined_saves", "attempt_contacts")
"""What was noted beside an attempt, for disputes that are over."""
STAYING = ("answers", "grades", "item_marks", "attempt_reopenings")
"""What stays with the nameless one's attempt, since figures are read from it; without words about the person."""
OF_IMPORTS = ("result_import_rows",)
"""The rows of files of results as they came, with names, of which the results were made."""
NAMELESS = "（已匿名）"


def find_due_exams(session: Session, *, before: datetime) -> Sequence[Exam]:
    """Find the main exams that closed long ago, with their make-ups, and whose every attempt is graded."""
    younger, open_attempts = aliased(Exam), Base.metadata.tables["attempts"]
    family = or_(younger.id == Exam.id, younger.main_exam_id == Exam.id)
    is_ungraded = select(open_attempts.c.id).where(
        open_attempts.c.state != "graded", open_attempts.c.exam_id == younger.id
    )
    return session.scalars(
        select(Exam)
        .where(
            Exam.state == ExamState.PUBLISHED,
            Exam.main_exam_id.is_(None),
            Exam.anonymised_at.is_(None),
            ~exists().where(family, or_(younger.closes_at >= before, is_ungraded.exists())),
        )
        .order_by(Exam.id)
    ).all()


def anonymise_exam(session: Session, exam: Exam, *, now: datetime) -> int:
    """Part the results of an exam and its make-ups from the people; gives for how many. In the caller's transaction, whole or not at all."""
    ids = list(session.scalars(select(Exam.id).where(or_(Exam.id == exam.id, Exam.main_exam_id == exam.id))))
    _snapshot_rosters(session, ids, now=now)
    people = _people_of(session, ids)
    nameless = _make_nameless(session, people, exam_id=exam.id, now=now)
    for name in DROPPED:
        _run(session, delete(_table(name)).where(_of(_table(name), ids)))
    _clear_attempts(session, ids)
    moved = (
        func.unnest(cast(list(people), ARRAY(BigInteger)), cast(nameless, ARRAY(BigInteger)))
        .table_valued("former", "nameless")
        .render_derived()
    )
    for name in MOVED:
        table = _table(name)
        _run(
            session,
            update(table)
            .values(person_id=moved.c.nameless)
            .where(table.c.person_id == moved.c.former, table.c.exam_id.in_(ids)),
        )
    _clear_text(session, ids)
    imports = _table("result_imports")
    of_these = select(imports.c.id).where(imports.c.exam_id.in_(ids))
    for name in OF_IMPORTS:
        _run(session, delete(_table(name)).where(_table(name).c.import_id.in_(of_these)))
    _run(session, update(_table("exams")).values(anonymised_at=now).where(_table("exams").c.id.in_(ids)))
    session.expire_all()
    return len(people)


def _snapshot_rosters(session: Session, exam_ids: list[int], *, now: datetime) -> None:
    """Write the rosters down that are not yet: from here on nobody could be found who belongs to the audience."""
    for exam_id in exam_ids:
        exam = session.get_one(Exam, exam_id)
        if exam.snapshot_created_at is None and exam.state == ExamState.PUBLISHED:
            exam.snapshot_due_at = now
            session.flush()
            create_snapshot(ActionContext(session, SYSTEM, now), exam_id)
            session.flush()


def _people_of(session: Session, exam_ids: list[int]) -> dict[int, int]:
    """Give everybody with anything of these exams, and the unit where the nameless one will stand: the roster's, else the person's."""
    tables = [_table(name) for name in MOVED]
    everybody = union(*(select(t.c.person_id).where(t.c.exam_id.in_(exam_ids)) for t in tables)).subquery()
    snapshot = _table("roster_snapshot_people")
    rows = session.execute(
        select(everybody.c.person_id, func.coalesce(func.min(snapshot.c.unit_id), func.min(Person.unit_id)))
        .join(Person, Person.id == everybody.c.person_id)
        .outerjoin(snapshot, (snapshot.c.person_id == everybody.c.person_id) & snapshot.c.exam_id.in_(exam_ids))
        .where(Person.state != PersonState.ANONYMOUS)
        .group_by(everybody.c.person_id)
    )
    return {row[0]: row[1] for row in rows}


def _make_nameless(session: Session, people: dict[int, int], *, exam_id: int, now: datetime) -> list[int]:
    """Make as many nameless persons; numbered in an order by lot, so that no number tells whose it was."""
    if not people:
        return []
    sequence = func.pg_get_serial_sequence("persons", "id")
    ids = list(session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, len(people)))))
    secrets.SystemRandom().shuffle(ids)
    rows = [
        {
            "id": new,
            "staff_number": f"N{exam_id}-{new}",
            "name": NAMELESS,
            "unit_id": unit_id,
            "state": PersonState.ANONYMOUS,
            "rank": "",
            "position": "",
            "created_at": now,
            "updated_at": now,
        }
        for new, unit_id in zip(ids, people.values(), strict=True)
    ]
    session.execute(insert(Person), rows)
    return ids


def _clear_attempts(session: Session, exam_ids: list[int]) -> None:
    attempts = _table("attempts")
    attempt_ids = select(attempts.c.id).where(attempts.c.exam_id.in_(exam_ids))
    for name in ATTEMPT_TABLES:
        _run(session, delete(_table(name)).where(_table(name).c.attempt_id.in_(attempt_ids)))
    grades, certificates = _table("grades"), _table("certificates")
    graded = select(grades.c.id).where(grades.c.attempt_id.in_(attempt_ids))
    _run(session, update(certificates).values(grade_id=None).where(certificates.c.grade_id.in_(graded)))
    reopenings = _table("attempt_reopenings")
    _run(session, update(reopenings).values(reason="").where(reopenings.c.attempt_id.in_(attempt_ids)))
    receipt = func.concat("N", attempts.c.id)
    _run(
        session,
        update(attempts)
        .values(receipt_number=receipt)
        .where(attempts.c.exam_id.in_(exam_ids), attempts.c.receipt_number.is_not(None)),
    )


def _clear_text(session: Session, exam_ids: list[int]) -> None:
    """Take out what tells who it was in words: reasons, and positions that only one person of a unit has."""
    for name, values in (
        ("exemptions", {"reason": "", "answer": "", "file_id": None}),
        ("roster_corrections", {"reason": ""}),
        ("roster_snapshot_people", {"position": ""}),
    ):
        _run(session, update(_table(name)).values(**values).where(_of(_table(name), exam_ids)))


def _of(table: Table, exam_ids: list[int]) -> Any:
    return table.c.exam_id.in_(exam_ids)


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _run(session: Session, statement: Any) -> None:
    session.execute(statement, execution_options={"synchronize_session": False})
