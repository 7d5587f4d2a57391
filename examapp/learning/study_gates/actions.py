"""What follows from passed chapters: completed courses, and the clearances that exams ask for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from examapp.delivery.exams.actions import lock_exam
from examapp.errors import DomainError
from examapp.learning.courses.queries import get_course
from examapp.organisation.access.rules import AccessScope
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"training.ask_for_courses": "设置考前要学的课程"}


class InvalidStudyGateError(DomainError):
    """A study gate no longer moves once people may sit."""

    code = "gate_refused"
    message = "考试已经开始，不能再改考前要学的课程。"


_COMPLETE = text("""
INSERT INTO course_completions (course_id, person_id, year, is_required, credits, completed_at)
SELECT c.id, p.person_id, c.year, c.is_required, c.credits, max(p.passed_at)
FROM courses AS c
JOIN chapters AS h ON h.course_id = c.id
JOIN chapter_progress AS p ON p.chapter_id = h.id AND p.passed_at IS NOT NULL
WHERE c.id = :course_id AND c.state = 'published' AND (CAST(:person_id AS bigint) IS NULL OR p.person_id = :person_id)
GROUP BY c.id, p.person_id
HAVING count(*) = (SELECT count(*) FROM chapters WHERE course_id = c.id)
ON CONFLICT DO NOTHING
""")

_MET = """
SELECT e.id AS exam_id, d.person_id
FROM exams AS e
JOIN course_completions AS d ON d.year = extract(year FROM e.opens_at AT TIME ZONE 'Asia/Shanghai')
WHERE e.state = 'published' AND e.closes_at > :now AND e.study_gate <> '{}' AND e.study_gate - 'required' - 'elective' - 'courses' = '{}'
  AND (CAST(:person_id AS bigint) IS NULL OR d.person_id = :person_id)
GROUP BY e.id, d.person_id
HAVING coalesce(sum(d.credits) FILTER (WHERE d.is_required), 0) >= coalesce((e.study_gate ->> 'required')::numeric, 0)
  AND coalesce(sum(d.credits) FILTER (WHERE NOT d.is_required), 0) >= coalesce((e.study_gate ->> 'elective')::numeric, 0)
  AND coalesce(e.study_gate -> 'courses', '[]') <@ jsonb_agg(d.course_id)
"""

_CLEAR = text(f"INSERT INTO study_clearances (exam_id, person_id, cleared_at) SELECT exam_id, person_id, :now FROM ({_MET}) AS met ON CONFLICT DO NOTHING")  # noqa: S608  # fmt: skip
# meant: both parts are constants of this file.

_WITHDRAW = text(f"""
DELETE FROM study_clearances AS s USING exams AS x
WHERE x.id = s.exam_id AND x.state = 'published' AND x.opens_at > :now
  AND NOT EXISTS (SELECT 1 FROM ({_MET}) AS met WHERE met.exam_id = s.exam_id AND met.person_id = s.person_id)
""")  # noqa: S608 – as above


def complete_course(session: Session, course_id: int, *, person_id: int | None = None) -> None:
    """Write who has done every chapter of a published course, of all people or one; safe to run twice."""
    session.execute(_COMPLETE, {"course_id": course_id, "person_id": person_id})


def clear_exams(session: Session, *, now: datetime, person_id: int | None = None) -> int:
    """Write clearances for the study gates that completed courses meet, of all people or one; gives how many are new.

    A gate asks for credits of required and of elective courses of the year in which the exam opens. Without a person, clearances that a
    gate raised before its exam's opening no longer grants are taken back.
    """
    values = {"now": now, "person_id": person_id}
    if person_id is None:
        session.execute(_WITHDRAW, values)
    result = session.execute(_CLEAR, values)
    return result.rowcount if isinstance(result, CursorResult) else 0


def ask_for_courses(context: ActionContext, *, exam_id: int, course_ids: Sequence[int], access: AccessScope) -> None:
    """Say which courses an exam asks for before it may be sat, besides its credits; only until it opens.

    Raises NotFoundError for an exam or a course outside the access scope, InvalidStudyGateError once the exam has opened.
    """
    session, now = context.session, context.now
    exam = lock_exam(session, exam_id, access)
    if exam.opens_at <= now:
        raise InvalidStudyGateError
    for course_id in course_ids:
        get_course(session, course_id, access)
    gate = {name: value for name, value in exam.study_gate.items() if name != "courses"}
    exam.study_gate = gate | ({"courses": sorted(set(course_ids))} if course_ids else {})
    session.flush()
    clear_exams(session, now=now)
    record(
        context, "training.ask_for_courses", object_type="exam", object_id=exam_id, details={"count": len(course_ids)}
    )
