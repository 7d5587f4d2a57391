"""Insert the demo county: units and officials, and its exams: last year's, this year's, a mock exam and an upcoming one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from examapp import clock
from examapp.content.blueprints.actions import load_shipped_blueprints, mark_used
from examapp.content.blueprints.models import Blueprint
from examapp.content.blueprints.queries import load_pool, sections_of
from examapp.content.blueprints.rules import draw
from examapp.content.questions.models import BankQuestion, QuestionVersion
from examapp.db.bulk import RowCopier, copied, json_of, reserve_ids
from examapp.delivery.exams.models import Exam, ExamAudience, ExamKind, ExamState, Exemption, ReleasePolicy
from examapp.delivery.grading.actions import rules_of
from examapp.delivery.grading.queries import newest_keys
from examapp.organisation.access.rules import Role
from examapp.organisation.people.models import Account, Person, PersonState, RoleGrant, RosterMove
from examapp.organisation.units.models import Tree, Unit, UnitKind
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.demo_county.rules import (
    SEED,
    SUPERVISED,
    Attempts,
    CountyPlan,
    DemoAccount,
    DemoCounty,
    PersonPlan,
)
from question_bank.kinds.base import ScoringRule

_STAFF = (
    (Role.PUBLICITY_OFFICE, "puban", "普法办小林"),
    (Role.LEADER, "lingdao", "领导老周"),
    (Role.SYSTEM_ADMIN, "xitong", "系统管理员小吴"),
    (Role.SECURITY_ADMIN, "anquan", "安全管理员小郑"),
    (Role.AUDIT_ADMIN, "shenji", "审计管理员小钱"),
)
_SHOWN_UNIT_ADMINS = ("县卫生健康局", "县水利局", "长岭镇")


def add_county(
    session: Session, plan: CountyPlan, *, now: datetime, candidate_hash: str, admin_hash: str
) -> DemoCounty:
    """Insert units, officials with one shared password hash, the administrators, and one unit admin a unit."""
    unit_ids = _add_units(session, plan, now=now)
    person_ids = _add_people(session, plan, unit_ids, now=now, password_hash=candidate_hash)
    home = next(index for index, unit in enumerate(plan.units) if unit.name == "县司法局")
    accounts = [
        _add_staff(
            session, role, login_name=login, name=name, unit_id=unit_ids[home], now=now, password_hash=admin_hash
        )
        for role, login, name in _STAFF
    ]
    accounts[1:1] = _add_unit_admins(session, plan, unit_ids, person_ids, now=now)
    first = plan.people[-1]
    accounts.append(_candidate_account(plan, first, person_ids[-1]))
    session.flush()
    return DemoCounty(
        plan=plan, unit_ids=unit_ids, person_ids=person_ids, accounts=accounts, office_id=accounts[0].person_id
    )


def _candidate_account(plan: CountyPlan, person: PersonPlan, person_id: int) -> DemoAccount:
    return DemoAccount(
        role="candidate",
        login_name=person.staff_number,
        name=person.name,
        unit=plan.units[person.unit].name,
        person_id=person_id,
    )


def _add_units(session: Session, plan: CountyPlan, *, now: datetime) -> list[int]:
    rows: list[Unit] = []
    for unit in plan.units:
        parent = rows[unit.parent] if unit.parent is not None else None
        supervisor = rows[unit.sector_parent] if unit.sector_parent is not None else None
        row = Unit(
            code=unit.code, name=unit.name, kind=unit.kind, parent_id=parent.id if parent else None,
            sector_parent_id=supervisor.id if supervisor else None, region_path="/0/", created_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        row.region_path = f"{parent.region_path if parent else '/'}{row.id}/"
        if supervisor is not None or unit.kind is UnitKind.SECTOR:
            row.sector_path = f"{supervisor.sector_path if supervisor else '/'}{row.id}/"
        rows.append(row)
    session.flush()
    return [row.id for row in rows]


def _add_people(
    session: Session, plan: CountyPlan, unit_ids: list[int], *, now: datetime, password_hash: str
) -> list[int]:
    people = [
        {
            "staff_number": person.staff_number, "name": person.name, "unit_id": unit_ids[person.unit], "state": PersonState.ON_ROSTER,
            "rank": person.rank, "position": person.position, "created_at": now, "updated_at": now,
        }
        for person in plan.people
    ]  # fmt: skip
    ids = list(session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), people))
    accounts = [
        {
            "person_id": person_id,
            "login_name": person["staff_number"],
            "password_hash": password_hash,
            "must_change_password": False,
            "is_demo": True,
        }
        for person_id, person in zip(ids, people, strict=True)
    ]
    session.execute(insert(Account), accounts)
    moves = [
        {
            "person_id": person_id,
            "kind": "join",
            "to_unit_id": person["unit_id"],
            "effective_on": now.date(),
            "recorded_at": now,
        }
        for person_id, person in zip(ids, people, strict=True)
    ]
    session.execute(insert(RosterMove), moves)
    return ids


def _add_staff(
    session: Session, role: Role, *, login_name: str, name: str, unit_id: int, now: datetime, password_hash: str
) -> DemoAccount:
    person = Person(
        staff_number=login_name,
        name=name,
        unit_id=unit_id,
        state=PersonState.OFF_ROSTER,
        position=name,
        created_at=now,
        updated_at=now,
    )
    session.add(person)
    session.flush()
    session.add(
        Account(
            person_id=person.id,
            login_name=login_name,
            password_hash=password_hash,
            must_change_password=False,
            is_demo=True,
        )
    )
    session.add(RoleGrant(person_id=person.id, role=role, unit_id=None, granted_at=now))
    return DemoAccount(role=role, login_name=login_name, name=name, unit="县司法局", person_id=person.id)


def _add_unit_admins(
    session: Session, plan: CountyPlan, unit_ids: list[int], person_ids: list[int], *, now: datetime
) -> list[DemoAccount]:
    seen: set[int] = set()
    shown: dict[str, DemoAccount] = {}
    for person, person_id in zip(plan.people, person_ids, strict=True):
        unit = plan.units[person.unit]
        top = person.unit if unit.kind is not UnitKind.SUB_UNIT else unit.parent or 0
        if top in seen:
            continue
        seen.add(top)
        name = plan.units[top].name
        trees = (Tree.REGION, Tree.SECTOR) if name in SUPERVISED else (Tree.REGION,)
        session.add_all(
            RoleGrant(person_id=person_id, role=Role.UNIT_ADMIN, unit_id=unit_ids[top], tree=tree, granted_at=now)
            for tree in trees
        )
        shown[name] = DemoAccount(
            role=Role.UNIT_ADMIN, login_name=person.staff_number, name=person.name, unit=name, person_id=person_id
        )
    return [shown[name] for name in _SHOWN_UNIT_ADMINS]


_REASONS = ("两年内退休，本人书面申请", "长期病假", "外出挂职、培训一个月以上", "执行安全保卫、应急值守任务")

_REQUIRED_CREDITS = 6
"""What the upcoming exam asks to be studied first: two courses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoExams:
    """The exams that were made."""

    last_year: Exam
    this_year: Exam
    mock: Exam
    upcoming: Exam


