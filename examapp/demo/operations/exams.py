"""The demo county's exams: last year's, this year's, a mock exam and an upcoming one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import insert
from sqlalchemy.orm import Session

from examapp.core import clock
from examapp.demo.operations.county import County
from examapp.demo.rules import SEED
from examapp.exams.models import Exam, ExamAudience, ExamKind, ExamState, Exemption, ReleasePolicy
from examapp.papers.models import Blueprint, BlueprintSection
from examapp.papers.queries import bank_names
from question_bank.kinds.base import ScoringRule
from question_bank.model import Kind

_SECTIONS = (
    ("判断题", Kind.TRUE_FALSE, 20, "2", "判断下列说法是否正确。"),
    ("单项选择题", Kind.SINGLE_CHOICE, 30, "1", "每题只有一个正确答案。"),
    ("多项选择题", Kind.MULTIPLE_CHOICE, 15, "2", "每题有两个或两个以上正确答案，多选、少选、错选均不得分。"),
)
_SHORT_SECTIONS = (
    ("单项选择题", Kind.SINGLE_CHOICE, 20, "2", "每题只有一个正确答案。"),
    ("多项选择题", Kind.MULTIPLE_CHOICE, 10, "3", "每题有两个或两个以上正确答案。"),
    ("判断题", Kind.TRUE_FALSE, 10, "1", ""),
    ("案例分析题", Kind.CASE, 2, "5", "阅读材料，回答问题。"),
)
MOCK_LAWS = frozenset({
    "乡村振兴促进法", "人民调解法", "传染病防治法", "信访工作条例", "公平竞争审查条例", "反恐怖主义法", "反有组织犯罪法", "反电信网络诈骗法",
    "国家情报法", "国家通用语言文字法", "国旗法", "土地管理法", "妇女权益保障法", "审计法", "密码法", "政府督查工作条例", "未成年人保护法",
    "村民委员会组织法", "森林法", "民营经济促进法", "档案法", "法律援助法", "消防法", "生物安全法", "社会救助法", "统计法", "道路交通安全法", "长江保护法",
    "预算法", "食品安全法",
})  # fmt: skip
"""The laws that the mock exam asks, whose keys are shown at once; the exams that count ask all others (decision 0027)."""
_REASONS = ("两年内退休，本人书面申请", "长期病假", "外出挂职、培训一个月以上", "执行安全保卫、应急值守任务")

_ASKED_CREDITS = 6
"""What the upcoming exam asks to be studied first: two courses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoExams:
    """The exams that were made."""

    last_year: Exam
    this_year: Exam
    mock: Exam
    upcoming: Exam


def add_exams(session: Session, county: County, *, now: datetime) -> DemoExams:
    """Insert blueprints, exams with their settings, and approved exemptions."""
    midnight = clock.from_local(clock.local(now).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None))
    laws = frozenset(bank_names(session).laws)
    annual = _blueprint(session, "年度考试 65 题", _SECTIONS, laws=laws - MOCK_LAWS, now=now)
    training = _blueprint(session, "模拟考试 65 题", _SECTIONS, laws=laws & MOCK_LAWS, now=now)
    special = _blueprint(session, "行政执法资格 42 题", _SHORT_SECTIONS, laws=laws - MOCK_LAWS, now=now)
    year = clock.local(now).year
    common = {
        "blueprint_id": annual.id,
        "duration_s": 90 * 60,
        "created_by_id": county.office_id,
        "attempts_allowed": 3,
    }
    last_year = _exam(
        session, f"{year - 1}年度国家工作人员学法用法考试", ExamKind.ANNUAL, opens_at=midnight - timedelta(days=385), days=35,
        results_policy=ReleasePolicy.AT_ONCE, keys_policy=ReleasePolicy.AT_CLOSE, **common,
    )  # fmt: skip
    this_year = _exam(
        session, f"{year}年度国家工作人员学法用法考试", ExamKind.ANNUAL, opens_at=midnight - timedelta(days=20), days=40,
        results_policy=ReleasePolicy.AT_ONCE, keys_policy=ReleasePolicy.AT_CLOSE, **common,
    )  # fmt: skip
    mock = _exam(
        session, "学法用法模拟考试", ExamKind.MOCK, opens_at=midnight - timedelta(days=30), days=400,
        results_policy=ReleasePolicy.AT_ONCE, keys_policy=ReleasePolicy.AT_ONCE, **(common | {"blueprint_id": training.id, "attempts_allowed": None}),
    )  # fmt: skip
    upcoming = _exam(
        session, f"{year}年行政执法资格考试", ExamKind.ENFORCEMENT_QUALIFICATION, opens_at=midnight + timedelta(days=12, hours=9), days=1,
        results_policy=ReleasePolicy.AT_CLOSE, keys_policy=ReleasePolicy.AT_CLOSE, scoring_rule=ScoringRule.HALF_FOR_INCOMPLETE,
        study_gate={"required": _ASKED_CREDITS}, **(common | {"blueprint_id": special.id, "attempts_allowed": 1, "lateness_s": 30 * 60}),
    )  # fmt: skip
    _for_enforcers(session, county, upcoming)
    for exam, pending in ((last_year, 0), (this_year, 6)):
        _add_exemptions(session, county, exam, pending=pending)
    session.flush()
    return DemoExams(last_year=last_year, this_year=this_year, mock=mock, upcoming=upcoming)


