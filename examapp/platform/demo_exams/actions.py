"""The demo county's exams: last year's, this year's, a mock exam and an upcoming one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from examapp import clock
from examapp.content.blueprints.actions import make_papers
from examapp.content.blueprints.models import Blueprint, BlueprintSection, Paper
from examapp.content.blueprints.queries import PaperItem, bank_names, items_of, load_pool
from examapp.content.questions.models import Question, QuestionVersion
from examapp.delivery.attempts import rules as attempt_rules
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.exams.models import (
    Exam,
    ExamAudience,
    ExamKind,
    ExamState,
    Exemption,
    PreparedPaper,
    ReleasePolicy,
)
from examapp.delivery.grading import rules as grading_rules
from examapp.delivery.grading.actions import item_key, marks_of
from examapp.delivery.grading.models import Grade
from examapp.delivery.grading.queries import VersionKey, newest_keys
from examapp.delivery.grading.rules import Score
from examapp.platform.demo_county.actions import County, copy_rows
from examapp.platform.demo_county.rules import SEED, PersonPlan, chance_right, sitting_time
from question_bank.kinds.base import ItemKey, ScoringRule
from question_bank.kinds.registry import kind_of
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


_BATCH = 500
Fraction = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One sitting to insert."""

    person_id: int
    unit_id: int
    number: int
    paper_id: int
    response_schema: str
    started_at: datetime
    submitted_at: datetime
    responses: list[list[str]]
    score: Score
    key_ids: dict[str, int]


@dataclass(slots=True)
class _Exam:
    """What one exam's sittings are made from; they end before `until`."""

    session: Session
    county: County
    until: datetime
    exam: Exam
    keys: dict[int, VersionKey]
    difficulties: dict[int, str | None]
    rng: random.Random
    item_keys: dict[PaperItem, ItemKey] = field(default_factory=dict)
    """Keys that were worked out before: the same question in the same order of options comes again and again."""


def add_prepared_papers(session: Session, county: County, exam: Exam, *, progress: Fraction) -> dict[int, int]:
    """Draw one paper a person for the first attempt; gives paper ids by person."""
    blueprint = session.get_one(Blueprint, exam.blueprint_id)
    pool = load_pool(session, blueprint)
    papers: dict[int, int] = {}
    for start in range(0, len(county.person_ids), _BATCH):
        people = county.person_ids[start : start + _BATCH]
        seeds = [hash((SEED, exam.id, person_id)) for person_id in people]
        papers |= zip(
            people, make_papers(session, blueprint=blueprint, seeds=seeds, now=exam.created_at, pool=pool), strict=True
        )
        progress(start / len(county.person_ids))
    rows = [
        {"exam_id": exam.id, "person_id": person_id, "number": 1, "paper_id": paper_id}
        for person_id, paper_id in papers.items()
    ]
    session.execute(insert(PreparedPaper), rows)
    return papers


def add_sittings(
    session: Session, county: County, exam: Exam, *, number: int, until: datetime, share: float, progress: Fraction
) -> None:
    """Let a share of the zealous sit the exam: draw, answer by ability, hand in, grade."""
    rng = random.Random(SEED + number)  # noqa: S311 – a demo must come out the same
    papers = add_prepared_papers(session, county, exam, progress=lambda f: progress(0.35 * f))
    exempt = set(session.scalars(select(Exemption.person_id).where(Exemption.exam_id == exam.id)))
    sitters = [
        (person, person_id)
        for person, person_id in zip(county.plan.people, county.person_ids, strict=True)
        if person_id not in exempt and rng.random() < person.zeal * share
    ]
    setting = _Exam(session, county, until, exam, {}, _difficulties(session), rng)
    for start in range(0, len(sitters), _BATCH):
        batch = sitters[start : start + _BATCH]
        drawn = _papers(session, [papers[person_id] for _, person_id in batch])
        sittings = [_sit(setting, person, person_id, drawn[papers[person_id]]) for person, person_id in batch]
        _insert(session, exam, sittings)
        progress(0.35 + 0.65 * start / len(sitters))


def _papers(session: Session, ids: Sequence[int]) -> dict[int, Paper]:
    return {paper.id: paper for paper in session.scalars(select(Paper).where(Paper.id.in_(ids)))}


def _difficulties(session: Session) -> dict[int, str | None]:
    rows = session.execute(
        select(QuestionVersion.id, Question.difficulty).join(Question, QuestionVersion.question_id == Question.id)
    )
    return {version_id: difficulty for version_id, difficulty in rows}  # noqa: C416 – rows are no plain tuples for the type checker


def _sit(setting: _Exam, person: PersonPlan, person_id: int, paper: Paper) -> Sitting:
    items = items_of(paper)
    missing = {item.version_id for item in items} - setting.keys.keys()
    if missing:
        setting.keys |= newest_keys(setting.session, missing)
    keys = [_key(setting, item) for item in items]
    responses = [_respond(setting, person, item, key) for item, key in zip(items, keys, strict=True)]
    exam = setting.exam
    score = grading_rules.score_paper(keys, responses, rule=ScoringRule(exam.scoring_rule), marks=marks_of(exam))
    started_at, submitted_at = sitting_time(
        setting.rng, opens_at=exam.opens_at, until=setting.until, duration_s=exam.duration_s
    )
    return Sitting(
        person_id=person_id, unit_id=setting.county.unit_ids[person.unit], number=1, paper_id=paper.id, response_schema=paper.response_schema, started_at=started_at,
        submitted_at=submitted_at, responses=responses, score=score,
        key_ids={str(item.version_id): setting.keys[item.version_id].id for item in items},
    )  # fmt: skip