def add_exams(session: Session, county: DemoCounty, *, now: datetime) -> DemoExams:
    """Insert blueprints, exams with their settings, and approved exemptions."""
    midnight = clock.from_local(clock.local(now).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None))
    annual, training, special = load_shipped_blueprints(ActionContext(session, SYSTEM, now))
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
        study_gate={"required": _REQUIRED_CREDITS}, **(common | {"blueprint_id": special.id, "attempts_allowed": 1, "lateness_s": 30 * 60}),
    )  # fmt: skip
    _for_enforcers(session, county, upcoming)
    for exam, pending in ((last_year, 0), (this_year, 6)):
        _add_exemptions(session, county, exam, pending=pending)
    session.flush()
    return DemoExams(last_year=last_year, this_year=this_year, mock=mock, upcoming=upcoming)


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


def _for_enforcers(session: Session, county: DemoCounty, exam: Exam) -> None:
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


def _add_exemptions(session: Session, county: DemoCounty, exam: Exam, *, pending: int) -> None:
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


def add_attempts(
    session: Session, county: DemoCounty, exam: Exam, *, number: int, until: datetime, share: float, progress: Fraction
) -> None:
    """Draw everybody's first paper, and let a share of the zealous sit the exam."""
    blueprint = session.get_one(Blueprint, exam.blueprint_id)
    pool, sections = load_pool(session, blueprint), sections_of(blueprint)
    version_ids = {question.version_id for group in pool.groups for question in group.candidates}
    mark_used(session, version_ids, pool, now=exam.created_at)
    rng = random.Random(SEED + number)  # noqa: S311 – a demo must come out the same
    exempt = set(session.scalars(select(Exemption.person_id).where(Exemption.exam_id == exam.id)))
    people = [
        (person, person_id, person_id not in exempt and rng.random() < person.zeal * share)
        for person, person_id in zip(county.plan.people, county.person_ids, strict=True)
    ]
    attempts = Attempts(exam, until, newest_keys(session, version_ids), _difficulties(session), rules_of(exam), rng)
    paper_ids = reserve_ids(session, "papers", len(people))
    attempt_ids = iter(reserve_ids(session, "attempts", sum(takes_exam for _, _, takes_exam in people)))
    session.flush()
    with RowCopier(session) as copier:
        for start in range(0, len(people), _BATCH):
            papers, prepared = [], []
            for (person, person_id, takes_exam), paper_id in zip(
                people[start : start + _BATCH], paper_ids[start : start + _BATCH], strict=True
            ):
                seed = hash((SEED, exam.id, person_id))
                paper = draw(sections, pool, seed=seed, is_shuffled=blueprint.is_shuffled)
                papers.append(
                    f"{paper_id}\t{blueprint.id}\t{copied(paper.sections)}\t{paper.response_schema}\t{paper.total_points}\t{exam.created_at}\n"
                )
                prepared.append(f"{exam.id}\t{person_id}\t1\t{paper_id}\n")
                if takes_exam:
                    ids = {"attempt_id": next(attempt_ids), "person_id": person_id, "paper_id": paper_id}
                    attempts.take_exam(person, paper, unit_id=county.unit_ids[person.unit], **ids)
            copier.copy("papers (id, blueprint_id, sections, response_schema, total_points, created_at)", papers)
            copier.copy("prepared_papers (exam_id, person_id, number, paper_id)", prepared)
            _copy(copier, attempts)
            progress(start / len(people))


