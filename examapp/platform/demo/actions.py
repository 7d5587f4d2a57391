"""The demo county's notice and a piece of feedback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from examapp.clock import local
from examapp.content.question_intake.actions import load_seed_bank
from examapp.learning.course_editing.actions import load_courses
from examapp.platform.audit.actions import SYSTEM, WRITTEN_AT, record
from examapp.platform.demo_county.actions import County, add_county
from examapp.platform.demo_county.rules import plan_county
from examapp.platform.demo_duties.actions import add_duties
from examapp.platform.demo_exams.actions import DemoExams, add_exams, add_prepared_papers, add_sittings
from examapp.platform.demo_learning.actions import add_certificates, add_gatherings, add_learner, add_study
from examapp.platform.notices.models import Feedback, Notice
from question_bank.coursetext import read_courses

AUDIT_ACTS = {"demo.load_county": "装入演示数据"}


def add_notices(session: Session, county: County, *, now: datetime) -> None:
    """Insert one published notice and one unanswered opinion."""
    begun = now - timedelta(days=18)
    session.add(
        Notice(
            title="关于组织参加年度学法用法考试的通知",
            body="<p>各单位：年度考试已经开始，请组织本单位应考人员在截止日期前完成。因病、外派等原因不能参加的，请由单位管理员提交免考申请。</p>",
            published_at=begun,
            created_by_id=county.office_id,
            created_at=begun,
        )
    )
    session.add(
        Feedback(
            person_id=county.person_ids[10],
            page="/",
            text="建议模拟考试多放一些案例题。",
            created_at=now - timedelta(days=3),
        )
    )


Progress = Callable[[str, float], None]
"""Told what is being done and how much of the whole is done, from 0 to 1."""

CANDIDATE_PASSWORD = "Xuefa-2026-yx"  # noqa: S105 – demo accounts, refused by a production start
ADMIN_PASSWORD = "Guanli-2026-yx"  # noqa: S105 – likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """The two password hashes that all demo accounts share."""

    candidate: str
    admin: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded, for the list of demo accounts."""

    county: County
    exams: DemoExams


def _load_courses(session: Session, content_folder: Path, *, now: datetime) -> None:
    texts = read_courses(content_folder.parent / "courses")
    year = local(now).year
    load_courses(
        session, texts, year=year, is_required=True, publishes=True, actor=SYSTEM, now=now - timedelta(days=60)
    )


def load_county(session: Session, *, content_folder: Path, hashes: Hashes, now: datetime, progress: Progress) -> Loaded:
    """Make the county, its officials, last year's exam, this year's half taken, a mock exam and an upcoming one; duties and study.

    Its acts are dated over more than a year, the lines of the log about them when they are written.
    """
    session.info[WRITTEN_AT] = now
    plan = plan_county()
    progress("单位和人员", 0.02)
    county = add_county(
        session, plan, now=now - timedelta(days=400), candidate_hash=hashes.candidate, admin_hash=hashes.admin
    )
    progress("题库", 0.1)
    load_seed_bank(session, content_folder, now=now - timedelta(days=399))
    _load_courses(session, content_folder, now=now)
    progress("考试", 0.14)
    exams = add_exams(session, county, now=now)
    add_sittings(
        session,
        county,
        exams.last_year,
        number=1,
        until=exams.last_year.closes_at,
        share=1.0,
        progress=lambda f: progress("上年度考试", 0.16 + 0.36 * f),
    )
    add_sittings(
        session,
        county,
        exams.this_year,
        number=2,
        until=now,
        share=0.53,
        progress=lambda f: progress("本年度考试", 0.52 + 0.26 * f),
    )
    add_prepared_papers(session, county, exams.mock, progress=lambda f: progress("模拟考试试卷", 0.78 + 0.15 * f))
    progress("学习、活动和证书", 0.93)
    add_notices(session, county, now=now)
    add_duties(session, county, exams, now=now)
    _add_training(session, county, exams, now=now)
    record(session, "demo.load_county", actor=SYSTEM, now=now, object_type="unit", object_id=county.unit_ids[0])
    session.info.pop(WRITTEN_AT)
    progress("写入数据库", 0.97)
    return Loaded(county, exams)


def _add_training(session: Session, county: County, exams: DemoExams, *, now: datetime) -> None:
    courses = add_study(session, county, now=now)
    add_learner(session, county, courses, now=now)
    add_gatherings(session, county, now=now)
    add_certificates(session, county, exams, courses, now=now)
