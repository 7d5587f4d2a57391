"""Replace bad questions (换题) in the papers of an exam that nobody has started: they are drawn again without them.

One way for both: the office names a question, or the sweep finds questions that were retired, taken back to drafts or overtaken by a law.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.content.question_review.actions import set_state
from examapp.content.questions.models import BankQuestion, QuestionState, QuestionVersion
from examapp.delivery.exam_publication.actions import list_bank_issues
from examapp.delivery.exams.actions import InvalidExamError, lock_exam
from examapp.delivery.exams.models import Exam, ExamState
from examapp.delivery.question_replacements.models import PaperCheck, PaperRedraw
from examapp.delivery.question_replacements.queries import IS_BARRED, list_redraws
from examapp.errors import BadRequestError, ConflictError
from examapp.jobs.publisher import enqueue_after_commit
from examapp.organisation.access.rules import AccessScope
from examapp.platform.audit.actions import SYSTEM, ActionContext, record

AUDIT_ACTS = {"exams.replace_question": "换题"}
AUDIT_DETAILS = {"question_ids": "试题编号", "replaced": "重抽的试卷", "begun": "已开始的试卷"}
_BY_ITSELF = "题目已停用、退回草稿，或者所依据的法律有变"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """How many papers hold the questions: taken back to be drawn again, and begun, which stay as they are."""

    replaced: int
    begun: int


_HOLDS = "EXISTS (SELECT FROM jsonb_path_query(p.sections, '$[*].items[*][0]') AS held WHERE held::bigint = ANY(CAST(:version_ids AS bigint[])))"
_AHEAD = f"""FROM prepared_papers AS ahead USING papers AS p
WHERE p.id = ahead.paper_id AND ahead.exam_id = :exam_id AND {_HOLDS}
  AND NOT EXISTS (
    SELECT FROM attempts AS a WHERE a.exam_id = ahead.exam_id AND a.person_id = ahead.person_id AND a.number >= ahead.number
  )"""
_TAKE_BACK = text(f"WITH taken AS (DELETE {_AHEAD} RETURNING 1) SELECT count(*) FROM taken")  # noqa: S608 – constants
_COUNT_AHEAD = text(f"SELECT count(*) {_AHEAD.replace('USING papers', 'CROSS JOIN papers')}")
_COUNT_BEGUN = text(
    f"SELECT count(*) FROM attempts AS a JOIN papers AS p ON p.id = a.paper_id WHERE a.exam_id = :exam_id AND {_HOLDS}"  # noqa: S608 – constants
)


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
    if issues := list_bank_issues(session, exam):
        raise InvalidExamError("换掉这道题以后题库不够，没有换：" + " ".join(issues))
    done = _take_back(context, exam, [question.id], reason=reason.strip())
    if not done.replaced and not done.begun:
        raise BadRequestError("这场考试的试卷里没有这道题，不需要换。")
    return done


def replace_barred_questions(session: Session, exam_id: int, *, now: datetime) -> Replacement | None:
    """Take the papers back that hold questions barred since the last check and that nobody has started; None where nothing is new.

    Where the bank does not suffice without them the papers stay, so that everybody can start; the office is told once, and the next check tries
    again. An exam whose row another transaction holds waits for the next check.
    """
    exam = session.scalar(
        select(Exam)
        .where(Exam.id == exam_id, Exam.state == ExamState.PUBLISHED, Exam.closes_at > now)
        .with_for_update(key_share=True, skip_locked=True)
    )
    if exam is None:
        return None
    used = select(QuestionVersion.id).where(
        QuestionVersion.question_id == BankQuestion.id, QuestionVersion.used_at.is_not(None)
    )
    barred = set(session.scalars(select(BankQuestion.id).where(IS_BARRED, used.exists())))
    check = session.get(PaperCheck, exam_id)
    known = set(check.question_ids) if check else set()
    if barred == known:
        return None
    fresh, done = sorted(barred - known), None
    if fresh:
        done = _redraw(ActionContext(session, SYSTEM, now), exam, fresh)
        if done is None:
            return None
    row = {"exam_id": exam_id, "question_ids": sorted(barred), "checked_at": now}
    session.execute(insert(PaperCheck).values(row).on_conflict_do_update(index_elements=["exam_id"], set_=row))
    return done


def _redraw(context: ActionContext, exam: Exam, question_ids: list[int]) -> Replacement | None:
    """Take papers back for questions that were barred; None where the bank does not suffice and they stay."""
    session = context.session
    issues = list_bank_issues(session, exam) if _count(session, _COUNT_AHEAD, exam, question_ids) else []
    if not issues:
        return _take_back(context, exam, question_ids, reason=_BY_ITSELF)
    last = next(iter(list_redraws(session, exam.id)), None)
    if last is None or not last.redraw.shortage or set(last.redraw.question_ids) != set(question_ids):
        begun = _count(session, _COUNT_BEGUN, exam, question_ids)
        session.add(
            PaperRedraw(
                exam_id=exam.id, question_ids=question_ids, replaced=0, begun=begun, reason=_BY_ITSELF,
                shortage=" ".join(issues), created_at=context.now,
            )
        )  # fmt: skip
    return None


def _take_back(context: ActionContext, exam: Exam, question_ids: list[int], *, reason: str) -> Replacement:
    session = context.session
    replaced = _count(session, _TAKE_BACK, exam, question_ids)
    begun = _count(session, _COUNT_BEGUN, exam, question_ids)
    if replaced or begun:
        session.add(
            PaperRedraw(
                exam_id=exam.id, question_ids=question_ids, replaced=replaced, begun=begun, reason=reason, created_at=context.now
            )
        )  # fmt: skip
        details = {"question_ids": question_ids, "replaced": replaced, "begun": begun, "reason": reason}
        record(context, "exams.replace_question", object_type="exam", object_id=exam.id, details=details)
        enqueue_after_commit(session, "exams.prepare_papers", exam.id)
    return Replacement(replaced=replaced, begun=begun)


def _count(session: Session, statement: TextClause, exam: Exam, question_ids: Collection[int]) -> int:
    versions = select(QuestionVersion.id).where(
        QuestionVersion.question_id.in_(question_ids), QuestionVersion.used_at.is_not(None)
    )
    values = {"exam_id": exam.id, "version_ids": list(session.scalars(versions))}
    counted: int = session.connection().execute(statement, values).scalar_one()
    return counted


def _get_question(session: Session, code: str) -> BankQuestion:
    question = session.scalar(select(BankQuestion).where(func.upper(BankQuestion.code) == code.strip().upper()))
    if question is None:
        raise BadRequestError("没有这个编号的题。题号在题库列表的第一列。")
    return question