def _copy(copier: RowCopier, attempts: Attempts) -> None:
    """Copy what was made up, and begin again with none."""
    copier.copy("attempts (id, exam_id, person_id, number, paper_id, unit_id, state, started_at, deadline_at, closes_at, epoch, response_schema, unsure, submitted_at, is_forced, receipt_number, receipt_sha256, answered, total, grading_retry_count)", attempts.attempts)  # fmt: skip
    copier.copy("grades (attempt_id, number, is_current, points, points_possible, percent, band, is_passed, item_points, key_ids, rules, sheet, reason, graded_at)", attempts.grades)  # fmt: skip
    copier.execute(_ANSWERS, json_of(attempts.sheets), is_sound=True)
    attempts.attempts, attempts.grades, attempts.sheets = [], [], []


_ANSWERS = """
WITH sheet AS (
  SELECT attempt_id, person_id, item, response, started_at + pause_s * item * interval '1 second' AS saved_at
  FROM jsonb_to_recordset(CAST(%s AS jsonb)) AS s(attempt_id bigint, person_id bigint, responses jsonb, started_at timestamptz, pause_s float),
    LATERAL jsonb_array_elements(responses) WITH ORDINALITY AS e(response, item)
), answer AS (
  INSERT INTO answers (attempt_id, item, epoch, seq, response, saved_at) SELECT attempt_id, item, 1, item, response, saved_at FROM sheet
)
INSERT INTO answer_history (attempt_id, person_id, item, epoch, seq, response, saved_at) SELECT attempt_id, person_id, item, 1, item, response, saved_at FROM sheet
"""
"""Store each response of the sheets as the answer to an item, and as its one entry in the history."""


def _difficulties(session: Session) -> dict[int, str | None]:
    rows = session.execute(
        select(QuestionVersion.id, BankQuestion.difficulty).join(
            BankQuestion, QuestionVersion.question_id == BankQuestion.id
        )
    )
    return {version_id: difficulty for version_id, difficulty in rows}  # noqa: C416 – rows are no plain tuples for the type checker
