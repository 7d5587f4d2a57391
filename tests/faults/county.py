"""A small county for drills, made with the application's own operations: `python -m tests.faults.county 300 3600:60 30:5` (people, then each exam's
duration and grace in seconds). With 0 people only exams are added.

Runs as a process of its own with the deployment's environment, and prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from examapp import clock, create_app
from examapp.config import Mode, read_settings
from examapp.content.blueprints.actions import BlueprintSettings, create_blueprint
from examapp.content.blueprints.models import Blueprint
from examapp.content.blueprints.rules import Section
from examapp.content.question_intake.actions import take_over
from examapp.content.questions.models import QuestionState
from examapp.db.session import read_session, transaction
from examapp.delivery.exam_candidates.actions import prepare_papers
from examapp.delivery.exam_publication.actions import ExtensionGrant, extend, publish_exam
from examapp.delivery.exams.actions import ExamSettings, create_exam
from examapp.delivery.exams.models import ExamKind
from examapp.delivery.results.queries import are_keys_out
from examapp.organisation.access.rules import AccessScope, Role
from examapp.organisation.people.models import Account, Person, PersonState, RoleGrant
from examapp.organisation.units.actions import UnitFacts, create_unit
from examapp.organisation.units.models import UnitKind
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.security.password_hashing import Hasher
from question_bank.formats import registry
from question_bank.model import Kind

PASSWORD = "Yanlian-2026-yx"
_CONTENT = Path(__file__).parents[2] / "question_bank" / "content"
_LAWS = ("宪法", "公务员法", "行政处罚法", "行政复议法", "民法典", "网络安全法")
_EVERYWHERE = AccessScope(is_everything=True)
_SECTIONS = (
    ("判断题", Kind.TRUE_FALSE, 8, "1"),
    ("单项选择题", Kind.SINGLE_CHOICE, 10, "2"),
    ("多项选择题", Kind.MULTIPLE_CHOICE, 6, "3"),
)


def main(people: str, *exams: str) -> None:
    settings = replace(read_settings(), app_mode=Mode.TESTING, log_level="ERROR")
    app = create_app(settings)
    response: dict[str, object] = {}
    with app.app_context():
        if int(people):
            response = _people(int(people), Hasher.from_settings(settings).hash(PASSWORD))
        response["exam_ids"] = [_do(exam) for exam in exams]
    print(json.dumps(response))


def _do(text: str) -> int:
    """Make an exam (`3600:60`), or grant a unit extra time as the office does (`extend:exam:unit:seconds`)."""
    if not text.startswith("extend:"):
        return _exam(*map(int, text.split(":")))
    exam_id, unit_id, seconds = map(int, text.split(":")[1:])
    with transaction() as session:
        grant = ExtensionGrant(unit_id=unit_id, person_id=None, seconds=seconds, reason="演练", request_key="drill")
        context = ActionContext(session, SYSTEM, clock.now())
        extend(context, grant, exam_id=exam_id, keys_out=are_keys_out, is_known=True, access=_EVERYWHERE)
    return exam_id


def _people(count: int, hashed: str) -> dict[str, object]:
    now = clock.now()
    with transaction() as session:
        units = []
        for n, name in enumerate(("演练县", "第一局", "第二局", "第三局")):
            kind = UnitKind.DEPARTMENT if n else UnitKind.COUNTY
            facts = UnitFacts(
                code=f"DRILL{n}",
                name=name,
                kind=kind,
                uscc=None,
                parent_id=units[0] if n else None,
                sector_parent_id=None,
            )
            units.append(create_unit(ActionContext(session, SYSTEM, now), facts).id)
        common: dict[str, Any] = {
            "state": PersonState.ON_ROSTER,
            "rank": "一级科员",
            "position": "科员",
            "created_at": now,
            "updated_at": now,
        }
        rows = [
            {"staff_number": f"D{n:05d}", "name": f"考生{n}", "unit_id": units[1 + n % 3]} | common
            for n in range(count)
        ]
        ids = session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), rows).all()
        account = {"password_hash": hashed, "must_change_password": False}
        session.execute(
            insert(Account),
            [{"person_id": i, "login_name": r["staff_number"]} | account for i, r in zip(ids, rows, strict=True)],
        )
        for law in _LAWS:
            path = _CONTENT / f"{law}.txt"
            take_over(
                ActionContext(session, SYSTEM, now),
                reading=registry.read_file(path.read_bytes(), path.name, registry.AUTO),
                state=QuestionState.ACTIVE,
            )
        sections = tuple(
            Section(title=title, kind=kind, count=size, points_each=Decimal(points))
            for title, kind, size, points in _SECTIONS
        )
        blueprint = create_blueprint(
            ActionContext(session, SYSTEM, now),
            settings=BlueprintSettings(name="演练", is_shuffled=True, sections=sections),
        )
        _add_organiser(session, units[0], hashed, now)
    return {
        "login_names": [row["staff_number"] for row in rows],
        "organiser": "DRILLOFFICE",
        "password": PASSWORD,
        "blueprint_id": blueprint.id,
    }


def _add_organiser(session: Session, unit_id: int, hashed: str, now: datetime) -> None:
    person = Person(
        staff_number="DRILLOFFICE",
        name="演练普法办",
        unit_id=unit_id,
        state=PersonState.OFF_ROSTER,
        created_at=now,
        updated_at=now,
    )
    session.add(person)
    session.flush()
    session.add(
        Account(person_id=person.id, login_name="DRILLOFFICE", password_hash=hashed, must_change_password=False)
    )
    session.add(RoleGrant(person_id=person.id, role=Role.PUBLICITY_OFFICE, unit_id=None, granted_at=now))


def _exam(duration_s: int, grace_s: int) -> int:
    now = clock.now()
    settings = ExamSettings(
        title=f"演练 {now:%H:%M:%S.%f}", kind=ExamKind.MOCK, main_exam_id=None, blueprint_id=read_session().scalars(select(Blueprint.id)).first(), instructions="",
        opens_at=now - timedelta(minutes=1), closes_at=now + timedelta(hours=6), duration_s=duration_s, lateness_s=None, is_full_duration=True,
        grace_s=grace_s, attempts_allowed=1, counting_rule="best", scoring_rule="all_or_nothing", pass_percent=Decimal(60), good_percent=Decimal(80),
        excellent_percent=Decimal(90), results_policy="at_once", results_at=None, keys_policy="at_close", keys_at=None, focus_loss_limit=None,
        study_gate={}, snapshot_due_at=None,
    )  # fmt: skip
    with transaction() as session:
        exam_id = create_exam(ActionContext(session, SYSTEM, now), settings=settings, access=_EVERYWHERE).id
    with transaction() as session:
        publish_exam(ActionContext(session, SYSTEM, now), exam_id=exam_id, access=_EVERYWHERE)
    for _ in range(50):
        with transaction() as session:
            if not prepare_papers(session, exam_id, now=now):
                break
    return exam_id


if __name__ == "__main__":
    main(*sys.argv[1:])