def _key(setting: _Exam, item: PaperItem) -> ItemKey:
    asked = replace(item, item=0)
    if asked not in setting.item_keys:
        setting.item_keys[asked] = item_key(item, setting.keys[item.version_id])
    return setting.item_keys[asked]


def _respond(setting: _Exam, person: PersonPlan, item: PaperItem, key: ItemKey) -> list[str]:
    difficulty = setting.difficulties.get(item.version_id)
    return kind_of(key.kind).simulate(
        key, rng=setting.rng, chance=lambda guesses: chance_right(person.ability, difficulty, guesses)
    )


def _insert(session: Session, exam: Exam, sittings: Sequence[Sitting]) -> None:
    rows = [_attempt_row(exam, sitting) for sitting in sittings]
    ids = list(session.scalars(insert(Attempt).returning(Attempt.id, sort_by_parameter_order=True), rows))
    receipts, grades = [], []
    for attempt_id, sitting in zip(ids, sittings, strict=True):
        answered, sha256 = attempt_rules.sheet_digest(
            attempt_id, sitting.response_schema, enumerate(sitting.responses, 1)
        )
        receipts.append((attempt_id, attempt_rules.receipt_number(attempt_id, sha256), sha256, answered))
        grades.append(_grade_row(attempt_id, sitting))
    _set_receipts(session, receipts)
    session.execute(insert(Grade), grades)
    _copy_answers(session, ids, sittings)


def _attempt_row(exam: Exam, sitting: Sitting) -> dict[str, Any]:
    deadline_at = min(sitting.started_at + timedelta(seconds=exam.duration_s), exam.closes_at)
    return {
        "exam_id": exam.id, "person_id": sitting.person_id, "number": sitting.number, "paper_id": sitting.paper_id, "unit_id": sitting.unit_id,
        "state": AttemptState.GRADED, "started_at": sitting.started_at, "deadline_at": deadline_at,
        "closes_at": deadline_at + timedelta(seconds=exam.grace_s), "epoch": 1, "response_schema": sitting.response_schema, "unsure": [],
        "submitted_at": sitting.submitted_at, "is_forced": False, "receipt_number": f"{exam.id}-{sitting.person_id}-{sitting.number}",
        "total": len(sitting.responses), "grading_retry_count": 1,
    }  # fmt: skip


def _set_receipts(session: Session, receipts: Sequence[tuple[int, str, str, int]]) -> None:
    ids, numbers, digests, answered = (list(column) for column in zip(*receipts, strict=True))
    session.execute(
        text(
            "UPDATE attempts SET receipt_number = r.number, receipt_sha256 = r.sha256, answered = r.answered "
            "FROM unnest(CAST(:ids AS bigint[]), CAST(:numbers AS text[]), CAST(:digests AS text[]), CAST(:answered AS int[])) "
            "AS r(id, number, sha256, answered) WHERE attempts.id = r.id"
        ),
        {"ids": ids, "numbers": numbers, "digests": digests, "answered": answered},
    )


def _grade_row(attempt_id: int, sitting: Sitting) -> dict[str, Any]:
    score = sitting.score
    return {
        "attempt_id": attempt_id, "number": 1, "is_current": True, "points": score.points, "points_possible": score.points_possible,
        "percent": score.percent, "band": score.band, "is_passed": score.is_passed, "item_points": [str(p) for p in score.item_points],
        "key_ids": sitting.key_ids, "reason": "first", "graded_at": sitting.submitted_at + timedelta(seconds=2),
    }  # fmt: skip


def _copy_answers(session: Session, ids: Sequence[int], sittings: Sequence[Sitting]) -> None:
    answers, history = [], []
    for attempt_id, sitting in zip(ids, sittings, strict=True):
        pause = (sitting.submitted_at - sitting.started_at) / (len(sitting.responses) + 1)
        for item, response in enumerate(sitting.responses, 1):
            rest = f"{item}\t1\t{item}\t{_json(tuple(response))}\t{(sitting.started_at + pause * item).isoformat()}\n"
            answers.append(f"{attempt_id}\t{rest}")
            history.append(f"{attempt_id}\t{sitting.person_id}\t{rest}")
    copy_rows(session, "answers (attempt_id, item, epoch, seq, response, saved_at)", answers)
    copy_rows(session, "answer_history (attempt_id, person_id, item, epoch, seq, response, saved_at)", history)


@cache
def _json(response: tuple[str, ...]) -> str:
    """Write a response as JSON in the text that COPY reads: few different ones, a million rows."""
    return json.dumps(response, ensure_ascii=False).replace("\\", "\\\\")
