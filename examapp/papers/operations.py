"""Freeze papers drawn from a blueprint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from examapp.core.errors import ConflictError
from examapp.papers.models import Blueprint, Paper
from examapp.papers.queries import get_paper, load_pool, sections_of
from examapp.papers.rules import DrawnPaper, Pool, draw, parts_of
from examapp.questions.models import QuestionVersion

__all__ = ["load_pool", "make_paper", "make_papers"]


def make_papers(
    session: Session, *, blueprint: Blueprint, seeds: Sequence[int], now: datetime, pool: Pool | None = None
) -> list[int]:
    """Draw and store one paper a seed; return their ids in the seeds' order.

    The question versions in them are marked as used and never change from here on. Give `pool` when making several batches. Raises
    BankTooSmallError, and ConflictError where somebody changed a question's options meanwhile.
    """
    pool = pool or load_pool(session, blueprint)
    sections = sections_of(blueprint)
    drawn = [draw(sections, pool, seed=seed, is_shuffled=blueprint.is_shuffled) for seed in seeds]
    if not drawn:
        return []
    _mark_used(session, drawn, pool, now=now)
    rows = [
        {
            "blueprint_id": blueprint.id,
            "sections": paper.sections,
            "shape": paper.shape,
            "total_points": paper.total_points,
            "created_at": now,
        }
        for paper in drawn
    ]
    return list(session.scalars(insert(Paper).returning(Paper.id, sort_by_parameter_order=True), rows))


def make_paper(session: Session, *, blueprint: Blueprint, seed: int, now: datetime) -> Paper:
    """Draw and store one paper; raises as make_papers."""
    (paper_id,) = make_papers(session, blueprint=blueprint, seeds=[seed], now=now)
    return get_paper(session, paper_id)


def _mark_used(session: Session, drawn: Sequence[DrawnPaper], pool: Pool, *, now: datetime) -> None:
    """Mark versions as used under their row lock, and see that those that could still change are what the pool says."""
    version_ids = {version_id for paper in drawn for version_id in paper.version_ids}
    newly = session.execute(
        update(QuestionVersion)
        .where(QuestionVersion.id.in_(version_ids), QuestionVersion.used_at.is_(None))
        .values(used_at=now)
        .returning(QuestionVersion.id, QuestionVersion.content)
        .execution_options(synchronize_session=False)
    ).all()
    if not newly:
        return
    known = {question.version_id: question.parts for group in pool.groups for question in group.candidates}
    if any(known[row.id] != parts_of(row.content) for row in newly):
        raise ConflictError("抽题时有题目正在修改。请稍后重新组卷。")
