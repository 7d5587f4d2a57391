"""Load the demo county: one transaction, so that it is there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from examapp.audit.operations import SYSTEM, WRITTEN_AT, record
from examapp.core.clock import local
from examapp.demo.operations.certificates import add_certificates
from examapp.demo.operations.county import County, add_county
from examapp.demo.operations.duties import add_duties
from examapp.demo.operations.exams import DemoExams, add_exams
from examapp.demo.operations.gatherings import add_gatherings
from examapp.demo.operations.learner import add_learner
from examapp.demo.operations.notices import add_notices
from examapp.demo.operations.sittings import add_prepared_papers, add_sittings
from examapp.demo.operations.studying import add_study
from examapp.demo.rules import plan_county
from examapp.questions.operations.seeding import load_seed_bank
from examapp.training.operations.shipped import load_courses
from question_bank.coursetext import read_courses

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
