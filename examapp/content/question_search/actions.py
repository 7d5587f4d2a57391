"""Change the metadata of many questions at once, after a preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from examapp.content.question_editing.actions import add_knowledge_points
from examapp.content.questions.models import BankQuestion, KnowledgePoint, question_knowledge_points
from examapp.errors import BadRequestError
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"questions.export": "导出题库", "questions.apply_bulk": "成批修改试题"}

MAX_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkChange:
    """What to set; None and empty change nothing."""

    difficulty: str | None = None
    """The empty word takes the difficulty away."""
    topic: str | None = None
    added_point: str = ""
    removed_point: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was chosen."""
        return self.difficulty is None and self.topic is None and not (self.added_point or self.removed_point)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A question's description."""

    difficulty: str
    topic: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRow:
    """A question that would change."""

    id: int
    code: str
    before: Described
    after: Described


def preview_bulk(session: Session, *, ids: Sequence[int], change: BulkChange) -> list[BulkRow]:
    """Return the questions that a change would change; raises BadRequestError where it is empty or too large."""
    if change.is_empty:
        raise BadRequestError("请选择要修改什么。")
    if len(ids) > MAX_AT_ONCE:
        raise BadRequestError(f"一次最多修改 {MAX_AT_ONCE} 题，现在有 {len(ids)} 题。请用条件缩小范围。")
    statement = (
        select(BankQuestion).where(BankQuestion.id.in_(ids)).options(selectinload(BankQuestion.knowledge_points))
    )
    rows = (
        BulkRow(id=row.id, code=row.code, before=before, after=_after(before, change))
        for row in session.scalars(statement.order_by(BankQuestion.code))
        for before in [_before(row)]
    )
    return [row for row in rows if row.before != row.after]


def _before(row: BankQuestion) -> Described:
    points = tuple(sorted(point.name for point in row.knowledge_points))
    return Described(difficulty=row.difficulty or "", topic=row.topic, points=points)


def _after(before: Described, change: BulkChange) -> Described:
    points = set(before.points) - {change.removed_point}
    if change.added_point:
        points.add(change.added_point)
    return Described(
        difficulty=before.difficulty if change.difficulty is None else change.difficulty,
        topic=before.topic if change.topic is None else change.topic,
        points=tuple(sorted(points)),
    )


def apply_bulk(context: ActionContext, *, ids: Sequence[int], change: BulkChange) -> int:
    """Change the metadata of questions; content and key stay. Return how many changed."""
    session = context.session
    session.execute(select(BankQuestion.id).where(BankQuestion.id.in_(ids)).order_by(BankQuestion.id).with_for_update())
    rows = preview_bulk(session, ids=ids, change=change)
    changed = [row.id for row in rows]
    for question in session.scalars(select(BankQuestion).where(BankQuestion.id.in_(changed))):
        if change.difficulty is not None:
            question.difficulty = change.difficulty or None
        if change.topic is not None:
            question.topic = change.topic
        question.updated_at = context.now
    if change.removed_point:
        _remove_point(session, changed, change.removed_point)
    if change.added_point:
        add_knowledge_points(session, pairs=[(each, [change.added_point]) for each in changed])
    session.expire_all()
    details = {
        "count": len(changed), "difficulty": change.difficulty, "topic": change.topic, "added_point": change.added_point,
        "removed_point": change.removed_point, "ids": changed[:200],
    }  # fmt: skip
    record(context, "questions.apply_bulk", object_type="question", details=details)
    return len(changed)


def _remove_point(session: Session, ids: Sequence[int], name: str) -> None:
    point_id = session.scalar(select(KnowledgePoint.id).where(KnowledgePoint.name == name))
    table = question_knowledge_points
    session.execute(delete(table).where(table.c.question_id.in_(ids), table.c.knowledge_point_id == point_id))
