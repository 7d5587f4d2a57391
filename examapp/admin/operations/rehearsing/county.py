"""The synthetic county of a rehearsal: one unit, people who share a password, a small bank, one open exam of 65 questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from examapp.core.errors import ConflictError
from examapp.exams.models import Exam, ExamKind, ExamState
from examapp.exams.operations import prepare_papers
from examapp.org.models import Unit, UnitKind
from examapp.papers.models import Blueprint, BlueprintSection
from examapp.people.models import Person, PersonState
from examapp.questions.models import AnswerKey, Question, QuestionState, QuestionVersion
from question_bank import model
from question_bank.kinds.registry import kind_of
from question_bank.model import Kind

_SECTIONS = ((Kind.TRUE_FALSE, 20, "1"), (Kind.SINGLE_CHOICE, 40, "1"), (Kind.MULTIPLE_CHOICE, 5, "8"))
_BANK = 3
"""The bank holds so many times what a paper draws."""
_STEM = (
    "演练题目第 {} 题：下列关于国家工作人员学法用法、依法行政和依法履职的说法，按照有关法律法规的规定，哪一项是正确的？"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """What was made: who can sign in, and the exam to sit."""

    login_names: list[str]
    exam_id: int


def write_county(session: Session, people: int, *, password_hash: str, now: datetime) -> County:
    """Write the county; raises ConflictError in any database that is no empty shadow, so that no real row can be touched."""
    name = str(session.execute(text("SELECT current_database()")).scalar_one())
    if not name.endswith("_rehearsal") or session.execute(select(func.count()).select_from(Person)).scalar_one():
        raise ConflictError("这不是演练专用的空库，拒绝写入。")
    unit = Unit(code="REHEARSAL", name="演练单位", kind=UnitKind.COUNTY, region_path="/1/", created_at=now)
    session.add(unit)
    session.flush()
    unit.region_path = f"/{unit.id}/"
    login_names = [f"R{number:06d}" for number in range(people)]
    _write_people(session, unit.id, login_names, password_hash=password_hash, now=now)
    for kind, count, _ in _SECTIONS:
        for number in range(count * _BANK):
            _write_question(session, kind, number, now=now)
    return County(login_names=login_names, exam_id=_write_exam(session, now=now))


def _write_people(session: Session, unit_id: int, login_names: list[str], *, password_hash: str, now: datetime) -> None:
    rows = [
        {"staff_number": name, "name": "演练", "unit_id": unit_id, "state": PersonState.ON_ROSTER, "created_at": now, "updated_at": now}
        for name in login_names
    ]  # fmt: skip
    session.execute(insert(Person), rows)
    session.execute(
        text(
            "INSERT INTO accounts (person_id, login_name, password_hash, must_change_password, failures, is_demo)"
            " SELECT id, staff_number, :password_hash, false, 0, false FROM persons"
        ),
        {"password_hash": password_hash},
    )


def _write_question(session: Session, kind: Kind, number: int, *, now: datetime) -> None:
    written = tuple(f"选项{n}：依照法定权限和程序办理" for n in range(4))
    options = list(kind_of(kind).options_of(model.Question(kind=kind, stem="", options=written)))
    question = Question(
        code=f"rehearsal-{kind}-{number}", kind=str(kind), state=QuestionState.ACTIVE, created_at=now, updated_at=now
    )
    session.add(question)
    session.flush()
    content = {
        "material": None,
        "parts": [{"kind": str(kind), "stem": _STEM.format(number), "options": options, "blanks": None}],
    }
    version = QuestionVersion(
        question_id=question.id, number=1, content=content, search_text=_STEM.format(number), created_at=now
    )
    session.add(version)
    session.flush()
    key = ["A", "B"] if kind_of(kind).is_multiple else ["A"]
    session.add(
        AnswerKey(
            question_version_id=version.id,
            number=1,
            parts=[{"key": key, "blanks": [], "explanation": ""}],
            created_at=now,
        )
    )
    question.current_version = version


def _write_exam(session: Session, *, now: datetime) -> int:
    blueprint = Blueprint(name="演练", created_at=now, updated_at=now)
    for position, (kind, count, points) in enumerate(_SECTIONS, 1):
        blueprint.sections.append(
            BlueprintSection(
                position=position, title=f"第{position}部分", kind=str(kind), count=count, points_each=Decimal(points),
                laws=[], knowledge_points=[], topics=[], difficulties={},
            )
        )  # fmt: skip
    session.add(blueprint)
    session.flush()
    exam = Exam(
        title="演练", kind=ExamKind.ANNUAL, state=ExamState.PUBLISHED, blueprint_id=blueprint.id, opens_at=now - timedelta(minutes=1),
        closes_at=now + timedelta(days=1), duration_s=3600, attempts_allowed=1, pass_percent=Decimal(60), good_percent=Decimal(80),
        excellent_percent=Decimal(90), created_at=now, updated_at=now, published_at=now,
    )  # fmt: skip
    session.add(exam)
    session.flush()
    return exam.id


def prepare(session: Session, exam_id: int, *, now: datetime) -> int:
    """Make the next batch of papers ahead; gives how many, 0 when all are made."""
    return prepare_papers(session, exam_id, now=now)
