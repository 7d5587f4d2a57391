"""Set blueprints, and freeze papers drawn from them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from examapp.content.blueprints.models import Blueprint, BlueprintSection, Paper
from examapp.content.blueprints.queries import (
    bank_names,
    get_blueprint,
    get_paper,
    is_drawn_from,
    iter_pool,
    load_pool,
    sections_of,
    unknown_names,
)
from examapp.content.blueprints.rules import (
    MOCK_LAWS,
    SHIPPED_BLUEPRINTS,
    SHIPPED_CASE_PARTS,
    Pool,
    Section,
    draw,
    parts_of,
    prepare_pool,
)
from examapp.content.questions.models import QuestionVersion
from examapp.errors import ConflictError, DomainError, NotFoundError
from examapp.platform.audit.actions import ActionContext, record
from examapp.points import for_people
from question_bank.kinds.registry import kind_of

AUDIT_ACTS = {
    "papers.archive_blueprint": "停用组卷规则",
    "papers.create_blueprint": "新建组卷规则",
    "papers.export_paper": "导出纸质试卷和答案",
    "papers.update_blueprint": "修改组卷规则",
}
AUDIT_OBJECTS = {"blueprint": "组卷规则", "paper": "试卷"}


class InvalidBlueprintError(DomainError):
    """A blueprint cannot stand so; the message says why, and what to do."""

    code = "blueprint_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueprintSettings:
    """A blueprint as it is set."""

    name: str
    is_shuffled: bool
    sections: tuple[Section, ...]


def create_blueprint(context: ActionContext, *, settings: BlueprintSettings) -> Blueprint:
    """Create a blueprint; raises InvalidBlueprintError."""
    session, now = context.session, context.now
    blueprint = Blueprint(created_by_id=context.actor.person_id, created_at=now, updated_at=now)
    _set(session, blueprint, settings)
    session.add(blueprint)
    session.flush()
    record(context, "papers.create_blueprint", object_type="blueprint", object_id=blueprint.id)
    return blueprint


def load_shipped_blueprints(context: ActionContext) -> list[Blueprint]:
    """Create the blueprints that the application comes with, over the laws of the bank as it is; one whose name is taken is left as it is."""
    laws = frozenset(bank_names(context.session).laws)
    loaded = []
    for name, parts, is_mock in SHIPPED_BLUEPRINTS:
        asked = laws & MOCK_LAWS if is_mock else laws - MOCK_LAWS
        sections = tuple(
            Section(
                title=title, kind=kind, count=count, points_each=Decimal(points), instructions=said, laws=asked,
                part_count=None if kind_of(kind).is_part else SHIPPED_CASE_PARTS,
            )
            for title, kind, count, points, said in parts
        )  # fmt: skip
        known = context.session.scalars(select(Blueprint).where(Blueprint.name == name).limit(1)).first()
        settings = BlueprintSettings(name=name, is_shuffled=True, sections=sections)
        loaded.append(known or create_blueprint(context, settings=settings))
    return loaded


def update_blueprint(context: ActionContext, *, blueprint_id: int, settings: BlueprintSettings) -> Blueprint:
    """Change a blueprint from which no paper has been drawn yet; one that has been drawn from is copied instead."""
    session = context.session
    blueprint = _lock(session, blueprint_id)
    if is_drawn_from(session, blueprint_id):
        raise ConflictError("已有试卷按这份规则抽好，不能再改。请复制一份，改好后在考试中选用。")
    _set(session, blueprint, settings)
    blueprint.updated_at = context.now
    record(context, "papers.update_blueprint", object_type="blueprint", object_id=blueprint.id)
    return blueprint


def copy_blueprint(context: ActionContext, *, blueprint_id: int) -> Blueprint:
    """Make a copy that may be changed."""
    original = get_blueprint(context.session, blueprint_id)
    settings = BlueprintSettings(
        name=f"{original.name}（副本）", is_shuffled=original.is_shuffled, sections=tuple(sections_of(original))
    )
    return create_blueprint(context, settings=settings)


def archive_blueprint(context: ActionContext, *, blueprint_id: int) -> Blueprint:
    """Take a blueprint out of the lists; exams that use it keep it."""
    blueprint = _lock(context.session, blueprint_id)
    blueprint.archived_at = blueprint.archived_at or context.now
    record(context, "papers.archive_blueprint", object_type="blueprint", object_id=blueprint.id)
    return blueprint


def note_paper_exported(context: ActionContext, blueprint: Blueprint, *, seed: int) -> None:
    """Write down who took a drawn paper with its answers."""
    details = {"number": seed}
    record(context, "papers.export_paper", object_type="blueprint", object_id=blueprint.id, details=details)


def _lock(session: Session, blueprint_id: int) -> Blueprint:
    locked = select(Blueprint).where(Blueprint.id == blueprint_id, Blueprint.archived_at.is_(None)).with_for_update()
    blueprint = session.scalar(locked.execution_options(populate_existing=True))
    if blueprint is None:
        raise NotFoundError
    return blueprint


def _set(session: Session, blueprint: Blueprint, settings: BlueprintSettings) -> None:
    if not settings.sections:
        raise InvalidBlueprintError("试卷至少要有一个部分，请添加。")
    for section in settings.sections:
        if sum(section.difficulties.values()) > section.count:
            raise InvalidBlueprintError(f"“{section.title}”各难度题数之和超过了该部分题数，请调整。")
        if section.codes and len(section.codes) < section.count:
            raise InvalidBlueprintError(
                f"“{section.title}”指定了 {len(section.codes)} 道题，少于该部分的 {section.count} 题，请补充题目编号或减少题数。"
            )
    unknown = unknown_names(session, settings.sections)
    if unknown:
        raise InvalidBlueprintError(
            f"题库中没有这些法律、主题、知识点或题目编号：{'、'.join(unknown[:10])}。请检查写法。"
        )
    sections = _fix_part_counts(session, settings.sections)
    blueprint.name, blueprint.is_shuffled = settings.name, settings.is_shuffled
    blueprint.sections = [_row(position, section) for position, section in enumerate(sections, 1)]


def _fix_part_counts(session: Session, sections: Sequence[Section]) -> list[Section]:
    """Give each section of cases its number of sub-questions, so that full marks are the same for everybody; raise InvalidBlueprintError where the bank's cases differ."""
    is_open = {index for index, section in enumerate(sections) if section.total_points is None}
    if not is_open:
        return list(sections)
    pool, fixed = prepare_pool(sections, iter_pool(session, sections)), list(sections)
    for index in is_open:
        section = sections[index]
        drawn = {
            len(question.parts) for group in pool.groups if group.section == index for question in group.candidates
        }
        if len(drawn) > 1:
            totals = "、".join(for_people(section.points_each * section.count * count) for count in sorted(drawn))
            counts = "、".join(str(count) for count in sorted(drawn))
            raise InvalidBlueprintError(
                f"“{section.title}”可抽的案例题小题数不同（{counts} 道），这一部分的满分会因人而异（{totals} 分）。"
                "同一场考试每个人的满分必须相同，请填写每道案例题的小题数。"
            )
        fixed[index] = replace(section, part_count=drawn.pop() if drawn else None)
    return fixed


def _row(position: int, section: Section) -> BlueprintSection:
    return BlueprintSection(
        position=position,
        title=section.title,
        instructions=section.instructions,
        kind=str(section.kind),
        count=section.count,
        points_each=section.points_each,
        scoring=section.scoring,
        part_count=section.part_count,
        laws=sorted(section.laws),
        topics=sorted(section.topics),
        knowledge_points=sorted(section.knowledge_points),
        codes=sorted(section.codes),
        difficulties=dict(section.difficulties),
    )


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
    mark_used(session, {version_id for paper in drawn for version_id in paper.version_ids}, pool, now=now)
    rows = [
        {
            "blueprint_id": blueprint.id,
            "sections": paper.sections,
            "response_schema": paper.response_schema,
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


def mark_used(session: Session, version_ids: Collection[int], pool: Pool, *, now: datetime) -> None:
    """Mark versions as used under their row lock; raise ConflictError where one that could still change is not what the pool says."""
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