def _blueprint(
    session: Session,
    name: str,
    sections: tuple[tuple[str, Kind, int, str, str], ...],
    *,
    laws: frozenset[str],
    now: datetime,
) -> Blueprint:
    blueprint = Blueprint(name=name, created_at=now, updated_at=now)
    for position, (title, kind, count, points, instructions) in enumerate(sections, 1):
        blueprint.sections.append(
            BlueprintSection(
                position=position,
                title=title,
                instructions=instructions,
                kind=kind,
                count=count,
                points_each=Decimal(points),
                laws=sorted(laws),
                knowledge_points=[],
                topics=[],
                difficulties={},
            )
        )
    session.add(blueprint)
    session.flush()
    return blueprint


def _exam(session: Session, title: str, kind: ExamKind, *, opens_at: datetime, days: int, **settings: object) -> Exam:
    # The last day of a window ends at 18:00, as notices have it.
    closes_at = opens_at + timedelta(days=days - 1, hours=18) if days > 1 else opens_at + timedelta(hours=3)
    exam = Exam(
        title=title, kind=kind, state=ExamState.PUBLISHED, opens_at=opens_at, closes_at=closes_at, created_at=opens_at - timedelta(days=10),
        updated_at=opens_at - timedelta(days=10), published_at=opens_at - timedelta(days=9), pass_percent=Decimal(60), good_percent=Decimal(80),
        excellent_percent=Decimal(90), **settings,
    )  # fmt: skip
    session.add(exam)
    session.flush()
    return exam


def _for_enforcers(session: Session, county: County, exam: Exam) -> None:
    for index, unit in enumerate(county.plan.units):
        if unit.name in {
            "县公安局",
            "县市场监督管理局",
            "县交通运输局",
            "县城市管理和综合执法局",
            "县应急管理局",
            "县自然资源局",
        }:
            session.add(ExamAudience(exam_id=exam.id, unit_id=county.unit_ids[index], ranks=[]))


def _add_exemptions(session: Session, county: County, exam: Exam, *, pending: int) -> None:
    rng = random.Random(SEED + exam.id)  # noqa: S311 – a demo must come out the same
    chosen = rng.sample(county.person_ids, 70 + pending)
    rows = [
        {
            "exam_id": exam.id, "person_id": person_id, "kind": "deferral" if n % 9 == 0 else "exemption", "reason": rng.choice(_REASONS),
            "requested_by_id": county.office_id, "requested_at": exam.opens_at,
            "approved_by_id": county.office_id if n >= pending else None, "approved_at": exam.opens_at + timedelta(days=2) if n >= pending else None,
        }
        for n, person_id in enumerate(chosen)
    ]  # fmt: skip
    session.execute(insert(Exemption), rows)
