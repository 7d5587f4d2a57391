"""Replace a bad question (换题) in the papers of an exam that nobody has started: they are drawn again without it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from examapp.content.question_review.actions import set_state
from examapp.content.questions.models import BankQuestion, QuestionState, QuestionVersion
from examapp.delivery.exam_publication.actions import list_bank_issues
from examapp.delivery.exams.actions import InvalidExamError, lock_exam
from examapp.delivery.exams.models import Exam, ExamState
from examapp.errors import BadRequestError, ConflictError
from examapp.jobs.publisher import enqueue_after_commit
from examapp.organisation.access.rules import AccessScope
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"exams.replace_question": "换题"}
AUDIT_DETAILS = {"replaced": "重抽的试卷", "begun": "已开始的试卷"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """How many papers hold the question: taken back to be drawn again, and begun, which stay as they are."""

    question_id: int
    replaced: int
    begun: int


_TAKE_BACK = text("""
DELETE FROM prepared_papers AS ahead USING papers AS p
WHERE p.id = ahead.paper_id AND ahead.exam_id = :exam_id
  AND EXISTS (SELECT FROM jsonb_path_query(p.sections, '$[*].items[*][0]') AS held WHERE held::bigint = ANY(CAST(:version_ids AS bigint[])))
  AND NOT EXISTS (
    SELECT FROM attempts AS a WHERE a.exam_id = ahead.exam_id AND a.person_id = ahead.person_id AND a.number >= ahead.number
  )
""")
_COUNT_BEGUN = text("""
SELECT count(*) FROM attempts AS a JOIN papers AS p ON p.id = a.paper_id
WHERE a.exam_id = :exam_id
  AND EXISTS (SELECT FROM jsonb_path_query(p.sections, '$[*].items[*][0]') AS held WHERE held::bigint = ANY(CAST(:version_ids AS bigint[])))
""")


def replace_question(
    context: ActionContext, *, exam_id: int, code: str, reason: str, access: AccessScope
) -> Replacement:
    """Retire a question, and take the papers back that hold it and that nobody has started; the same blueprint draws them again.

    A start meanwhile takes the old paper or draws a new one, and waits for nothing. Raises NotFoundError, BadRequestError, ConflictError,
    InvalidExamError where the bank does not suffice without the question.
    """
    session = context.session
    exam = lock_exam(session, exam_id, access)
    if exam.state != ExamState.PUBLISHED or exam.closes_at <= context.now:
        raise ConflictError("只有已发布、还没有结束的考试可以换题。已经结束的，请用“更正成绩”。")
    if not reason.strip():
        raise BadRequestError("请写明换题的原因。")
    question = _get_question(session, code)
    if question.state != QuestionState.RETIRED:
        set_state(context, question_id=question.id, state=QuestionState.RETIRED)
    session.flush()
    _ensure_suffices(session, exam)
    versions = select(QuestionVersion.id).where(QuestionVersion.question_id == question.id)
    values = {"exam_id": exam.id, "version_ids": list(session.scalars(versions))}
    replaced = session.connection().execute(_TAKE_BACK, values).rowcount
    begun = session.connection().execute(_COUNT_BEGUN, values).scalar_one()
    if not replaced and not begun:
        raise BadRequestError("这场考试的试卷里没有这道题，不需要换。")
    details = {"question_id": question.id, "replaced": replaced, "begun": begun, "reason": reason.strip()}
    record(context, "exams.replace_question", object_type="exam", object_id=exam.id, details=details)
    enqueue_after_commit(session, "exams.prepare_papers", exam.id)
    return Replacement(question_id=question.id, replaced=replaced, begun=begun)


def _get_question(session: Session, code: str) -> BankQuestion:
    question = session.scalar(select(BankQuestion).where(func.upper(BankQuestion.code) == code.strip().upper()))
    if question is None:
        raise BadRequestError("没有这个编号的题。题号在题库列表的第一列。")
    return question


def _ensure_suffices(session: Session, exam: Exam) -> None:
    if issues := list_bank_issues(session, exam):
        raise InvalidExamError("换掉这道题以后题库不够，没有换：" + " ".join(issues))
